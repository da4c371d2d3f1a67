"""A client that sends exactly the bytes it is given, and a server in the test's own process."""

from __future__ import annotations

import io
import json
import socket
import threading
import unittest
from typing import Any, Callable

from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.web.request import Limits, Request, Source, read_request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import WebServer

PATIENCE = 20.0  # seconds that are waited only where something is broken


class Answer:
    """``headers`` has lower-case names; ``fields`` keeps every line as sent."""

    def __init__(self, head: bytes, body: bytes) -> None:
        status_line, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status_line.split()[1])
        self.fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.headers = {name.lower(): value for name, value in self.fields}
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json()["error"])


class RawClient:
    """``send`` and ``read`` in any order; ``read`` takes one answer, with its body unless ``bodiless`` (HEAD)."""

    def __init__(self, address: tuple[str, int], wrap: Callable[[socket.socket], socket.socket] | None = None) -> None:
        self.sock = socket.create_connection(address[:2], timeout=PATIENCE)
        if wrap:
            self.sock = wrap(self.sock)
        self._buffer = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> RawClient:
        self.sock.sendall(data)
        return self

    def send_what_goes(self, data: bytes) -> RawClient:
        """As a client that goes on sending while it is being refused."""
        try:
            self.sock.sendall(data)
        except OSError:
            pass
        return self

    def finish_sending(self) -> RawClient:
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def read(self, bodiless: bool = False) -> Answer:
        head = self._read_until(b"\r\n\r\n")[:-4]
        answer = Answer(head, b"")
        if not bodiless and answer.status >= 200:
            answer.body = self._read_exactly(int(answer.headers.get("content-length", "0")))
        return answer

    def read_to_end(self) -> bytes:
        data, self._buffer = self._buffer, b""
        while True:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def is_closed(self) -> bool:
        """Waits for the end; false where bytes come instead."""
        return self.read_to_end() == b""

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(end)
        return head + end

    def _read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return body

    def _fill(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(f"the server closed the connection after {self._buffer!r}")
        self._buffer += data


class RunningServer:
    """Serves in a thread; leaving the block stops it."""

    def __init__(self, server: WebServer) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve)

    def __enter__(self) -> WebServer:
        self.thread.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.stop_now()
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise AssertionError("the server did not stop")


class ServerCase(unittest.TestCase):
    """``start`` serves an application on a free port until the test ends. What it answers at once is all but ``/wait``."""

    at_once = staticmethod(lambda request: request.raw_path != "/wait")

    def start(self, application: Callable[[Request], Response], host: str = "127.0.0.1", **options: Any) -> WebServer:
        options.setdefault("at_once", self.at_once)
        running = RunningServer(WebServer(listening_socket(host, 0), application, **options))
        running.__enter__()
        self.addCleanup(running.__exit__)
        return running.server

    def connect(self, server: WebServer, **options: Any) -> RawClient:
        client = RawClient(server.bound, **options)
        self.addCleanup(client.sock.close)
        return client


def parse(data: bytes, limits: Limits | None = None) -> Request:
    """Read a request from bytes alone."""
    return read_request(Source(io.BytesIO(data).read), limits or Limits())


def get(path: str = "/", *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode("latin-1")


def post(body: bytes, *fields: str, path: str = "/") -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1") + body
