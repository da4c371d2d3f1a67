"""How a server ends: what is under way is answered, and nothing of it goes on."""

from __future__ import annotations

import signal
import threading
import time
import unittest
from unittest import mock

from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.web.connections import Timeouts
from secure_mcp_gateway.web.server import WebServer
from tests.web.gate import QUICK, GateCase, until
from tests.web.raw import PATIENCE, RawClient, get


@unittest.skipUnless(hasattr(signal, "SIGUSR1"), "no such signals here")
class TheEnd(GateCase):
    def serve_in_thread(self) -> threading.Thread:
        self.server = WebServer(listening_socket("127.0.0.1", 0), self.gate, timeouts=Timeouts(**QUICK))
        thread = threading.Thread(target=self.server.serve)
        thread.start()
        self.addCleanup(thread.join, PATIENCE)
        self.addCleanup(self.server.stop_now)
        return thread

    def test_answers_what_is_under_way_and_closes_the_rest(self) -> None:
        thread = self.serve_in_thread()
        idle, fresh, under_way = self.client(), self.client(), self.waiting()
        self.assert_answers(idle)
        self.server.stop()
        self.assertTrue(idle.is_closed())
        self.assertTrue(fresh.is_closed())
        with self.assertRaises(OSError):
            RawClient(self.server.bound)
        self.assertTrue(thread.is_alive())
        self.gate.opened.set()
        answer = under_way.read()
        self.assertEqual((answer.body, answer.headers["connection"]), (b"/wait", "close"))
        self.assertTrue(under_way.is_closed())
        under_way.sock.close()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())

    def test_comes_at_once_when_asked_for(self) -> None:
        thread = self.serve_in_thread()
        under_way = self.waiting()
        self.server.stop()
        self.server.stop_now()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertTrue(under_way.is_closed())

    def test_does_not_wait_for_ever(self) -> None:
        self.server = self.start(self.gate, timeouts=Timeouts(drain=0.1, **QUICK))
        under_way = self.waiting()
        self.server.stop()
        self.assertTrue(under_way.is_closed())

    def test_comes_after_that_of_its_threads(self) -> None:
        told: list[int] = []

        def tell_slowly(count: int) -> None:
            time.sleep(0.1)
            told.append(count)

        patience = mock.patch("secure_mcp_gateway.web.server._PARTING", PATIENCE)
        patience.start()
        self.addCleanup(patience.stop)
        self.server = WebServer(listening_socket("127.0.0.1", 0), self.gate, count=tell_slowly)
        for client in [self.client(get("/a", "Connection: close")) for _ in range(3)]:
            client.sock.close()
        self.server.stop()
        self.server.serve()
        self.assertEqual(len(told), 3)
        self.assertNotIn("reaper", [thread.name for thread in threading.enumerate()])

    def test_may_come_from_a_signal_handler(self) -> None:
        server = self.server = WebServer(listening_socket("127.0.0.1", 0), self.gate, timeouts=Timeouts(**QUICK))
        usual = signal.signal(signal.SIGUSR1, lambda *_: server.stop())
        self.addCleanup(signal.signal, signal.SIGUSR1, usual)
        answers: list[bytes] = []

        def ask_and_stop() -> None:
            with RawClient(server.bound) as client:
                client.send(get("/wait"))
                self.gate.entered.acquire(timeout=PATIENCE)
                # Not to the main thread, which waits: it must wake all the same.
                signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
                until(lambda: server.service.stopping)
                self.gate.opened.set()
                answers.append(client.read().body)

        thread = threading.Thread(target=ask_and_stop)
        thread.start()
        server.serve()
        thread.join(PATIENCE)
        self.assertEqual(answers, [b"/wait"])

    def test_still_answers_a_request_that_came_before_it(self) -> None:
        thread = self.serve_in_thread()
        clients = [self.client() for _ in range(20)]
        self.assertTrue(until(lambda: len(self.states()) == 20))
        for client in clients:
            client.send(get("/a"))
        self.server.stop()
        self.assertEqual([client.read().body for client in clients], [b"/a"] * 20)
        for client in clients:
            client.sock.close()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())

    def test_answers_those_who_wait_in_the_queue(self) -> None:
        server = WebServer(listening_socket("127.0.0.1", 0), self.gate)
        clients = [RawClient(server.bound).send(get("/a")) for _ in range(20)]
        server.stop()
        server.serve()
        for client in clients:
            self.assertEqual(client.read().body, b"/a")
            client.sock.close()

    def test_may_come_before_the_beginning_and_twice(self) -> None:
        server = WebServer(listening_socket("127.0.0.1", 0), self.gate)
        server.stop()
        server.serve()
        server.stop()
        with self.assertRaises(OSError):
            RawClient(server.bound)


if __name__ == "__main__":
    unittest.main()
