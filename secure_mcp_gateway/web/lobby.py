"""Where connections wait for their next request: all in the one thread that accepts, which answers there what it can at once.

A thread for each would cost more than most answers do: the interpreter lets one thread run at a time, and handing over to the next
takes as long as an answer.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from typing import Any, Callable

from secure_mcp_gateway.web.exchange import STAYS, Exchange

# Without epoll or kqueue waiting for many costs more with each of them.
_SCALES = hasattr(selectors, "EpollSelector") or hasattr(selectors, "KqueueSelector")


class Lobby:
    """``leave`` takes over an exchange that does not stay, with what became of it. Only ``enter`` may be called by any thread."""

    def __init__(self, leave: Callable[[Exchange, int], None]) -> None:
        self._leave = leave
        self._selector = selectors.DefaultSelector()
        self._arrived: deque[Exchange] = deque()
        self._mutex = threading.Lock()
        self._open = _SCALES

    def watch(self, sock: socket.socket) -> None:
        """Tell in each turn whether this one, which is no connection, is ready."""
        self._selector.register(sock, selectors.EVENT_READ)

    def ignore(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)

    def enter(self, exchange: Exchange) -> bool:
        """From the next turn on it waits here; False where it cannot."""
        if exchange.link.secure:
            return False  # bytes may wait inside TLS, where no selector sees them
        with self._mutex:
            if self._open:
                self._arrived.append(exchange)
            return self._open

    def turn(self, seconds: float | None = None) -> set[Any]:
        """Wait until something comes, answer who asked, and give the watched sockets that are ready."""
        self._let_in()
        ready = set()
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                ready.add(key.fileobj)
            else:
                self._attend(key.data)
        return ready

    def close(self) -> None:
        """Everybody leaves; nobody enters any more."""
        with self._mutex:
            self._open = False
        self._let_in()
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                self._part(key.data, STAYS)
        self._selector.close()

    def _let_in(self) -> None:
        while self._arrived:
            exchange = self._arrived.popleft()
            self._selector.register(exchange.link.sock, selectors.EVENT_READ, exchange)

    def _attend(self, exchange: Exchange) -> None:
        outcome = exchange.answer_at_once()
        if outcome != STAYS:
            self._part(exchange, outcome)

    def _part(self, exchange: Exchange, outcome: int) -> None:
        self._selector.unregister(exchange.link.sock)
        self._leave(exchange, outcome)
