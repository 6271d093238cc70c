//! Two ends with tiny limits, what is opened between them, and how their connection ends: all from one seed.

use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use amp_core::connection::Strictness;
use amp_core::{Connection, Peer, Settings};
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Opening, StreamSettings};
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::dice::Dice;
use crate::ledger::{Seen, Shared, faults as faults_of, note};
use crate::pipe::{Pipe, carried, direct};
use crate::user::{Script, pause};

/// Longer than everything that ends by itself.
const NEVER: Duration = Duration::from_secs(3600);

const EMPTY: &str = "Multiplexer(Registry { streams: 0, closing: 0, connecting: 0, accepting: 0, early: 0 })";

pub(crate) struct End {
    pub(crate) multiplexer: Multiplexer,
    pub(crate) connection: Connection,
}

/// How the connection ends before its time.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lives,
    Closes(usize),
    Aborts(usize),
    Breaks,
}

/// What becomes of a Connect at the other end.
#[derive(Clone, Copy, Debug)]
enum Welcome {
    Accepted,
    AcceptedLate,
    Refused,
    Panic,
    PanicWithTheStream,
}

#[derive(Debug)]
struct Plan {
    old: bool,
    room: usize,
    /// No action writes more.
    most: usize,
    fate: Fate,
    streams: usize,
}

fn plan(dice: &mut Dice, old: bool) -> Plan {
    let room = dice.pick(&[1, 2, 3, 40, 300, 4096, 1 << 16]);
    Plan {
        old,
        room,
        most: if room < 40 { 300 } else { dice.pick(&[100, 1000, 5000]) },
        fate: match dice.below(10) {
            0 => Fate::Closes(dice.below(2)),
            1 | 2 => Fate::Aborts(dice.below(2)),
            3 => Fate::Breaks,
            _ => Fate::Lives,
        },
        streams: 1 + dice.below(5),
    }
}

pub(crate) fn end(
    transport: DuplexStream,
    factories: &Factories,
    tight: bool,
    strictness: Strictness,
    dice: &mut Dice,
) -> End {
    let settings = Settings::new()
        .outbound_high_water(dice.pick(&[1, 2, 3, 200, 1 << 20]))
        .close_timeout(dice.pick(&[Duration::ZERO, Duration::from_millis(10), Duration::from_secs(10)]))
        .linger(Duration::from_millis(10))
        .strictness(strictness)
        .in_order(dice.one_in(4));
    // Below what the other end may send in any case, streams overrun all the time.
    let streams = StreamSettings::new()
        .max_streams(dice.pick(&[1, 2, 3, 100, 100]))
        .first_window(dice.pick(&[1, 2, 3, 3000, 128 * 1024]))
        .max_window(dice.pick(&[1, 4000, 1 << 20]))
        .max_in_flight(dice.pick(&[1, 2, 3, 5000, 1 << 20]))
        .max_buffered(dice.pick(if tight { &[3, 300, 1500] } else { &[2400, 9000, 32 << 20] }))
        .max_received(dice.pick(if tight { &[3, 3000, 12_000] } else { &[60_000, 256 << 20] }))
        .max_early(dice.pick(if tight { &[0, 300, 1000] } else { &[1 << 18, 32 << 20] }))
        .disconnect_timeout(dice.pick(&[Duration::from_millis(3), Duration::from_secs(1), Duration::from_secs(30)]));
    let connection = Connection::builder()
        .settings(settings)
        .extension(Multiplexing::with_settings(factories, streams))
        .start(transport, Peer::other("model"));
    End { multiplexer: Multiplexer::of(&connection).expect("it has the extension"), connection }
}

/// Both ends of one stream, and who uses them how.
#[derive(Clone)]
struct Planned {
    opener: usize,
    welcome: Welcome,
    scripts: [Script; 2],
    sides: [Shared; 2],
    dice: Dice,
}

impl Planned {
    fn new(stream: usize, plan: &Plan, dice: &mut Dice) -> Self {
        let opener = dice.below(2);
        let welcome = match dice.below(12) {
            0 => Welcome::Refused,
            1 => Welcome::Panic,
            2 => Welcome::PanicWithTheStream,
            3 | 4 => Welcome::AcceptedLate,
            _ => Welcome::Accepted,
        };
        let patience = plan.old.then(|| Duration::from_secs(1));
        let scripts =
            [0, 1].map(|end| Script { stream, end, dice: dice.split(), most: plan.most, patience, gentle: false });
        Self { opener, welcome, scripts, sides: Default::default(), dice: dice.split() }
    }

    /// The factory at the other end, of this stream alone.
    fn put(&self, factories: &Factories, stream: usize, tasks: &UnboundedSender<JoinHandle<()>>) {
        let (planned, tasks) = (self.clone(), tasks.clone());
        factories.insert(stream.to_string(), move |opening: Opening| {
            let Planned { welcome, mut dice, .. } = planned.clone();
            let (script, side) = planned.user(1 - planned.opener);
            match welcome {
                Welcome::Refused => {}
                Welcome::Panic => resume_unwind(Box::new("before it accepts")),
                Welcome::PanicWithTheStream => {
                    note(&side, |side| side.cut = true);
                    let _stream = opening.accept();
                    resume_unwind(Box::new("while it holds the stream"));
                }
                Welcome::Accepted => drop(tasks.send(tokio::spawn(script.run(opening.accept(), side)))),
                Welcome::AcceptedLate => {
                    let late = async move {
                        pause(&mut dice).await;
                        script.run(opening.accept(), side).await;
                    };
                    drop(tasks.send(tokio::spawn(late)));
                }
            }
        });
    }

