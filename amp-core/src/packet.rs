//! Packets: the kind of a box (ask, answer or error) and its reserved keys. Imports `wire`, `exposed`, `value` and `command`.

use std::ops::Range;

use bytes::Bytes;

use crate::command::{Arguments, Command, ErrorCodes};
use crate::error::codes;
use crate::exposed::ContextRef;
use crate::value::{BoxReader, BoxWriter, EncodeError, EncodeErrorKind, Key};
use crate::wire::{AmpBox, BoxLimits, END, Excerpt, MAX_VALUE, RawBox, Rollback};

pub(crate) mod features;
mod insert;
mod sent_box;
mod tag;
#[cfg(test)]
mod tests;

pub use sent_box::SentBox;
pub(crate) use tag::{AskTag, Tag};

const ASK: Key = Key::from_wire(b"\x00\x04_ask");
const COMMAND: Key = Key::from_wire(b"\x00\x08_command");
const ANSWER: Key = Key::from_wire(b"\x00\x07_answer");
const ERROR: Key = Key::from_wire(b"\x00\x06_error");
const ERROR_CODE: Key = Key::from_wire(b"\x00\x0b_error_code");
const ERROR_DESCRIPTION: Key = Key::from_wire(b"\x00\x12_error_description");

/// A received box and its kind.
#[derive(Debug)]
pub(crate) enum Packet {
    /// The peer wants a command answered.
    Ask {
        ask: AskPacket,
        /// The tag to answer with, opaque; `None` when no answer is wanted.
        tag: Option<AskTag>,
    },
    /// The same, but the tag asks only for an answer when the responder has started.
    Marked { ask: AskPacket, tag: AskTag },
    /// The peer answers the ask of the tag, with a response or an error; `None` if no ask of ours has such a tag.
    Reply { tag: Option<u64>, reply: ReplyPacket },
}

/// What says of a box what it is, or is this library's own: no argument and no field of an answer.
const RESERVED: [&[u8]; 6] = [b"_answer", b"_ask", b"_command", b"_error", features::ANNOUNCEMENT, features::MARK];

/// A box that was received without what makes it an ask or an answer.
#[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "only connections have untyped boxes"))]
pub(crate) fn fields_of(raw: &RawBox) -> AmpBox {
    let mut fields = AmpBox::from(raw);
    for key in RESERVED {
        fields.remove(key);
    }
    fields
}

/// A received ask.
#[derive(Debug)]
pub(crate) struct AskPacket {
    pub(crate) raw: RawBox,
    command: Range<usize>,
}

impl AskPacket {
    /// The arguments.
    pub(crate) fn fields(&self, nesting: u8) -> BoxReader<'_> {
        BoxReader::behind(&self.raw, self.command.end, nesting)
    }

    #[inline]
    pub(crate) fn command(&self) -> &[u8] {
        &self.raw.as_bytes()[self.command.clone()]
    }
}

/// Memory of a reply beside its bytes.
const REPLY_OVERHEAD: usize = 64;

/// A received answer or error.
#[derive(Debug)]
pub(crate) struct ReplyPacket {
    pub(crate) raw: RawBox,
    pub(crate) is_error: bool,
    /// End of the last of AMP's own pairs that determine its kind.
    rest: usize,
}

/// A box that is neither ask nor answer nor error: the stream is meaningless from here on (`wire.md` 2.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a box without `_command`, `_answer` or `_error`; it begins {start}")]
pub struct PacketError {
    /// The first bytes of the box.
    pub start: Excerpt,
}

/// The kind of a box, and the position of the pairs that determine it.
enum Head {
    Ask { tag: Option<AskTag>, command: Range<usize> },
    Marked { tag: AskTag, command: Range<usize> },
    Reply { tag: Option<u64>, is_error: bool, rest: usize },
}

impl Packet {
    /// Determines the kind of a box. `_answer` goes before `_error`, and `_error` before `_command`; the last duplicate counts.
    #[inline]
    pub(crate) fn parse(raw: RawBox) -> Result<Self, PacketError> {
        Ok(match Head::parse(&raw)? {
            Head::Ask { tag, command } => Self::Ask { ask: AskPacket { raw, command }, tag },
            Head::Marked { tag, command } => Self::Marked { ask: AskPacket { raw, command }, tag },
            Head::Reply { tag, is_error, rest } => Self::Reply { tag, reply: ReplyPacket { raw, is_error, rest } },
        })
    }
}

