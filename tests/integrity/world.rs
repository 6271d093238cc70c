//! A scene: two connections between three parties, and those who send.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use amp::{CallError, CloseReason, Command, Connection, Exposed, Peer};

use crate::arriving::Arriving;
use crate::cable::{Scissors, cable};
use crate::commands::{Note, Work, Worker, WorkerClient, WorkerLocator};
use crate::ledger::{Fate, Ledger, is_never_sent, word};
use crate::script::{Ending, Errand, How, Patience, SEATS, Script, Start, While, opposite};
use crate::station::Station;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) script: Script,
    /// A handle of each end, until it is dropped.
    handles: Mutex<[Option<Connection>; SEATS]>,
    /// For what each end writes.
    scissors: [Scissors; SEATS],
    ledger: Mutex<Ledger>,
}

impl World {
    /// Both connections are up, and everything that the script wants is on its way.
    pub(crate) fn start(script: Script) -> Arc<Self> {
        let ledger = Mutex::new(Ledger::new(script.errands.len(), script.starts.len() + script.ending.iter().len()));
        let world = Arc::new(Self { script, handles: Mutex::default(), scissors: Default::default(), ledger });
        for link in 0..2 {
            let [near, far] = [2 * link, 2 * link + 1].map(|seat| {
                let locator = WorkerLocator::new(Station { world: Arc::clone(&world), seat });
                Connection::builder().settings(world.script.seats[seat].clone()).locator(locator)
            });
            let room = world.script.rooms[link].unwrap_or(64 * 1024);
            let [a, b] = cable(room, [&world.scissors[2 * link], &world.scissors[2 * link + 1]]);
            for (seat, builder, end) in [(2 * link, near, a), (2 * link + 1, far, b)] {
                let connection = builder.start(Arriving::over(end, &world, seat), Peer::other("model"));
                world.watch(seat, &connection);
                world.handles()[seat] = Some(connection);
            }
        }
        for at in 0..world.script.starts.len() {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.begin(&world.script.starts[at]).await });
        }
        if world.script.ending.is_some() {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                if let Some(ending) = &world.script.ending {
                    world.end(ending).await;
                }
            });
        }
        world
    }

    /// Notes why an end has ended.
    fn watch(self: &Arc<Self>, seat: usize, connection: &Connection) {
        let world = Arc::clone(self);
        connection.on_end(move |reason| {
            world.ledger().ends[seat].is_over = !matches!(reason, CloseReason::Closed);
        });
        let (world, closed) = (Arc::clone(self), connection.closed());
        tokio::spawn(async move {
            let reason = word(&closed.await);
            world.ledger().ends[seat].reason = Some(reason);
        });
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nobody panics with it")
    }

    fn handles(&self) -> MutexGuard<'_, [Option<Connection>; SEATS]> {
        self.handles.lock().expect("nobody panics with it")
    }

    pub(crate) fn handle(&self, seat: usize) -> Option<Connection> {
        self.handles()[seat].clone()
    }

    async fn begin(self: &Arc<Self>, start: &Start) {
        start.at.pass().await;
        for number in &start.numbers {
            self.send_from(start.seat, *number).await;
        }
        self.ledger().starts_left -= 1;
    }

    async fn end(&self, ending: &Ending) {
        ending.at.pass().await;
        match ending.how {
            How::Closes => self.close(ending.seat),
            How::Drops => self.drop_handle(ending.seat),
            How::BothClose => {
                self.close(ending.seat);
                self.close(opposite(ending.seat));
            }
            How::Aborts => {
                self.ledger().ends[ending.seat].aborts = true;
                self.handle(ending.seat).iter().for_each(Connection::abort);
            }
            How::IsCut => self.cut(ending.seat),
            How::IsCutOff => [ending.seat, opposite(ending.seat)].into_iter().for_each(|seat| self.cut(seat)),
        }
        self.ledger().starts_left -= 1;
    }

    pub(crate) fn close(&self, seat: usize) {
        if let Some(handle) = self.handle(seat) {
            self.close_by(seat, &handle);
        }
    }

    pub(crate) fn close_by(&self, seat: usize, handle: &Connection) {
        self.ledger().ends[seat].closes = true;
        handle.close();
        self.ledger().ends[seat].is_closing = true;
    }

    pub(crate) fn drop_handle(&self, seat: usize) {
        self.ledger().ends[seat].closes = true;
        let handle = self.handles()[seat].take();
        drop(handle);
    }

    fn cut(&self, seat: usize) {
        // A wide cable is not cut.
        if self.script.rooms[seat / 2].is_some() {
            self.ledger().ends[seat].is_cut = true;
            self.scissors[seat].cut();
        }
    }

    /// Sends with the handle of the end, if there still is one.
    pub(crate) async fn send_from(self: &Arc<Self>, seat: usize, number: usize) {
        match self.handle(seat) {
            Some(handle) => self.send(seat, &handle, number, false).await,
            None => Attempt::new(self, seat, number).ends(Fate::NoHandle, true),
        }
    }

    /// Sends what has the number, and notes what becomes of it.
    pub(crate) async fn send(self: &Arc<Self>, seat: usize, connection: &Connection, number: usize, typed: bool) {
        let attempt = Attempt::new(self, seat, number);
        let errand = &self.script.errands[number];
        let padding = vec![b'p'; errand.padding];
        let exposed = Exposed::empty();
        let (fate, never_sent) = if errand.notifies {
            let note = Note { number, padding, connection: exposed };
            let sent = async {
                match typed {
                    true => WorkerClient::new(connection).note(note).await.map_err(as_notify_error),
                    false => connection.notify(note).await,
                }
            };
            let fate = match errand.patience {
                Patience::Leaves(after) => {
                    within(after, pin!(sent)).await.map_or(Fate::Left { sent: false }, Fate::from)
                }
                Patience::Limit(_) | Patience::Endless => sent.await.into(),
            };
            let never_sent = fate != Fate::Notified;
            (fate, never_sent)
        } else {
            let work = Work { number, padding, connection: exposed };
            call(connection, errand, work, typed).await
        };
        attempt.ends(fate, never_sent);
    }
}

