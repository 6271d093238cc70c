# Written by amp-rpc from the Rust declarations of the commands. Change those, not this file.
"""AMP commands for Twisted, with the constraints of their Rust declarations."""

import re
import warnings
from contextlib import contextmanager
from functools import wraps

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.protocols import amp
from twisted.protocols.amp import _objectsToStrings, _stringsToObjects, _wireNameToPythonIdentifier

_log = Logger()


class ConstraintError(ValueError):
    """A value is not what the command's declaration allows. Names the first place and the rule, never the value."""

    def __init__(self, place, words):
        super().__init__("%s: %s" % (place, words))
        self.place = place
        self.words = words


class InvalidArgument(Exception):
    """The peer refused an argument: it does not decode, or it breaks a constraint."""


@contextmanager
def _within(place):
    """Adds the place to what is found wrong there."""
    try:
        yield
    except ConstraintError as error:
        dot = "" if error.place[:1] in ("", "[") else "."
        raise ConstraintError(place + dot + error.place, error.words) from error.__cause__


class _Command(amp.Command):
    """A command of which a bad ask, or a bad answer, costs one call, where Twisted would end the connection."""

    invalidArgument = b"INVALID_ARGUMENT"

    @classmethod
    def responder(cls, method):
        @wraps(method)
        def respond(self, /, **arguments):
            # A refused ask that wants no answer never has one.
            return Deferred() if "_refused" in arguments else method(self, **arguments)

        super().responder(respond)
        return method

    @classmethod
    def parseArguments(cls, box, protocol):
        try:
            return super().parseArguments(box, protocol)
        except ConstraintError as error:
            _log.warn("refused an ask for {command}: {error}", command=cls.__name__, error=error)
            if amp.ASK not in box:
                return {"_refused": error}
            raise amp.RemoteAmpError(cls.invalidArgument, str(error)) from error

    @classmethod
    def makeResponse(cls, objects, protocol):
        try:
            return super().makeResponse(objects, protocol)
        except ConstraintError as error:
            _log.error("a responder of {command} failed: {error}", command=cls.__name__, error=error)
            return fail(amp.RemoteAmpError(amp.UNKNOWN_ERROR_CODE, "Unknown Error"))


class _Name(bytes):
    """A name on the wire that is called otherwise in Python, where Twisted would call it what Python does not take."""

    def __new__(cls, name, python):
        self = super().__new__(cls, name)
        self.python = python
        return self

    def replace(self, *_):
        # This is how Twisted begins to make a name for Python of it.
        return self.python


class _Field:
    """An argument with rules, each a text and a predicate; they are checked when it is sent and when it is received."""

    def __init__(self, argument, *rules, default=None, aliases=()):
        self.argument = argument
        self.optional = argument.optional
        self.rules = rules
        self.default = default
        self.aliases = aliases

    def toBox(self, name, strings, objects, proto):
        with _within(name.decode("utf-8")):
            python = _wireNameToPythonIdentifier(name)
            if self.default is not None and objects.get(python) is None:
                # A default is written, so that a receiver that needs the argument has it.
                objects = dict(objects)
                self.argument.fromBox(name, {self._first(name): self.default}, objects, proto)
            self._check(objects.get(python))
            self.argument.toBox(name, strings, objects, proto)

    def fromBox(self, name, strings, objects, proto):
        with _within(name.decode("utf-8")):
            strings = self._given(name, strings)
            if not self.optional and self._first(name) not in strings:
                raise ConstraintError("", "missing")
            try:
                self.argument.fromBox(name, strings, objects, proto)
            except ConstraintError:
                raise
            except Exception as error:
                raise ConstraintError("", "does not decode") from error
            self._check(objects[_wireNameToPythonIdentifier(name)])

    def _given(self, name, strings):
        """The argument under its own name, whichever it came with; an absent one is its default."""
        if not self.aliases and self.default is None:
            return strings
        given = [key for key in (name, *self.aliases) if self._is_there(key, strings)]
        if len(given) > 1:
            raise ConstraintError("", "given twice, as %s and as %s" % tuple(key.decode("utf-8") for key in given[:2]))
        if given:
            return self._renamed(given[0], name, strings)
        return strings if self.default is None else {**strings, self._first(name): self.default}

    def _renamed(self, given, name, strings):
        if not isinstance(self.argument, _Big):
            return {**strings, name: strings[given]}
        parts = [key for key in strings if self.argument.has(key, given)]
        return {**strings, **{name + key[len(given) :]: strings[key] for key in parts}}

    def _is_there(self, name, strings):
        if not isinstance(self.argument, _Big):
            return name in strings
        # A part that is lost is missed, and makes no empty value.
        return any(self.argument.has(key, name) for key in strings)

    def _first(self, name):
        return self.argument.first(name) if isinstance(self.argument, _Big) else name

    def _check(self, value):
        if value is None:
            return
        for words, rule in self.rules:
            for place in _broken(rule, value):
                raise ConstraintError(place, words)


class _Box(amp.Argument):
    """One box within a value."""

    def __init__(self, fields, optional=False):
        super().__init__(optional)
        self.fields = fields

    def toStringProto(self, inObject, proto):
        return _objectsToStrings(inObject, self.fields, amp.Box(), proto).serialize()

    def fromStringProto(self, inString, proto):
        (box,) = amp.parseString(inString)
        return _stringsToObjects(box, self.fields, proto)

    # In a `ListOf` there is no protocol.
    def toString(self, inObject):
        return self.toStringProto(inObject, None)

    def fromString(self, inString):
        return self.fromStringProto(inString, None)


