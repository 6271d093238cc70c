"""Argument types as people have written them for Twisted (`wire.md` rule 57); their twins in Rust are in `custom.rs`."""

import ipaddress
import json
import zlib

from twisted.protocols.amp import AmpList, Argument, IArgumentType
from zope.interface import implementer

MAX = 65535


@implementer(IArgumentType)
class Numbered:
    """Bytes of any length over `x`, `x.2`, `x.3`, ... (amp-protocol.net's BigString)."""

    def __init__(self, size=MAX):
        self.size = size

    def toBox(self, name, strings, objects, proto):
        value = objects.pop(name.decode())
        strings[name] = value[: self.size]
        for number, start in enumerate(range(self.size, len(value), self.size), start=2):
            strings[b"%s.%d" % (name, number)] = value[start : start + self.size]

    def fromBox(self, name, strings, objects, proto):
        parts, number = [strings.pop(name)], 2
        while (key := b"%s.%d" % (name, number)) in strings:
            parts.append(strings.pop(key))
            number += 1
        objects[name.decode()] = b"".join(parts)


@implementer(IArgumentType)
class Dotted:
    """Bytes of any length over `x.0`, `x.1`, ...; no bytes are no keys (Flocker, CalendarServer)."""

    def __init__(self, size=MAX):
        self.size = size

    def toBox(self, name, strings, objects, proto):
        value = objects.pop(name.decode())
        for number, start in enumerate(range(0, len(value), self.size)):
            strings[b"%s.%d" % (name, number)] = value[start : start + self.size]

    def fromBox(self, name, strings, objects, proto):
        parts = []
        while (key := b"%s.%d" % (name, len(parts))) in strings:
            parts.append(strings.pop(key))
        objects[name.decode()] = b"".join(parts)


class Zipped(AmpList):
    """An AmpList, deflated."""

    def toStringProto(self, inObject, proto):
        return zlib.compress(super().toStringProto(inObject, proto))

    def fromStringProto(self, inString, proto):
        return super().fromStringProto(zlib.decompress(inString), proto)


class Nested(AmpList):
    """One box."""

    def toStringProto(self, inObject, proto):
        return super().toStringProto([inObject], proto)

    def fromStringProto(self, inString, proto):
        (box,) = super().fromStringProto(inString, proto)
        return box


class Json(Argument):
    """JSON, deflated (MAAS)."""

    def toString(self, inObject):
        return zlib.compress(json.dumps(inObject).encode())

    def fromString(self, inString):
        return json.loads(zlib.decompress(inString))


class Address(Argument):
    """An IP address as its 4 or 16 bytes."""

    def toString(self, inObject):
        return inObject.packed

    def fromString(self, inString):
        return ipaddress.ip_address(inString)
