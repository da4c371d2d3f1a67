"""One kept connection, byte for byte: what an attacker sends is not tidied by a client library."""

from __future__ import annotations

import socket
from typing import NamedTuple

from tests.support import DEADLINE


class Heard(NamedTuple):
    """``head`` is the answer's status line and fields, lines apart."""

    status: int
    head: str
    body: bytes


class Wire:
    """Opens itself anew where the server closed after the answer before."""

    def __init__(self, port: int, patience: float = DEADLINE) -> None:
        """``OSError`` where nothing comes for ``patience`` seconds."""
        self._port = port
        self._patience = patience
        self._socket: socket.socket | None = None
        self._is_closing = True

    def ask(self, request: bytes) -> Heard:
        if self._is_closing or self._socket is None:
            self.close()
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        return self._heard(self._socket, request.startswith(b"HEAD "))

    def _heard(self, connection: socket.socket, is_head: bool) -> Heard:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        fields = head.lower()
        length = int(fields.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        while len(body) < length and not is_head:
            body += _some(connection)
        self._is_closing = b"connection: close" in fields
        return Heard(int(head[9:12]), head.decode("latin-1"), body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise ConnectionError("the connection was closed without a whole answer")
    return part


def request(method: str, path: str, key: str | bytes, body: bytes = b"") -> bytes:
    """``key`` is what stands behind ``Bearer ``."""
    secret = key if isinstance(key, bytes) else key.encode()
    fields = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body) if body else b""
    line = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    return line + b"Authorization: Bearer " + secret + b"\r\n" + fields + b"\r\n" + body
