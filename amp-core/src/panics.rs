//! Panics of user code, which must cost no more than the operation that panicked. Imports `escaped` and `events`.
//!
//! The payload of a panic holds its message. Only the process's panic hook learns its place, and only the ask that is dropped
//! while the thread unwinds knows its command: both store that in thread-local variables, for the code that catches the panic.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};

use crate::escaped::Escaped;

thread_local! {
    /// Whether this thread runs code whose panics are caught here.
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Place of the last panic of this thread that is caught here.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
    /// The command whose ask was dropped in a panic.
    static COMMAND: Cell<Option<&'static str>> = const { Cell::new(None) };
}

#[derive(Debug)]
struct Place {
    file: Box<str>,
    line: u32,
    /// Message of that panic: another one may have been raised since without the hook, as by `resume_unwind`.
    message: Box<str>,
}

/// A caught panic: its message and, if the hook was called, its place. Small where there is none.
#[derive(Debug)]
pub(crate) struct Panic(Box<Caught>);

#[derive(Debug)]
struct Caught {
    message: Box<str>,
    place: Option<Place>,
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "the connection tells it"))]
    command: Option<&'static str>,
}

impl Panic {
    /// Converts the payload of a panic to its message, or to the panic that it contains.
    #[cold]
    pub(crate) fn of(payload: Box<dyn Any + Send>) -> Self {
        let payload = match payload.downcast::<Self>() {
            Ok(panic) => return *panic,
            Err(payload) => payload,
        };
        let message = message_of(&*payload);
        forget_payload(payload);
        let place = PLACE.try_with(|place| place.try_borrow_mut().ok()?.take()).ok().flatten();
        let command = COMMAND.try_with(Cell::take).ok().flatten();
        Self(Box::new(Caught { place: place.filter(|place| place.message == message), message, command }))
    }

    /// The command of the ask that was dropped in it, if one was.
    #[cfg(feature = "tokio")]
    pub(crate) fn command(&self) -> Option<&'static str> {
        self.0.command
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.place {
            Some(Place { file, line, .. }) => write!(f, ", at {file}:{line}"),
            None => Ok(()),
        }
    }
}

/// Returns the result of `run`, or its panic.
#[inline]
pub(crate) fn caught<T>(run: impl FnOnce() -> T + UnwindSafe) -> Result<T, Panic> {
    // A thread that ends has no thread-local variables any more.
    let before = IS_WATCHED.try_with(|watched| watched.replace(true));
    let result = catch_unwind(run);
    if before == Ok(false) {
        let _ = IS_WATCHED.try_with(|watched| watched.set(false));
    }
    result.map_err(Panic::of)
}

/// Runs code of the program's for an extension. A panic costs nothing else: it is logged for the connection with its message and
/// place, and nothing is returned. `what` names the code that panics, for the log.
#[cfg(feature = "tokio")]
pub fn catch_panic<T>(events: &crate::events::Events, what: &'static str, run: impl FnOnce() -> T) -> Option<T> {
    let panic = match caught(AssertUnwindSafe(run)) {
        Ok(returned) => return Some(returned),
        Err(panic) => panic,
    };
    events.tell(crate::events::EventKind::PANIC, |peer, omitted| {
        tracing::warn!(%peer, omitted, %panic, "{what} panicked");
    });
    None
}

/// Drops a user object. A panic of the drop costs nothing else.
pub(crate) fn drop_caught<T>(value: T) {
    if let Err(panic) = caught(AssertUnwindSafe(|| drop(value))) {
        #[cfg(feature = "tokio")]
        crate::events::EventLimit::of_process().tell(crate::events::EventKind::PANIC, |omitted| {
            tracing::warn!(
                omitted,
                %panic,
                "a transport, or what an extension had given to a connection, panicked when it was dropped"
            );
        });
        #[cfg(not(feature = "tokio"))]
        drop(panic);
    }
}

/// An ask is dropped while this thread panics. Returns whether the panic is caught here, and its command logged with it.
#[cfg(feature = "tokio")]
#[cold]
pub(crate) fn note_command(command: &'static str) -> bool {
    let is_watched = IS_WATCHED.try_with(Cell::get).unwrap_or(false);
    if is_watched && !command.is_empty() {
        let _ = COMMAND.try_with(|noted| noted.set(Some(command)));
    }
    is_watched
}

/// Has the process's panic hook note the place of panics that are caught here; then it continues as before. A program that later
/// sets another hook loses the place, and nothing else.
#[cfg(feature = "tokio")]
pub(crate) fn install_hook() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    // A panicking thread must not set a hook.
    if !INSTALLED.is_completed() && !std::thread::panicking() {
        INSTALLED.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                note_place(info);
                before(info);
            }));
        });
    }
}

/// A panic in here would abort the process.
#[cfg(feature = "tokio")]
fn note_place(info: &std::panic::PanicHookInfo<'_>) {
    let is_watched = IS_WATCHED.try_with(Cell::get).unwrap_or(false);
    if let Some(location) = info.location().filter(|_| is_watched) {
        let message = message_of(info.payload());
        let place = Place { file: location.file().into(), line: location.line(), message };
        let _ = PLACE.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(place)));
        // The command of an earlier panic, which user code has caught itself.
        let _ = COMMAND.try_with(|noted| noted.set(None));
    }
}

fn message_of(payload: &(dyn Any + Send)) -> Box<str> {
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    message.map_or_else(|| "no message".into(), |message| Escaped(message).to_string().into())
}

/// Drops the payload of a panic, which may panic itself.
fn forget_payload(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // This could repeat without end: the payload of a panic is small.
        std::mem::forget(again);
    }
}
