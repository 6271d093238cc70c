use super::call::Call;
use super::context::Decoding;
use super::exchange::Exchange;
use super::failure::Failure;
use super::handle::Connection;
use super::reply::error;
use crate::call_error::{CallError, NotifyError};
use crate::command::{Command, NoErrors};
use crate::packet::{features, fields_of};
use crate::proto::{Outgoing, Untyped};
use crate::value::EncodeError;
use crate::wire::AmpBox;

impl Connection {
    /// Calls the peer.
    ///
    /// A call waits for a place among [`max_calls`](crate::Settings::max_calls), unless it is a callback: a call that is made
    /// while a responder is polled, of whichever connection, or through a handle that came from an ask, or a clone of it, as long
    /// as that ask has no answer. Callbacks take no place, or responders of two ends could wait for each other; the peer's
    /// [`max_responders`](crate::Settings::max_responders) bounds them with [`codes::BUSY`](crate::error::codes::BUSY).
    ///
    /// # Errors
    /// The call returns the errors of [`CallError`]; only `Connection` affects other calls.
    ///
    /// # Cancel safety
    /// See [`Call`].
    #[doc(alias("callRemote"))]
    pub fn call<C: Command>(&self, command: C) -> Call<C> {
        Call::new(self.clone(), command)
    }

    /// Sends a command that wants no answer. `Ok` means that it is queued to be written. It runs at the peer, once, unless
    ///
    /// - the connection ends with another reason than [`Closed`](crate::CloseReason::Closed),
    /// - the peer aborts, or
    /// - the peer's time for closing is over ([`close_timeout`](crate::Settings::close_timeout), and
    ///   [`linger`](crate::Settings::linger) for what arrives after its own orderly end). Its log then reports this.
    ///
    /// This end does not learn of the last two. Use a [`call`](Self::call) where you must know.
    ///
    /// To a peer of this library it waits while more notifications are unstarted there than the peer gives credit for, about 128
    /// of them or 128 KiB. A notification that a responder sends does not wait, as a callback does not (see
    /// [`call`](Self::call)). A responder that sends very many, or to many connections, should be answered first and continue in
    /// a task of its own, or a slow peer ends its connection with
    /// [`CloseReason::TooManyNotifications`](crate::CloseReason::TooManyNotifications). Other peers give no credit, and it is up
    /// to them how they treat more than they can hold.
    ///
    /// With default settings a peer of this library thus holds up to [`max_responders`](crate::Settings::max_responders) that run
    /// at once, and about 128 that wait. Waiting takes no longer than [`call_timeout`](crate::Settings::call_timeout), which is
    /// no limit unless it is set.
    ///
    /// Queued notifications are lost when the program or its runtime ends: await [`closed`](Self::closed) before.
    ///
    /// The peer reports nothing back, not even that it does not know the command; a Twisted peer ends the connection then.
    ///
    /// # Errors
    /// If an argument cannot be sent, the connection has ended or closes, or there was no room within `call_timeout`.
    ///
    /// # Cancel safety
    /// If dropped before it is done, nothing is sent.
    #[doc(alias("requiresAnswer"))]
    pub async fn notify<C: Command>(&self, command: C) -> Result<(), NotifyError> {
        self.notify_with(command).await
    }

    /// Calls a command whose arguments have no type, for tools and proxies. Returns the answer's pairs, without AMP's own keys and this
    /// library's.
    ///
    /// # Errors
    /// Every error answer is [`CallError::Remote`]. `amp.Hello` and `amp.Goodbye` are this library's own, which a peer of it would
    /// take for what this end says of itself; they are refused.
    ///
    /// # Cancel safety
    /// As [`Call`].
    #[doc(alias("callRemoteString"))]
    pub async fn call_box(
        &self,
        command: impl AsRef<[u8]> + Send,
        arguments: AmpBox,
    ) -> Result<AmpBox, CallError<NoErrors>> {
        let untyped = untyped(command.as_ref(), arguments).map_err(CallError::Invalid)?;
        let reply = Exchange::new(self.clone(), untyped, true).await;
        let Some(reply) = reply.map_err(Failure::into_call_error)? else { return Ok(AmpBox::new()) };
        if reply.is_error {
            let (decoding, limits) = (Decoding(self), self.shared.settings.boxes);
            return Err(error(&reply, &limits, Some(&decoding.context())));
        }
        Ok(fields_of(&reply.raw))
    }

    /// Sends a command whose arguments have no type and that wants no answer, as [`notify`](Self::notify) does.
    ///
    /// # Errors
    /// As `notify`, and for the commands that [`call_box`](Self::call_box) refuses.
    ///
    /// # Cancel safety
    /// As that of `notify`.
    pub async fn notify_box(&self, command: impl AsRef<[u8]> + Send, arguments: AmpBox) -> Result<(), NotifyError> {
        let untyped = untyped(command.as_ref(), arguments).map_err(NotifyError::Invalid)?;
        self.notify_with(untyped).await
    }

    async fn notify_with<A: Outgoing>(&self, ask: A) -> Result<(), NotifyError> {
        match Exchange::new(self.clone(), ask, false).await {
            Ok(_) => Ok(()),
            Err(Failure::Invalid(error)) => Err(NotifyError::Invalid(error)),
            Err(Failure::Connection { reason, .. }) => Err(NotifyError::Connection(reason)),
            Err(Failure::Timeout { .. }) => Err(NotifyError::Timeout),
        }
    }
}

/// A command that a user names.
fn untyped(command: &[u8], arguments: AmpBox) -> Result<Untyped<'_>, EncodeError> {
    if [features::HELLO, features::GOODBYE].iter().any(|own| own.as_bytes() == command) {
        let error = format!("`{}` is a command of this library's own", String::from_utf8_lossy(command));
        return Err(EncodeError::custom(error).at_key("_command"));
    }
    Ok(Untyped(command, arguments))
}
