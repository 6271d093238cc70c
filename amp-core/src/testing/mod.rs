//! Helpers for the tests of commands, locators and connections. They fail a test by a panic that shows what was expected and what
//! came. The feature `testing` turns them on: best in `[dev-dependencies]`, so that a program carries none of it.
//!
//! ```toml
//! [dev-dependencies]
//! amp-rpc = { version = "0.1", features = ["testing"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```
//!
//! | to be tested | with |
//! |---|---|
//! | the bytes of a command in each direction | [`ask_bytes`], [`notification_bytes`], [`answer_bytes`], [`error_bytes`], [`decode_ask`], [`decode_reply`] |
//! | its errors, and whether it wants an answer | [`declared_codes`], [`fatal_codes`], [`Command::ANSWERED`](crate::Command::ANSWERED) |
//! | that a locator has a responder | [`answers`] |
//! | what a responder answers | [`ask`], [`ask_with`] |
//! | what a program sends, and how it takes what a peer sends | [`ScriptedPeer`] |
//! | two ends of one's own | [`pair`] |
//! | slow, broken and fragmented transports | [`faulty_pair`], [`FaultyTransport`], [`Faults`] |
//!
//! # A command
//!
//! What Twisted's users test with txampext's `CommandTestMixin`: that the names, types and codes on the wire are those that the peer
//! knows, and stay so.
//!
//! ```
//! # extern crate amp_core as amp;
//! # use amp_derive::{Arguments, Command, ErrorCodes};
//! use amp::testing::{answer_bytes, ask_bytes, box_bytes, declared_codes, decode_ask, decode_reply, fatal_codes};
//! use amp::{Arguments, Command, ErrorCodes};
//!
//! #[derive(Command, Debug, PartialEq)]
//! #[amp(response = Quotient, errors = DivideError)]
//! struct Divide {
//!     numerator: i64,
//!     denominator: i64,
//! }
//!
//! #[derive(Arguments, Debug, PartialEq)]
//! struct Quotient {
//!     result: f64,
//! }
//!
//! #[derive(ErrorCodes, thiserror::Error, Debug)]
//! enum DivideError {
//!     #[error("cannot divide by zero")]
//!     ZeroDivision,
//! }
//!
//! let asked = box_bytes(&[("_ask", "1"), ("_command", "Divide"), ("denominator", "2"), ("numerator", "7")]);
//! assert_eq!(ask_bytes("1", &Divide { numerator: 7, denominator: 2 }), asked);
//! assert_eq!(decode_ask::<Divide>(&asked).expect("it decodes"), Divide { numerator: 7, denominator: 2 });
//!
//! let answered = box_bytes(&[("_answer", "1"), ("result", "3.5")]);
//! assert_eq!(answer_bytes::<Divide>("1", &Quotient { result: 3.5 }), answered);
//! assert_eq!(decode_reply::<Divide>(&answered).expect("an answer"), Quotient { result: 3.5 });
//!
//! assert_eq!(declared_codes::<Divide>(), ["ZERO_DIVISION"]);
//! assert!(fatal_codes::<Divide>().is_empty());
//! assert!(Divide::ANSWERED);
//! ```
//!
//! # A locator
//!
//! What txampext's `ResponderTestMixin` tests, and what the responder answers; see [`answers`] and [`ask`].
//!
//! # A connection
//!
//! The other end by hand, byte by byte if need be; see [`ScriptedPeer`]. With `#[tokio::test(start_paused = true)]` a test of time limits
//! takes no time.

mod boxes;
mod command;
mod expecting;
mod faults;
mod faulty_transport;
mod locator;
mod scripted_peer;

pub use crate::connection::pair;
pub use boxes::{box_bytes, boxes, readable};
pub use command::{
    answer_bytes, ask_bytes, declared_codes, decode_ask, decode_reply, error_bytes, fatal_codes, notification_bytes,
};
pub use faults::Faults;
pub use faulty_transport::{FaultyTransport, faulty_pair};
pub use locator::{answers, ask, ask_with};
pub use scripted_peer::{ScriptedPeer, soon};
