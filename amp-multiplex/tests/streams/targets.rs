//! Factories that lead to addresses.

use amp_multiplex::{ConnectError, Stream, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use crate::forwards::{dial, exchange};
use crate::support::{ends, pattern, soon, until};

/// A TCP server that says everything back; its address.
async fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = socket.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn from_a_local_port_to_a_target_in_the_peers_network_and_back() {
    let (here, there) = ends();
    let target = Target::tcp(echo_server().await);
    there.factories.insert("echo", target.clone());
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let sent = pattern(3_000_000);
    let (mut reader, mut writer) = dial(&forward).await.into_split();
    let expected = sent.clone();
    tokio::spawn(async move {
        writer.write_all(&sent).await.expect("sent");
        writer.shutdown().await.expect("finished");
    });
    let mut got = Vec::new();
    soon("the echo", reader.read_to_end(&mut got)).await.expect("an end in order");
    assert!(got == expected, "{} bytes came back", got.len());
    until("it has ended", || target.counts().open == 0 && forward.counts().open == 0).await;
    let (far, near) = (target.counts(), forward.counts());
    assert_eq!((far.total, far.sent, far.received), (1, 3_000_000, 3_000_000));
    assert_eq!((near.total, near.sent, near.received), (1, 3_000_000, 3_000_000));
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn a_target_on_a_unix_socket_is_reached() {
    let (here, there) = ends();
    let path = std::env::temp_dir().join(format!("amp-target-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        socket.write_all(b"welcome").await.expect("said");
    });
    there.factories.insert("socket", Target::unix(&path));
    let mut stream = here.connect("socket").await;
    let mut got = Vec::new();
    soon("reading", stream.read_to_end(&mut got)).await.expect("an end in order");
    assert_eq!(got, b"welcome");
    std::fs::remove_file(&path).expect("the path is there");
}

#[tokio::test]
async fn a_target_that_nobody_is_at_refuses_without_saying_where_it_is() {
    let (here, there) = ends();
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let target = Target::tcp(address.to_string());
    there.factories.insert("closed", target.clone());
    there.factories.insert("missing", Target::unix("/nowhere/at/all"));
    for name in ["closed", "missing"] {
        let error = here.multiplexer.connect(name).await.expect_err("nobody is there");
        let words = format!("{error} {error:?}");
        assert!(matches!(error, ConnectError::Refused(_)), "{words}");
        for secret in ["127.0.0.1", &address.port().to_string(), "nowhere"] {
            assert!(!words.contains(secret), "{words}");
        }
    }
    assert_eq!((target.counts().refused, target.counts().total), (1, 0));
    // From a local port, the client's socket is closed.
    let forward = here.multiplexer.forward_port(0, "closed").await.expect("a port");
    let read = soon("the end", dial(&forward).await.read(&mut [0])).await;
    assert!(matches!(read, Ok(0)) || read.is_err(), "{read:?}");
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn only_addresses_on_the_list_can_be_reached_and_only_by_name() {
    let (here, there) = ends();
    let (listed, other) = (echo_server().await, echo_server().await);
    there.factories.allow([listed.clone()]);
    let stream: Stream = here.connect(&format!("tcp:{listed}")).await;
    assert_eq!(exchange(stream, b"hello").await, b"hello");
    for name in [format!("tcp:{other}"), listed.clone(), format!("tcp:{listed} "), String::new()] {
        let error = here.multiplexer.connect(&name).await.expect_err("not on the list");
        assert!(matches!(error, ConnectError::NoSuchFactory(_)), "{error:?}");
    }
}
