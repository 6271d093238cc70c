//! The responders of the model: each does what the script has under the number that came.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use amp::{CallError, Connection, Reply};

use crate::commands::{Done, Note, Work, WorkError, Worker};
use crate::script::{Outcome, Step, Via, foreign};
use crate::world::World;

/// Answers at one end.
pub(crate) struct Station {
    pub(crate) world: Arc<World>,
    pub(crate) seat: usize,
}

impl Worker for Station {
    async fn work(&self, command: Work) -> Reply<Work> {
        let number = command.number;
        match self.run(number, command.connection.into_option()).await {
            Outcome::Answers => Ok(Done { number }),
            Outcome::Refuses => Err(WorkError::Refused { number }.into()),
            Outcome::Fails => Err(CallError::failed("as the script says")),
            // Without the hook that writes a panic to standard error.
            Outcome::Panics => resume_unwind(Box::new("as the script says")),
        }
    }

    async fn note(&self, command: Note) -> Reply<Note> {
        match self.run(command.number, command.connection.into_option()).await {
            Outcome::Answers | Outcome::Refuses => Ok(()),
            Outcome::Fails => Err(CallError::failed("as the script says")),
            Outcome::Panics => resume_unwind(Box::new("as the script says")),
        }
    }
}

impl Station {
    async fn run(&self, number: usize, connection: Option<Connection>) -> Outcome {
        let running = Running::new(self, number);
        let errand = &self.world.script.errands[number];
        if let Some(connection) = connection {
            for step in &errand.steps {
                self.take(step, &connection).await;
            }
        }
        running.finishes();
        errand.outcome
    }

    async fn take(&self, step: &Step, connection: &Connection) {
        match *step {
            Step::Yield => tokio::task::yield_now().await,
            Step::Sleep(time) => tokio::time::sleep(Duration::from_millis(time)).await,
            Step::Send(number) => self.send(number, connection).await,
            Step::Both(one, other) => {
                tokio::join!(self.send(one, connection), self.send(other, connection));
            }
            Step::Detach(number) => drop(self.sub_task(number, connection)),
            Step::Close => self.world.close_by(self.seat, connection),
        }
    }

    async fn send(&self, number: usize, connection: &Connection) {
        let (world, seat) = (&self.world, self.seat);
        match world.script.errands[number].via {
            Via::Exposed => world.send(seat, connection, number, false).await,
            Via::Client => world.send(seat, connection, number, true).await,
            Via::Clone => world.send(seat, &connection.clone(), number, false).await,
            Via::Weak => {
                let upgraded = connection.downgrade().upgrade().expect("a handle is held");
                world.send(seat, &upgraded, number, false).await;
            }
            Via::SubTask => self.sub_task(number, connection).await.expect("no panic"),
            Via::Foreign => world.send_from(foreign(seat), number).await,
        }
    }

    fn sub_task(&self, number: usize, connection: &Connection) -> tokio::task::JoinHandle<()> {
        let (world, seat, connection) = (Arc::clone(&self.world), self.seat, connection.clone());
        tokio::spawn(async move { world.send(seat, &connection, number, false).await })
    }
}

/// A responder that runs, until it finishes or is dropped.
struct Running<'a> {
    station: &'a Station,
    number: usize,
    finished: bool,
}

impl<'a> Running<'a> {
    fn new(station: &'a Station, number: usize) -> Self {
        let notifies = station.world.script.errands[number].notifies;
        station.world.ledger().runs(station.seat, number, notifies);
        Self { station, number, finished: false }
    }

    fn finishes(mut self) {
        self.finished = true;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.station.world.ledger().stops(self.station.seat, self.number, self.finished);
    }
}
