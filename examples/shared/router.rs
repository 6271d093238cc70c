//! Several connections over one: a `_route` key in every box says whose it is, as in epsilon's `amprouter`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use amp::connection::{BoxInlet, BoxReceiver, BoxSender, ConnectionBuilder, WeakConnection};
use amp::error::{SendBoxError, codes};
use amp::{AmpBox, CloseReason, Connection, Peer};

const ROUTE: &str = "_route";

/// Shares a connection among routes. Each route is a connection of its own: with its locator, its tags, its end.
pub(crate) struct Router {
    connection: Connection,
    routes: Arc<Mutex<Routes>>,
}

#[derive(Default)]
struct Routes {
    inlets: HashMap<String, BoxInlet>,
    ended: Option<CloseReason>,
}

impl Router {
    /// Takes over what the connection receives from now on.
    pub(crate) fn on(connection: &Connection) -> Self {
        let routes = Arc::default();
        let receiver = Switchboard { connection: connection.downgrade(), routes: Arc::clone(&routes) };
        connection.switch_receiver(receiver);
        Self { connection: connection.clone(), routes }
    }

    /// Opens a route. The other end opens one of the same name.
    pub(crate) fn open(&self, name: &str, builder: ConnectionBuilder) -> Connection {
        let sender = RouteSender { name: name.to_owned(), connection: self.connection.clone() };
        let (route, mut inlet) = builder.start_over(Arc::new(sender), Peer::other(format!("route {name}")));
        let mut routes = lock(&self.routes);
        match &routes.ended {
            Some(reason) => inlet.stop(reason),
            None => drop(routes.inlets.insert(name.to_owned(), inlet)),
        }
        route
    }
}

/// On the way out: adds the key.
struct RouteSender {
    name: String,
    connection: Connection,
}

impl BoxSender for RouteSender {
    fn send_box(&self, mut sent: AmpBox) -> Result<(), SendBoxError> {
        sent.insert(ROUTE, self.name.clone())?;
        self.connection.send_box(sent)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.poll_room(cx)
    }
}

/// On the way in: takes the key away, and passes the box on to whose it is.
struct Switchboard {
    /// Weak, or the connection would keep itself open.
    connection: WeakConnection,
    routes: Arc<Mutex<Routes>>,
}

impl BoxReceiver for Switchboard {
    fn receive_box(&mut self, mut received: AmpBox) {
        let name = received.remove(ROUTE).unwrap_or_default();
        let name = String::from_utf8_lossy(&name);
        match lock(&self.routes).inlets.get_mut(&*name) {
            Some(inlet) if inlet.is_open() => inlet.receive_box(received),
            _ => self.refuse(&name, &received),
        }
    }

    fn stop(&mut self, reason: &CloseReason) {
        let mut routes = lock(&self.routes);
        routes.inlets.drain().for_each(|(_, mut inlet)| inlet.stop(reason));
        routes.ended = Some(reason.clone());
    }
}

impl Switchboard {
    /// Answers an ask for a route that does not exist, or not any more.
    fn refuse(&self, name: &str, received: &AmpBox) {
        let (Some(tag), Some(connection)) = (received.value("_ask"), self.connection.upgrade()) else { return };
        let error = AmpBox::new()
            .with("_error", tag.clone())
            .and_then(|error| error.with("_error_code", codes::UNHANDLED))
            .and_then(|error| error.with("_error_description", "there is no such route"));
        if let Ok(error) = error {
            // If the connection is over, everybody knows it already.
            let _ = RouteSender { name: name.to_owned(), connection }.send_box(error);
        }
    }
}

fn lock(routes: &Mutex<Routes>) -> MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}
