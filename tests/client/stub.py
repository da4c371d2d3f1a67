"""A server that answers each connection with bytes of the test's choosing."""

from __future__ import annotations

import json
import socket
import threading
import unittest
from collections.abc import Iterable
from typing import Any, Union

from secure_mcp_gateway.client.address import Server, server_at
from secure_mcp_gateway.client.remote import Remote
from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from tests.support import DEADLINE

ROWS = {row.name: row for row in all_operations()}
LIST, ADD = ROWS["config list"], ROWS["config add"]
KEY = "smga_" + "K" * 43

# Bytes to answer with, several pieces that are sent with a pause after each, or None: nothing, while the client waits.
Script = Union[bytes, Iterable[bytes], None]


def http(status: int, body: Any, *fields: str, kind: str = "application/json") -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + content


def success(data: Any, *fields: str) -> bytes:
    return http(200, {"message": "m", "data": data, "timestamp": "t"}, *fields)


def refusal(status: int, error: str, detail: str) -> bytes:
    return http(status, {"error": error, "detail": detail, "timestamp": "t"})


_TLS_HANDSHAKE = b"\x16"
HTML = b"<html>hello</html>"
PAGE = http(404, HTML, kind="text/html")


class Stub:
    """``scripts`` are for one connection after the other, the last one for all further ones; ``heard`` is what each sent, a body
    that waits for a 100 left out, and ``after`` what each sent once it was answered."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self.heard: list[bytes] = []
        self.after: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Everything was heard then; closing it twice is no error."""
        if self._over.is_set():
            return
        self._over.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(DEADLINE)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._over.is_set():
                    return
                try:
                    self._converse(connection)
                except OSError:
                    # The client has left, as many tests have it do.
                    pass

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(DEADLINE)
        self.heard.append(_request(connection))
        script = self._scripts[min(len(self.heard), len(self._scripts)) - 1]
        if script is not None:
            for piece in (script,) if isinstance(script, bytes) else script:
                connection.sendall(piece)
                self._over.wait(0 if piece is script else 0.01)
            connection.shutdown(socket.SHUT_WR)
        self.after.append(connection.recv(65536))


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        data += piece
        if not piece or data.startswith(_TLS_HANDSHAKE):
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and b"100-continue" not in head:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class StubCase(unittest.TestCase):
    def stub(self, *scripts: Script) -> Stub:
        made = Stub(*scripts)
        self.addCleanup(made.close)
        return made

    def server(self, url: str) -> Server:
        server = server_at(url, "--server")
        server.key, server.source = KEY, "a test"
        return server

    def performed(self, url: str, row: Operation = LIST, values: Any = None) -> Any:
        if values is None:
            values = {"config_name": "new"} if row is ADD else {}
        with Remote(self.server(url)) as remote:
            return remote.perform(row, values)

    def failure(self, url: str, row: Operation = LIST, values: Any = None) -> GatewayError:
        """What performing it raises; it says nothing of the key."""
        with self.assertRaises(GatewayError) as caught:
            self.performed(url, row, values)
        self.assertNotIn(KEY, caught.exception.detail + caught.exception.private)
        return caught.exception
