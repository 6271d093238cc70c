"""A real ampoule pool whose children are not Python: pool.py EXECUTABLE ARGUMENT..

Prints what the children answer, and how each ended when the pool was stopped.
"""

import os
import sys
import time

from ampoule import commands, main, pool
from twisted.internet import reactor, task
from twisted.protocols.amp import AMP

# An orphan must not stay.
reactor.callLater(600, os._exit, 1)

ended = []


class Starter(main.ProcessStarter):
    """Starts the executable with the descriptors that ampoule gives its own children."""

    def startAMPProcess(self, ampChild, ampParent=None, ampChildArgs=()):
        connector = main.AMPConnector((ampParent or AMP)())
        descriptors = {0: "w", 1: "r", 2: "r", main.TO_CHILD: "w", main.FROM_CHILD: "r"}
        reactor.spawnProcess(connector, sys.argv[1], sys.argv[1:], os.environ, childFDs=descriptors)
        connector.finished.addBoth(self.note)
        return connector.amp, connector.finished

    def note(self, result):
        ended.append("well" if result == "" else result.getErrorMessage())
        return result


async def run(reactor):
    workers = pool.ProcessPool(min=2, max=2, starter=Starter())
    await workers.start()
    for _ in range(3):
        print(await workers.doWork(commands.Ping))
    print(await workers.doWork(commands.Echo, data=b"\x00\xff"))
    start = time.monotonic()
    await workers.stop()
    print(f"stopped in {time.monotonic() - start:.3f} s", file=sys.stderr)
    print(*ended)


task.react(run)
