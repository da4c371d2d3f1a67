"""Damaged requests: nothing but a refusal of ours ever comes out of the reader."""

from __future__ import annotations

import random
import unittest

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.web.request import Limits
from tests.web.raw import get, parse, post

ROUNDS = 4000
CHUNKED = b"POST /a?b HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"
SAMPLES = (CHUNKED, get("http://h:1/a%20b?c", "Expect: 100-continue", "Connection: close"), post(b"{}", "X-Request-Id: a"))
NOISE = (
    b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"%", b"#", b"/", b"_", b"\xff", b";", b"0", b"9" * 30,
    b"[", b",", b"HTTP/1.1", b"2", b" HTTP/2.0\r\n",
)  # fmt: skip


def damage(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(data) + 1)
        data = data[:start] + dice.choice(NOISE) + data[start + dice.choice((0, 0, 1, 5)) :]
    return data


class Noise(unittest.TestCase):
    def test_is_refused_or_read_but_never_breaks_the_reader(self) -> None:
        seed = random.randrange(2**32)
        dice, outcomes = random.Random(seed), set()
        for _ in range(ROUNDS):
            data = damage(dice.choice(SAMPLES), dice)
            with self.subTest(seed=seed, data=data):
                outcomes.add(self.outcome(data))
        self.assertLessEqual({"read", "invalid_request", "http_version", "not_implemented"}, outcomes)

    def outcome(self, data: bytes) -> str:
        try:
            request = parse(data, Limits(body=100))
            request.read_body()
        except GatewayError as error:
            return error.code
        self.assertTrue(request.raw_path.startswith("/") and request.raw_path.isascii() and request.raw_path.isprintable())
        self.assertTrue(all(value.isprintable() for value in (*request.headers, request.authority)))
        return "read"
