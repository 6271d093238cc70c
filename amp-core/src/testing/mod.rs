//! Helpers for tests of commands, locators and connections. A failed expectation panics with what was expected, what came and the line of
//! the caller. They need the feature `testing`; enable it in `[dev-dependencies]`, so that the program itself does not contain them.
//!
//! ```toml
//! [dev-dependencies]
//! amp-rpc = { version = "0.1", features = ["testing"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```
//!
//! | to test | use |
//! |---|---|
//! | the bytes of a command in each direction | [`ask_bytes`], [`notification_bytes`], [`answer_bytes`], [`error_bytes`], [`decode_ask`], [`decode_reply`] |
//! | its errors, and whether it wants an answer | [`declared_codes`], [`fatal_codes`], [`Command::ANSWERED`](crate::Command::ANSWERED) |
//! | whether a locator has a responder | [`has_responder`] |
//! | the answers of a responder | [`ask`], [`ask_with`] |
//! | a connection, against a peer that is a script | [`ScriptedPeer`] |
//! | two connections against each other | [`pair`] |
//! | slow, broken and fragmented transports | [`faulty_pair`], [`FaultyTransport`], [`Faults`] |
//! | that something ends | [`soon`] |
//!
//! # A command
//!
//! That its names, types and codes on the wire are those that the peer knows, and stay so. Users of Twisted test this with txampext's
//! `CommandTestMixin`.
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
//! See [`has_responder`], which does what txampext's `ResponderTestMixin` does, and [`ask`].
//!
//! # A connection
//!
//! See [`ScriptedPeer`], which plays the peer byte by byte, or by commands.
//!
//! # Paused time
//!
//! In a test with `#[tokio::test(start_paused = true)]` time limits take no real time: when nothing in the program can go on, tokio moves
//! its clock to the next one. That holds for transports in memory only, such as those of [`pair`], [`faulty_pair`] and
//! [`ScriptedPeer::connect`]. Bytes in a socket or a pipe are not seen by tokio's clock, which moves on while they are on their way,
//! so that time limits are over too early.

mod boxes;
mod command;
mod expecting;
mod faults;
mod faulty_transport;
mod locator;
mod scripted_peer;
mod soon;

pub use crate::connection::pair;
pub use boxes::{box_bytes, decode_boxes, format_boxes};
pub use command::{
    answer_bytes, ask_bytes, declared_codes, decode_ask, decode_reply, error_bytes, fatal_codes, notification_bytes,
};
pub use faults::Faults;
pub use faulty_transport::{FaultyTransport, faulty_pair};
pub use locator::{ask, ask_with, has_responder};
pub use scripted_peer::ScriptedPeer;
pub use soon::soon;
