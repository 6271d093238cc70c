"""The commands that both ends declare; their twins in Rust are in `commands.rs`."""

import datetime
import decimal
import uuid

from twisted.protocols.amp import (
    AmpList,
    Boolean,
    Command,
    DateTime,
    Decimal,
    Float,
    Integer,
    ListOf,
    Path,
    String,
    Unicode,
)
from twisted.python.filepath import FilePath

from custom import Address, Dotted, Json, Nested, Numbered, Zipped


class Sum(Command):
    arguments = [(b"a", Integer()), (b"b", Integer())]
    response = [(b"total", Integer())]


class SumAndMore(Sum):
    """A caller that expects more of the answer than `Sum` gives."""

    commandName = b"Sum"
    response = [(b"total", Integer()), (b"more", Integer())]


class InvalidArgument(Exception):
    pass


class SumOfText(Sum):
    """A caller that does not keep to the types of `Sum`."""

    commandName = b"Sum"
    arguments = [(b"a", Unicode()), (b"b", Unicode())]
    errors = {InvalidArgument: b"INVALID_ARGUMENT"}


class SumOfOne(Sum):
    """A caller that leaves an argument out."""

    commandName = b"Sum"
    arguments = [(b"a", Integer())]
    errors = {InvalidArgument: b"INVALID_ARGUMENT"}


class Guarded(Command):
    """Knows none of the constraints that its twin has."""

    arguments = [
        (b"in_set_of_an_array", Unicode(optional=True)),
        (b"in_set_of_a_constant", Integer(optional=True)),
        (b"in_set_of_a_function", Integer(optional=True)),
        (b"not_in_set", Integer(optional=True)),
        (b"range", Integer(optional=True)),
        (b"range_of_floats", Float(optional=True)),
        (b"range_without_nan", Float(optional=True)),
        (b"length_of_bytes", String(optional=True)),
        (b"length_of_text", Unicode(optional=True)),
        (b"length_of_a_list", ListOf(Integer(), optional=True)),
        (b"length_in_bytes", Unicode(optional=True)),
        (b"pattern", Unicode(optional=True)),
        (b"non_empty", Unicode(optional=True)),
        (b"with_a_function", Integer(optional=True)),
        (b"with_a_parameter", Integer(optional=True)),
        (b"each", ListOf(Integer(), optional=True)),
        (b"nested_box", Nested([(b"port", Integer())], optional=True)),
        (b"amp_list", AmpList([(b"port", Integer())], optional=True)),
    ]
    errors = {InvalidArgument: b"INVALID_ARGUMENT"}


class GuardedUndeclared(Command):
    """A caller that does not declare the refusal."""

    commandName = b"Guarded"
    arguments = Guarded.arguments


class Valued(Command):
    arguments = Guarded.arguments
    errors = {ValueError: b"VALUE_ERROR"}


class Give(Command):
    """Is answered with the value that breaks this rule."""

    arguments = [(b"rule", Unicode())]
    response = Guarded.arguments


class Divide(Command):
    arguments = [(b"numerator", Integer()), (b"denominator", Integer())]
    response = [(b"result", Float())]
    errors = {ZeroDivisionError: b"ZERO_DIVISION"}


class NotReady(Exception):
    pass


class Unimplemented(Exception):
    pass


class Plain(Exception):
    pass


class Broken(Exception):
    pass


class Fail(Command):
    """Fails with the declared error of this kind and with this text as its description."""

    arguments = [(b"kind", Unicode()), (b"text", Unicode())]
    errors = {NotReady: b"daemon is not ready", Unimplemented: b"NotImplementedError", Plain: b"PLAIN"}
    fatalErrors = {Broken: b"BROKEN"}


class Crash(Command):
    """Fails in a way that is not declared."""


class Nope(Command):
    """Nobody answers this one."""


class NopeUnanswered(Command):
    commandName = b"Nope"
    requiresAnswer = False


class Hold(Command):
    """Is answered when `release` is called, if ever."""


class Gather(Command):
    """Is answered when `most` of them have come, the last first."""

    arguments = [(b"number", Integer()), (b"most", Integer())]
    response = [(b"number", Integer())]


class Note(Command):
    """Wants no answer."""

    arguments = [(b"text", Unicode())]
    requiresAnswer = False


class Notes(Command):
    """What was noted."""

    response = [(b"texts", ListOf(Unicode()))]


