use crate::call_error::{CallError, Reply};
use crate::command::{Command, ErrorCodes, take_checked};
use crate::exposed::Context;
use crate::packet::ReplyPacket;
use crate::value::{BoxReader, DecodeError, DecodeErrorKind};

/// What an answer or an error box means to the caller. Its values see the context.
pub(super) fn take_reply<C: Command>(reply: &ReplyPacket, nesting: u8, context: Option<&&dyn Context>) -> Reply<C> {
    if reply.is_error {
        return Err(error(reply, nesting, context));
    }
    take_checked(&mut fields(reply, nesting, context)).map_err(CallError::Response)
}

/// What an error box means to a caller who knows the errors `E`.
pub(super) fn error<E: ErrorCodes>(reply: &ReplyPacket, nesting: u8, context: Option<&&dyn Context>) -> CallError<E> {
    let (code, description) = reply.error();
    let Some(code) = code else {
        return CallError::Response(DecodeError::from(DecodeErrorKind::Missing).at_key("_error_code"));
    };
    match E::from_error(&code, &description, &mut fields(reply, nesting, context)) {
        Ok(Some(declared)) => CallError::Declared(declared),
        Ok(None) => CallError::Remote { code, description },
        Err(error) => CallError::Response(error),
    }
}

fn fields<'a>(reply: &'a ReplyPacket, nesting: u8, context: Option<&'a &'a dyn Context>) -> BoxReader<'a> {
    let fields = reply.fields(nesting);
    match context {
        Some(context) => fields.with_context(context),
        None => fields,
    }
}
