//! The threads, on pipes: a test cannot make a pipe that belongs to another user.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::thread::{ThreadReader, ThreadWriter};
use super::{Halves, Input, Output};

const LINGER: Duration = Duration::from_secs(24 * 3600);

fn reader(descriptor: impl Into<std::os::fd::OwnedFd>) -> Halves {
    let thread = ThreadReader::new(descriptor.into()).expect("a thread");
    Halves { read: Some(Input::Thread(thread)), write: None, is_shut_down: false, linger: LINGER }
}

fn writer(descriptor: impl Into<std::os::fd::OwnedFd>) -> Halves {
    let thread = ThreadWriter::new(descriptor.into()).expect("a thread");
    Halves { read: None, write: Some(Output::Thread(thread)), is_shut_down: false, linger: LINGER }
}

/// The output, or a failed test if it hangs.
async fn soon<T>(future: impl Future<Output = io::Result<T>>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this hangs").expect("no error")
}

#[tokio::test]
async fn a_thread_carries_bytes_of_any_length_in_order() {
    let (input, output) = io::pipe().expect("a pipe");
    let (mut reader, mut writer) = (reader(input), writer(output));
    let sent: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    let expected = sent.clone();
    let sending = tokio::spawn(async move {
        soon(writer.write_all(&sent)).await;
        soon(writer.shutdown()).await;
    });
    let mut got = Vec::new();
    soon(reader.read_to_end(&mut got)).await;
    sending.await.expect("no panic");
    assert!(got == expected);
}

#[test]
fn a_thread_that_waits_for_bytes_ends_with_its_connection() {
    let (input, output) = io::pipe().expect("a pipe");
    let mut reader = reader(input);
    let mut buffer = [0; 8];
    let mut buffer = tokio::io::ReadBuf::new(&mut buffer);
    let read = Pin::new(&mut reader).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
    assert!(read.is_pending());
    drop(reader);
    // A pipe without a reader is an error of its writer.
    let mut polled = [PollFd::new(output.as_fd(), PollFlags::empty())];
    assert_eq!(poll(&mut polled, 60_000_u16), Ok(1), "the thread keeps the pipe open");
}

#[test]
fn a_thread_that_waits_for_room_ends_with_its_connection() {
    let (mut input, mut output) = io::pipe().expect("a pipe");
    fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a flag");
    let mut filled = 0;
    while let Ok(count) = output.write(&[b'x'; 512]) {
        filled += count;
    }
    let mut writer = writer(output);
    let written = Pin::new(&mut writer).poll_write(&mut Context::from_waker(Waker::noop()), b"more");
    assert!(matches!(written, Poll::Ready(Ok(4))), "the thread takes it");
    drop(writer);
    let mut got = Vec::new();
    input.read_to_end(&mut got).expect("the end comes");
    assert!((filled..=filled + 4).contains(&got.len()));
}

#[tokio::test]
async fn a_thread_waits_where_another_has_made_the_description_non_blocking() {
    let (input, mut output) = io::pipe().expect("a pipe");
    fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a flag");
    let mut reader = reader(input);
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(20), reader.read(&mut byte)).await.is_err());
    output.write_all(b"x").expect("it is open");
    assert_eq!(soon(reader.read(&mut byte)).await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_no_end() {
    let mut reader = reader(File::open("/").expect("a directory"));
    assert!(reader.read(&mut [0]).await.is_err());
}
