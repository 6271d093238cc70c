//! The expectations of a scripted peer, and the messages with which they fail.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use bytes::Bytes;

use crate::call_error::Reply;
use crate::command::Command;
use crate::packet::Packet;
use crate::testing::boxes::{decode_box, differ, format_boxes, indented};
use crate::testing::command::{only_packet, try_decode_ask, try_decode_reply};
use crate::testing::scripted_peer::{ScriptedPeer, Stop};
use crate::wire::{AmpBox, RawBox};

impl ScriptedPeer {
    /// Expects these bytes next.
    ///
    /// # Panics
    /// If other bytes come, or fewer within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let expected = bytes.as_ref();
            loop {
                let compared = self.received.pending().len().min(expected.len());
                if self.received.pending()[..compared] != expected[..compared] {
                    self.read_rest().await;
                    differ(self.received.pending(), &format_boxes(expected), at);
                }
                if compared == expected.len() {
                    self.take(compared);
                    return;
                }
                if let Err(stop) = self.receive(expected.len() - compared, self.timeout).await {
                    panic!("{at} expected\n{}\nbut {}", indented(&format_boxes(expected)), self.told(&stop));
                }
            }
        }
    }

    /// Expects a box with these pairs next, in any order.
    ///
    /// # Panics
    /// If another box comes, or none within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn expect_box(&mut self, expected: &AmpBox) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let mut bytes = Vec::new();
            expected.encode(&mut bytes);
            let expected_text = format_boxes(&bytes);
            let received = self.whole_box(&expected_text, at).await;
            if decode_box(&received, at) != *expected {
                differ(received.as_bytes(), &expected_text, at);
            }
        }
    }

    /// Expects an ask for the command next that wants an answer. Returns its tag, which may be any bytes, and the command.
    ///
    /// # Panics
    /// If another box comes, or none within [`timeout`](Self::timeout); or if its arguments do not decode.
    #[track_caller]
    pub fn expect_ask<C: Command>(&mut self) -> impl Future<Output = (Bytes, C)> {
        let at = Location::caller();
        async move {
            let expected = format!("an ask for `{}`", C::NAME);
            let (received, tag) = self.asked::<C>(&expected, at).await;
            let Some(tag) = tag else { differ(received.as_bytes(), &format!("{expected} that wants an answer"), at) };
            (tag, decoded(received.as_bytes(), at))
        }
    }

    /// Expects an ask for the command next whose sender wants no answer of its responder. Returns the command.
    ///
    /// To a peer that has announced this library, some notifications are marked. Such a one has an `_ask` all the same, and is to be
    /// answered without fields when its responder starts, or its sender waits after some more. A script that needs the tag takes
    /// [`next_box`](Self::next_box) and [`decode_ask`](super::decode_ask).
    ///
    /// # Panics
    /// As [`expect_ask`](Self::expect_ask).
    #[track_caller]
    pub fn expect_notification<C: Command>(&mut self) -> impl Future<Output = C> {
        let at = Location::caller();
        async move {
            let expected = format!("a notification of `{}`, which has no `_ask` or is marked", C::NAME);
            let (received, tag) = self.asked::<C>(&expected, at).await;
            if tag.is_some() {
                differ(received.as_bytes(), &expected, at);
            }
            decoded(received.as_bytes(), at)
        }
    }

    /// Expects the reply to the ask with the tag next, and returns the result that the caller of the command would get.
    ///
    /// # Errors
    /// As [`decode_reply`](super::decode_reply).
    ///
    /// # Panics
    /// If another box comes, or none within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn expect_reply<C: Command>(&mut self, tag: impl AsRef<[u8]>) -> impl Future<Output = Reply<C>> {
        let at = Location::caller();
        async move {
            let tag = tag.as_ref();
            let expected = format!("an answer or an error to the ask \"{}\"", tag.escape_ascii());
            let received = self.whole_box(&expected, at).await;
            let first = decode_box(&received, at);
            if first.value("_answer").or(first.value("_error")).is_none_or(|found| found != tag) {
                differ(received.as_bytes(), &expected, at);
            }
            try_decode_reply::<C>(received.as_bytes()).unwrap_or_else(|fault| panic!("{at} {fault}"))
        }
    }

    /// Expects the end of what the connection sends.
    ///
    /// # Panics
    /// If bytes come, or nothing within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            if self.received.pending().is_empty() {
                match self.receive(1, self.timeout).await {
                    Err(Stop::End) => return,
                    Err(stop) => panic!("{at} expected the end, but {}", self.told(&stop)),
                    Ok(()) => {}
                }
            }
            self.read_rest().await;
            differ(self.received.pending(), "the end", at);
        }
    }

    /// Expects neither bytes nor the end for this time, which may be longer than [`timeout`](Self::timeout).
    ///
    /// # Panics
    /// If bytes or the end come.
    #[track_caller]
    pub fn expect_silence(&mut self, time: Duration) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            if self.received.pending().is_empty() {
                match self.receive(1, time).await {
                    Err(Stop::Silence(_)) => return,
                    Err(stop) => panic!("{at} expected silence for {time:?}, but {}", self.told(&stop)),
                    Ok(()) => {}
                }
            }
            self.read_rest().await;
            differ(self.received.pending(), &format!("silence for {time:?}"), at);
        }
    }

    /// The next box, which asks for the command, and its tag, if it wants the responder's answer.
    async fn asked<C: Command>(&mut self, expected: &str, at: &Location<'_>) -> (RawBox, Option<Bytes>) {
        let received = self.whole_box(expected, at).await;
        let first = decode_box(&received, at);
        let is_reply = first.value("_answer").or(first.value("_error")).is_some();
        if is_reply || first.value("_command").is_none_or(|name| name != C::NAME.as_bytes()) {
            differ(received.as_bytes(), expected, at);
        }
        let is_marked = matches!(only_packet(received.as_bytes()), Ok(Packet::Marked { .. }));
        let tag = first.value("_ask").filter(|_| !is_marked).cloned();
        (received, tag)
    }
}

/// The arguments of an ask that is known to be for the command.
fn decoded<C: Command>(received: &[u8], at: &Location<'_>) -> C {
    match try_decode_ask(received) {
        Err(fault) => panic!("{at} {fault}"),
        Ok(Ok(command)) => command,
        Ok(Err(error)) => {
            panic!("{at} the arguments of `{}` do not decode, {error}:\n{}", C::NAME, indented(&format_boxes(received)))
        }
    }
}
