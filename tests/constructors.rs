//! `#[amp(new)]`: a constructor of what travels, and commands that compare by what travels.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use std::collections::HashSet;

use amp::connection::pair;
use amp::{Command, Connection, Exposed, Peer, Reply, State, responder};

/// A command whose fields sort otherwise on the wire.
#[derive(Command, Clone, Debug, PartialEq, Eq, Hash)]
#[amp(new, no_answer)]
pub struct Note {
    /// Sorts last.
    pub zone: u8,
    /// Is exposed.
    #[exposed]
    pub peer: Exposed<Peer>,
    /// Sorts first.
    #[amp(name = "A")]
    pub about: Option<String>,
    /// Has a word of the language as its name.
    pub r#type: Vec<u8>,
    /// Is exposed, too.
    #[exposed]
    pub state: Exposed<Option<State<u8>>>,
}

mod inner {
    /// Has no fields.
    #[derive(amp::Command, Debug, PartialEq)]
    #[amp(new)]
    pub(super) struct Ping;

    /// Has a parameter, also within what is exposed, and more fields than a function should have.
    #[derive(amp::Command, Debug)]
    #[amp(new)]
    pub(crate) struct Store<T: amp::value::Value, X: amp::locator::Exposable> {
        pub(crate) items: Vec<T>,
        pub(crate) a: u8,
        pub(crate) b: u8,
        pub(crate) c: u8,
        pub(crate) d: u8,
        pub(crate) e: u8,
        pub(crate) f: u8,
        pub(crate) g: u8,
        #[exposed]
        pub(crate) exposed: amp::Exposed<X>,
    }
}

#[test]
fn a_constructor_takes_what_travels_in_the_order_of_the_fields() {
    let note = Note::new(1, Some("x".into()), vec![2]);
    assert_eq!((note.zone, note.about.as_deref(), &*note.r#type), (1, Some("x"), &[2_u8][..]));
    assert!(note.peer.as_option().is_none() && note.state.as_option().is_none());
    assert_eq!(inner::Ping::new(), inner::Ping);
    let store = inner::Store::<u8, Peer>::new(vec![1], 1, 2, 3, 4, 5, 6, 7);
    assert_eq!((store.items, store.a, store.b, store.c, store.d), (vec![1], 1, 2, 3, 4));
    assert_eq!((store.e, store.f, store.g, store.exposed.as_option().is_none()), (5, 6, 7, true));
}

#[test]
fn commands_compare_by_what_travels() {
    let note = || Note::new(1, None, vec![]);
    let filled = Note { peer: Exposed::of(Peer::other("test")), ..note() };
    assert_eq!(filled, note());
    assert_ne!(filled, Note::new(2, None, vec![]));
    assert_eq!(HashSet::from([filled, note()]).len(), 1);
}

/// Notes what comes.
#[derive(Debug)]
struct Notes(tokio::sync::mpsc::UnboundedSender<Note>);

#[responder]
impl Notes {
    async fn note(&self, note: Note) -> Reply<Note> {
        let _ = self.0.send(note);
        Ok(())
    }
}

#[tokio::test]
async fn what_arrives_equals_what_was_sent() {
    let (sender, mut notes) = tokio::sync::mpsc::unbounded_channel();
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(Notes(sender).into_locator()));
    let sent = Note::new(1, Some("x".into()), vec![2]);
    caller.notify(sent.clone()).await.expect("the connection is open");
    let arrived = notes.recv().await.expect("it was sent");
    assert_eq!(arrived, sent);
    assert!(arrived.peer.as_option().is_some());
}
