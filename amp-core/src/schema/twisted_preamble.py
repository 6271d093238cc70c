# Written by amp-rpc from the Rust declarations of the commands. Change those, not this file.
"""AMP commands for Twisted, with the constraints of their Rust declarations."""

import re

from twisted.protocols import amp
from twisted.protocols.amp import _objectsToStrings, _stringsToObjects, _wireNameToPythonIdentifier


class ConstraintError(ValueError):
    """A value is not what the command's declaration allows."""


class InvalidArgument(Exception):
    """The peer refused an argument: it does not decode, or it breaks a constraint."""


class _Command(amp.Command):
    """A command that refuses one bad ask with an error, where Twisted would end the connection."""

    invalidArgument = b"INVALID_ARGUMENT"

    @classmethod
    def parseArguments(cls, box, protocol):
        try:
            return super().parseArguments(box, protocol)
        except ConstraintError as error:
            description = str(error)
        except Exception as error:
            description = "an argument is missing or does not decode (%s)" % type(error).__name__
        raise amp.RemoteAmpError(cls.invalidArgument, description)


class _Constrained:
    """An argument with rules, each a text and a predicate; they are checked when it is sent and when it is received."""

    def __init__(self, argument, *rules):
        self.argument = argument
        self.optional = argument.optional
        self.rules = rules

    def toBox(self, name, strings, objects, proto):
        self._check(name, objects.get(_wireNameToPythonIdentifier(name)))
        self.argument.toBox(name, strings, objects, proto)

    def fromBox(self, name, strings, objects, proto):
        self.argument.fromBox(name, strings, objects, proto)
        self._check(name, objects.get(_wireNameToPythonIdentifier(name)))

    def _check(self, name, value):
        if value is None:
            return
        for words, holds in self.rules:
            if not holds(value):
                raise ConstraintError("%s: %s" % (name.decode("utf-8"), words))


class _Box(amp.Argument):
    """One box within a value."""

    def __init__(self, fields, optional=False):
        self.fields = fields
        amp.Argument.__init__(self, optional)

    def toStringProto(self, inObject, proto):
        return _objectsToStrings(self.fields, inObject, amp.Box(), proto).serialize()

    def fromStringProto(self, inString, proto):
        (box,) = amp.parseString(inString)
        return _stringsToObjects(box, self.fields, proto)


def _in_set(items):
    return lambda value: value in items


def _not_in_set(items):
    return lambda value: value not in items


def _range(start, end, over=False, under=False):
    def holds(value):
        if value != value:
            return False
        if start is not None and not (value > start if over else value >= start):
            return False
        return end is None or (value < end if under else value <= end)

    return holds


def _length(start, end, over=False, under=False):
    within = _range(start, end, over, under)
    return lambda value: within(len(value))


def _length_in_bytes(start, end, over=False, under=False):
    within = _range(start, end, over, under)
    return lambda value: within(len(value.encode("utf-8")))


def _pattern(pattern):
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _each(holds):
    return lambda values: all(map(holds, values))
