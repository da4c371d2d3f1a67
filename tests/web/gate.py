"""An application that answers only when it is let, and the tests of a server with it."""

from __future__ import annotations

import threading
import time
from typing import Any

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.web.connections import Timeouts
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response, error_response
from secure_mcp_gateway.web.server import WebServer
from tests.web.raw import PATIENCE, RawClient, ServerCase, get

QUICK = {"linger": 0.1}


class Gate:
    """An application that answers ``/wait`` only when it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, request: Request) -> Response:
        if request.raw_path == "/wait":
            self.entered.release()
            self.opened.wait(PATIENCE)
        try:
            return Response(200, request.read_body() or request.raw_path.encode())
        except GatewayError as error:
            return error_response(error, "now")


def until(condition: Any) -> bool:
    give_up = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.002)
    return bool(condition())


class GateCase(ServerCase):
    def setUp(self) -> None:
        self.gate = Gate()
        self.addCleanup(self.gate.opened.set)

    def serve(self, **options: Any) -> WebServer:
        timeouts = Timeouts(**{**QUICK, **options.pop("timeouts", {})})
        self.server = self.start(self.gate, timeouts=timeouts, **options)
        return self.server

    def client(self, data: bytes = b"") -> RawClient:
        return self.connect(self.server).send(data)

    def waiting(self) -> RawClient:
        """A client whose request is under way."""
        client = self.client(get("/wait"))
        self.assertTrue(self.gate.entered.acquire(timeout=PATIENCE))
        return client

    def states(self) -> list[int]:
        return sorted(connection.state for connection in list(self.server._connections._open))

    def assert_answers(self, client: RawClient) -> None:
        self.assertEqual(client.send(get("/a")).read().body, b"/a")
