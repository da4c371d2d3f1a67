"""Many connections: room, deadlines, listening."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import unittest
from unittest import mock

from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.errors import Conflict, InvalidRequest
from secure_mcp_gateway.web.connections import ANSWER, BODY, BUSY, HEAD, IDLE, Connection, Connections, Timeouts
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from tests.web.gate import QUICK, GateCase, until
from tests.web.raw import PATIENCE, RawClient, get, post


class MakingRoom(GateCase):
    def idle(self) -> RawClient:
        """A client that was answered and sends nothing more."""
        client = self.client()
        self.assert_answers(client)
        self.assertTrue(until(lambda: HEAD not in self.states() and BUSY not in self.states()))
        return client

    def test_the_longest_idle_goes_first(self) -> None:
        self.serve(max_connections=3)
        dripping = self.client(b"GET / HT")
        self.assertTrue(until(lambda: self.states() == [HEAD]))
        first, second = self.idle_beside_a_head(), self.idle_beside_a_head()
        self.assert_answers(self.client())
        self.assertTrue(first.is_closed())
        self.assert_answers(second)
        self.assertEqual(dripping.send(b"TP/1.1\r\nHost: h\r\n\r\n").read().status, 200)

    def idle_beside_a_head(self) -> RawClient:
        client = self.client()
        self.assert_answers(client)
        self.assertTrue(until(lambda: self.states().count(HEAD) == 1 and set(self.states()) <= {IDLE, HEAD}))
        return client

    def test_then_the_oldest_that_still_sends_its_head(self) -> None:
        self.serve(max_connections=3)
        self.waiting()
        heads = []
        for count in (1, 2):
            heads.append(self.client(b"GET / HT"))
            self.assertTrue(until(lambda count=count: self.states().count(HEAD) == count))
        self.assert_answers(self.client())
        self.assertTrue(heads[0].is_closed())
        self.assertEqual(heads[1].send(b"TP/1.1\r\nHost: h\r\n\r\n").read().status, 200)

    def test_a_request_under_way_is_never_given_up(self) -> None:
        self.serve(max_connections=2)
        under_way = [self.waiting(), self.waiting()]
        late = self.client(get("/late"))
        self.assertEqual(len(self.states()), 2)
        self.gate.opened.set()
        self.assertEqual([client.read().body for client in (*under_way, late)], [b"/wait", b"/wait", b"/late"])

    def test_who_sends_request_upon_request_gives_way_to_who_waits(self) -> None:
        self.serve(max_connections=1)
        greedy = self.client(get("/wait") + get("/a") * 50)
        self.assertTrue(self.gate.entered.acquire(timeout=PATIENCE))
        late = self.client(get("/late"))
        self.assertTrue(until(lambda: self.server.service.crowded))
        self.gate.opened.set()
        self.assertEqual(late.read().body, b"/late")
        self.assertEqual(greedy.read_to_end().count(b"HTTP/1.1 200"), 1)

    def test_to_let_somebody_in_waits_for_no_thread_to_run(self) -> None:
        self.serve()
        with mock.patch.object(threading.Thread, "start", side_effect=AssertionError("it waits until it runs")):
            self.assert_answers(self.client())

    def test_a_body_that_still_comes_makes_room_and_is_answered_408(self) -> None:
        self.serve(max_connections=1)
        slow = self.client(post(b"hello")[:-1])
        self.assertTrue(until(lambda: self.states() == [BODY]))
        self.assert_answers(self.client())
        self.assertEqual(slow.read().status, 408)
        self.assertTrue(slow.is_closed())

    def test_an_answer_that_is_not_taken_makes_room(self) -> None:
        self.server = self.start(lambda request: Response(200, b"a" * int(request.query or 1)), max_connections=1)
        greedy = self.client(get("/?30000000"))
        self.assertTrue(until(lambda: self.states() == [ANSWER]))
        self.assertEqual(self.client(get()).read().body, b"a")
        self.assertLess(len(greedy.read_to_end()), 30_000_000)

    def test_for_the_honest_beside_many_that_drip(self) -> None:
        self.serve(max_connections=20)
        for _ in range(60):
            self.client(b"GET / HT")
        for _ in range(10):
            self.assert_answers(self.client())


class Deadlines(GateCase):
    def assert_timed_out(self, client: RawClient, data: bytes) -> None:
        """Drips ``data`` until the answer comes."""
        client.sock.settimeout(0.02)
        for code in data:
            client.send_what_goes(bytes((code,)))
            with contextlib.suppress(socket.timeout):
                answer = client.read()
                self.assertEqual((answer.status, answer.error), (408, "timeout"))
                self.assertEqual(answer.headers["connection"], "close")
                client.sock.settimeout(PATIENCE)
                self.assertTrue(client.is_closed())
                return
        self.fail("no answer came")

    def test_a_head_that_drips_is_answered_408(self) -> None:
        self.serve(timeouts={"head": 0.15})
        self.assert_timed_out(self.client(), get("/" + "a" * 1000))

    def test_a_body_that_drips_is_answered_408(self) -> None:
        # Until the head has come, however late that is, no other deadline than its own counts.
        self.serve(timeouts={"body": 0.15})
        self.assert_timed_out(self.client(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"), b"a" * 999)

    def test_a_chunked_body_that_stops_is_answered_408(self) -> None:
        self.serve(timeouts={"body": 0.1})
        client = self.client(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
        self.assertEqual(client.read().status, 408)

    def test_an_idle_connection_is_closed_without_a_word(self) -> None:
        self.serve(timeouts={"idle": 0.15})
        self.assertTrue(self.client().is_closed())
        timeouts = self.server.service.timeouts
        # Not before it has asked, however long a busy machine takes to get that through.
        timeouts.idle = PATIENCE
        answered = self.waiting()
        timeouts.idle = 0.15
        self.gate.opened.set()
        self.assertEqual(answered.read().body, b"/wait")
        self.assertTrue(answered.is_closed())

    def test_an_answer_that_is_not_taken_is_given_up(self) -> None:
        self.server = self.start(lambda request: Response(200, b"a" * 30_000_000), timeouts=Timeouts(answer=0.15, **QUICK))
        client = self.client(get())
        self.assertEqual(client.sock.recv(1), b"H")
        self.assertTrue(until(lambda: len(self.server._connections) == 0))
        self.assertLess(len(client.read_to_end()), 30_000_000)

    def test_a_connection_lives_on_after_a_request_in_pieces(self) -> None:
        self.serve(timeouts={"head": PATIENCE, "body": PATIENCE, "idle": 3 * PATIENCE})
        client = self.client()
        for data in (get("/a"), post(b"hello")):
            client.send(data[:9])
            self.assertTrue(until(lambda: self.states() == [HEAD]))
            self.assertEqual(client.send(data[9:]).read().status, 200)
        (connection,) = self.server._connections._open
        self.assertTrue(until(lambda: connection.state == IDLE))
        with mock.patch("secure_mcp_gateway.web.connections.time.monotonic", return_value=time.monotonic() + 2 * PATIENCE):
            self.server._connections.enforce_deadlines()
        self.assert_answers(client)


class Listening(GateCase):
    def test_on_ipv6(self) -> None:
        for host, target in (("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")):
            try:
                server = self.start(self.gate, host)
            except InvalidRequest:
                self.skipTest("this machine has no IPv6")
            with RawClient((target, server.bound[1])) as client:
                self.assert_answers(client)

    def test_on_a_taken_port_fails(self) -> None:
        taken = self.serve().bound
        with self.assertRaises(Conflict):
            listening_socket(*taken)

    def test_sends_small_answers_without_delay(self) -> None:
        self.assert_answers(self.connect(self.serve()))
        (connection,) = self.server._connections._open
        self.assertTrue(connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_lets_the_system_hold_little_of_what_is_not_taken(self) -> None:
        self.assert_answers(self.connect(self.serve()))
        (connection,) = self.server._connections._open
        # Linux doubles what it is asked for.
        self.assertLessEqual(connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), 2 * 262144)

    def test_tells_the_application_who_asks_and_where(self) -> None:
        seen: list[Request] = []

        def application(request: Request) -> Response:
            seen.append(request)
            return Response(204)

        server = self.start(application)
        answer = self.connect(server).send(get()).read()
        self.assertEqual((answer.status, "content-length" in answer.headers), (204, False))
        self.assertEqual((seen[0].peer, seen[0].local_port, seen[0].secure), ("127.0.0.1", server.bound[1], False))


class AConnectionChosenAsItGetsBusy(unittest.TestCase):
    def test_may_still_send_its_answer(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"request")
            connections = Connections(1)
            connections.add(known(ours))
            self.assertTrue(connections.make_room())
            self.assertEqual(ours.recv(10), b"request")
            ours.sendall(b"answer")
            self.assertEqual(theirs.recv(10), b"answer")
            self.assertEqual(len(connections), 1)

    def test_is_not_waited_for_until_it_takes_its_answer(self) -> None:
        ours, theirs = socket.socketpair()
        theirs.settimeout(PATIENCE)
        with ours, theirs:
            connections, chosen = Connections(1), known(ours)
            connections.add(chosen)
            self.assertTrue(connections.make_room())
            chosen.enter(ANSWER)
            connections.enforce_deadlines()
            ours.sendall(b"a")
            chosen.since -= 1
            connections.enforce_deadlines()
            self.assertEqual(theirs.recv(10), b"a")
            self.assertEqual(theirs.recv(10), b"")


class AConnectionThatHasJustCome(unittest.TestCase):
    def test_makes_no_room_before_its_request_can_be_here(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            connections, fresh = Connections(1), Connection(ours, "", False, 0)
            connections.add(fresh)
            self.assertFalse(connections.make_room())
            fresh.idle_from = time.monotonic()
            self.assertTrue(connections.make_room())


def known(sock: socket.socket) -> Connection:
    """One that has sent a request before."""
    connection = Connection(sock, "", False, 0)
    connection.enter(HEAD)
    connection.enter(IDLE)
    return connection
