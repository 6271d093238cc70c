//! What values see of the connection that they come over or go to: Twisted's `proto` of an argument.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use amp::connection::pair;
use amp::value::{Argument, BoxReader, BoxWriter, DecodeError, EncodeError, Key, RawValue, Value, ValueWriter};
use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Peer, Reply, State, responder};

use crate::raw_peer::{RawPeer, answer, ask, soon};

const SECOND: Duration = Duration::from_secs(1);

/// The objects of one connection: each travels as its number.
#[derive(Debug)]
struct Objects(Mutex<Vec<String>>);

impl Objects {
    fn of(first: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(vec![first.to_owned()])))
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Object(String);

impl Object {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Value for Object {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let context = out.context().ok_or_else(|| EncodeError::custom("no connection"))?;
        let objects = context.exposed::<State<Objects>>().map_err(EncodeError::custom)?;
        let mut objects = objects.0.lock().expect("no panic");
        let number = objects.iter().position(|name| *name == self.0).unwrap_or_else(|| {
            objects.push(self.0.clone());
            objects.len() - 1
        });
        number.encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let context = raw.context().ok_or_else(|| DecodeError::custom("no connection"))?;
        let objects = context.exposed::<State<Objects>>().map_err(DecodeError::custom)?;
        let objects = objects.0.lock().expect("no panic");
        let name = objects.get(usize::decode(raw)?).ok_or_else(|| DecodeError::custom("no such object"))?;
        Ok(Self(name.clone()))
    }
}

/// Everything that holds values.
#[derive(Arguments, Clone, Debug, PartialEq)]
struct Pocket {
    one: Object,
    some: Option<Object>,
    many: Vec<Vec<Object>>,
}

fn pocket(name: &str) -> Pocket {
    let object = Object::new(name);
    Pocket { one: object.clone(), some: Some(object.clone()), many: vec![vec![object.clone()], vec![object]] }
}

#[derive(Command, Debug)]
#[amp(response = Swapped, errors = Refused)]
struct Swap {
    object: Object,
    pocket: Pocket,
    pockets: Vec<Pocket>,
}

fn swap(name: &str) -> Swap {
    Swap { object: Object::new(name), pocket: pocket(name), pockets: vec![pocket(name), pocket(name)] }
}

#[derive(Arguments, Debug)]
struct Swapped {
    object: Object,
    pockets: Vec<Pocket>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Refused {
    #[error("not for anything")]
    Precious { object: Object, pockets: Vec<Pocket> },
}

struct Trader;

#[responder]
impl Trader {
    async fn swap(&self, command: Swap) -> Reply<Swap> {
        let name = &command.object.0;
        assert_eq!((&command.pocket, &command.pockets), (&pocket(name), &vec![pocket(name), pocket(name)]));
        let (object, pockets) = (Object(format!("{name} coin")), vec![pocket(&format!("{name} cup"))]);
        if name.ends_with("ring") {
            return Err(Refused::Precious { object, pockets }.into());
        }
        Ok(Swapped { object, pockets })
    }
}

/// Both ends of a connection that know the same objects.
fn traders(objects: &Arc<Objects>) -> (Connection, Connection) {
    let near = Connection::builder().shared_state(Arc::clone(objects));
    pair(near, Connection::builder().shared_state(Arc::clone(objects)).locator(Trader.into_locator()))
}

#[tokio::test(start_paused = true)]
async fn values_of_asks_answers_and_errors_see_their_own_connection_among_several() {
    let ends: Vec<_> = ["red", "blue"].map(|name| (name, Objects::of(name))).into_iter().collect();
    let ends: Vec<_> = ends.iter().map(|(name, objects)| (*name, objects, traders(objects))).collect();
    for (name, _, (caller, _)) in &ends {
        let swapped = soon("an answer", caller.call(swap(name))).await.expect("an answer");
        assert_eq!(swapped.object, Object(format!("{name} coin")));
        assert_eq!(swapped.pockets, [pocket(&format!("{name} cup"))]);
        let reply = soon("an error", caller.call(swap(&format!("{name} ring")))).await;
        let Err(CallError::Declared(Refused::Precious { object, pockets })) = reply else { panic!("{reply:?}") };
        assert_eq!(object, Object(format!("{name} ring coin")));
        assert_eq!(pockets, [pocket(&format!("{name} ring cup"))]);
    }
    for (name, objects, _) in &ends {
        let known = objects.0.lock().expect("no panic");
        assert!(known.len() == 6 && known.iter().all(|known| known.starts_with(name)), "{known:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_connection_does_not_know_it_costs_the_one_call() {
    let near = Connection::builder().shared_state(Objects::of("red"));
    let (caller, _far) = pair(near, Connection::builder().locator(Trader.into_locator()));
    let reply = soon("an error", caller.call(swap("red"))).await;
    assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == "INVALID_ARGUMENT"), "{reply:?}");
    let (stranger, _far) = pair(Connection::builder(), Connection::builder());
    let reply = soon("an error", stranger.call(swap("red"))).await;
    assert!(matches!(&reply, Err(CallError::Invalid(_))), "{reply:?}");
    assert!(!caller.is_closed() && !stranger.is_closed());
}

#[test]
fn values_of_tests_and_tools_have_no_connection() {
    let mut bytes = Vec::new();
    Object::new("red").encode(&mut ValueWriter::new(&mut bytes)).expect_err("nothing knows it");
    Object::decode(RawValue::new(b"0")).expect_err("nothing knows it");
    let out = BoxWriter::new(&mut bytes, 1);
    assert!(out.context().is_none());
}

/// Several keys of a box. It becomes a handle of the connection that it came over.
#[derive(Debug)]
struct Here(Option<Connection>);

impl Argument for Here {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let context = out.context().ok_or_else(|| EncodeError::custom("no connection"))?;
        let peer = context.exposed::<Peer>().map_err(EncodeError::custom)?;
        let handles = context.exposed::<Connection>().is_ok()
            || context.exposed::<Arc<dyn amp::connection::BoxSender>>().is_ok()
            || context.exposed::<Option<Connection>>().is_ok_and(|found| found.is_some());
        out.put_named(&format!("{}.handles", key.name()), &handles)?;
        out.put_named(&format!("{}.peer", key.name()), &peer.to_string())
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(raw) = from.find(format!("{}.handles", key.name()).as_bytes()) else { return Ok(None) };
        if bool::decode(raw)? {
            return Err(DecodeError::custom("a handle was exposed under the lock"));
        }
        let context = from.context().ok_or_else(|| DecodeError::custom("no connection"))?;
        context.exposed().map(|connection| Some(Self(Some(connection)))).map_err(DecodeError::custom)
    }
}

