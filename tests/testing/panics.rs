//! What an assertion says when it fails.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of the panic that `run` ends with.
pub(crate) fn message_of<T>(run: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => panic!("this passes"),
        Err(panic) => text(&*panic),
    }
}

/// The message of the panic that the future ends with.
pub(crate) async fn message_of_future<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> String {
    match tokio::spawn(future).await {
        Ok(_) => panic!("this passes"),
        Err(error) => text(&*error.into_panic()),
    }
}

/// Whether the message has all of these parts, each behind the one before.
#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    let mut rest = message;
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("no `{part}` (in this order) in:\n{message}") };
        rest = &rest[at + part.len()..];
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).expect("a panic with a message")
}
