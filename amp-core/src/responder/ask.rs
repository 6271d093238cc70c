use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use super::answer::Answer;
use super::asker::{Asker, ReplyPlace};
use super::decoded::Decoded;
use super::early::SharedAsker;
use super::reservation::Reservation;
use super::{Answering, Located};
use crate::call_error::{CallError, Reply};
use crate::command::{Command, ErrorCodes, NoErrors, take_checked};
use crate::error::codes;
use crate::escaped::Escaped;
use crate::events::{EventKind, Events};
use crate::exposed::{Context, Exposable, ExposeError, answers_early};
use crate::packet::{AskPacket, AskTag, features, fields_of};
use crate::peer::Peer;
use crate::python::PythonBytes;
use crate::reason::CloseReason;
use crate::value::{Budget, QUICK_ITEMS, Scope};
use crate::wire::{AmpBox, RawBox};

/// Maximum number of bytes of an unknown command's name that are sent back.
const MAX_NAME: usize = 1024;
/// What an `AmpBox` holds for each of its pairs beside their bytes, in nodes of so many.
const PAIR: usize = 2 * size_of::<Bytes>();
const NODE: usize = 11;

/// An ask of the peer that has no answer yet.
///
/// Dropping it answers with [`codes::UNKNOWN`], so that a bug here never leaves the peer waiting.
#[derive(Debug)]
pub struct Ask {
    packet: AskPacket,
    asker: Asker,
}

impl Ask {
    #[inline]
    pub(crate) fn new(packet: AskPacket, tag: Option<AskTag>, answering: Arc<dyn Answering>) -> Self {
        let asker = Asker::new(tag, packet.raw.as_bytes().len(), answering);
        Self { packet, asker }
    }

    /// A marked notification: its tag asks only for an answer when the responder has started.
    #[cold]
    pub(crate) fn marked(packet: AskPacket, tag: AskTag, answering: Arc<dyn Answering>) -> Self {
        let asker = Asker::marked(tag, packet.raw.as_bytes().len(), answering);
        Self { packet, asker }
    }

    /// Moves the ask into memory of its own, so that an ask which waits does not hold the receive buffer. Memory that it holds
    /// beside its box, which is at most as much again, counts, too.
    pub(crate) fn detached(mut self) -> Self {
        self.packet.raw = self.packet.raw.detached();
        self.asker.hold_all(self.packet.raw.pinned());
        self
    }

    /// The command's name as received, which need not be UTF-8.
    #[must_use]
    #[inline]
    pub fn command(&self) -> &[u8] {
        self.packet.command()
    }

    /// The tag that the peer gave it, if it wants an answer.
    #[must_use]
    pub fn tag(&self) -> Option<&[u8]> {
        self.asker.tag()
    }

    /// Whether the ask is for the command `C`.
    #[must_use]
    pub fn is<C: Command>(&self) -> bool {
        self.command() == C::NAME.as_bytes()
    }