    fn user(&self, end: usize) -> (Script, Shared) {
        (self.scripts[end].clone(), Arc::clone(&self.sides[end]))
    }

    async fn open(mut self, multiplexer: Multiplexer, stream: usize) {
        pause(&mut self.dice).await;
        let patience = if self.dice.one_in(5) { self.dice.millis(10) } else { NEVER };
        if let Ok(Ok(opened)) = timeout(patience, multiplexer.connect(&stream.to_string())).await {
            let (script, side) = self.user(self.opener);
            pause(&mut self.dice).await;
            script.run(opened, side).await;
        }
    }
}

/// What is wrong, and what happened.
pub(crate) struct Outcome {
    pub(crate) faults: Vec<Fault>,
    pub(crate) seen: Seen,
    /// Equal for equal runs.
    pub(crate) digest: String,
}

/// A sentence, and what it is about.
pub(crate) type Fault = (&'static str, String);

/// One seed. What has not ended after `bound` stands still.
pub(crate) async fn run(seed: u64, old: bool, bound: Duration) -> Outcome {
    let mut dice = Dice::new(seed);
    let plan = plan(&mut dice, old);
    let planned: Vec<_> = (0..plan.streams).map(|stream| Planned::new(stream, &plan, &mut dice)).collect();
    let lived = timeout(bound, live(&plan, &planned, &mut dice)).await;
    let mut faults = lived.unwrap_or_else(|_| vec![("it stands still", String::new())]);
    let mut seen = Seen::default();
    let mut digest = String::new();
    for (stream, planned) in planned.iter().enumerate() {
        let sides = planned.sides.each_ref().map(|side| note(side, |side| side.clone()));
        for (writer, reader) in [(0, 1), (1, 0)] {
            let (ours, theirs) = (&sides[writer], &sides[reader]);
            for fault in faults_of(ours, theirs, old) {
                let which = format!("stream {stream} of end {}, from {writer}", planned.opener);
                faults.push((fault, format!("{which}:\n    writer {ours:?}\n    reader {theirs:?}")));
            }
            seen.count(&sides[writer]);
        }
        let _ = writeln!(digest, "{sides:?}");
    }
    faults.iter_mut().for_each(|(_, about)| about.push_str(&format!("\n    {plan:?}")));
    Outcome { faults, seen, digest }
}

async fn live(plan: &Plan, planned: &[Planned], dice: &mut Dice) -> Vec<Fault> {
    let Pipe { ends: [one, other], mut carriers } = match plan.fate {
        Fate::Breaks => carried(plan.room, false, plan.old, dice),
        _ if plan.old || dice.one_in(8) => carried(plan.room, dice.one_in(2), plan.old, dice),
        _ => direct(plan.room),
    };
    let factories = [Factories::new(), Factories::new()];
    let (tasks, mut served) = unbounded_channel();
    for (stream, planned) in planned.iter().enumerate() {
        planned.put(&factories[1 - planned.opener], stream, &tasks);
    }
    drop(tasks);
    let tight = dice.one_in(4);
    // A panic of a factory is the end of a connection that is as strict as Twisted.
    let panics = planned.iter().any(|planned| matches!(planned.welcome, Welcome::Panic | Welcome::PanicWithTheStream));
    let strictness = if !panics && dice.one_in(3) { Strictness::Twisted } else { Strictness::Isolating };
    let [one, other] = [(one, &factories[0]), (other, &factories[1])];
    let ends = [one, other].map(|(transport, factories)| end(transport, factories, tight, strictness, dice));
    let mut opening = JoinSet::new();
    for (stream, planned) in planned.iter().enumerate() {
        opening.spawn(planned.clone().open(ends[planned.opener].multiplexer.clone(), stream));
    }
    if !matches!(plan.fate, Fate::Lives) {
        pause(dice).await;
        pause(dice).await;
    }
    match plan.fate {
        Fate::Lives => {}
        Fate::Closes(end) => ends[end].connection.close(),
        Fate::Aborts(end) => ends[end].connection.abort(),
        Fate::Breaks => carriers.abort_all(),
    }
    while opening.join_next().await.is_some() {}
    while let Ok(task) = served.try_recv() {
        let _ = task.await;
    }
    let mut faults = Vec::new();
    if let Fate::Lives = plan.fate {
        // The last Disconnects are answered.
        for _ in 0..6000 {
            while let Ok(task) = served.try_recv() {
                let _ = task.await;
            }
            if ends.iter().all(|end| format!("{:?}", end.multiplexer) == EMPTY) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for end in &ends {
            if end.connection.is_closed() {
                faults.push(("the connection has ended", end.connection.closed().await.to_string()));
            } else if format!("{:?}", end.multiplexer) != EMPTY {
                faults.push(("something is left", format!("{:?}", end.multiplexer)));
            }
        }
    }
    ends.iter().for_each(|end| end.connection.close());
    for end in &ends {
        end.connection.closed().await;
    }
    faults
}
