"""One of several workers: what it hears from its parent and tells it, and which connections it leaves to the others."""

from __future__ import annotations

import os
import signal
import socket
import time
from mmap import mmap
from threading import Thread

from secure_mcp_gateway.cli.listening import WORKER
from secure_mcp_gateway.store.siblings import Siblings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.web.server import WebServer

# Of one byte each, so that none ever comes in two parts. Orders of the parent, and what it is told.
STOP, STOP_NOW, RELOAD = b"s", b"n", b"r"
SERVES, AWAY = b"+", b"-"
# Seconds. One that was held back for so long and not taken, because the other worker is stuck, is taken, and for a while none is held
# back then. Between the questions about one and the same connection there is less than the gap.
_HELD_BACK, _IMPATIENT, _GAP = 0.05, 0.25, 0.05


def role_of(link: int, scoreboard: int, number: int) -> str:
    return f"{WORKER},{link},{scoreboard},{number}"


class Scoreboard:
    """Seen by all workers: for each the number of its connections and one more, or 0 for one that does not serve; then for each the
    number of its rewrites of the store."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        numbers = memoryview(mmap(descriptor, 0)).cast("I")
        self.counts, self.rewrites = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]

    def least(self) -> int:
        return min(filter(None, self.counts), default=0)


def new_scoreboard(count: int) -> Scoreboard:
    """Of nothing but memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("workers")
    else:
        from tempfile import TemporaryFile

        with TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, 2 * 4 * count)
    return Scoreboard(descriptor)


class Worker:
    """Orders wait in the link while a worker is starting, when a signal would kill it; the link's end is the parent's death."""

    def __init__(self, role: str) -> None:
        link, scoreboard, number = map(int, role.split(",")[1:])
        self._link = socket.socket(fileno=link)
        self._scoreboard = Scoreboard(scoreboard)
        self._number = number
        self._asked = self._held_back_since = self._impatient_until = 0.0
        self.siblings = Siblings(self._scoreboard.rewrites, self._number)

    def tell(self, stage: str) -> None:
        """As the observer of a ``WebServer``."""
        if stage == "READY":
            self.count(0)
        try:
            self._link.send(SERVES if stage == "READY" else AWAY)
        except OSError:
            pass  # the parent is gone, which is heeded where its orders are

    def holds_back(self, count: int) -> bool:
        """Whether another worker, that has fewer connections than these by more than one, may take the next: all wake for each new one,
        and who is the fastest now would be the slowest later."""
        self.count(count)
        asked, self._asked = self._asked, time.monotonic()
        if count <= self._scoreboard.least() or self._asked < self._impatient_until:
            self._held_back_since = 0.0
            return False
        if not self._held_back_since or self._asked - asked > _GAP:
            self._held_back_since = self._asked
        if self._asked - self._held_back_since < _HELD_BACK:
            return True
        self._impatient_until = self._asked + _IMPATIENT
        return False

    def count(self, count: int) -> None:
        """So many connections there are."""
        self._scoreboard.counts[self._number] = count + 1

    def heed(self, server: WebServer) -> None:
        self._orders = Thread(target=self._obey, args=(server,), name="orders", daemon=True)
        self._orders.start()
        # A service manager may send its signals to the parent and to each worker: here a second one hurries nobody.
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        signal.signal(signal.SIGINT, lambda *_: server.stop())
        signal.signal(signal.SIGHUP, lambda *_: server.reload_tls())

    def part(self) -> None:
        """Hears no more orders: up to Python 3.10 a thread that ends while the interpreter does can take the process down with it. The
        link itself stays as long as the process, for its end is that of the process to the parent."""
        try:
            self._link.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # the parent is gone, which was the last that was heard
        self._orders.join()
        self._link.detach()

    def _obey(self, server: WebServer) -> None:
        actions = {STOP: server.stop, STOP_NOW: server.stop_now, RELOAD: server.reload_tls}
        while True:
            order = self._order()
            actions.get(order, server.stop)()
            if not order:
                return

    def _order(self) -> bytes:
        """Nothing where the parent is gone."""
        try:
            return self._link.recv(1)
        except OSError:
            return b""
