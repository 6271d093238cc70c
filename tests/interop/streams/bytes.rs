//! Byte-exact transcripts of the three commands, in both roles.

use amp::multiplex::{Factories, Multiplexer, Multiplexing};
use amp::{AmpBox, CallError, Connection, Settings};

use super::{heard, heard_out, multiplexing, said, still_there};
use crate::harness::{Recorder, Twisted, boxed, shown, soon};

/// Boxes as the recorder shows them.
fn lines(boxes: &[&[(&str, &[u8])]]) -> String {
    boxes.iter().map(|pairs| shown(&boxed(pairs)) + "\n").collect()
}

/// The id in a transcript's answer to Connect.
fn id(answers: &str) -> [u8; 32] {
    let (_, after) = answers.split_once(r"connection\x00 ").expect("an answer with an id of 32 bytes");
    let id: [u8; 32] = after.as_bytes()[..32].try_into().unwrap();
    assert!(id.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{id:?}");
    id
}

const NO_SUCH_CONNECTION: [(&str, &[u8]); 2] = [("_error_code", b"NO_SUCH_CONNECTION"), ("_error_description", b"")];

#[tokio::test]
async fn rust_answers_the_three_commands_of_twisted_with_these_bytes() {
    let factories = Factories::new();
    let mut listener = factories.listen("echo", 1);
    let (server, multiplexer) = multiplexing(&factories);
    let server = server.settings(Settings::new().announce(false)).bind_tcp("127.0.0.1:0", |_| ()).await.unwrap();
    let recorder = Recorder::before(server.local_addr().unwrap()).await;
    let Some(mut twisted) = Twisted::connect(recorder.address).await else { return };

    twisted.begin("dial('echo')").await;
    let mut stream = soon(listener.accept()).await.unwrap();
    let multiplexer = soon(multiplexer).await.unwrap();
    twisted.result().await;
    twisted.say("say(b'hello')").await;
    assert_eq!(heard(&mut stream, 5).await, b"hello");
    said(&mut stream, b"world").await;
    assert_eq!(twisted.say("dialled['it'].heard(5)").await, "b'world'");
    assert_eq!(twisted.say("call(Transmit, connection=b'nobody', data=b'x')").await, "NoSuchConnection: ");
    assert_eq!(twisted.say("dial('nothing')").await, "NoSuchFactory: ");
    twisted.say("leave()").await;
    assert_eq!(heard_out(&mut stream).await, b"");
    drop(stream);
    still_there(&multiplexer, &mut twisted).await;

    let (asked, answered) = recorder.transcript();
    let id = &id(&answered);
    let expected: [&[(&str, &[u8])]; 6] = [
        &[("_ask", b"1"), ("_command", b"Connect"), ("factory", b"echo")],
        &[("_ask", b"2"), ("_command", b"Transmit"), ("connection", id), ("data", b"hello")],
        &[("_answer", b"1")],
        &[("_ask", b"3"), ("_command", b"Transmit"), ("connection", b"nobody"), ("data", b"x")],
        &[("_ask", b"4"), ("_command", b"Connect"), ("factory", b"nothing")],
        &[("_ask", b"5"), ("_command", b"Disconnect"), ("connection", id)],
    ];
    assert_eq!(asked, lines(&expected));
    let expected: [&[(&str, &[u8])]; 6] = [
        &[("_answer", b"1"), ("connection", id)],
        &[("_answer", b"2")],
        &[("_ask", b"1"), ("_command", b"Transmit"), ("connection", id), ("data", b"world")],
        &[("_error", b"3"), NO_SUCH_CONNECTION[0], NO_SUCH_CONNECTION[1]],
        &[("_error", b"4"), ("_error_code", b"NO_SUCH_FACTORY"), ("_error_description", b"")],
        &[("_answer", b"5")],
    ];
    assert_eq!(answered, lines(&expected));
}

#[tokio::test]
async fn rust_asks_twisted_the_three_commands_with_these_bytes() {
    let Some((mut twisted, address)) = Twisted::listen().await else { return };
    let recorder = Recorder::before(address).await;
    let connection = Connection::builder()
        .settings(Settings::new().announce(false))
        .extension(Multiplexing::default())
        .connect_tcp(recorder.address)
        .await
        .unwrap();

    let multiplexer = Multiplexer::of(&connection).unwrap();
    let mut stream = soon(multiplexer.connect("banner")).await.unwrap();
    assert_eq!(heard(&mut stream, 11).await, b"220 ready\r\n");
    said(&mut stream, b"hello").await;
    assert_eq!(heard(&mut stream, 5).await, b"hello");
    let nobody = AmpBox::new().with("connection", "nobody").unwrap().with("data", "x").unwrap();
    let error = soon(connection.call_box("Transmit", nobody)).await.unwrap_err();
    let CallError::Remote { code, description } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), description.as_str()), ("NO_SUCH_CONNECTION", ""));
    drop(stream);
    still_there(&multiplexer, &mut twisted).await;

    let (said, answers) = recorder.transcript();
    let id = &id(&answers);
    // The two keys that are ours; txampext does not look at them.
    let expected: [&[(&str, &[u8])]; 6] = [
        &[
            ("_ask", b"1"),
            ("_command", b"Connect"),
            ("factory", b"banner"),
            ("half_close", b"True"),
            ("keeps", b"33554432"),
        ],
        &[("_answer", b"1")],
        &[("_ask", b"2"), ("_command", b"Transmit"), ("connection", id), ("data", b"hello")],
        &[("_answer", b"2")],
        &[("_ask", b"3"), ("_command", b"Transmit"), ("connection", b"nobody"), ("data", b"x")],
        &[("_ask", b"4"), ("_command", b"Disconnect"), ("connection", id)],
    ];
    assert_eq!(said, lines(&expected));
    let expected: [&[(&str, &[u8])]; 6] = [
        &[("_ask", b"1"), ("_command", b"Transmit"), ("connection", id), ("data", b"220 ready\r\n")],
        &[("_answer", b"1"), ("connection", id)],
        &[("_ask", b"2"), ("_command", b"Transmit"), ("connection", id), ("data", b"hello")],
        &[("_answer", b"2")],
        &[("_error", b"3"), NO_SUCH_CONNECTION[0], NO_SUCH_CONNECTION[1]],
        &[("_answer", b"4")],
    ];
    assert_eq!(answers, lines(&expected));
}