class _AmpList(_Box):
    """Boxes within a value, as `amp.AmpList`; the one that is wrong is named."""

    def toStringProto(self, inObject, proto):
        boxes = []
        for index, item in enumerate(inObject):
            with _within("[%d]" % index):
                boxes.append(super().toStringProto(item, proto))
        return b"".join(boxes)

    def fromStringProto(self, inString, proto):
        items = []
        for index, box in enumerate(amp.parseString(inString)):
            with _within("[%d]" % index):
                items.append(_stringsToObjects(box, self.fields, proto))
        return items


class _Variants(dict):
    """The codes of an enum, each with its fields; others are kept where the declaration says so."""

    def __init__(self, tag, other):
        super().__init__()
        self.tag = tag
        self.other = other

    def known(self, code):
        if code not in self and not self.other:
            raise ConstraintError("", "not one of %s" % ", ".join(self))
        return code


class _Enum(amp.Unicode):
    """A text that is the code of a variant."""

    def __init__(self, variants, optional=False):
        super().__init__(optional)
        self.variants = variants

    def toString(self, inObject):
        return super().toString(self.variants.known(inObject))

    def fromString(self, inString):
        return self.variants.known(super().fromString(inString))


class _Tagged(_Box):
    """One box within a value: the code of a variant under one key, and the fields of that variant."""

    def __init__(self, variants, optional=False):
        super().__init__(None, optional)
        self.variants = variants

    def toStringProto(self, inObject, proto):
        tag = self.variants.tag
        with _within(tag.decode("utf-8")):
            if tag.python not in inObject:
                raise ConstraintError("", "missing")
            code = self.variants.known(inObject[tag.python])
        box = amp.Box({bytes(tag): code.encode("utf-8")})
        return _objectsToStrings(inObject, self.variants.get(code, []), box, proto).serialize()

    def fromStringProto(self, inString, proto):
        (box,) = amp.parseString(inString)
        return self._read(box, proto)

    def _read(self, box, proto):
        tag = self.variants.tag
        with _within(tag.decode("utf-8")):
            if tag not in box:
                raise ConstraintError("", "missing")
            code = self.variants.known(box[tag].decode("utf-8"))
        return {tag.python: code, **_stringsToObjects(box, self.variants.get(code, []), proto)}


class _TaggedList(_Tagged):
    """Such boxes one behind the other; the one that is wrong is named."""

    def toStringProto(self, inObject, proto):
        boxes = []
        for index, item in enumerate(inObject):
            with _within("[%d]" % index):
                boxes.append(super().toStringProto(item, proto))
        return b"".join(boxes)

    def fromStringProto(self, inString, proto):
        items = []
        for index, box in enumerate(amp.parseString(inString)):
            with _within("[%d]" % index):
                items.append(self._read(box, proto))
        return items


class _Big(amp.Argument):
    """A value over several keys: `name`, `name.2`, ..., or `name.0`, `name.1`, ..., where an empty value has none."""

    def __init__(self, argument, maximum, start, empty=False, optional=False):
        super().__init__(optional)
        self.argument = argument
        self.maximum = maximum
        self.start = start
        # Whether no key at all is an empty value.
        self.empty = empty
        self.numbers = re.compile(rb"[2-9]|[1-9][0-9]+" if start else rb"0|[1-9][0-9]*")

    def first(self, name):
        return name if self.start else name + b".0"

    def keys(self, name):
        """The keys in their order, without an end."""
        yield self.first(name)
        number = self.start or 1
        while True:
            yield b"%s.%d" % (name, number)
            number += 1

    def has(self, key, name):
        """Whether a key is one of those of a value."""
        if key == name:
            return bool(self.start)
        begin = name + b"."
        return key.startswith(begin) and self.numbers.fullmatch(key[len(begin) :]) is not None

    def toBox(self, name, strings, objects, proto):
        value = self.retrieve(objects, _wireNameToPythonIdentifier(name), proto)
        if value is None and self.optional:
            return
        whole = self.argument.toStringProto(value, proto)
        self._limit(whole)
        if not whole and not self.start:
            return
        at = 0
        for key in self.keys(name):
            strings[key] = whole[at : at + amp.MAX_VALUE_LENGTH]
            at += amp.MAX_VALUE_LENGTH
            if at >= len(whole):
                break

    def fromBox(self, name, strings, objects, proto):
        parts = []
        for key in self.keys(name):
            if key not in strings:
                break
            parts.append(strings.pop(key))
        if any(self.has(other, name) for other in strings):
            raise ConstraintError("", "its part %s is missing, and later ones are there" % key.decode("utf-8"))
        whole = b"".join(parts)
        self._limit(whole)
        is_there = parts or self.empty
        objects[_wireNameToPythonIdentifier(name)] = self.argument.fromStringProto(whole, proto) if is_there else None

    def _limit(self, whole):
        if len(whole) > self.maximum:
            raise ConstraintError("", "%d bytes where %d is the declared maximum" % (len(whole), self.maximum))


class _each:
    """A rule for every item of a list."""

    def __init__(self, rule):
        self.rule = rule


def _broken(rule, value, place=""):
    """Where in a value a rule does not hold."""
    if isinstance(rule, _each):
        for index, item in enumerate(value):
            yield from _broken(rule.rule, item, "%s[%d]" % (place, index))
    elif not rule(value):
        yield place


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
    """A regular expression of Rust's. What Python reads in another way, or not at all, is left to the Rust end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = None if re.search(r"\\[<>]|\\[bB]\{|[+*?}]\+", pattern) else re.compile(pattern)
    except (re.error, Warning):
        compiled = None
    # What is a letter, a digit or a space beyond ASCII differs, and so does what is its upper case.
    ascii_only = re.search(r"\\[wWdDsSbB]|\(\?[a-z]*i", pattern)
    return lambda value: (
        compiled is None or (ascii_only and not value.isascii()) or compiled.fullmatch(value) is not None
    )
