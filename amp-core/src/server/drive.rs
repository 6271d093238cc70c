use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::accept::{Lifecycle, Stage};
use crate::connection::{Connection, Driver};

/// Drives a connection to its end, and closes it when the server closes. `was_read` is called after the first read, unless the
/// connection has ended.
pub(super) async fn drive(
    connection: Connection,
    mut driver: Driver,
    lifecycle: &Lifecycle,
    was_read: impl FnOnce() + Send,
) {
    let mut closing = pin!(lifecycle.reached(Stage::Closing));
    let mut was_read = Some(was_read);
    let is_closing = poll_fn(|cx| {
        if closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        let polled = Pin::new(&mut driver).poll(cx);
        if polled.is_pending()
            && let Some(was_read) = was_read.take()
        {
            was_read();
        }
        polled.map(|_| false)
    });
    if is_closing.await {
        connection.close();
        driver.await;
    }
}
