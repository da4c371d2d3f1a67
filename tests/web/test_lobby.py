"""Where connections wait for their next request, and which requests are answered right there."""

from __future__ import annotations

import contextlib
import io
import threading
import time
import unittest
from unittest import mock

from secure_mcp_gateway.web import exchange
from secure_mcp_gateway.web.lobby import _SCALES
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from tests.web.gate import until
from tests.web.raw import PATIENCE, RawClient, ServerCase, get, post

LARGE = 30_000_000


class Witness:
    """An application that says which thread it is called by, and is as slow, and as talkative, as the path says."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, request: Request) -> Response:
        if request.raw_path == "/wait":
            self.opened.wait(PATIENCE)
        if request.raw_path == "/long":
            end = time.monotonic() + 0.01
            while time.monotonic() < end:
                pass
        if request.raw_path == "/fail":
            raise RuntimeError
        if request.raw_path == "/large":
            return Response(200, b"a" * LARGE)
        request.read_body()
        return Response(200, threading.current_thread().name.encode())

    def answers_at_once(self, request: Request) -> bool:
        request.route = request.raw_path
        if request.raw_path == "/unforeseen":
            raise RuntimeError
        return request.raw_path != "/wait"


@unittest.skipUnless(_SCALES, "this system has neither epoll nor kqueue, so each connection has a thread")
class TheLobby(ServerCase):
    def setUp(self) -> None:
        self.witness = Witness()
        # No answer is long, for a busy machine may make any one so.
        patience = mock.patch.multiple(exchange, _AGAIN=0.0, _LONG=PATIENCE)
        patience.start()
        self.addCleanup(patience.stop)
        self.addCleanup(self.witness.opened.set)
        self.server = self.start(self.witness, at_once=self.witness.answers_at_once)
        self.serving = self.told(get())

    def told(self, *data: bytes, client: RawClient | None = None) -> str:
        """The thread that answers what is sent piece by piece."""
        client = client or self.connect(self.server)
        for at, piece in enumerate(data):
            if at:
                self.assertTrue(self.is_received())
            client.send(piece)
        return client.read().body.decode()

    def is_received(self) -> bool:
        """Has a thread taken over what came so far?"""
        return until(lambda: any(each.state == exchange.HEAD for each in list(self.server._connections._open)))

    def is_back(self) -> bool:
        """Are all that are connected in the lobby?"""
        watched = 2  # the listening socket and the one that wakes
        return until(lambda: len(self.server._lobby._selector.get_map()) - watched == len(self.server._connections))

    def test_answers_one_request_after_the_other_on_one_thread(self) -> None:
        client = self.connect(self.server)
        self.assertEqual({self.told(get(), client=client) for _ in range(20)}, {self.serving})
        self.assertEqual({self.told(get()) for _ in range(5)}, {self.serving})

    def test_leaves_what_may_keep_others_waiting_to_a_thread_and_takes_the_connection_back(self) -> None:
        for data in ((post(b"hello"),), (get()[:9], get()[9:])):
            client = self.connect(self.server)
            self.assertNotEqual(self.told(*data, client=client), self.serving, data)
            self.assertTrue(self.is_back())
            self.assertEqual(self.told(get(), client=client), self.serving, data)

    def test_leaves_requests_that_came_together_to_a_thread(self) -> None:
        client = self.connect(self.server).send(get() * 3)
        self.assertEqual({client.read().body.decode() for _ in range(3)} & {self.serving}, set())
        self.assertTrue(self.is_back())
        self.assertEqual(self.told(get(), client=client), self.serving)

    def test_leaves_a_connection_to_its_thread_while_the_next_request_comes_at_once(self) -> None:
        with mock.patch.object(exchange, "_AGAIN", PATIENCE):
            client = self.connect(self.server)
            writer = self.told(post(b"hello"), client=client)
            self.assertEqual({self.told(*data, client=client) for data in ((post(b"hello"),), (get(),))}, {writer})
        self.assertNotEqual(writer, self.serving)

    def test_answers_others_while_a_request_is_carried_out(self) -> None:
        waiting = self.connect(self.server).send(get("/wait"))
        self.assertEqual(self.told(get()), self.serving)
        self.witness.opened.set()
        self.assertNotEqual(waiting.read().body.decode(), self.serving)

    def test_answers_others_while_an_answer_is_not_taken(self) -> None:
        greedy = self.connect(self.server).send(get("/large"))
        self.assertEqual(self.told(get()), self.serving)
        self.assertEqual(len(greedy.read().body), LARGE)
        self.assertTrue(self.is_back())
        self.assertEqual(self.told(get(), client=greedy), self.serving)

    def test_leaves_a_route_whose_answers_are_long_to_threads_for_a_while(self) -> None:
        with mock.patch.multiple(exchange, _LONG=0.005, _LONG_FOR=PATIENCE):
            self.assertEqual([self.told(get("/long")) == self.serving for _ in range(4)], [True, True, False, False])
        self.server.service._long["/long"] = time.monotonic()
        self.assertEqual(self.told(get("/long")), self.serving)

    def test_goes_on_after_a_fault(self) -> None:
        client = self.connect(self.server).send(get("/fail"))
        self.assertEqual(client.read().status, 500)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.told(get()), self.serving)

    def test_goes_on_after_a_fault_before_the_application_is_asked(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertTrue(self.connect(self.server).send(get("/unforeseen")).is_closed())
        self.assertIn("RuntimeError", said.getvalue())
        self.assertEqual(self.told(get()), self.serving)

    def test_needs_no_thread_for_who_is_idle(self) -> None:
        before = threading.active_count()
        clients = [self.connect(self.server) for _ in range(50)]
        for client in clients:
            self.told(get(), client=client)
        self.assertEqual(threading.active_count(), before)

    def test_ends_with_the_server_and_answers_what_came_before(self) -> None:
        clients = [self.connect(self.server) for _ in range(20)]
        for client in clients:
            self.told(get(), client=client)
        for client in clients:
            client.send(get())
        self.server.stop()
        self.assertEqual({client.read().status for client in clients}, {200})
        self.assertTrue(all(client.is_closed() for client in clients))


if __name__ == "__main__":
    unittest.main()
