"""The ends of the benchmark in Twisted.

twisted_peer.py serve CPU                                                   prints its port; ends with its input
twisted_peer.py call CPU PORT CONNECTIONS IN_FLIGHT PAYLOAD WARM_UP_MS MS   prints calls a second
"""

import os
import sys
import time

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.protocols import amp


class Sum(amp.Command):
    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


class Echo(amp.Command):
    arguments = [(b"value", amp.String())]
    response = [(b"value", amp.String())]


class Calculator(amp.AMP):
    def connectionMade(self):
        self.transport.setTcpNoDelay(True)
        super().connectionMade()

    @Sum.responder
    def sum(self, a, b):
        return {"total": a + b}

    @Echo.responder
    def echo(self, value):
        return {"value": value}


def fail(failure):
    """Ends the process at once: nothing measured counts."""
    failure.printTraceback(sys.stderr)
    sys.stderr.flush()
    os._exit(1)


class Caller:
    """One call out at a time."""

    answered = 0

    def __init__(self, peer, number, payload):
        self.peer, self.turn, self.second = peer, 0, 10 + number % 64
        self.value = bytes(at % 251 for at in range(payload))

    def call(self):
        if self.value:
            call = self.peer.callRemote(Echo, value=self.value)
        else:
            self.first = 10 + self.turn % 90
            self.turn += 1
            call = self.peer.callRemote(Sum, a=self.first, b=self.second)
        call.addCallback(self.check).addErrback(fail)

    def check(self, answer):
        right = {"value": self.value} if self.value else {"total": self.first + self.second}
        if answer != right:
            raise AssertionError("a wrong answer")
        Caller.answered += 1
        self.call()


def call(port, connections, in_flight, payload, warm_up, milliseconds):
    def connected(peer):
        for number in range(in_flight):
            Caller(peer, number, payload).call()

    def start():
        reactor.callLater(milliseconds / 1000, end, time.monotonic(), Caller.answered)

    def end(began, answered):
        print((Caller.answered - answered) / (time.monotonic() - began), flush=True)
        os._exit(0 if answered else 1)

    for _ in range(connections):
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        connectProtocol(endpoint, Calculator()).addCallback(connected).addErrback(fail)
    reactor.callLater(warm_up / 1000, start)


if __name__ == "__main__":
    mode, cpu, *numbers = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    if mode == "call":
        call(*map(int, numbers))
    else:
        port = reactor.listenTCP(0, Factory.forProtocol(Calculator), backlog=256, interface="127.0.0.1")
        print(port.getHost().port, flush=True)
        # Nobody holds our input any more: the benchmark is over.
        reactor.callInThread(lambda: (sys.stdin.read(), os._exit(0)))
    reactor.run()
