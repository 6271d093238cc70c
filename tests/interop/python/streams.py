"""Streams over AMP as txampext has them on the wire (`wire.md` section 3): protocols behind a transport that calls back.

As careless as txampext: nobody looks at what becomes of a Transmit or a Disconnect, so that any error in answer to them
ends the whole connection, and a Disconnect for an id that is unknown is an error that was never declared.
"""

import hashlib
import uuid

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.amp import Command, String, Unicode

from responders import Responders, connections

MAX = 65535
TEN_MEGABYTES = 10_000_000


class NoSuchFactory(Exception):
    pass


class ConnectionRefused(Exception):
    pass


class NoSuchConnection(Exception):
    pass


class Connect(Command):
    arguments = [(b"factory", Unicode())]
    response = [(b"connection", String())]
    errors = {NoSuchFactory: b"NO_SUCH_FACTORY", ConnectionRefused: b"CONNECTION_REFUSED"}


class Transmit(Command):
    arguments = [(b"connection", String()), (b"data", String())]
    errors = {NoSuchConnection: b"NO_SUCH_CONNECTION"}


class Disconnect(Command):
    arguments = [(b"connection", String())]
    errors = {NoSuchConnection: b"NO_SUCH_CONNECTION"}


class Transport:
    """What a stream's protocol writes to."""

    disconnecting = False

    def __init__(self, peer, identifier):
        self.peer, self.identifier = peer, identifier

    def write(self, data):
        for start in range(0, len(data), MAX):
            self.peer.callRemote(Transmit, connection=self.identifier, data=data[start : start + MAX])

    def writeSequence(self, parts):
        self.write(b"".join(parts))

    def loseConnection(self):
        self.disconnecting = True
        gone = self.peer.callRemote(Disconnect, connection=self.identifier)
        # Whatever the other end has sent by then comes before this.
        gone.addCallback(lambda _: self.peer.streams.pop(self.identifier, None))

    def getPeer(self):
        return self.peer.transport.getPeer()

    def getHost(self):
        return self.peer.transport.getHost()


def pattern(length):
    """Bytes that show when a part of them is missing, twice there or out of place."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


class Listener(Protocol):
    """Counts, hashes and keeps the beginning of what comes."""

    def __init__(self):
        self.count, self.head, self.hash, self.why, self.waiting = 0, b"", hashlib.sha256(), None, []

    def dataReceived(self, data):
        self.count += len(data)
        self.head = (self.head + data)[:100]
        self.hash.update(data)
        self.look()

    def connectionLost(self, reason):
        self.why = reason if isinstance(reason, str) else reason.type.__name__
        self.look()

    def look(self):
        for wanted, deferred in self.waiting[:]:
            if wanted():
                self.waiting.remove((wanted, deferred))
                deferred.callback(self)

    def when(self, wanted):
        self.waiting.append((wanted, Deferred()))
        deferred = self.waiting[-1][1]
        self.look()
        return deferred

    def heard(self, count):
        """What came, once that much has."""
        return self.when(lambda: self.count >= count).addCallback(lambda _: self.head)

    def digest(self, count):
        return self.when(lambda: self.count >= count).addCallback(lambda _: (self.count, self.hash.hexdigest()))

    def ended(self):
        """Why it ended, once it has."""
        return self.when(lambda: self.why).addCallback(lambda _: self.why)


class Echo(Listener):
    def dataReceived(self, data):
        super().dataReceived(data)
        self.transport.write(data)


class Banner(Echo):
    """Speaks first, which is before the answer to Connect."""

    def connectionMade(self):
        self.transport.write(b"220 ready\r\n")


class Bye(Listener):
    """Speaks first and leaves, both before the answer to Connect."""

    def connectionMade(self):
        self.transport.write(b"221 bye\r\n")
        self.transport.loseConnection()


class Late(Bye):
    """Goes on writing when it has left."""

    def connectionMade(self):
        super().connectionMade()
        self.transport.write(b"and another thing")


class Digest(Listener):
    """Says what ten megabytes hash to."""

    def dataReceived(self, data):
        super().dataReceived(data)
        if self.count == TEN_MEGABYTES:
            self.transport.write(self.hash.hexdigest().encode())


class Download(Listener):
    """Everything at once, however slow the reader; then the end."""

    def connectionMade(self):
        self.transport.write(pattern(TEN_MEGABYTES))
        self.transport.loseConnection()


class Chatter(Listener):
    """As `Download`, without an end."""

    def connectionMade(self):
        self.transport.write(pattern(TEN_MEGABYTES))


class Refusing(Factory):
    def buildProtocol(self, address):
        return None


kinds = (Listener, Echo, Banner, Bye, Late, Digest, Download, Chatter)
factories = {kind.__name__.lower(): Factory.forProtocol(kind) for kind in kinds}
factories["refusing"] = Refusing()
served = []
dialled = {}


class Streams(Responders):
    def connectionMade(self):
        super().connectionMade()
        self.streams = {}

    def connectionLost(self, reason):
        super().connectionLost(reason)
        for protocol in self.streams.values():
            protocol.connectionLost(reason)

    def begin(self, identifier, protocol):
        self.streams[identifier] = protocol
        protocol.makeConnection(Transport(self, identifier))
        return protocol

    @Connect.responder
    def connect(self, factory):
        if factory not in factories:
            raise NoSuchFactory()
        protocol = factories[factory].buildProtocol(self.transport.getPeer())
        if protocol is None:
            raise ConnectionRefused()
        identifier = uuid.uuid4().hex.encode()
        served.append(self.begin(identifier, protocol))
        return {"connection": identifier}

    @Transmit.responder
    def transmit(self, connection, data):
        if connection not in self.streams:
            raise NoSuchConnection()
        self.streams[connection].dataReceived(data)
        return {}

    @Disconnect.responder
    def disconnect(self, connection):
        self.streams.pop(connection).connectionLost("disconnected")
        return {}


def dial(factory, name="it"):
    """Opens a stream to a factory of the other end; it can be found as `dialled[name]`."""
    peer = connections[-1]

    def opened(response):
        dialled[name] = peer.begin(response["connection"], Listener())
        return len(response["connection"])

    return peer.callRemote(Connect, factory=factory).addCallback(opened)


def say(text, name="it"):
    dialled[name].transport.write(text)


def leave(name="it"):
    dialled[name].transport.loseConnection()


def serve_web():
    """Puts Twisted's web server under the name `hello`, as txampext's own example does."""
    # Few tests want it, and it takes its time.
    from twisted.web import resource, server

    class Hello(resource.Resource):
        isLeaf = True

        def render_GET(self, request):
            return b"Hello from the web server!"

        def render_PUT(self, request):
            return hashlib.sha256(request.content.read()).hexdigest().encode()

    factories["hello"] = server.Site(Hello())
