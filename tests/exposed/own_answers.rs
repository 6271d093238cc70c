//! Which command an exposed answer is of. What does not compile is in `tests/ui/early_answers.rs`.

use amp::error::ExposeError;
use amp::locator::{Context, EarlyAnswer, Exposable};
use amp::{Arguments, Command, Exposed, Peer, Reply, Settings, responder};

use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, ask, unknown};

#[derive(Arguments, Debug)]
struct Ticket {
    number: u32,
}

/// What a command exposes beside its answer, in a type of the program's own.
#[derive(Debug)]
struct Desk {
    answer: EarlyAnswer<Fetch>,
    peer: Peer,
}

impl Exposable for Desk {
    const EARLY_ANSWER: Option<&'static str> = EarlyAnswer::<Fetch>::EARLY_ANSWER;

    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        Ok(Self { answer: context.exposed()?, peer: context.exposed()? })
    }
}

/// The same, which says nothing of the answer.
#[derive(Debug)]
struct Silent;

impl Exposable for Silent {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        context.exposed::<EarlyAnswer<Fetch>>().map(|_| Self)
    }
}

#[derive(Command, Debug)]
#[amp(response = Ticket)]
struct Fetch {
    #[exposed]
    desk: Exposed<Desk>,
    #[exposed]
    again: Exposed<Option<EarlyAnswer<Self>>>,
}

/// Another command that is called so, with another response.
#[derive(Command, Debug)]
#[amp(name = "Fetch")]
struct OtherFetch;

#[derive(Command, Debug)]
struct Idle;

struct Desks;

#[responder]
impl Desks {
    async fn fetch(&self, fetch: Fetch) -> Reply<Fetch> {
        assert_eq!(fetch.desk.peer.to_string(), "script");
        let again = fetch.again.as_ref().expect("it is exposed");
        assert!(again.send(Ok(Ticket { number: 1 })) && !fetch.desk.answer.send(Ok(Ticket { number: 2 })));
        Ok(Ticket { number: 3 })
    }

    async fn idle(&self, _: Idle, _: Silent) -> Reply<Idle> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_that_contains_the_answer_says_so_and_of_two_answers_the_first_counts() {
    let logged = logged(Level::WARN);
    let (_connection, mut peer) = RawPeer::with(Desks.into_locator(), Settings::new());
    peer.send(ask("1", "Fetch", &[])).await;
    peer.expect(answer("1", &[("number", "1")])).await;
    peer.send(ask("2", "Idle", &[])).await;
    peer.expect(unknown("2")).await;
    assert!(logged.text().contains("passes on `EARLY_ANSWER` of what it contains"), "{}", logged.text());
}

/// Not the answer to a command that has only its name.
struct Mistaken;

#[responder]
impl Mistaken {
    async fn fetch(&self, _: OtherFetch, answer: EarlyAnswer<Fetch>) -> Reply<OtherFetch> {
        answer.send(Ok(Ticket { number: 1 }));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_another_command_of_the_same_name_is_not_exposed() {
    let (_connection, mut peer) = RawPeer::with(Mistaken.into_locator(), Settings::new());
    peer.send(ask("1", "Fetch", &[])).await;
    peer.expect(unknown("1")).await;
}
