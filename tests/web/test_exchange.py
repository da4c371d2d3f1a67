"""What a client sees on its connection."""

from __future__ import annotations

import contextlib
import io
import json
import weakref
from typing import Any

from secure_mcp_gateway.errors import GatewayError, MethodNotAllowed, NotFound, Unauthorized
from secure_mcp_gateway.web.connections import ANSWER, Timeouts
from secure_mcp_gateway.web.request import Limits, Request
from secure_mcp_gateway.web.response import Response, error_response
from tests.web.gate import until
from tests.web.raw import Answer, ServerCase, get, post

NOW = "2026-01-02T03:04:05.678901+00:00"
HOST = b"Host: h\r\n"
LINE = b"GET / HTTP/1.1\r\n" + HOST
FIELDS = b"POST / HTTP/1.1\r\n" + HOST

# Input, status, error: the table of the contract, each row at least once. Nothing but these bytes is sent.
REFUSED = (
    (LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "invalid_request"),
    (LINE + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, "invalid_request"),
    (LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "invalid_request"),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "invalid_request"),
    (LINE + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "not_implemented"),
    (LINE + b"Content-Length: 5x\r\n\r\n", 400, "invalid_request"),
    (b"GET / HTTP/1.1\rHost: h\r\r", 400, "invalid_request"),
    (b"GET / HTTP/1.1\nHost: h\n\n", 400, "invalid_request"),
    (LINE + b"A: \0\r\n\r\n", 400, "invalid_request"),
    (LINE + b"A: b\r\n c\r\n\r\n", 400, "invalid_request"),
    (LINE + b"A : b\r\n\r\n", 400, "invalid_request"),
    (LINE + b"A\r\n\r\n", 400, "invalid_request"),
    (b"GET /\x01 HTTP/1.1\r\n", 400, "invalid_request"),
    (b"GET /\xff HTTP/1.1\r\n", 400, "invalid_request"),
    (LINE + b"\xff: b\r\n\r\n", 400, "invalid_request"),
    (LINE + b"Content_Length: 5\r\n\r\n", 400, "invalid_request"),
    (b"GET /#a HTTP/1.1\r\n", 400, "invalid_request"),
    (b"GET /%a HTTP/1.1\r\n", 400, "invalid_request"),
    (b"GET /%00 HTTP/1.1\r\n", 400, "invalid_request"),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"),
    (LINE + HOST + b"\r\n", 400, "invalid_request"),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid_request"),
    (LINE + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400, "invalid_request"),
    (b"GET / HTTP/2.0\r\n", 505, "http_version"),
    (b"GET /\r\n", 400, "invalid_request"),
    (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n", 414, "too_large"),
    (LINE + b"A: " + b"b" * 8192 + b"\r\n", 431, "too_large"),
    (LINE + (b"A: " + b"b" * 8000 + b"\r\n") * 5, 431, "too_large"),
    (LINE + b"A: b\r\n" * 64, 431, "too_large"),
    (FIELDS + b"Content-Length: 1001\r\n\r\n", 413, "too_large"),
    (FIELDS + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413, "too_large"),
    (FIELDS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "invalid_request"),
    (LINE + b"Expect: a-pony\r\n\r\n", 417, "expectation_failed"),
)


def application(request: Request) -> Response:
    """``/echo`` answers the body, ``/deny`` refuses before any body is read, ``/fail`` is broken."""
    try:
        return answer(request)
    except GatewayError as error:
        return error_response(error, NOW)


def answer(request: Request) -> Response:
    request.route = request.raw_path
    request.key_id = "key_1"
    if request.raw_path == "/deny":
        raise Unauthorized("no key")
    if request.raw_path == "/fail":
        raise RuntimeError("a secret of ours\nforged: line")
    if request.method not in ("GET", "HEAD", "POST"):
        raise MethodNotAllowed("not here", ("GET", "HEAD", "POST"))
    said = request.read_body() or request.raw_path.encode()
    return Response(200, said, [("Content-Type", "text/plain")])


class ExchangeCase(ServerCase):
    def setUp(self) -> None:
        self.server = self.start(application, limits=Limits(body=1000), timeouts=Timeouts(linger=0.5))

    def ask(self, data: bytes, **options: Any) -> Answer:
        with self.connect(self.server) as client:
            return client.send(data).read(**options)


