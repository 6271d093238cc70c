

class _Text(amp.Unicode):
    """A value of another type as its text."""

    def __init__(self, read, optional=False):
        super().__init__(optional)
        self.read = read

    def toString(self, inObject):
        return super().toString(str(self.read(str(inObject))))

    def fromString(self, inString):
        return self.read(super().fromString(inString))


class _Octets(amp.Argument):
    """An IP address as its 4 or 16 bytes."""

    def __init__(self, read, optional=False):
        super().__init__(optional)
        self.read = read

    def toString(self, inObject):
        return self.read(str(inObject)).packed

    def fromString(self, inString):
        return self.read(inString)


def _socket_address(text):
    """`127.0.0.1:80` or `[::1]:80`: checked, and left as text."""
    host, _, port = text.rpartition(":")
    if host[:1] + host[-1:] == "[]":
        ipaddress.IPv6Address(host[1:-1])
    else:
        ipaddress.IPv4Address(host)
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise ValueError("not a port")
    return text
