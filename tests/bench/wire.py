"""Prepared requests, and answers told apart by their length alone: a client that costs next to nothing beside the server."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from tests.support import DEADLINE
from tests.team import ADMIN

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request(method: str, path: str, body: Any = None) -> bytes:
    """With the admin key, as it goes over the wire."""
    data = b"" if body is None else json.dumps(body).encode()
    fields = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {ADMIN}"]
    if body is not None:
        fields += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join([*fields, "", ""]).encode() + data


def end_of_answer(data: bytes) -> int:
    """How long the whole answer is that begins here; 0 while that is not known."""
    head = data.find(b"\r\n\r\n")
    found = _LENGTH.search(data, 0, head + 2) if head >= 0 else None
    return head + 4 + int(found[1]) if found is not None else 0


def is_success(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 2")


class Wire:
    """One connection that is kept, one request at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, asked: bytes) -> bytes:
        """The answer, which must be a success."""
        self._socket.sendall(asked)
        data = b""
        while not data or len(data) != end_of_answer(data):
            part = self._socket.recv(1 << 20)
            if not part:
                raise ConnectionError(f"no whole answer came: {data!r}")
            data += part
        if not is_success(data):
            raise AssertionError(data.decode())
        return data

    def document(self, path: str) -> Any:
        return json.loads(self.ask(request("GET", path)).partition(b"\r\n\r\n")[2])

    def close(self) -> None:
        self._socket.close()
