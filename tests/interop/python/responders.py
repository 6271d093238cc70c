"""The responders of the Twisted peer."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.protocols import amp

import commands
from commands import *

connections = []
held = []
gathered = []
notes = []


class Responders(amp.AMP):
    def connectionMade(self):
        super().connectionMade()
        self.lost = []
        connections.append(self)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.lost.append(reason.type.__name__)

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
