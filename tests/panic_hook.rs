//! The panic hook of the library beside those of the program. One test, because a process has one hook.

use std::io;
use std::panic::{set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::pair;
use amp::{Command, Connection, Reply, responder};
use tokio::time::timeout;

#[derive(Command, Debug)]
struct Break {
    later: bool,
}

struct Fragile;

#[responder]
impl Fragile {
    async fn break_it(&self, command: Break) -> Reply<Break> {
        if command.later {
            tokio::task::yield_now().await;
        }
        panic!("it breaks")
    }
}

/// The line of that panic.
const LINE: u32 = line!() - 5;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics here").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged when a responder panics.
async fn panic_of_a_responder(log: &Log, later: bool) -> String {
    let (caller, _answering) = pair(Connection::builder(), Connection::builder().locator(Fragile.into_locator()));
    let answered = timeout(Duration::from_secs(60), caller.call(Break { later })).await;
    answered.expect("it is answered").expect_err("a panic");
    let logged = String::from_utf8(std::mem::take(&mut *log.0.lock().expect("no panic"))).expect("UTF-8");
    assert!(logged.contains("a responder panicked") && logged.contains("command=\"Break\""), "{logged}");
    logged
}

#[tokio::test(start_paused = true)]
async fn a_programs_own_hook_runs_for_each_panic_and_one_that_comes_later_costs_the_place_only() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");

    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let own = |_: &std::panic::PanicHookInfo<'_>| {
        SEEN.fetch_add(1, Ordering::SeqCst);
    };
    let at_first = take_hook();
    set_hook(Box::new(own));
    for later in [false, true] {
        let logged = panic_of_a_responder(&log, later).await;
        assert!(logged.contains(&format!("panic=it breaks, at tests/panic_hook.rs:{LINE}\n")), "{logged}");
    }
    assert_eq!(SEEN.load(Ordering::SeqCst), 2);
    set_hook(Box::new(own));
    for later in [false, true] {
        let logged = panic_of_a_responder(&log, later).await;
        assert!(logged.contains("panic=it breaks\n"), "{logged}");
    }
    set_hook(at_first);
}
