"""An unmodified Twisted peer, in either role, under the orders of a test.

    peer.py listen tcp:0:interface=127.0.0.1      peer.py connect tcp:127.0.0.1:PORT
    peer.py spawn EXECUTABLE ARGUMENT..           peer.py stdio

The test writes Python expressions, one a line, to the standard input and reads for each one line: what it gave, as
`repr` shows it, or the name and the text of its exception. The process ends when its standard input is closed.
With `spawn` the other end is a child process, whose output is AMP after a line `AMP`. With `stdio` the standard
streams are the AMP connection, and orders come as the command `Evaluate`.
"""

import os
import sys

from twisted.internet import reactor, stdio
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import ProcessEndpoint, clientFromString, connectProtocol, serverFromString
from twisted.internet.protocol import Factory
from twisted.protocols.amp import Boolean, Command, Float, Integer, Unicode
from twisted.protocols.basic import LineReceiver

# Not all of these are named here, but the tests name them.
from commands import *
from custom import ipaddress
from generated import learn, learned, noted
from responders import BROKEN, Responders, connections, held, notes
from streams import *

# Nobody's test runs longer; an orphan must not stay.
reactor.callLater(600, reactor.stop)


class Evaluate(Command):
    arguments = [(b"expression", Unicode())]
    response = [(b"shown", Unicode())]


class Peer(Streams):
    def connectionLost(self, reason):
        super().connectionLost(reason)
        if sys.argv[1] == "stdio" and reactor.running:
            reactor.stop()

    @Evaluate.responder
    def evaluate(self, expression):
        return maybeDeferred(evaluate, expression).addCallbacks(repr, failed).addCallback(lambda it: {"shown": it})


class Pipes:
    """A child's pipes with the two methods that AMP wants of a transport and Twisted leaves out."""

    def __init__(self, process):
        self.process = process

    def __getattr__(self, name):
        return getattr(self.process, name)

    def getPeer(self):
        return "a child"

    getHost = getPeer


class Parent(Peer):
    """A peer of a child process that has something else to say first."""

    before = b""

    def makeConnection(self, transport):
        super().makeConnection(Pipes(transport))

    def dataReceived(self, data):
        if self.before is not None:
            self.before += data
            _, marker, data = self.before.partition(b"AMP\n")
            if not marker:
                return
            self.before = None
        super().dataReceived(data)


def call(command, **arguments):
    """Calls the other end of the newest connection."""
    return connections[-1].callRemote(command, **arguments)


def settle(deferreds):
    """What all of them came to, in their order."""
    return gatherResults([deferred.addErrback(failed) for deferred in deferreds])


def lost():
    """Why the newest connection was lost, once it is."""
    there = Deferred()

    def look(peer=connections[-1]):
        there.callback(peer.lost[0]) if peer.lost else reactor.callLater(0.01, look)

    look()
    return there


def release():
    """Answers what is held."""
    for deferred in held:
        deferred.callback({})
    return len(held)


def accepts(type, texts, show=str):
    """For each text what the argument type makes of it, as text, or None."""

    def accept(text):
        try:
            return show(type.fromString(text))
        except Exception:
            return None

    return [accept(text) for text in texts]


def failed(failure):
    return f"{failure.type.__name__}: {failure.getErrorMessage()}"


def evaluate(expression):
    return eval(expression, globals())


class Orders(LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def lineReceived(self, line):
        maybeDeferred(evaluate, line.decode()).addCallbacks(repr, failed).addCallback(self.say)

    def say(self, text):
        self.sendLine(text.replace("\n", " ").encode())

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


def main(role, place=None, *arguments):
    if role == "stdio":
        stdio.StandardIO(Peer())
    else:
        orders = Orders()
        stdio.StandardIO(orders)
        if role == "listen":
            ready = serverFromString(reactor, place).listen(Factory.forProtocol(Peer))
            ready.addCallback(lambda port: orders.say(str(getattr(port.getHost(), "port", ""))))
        elif role == "spawn":
            child = ProcessEndpoint(reactor, place, [place, *arguments], env=os.environ)
            ready = connectProtocol(child, Parent())
            ready.addCallback(lambda peer: orders.say("connected"))
        else:
            ready = connectProtocol(clientFromString(reactor, place), Peer())
            ready.addCallback(lambda peer: orders.say("connected"))
        ready.addErrback(lambda failure: orders.say(failed(failure)))
    reactor.run()


main(*sys.argv[1:])
