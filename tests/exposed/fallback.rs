//! A locator for commands that have no type.

use amp::locator::fallback;
use amp::{AmpBox, CallError, Connection, Settings};
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
    let locator = fallback(move |command, arguments| {
        sender.send((command.to_vec(), arguments)).expect("the test waits");
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
    let locator = fallback(|command, arguments: AmpBox| {
        let key = String::from_utf8_lossy(command).into_owned();
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
    for name in ["_ask", "_error", "_notify", "_amp", "large", "fails"] {
        peer.send(ask("1", name, &[])).await;
        peer.expect(unknown("1")).await;
    }
    // It is replaced by the tag.
    peer.send(ask("2", "_answer", &[])).await;
    peer.expect(answer("2", &[])).await;
}

#[tokio::test]
async fn a_gateway_passes_answers_and_errors_of_another_peer_on_as_they_are() {
    let refuses = fallback(|command, arguments| {
        let refused = command == b"Refused";
        async move {
            if refused {
                return Err(CallError::Remote { code: "NOT_NOW".to_owned(), description: "later".to_owned() });
            }
            Ok(arguments)
        }
    });
    let (backend, _refuses) = amp::connection::pair(Connection::builder(), Connection::builder().locator(refuses));
    let gateway = fallback(move |command, arguments| {
        let (command, backend) = (String::from_utf8_lossy(command).into_owned(), backend.clone());
        async move { backend.call_box(&command, arguments).await }
    });
    let (_gateway, mut peer) = RawPeer::with(gateway, Settings::new());
    peer.send(ask("1", "Kept", &[("a", "b")])).await;
    peer.expect(answer("1", &[("a", "b")])).await;
    peer.send(ask("2", "Refused", &[])).await;
    peer.expect(error("2", "NOT_NOW", "later")).await;
}
