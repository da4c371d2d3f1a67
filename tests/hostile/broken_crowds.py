"""Variants of the server that a crowd keeps others out of, each in one way: it breaks this process for good."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from secure_mcp_gateway.errors import RequestTimeout
from secure_mcp_gateway.web import connections, server
from secure_mcp_gateway.web.connections import ANSWER, BODY, Connection, Connections, Timeouts
from secure_mcp_gateway.web.exchange import Exchange


def evicts_nobody() -> None:
    """A plain cap."""
    Connections.make_room = lambda self: len(self._open) < self._most  # type: ignore[method-assign]


def evicts_no_bodies() -> None:
    _spare(BODY)


def evicts_no_answers() -> None:
    _spare(ANSWER)


def _spare(state: int) -> None:
    rank = connections._rank

    def spared(connection: Connection, now: float) -> int:
        return 0 if connection.state == state else rank(connection, now)

    connections._rank = spared


def handshakes_as_it_accepts() -> None:
    def wrap(context: ssl.SSLContext, plain: Any) -> ssl.SSLSocket:
        plain.settimeout(2.0)
        secured = context.wrap_socket(plain, server_side=True)
        secured.settimeout(None)
        return secured

    server.wrap = wrap


def quick() -> None:
    """Not broken: a head has 1 s, so that nobody waits for 10."""
    made = Timeouts.__init__

    def shorter(self: Timeouts, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        self.head = 1.0

    Timeouts.__init__ = shorter  # type: ignore[method-assign]


def starts_anew() -> None:
    """Each byte has the whole time, as with a socket's own time-out."""
    quick()

    def receive(self: Exchange, size: int) -> bytes:
        sock = self.link.sock
        sock.settimeout(self.service.timeouts.head if self.give_up else None)
        try:
            return sock.recv(size)
        except socket.timeout:
            raise RequestTimeout("the request was not finished in time") from None

    Exchange._receive = receive  # type: ignore[method-assign]
