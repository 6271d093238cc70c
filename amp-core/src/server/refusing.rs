use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::accept::Lifecycle;
use super::drive::drive;
use super::roster::Refusal;
use crate::connection::{Connection, ConnectionBuilder};
use crate::events::EventKind;
use crate::locator::Locator;
use crate::peer::Peer;
use crate::responder::{Ask, Located};
use crate::settings::Settings;
use crate::wire::BoxLimits;

/// How long a refused connection may take to end.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest first box that gets an answer.
const MAX_BOX: usize = 128 * 1024;

/// Answers the first ask of a connection with `BUSY` and closes it: a client that only sees the end does not know that trying
/// again later helps.
pub(super) async fn refuse<T>(
    transport: T,
    peer: Peer,
    refusal: Refusal,
    lifecycle: &Lifecycle,
    server: &ConnectionBuilder,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    server.events().tell(EventKind::REFUSED_CONNECTION, |omitted| {
        tracing::debug!(%peer, omitted, reason = %refusal.words(), "a connection is refused");
    });
    let settings = Settings::new()
        .boxes(BoxLimits::new().bytes(MAX_BOX))
        .announce(false)
        .max_responders(1)
        .max_inbound(MAX_BOX)
        .max_outbound(MAX_BOX)
        .close_timeout(Duration::from_secs(1));
    // The refusal is reported already, and bounded: anything else that it does would be reported for each connection.
    let builder = server.unserved().settings(settings).locator(Refusing(refusal.words()));
    let (connection, driver) = builder.build_placed(transport, peer, refusal.on_first_box());
    refusal.attach(connection.downgrade());
    let refused = drive(connection, driver, lifecycle, || refusal.was_read());
    // When the time is over, it is closed as it is.
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refused).await;
    drop(refusal);
}

/// Answers every command with `BUSY`, once.
struct Refusing(&'static str);

impl Locator for Refusing {
    fn locate(&self, ask: Ask) -> Located {
        let connection = ask.exposed::<Connection>();
        ask.refuse_full(self.0);
        if let Ok(connection) = connection {
            connection.close();
        }
        Located::Answered
    }
}
