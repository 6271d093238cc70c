use crate::call_error::CallError;
use crate::command::{Arguments, ErrorCodes, take_checked};
use crate::exposed::Context;
use crate::packet::ReplyPacket;
use crate::value::{Budget, DecodeError, DecodeErrorKind, Scope};
use crate::wire::BoxLimits;

/// Converts an answer or an error box to the caller's result. Its values see the context.
///
/// Not generic over the command: commands share types of responses, and most of them errors.
pub(crate) fn take_reply<R: Arguments, E: ErrorCodes>(
    reply: &ReplyPacket,
    limits: &BoxLimits,
    context: Option<&&dyn Context>,
) -> Result<R, CallError<E>> {
    if reply.is_error {
        return Err(error(reply, limits, context));
    }
    let scope = Scope::new(Budget::new(limits), context);
    take_checked(&mut reply.fields(limits.nesting).with_scope(&scope)).map_err(CallError::Response)
}

/// Converts an error box for a caller that knows the errors `E`.
pub(super) fn error<E: ErrorCodes>(
    reply: &ReplyPacket,
    limits: &BoxLimits,
    context: Option<&&dyn Context>,
) -> CallError<E> {
    let (code, description) = reply.error();
    let Some(code) = code else {
        return CallError::Response(DecodeError::from(DecodeErrorKind::Missing).at_key("_error_code"));
    };
    let scope = Scope::new(Budget::new(limits), context);
    match E::from_error(&code, &description, &mut reply.fields(limits.nesting).with_scope(&scope)) {
        Ok(Some(declared)) => CallError::Declared(declared),
        Ok(None) => CallError::Remote { code, description },
        Err(error) => CallError::Response(error),
    }
}