#[derive(Command, Debug)]
#[amp(response = Met)]
struct Meet {
    here: Here,
}

#[derive(Arguments, Debug)]
struct Met {
    here: Here,
}

struct Host;

#[responder]
impl Host {
    async fn meet(&self, command: Meet, connection: Connection) -> Reply<Meet> {
        let same = command.here.0.is_some_and(|here| here.is_same(&connection));
        drop(connection);
        tokio::time::sleep(2 * SECOND).await;
        if same { Ok(Met { here: Here(None) }) } else { Err(CallError::failed("another connection")) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_decoded_may_keep_its_connection_and_what_is_encoded_sees_the_peer_and_no_handle() {
    let (caller, _far) = pair(Connection::builder(), Connection::builder().locator(Host.into_locator()));
    let met = soon("an answer", caller.call(Meet { here: Here(None) })).await.expect("an answer");
    assert!(met.here.0.is_some_and(|here| here.is_same(&caller)));

    let (connection, mut peer) = RawPeer::with(Host.into_locator(), amp::Settings::new());
    let call = tokio::spawn(connection.call(Meet { here: Here(None) }));
    let keys = [("here.handles", "False"), ("here.peer", "script")];
    peer.expect(ask("1", "Meet", &keys)).await;
    peer.send(answer("1", &keys)).await;
    let met = soon("an answer", call).await.expect("no panic").expect("an answer");
    assert!(met.here.0.is_some_and(|here| here.is_same(&connection)));
    // The answer to this is encoded when no handle is left.
    let closed = connection.closed();
    peer.send(ask("a", "Meet", &keys)).await;
    peer.expect_silence_for(SECOND).await;
    drop(connection);
    peer.expect(answer("a", &keys)).await;
    soon("the end", closed).await;
}

thread_local! {
    static ENCODES: Cell<bool> = const { Cell::new(false) };
}

/// Notes whether it was dropped while something was encoded.
#[derive(Debug)]
struct Watched(Arc<AtomicBool>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.fetch_or(ENCODES.get(), Ordering::SeqCst);
    }
}

/// Lets another thread take the state away while it has a clone of it.
#[derive(Debug)]
struct Clings(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);

impl Value for Clings {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let context = out.context().ok_or_else(|| EncodeError::custom("no connection"))?;
        let watched = context.exposed::<State<Watched>>().map_err(EncodeError::custom)?;
        self.0.send(()).map_err(EncodeError::custom)?;
        while context.exposed::<State<Watched>>().is_ok() {
            std::thread::yield_now();
        }
        // The other thread says so if it has dropped its own clone. It should not before this is done.
        let _ = self.1.lock().expect("no panic").recv_timeout(Duration::from_millis(200));
        ENCODES.set(true);
        drop(watched);
        ENCODES.set(false);
        Ok(())
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        Err(DecodeError::custom("it only goes out"))
    }
}

#[derive(Command, Debug)]
#[amp(no_answer)]
struct Cling {
    clings: Clings,
}

#[tokio::test]
async fn a_state_that_is_taken_away_while_a_value_sees_it_is_not_dropped_under_the_lock() {
    let (connection, _far) = pair(Connection::builder(), Connection::builder());
    let dropped_encoding = Arc::new(AtomicBool::new(false));
    connection.set_state(Watched(Arc::clone(&dropped_encoding)));
    let ((begun, begins), (dropped, drops)) = (mpsc::channel(), mpsc::channel());
    let other = connection.clone();
    let taking = std::thread::spawn(move || {
        begins.recv().expect("it is encoded");
        drop(other.remove_state::<Watched>());
        let _ = dropped.send(());
    });
    connection.notify(Cling { clings: Clings(begun, Mutex::new(drops)) }).await.expect("sent");
    taking.join().expect("no panic");
    assert!(!dropped_encoding.load(Ordering::SeqCst));
}