    /// The value of a key of the box: of a field, or of a key that an extension of the peer added. The last one if there are
    /// several.
    #[must_use]
    pub fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.packet.raw.pairs().filter(|(found, _)| *found == key).last().map(|(_, value)| value)
    }

    /// The peer that asks.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.asker.peer()
    }

    /// Whether the peer wants an answer.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.asker.wants_answer()
    }

    /// The context of the place of answering.
    #[must_use]
    pub fn context(&self) -> &dyn Context {
        &self.asker
    }

    /// Returns a value that the place of answering exposes, such as the [`Connection`](crate::Connection).
    ///
    /// # Errors
    /// If there is no value of that type.
    pub fn exposed<X: Exposable>(&self) -> Result<X, ExposeError> {
        X::expose(&self.asker)
    }

    /// Takes the arguments and leaves the answer for later, from any task. If the arguments do not decode or break a constraint,
    /// or if an exposed field wants a value that is not there, the ask is answered with an error at once and this returns `None`.
    ///
    /// They are decoded on this thread, however many they are, and other connections of the reader wait for a locator that does so. A command
    /// that may have long lists is better taken by [`respond`](Self::respond).
    ///
    /// Number and bytes of asks that are answered later are the taker's to bound: they no longer count towards
    /// [`max_responders`](crate::Settings::max_responders) and [`max_inbound`](crate::Settings::max_inbound). A connection that
    /// closes waits for them as it does for running responders.
    #[must_use]
    pub fn accept<C: Command>(self) -> Option<(C, Answer<C>)> {
        let mut ask = self;
        // There is no locator that could pass a heavy one on.
        ask.asker.set_quick(false);
        let (mut command, mut asker) = ask.take::<C>().ok()?;
        if let Err(error) = command.expose(&asker) {
            asker.fail(&error);
            return None;
        }
        asker.release();
        // The taker is responsible for it: there is no responder that could be dropped.
        asker.forget();
        Some((command, Answer::new(asker)))
    }

    /// Answers with the result of `run`, called with the command's arguments; with an error if they do not decode, break a
    /// constraint, or want something exposed that is not there.
    pub fn respond<C, R>(self, run: impl FnOnce(C) -> R) -> Located
    where
        C: Command,
        R: Future<Output = Reply<C>> + Send + 'static,
    {
        self.respond_exposed(|command, ()| run(command))
    }

    /// As [`respond`](Self::respond), with exposed context beside the arguments.
    pub fn respond_exposed<C, X, R>(self, run: impl FnOnce(C, X) -> R) -> Located
    where
        C: Command,
        X: Exposable,
        R: Future<Output = Reply<C>> + Send + 'static,
    {
        let (command, asker) = match self.take::<C>() {
            Ok(taken) => taken,
            Err(located) => return located,
        };
        if const { answers_early(C::EARLY_ANSWER, C::NAME) | answers_early(X::EARLY_ANSWER, C::NAME) } {
            respond_at(SharedAsker::new::<C>(asker), command, run)
        } else {
            respond_at(asker, command, run)
        }
    }

    /// Answers with what `run` makes of the ask and of its arguments as they came: for commands that have no type here, as in a proxy. The
    /// box has the pairs of the ask without those that make it an ask. The answer is sent as it is, with its own keys. What is logged of
    /// it has no name of a command, but for failures.
    ///
    /// An error that the command of another peer declares is passed on as [`CallError::Remote`](crate::CallError::Remote), which
    /// [`call_box`](crate::Connection::call_box) returns.
    pub fn respond_box<R>(self, run: impl FnOnce(&Self, AmpBox) -> R) -> Located
    where
        R: Future<Output = Result<AmpBox, CallError<NoErrors>>> + Send + 'static,
    {
        let mut ask = self.detached();
        let pairs = ask.packet.raw.pairs().count();
        if ask.asker.is_quick() && pairs > QUICK_ITEMS {
            return ask.heavy();
        }
        // The name is kept until the reply, for the log.
        let bytes = pairs.next_multiple_of(NODE) * PAIR + ask.command().len();
        if !ask.asker.reserve(bytes) {
            ask.asker.refuse_busy();
            return Located::Answered;
        }
        // They are sorted one by one, as items of a list are decoded.
        ask.asker.decoded(Decoded::items(pairs, bytes));
        let arguments = fields_of(&ask.packet.raw);
        let reply = run(&ask, arguments);
        let (command, mut asker) = (ask.command().to_vec(), ask.asker);
        Located::Responding(Box::pin(async move {
            // In two steps, as in `respond_at`.
            let reply = reply.await;
            asker.reply_box(reply, &command);
        }))
    }

    /// It is decoded only if that is little work, and else it is [`Located::Heavy`].
    #[inline]
    pub(crate) fn set_quick(&mut self) {
        self.asker.set_quick(true);
    }

    #[cold]
    fn heavy(mut self) -> Located {
        self.asker.set_heavy();
        Located::Heavy(self)
    }

    /// Decodes the arguments, or answers with an error.
    fn take<C: Command>(self) -> Result<(C, Asker), Located> {
        let Self { packet, mut asker } = self;
        asker.begin(&C::DECLARATION);
        let (context, limits, reservation) =
            (&asker as &dyn Context, &asker.settings().boxes, Reservation::new(&asker));
        // The box is counted, and dropped when its fields are decoded.
        let budget = Budget::reserving(limits, asker.counted(), &reservation);
        let budget = if asker.is_quick() { budget.quick() } else { budget };
        let scope = Scope::new(budget, Some(&context));
        let command = take_checked::<C>(&mut packet.fields(limits.nesting).with_scope(&scope));
        if scope.budget().is_heavy() {
            drop((command, reservation));
            return Err(Self { packet, asker }.heavy());
        }
        let spent = scope.budget().spent();
        let decoded = reservation.keep(spent);
        asker.decoded(decoded);
        drop(packet);
        match command {
            Ok(command) => Ok((command, asker)),
            Err(error) => {
                asker.refuse(<C::Errors as ErrorCodes>::INVALID_ARGUMENT, &error, decoded.budget.is_refused);
                Err(Located::Answered)
            }
        }
    }

    /// The events of its connection, for logging.
    pub(crate) fn events(&self) -> &Events {
        self.asker.events()
    }

    /// Answers that there is no responder, in Twisted's words.
    pub(crate) fn refuse_unhandled(mut self) {
        let name = self.command();
        // Of a longer name the beginning: each of its bytes may be four in the description.
        let description = format!("Unhandled Command: {}", PythonBytes(&name[..name.len().min(MAX_NAME)]));
        if !self.wants_answer() {
            self.asker.tell(EventKind::UNKNOWN_COMMAND, |peer, _, omitted| {
                tracing::warn!(%peer, omitted, "{}; no answer was wanted", Escaped(&description));
            });
        }
        self.asker.error(codes::UNHANDLED, &description);
    }

    /// Whether the command is one of the library's own.
    #[inline]
    pub(crate) fn is_own(&self) -> bool {
        self.command().starts_with(features::OWN)
    }

    /// Whether it is `amp.Hello`.
    pub(crate) fn is_greeting(&self) -> bool {
        self.command() == features::HELLO.as_bytes()
    }

    pub(crate) fn raw(&self) -> &RawBox {
        &self.packet.raw
    }

    /// Notes it by its tag, for extensions.
    pub(crate) fn note(&mut self) {
        self.asker.note();
    }

    /// The tag and the number of a noted ask.
    pub(crate) fn noted(&self) -> Option<(&[u8], u32)> {
        self.asker.noted()
    }

    /// Whether it is a marked notification.
    #[inline]
    pub(crate) fn is_marked(&self) -> bool {
        self.asker.is_marked()
    }

    /// The responder of a marked notification starts: its sender may send more.
    pub(crate) fn give_credit(&mut self) {
        self.asker.give_credit();
    }

    /// Settles an ask for one of the library's own commands.
    ///
    /// # Errors
    /// If the peer says that it ends the connection, its reason.
    #[cold]
    pub(crate) fn settle_own(mut self) -> Result<(), CloseReason> {
        match self.command() {
            command if command == features::GOODBYE.as_bytes() => {
                let (code, text) = features::take_goodbye(self.packet.raw.pairs());
                self.asker.settle();
                return Err(CloseReason::EndedByPeer { code, text });
            }
            command if command == features::HELLO.as_bytes() => self.asker.answer_nothing(),
            _ if self.wants_answer() => self.refuse_unhandled(),
            // A later version may send something that this one need not understand.
            _ => self.asker.settle(),
        }
        Ok(())
    }

    /// Drops it without an answer: the reason of the connection's end says more.
    pub(crate) fn discard(mut self) {
        self.asker.settle();
    }

    /// Marks it as an ask for another transport. The peer can read any error that answers it, even if this end has asked, too.
    pub(crate) fn begin_upgrade(&mut self) {
        self.asker.begin_upgrade();
    }

    /// Answers an ask for another transport with an error.
    pub(crate) fn refuse_upgrade(mut self, code: &str, description: &str) {
        self.asker.begin_upgrade();
        self.asker.error(code, description);
    }

    /// Answers that this end closes. The command was not begun.
    pub(crate) fn refuse_draining(mut self) {
        self.asker.error(codes::DRAINING, "The connection is closing; nothing was done");
    }

    /// Answers that this connection is over the limit. The command was not begun.
    pub(crate) fn refuse_full(mut self, words: &str) {
        self.asker.error(codes::BUSY, words);
    }

    /// Answers that this end is busy.
    pub(crate) fn refuse_busy(mut self) {
        self.asker.refuse_busy();
    }
}

/// Answers at `place` with the result of `run`.
#[inline]
fn respond_at<P, C, X, R>(mut place: P, mut command: C, run: impl FnOnce(C, X) -> R) -> Located
where
    P: ReplyPlace,
    C: Command,
    X: Exposable,
    R: Future<Output = Reply<C>> + Send + 'static,
{
    let exposed = match command.expose(&place).and_then(|()| X::expose(&place)) {
        Ok(exposed) => exposed,
        Err(error) => {
            place.finish::<C::Response, C::Errors>(Err(CallError::failed(error)));
            return Located::Answered;
        }
    };
    let reply = run(command, exposed);
    let responding = Box::pin(async move {
        // In two steps: the receiver of a call whose argument is awaited is moved to a second place in the future.
        let reply = reply.await;
        place.finish(reply);
    });
    Located::running(responding, C::DETACHED)
}