class Perhaps(Command):
    arguments = [
        (b"count", Integer(optional=True)),
        (b"data", String(optional=True)),
        (b"name", Unicode(optional=True)),
    ]
    response = arguments


class Names(Command):
    commandName = b"spelled-As-declared"
    arguments = [(b"foo-bar", Integer()), (b"from", Integer()), (b"async", Integer()), (b"Upper", Integer())]
    response = arguments


class Blob(Command):
    arguments = [(b"data", String())]
    response = [(b"length", Integer())]


class Grow(Command):
    arguments = [(b"length", Integer())]
    response = [(b"data", String())]


class CallBack(Command):
    """Asks the caller for `Sum` of `number` and `number` and answers with what it says."""

    arguments = [(b"number", Integer())]
    response = [(b"total", Integer())]


class Floats(Command):
    arguments = [(b"values", ListOf(Float()))]
    response = arguments


class Decimals(Command):
    arguments = [(b"values", ListOf(Decimal()))]
    response = arguments


class Times(Command):
    arguments = [(b"values", ListOf(DateTime()))]
    response = arguments


class Paths(Command):
    arguments = [(b"values", ListOf(Path()))]
    response = arguments


def clocks(time):
    """What clocks show, and the offset in minutes, of which Python computes with no 24 hours or more."""
    shown = time.replace(tzinfo=None).isoformat(timespec="microseconds")
    return "%s %d" % (shown, time.tzinfo.offset // datetime.timedelta(minutes=1))


class Big(Command):
    arguments = [(b"number", Integer())]
    response = arguments


class Quit(Command):
    """Is answered, and then the connection ends."""

    commandName = b"QUIT"


class Abort(Command):
    """Ends the connection without an answer."""


KID = [(b"k", Integer()), (b"note", Unicode(optional=True))]
VALUES = [
    *[(name, Integer()) for name in (b"i8", b"i16", b"i32", b"i64", b"i128", b"u8", b"u16", b"u32", b"u64", b"u128")],
    (b"float", Float()),
    (b"yes", Boolean()),
    (b"no", Boolean()),
    (b"text", Unicode()),
    (b"bytes", String()),
    (b"nested", ListOf(ListOf(Integer()))),
    (b"words", ListOf(Unicode())),
    (b"strings", ListOf(String())),
    (b"flags", ListOf(Boolean())),
    (b"rows", AmpList([(b"name", Unicode()), (b"kids", AmpList(KID))])),
    (b"one", AmpList(KID)),
    (b"absent", AmpList(KID, optional=True)),
]


class Everything(Command):
    """Answers with what the responder saw, in its own language's words."""

    arguments = VALUES
    response = [(b"seen", Unicode())]


class Produce(Command):
    """Answers with `SAMPLE`."""

    response = VALUES


SAMPLE = {
    **{f"i{bits}": -(2 ** (bits - 1)) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": 2**bits - 1 for bits in (8, 16, 32, 64, 128)},
    "float": 0.1,
    "yes": True,
    "no": False,
    "text": "\ufeffa\0b\u2603\U0001f40d",
    "bytes": bytes(range(256)),
    "nested": [[], [1], [-2, 3]],
    "words": ["", "\u2603"],
    "strings": [b"", b"a\0\xff"],
    "flags": [True, False],
    "rows": [{"name": "x", "kids": [{"k": 1, "note": ""}, {"k": 2, "note": None}]}, {"name": "", "kids": []}],
    "one": [{"k": 7, "note": "only"}],
    "absent": None,
}


def shown(arguments):
    """Arguments in a fixed order."""
    return repr(sorted(arguments.items()))


class Custom(Command):
    """Argument types that Twisted's users write: several keys for one argument, packed values, addresses."""

    arguments = [
        (b"dotted", Dotted()),
        (b"numbered", Numbered()),
        (b"packed", Zipped([(b"name", Unicode()), (b"size", Integer())])),
        (b"tree", Json()),
        (b"v4", Address()),
        (b"v6", Address()),
    ]
    response = arguments


class Large(Command):
    """Bytes over several keys, in both conventions."""

    arguments = [(b"dotted", Dotted()), (b"numbered", Numbered())]
    response = arguments
    errors = {InvalidArgument: b"INVALID_ARGUMENT"}


class Shredded(Command):
    """The same in many parts."""

    commandName = b"Large"
    arguments = [(b"dotted", Dotted(777)), (b"numbered", Numbered(777))]
    response = arguments
