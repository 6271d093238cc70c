//! What a scripted peer expects, and how it fails.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use bytes::Bytes;

use crate::call_error::Reply;
use crate::command::Command;
use crate::testing::boxes::{boxes, differ, indented, readable};
use crate::testing::command::{decode_ask, decode_reply};
use crate::testing::scripted_peer::{ScriptedPeer, Stop};
use crate::wire::AmpBox;

impl ScriptedPeer {
    /// The next bytes are these.
    ///
    /// # Panics
    /// When others come, or too few.
    #[track_caller]
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let expected = bytes.as_ref();
            loop {
                let compared = self.received.len().min(expected.len());
                if self.received[..compared] != expected[..compared] {
                    self.read_rest().await;
                    differ(&self.received, &readable(expected), at);
                }
                if compared == expected.len() {
                    self.received.drain(..compared);
                    return;
                }
                if let Err(stop) = self.receive(expected.len() - compared, self.patience).await {
                    panic!("{at} expected\n{}\nbut {}", indented(&readable(expected)), self.told(&stop));
                }
            }
        }
    }

    /// The next box has these pairs, in whatever order.
    ///
    /// # Panics
    /// When another one comes, or none.
    #[track_caller]
    pub fn expect_box(&mut self, expected: &AmpBox) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let mut bytes = Vec::new();
            expected.encode(&mut bytes);
            let expected_text = readable(&bytes);
            let received = self.whole_box(&expected_text, at).await;
            if boxes(&received)[0] != *expected {
                differ(&received, &expected_text, at);
            }
        }
    }

    /// The next box asks for this command, and wants an answer. Returns its tag, which may be any bytes, and what it asks.
    ///
    /// # Panics
    /// When another box comes, or none; or its arguments do not decode.
    #[track_caller]
    pub fn expect_ask<C: Command>(&mut self) -> impl Future<Output = (Bytes, C)> {
        let at = Location::caller();
        async move {
            let expected = format!("an ask for `{}`", C::NAME);
            let (received, tag) = self.asked::<C>(&expected, at).await;
            let Some(tag) = tag else { differ(&received, &format!("{expected} that wants an answer"), at) };
            (tag, decoded(&received, at))
        }
    }

    /// The next box asks for this command, and wants no answer.
    ///
    /// # Panics
    /// As [`expect_ask`](Self::expect_ask).
    #[track_caller]
    pub fn expect_notification<C: Command>(&mut self) -> impl Future<Output = C> {
        let at = Location::caller();
        async move {
            let expected = format!("a notification of `{}`, which has no `_ask`", C::NAME);
            let (received, tag) = self.asked::<C>(&expected, at).await;
            if tag.is_some() {
                differ(&received, &expected, at);
            }
            decoded(&received, at)
        }
    }

    /// The next box answers the ask with the tag, well or with an error. Returns what that means to the caller of the command.
    ///
    /// # Errors
    /// As [`decode_reply`].
    ///
    /// # Panics
    /// When another box comes, or none.
    #[track_caller]
    pub fn expect_reply<C: Command>(&mut self, tag: impl AsRef<[u8]>) -> impl Future<Output = Reply<C>> {
        let at = Location::caller();
        async move {
            let tag = tag.as_ref();
            let expected = format!("an answer or an error to the ask \"{}\"", tag.escape_ascii());
            let received = self.whole_box(&expected, at).await;
            let first = &boxes(&received)[0];
            if first.value("_answer").or(first.value("_error")).is_none_or(|found| found != tag) {
                differ(&received, &expected, at);
            }
            decode_reply::<C>(&received)
        }
    }

    /// The connection sends no more: the end comes next.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            if self.received.is_empty() {
                match self.receive(1, self.patience).await {
                    Err(Stop::End) => return,
                    Err(stop) => panic!("{at} expected the end, but {}", self.told(&stop)),
                    Ok(()) => {}
                }
            }
            self.read_rest().await;
            differ(&self.received, "the end", at);
        }
    }

    /// Nothing comes for this time, neither bytes nor the end.
    ///
    /// # Panics
    /// When something comes.
    #[track_caller]
    pub fn expect_silence(&mut self, time: Duration) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            if self.received.is_empty() {
                match self.receive(1, time).await {
                    Err(Stop::Silence(_)) => return,
                    Err(stop) => panic!("{at} expected silence for {time:?}, but {}", self.told(&stop)),
                    Ok(()) => {}
                }
            }
            self.read_rest().await;
            differ(&self.received, &format!("silence for {time:?}"), at);
        }
    }

    /// The next box, which asks for the command, and its tag.
    async fn asked<C: Command>(&mut self, expected: &str, at: &Location<'_>) -> (Vec<u8>, Option<Bytes>) {
        let received = self.whole_box(expected, at).await;
        let first = &boxes(&received)[0];
        let is_reply = first.value("_answer").or(first.value("_error")).is_some();
        if is_reply || first.value("_command").is_none_or(|name| name != C::NAME.as_bytes()) {
            differ(&received, expected, at);
        }
        let tag = first.value("_ask").cloned();
        (received, tag)
    }
}

/// The arguments of an ask that is known to be for the command.
fn decoded<C: Command>(received: &[u8], at: &Location<'_>) -> C {
    match decode_ask(received) {
        Ok(command) => command,
        Err(error) => {
            panic!("{at} the arguments of `{}` do not decode, {error}:\n{}", C::NAME, indented(&readable(received)))
        }
    }
}
