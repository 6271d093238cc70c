"""An unmodified Twisted peer, in either role, under the orders of a test.

    peer.py listen tcp:0:interface=127.0.0.1      peer.py connect tcp:127.0.0.1:PORT      peer.py stdio

The test writes Python expressions, one a line, to the standard input and reads for each one line: what it gave, as
`repr` shows it, or the name and the text of its exception. The process ends when its standard input is closed.
With `stdio` the standard streams are the AMP connection, and orders come as the command `Evaluate`.
"""

import sys

from twisted.internet import reactor, stdio
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import clientFromString, connectProtocol, serverFromString
from twisted.internet.protocol import Factory
from twisted.protocols import amp
from twisted.protocols.amp import Boolean, Command, Float, Integer, Unicode
from twisted.protocols.basic import LineReceiver

import commands
from commands import *
from custom import ipaddress  # noqa: F401 (tests name it)

# Nobody's test runs longer; an orphan must not stay.
reactor.callLater(600, reactor.stop)

connections = []
held = []
gathered = []
notes = []


class Evaluate(Command):
    arguments = [(b"expression", Unicode())]
    response = [(b"shown", Unicode())]


class Peer(amp.AMP):
    def connectionMade(self):
        super().connectionMade()
        self.lost = []
        connections.append(self)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.lost.append(reason.type.__name__)
        if sys.argv[1] == "stdio" and reactor.running:
            reactor.stop()

    @Sum.responder
    def sum(self, a, b):
        return {"total": a + b}

    @Divide.responder
    def divide(self, numerator, denominator):
        if denominator == 0:
            raise ZeroDivisionError("division by zero")
        return {"result": numerator / denominator}

    @Fail.responder
    def fail(self, kind, text):
        raise getattr(commands, kind)(text)

    @Crash.responder
    def crash(self):
        raise RuntimeError("the peer must not see this text")

    @Hold.responder
    def hold(self):
        held.append(Deferred())
        return held[-1]

    @Gather.responder
    def gather(self, number, most):
        gathered.append(Deferred().addCallback(lambda _: {"number": number}))
        answer = gathered[-1]
        if len(gathered) == most:
            waiting = gathered[::-1]
            gathered.clear()
            for deferred in waiting:
                reactor.callLater(0, deferred.callback, None)
        return answer

    @Note.responder
    def note(self, text):
        notes.append(text)
        return {}

    @Notes.responder
    def notes(self):
        return {"texts": notes}

    @Perhaps.responder
    def perhaps(self, **arguments):
        return arguments

    @Names.responder
    def names(self, **arguments):
        return arguments

    @Blob.responder
    def blob(self, data):
        return {"length": len(data)}

    @Grow.responder
    def grow(self, length):
        return {"data": b"x" * length}

    @CallBack.responder
    def callBack(self, number):
        return self.callRemote(Sum, a=number, b=number)

    @Floats.responder
    def floats(self, values):
        return {"values": values}

    @Big.responder
    def big(self, number):
        return {"number": number}

    @Everything.responder
    def everything(self, **arguments):
        return {"seen": shown(arguments)}

    @Produce.responder
    def produce(self):
        return dict(SAMPLE)

    @Custom.responder
    def custom(self, **arguments):
        return arguments

    def amp_QUIT(self, box):
        return amp.QuitBox()

    @Evaluate.responder
    def evaluate(self, expression):
        return maybeDeferred(evaluate, expression).addCallbacks(repr, failed).addCallback(lambda it: {"shown": it})


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


def shown(arguments):
    """Arguments in a fixed order."""
    return repr(sorted(arguments.items()))


def accepts(type, texts):
    """For each text what the argument type makes of it, as text, or None."""

    def accept(text):
        try:
            return str(type.fromString(text))
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


def main(role, place=None):
    if role == "stdio":
        stdio.StandardIO(Peer())
    else:
        orders = Orders()
        stdio.StandardIO(orders)
        if role == "listen":
            ready = serverFromString(reactor, place).listen(Factory.forProtocol(Peer))
            ready.addCallback(lambda port: orders.say(str(getattr(port.getHost(), "port", ""))))
        else:
            ready = connectProtocol(clientFromString(reactor, place), Peer())
            ready.addCallback(lambda peer: orders.say("connected"))
        ready.addErrback(lambda failure: orders.say(failed(failure)))
    reactor.run()


main(*sys.argv[1:])
