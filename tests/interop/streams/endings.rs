//! How streams with a Twisted peer end: in races, twice, and with the process.

use std::error::Error;
use std::io;

use amp::CloseReason;
use amp::multiplex::{Factories, Stream, StreamError, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ToTwisted, heard, heard_out, said, serving, still_there};
use crate::harness::soon;

#[tokio::test]
async fn both_ends_may_disconnect_at_once_and_the_connection_lives() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    for _ in 0..50 {
        let mut stream = peers.open("echo").await;
        said(&mut stream, b"x").await;
        peers.twisted.begin("served[-1].transport.loseConnection()").await;
        drop(stream);
        peers.twisted.result().await;
    }
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn a_stream_may_be_dropped_while_twisted_pours_bytes_into_it() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    for _ in 0..5 {
        let mut stream = peers.open("download").await;
        heard(&mut stream, 1000).await;
        drop(stream);
    }
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn who_says_too_much_before_the_answer_to_connect_loses_that_stream_only() {
    let settings = StreamSettings::new().max_early(1 << 20);
    let Some(mut peers) = ToTwisted::with(settings).await else { return };
    let mut other = peers.open("echo").await;
    for factory in ["download", "chatter"] {
        let mut stream = peers.open(factory).await;
        let mut bytes = Vec::new();
        let error = soon(stream.read_to_end(&mut bytes)).await.unwrap_err();
        assert!(matches!(why(&error), StreamError::Overrun), "{error:?}");
        assert_eq!(bytes, super::pattern(bytes.len()), "what came before is in order");
    }
    said(&mut other, b"still here").await;
    assert_eq!(heard(&mut other, 10).await, b"still here");
    drop(other);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn a_stream_that_twisted_has_ended_takes_no_more_bytes_and_says_why() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("echo").await;
    said(&mut stream, b"x").await;
    assert_eq!(heard(&mut stream, 1).await, b"x");
    peers.twisted.say("served[-1].transport.loseConnection()").await;
    assert_eq!(soon(stream.read(&mut [0; 8])).await.unwrap(), 0, "an orderly end");
    let error = soon(stream.write_all(b"too late")).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(matches!(why(&error), StreamError::PeerDisconnected), "{error:?}");
    drop(stream);
    peers.nothing_is_left().await;
}

/// txampext's transport goes on writing behind a Disconnect, its own or ours, and looks at no answer.
#[tokio::test]
async fn bytes_behind_a_disconnect_end_no_other_stream() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut other = peers.open("echo").await;
    let mut stream = peers.open("late").await;
    assert_eq!(heard_out(&mut stream).await, b"221 bye\r\n", "and nothing that came behind the end");
    drop(stream);

    let mut stream = peers.open("echo").await;
    peers.twisted.say("served[-1].transport.loseConnection()").await;
    assert_eq!(heard_out(&mut stream).await, b"");
    peers.twisted.say("served[-1].transport.write(b'late')").await;
    drop(stream);
    peers.twisted.say("served[-1].transport.write(b'later')").await;

    drop(peers.open("echo").await);
    assert_eq!(peers.twisted.say("served[-1].ended()").await, "'disconnected'");
    // The answer to our Disconnect is here before the answer to this.
    assert!(soon(peers.multiplexer.connect("no such thing")).await.is_err());
    peers.twisted.say("served[-1].transport.write(b'late')").await;

    said(&mut other, b"still here").await;
    assert_eq!(heard(&mut other, 10).await, b"still here");
    drop(other);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn what_comes_for_an_unknown_id_is_an_error_while_this_end_has_opened_and_ended_nothing() {
    let factories = Factories::new();
    factories.serve("sink", async |mut stream| {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    let twisted = &mut served.twisted;
    assert_eq!(twisted.say("call(Disconnect, connection=b'nobody')").await, "NoSuchConnection: ");
    twisted.say("dial('sink')").await;
    assert_eq!(twisted.say("call(Disconnect, connection=dialled['it'].transport.identifier)").await, "{}");
    for late in [
        "call(Disconnect, connection=dialled['it'].transport.identifier)",
        "call(Transmit, connection=dialled['it'].transport.identifier, data=b'late')",
        "call(Transmit, connection=b'nobody', data=b'x')",
    ] {
        assert_eq!(twisted.say(late).await, "NoSuchConnection: ", "{late}");
    }
    twisted.say("connections[-1].streams.clear()").await;
    still_there(&multiplexer, twisted).await;
}

#[tokio::test]
async fn the_abrupt_end_of_twisted_ends_every_stream_with_the_reason() {
    let Some(peers) = ToTwisted::start().await else { return };
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = peers.open("echo").await;
        said(&mut stream, b"x").await;
        assert_eq!(heard(&mut stream, 1).await, b"x");
        streams.push(stream);
    }
    let waiting: Vec<_> = streams.into_iter().map(|stream| tokio::spawn(ended(stream))).collect();
    peers.twisted.kill().await;
    for ended in waiting {
        soon(ended).await.unwrap();
    }
    let reason = soon(peers.connection.closed()).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer | CloseReason::Io(_)), "{reason:?}");
    assert_eq!(peers.multiplexer.streams(), 0);
    let error = soon(peers.multiplexer.connect("echo")).await.unwrap_err();
    assert!(matches!(error, amp::multiplex::ConnectError::Connection(_)), "{error:?}");
}

/// A stream whose reader waits ends with the reason, and so does its writer.
async fn ended(mut stream: Stream) {
    for error in [stream.read(&mut [0; 8]).await.unwrap_err(), stream.write_all(b"late").await.unwrap_err()] {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        let StreamError::Connection(reason) = why(&error) else { panic!("{error:?}") };
        assert!(matches!(reason, CloseReason::ClosedByPeer | CloseReason::Io(_)), "{reason:?}");
    }
}

#[tokio::test]
async fn the_abrupt_end_of_twisted_ends_the_streams_that_it_has_opened() {
    let factories = Factories::new();
    let mut listener = factories.listen("quiet", 8);
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    served.twisted.begin("dial('quiet')").await;
    let stream = soon(listener.accept()).await.unwrap();
    assert_eq!(served.twisted.result().await, "32");
    assert_eq!(multiplexer.streams(), 1);
    served.twisted.kill().await;
    soon(ended(stream)).await;
    assert_eq!(multiplexer.streams(), 0);
}

fn why(error: &io::Error) -> &StreamError {
    let inner = error.get_ref().map(|error| error as &(dyn Error + 'static));
    inner.and_then(<dyn Error>::downcast_ref).unwrap_or_else(|| panic!("not a stream's error: {error:?}"))
}