impl Head {
    #[inline]
    fn parse(raw: &RawBox) -> Result<Self, PacketError> {
        if raw.is_ascending() {
            let mut pairs = raw.pairs();
            if let Some(tag) = pairs.next_if(ANSWER.as_wire()) {
                return Ok(Self::Reply { tag: Tag::parse(tag), is_error: false, rest: pairs.position() });
            }
            if let Some(tag) = pairs.next_if(ASK.as_wire())
                && let tag_end = pairs.position()
                && let Some(command) = pairs.next_if(COMMAND.as_wire())
                && pairs.peek_first() != Some(b'_')
            {
                let end = pairs.position();
                let tag = Some(AskTag::at_start(&raw.as_bytes()[tag_end - tag.len()..], tag.len()));
                return Ok(Self::Ask { tag, command: end - command.len()..end });
            }
        }
        Self::parse_any(raw)
    }

    /// As [`parse`](Self::parse), for any order of keys.
    #[cold]
    fn parse_any(raw: &RawBox) -> Result<Self, PacketError> {
        let (mut ask, mut command, mut answer, mut error) = (None, None, None, None);
        let (mut pairs, mut rest, mut is_marked) = (raw.pairs(), 0, false);
        while let Some((key, value)) = pairs.next() {
            match key {
                b"_ask" => ask = Some(value),
                b"_command" => command = Some(pairs.position() - value.len()..pairs.position()),
                b"_answer" => answer = Some(value),
                b"_error" => error = Some(value),
                _ if features::is_mark(key) => is_marked = true,
                // In ascending order, AMP's own keys are all behind the position.
                [first, ..] if *first > b'_' && raw.is_ascending() => break,
                _ => continue,
            }
            rest = pairs.position();
        }
        if let Some(tag) = answer.or(error) {
            return Ok(Self::Reply { tag: Tag::parse(tag), is_error: answer.is_none(), rest });
        }
        let Some(command) = command else {
            return Err(PacketError { start: Excerpt::of(raw.as_bytes()) });
        };
        Ok(match ask.map(AskTag::of) {
            Some(tag) if is_marked => Self::Marked { tag, command },
            tag => Self::Ask { tag, command },
        })
    }
}

impl ReplyPacket {
    /// Returns how many bytes it holds, its container included.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.raw.as_bytes().len() + REPLY_OVERHEAD
    }

    /// Returns the reply in memory of its own, so that it does not hold the receive buffer.
    #[cold]
    pub(crate) fn detached(self) -> Self {
        Self { raw: self.raw.detached(), ..self }
    }

    /// The fields of the answer or error.
    pub(crate) fn fields(&self, nesting: u8) -> BoxReader<'_> {
        BoxReader::behind(&self.raw, self.rest, nesting)
    }

    /// The code and the description of an error; the code is `None` when the peer sent none.
    pub(crate) fn error(&self) -> (Option<String>, String) {
        let (mut code, mut description) = (None, String::new());
        for (key, value) in self.raw.pairs() {
            if key == ERROR_CODE.name_bytes() {
                code = Some(String::from_utf8_lossy(value).into_owned());
            } else if key == ERROR_DESCRIPTION.name_bytes() {
                description = String::from_utf8_lossy(value).into_owned();
            }
        }
        (code, description)
    }
}

/// Writes an ask; without a tag it wants no answer. On an error nothing is written.
pub(crate) fn put_ask<C: Command>(
    buffer: &mut Vec<u8>,
    tag: Option<Tag>,
    command: &C,
    limits: BoxLimits,
    context: Option<ContextRef<'_>>,
) -> Result<(), EncodeError> {
    put_box(buffer, limits, context, |out| {
        command.put_leading(out)?;
        if let Some(tag) = tag {
            out.put_reserved_with(ASK, |out| tag.put(out));
        }
        out.put_reserved(COMMAND, C::NAME.as_bytes());
        command.put_trailing(out)
    })
}

/// Inserts a tag into the ask that the buffer holds. Returns whether there was room for it.
#[cfg(feature = "testing")]
pub(crate) fn add_tag(ask: &mut Vec<u8>, tag: &[u8], limits: BoxLimits) -> bool {
    insert::insert(ask, 0, (ASK.name_bytes(), tag), limits)
}

