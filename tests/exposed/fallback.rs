//! A locator for commands that have no type.

use amp::locator::fallback;
use amp::{AmpBox, CallError, Connection, Server, Settings};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::unbounded_channel;

use crate::commands::House;
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, error, packed, soon, unknown};

fn echo() -> impl amp::locator::Locator {
    fallback(|_, arguments| async { Ok(arguments) })
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_any_name_that_no_locator_before_it_has() {
    let (_connection, mut peer) = RawPeer::with((House::new().into_locator(), echo()), Settings::new());
    peer.send(ask_sum("1")).await;
    peer.expect(answer_sum("1")).await;
    peer.send(ask("2", "Anything", &[("Upper", "x"), ("key", "value")])).await;
    peer.expect(packed(&[("Upper", "x"), ("_answer", "2"), ("key", "value")])).await;
    let name = b"\xff is no text";
    peer.send(packed(&[(&b"_ask"[..], &b"3"[..]), (b"_command", name), (b"a", b"\0")])).await;
    peer.expect(packed(&[(&b"_answer"[..], &b"3"[..]), (b"a", b"\0")])).await;
    peer.send(ask("4", "Nothing", &[])).await;
    peer.expect(answer("4", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn it_gets_the_name_as_it_came_and_the_arguments_without_what_makes_them_an_ask() {
    let (sender, mut got) = unbounded_channel();
    let locator = fallback(move |ask, arguments| {
        sender.send((ask.command().to_vec(), arguments)).expect("the test waits");
        async { Ok(AmpBox::new()) }
    });
    let (_connection, mut peer) = RawPeer::with(locator, Settings::new());
    let expected = AmpBox::new().with("a", "1").expect("it fits");
    peer.send(packed(&[(&b"_command"[..], &b"\xff"[..]), (b"a", b"1")])).await;
    assert_eq!(soon("a notification", got.recv()).await, Some((b"\xff".to_vec(), expected.clone())));
    peer.send(packed(&[(&b"_amp"[..], &b"1"[..]), (b"_ask", b"7"), (b"_command", b"Do"), (b"a", b"1")])).await;
    assert_eq!(soon("an ask", got.recv()).await, Some((b"Do".to_vec(), expected)));
    peer.expect(answer("7", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_answer_is_a_failure_of_that_call() {
    let locator = fallback(|ask, arguments: AmpBox| {
        let key = String::from_utf8_lossy(ask.command()).into_owned();
        async move {
            match &*key {
                "large" => {
                    let large = (0..20).try_fold(arguments, |all, at| all.with(format!("k{at}"), vec![0; 60_000]));
                    large.map_err(CallError::failed)
                }
                "fails" => Err(CallError::failed("no")),
                key => arguments.with(key.to_owned(), "x").map_err(CallError::failed),
            }
        }
    });
    let (_connection, mut peer) = RawPeer::with(locator, Settings::new());
    for name in ["_ask", "_answer", "_command", "_error", "_notify", "_amp", "fails"] {
        peer.send(ask("1", name, &[])).await;
        peer.expect(unknown("1")).await;
    }
    peer.send(ask("1", "large", &[])).await;
    peer.expect(error("1", "TOO_LONG", "the box has more than 1048576 bytes; see `BoxLimits::bytes`")).await;
}

#[tokio::test]
async fn a_gateway_passes_answers_errors_and_notifications_on_as_they_are() {
    let (sender, mut notified) = unbounded_channel();
    let backend = fallback(move |ask, arguments| {
        let (command, wants_answer, sender) = (ask.command().to_vec(), ask.wants_answer(), sender.clone());
        async move {
            if command == b"Refused" {
                return Err(CallError::Remote { code: "NOT_NOW".to_owned(), description: "later".to_owned() });
            }
            if !wants_answer {
                sender.send((command, arguments.clone())).map_err(|_| CallError::failed("the test has ended"))?;
            }
            Ok(arguments)
        }
    });
    let (caller, _backend) = amp::connection::pair(Connection::builder(), Connection::builder().locator(backend));
    let gateway = fallback(move |ask, arguments| {
        let (command, wants_answer, caller) = (ask.command().to_vec(), ask.wants_answer(), caller.clone());
        async move {
            if wants_answer {
                return caller.call_box(&command, arguments).await;
            }
            caller.notify_box(&command, arguments).await?;
            Ok(AmpBox::new())
        }
    });
    let (_gateway, mut peer) = RawPeer::with(gateway, Settings::new());
    peer.send(ask("1", "Kept", &[("a", "b")])).await;
    peer.expect(answer("1", &[("a", "b")])).await;
    peer.send(ask("2", "Refused", &[])).await;
    peer.expect(error("2", "NOT_NOW", "later")).await;
    peer.send(packed(&[(&b"_command"[..], &b"\xfe"[..]), (b"a", b"1")])).await;
    let expected = AmpBox::new().with("a", "1").expect("it fits");
    assert_eq!(soon("a notification", notified.recv()).await, Some((b"\xfe".to_vec(), expected)));
}

/// A gateway would pass it on, and its own connection would end: that of all its clients.
#[tokio::test(start_paused = true)]
async fn commands_of_the_library_itself_are_neither_answered_nor_passed_on_whatever_is_announced() {
    for announces in [true, false] {
        let (_connection, mut peer) = RawPeer::with(echo(), Settings::new().announce(announces));
        peer.send(ask("1", "amp.Other", &[])).await;
        peer.expect(error("1", "UNHANDLED", "Unhandled Command: b'amp.Other'")).await;
        let (caller, _peer) = RawPeer::with((), Settings::new().announce(announces));
        for name in ["amp.Hello", "amp.Goodbye"] {
            let error = caller.call_box(name, AmpBox::new()).await.expect_err("it is refused");
            assert!(error.to_string().contains("this library's own"), "{error}");
            caller.notify_box(name, AmpBox::new()).await.expect_err("it is refused");
        }
    }
}

/// A name may be as long as a value, and it is kept for the log beside the box that it came in.
#[tokio::test]
async fn a_name_that_is_kept_until_the_reply_counts() {
    const NAME: usize = 60_000;
    const ASKS: usize = 20;
    let holds = fallback(|_, arguments| async move {
        std::future::pending::<()>().await;
        Ok(arguments)
    });
    let locator = std::sync::Arc::new(holds);
    let server = Server::builder().bind_tcp("127.0.0.1:0", move |_| std::sync::Arc::clone(&locator)).await;
    let server = server.expect("a free port");
    let address = server.local_addr().expect("TCP");
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("the server listens");
    let name = vec![b'n'; NAME];
    for number in 0..ASKS {
        let tag = number.to_string();
        let bytes = packed(&[(&b"_ask"[..], tag.as_bytes()), (b"_command", &name)]);
        socket.write_all(&bytes).await.expect("the server reads");
    }
    let counted = async {
        while server.memory() < ASKS * NAME * 2 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    soon("the box and the name of each are counted", counted).await;
}
