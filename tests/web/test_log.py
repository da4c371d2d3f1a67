from __future__ import annotations

import io
import json
import os
import threading
import time
import unittest
from datetime import datetime
from typing import Any
from unittest import mock

from secure_mcp_gateway.web import log
from secure_mcp_gateway.web.connections import Timeouts
from secure_mcp_gateway.web.log import AccessLog, report_fault
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from tests.web.raw import PATIENCE, ServerCase, get, post


class Stream(io.StringIO):
    """Says when something was written; fails while ``error`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        self.written.set()
        if self.error:
            raise self.error
        return super().write(text)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


class TheLog(unittest.TestCase):
    def setUp(self) -> None:
        self.stream = Stream()
        self.log = AccessLog(self.stream)
        self.addCleanup(self.log.close)

    def test_writes_what_is_there_when_it_closes(self) -> None:
        for number in range(1000):
            self.log.write({"number": number})
        self.log.close()
        self.assertEqual([record["number"] for record in self.stream.records()], list(range(1000)))

    def test_is_not_later_than_100_milliseconds(self) -> None:
        # The best of five: a busy machine may delay any thread.
        self.assertLess(min(self.lateness() for _ in range(5)), 0.1)

    def lateness(self) -> float:
        self.stream.written.clear()
        before = time.monotonic()
        self.log.write({})
        self.assertTrue(self.stream.written.wait(PATIENCE))
        return time.monotonic() - before

    def test_cannot_be_forged(self) -> None:
        evil = 'A\r\n{"method": "B"}\u2028\x1b[2J\ud800"\\'
        self.log.write({"method": evil})
        self.log.answered(evil, evil, evil, evil, 200, 5, 0.0015)
        self.log.close()
        self.assertEqual(len(self.stream.getvalue().splitlines()), 2)
        self.assertTrue(all(line.isprintable() and line.isascii() for line in self.stream.getvalue().splitlines()))
        written = self.stream.records()[1]
        self.assertEqual({written[field] for field in ("request_id", "key_id", "method", "route")}, {evil})
        self.assertEqual((written["status"], written["bytes"], written["ms"]), (200, 5, 1.5))
        self.assertTrue(0 <= time.time() - datetime.fromisoformat(written["time"]).timestamp() < PATIENCE, written)

    def test_that_cannot_be_written_fails_nobody_and_counts_what_is_lost(self) -> None:
        self.stream.error = BrokenPipeError()
        self.log.write({"number": 1})
        self.log.write({"number": 2})
        self.assertTrue(self.stream.written.wait(PATIENCE))
        self.stream.error = None
        self.log.write({"number": 3})
        self.log.close()
        self.assertEqual(self.stream.records()[0]["log_lines_dropped"], 2)
        self.assertEqual(self.stream.records()[1]["number"], 3)

    def test_to_a_closed_stream_fails_nobody(self) -> None:
        self.stream.close()
        self.log.write({"number": 1})
        self.log.close()
        self.assertTrue(self.stream.closed)

    def test_that_nobody_reads_stays_bounded(self) -> None:
        with mock.patch.object(log, "_MOST_PENDING", 10), mock.patch.object(log, "_LATENESS", PATIENCE):
            for number in range(15):
                self.log.write({"number": number})
            self.assertLessEqual(len(self.log._pending), 10)

    def test_a_full_pipe_holds_up_neither_writing_nor_closing(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, True)
        with mock.patch.object(log, "_CLOSING", 0.1), open(writer, "w", encoding="ascii", closefd=False) as stream:
            blocked = AccessLog(stream)
            for _ in range(2000):
                blocked.write({"text": "a" * 100})
            blocked.close()
            self.assertTrue(blocked._writer.is_alive())
            while blocked._writer.is_alive():
                os.read(reader, 65536)
                blocked._writer.join(0.001)
        os.close(reader)
        os.close(writer)


class AccessLines(ServerCase):
    def setUp(self) -> None:
        self.stream = Stream()
        self.log = AccessLog(self.stream)
        self.addCleanup(self.log.close)

    def lines_of(self, *requests: bytes) -> list[dict[str, Any]]:
        server = self.start(application, access_log=self.log, timeouts=Timeouts(linger=0.1))
        for data in requests:
            with self.connect(server) as client:
                client.send(data).finish_sending().read_to_end()
        self.log.close()
        return self.stream.records()

    def test_say_who_asked_for_what_and_got_what(self) -> None:
        (line,) = self.lines_of(get("/secret-path?secret", "X-Request-Id: my-id", "Authorization: Bearer secret"))
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        self.assertGreater(line.pop("ms"), 0)
        wanted = {"request_id": "my-id", "key_id": "key_1", "method": "GET", "route": "/api/{thing}", "status": 200, "bytes": 5}
        self.assertEqual(line, wanted)
        self.assertNotIn("secret", self.stream.getvalue())

    def test_count_the_bytes_of_the_body_that_was_sent(self) -> None:
        lines = self.lines_of(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", post(b"secret"))
        self.assertEqual([(line["method"], line["bytes"]) for line in lines], [("HEAD", 0), ("POST", 5)])

    def test_stand_for_malformed_requests_too(self) -> None:
        (line,) = self.lines_of(b"GET /secret\r\n")
        self.assertEqual((line["method"], line["route"], line["status"]), ("", "", 400))

    def test_come_with_each_of_many_requests(self) -> None:
        self.assertEqual(len(self.lines_of(get() * 100)), 100)

    def test_that_fail_do_not_fail_the_request(self) -> None:
        self.stream.error = OSError("no space")
        server = self.start(application, access_log=self.log)
        client = self.connect(server)
        for _ in range(2):
            self.stream.written.clear()
            self.assertEqual(client.send(get()).read().status, 200)
            self.assertTrue(self.stream.written.wait(PATIENCE))


class AReportedFault(unittest.TestCase):
    def test_goes_through_the_log_and_gives_only_the_id_away(self) -> None:
        stream = Stream()
        access_log = AccessLog(stream)
        try:
            raise RuntimeError("a secret")
        except RuntimeError as error:
            told = report_fault(access_log, "r1", error)
        access_log.close()
        (record,) = stream.records()
        self.assertIn(record["incident"], told.detail)
        self.assertNotIn("secret", told.detail)
        self.assertIn("RuntimeError: a secret", record["traceback"])


def application(request: Request) -> Response:
    request.key_id, request.route = "key_1", "/api/{thing}"
    request.read_body()
    return Response(200, b"hello")