/// As [`put_ask`], with arguments that `put` writes, in the order of their keys and none before AMP's own.
pub(crate) fn put_ask_with(
    buffer: &mut Vec<u8>,
    tag: Option<Tag>,
    command: &str,
    put: impl Fn(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
    limits: BoxLimits,
    context: Option<ContextRef<'_>>,
) -> Result<(), EncodeError> {
    put_box(buffer, limits, context, |out| {
        if let Some(tag) = tag {
            out.put_reserved_with(ASK, |out| tag.put(out));
        }
        out.put_reserved(COMMAND, command.as_bytes());
        put(out)
    })
}

/// Writes an answer. On an error nothing is written.
pub(crate) fn put_answer<R: Arguments>(
    buffer: &mut Vec<u8>,
    tag: &AskTag,
    response: &R,
    limits: BoxLimits,
    context: Option<ContextRef<'_>>,
) -> Result<(), EncodeError> {
    put_box(buffer, limits, context, |out| {
        response.put_leading(out)?;
        out.put_reserved_with(ANSWER, |out| tag.put(out));
        response.put_trailing(out)
    })
}

/// Writes a declared error with its own fields. On an error nothing is written.
pub(crate) fn put_declared<E: ErrorCodes>(
    buffer: &mut Vec<u8>,
    tag: &AskTag,
    error: &E,
    description: &str,
    limits: BoxLimits,
    context: Option<ContextRef<'_>>,
) -> Result<(), EncodeError> {
    put_box(buffer, limits, context, |out| {
        error.put_leading(out)?;
        put_error_head(out, tag.as_bytes(), error.code(), description);
        error.put_trailing(out)
    })
}

/// Writes an error box. Its description is cut to the room that the limits leave; a code for which there is no room becomes
/// [`codes::UNKNOWN`]: a part of it would be another code.
pub(crate) fn put_error(buffer: &mut Vec<u8>, tag: &[u8], code: &str, description: &str, limits: BoxLimits) {
    let keys: usize = [ERROR, ERROR_CODE, ERROR_DESCRIPTION].iter().map(|key| key.as_wire().len() + 2).sum();
    let room = limits.bytes.saturating_sub(keys + tag.len() + END.len());
    let code = if code.len() <= room.min(MAX_VALUE) { code } else { codes::UNKNOWN };
    let room = room.saturating_sub(code.len());
    let mut out = BoxWriter::new(buffer, 0);
    put_error_head(&mut out, tag, code, cut_to(description, room));
    buffer.extend_from_slice(&END);
}

fn put_error_head(out: &mut BoxWriter<'_>, tag: &[u8], code: &str, description: &str) {
    out.put_reserved(ERROR, tag);
    out.put_reserved(ERROR_CODE, cut(code));
    out.put_reserved(ERROR_DESCRIPTION, cut(description));
}

/// Writes an ask whose arguments have no type. On an error nothing is written.
pub(crate) fn put_ask_box(
    buffer: &mut Vec<u8>,
    tag: Option<Tag>,
    command: &[u8],
    mut arguments: AmpBox,
    limits: BoxLimits,
) -> Result<(), EncodeError> {
    refuse_reserved(&arguments)?;
    if let Some(tag) = tag {
        insert_own(&mut arguments, ASK, Bytes::copy_from_slice(tag.as_bytes()))?;
    }
    insert_own(&mut arguments, COMMAND, Bytes::copy_from_slice(command))?;
    encode_box(buffer, &arguments, limits)
}

/// Makes an answer to the tag of a box whose fields have no type.
///
/// # Errors
/// When it has a field that is none.
pub(crate) fn answer_box(mut fields: AmpBox, tag: &AskTag) -> Result<AmpBox, EncodeError> {
    refuse_reserved(&fields)?;
    insert_own(&mut fields, ANSWER, Bytes::copy_from_slice(tag.as_bytes()))?;
    Ok(fields)
}

/// The peer would take the box for something else, or for what this library says of itself.
fn refuse_reserved(fields: &AmpBox) -> Result<(), EncodeError> {
    match RESERVED.iter().find(|key| fields.value(key).is_some()) {
        Some(key) => Err(EncodeError::from(EncodeErrorKind::Key).at_key(&String::from_utf8_lossy(key))),
        None => Ok(()),
    }
}

fn insert_own(fields: &mut AmpBox, key: Key, value: Bytes) -> Result<(), EncodeError> {
    match fields.insert(key.name_bytes(), value) {
        Ok(_) => Ok(()),
        Err(error) => Err(EncodeError::custom(error).at_key(key.name())),
    }
}

/// Writes a box, if it keeps to the limits. On an error nothing is written.
pub(crate) fn encode_box(buffer: &mut Vec<u8>, whole: &AmpBox, limits: BoxLimits) -> Result<(), EncodeError> {
    if whole.encoded_len() > limits.bytes {
        return Err(EncodeErrorKind::BoxTooLong { limit: limits.bytes }.into());
    }
    whole.encode(buffer);
    Ok(())
}

/// Returns as much of the text as one value holds.
fn cut(text: &str) -> &[u8] {
    cut_to(text, MAX_VALUE).as_bytes()
}

fn cut_to(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn put_box(
    buffer: &mut Vec<u8>,
    limits: BoxLimits,
    context: Option<ContextRef<'_>>,
    write: impl FnOnce(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut rollback = Rollback::new(buffer);
    let mut out = BoxWriter::within(rollback.buffer(), context, limits.nesting);
    write(&mut out)?;
    out.finish(limits.bytes)?;
    rollback.keep();
    Ok(())
}
