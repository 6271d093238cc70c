//! What is logged on this thread. Included by the tests that look at the log.

use std::io;
use std::sync::{Arc, Mutex, Once};

pub(crate) use tracing::Level;
use tracing::subscriber::DefaultGuard;

/// Keeps what is logged while it is there.
pub(crate) struct Logged {
    kept: Kept,
    _logging: DefaultGuard,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics here").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what this thread logs at `level` and above.
pub(crate) fn logged(level: Level) -> Logged {
    // Without a subscriber for all threads, an event that another test meets first at the wrong moment is taken for one that
    // nobody wants, on this thread too.
    static EVERYWHERE: Once = Once::new();
    EVERYWHERE.call_once(|| {
        let everywhere = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(io::sink).finish();
        tracing::subscriber::set_global_default(everywhere).expect("nobody else sets one");
    });
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    Logged { kept, _logging: tracing::subscriber::set_default(subscriber) }
}

impl Logged {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.kept.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}
