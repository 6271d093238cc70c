//! Thousands of streams that end in every way, and nothing of them left. Alone in its process, because it counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use amp_core::Connection;
use amp_core::connection::ConnectionBuilder;
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Opening, Stream, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const STREAMS: usize = 4000;
const EMPTY: &str = "Multiplexer(Registry { streams: 0, closing: 0, connecting: 0, accepting: 0, early: 0 })";

/// The same numbers in every run.
fn dice(sides: usize) -> usize {
    static STATE: AtomicU64 = AtomicU64::new(88_172_645_463_325_252);
    let mut state = STATE.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from(state >> 33).expect("31 bits") % sides
}

async fn echo(stream: Stream) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
    let _ = writer.shutdown().await;
}

fn factories(target: &str) -> Factories {
    let factories = Factories::new();
    factories.serve("echo", echo);
    factories.serve("drop", |stream: Stream| async move { drop(stream) });
    factories.serve("sleep", |stream: Stream| async move {
        tokio::time::sleep(Duration::from_millis(dice(30) as u64)).await;
        drop(stream);
    });
    factories.serve("speak", |mut stream: Stream| async move {
        let _ = stream.write_all(&vec![1; 100_000]).await;
    });
    factories.serve("abort", |mut stream: Stream| async move {
        let _ = stream.read(&mut [0]).await;
        std::panic::resume_unwind(Box::new("a task ends badly"));
    });
    factories.insert("refuse", |opening: Opening| opening.refuse("no"));
    factories.insert("late", |opening: Opening| {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(dice(20) as u64)).await;
            if dice(2) == 0 { drop(opening) } else { drop(opening.accept()) }
        });
    });
    factories.insert("target", Target::tcp(target));
    factories
}

/// One stream, used and ended in one of many ways.
async fn live(multiplexer: Multiplexer) {
    const NAMES: [&str; 9] = ["echo", "drop", "sleep", "speak", "abort", "refuse", "late", "target", "nobody"];
    let name = NAMES[dice(9)];
    let patience = Duration::from_millis(if dice(4) == 0 { dice(10) as u64 } else { 60_000 });
    let Ok(Ok(mut stream)) = timeout(patience, multiplexer.connect(name)).await else { return };
    // No more than an echo that nobody reads takes.
    let bytes = vec![2; dice(40_000)];
    match dice(6) {
        0 => {}
        1 => drop(stream.write_all(&bytes).await),
        2 => {
            let _ = timeout(Duration::from_millis(dice(5) as u64), stream.write_all(&bytes)).await;
        }
        3 => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = timeout(Duration::from_millis(dice(50) as u64), stream.read_to_end(&mut Vec::new())).await;
        }
        4 => {
            let _ = stream.shutdown().await;
        }
        _ => {
            let _ = timeout(Duration::from_millis(dice(10) as u64), stream.read(&mut [0; 1000])).await;
        }
    }
}

async fn target() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = timeout(Duration::from_millis(dice(20) as u64), socket.read(&mut [0; 1000])).await;
            });
        }
    });
    address
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("this process").count()
}

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not in half a minute: {what}");
}

fn end(target: &str) -> ConnectionBuilder {
    let settings = StreamSettings::new().first_window(50_000);
    Connection::builder().extension(Multiplexing::with_settings(&factories(target), settings))
}

async fn soak() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let target = target().await;
    let (no_tasks, no_files) = (tasks(), files());
    let (connection, other_connection) = amp_core::connection::pair(end(&target), end(&target));
    let [one, other] = [&connection, &other_connection].map(|end| Multiplexer::of(end).expect("it has the extension"));
    // Two drivers.
    let (idle_tasks, idle_files) = (tasks(), files());
    assert_eq!(idle_tasks, no_tasks + 2);

    let forward = one.forward_port(0, "echo").await.expect("a port");
    let address = forward.local_addr().expect("TCP");
    let mut lives = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        lives.spawn(live(if dice(2) == 0 { one.clone() } else { other.clone() }));
        if dice(20) == 0 {
            lives.spawn(async move {
                let Ok(mut socket) = TcpStream::connect(address).await else { return };
                let _ = socket.write_all(&vec![3; dice(50_000)]).await;
                let _ = timeout(Duration::from_millis(dice(5) as u64), socket.read(&mut [0; 1000])).await;
            });
        }
        if lives.len() > 100 {
            // Some are ended from outside.
            if dice(200) == 0 {
                lives.abort_all();
            }
            lives.join_next().await;
        }
    }
    while lives.join_next().await.is_some() {}
    drop(forward);
    until("both ends are empty", || format!("{one:?}") == EMPTY && format!("{other:?}") == EMPTY).await;
    until("only the drivers run", || tasks() == idle_tasks).await;
    until("no socket is open", || files() == idle_files).await;

    // And once more, with the connection dying in the middle.
    for _ in 0..200 {
        lives.spawn(live(one.clone()));
        lives.spawn(live(other.clone()));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    connection.abort();
    while lives.join_next().await.is_some() {}
    drop((connection, other_connection));
    until("both ends are empty", || format!("{one:?}") == EMPTY && format!("{other:?}") == EMPTY).await;
    until("nothing runs", || tasks() == no_tasks).await;
    until("nothing is open", || files() == no_files).await;
}

#[test]
fn streams_that_end_in_every_way_leave_no_task_no_socket_and_no_entry() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime
        .expect("a runtime")
        .block_on(async { timeout(Duration::from_secs(120), soak()).await.expect("this hangs") });
}
