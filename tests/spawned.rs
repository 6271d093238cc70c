//! Responders that compute are tasks of their own where that is asked for.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::pair;
use amp::{Command, Connection, Reply, responder};

/// Waits, without giving way, for as many as it blocks with.
#[derive(Command, Debug)]
pub struct Block;

/// Is answered at once.
#[derive(Command, Debug)]
#[amp(response = Where)]
pub struct Ping;

/// By which task.
#[derive(amp::Arguments, Debug)]
pub struct Where {
    /// Its id.
    pub task: String,
}

fn here() -> Reply<Ping> {
    Ok(Where { task: format!("{:?}", tokio::task::try_id()) })
}

/// Some of it blocks.
#[responder]
pub trait Busy {
    /// In a task of its own.
    #[amp(spawn)]
    async fn block(&self, command: Block) -> Reply<Block>;

    /// Where it is read.
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

/// Ends when two of it run at once.
#[derive(Debug)]
struct Meeting(std::sync::Barrier);

impl Busy for Meeting {
    async fn block(&self, _: Block) -> Reply<Block> {
        self.0.wait();
        Ok(())
    }

    async fn ping(&self, _: Ping) -> Reply<Ping> {
        here()
    }
}

/// All of it blocks.
#[derive(Debug)]
struct AllBusy(Mutex<mpsc::Receiver<()>>);

#[responder(spawn)]
impl AllBusy {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        here()
    }

    async fn block(&self, _: Block) -> Reply<Block> {
        let received = self.0.lock().expect("nobody panics").recv_timeout(Duration::from_secs(20));
        received.map_err(amp::CallError::failed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_block_until_both_run_finish_on_one_connection() {
    let locator = BusyLocator::new(Meeting(std::sync::Barrier::new(2)));
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(locator));
    let client = Arc::new(BusyClient::new(&caller));
    let both = async { tokio::join!(client.block(Block), client.block(Block)) };
    let (first, second) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("they run at once");
    assert!(first.is_ok() && second.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_blocks_holds_up_no_other_of_its_connection() {
    let (sender, receiver) = mpsc::channel();
    let locator = AllBusy(Mutex::new(receiver)).into_locator();
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(locator));
    let blocked = tokio::spawn({
        let caller = caller.clone();
        async move { caller.call(Block).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ping = tokio::time::timeout(Duration::from_secs(10), caller.call(Ping)).await;
    assert!(ping.expect("it waits for nothing").is_ok());
    sender.send(()).expect("it waits");
    assert!(blocked.await.expect("it does not panic").is_ok());
}

#[tokio::test]
async fn a_spawned_responder_is_one_task_from_its_beginning_and_another_is_the_readers() {
    let (_sender, receiver) = mpsc::channel();
    let spawned = AllBusy(Mutex::new(receiver)).into_locator();
    let in_place = BusyLocator::new(Meeting(std::sync::Barrier::new(1)));
    let (first, _a) = pair(Connection::builder(), Connection::builder().locator(spawned));
    let (second, _b) = pair(Connection::builder(), Connection::builder().locator(in_place));
    let task = async |connection: &Connection| connection.call(Ping).await.expect("it is answered").task;
    assert_ne!(task(&first).await, task(&first).await);
    assert_eq!(task(&second).await, task(&second).await);
}
