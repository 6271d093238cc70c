use crate::call_error::{CallError, Reply};
use crate::command::{Command, ErrorCodes, take_checked};
use crate::packet::ReplyPacket;
use crate::value::{DecodeError, DecodeErrorKind};

/// What an answer or an error box means to the caller.
pub(super) fn take_reply<C: Command>(reply: &ReplyPacket, nesting: u8) -> Reply<C> {
    if reply.is_error {
        return Err(error(reply, nesting));
    }
    take_checked(&mut reply.fields(nesting)).map_err(CallError::Response)
}

/// What an error box means to a caller who knows the errors `E`.
pub(super) fn error<E: ErrorCodes>(reply: &ReplyPacket, nesting: u8) -> CallError<E> {
    let (code, description) = reply.error();
    let Some(code) = code else {
        return CallError::Response(DecodeError::from(DecodeErrorKind::Missing).at_key("_error_code"));
    };
    match E::from_error(&code, &description, &mut reply.fields(nesting)) {
        Ok(Some(declared)) => CallError::Declared(declared),
        Ok(None) => CallError::Remote { code, description },
        Err(error) => CallError::Response(error),
    }
}
