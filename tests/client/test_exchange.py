"""What can happen on the way to a server and back, each in words and with an exit code."""

from __future__ import annotations

import socket
import time
import unittest
from itertools import chain, repeat
from unittest import mock

from secure_mcp_gateway.client import exchange
from secure_mcp_gateway.errors import OutcomeUnknown, Unavailable
from tests.client.stub import ADD, KEY, LIST, ROWS, StubCase, refusal, success
from tests.support import DEADLINE

NOTHING = success([], "X-Total-Count: 0")
MADE = success({"config_name": "new"})


def patched(name: str, value: object) -> object:
    return mock.patch.object(exchange, name, value)


class TheWayThere(StubCase):
    def assert_unreached(self, url: str, *words: str) -> None:
        """A write too, of which nothing was sent: it is known not to be made."""
        for row in (LIST, ADD):
            failure = self.failure(url, row)
            self.assertEqual((type(failure), failure.exit_code), (Unavailable, 6))
            self.assertTrue(failure.hint)
            for word in words:
                self.assertIn(word, failure.detail)

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.assert_unreached(f"http://127.0.0.1:{port}", "no server listens at", str(port))

    def test_the_name_is_not_known(self) -> None:
        with mock.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known")):
            self.assert_unreached("http://gateway.example.com", "gateway.example.com is not known")

    def test_the_name_can_be_none(self) -> None:
        self.assert_unreached(f"http://{'a' * 64}.example.com", "is not known")

    def test_no_connection_comes_about_in_time(self) -> None:
        with mock.patch("socket.create_connection", side_effect=socket.timeout("timed out")):
            self.assert_unreached("http://gateway.example.com", "does not answer within 10 seconds")

    def test_the_network_says_no(self) -> None:
        with mock.patch("socket.create_connection", side_effect=OSError(113, "No route to host")):
            self.assert_unreached("http://gateway.example.com", "cannot be reached: no route to host")

    def test_a_silent_port_is_not_waited_for_by_tls_either(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, patched("CONNECT_SECONDS", 0.1):
            self.assert_unreached(f"https://127.0.0.1:{listener.getsockname()[1]}", "does not answer")

    def test_a_server_without_tls(self) -> None:
        url = self.stub(b"HTTP/1.1 400 Bad Request\r\n\r\n").url.replace("http", "https")
        self.assert_unreached(url, "speaks no TLS", "http://")


class TheAnswer(StubCase):
    def assert_failures(self, script: object, *words: str) -> None:
        """A read failed, and of a write it is not known whether it was made."""
        read, write = self.failure(self.stub(script).url), self.failure(self.stub(script).url, ADD)
        self.assertEqual((type(read), type(write), write.exit_code), (Unavailable, OutcomeUnknown, 6))
        self.assertIn("whether the change was made is not known", write.message)
        self.assertIn("read before you repeat it", write.hint)
        for word in words:
            self.assertIn(word, read.message)
            self.assertIn(word, write.message)

    def test_one_request_is_all_it_takes(self) -> None:
        stub = self.stub(NOTHING)
        self.assertEqual(self.performed(stub.url).rows, [])
        (heard,) = stub.heard
        self.assertIn(f"Authorization: Bearer {KEY}\r\n".encode(), heard)

    def test_a_connection_that_breaks(self) -> None:
        for script in (b"", b"HTTP/1.1 200 OK\r\nContent-", MADE[:-1], b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"):
            with self.subTest(script=script):
                self.assert_failures(script, "broke off")

    def test_a_dry_run_that_breaks_made_nothing(self) -> None:
        failure = self.failure(self.stub(b"").url, ROWS["system restore"], {"data": {}, "dry_run": True})
        self.assertIs(type(failure), Unavailable)

    def test_an_answer_that_does_not_come_in_time(self) -> None:
        with patched("ANSWER_SECONDS", 0.1):
            self.assert_failures(None, "did not answer within")

    def test_an_answer_that_comes_byte_by_byte_for_ever(self) -> None:
        begun = time.monotonic()
        with patched("ANSWER_SECONDS", 0.1):
            self.assert_failures(repeat(b"a"), "did not answer within")
            self.assert_failures([b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", *repeat(b" ", 200)], "did not answer within")
        self.assertLess(time.monotonic() - begun, DEADLINE / 3)

    def test_a_chunk_whose_size_can_be_none(self) -> None:
        head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        for size in (b"-5", b"-1", b"f" * 30, b"1_0", b"x"):
            with self.subTest(size=size):
                self.assert_failures(head + size + b"\r\nhello\r\n0\r\n\r\n", "broke off")

    def test_a_chunk_that_has_no_end_is_not_taken_whole(self) -> None:
        head, pieces = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", repeat(b" " * 65536, 200)
        stub = self.stub(chain([head], pieces))
        with patched("LARGEST", 10000), patched("_PIECE", 10000):
            self.assertIn("broke off", self.failure(stub.url).message)
        stub.close()
        self.assertIsNotNone(next(pieces, None))

    def test_a_server_that_speaks_something_else(self) -> None:
        for script in (b"SSH-2.0-OpenSSH_9.6\r\n", b"220 mail ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02\x50", b"x" * 70000):
            for row in (LIST, ADD):
                failure = self.failure(self.stub(script).url, row)
                self.assertEqual((type(failure), failure.exit_code), (Unavailable, 6))
                self.assertIn("does not speak HTTP", failure.message)

    def test_an_answer_that_is_too_large_is_not_taken(self) -> None:
        get = ROWS["config get"]
        endless = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n%s\r\n" % (b" " * 1024) * 64
        with patched("LARGEST", 10000):
            for script in (b"HTTP/1.1 200 X\r\nContent-Length: 10001\r\n\r\n", endless, b"HTTP/1.1 200 X\r\n\r\n" + b" " * 20000):
                failure = self.failure(self.stub(script).url, get, {"config_identifier": "a"})
                self.assertEqual((failure.code, failure.exit_code), ("too_large", 2))
                self.assertIn("larger than 64 MiB", failure.message)


class ALongBody(StubCase):
    VALUES = {"data": {"kind": "x" * 100_000}}
    ROW = ROWS["system restore"]

    def test_waits_until_the_server_takes_it(self) -> None:
        stub = self.stub([b"HTTP/1.1 100 Continue\r\n\r\n", success({"warnings": []})])
        self.assertEqual(self.performed(stub.url, self.ROW, self.VALUES), {"warnings": []})
        stub.close()
        self.assertIn(b"Expect: 100-continue\r\n", stub.heard[0])
        self.assertTrue(stub.after[0].startswith(b'{"data": {"kind": "xxxx'))

    def test_is_sent_also_where_the_100_comes_in_two_parts(self) -> None:
        stub = self.stub([b"HTTP/1.1 1", b"00 Continue\r\n\r\n", success({"warnings": []})])
        self.assertEqual(self.performed(stub.url, self.ROW, self.VALUES), {"warnings": []})
        stub.close()
        self.assertTrue(stub.after[0].startswith(b'{"data": {"kind": "xxxx'))

    def test_is_not_sent_to_a_server_that_refuses_it(self) -> None:
        stub = self.stub(refusal(413, "too_large", "the body is longer than 10 bytes"))
        failure = self.failure(stub.url, self.ROW, self.VALUES)
        self.assertEqual((failure.code, failure.message), ("too_large", "the body is longer than 10 bytes"))
        self.assertIn("--max-body", failure.hint)
        stub.close()
        self.assertEqual(stub.after, [b""])


if __name__ == "__main__":
    unittest.main()
