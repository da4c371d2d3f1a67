"""The connections of a server: their states, their deadlines, and who makes room for whom."""

from __future__ import annotations

import socket
import threading
import time
from math import inf

HANDSHAKE, IDLE, HEAD, BODY, BUSY, ANSWER, LINGER = range(7)
# Who connected just now has its first request on the way: closing over it would reset the connection.
_FIRST_REQUEST = 0.1
# Who sends its head or body, or takes its answer, this long is slow, and may make room for others.
_SLOW = 0.1


class Timeouts:
    """Seconds."""

    __slots__ = ("answer", "body", "drain", "handshake", "head", "idle", "linger")

    def __init__(
        self,
        head: float = 10.0,
        body: float = 60.0,
        answer: float = 60.0,
        idle: float = 75.0,
        drain: float = 10.0,
        handshake: float = 10.0,
        linger: float = 1.0,
    ) -> None:
        self.head = head
        self.body = body
        self.answer = answer
        self.idle = idle
        self.drain = drain
        self.handshake = handshake
        self.linger = linger

    def shortest(self) -> float:
        return min(self.answer, self.idle, self.handshake)


class Connection:
    """``since`` and ``deadline`` (monotonic) are those of the state. Only the connection's own thread changes the three."""

    __slots__ = ("deadline", "evicted", "idle_from", "peer", "secure", "since", "sock", "state")

    def __init__(self, sock: socket.socket, peer: str, secure: bool, deadline: float) -> None:
        self.sock = sock
        self.peer = peer
        self.secure = secure
        self.evicted = False
        self.since = time.monotonic()
        self.idle_from = self.since + _FIRST_REQUEST
        self.deadline = deadline
        self.state = HANDSHAKE if secure else IDLE

    def enter(self, state: int, deadline: float = inf) -> None:
        # In this order: whoever looks on must never see the old times with the new state.
        self.state = BUSY
        self.deadline = deadline
        self.since = time.monotonic()
        if state == HEAD:
            self.idle_from = 0.0
        self.state = state

    def rest(self, now: float, deadline: float) -> None:
        """Be idle for longer, after a request that left it so."""
        self.deadline = deadline
        self.since = now
        self.idle_from = 0.0

    def shut(self, how: int) -> None:
        """Wakes the connection's thread wherever it waits. ``SSLSocket.shutdown`` would drop the TLS state under it."""
        try:
            socket.socket.shutdown(self.sock, how)
        except OSError:
            pass  # already gone


class Connections:
    """All that are open. Whoever shuts one holds the lock, so that its descriptor cannot be another's meanwhile."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._leaving: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open) + len(self._leaving)

    def add(self, connection: Connection) -> None:
        with self._lock:
            self._open.add(connection)

    def remove(self, connection: Connection) -> None:
        with self._lock:
            self._open.discard(connection)
            self._leaving.discard(connection)

    def has_room(self) -> bool:
        return len(self._open) < self._most

    def make_room(self) -> bool:
        """Whether there is a place for a new connection, after evicting one if need be, never one whose request is being carried out."""
        with self._lock:
            if len(self._open) < self._most:
                return True
            now = time.monotonic()
            ranks = [(_rank(connection, now), connection.since, connection) for connection in self._open]
            found = min((each for each in ranks if each[0]), key=lambda each: each[:2], default=None)
            if found:
                self._evict(found[2])
                self._hurry(now)
        return found is not None

    def _evict(self, connection: Connection) -> None:
        connection.evicted = True
        self._open.discard(connection)
        self._leaving.add(connection)
        # Receiving only: should its request have come whole just now, it is still answered.
        connection.shut(socket.SHUT_RD)

    def _hurry(self, now: float) -> None:
        """An evicted connection has no place: it is not waited for until it takes its answer."""
        for connection in self._leaving:
            if connection.state == ANSWER and connection.since + _SLOW <= now:
                connection.shut(socket.SHUT_RDWR)

    def close_idle(self) -> None:
        now = time.monotonic()
        with self._lock:
            for connection in self._open | self._leaving:
                if connection.state in (IDLE, HANDSHAKE) and connection.idle_from <= now:
                    connection.shut(socket.SHUT_RD)

    def close_all(self) -> None:
        with self._lock:
            for connection in self._open | self._leaving:
                connection.shut(socket.SHUT_RDWR)

    def enforce_deadlines(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._hurry(now)
        self._shut({IDLE}, now, socket.SHUT_RD)
        self._shut({HANDSHAKE, ANSWER}, now, socket.SHUT_RDWR)

    def _shut(self, states: set[int], before: float, how: int) -> None:
        with self._lock:
            for connection in self._open | self._leaving:
                if connection.state in states and connection.deadline <= before:
                    connection.shut(how)


def _rank(connection: Connection, now: float) -> int:
    """Who makes room before whom, of one rank the longest so; 0 for who makes none."""
    state, slow = connection.state, connection.since + _SLOW <= now
    if state == IDLE:
        return int(connection.idle_from <= now)
    if state in (HANDSHAKE, HEAD, LINGER):
        return 2 * slow
    return 3 * slow if state in (BODY, ANSWER) else 0


class Reaper:
    """One thread that shuts what has passed its deadline while its own thread waits in a system call.

    Heads and bodies are not its business: their reader never waits beyond what is left of its time, and must still
    be able to receive after it has answered 408, to close without a reset.
    """

    def __init__(self, connections: Connections, pause: float) -> None:
        self._connections = connections
        self._pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause):
            self._connections.enforce_deadlines()
