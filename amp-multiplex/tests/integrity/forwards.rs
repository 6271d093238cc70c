//! The same through forwarded ports: real sockets, whose users reset and close them, in real time.

use std::path::PathBuf;
use std::time::Duration;

use amp_core::connection::Strictness;
use amp_multiplex::{Factories, Stream, Target};
use tokio::io::duplex;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use crate::dice::Dice;
use crate::ledger::{Shared, Side, faults, note};
use crate::user::Script;
use crate::world::{Fault, Outcome, end};

/// What is at one end of the forwarded stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Tcp,
    /// It cannot be reset: at its end a part may look whole, and it says so itself in the docs.
    Unix,
}

#[derive(Debug)]
struct Plan {
    kinds: [Kind; 2],
    gentle: bool,
    aborts: Option<usize>,
}

/// One seed: what it finds depends on the machine too.
pub(crate) async fn run(seed: u64) -> Outcome {
    let mut dice = Dice::new(seed);
    let kinds = loop {
        let kinds = [(); 2].map(|()| dice.pick(&[Kind::Stream, Kind::Tcp, Kind::Tcp, Kind::Unix]));
        if kinds != [Kind::Stream; 2] {
            break kinds;
        }
    };
    let gentle = dice.one_in(3);
    let plan = Plan { kinds, gentle, aborts: (!gentle && dice.one_in(5)).then(|| dice.below(2)) };
    let sides: [Shared; 2] = Default::default();
    let lived = timeout(Duration::from_secs(60), live(seed, &plan, &sides, &mut dice)).await;
    let mut found: Vec<Fault> = Vec::new();
    if lived.is_err() {
        found.push(("it stands still", String::new()));
    }
    let sides = sides.each_ref().map(|side| note(side, |side| side.clone()));
    let (mut seen, mut digest) = (Default::default(), String::new());
    for (writer, reader) in [(0, 1), (1, 0)] {
        crate::ledger::Seen::count(&mut seen, &sides[writer]);
        found.extend(judge(&plan, &sides, writer, reader).into_iter().map(|fault| {
            (fault, format!("from {writer}:\n    writer {:?}\n    reader {:?}", sides[writer], sides[reader]))
        }));
    }
    digest.push_str(&format!("{sides:?}"));
    found.iter_mut().for_each(|(_, about)| about.push_str(&format!("\n    {plan:?}")));
    Outcome { faults: found, seen, digest }
}

fn judge(plan: &Plan, sides: &[Side; 2], writer: usize, reader: usize) -> Vec<&'static str> {
    let (ours, theirs) = (&sides[writer], &sides[reader]);
    // A socket tells of a reset once, and to its writer if that comes first.
    let tells = match plan.kinds[reader] {
        Kind::Stream => true,
        Kind::Tcp => theirs.write_failed.is_none(),
        Kind::Unix => false,
    };
    let mut found = faults(ours, theirs, !tells);
    if plan.gentle && (theirs.saw != Some(Ok(())) || theirs.read != ours.wrote) {
        found.push("nothing went wrong, and not all came with its end");
    }
    found
}

async fn live(seed: u64, plan: &Plan, sides: &[Shared; 2], dice: &mut Dice) {
    let factories = Factories::new();
    let (room, most) = dice.pick(&[(100, 3000), (4096, 30_000), (1 << 16, 200_000), (1 << 16, 700_000)]);
    let (one, other) = duplex(room);
    let tight = !plan.gentle && dice.one_in(6);
    let strictness = dice.pick(&[Strictness::Isolating, Strictness::Twisted]);
    let (here, there) =
        (end(one, &Factories::new(), tight, strictness, dice), end(other, &factories, tight, strictness, dice));
    let scripts = [0, 1].map(|at| Script {
        stream: 0,
        end: at,
        dice: dice.split(),
        most,
        patience: Some(Duration::from_secs(10)),
        gentle: plan.gentle,
    });
    let [ours, theirs] = scripts;
    let (served, mut serving) = unbounded_channel();
    let path =
        |at: usize| -> PathBuf { std::env::temp_dir().join(format!("amp-model-{}-{seed}-{at}", std::process::id())) };
    // Each kind of far end, behind the factory that the near one leads to.
    let side = sides[1].clone();
    match plan.kinds[1] {
        Kind::Stream => {
            factories.serve("far", move |stream: Stream| {
                let (script, side, served) = (theirs.clone(), side.clone(), served.clone());
                async move {
                    let _ = served.send(tokio::spawn(script.run(stream, side)));
                }
            });
        }
        Kind::Tcp => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            factories.insert("far", Target::tcp(listener.local_addr().expect("TCP").to_string()));
            let _ = served.send(tokio::spawn(async move {
                if let Ok(Ok((socket, _))) = timeout(Duration::from_secs(10), listener.accept()).await {
                    drop(listener);
                    theirs.run(socket, side).await;
                }
            }));
        }
        Kind::Unix => {
            let path = path(1);
            let listener = UnixListener::bind(&path).expect("a socket");
            factories.insert("far", Target::unix(&path));
            let _ = served.send(tokio::spawn(async move {
                if let Ok(Ok((socket, _))) = timeout(Duration::from_secs(10), listener.accept()).await {
                    drop(listener);
                    let _ = std::fs::remove_file(path);
                    theirs.run(socket, side).await;
                }
            }));
        }
    }
    let side = sides[0].clone();
    let near = async {
        match plan.kinds[0] {
            Kind::Stream => {
                if let Ok(stream) = here.multiplexer.connect("far").await {
                    let _ = tokio::spawn(ours.run(stream, side)).await;
                }
            }
            Kind::Tcp => {
                let Ok(forward) = here.multiplexer.forward_port(0, "far").await else { return };
                // Nobody listens any more if the connection has ended.
                if let Ok(socket) = TcpStream::connect(forward.local_addr().expect("TCP")).await {
                    let _ = tokio::spawn(ours.run(socket, side)).await;
                }
                forward.close();
                forward.closed().await;
            }
            Kind::Unix => {
                let Ok(forward) = here.multiplexer.forward_unix(path(0), "far") else { return };
                if let Ok(socket) = UnixStream::connect(path(0)).await {
                    let _ = tokio::spawn(ours.run(socket, side)).await;
                }
                forward.close();
                forward.closed().await;
            }
        }
    };
    let fate = async {
        if let Some(end) = plan.aborts {
            tokio::time::sleep(dice.millis(30)).await;
            [&here, &there][end].connection.abort();
        }
    };
    tokio::join!(near, fate);
    // A stream that was not opened will not be.
    factories.remove("far");
    if let Some(task) = serving.recv().await {
        let _ = task.await;
    }
    here.connection.close();
    here.connection.closed().await;
    there.connection.closed().await;
    let _ = std::fs::remove_file(path(1));
}
