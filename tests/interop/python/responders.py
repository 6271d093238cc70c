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


# For each rule of the twin of `Give` a value that breaks it.
BROKEN = {
    "in_set_of_an_array": "c",
    "in_set_of_a_constant": 22,
    "in_set_of_a_function": 22,
    "not_in_set": -1,
    "range": 10,
    "range_of_floats": 0.5,
    "range_without_nan": float("nan"),
    "length_of_bytes": b"xyz",
    "length_of_text": "\u00e4\u00f6\u00fc\u00df",
    "length_of_a_list": [1, 2],
    "length_in_bytes": "\u00e4\u00f6",
    "pattern": "a1",
    "non_empty": "",
    "with_a_function": 3,
    "with_a_parameter": 12,
    "each": [1, 0],
    "nested_box": {"port": 0},
    "amp_list": [{"port": 1}, {"port": 0}],
}


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

    @Guarded.responder
    def guarded(self, **arguments):
        return {}

    @Give.responder
    def give(self, rule):
        return {rule: BROKEN[rule]} if rule else {}

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

    @Decimals.responder
    def decimals(self, values):
        return {"values": values}

    @Times.responder
    def times(self, values):
        return {"values": values}

    @Paths.responder
    def paths(self, values):
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

    @Large.responder
    def large(self, **arguments):
        return arguments

    def amp_QUIT(self, box):
        return amp.QuitBox()
