use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::accept::{Lifecycle, Stage};
use crate::connection::{Connection, Driver};

/// Drives a connection to its end, and closes it when the server closes.
pub(super) async fn drive(connection: Connection, mut driver: Driver, lifecycle: &Lifecycle) {
    let mut closing = pin!(lifecycle.reached(Stage::Closing));
    let is_closing = poll_fn(|cx| match closing.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending => Pin::new(&mut driver).poll(cx).map(|_| false),
    });
    if is_closing.await {
        connection.close();
        driver.await;
    }
}
