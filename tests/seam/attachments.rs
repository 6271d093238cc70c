//! What is attached to a box goes with its first byte, and descriptors arrive with theirs.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use amp::connection::{WeakConnection, pair};
use amp::locator::Ask;
use amp::schema::CommandDeclaration;
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{Arguments, CallError, Command, Connection, Peer, Settings};
use amp_core::extension::{AttachedWrite, Attachment, BuilderExt, Delivery, Extension, Handler, ReplySink, Sender};
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::raw_peer::{ask_sum, ended, soon};
use crate::unix::{Received, UnixTransport};
use crate::upgrades::Adding;

/// Has so many descriptors, in each of which stands the number.
#[derive(Command, Debug)]
#[amp(response = Taken)]
struct Take {
    count: u8,
    number: u64,
}

#[derive(Arguments, Debug)]
struct Taken {
    /// What stood in the descriptors.
    numbers: Vec<u64>,
}

/// Takes the descriptors of each box from those that have come.
#[derive(Clone, Debug, Default)]
struct Taking(Received);

impl Extension for Taking {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Take::DECLARATION]
    }

    fn attach(&self, _: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(self.clone())
    }
}

impl Handler for Taking {
    fn handle(&self, _: usize, ask: Ask) {
        let Some((Take { count, .. }, answer)) = ask.accept() else { return };
        let mut received = self.0.lock().expect("no panic");
        let numbers = (0..count).map(|_| {
            let descriptor = received.pop_front().ok_or_else(|| CallError::failed("it has not come"))?;
            let mut text = String::new();
            File::from(descriptor).read_to_string(&mut text).map_err(CallError::failed)?;
            text.parse().map_err(CallError::failed)
        });
        answer.send(numbers.collect::<Result<_, _>>().map(|numbers| Taken { numbers }));
    }
}

/// A pipe in which the number stands.
fn descriptor(number: u64) -> Attachment {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    writer.write_all(number.to_string().as_bytes()).expect("there is room");
    Attachment::new(OwnedFd::from(reader))
}

async fn take(sender: &mut Sender, number: u64, mut attached: Vec<Attachment>) -> amp::Reply<Take> {
    let count = u8::try_from(attached.len()).expect("a few");
    let put = |out: &mut amp::value::BoxWriter<'_>| {
        out.put(amp::value::Key::from_wire(b"\0\x05count"), &count)?;
        out.put(amp::value::Key::from_wire(b"\0\x06number"), &number)
    };
    let (told, reply) = oneshot::channel();
    let sink: Arc<dyn ReplySink> = Arc::new(One(Mutex::new(Some(told))));
    poll_fn(|cx| sender.poll_send_attached::<Take>(cx.waker(), &sink, put, &mut attached)).await?;
    reply.await.expect("each command has its reply").into_reply::<Take>()
}

/// Takes one reply.
struct One(Mutex<Option<oneshot::Sender<Delivery>>>);

impl ReplySink for One {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        for reply in replies {
            let told = self.0.lock().expect("no panic").take().expect("one reply");
            drop(told.send(reply));
        }
    }
}

/// Takes all replies, and looks at none.
struct Nobody;

impl ReplySink for Nobody {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        replies.for_each(drop);
    }
}

async fn descriptors_reach_their_boxes(max_written: usize) {
    let (here, there) = UnixStream::pair().expect("a pair");
    let taking = Taking::default();
    let start = |stream, received: &Received, extension: Option<Taking>| {
        let settings = Settings::new().outbound_high_water(4096);
        let mut builder = Connection::builder().settings(settings);
        if let Some(extension) = extension {
            builder = builder.extension(extension);
        }
        let transport = UnixTransport { stream, received: Arc::clone(received), max_written };
        builder.start_attaching(transport, Peer::other("unix"))
    };
    let caller = start(here, &Received::default(), None);
    let _answering = start(there, &taking.0, Some(taking.clone()));
    let mut calls = tokio::task::JoinSet::new();
    for task in 0..8 {
        let caller = caller.clone();
        calls.spawn(async move {
            let mut sender = Sender::new(&caller);
            for number in task * 1000..task * 1000 + 40 {
                let count = number % 4;
                let attached = (0..count).map(|_| descriptor(number)).collect();
                let taken = take(&mut sender, number, attached).await.expect("an answer");
                assert_eq!(taken.numbers, vec![number; count as usize], "the descriptors of another box");
            }
        });
    }
    while let Some(call) = soon("the calls", calls.join_next()).await {
        call.expect("no panic");
    }
    assert!(taking.0.lock().expect("no panic").is_empty(), "none is left");
}