async fn call(connection: &Connection, errand: &Errand, work: Work, typed: bool) -> (Fate, bool) {
    let reply = match errand.patience {
        Patience::Leaves(after) => {
            let mut call = connection.call(work);
            match within(after, &mut call).await {
                Some(reply) => reply,
                None => {
                    let sent = call.is_sent();
                    return (Fate::Left { sent }, !sent);
                }
            }
        }
        Patience::Limit(limit) => connection.call(work).timeout(Duration::from_millis(limit)).await,
        Patience::Endless if typed => WorkerClient::new(connection).work(work).await,
        Patience::Endless => connection.call(work).await,
    };
    let never_sent = reply.as_ref().is_err_and(is_never_sent);
    (reply.into(), never_sent)
}

/// The output, if it is there before the while has passed.
async fn within<F: Future + Unpin>(patience: While, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = patience.pass() => None,
    }
}

fn as_notify_error(error: CallError<<Note as Command>::Errors>) -> amp::error::NotifyError {
    match error {
        CallError::Invalid(error) => amp::error::NotifyError::Invalid(error),
        CallError::Connection { reason, .. } => amp::error::NotifyError::Connection(reason),
        CallError::Timeout { .. } => amp::error::NotifyError::Timeout,
        other => panic!("a notification has no answer: {other:?}"),
    }
}

/// Somebody who sends. Whatever becomes of that is noted, also when it is dropped with its responder.
struct Attempt<'a> {
    world: &'a World,
    number: usize,
    is_over: bool,
}

impl<'a> Attempt<'a> {
    fn new(world: &'a World, seat: usize, number: usize) -> Self {
        world.ledger().sends(seat, number);
        Self { world, number, is_over: false }
    }

    fn ends(mut self, fate: Fate, never_sent: bool) {
        self.is_over = true;
        self.world.ledger().gets(self.number, fate, never_sent);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // A notification that is dropped before it is done is not sent.
            let never_sent = self.world.script.errands[self.number].notifies;
            self.world.ledger().gets(self.number, Fate::Dropped, never_sent);
        }
    }
}
