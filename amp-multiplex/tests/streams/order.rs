//! Bytes of streams against commands: what was written before a command can be read when its responder starts, and what was
//! written before an answer can be read by whoever has that.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use amp_core::locator::{Ask, Located, Locator};
use amp_core::{Connection, Settings};
use amp_derive::{Arguments, Command};
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Stream};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use crate::support::{multiplexer, pattern, soon, write};

#[derive(Command, Debug)]
#[amp(response = Seen, crate = amp_core)]
struct Look {
    /// How long the responder waits before it looks.
    after: u64,
}

#[derive(Arguments, Debug)]
#[amp(crate = amp_core)]
struct Seen {
    bytes: u64,
}

#[derive(Command, Debug)]
#[amp(crate = amp_core)]
struct Say {
    bytes: u64,
}

/// What responders look at: the stream, and how much they have read of it.
type Held = Arc<Mutex<Option<(Stream, u64)>>>;

/// Reads what can be read without waiting, and says how much that was in all.
fn look(held: &Held) -> u64 {
    let mut held = held.lock().expect("no panic");
    let (stream, seen) = held.as_mut().expect("a stream");
    let mut space = vec![0; 10_000];
    loop {
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut *stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Ready(read) => read.expect("bytes"),
            Poll::Pending => return *seen,
        }
        *seen += buffer.filled().len() as u64;
    }
}

struct Looker(Held);

impl Locator for Looker {
    fn locate(&self, ask: Ask) -> Located {
        let held = Arc::clone(&self.0);
        if ask.is::<Look>() {
            ask.respond(move |command: Look| async move {
                if command.after > 0 {
                    tokio::time::sleep(Duration::from_millis(command.after)).await;
                }
                Ok(Seen { bytes: look(&held) })
            })
        } else if ask.is::<Say>() {
            ask.respond(move |command: Say| async move {
                let (mut stream, seen) = held.lock().expect("no panic").take().expect("a stream");
                write(&mut stream, pattern(usize::try_from(command.bytes).expect("a length"))).await;
                *held.lock().expect("no panic") = Some((stream, seen));
                Ok(())
            })
        } else {
            Located::Unknown(ask)
        }
    }
}

struct End {
    connection: Connection,
    multiplexer: Multiplexer,
    held: Held,
}

fn ends(room: usize, in_order: bool) -> ([End; 2], Factories) {
    let (factories, (a, b)) = (Factories::new(), tokio::io::duplex(room));
    let end = |transport, factories: &Factories| {
        let held = Held::default();
        let connection = Connection::builder()
            .settings(Settings::new().in_order(in_order))
            .extension(Multiplexing::new(factories))
            .locator(Looker(Arc::clone(&held)))
            .start(transport, amp_core::Peer::other("test"));
        End { multiplexer: multiplexer(&connection), connection, held }
    };
    ([end(a, &Factories::new()), end(b, &factories)], factories)
}

/// Two ends with a stream between them, and the stream of the end that writes; the other is held for responders.
async fn writing(room: usize, in_order: bool, opener_writes: bool) -> (End, End, Stream) {
    let ([opener, acceptor], factories) = ends(room, in_order);
    let mut listener = factories.listen("held", 1);
    let both = async { tokio::join!(opener.multiplexer.connect("held"), listener.accept()) };
    let (opened, accepted) = soon("opening", both).await;
    let (opened, accepted) = (opened.expect("a stream"), accepted.expect("a stream"));
    let (writer, reader, here, there) =
        if opener_writes { (opened, accepted, opener, acceptor) } else { (accepted, opened, acceptor, opener) };
    *there.held.lock().expect("no panic") = Some((reader, 0));
    (here, there, writer)
}

#[tokio::test]
async fn what_was_written_before_a_command_can_be_read_when_its_responder_starts() {
    for (room, in_order, opener_writes) in
        [(16, false, true), (16, true, false), (1 << 16, false, false), (1 << 16, true, true), (1 << 20, true, false)]
    {
        let (here, _there, mut writer) = writing(room, in_order, opener_writes).await;
        let mut written = 0;
        for round in 1..30 {
            let bytes = pattern(round * 997);
            write(&mut writer, &bytes).await;
            written += bytes.len() as u64;
            // A slow one before it, so that with `in_order` the other starts later.
            let slow = here.connection.call(Look { after: u64::from(round % 10 == 0) });
            let quick = here.connection.call(Look { after: 0 });
            let (slow, quick) = soon("looking", async { tokio::join!(slow, quick) }).await;
            assert_eq!((slow.expect("an answer").bytes, quick.expect("an answer").bytes), (written, written));
        }
    }
}

#[tokio::test]
async fn what_was_written_before_an_answer_can_be_read_by_whoever_has_that() {
    for (room, in_order, opener_writes) in [(16, false, true), (1 << 16, true, false), (1 << 20, false, false)] {
        let (here, there, writer) = writing(room, in_order, opener_writes).await;
        *here.held.lock().expect("no panic") = Some((writer, 0));
        for round in 1..30 {
            soon("saying", there.connection.call(Say { bytes: 3000 })).await.expect("an answer");
            assert_eq!(look(&there.held), round * 3000);
        }
    }
}

#[tokio::test]
async fn what_was_written_before_a_notification_can_be_read_when_its_responder_starts() {
    let (here, there, mut writer) = writing(1 << 16, true, true).await;
    write(&mut writer, pattern(50_000)).await;
    here.connection.notify(Look { after: 0 }).await.expect("sent");
    soon("flushing", writer.flush()).await.expect("flushed");
    soon("looking", here.connection.call(Look { after: 0 })).await.expect("an answer");
    assert_eq!(look(&there.held), 50_000);
}