#[tokio::test]
async fn descriptors_reach_their_boxes_among_others() {
    descriptors_reach_their_boxes(usize::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptors_reach_their_boxes_among_others_on_two_threads() {
    descriptors_reach_their_boxes(usize::MAX).await;
}

#[tokio::test]
async fn descriptors_reach_their_boxes_although_each_write_takes_a_few_bytes() {
    for max_written in [1, 7, 100] {
        descriptors_reach_their_boxes(max_written).await;
    }
}

/// Writes a few bytes at a time, and notes where in the stream each attachment went.
struct Noting {
    stream: DuplexStream,
    written: u64,
    noted: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl AttachedWrite for Noting {
    fn carries(attachments: &[Attachment]) -> bool {
        attachments.iter().all(|attached| attached.downcast_ref::<u64>().is_some())
    }

    fn poll_write_attached(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        attachments: &[Attachment],
    ) -> Poll<io::Result<usize>> {
        let at = self.written;
        let count = ready!(self.as_mut().poll_write(cx, bytes))?;
        let numbers = attachments.iter().filter_map(|attached| attached.downcast_ref().copied());
        self.noted.lock().expect("no panic").extend(numbers.map(|number| (at, number)));
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Noting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = 1 + self.written as usize % 200;
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().min(most)]))?;
        self.written += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Noting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// Carries handles of open connections, and looks at that.
struct Looking(DuplexStream);

impl AttachedWrite for Looking {
    fn carries(attachments: &[Attachment]) -> bool {
        attachments
            .iter()
            .all(|attached| attached.downcast_ref::<Connection>().is_some_and(|handle| !handle.is_closed()))
    }

    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        _: &[Attachment],
    ) -> Poll<io::Result<usize>> {
        self.poll_write(cx, bytes)
    }
}

impl AsyncWrite for Looking {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Looking {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_may_use_the_connection_when_it_is_asked_what_it_carries() {
    let (here, _there) = tokio::io::duplex(1 << 16);
    let connection = Connection::builder().start_attaching(Looking(here), Peer::other("looking"));
    let mut attached = vec![Attachment::new(connection.clone())];
    assert!(matches!(send(&mut Sender::new(&connection), 0, &mut attached), Poll::Ready(Ok(()))));
    assert!(attached.is_empty(), "it was taken");
}

/// Sends a box with attachments or without, and wants no answer to it.
fn send(
    sender: &mut Sender,
    number: u64,
    attached: &mut Vec<Attachment>,
) -> Poll<Result<(), CallError<amp::error::NoErrors>>> {
    let put = |out: &mut amp::value::BoxWriter<'_>| out.put(amp::value::Key::from_wire(b"\0\x06number"), &number);
    let nobody: Arc<dyn ReplySink> = Arc::new(Nobody);
    sender.poll_send_attached::<Take>(Waker::noop(), &nobody, put, attached).map_ok(drop)
}

#[tokio::test(start_paused = true)]
async fn an_attachment_goes_with_the_first_byte_of_its_box_and_the_last_ones_go_out_at_the_end() {
    let (here, mut there) = tokio::io::duplex(50);
    let noted = Arc::default();
    let transport = Noting { stream: here, written: 0, noted: Arc::clone(&noted) };
    let connection = Connection::builder().start_attaching(transport, Peer::other("noting"));
    let (mut sender, mut expected, mut stream) = (Sender::new(&connection), Vec::new(), BytesMut::new());
    for number in 0..200 {
        // The last boxes are still queued when the connection ends.
        if number % 7 == 1 && number < 150 {
            let mut some = [0; 40];
            let count = soon("bytes", there.read(&mut some)).await.expect("bytes");
            stream.extend_from_slice(&some[..count]);
        }
        let numbers = number * 10..number * 10 + number % 3;
        let mut attached = numbers.clone().map(Attachment::new).collect();
        assert!(matches!(send(&mut sender, number, &mut attached), Poll::Ready(Ok(()))), "{number}");
        assert!(attached.is_empty(), "they were taken");
        expected.push(numbers);
    }
    connection.abort();
    let mut rest = Vec::new();
    soon("the last bytes", there.read_to_end(&mut rest)).await.expect("bytes");
    stream.extend_from_slice(&rest);
    let (mut at, mut wanted) = (0, Vec::new());
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, stream);
    for numbers in expected {
        wanted.extend(numbers.map(|number| (at, number)));
        at += decoder.next_box().expect("boxes").expect("all of them").as_bytes().len() as u64;
    }
    assert_eq!(*noted.lock().expect("no panic"), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_does_not_carry_an_attachment_refuses_that_one_send() {
    let (caller, answering) = pair(Connection::builder(), Connection::builder().extension(Taking::default()));
    let mut sender = Sender::new(&caller);
    let mut attached = vec![Attachment::new(1_u64)];
    let refused = send(&mut sender, 0, &mut attached);
    assert!(matches!(&refused, Poll::Ready(Err(CallError::Invalid(_)))), "{refused:?}");
    assert_eq!(attached.len(), 1, "it stays its owner's");
    assert!(soon("an answer", take(&mut sender, 1, Vec::new())).await.expect("an answer").numbers.is_empty());
    drop(answering);

    let (here, _there) = tokio::io::duplex(1 << 16);
    let transport = Noting { stream: here, written: 0, noted: Arc::default() };
    let connection = Connection::builder().start_attaching(transport, Peer::other("noting"));
    let mut attached = vec![Attachment::new("no number")];
    let refused = send(&mut Sender::new(&connection), 0, &mut attached);
    assert!(matches!(refused, Poll::Ready(Err(CallError::Invalid(_)))) && attached.len() == 1);
}

#[tokio::test]
async fn what_is_attached_to_a_box_that_never_goes_out_is_dropped_with_the_connection() {
    let (stream, there) = UnixStream::pair().expect("a pair");
    let transport = UnixTransport { stream, received: Received::default(), max_written: 1 };
    let connection = Connection::builder().start_attaching(transport, Peer::other("unix"));
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let (mut sender, mut attached) = (Sender::new(&connection), vec![Attachment::new(OwnedFd::from(reader))]);
    drop(there);
    assert!(matches!(send(&mut sender, 0, &mut attached), Poll::Ready(Ok(()))));
    soon("the end", connection.closed()).await;
    drop((connection, sender));
    writer.write_all(b"x").expect_err("the reader is closed");
}

/// Takes no byte, and fails to when it is told so.
struct Stuck {
    reads: DuplexStream,
    fails: oneshot::Receiver<()>,
}

impl AttachedWrite for Stuck {
    fn carries(_: &[Attachment]) -> bool {
        true
    }

    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        _: &[Attachment],
    ) -> Poll<io::Result<usize>> {
        self.poll_write(cx, bytes)
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        let _ = ready!(Pin::new(&mut self.fails).poll(cx));
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stuck {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reads).poll_read(cx, buffer)
    }
}

/// A connection that has a box with an attachment in its writer, and one in its outbound buffer.
struct Blocked {
    connection: Connection,
    sender: Sender,
    peer: DuplexStream,
    fail: Option<oneshot::Sender<()>>,
    attached: Arc<()>,
}

impl Blocked {
    async fn new() -> Self {
        let (reads, peer) = tokio::io::duplex(1 << 20);
        let (fail, fails) = oneshot::channel();
        let settings = Settings::new().max_outbound(4096);
        let builder = Connection::builder().settings(settings).locator(Adding.into_locator());
        let connection = builder.start_attaching(Stuck { reads, fails }, Peer::other("stuck"));
        let sender = Sender::new(&connection);
        let mut blocked = Self { connection, sender, peer, fail: Some(fail), attached: Arc::default() };
        for _ in 0..2 {
            blocked.send();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(blocked.count(), 2);
        blocked
    }

    fn send(&mut self) {
        let mut attached = vec![Attachment::new(Arc::clone(&self.attached))];
        assert!(matches!(send(&mut self.sender, 1, &mut attached), Poll::Ready(Ok(()))));
    }

    /// How many attachments there are.
    fn count(&self) -> usize {
        Arc::strong_count(&self.attached) - 1
    }
}

#[tokio::test(start_paused = true)]
async fn attachments_that_are_not_sent_because_writing_has_failed_are_dropped_while_the_connection_reads_on() {
    let mut blocked = Blocked::new().await;
    blocked.fail.take().expect("it has not failed").send(()).expect("the transport is there");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(blocked.count(), 0);
    // The connection closes, and still takes what closing waits for.
    blocked.send();
    let end = tokio::time::timeout(Duration::from_millis(1), blocked.connection.closed()).await;
    assert_eq!((blocked.count(), end.is_err()), (0, true), "it still reads");
}

#[tokio::test(start_paused = true)]
async fn attachments_that_are_not_sent_because_the_peer_does_not_read_are_dropped_while_a_handle_lives() {
    let mut blocked = Blocked::new().await;
    let asks: Vec<u8> = (0..1000).flat_map(|tag: u32| ask_sum(&tag.to_string())).collect();
    blocked.peer.write_all(&asks).await.expect("there is room");
    assert_eq!(ended(&blocked.connection).await, "NotReading");
    assert_eq!(blocked.count(), 0);
}

#[test]
fn attachments_that_are_not_sent_because_the_driver_is_dropped_are_dropped_while_a_handle_lives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let blocked = runtime.block_on(Blocked::new());
    drop(runtime);
    assert_eq!(blocked.count(), 0);
    drop(blocked);
}

/// Panics when it is dropped, also while another panic is under way.
struct PanicsInDrop {
    _attached: Arc<()>,
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("it is dropped"));
    }
}

#[tokio::test(start_paused = true)]
async fn attachments_that_panic_when_they_are_dropped_together_cost_nothing_else() {
    let mut blocked = Blocked::new().await;
    for _ in 0..4 {
        let mut attached = vec![Attachment::new(PanicsInDrop { _attached: Arc::clone(&blocked.attached) })];
        assert!(matches!(send(&mut blocked.sender, 1, &mut attached), Poll::Ready(Ok(()))));
    }
    blocked.connection.abort();
    assert_eq!(ended(&blocked.connection).await, "Aborted");
    assert_eq!(blocked.count(), 0);
}