class ARefusal(ExchangeCase):
    def test_is_a_json_answer_and_the_end_of_the_connection(self) -> None:
        for data, status, error in REFUSED:
            with self.subTest(data[:70]), self.connect(self.server) as client:
                answer = client.send(data).read()
                self.assertEqual((answer.status, answer.error), (status, error))
                self.assertEqual(sorted(answer.json()), ["detail", "error", "timestamp"])
                self.assertEqual(answer.headers["content-type"], "application/json")
                self.assertEqual(answer.headers["connection"], "close")
                self.assertTrue(client.is_closed())

    def test_of_a_body_that_ends_early(self) -> None:
        for data in (post(b"hello")[:-1], FIELDS + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"):
            with self.connect(self.server) as client:
                self.assertEqual(client.send(data).finish_sending().read().error, "invalid_request")
                self.assertTrue(client.is_closed())

    def test_of_a_head_that_ends_early(self) -> None:
        with self.connect(self.server) as client:
            self.assertEqual(client.send(LINE).finish_sending().read().status, 400)

    def test_does_not_serve_what_hides_behind_it(self) -> None:
        for data in (LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", post(b"a" * 1001)):
            with self.connect(self.server) as client:
                client.send(data + get("/hidden")).read()
                self.assertTrue(client.is_closed())

    def test_is_seen_by_a_client_that_is_still_sending(self) -> None:
        declared = b"Content-Length: 2000000\r\n\r\n"
        for head in (FIELDS + declared, b"POST /deny HTTP/1.1\r\n" + HOST + declared, b"x\r\n"):
            with self.subTest(head[:20]), self.connect(self.server) as client:
                answer = client.send_what_goes(head + b"a" * 2_000_000).read()
                self.assertIn(answer.status, (400, 401, 413))
                self.assertTrue(client.is_closed())

    def test_resets_nothing_while_the_client_goes_on_sending(self) -> None:
        with self.connect(self.server) as client:
            client.send(FIELDS + b"Content-Length: 2000000\r\n\r\n").read()
            for _ in range(10):
                client.send(b"a" * 50_000)
            client.finish_sending()
            self.assertEqual(client.sock.recv(1), b"")

    def test_before_the_body_was_read_closes_the_connection(self) -> None:
        with self.connect(self.server) as client:
            answer = client.send(post(b"hello", path="/deny")).read()
            self.assertEqual((answer.status, answer.headers["connection"]), (401, "close"))
            self.assertEqual(answer.headers["www-authenticate"], "Bearer")
            self.assertTrue(client.is_closed())

    def test_of_a_request_without_a_body_keeps_the_connection(self) -> None:
        with self.connect(self.server) as client:
            self.assertEqual(client.send(get("/deny")).read().status, 401)
            self.assertEqual(client.send(get("/next")).read().body, b"/next")


class AnAnswer(ExchangeCase):
    def test_carries_date_length_and_request_id_and_no_server_name(self) -> None:
        answer = self.ask(get("/a", "X-Request-Id: my-id.1"))
        self.assertEqual((answer.status, answer.body), (200, b"/a"))
        self.assertEqual((answer.headers["content-length"], answer.headers["x-request-id"]), ("2", "my-id.1"))
        self.assertRegex(answer.headers["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertNotIn("server", answer.headers)
        self.assertNotIn("connection", answer.headers)

    def test_to_a_chunked_body(self) -> None:
        data = FIELDS + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        with self.connect(self.server) as client:
            self.assertEqual(client.send(data).read().body, b"hello")
            self.assertEqual(client.send(get("/next")).read().body, b"/next")

    def test_to_an_absolute_target(self) -> None:
        self.assertEqual(self.ask(get("http://h/there")).body, b"/there")

    def test_to_head_has_the_length_but_no_body(self) -> None:
        with self.connect(self.server) as client:
            client.send(b"HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n" + get("/next"))
            self.assertEqual(client.read(bodiless=True).headers["content-length"], "4")
            self.assertEqual(client.read().body, b"/next")

    def test_to_another_method_says_which_are_allowed(self) -> None:
        answer = self.ask(b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD, POST"))

    def test_to_http_1_0_ends_the_connection_unless_asked_otherwise(self) -> None:
        with self.connect(self.server) as client:
            self.assertEqual(client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read().headers["connection"], "keep-alive")
            self.assertEqual(client.send(b"GET / HTTP/1.0\r\n\r\n").read().headers["connection"], "close")
            self.assertTrue(client.is_closed())

    def test_to_connection_close_is_the_last(self) -> None:
        with self.connect(self.server) as client:
            client.send(get("/a", "Connection: close") + get("/b"))
            self.assertEqual(client.read().headers["connection"], "close")
            self.assertTrue(client.is_closed())

    def test_to_each_of_many_requests_sent_at_once(self) -> None:
        paths = [f"/{number}" for number in range(50)]
        with self.connect(self.server) as client:
            client.send(b"".join(get(path) if len(path) % 2 else post(path.encode()) for path in paths))
            self.assertEqual([client.read().body.decode() for _ in paths], paths)

    def test_to_a_client_that_stopped_sending(self) -> None:
        with self.connect(self.server) as client:
            client.send(get("/a") + get("/b")).finish_sending()
            self.assertEqual([client.read().body, client.read().body], [b"/a", b"/b"])
            self.assertTrue(client.is_closed())


class OneHundredContinue(ExchangeCase):
    def test_is_said_when_the_body_is_asked_for(self) -> None:
        head, body = post(b"hello", "Expect: 100-Continue")[:-5], b"hello"
        with self.connect(self.server) as client:
            self.assertEqual(client.send(head).read().status, 100)
            self.assertEqual(client.send(body).read().body, b"hello")
            self.assertEqual(client.send(get("/next")).read().body, b"/next")

    def test_is_not_said_where_key_or_size_are_refused(self) -> None:
        for status, data in ((401, post(b"", path="/deny")), (413, post(b""))):
            head = data.replace(b"Content-Length: 0", b"Content-Length: 2000\r\nExpect: 100-continue")
            self.assertEqual(self.ask(head).status, status)

    def test_is_not_said_where_nothing_is_left_to_wait_for(self) -> None:
        self.assertEqual(self.ask(post(b"hello", "Expect: 100-continue")).status, 200)
        self.assertEqual(self.ask(get("/", "Expect: 100-continue")).status, 200)


class AFaultOfOurs(ExchangeCase):
    def test_gives_an_incident_id_and_logs_the_traceback(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.connect(self.server) as client:
            answer = client.send(get("/fail", "X-Request-Id: r1")).read()
            self.assertTrue(client.is_closed())
        self.assertEqual((answer.status, answer.error), (500, "internal_error"))
        self.assertNotIn(b"secret", answer.body)
        (line,) = said.getvalue().splitlines()
        record = json.loads(line)
        self.assertIn(record["incident"], answer.json()["detail"])
        self.assertEqual(record["request_id"], "r1")
        self.assertIn("RuntimeError: a secret of ours\nforged", record["traceback"])


class AFaultyApplication(ServerCase):
    def ask(self, application: Any) -> Answer:
        server = self.start(application, timeouts=Timeouts(linger=0.1))
        with contextlib.redirect_stderr(io.StringIO()), self.connect(server) as client:
            return client.send(get()).read()

    def test_cannot_split_an_answer(self) -> None:
        for field in (("X-A", "b\r\nX-C: d"), ("X-A\n", "b"), ("X-A", "\N{SNOWMAN}")):
            self.assertEqual(self.ask(lambda request, field=field: Response(200, b"", [field])).status, 500)

    def test_may_let_an_error_through(self) -> None:
        def missing(request: Request) -> Response:
            raise NotFound("nothing here")

        self.assertEqual(self.ask(missing).error, "not_found")


class UntakenAnswers(ServerCase):
    def test_an_answer_that_nobody_takes_is_held_once(self) -> None:
        class Watched(Response):
            """One that can be referred to weakly."""

        made: list[weakref.ref[Response]] = []

        def application(request: Request) -> Response:
            response = Watched(200, b"a" * 30_000_000)
            made.append(weakref.ref(response))
            return response

        server = self.start(application)
        client = self.connect(server).send(get())
        self.assertTrue(until(lambda: {each.state for each in list(server._connections._open)} == {ANSWER}))
        self.assertTrue(until(lambda: made[0]() is None))
        self.assertEqual(len(client.read().body), 30_000_000)


class ARefusalByAThread(ARefusal):
    at_once = staticmethod(lambda request: False)


class AnAnswerByAThread(AnAnswer):
    at_once = staticmethod(lambda request: False)


class AFaultOfOursInAThread(AFaultOfOurs):
    at_once = staticmethod(lambda request: False)
