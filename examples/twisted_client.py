"""Calls Sum and Divide from Twisted: python twisted_client.py [port]. Needs the package Twisted."""

import sys

from twisted.internet import defer, task
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.protocols import amp

from twisted_server import Divide, Sum


async def main(reactor, port="1234"):
    peer = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", int(port)), amp.AMP())
    print("13 + 81 =", (await peer.callRemote(Sum, a=13, b=81))["total"])
    print("7 / 2 =", (await peer.callRemote(Divide, numerator=7, denominator=2))["result"])
    try:
        await peer.callRemote(Divide, numerator=1234, denominator=0)
    except ZeroDivisionError as error:
        print("1234 / 0 is refused:", error)


task.react(lambda *args: defer.ensureDeferred(main(*args)), sys.argv[1:])
