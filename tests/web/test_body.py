from __future__ import annotations

import unittest

from secure_mcp_gateway import errors
from secure_mcp_gateway.web.request import Limits, Request, Source, read_request
from tests.web.raw import get, parse, post

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
CODED = b'5;name="a;b"\r\nhello\r\n00A ; x\r\n, world...\r\n0\r\nX-Sum: 1\r\n\r\n'
PLAIN = b"hello, world..."

MALFORMED = {
    "a size that is no number": b"x\r\n",
    "an empty size": b"\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n",
    "a size with a sign": b"+5\r\nhello\r\n",
    "a size with an underscore": b"1_0\r\n",
    "a blank after the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "a blank before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "a size of too many digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "LF alone after the size": b"5\nhello\r\n0\r\n\r\n",
    "LF alone in an extension": b"5;a\nhello\r\n0\r\n\r\n",
    "CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "LF alone after the data": b"5\r\nhello\n0\r\n\r\n",
    "more data than the size": b"4\r\nhello\r\n0\r\n\r\n",
    "less data than the size": b"6\r\nhello\r\n0\r\n\r\n",
    "an extension without an end": b"5;" + b"a" * 2000,
    "too many extensions": (b"1;" + b"a" * 1000 + b"\r\nb\r\n") * 40 + b"0\r\n\r\n",
    "a trailer without a colon": b"0\r\nX\r\n\r\n",
    "a folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
    "a trailer with a NUL": b"0\r\nX: \0\r\n\r\n",
    "a trailer that names a length badly": b"0\r\nContent_Length: 5\r\n\r\n",
    "an end in the size": b"5",
    "an end in the data": b"5\r\nhel",
    "an end after the data": b"5\r\nhello",
    "an end before the last chunk": b"5\r\nhello\r\n",
    "an end in the trailers": b"0\r\nX: a\r\n",
    "no end of the trailers": b"0\r\n",
}


def chunked(data: bytes, limits: Limits | None = None) -> bytes:
    return parse(HEAD + data, limits).read_body()


class AChunkedBody(unittest.TestCase):
    def test_is_decoded_however_it_is_split(self) -> None:
        data = HEAD + CODED
        for cut in range(1, len(data)):
            pieces = [data[:cut], data[cut:]]
            source = Source(lambda size, rest=pieces: take(rest, size))  # type: ignore[misc]
            self.assertEqual(read_request(source, Limits()).read_body(), PLAIN, cut)

    def test_may_come_byte_by_byte(self) -> None:
        pieces = [bytes((code,)) for code in HEAD + CODED]
        self.assertEqual(read_request(Source(lambda size: take(pieces, size)), Limits()).read_body(), PLAIN)

    def test_has_no_declared_length_and_may_be_empty(self) -> None:
        request = parse(HEAD + b"0\r\n\r\n")
        self.assertEqual((request.declared_length(), request.has_body(), request.read_body()), (None, True, b""))
        self.assertTrue(request.is_read_whole())

    def test_leaves_what_follows_to_the_next(self) -> None:
        pieces = [HEAD + CODED + get("/next")]
        source = Source(lambda size: take(pieces, size))
        read_request(source, Limits()).read_body()
        self.assertEqual(read_request(source, Limits()).raw_path, "/next")

    def test_that_is_malformed_is_refused(self) -> None:
        for name, data in MALFORMED.items():
            with self.subTest(name), self.assertRaises(errors.InvalidRequest):
                chunked(data)

    def test_is_bounded_as_it_comes(self) -> None:
        limits = Limits(body=10)
        self.assertEqual(chunked(b"a\r\n0123456789\r\n0\r\n\r\n", limits), b"0123456789")
        for data in (b"b\r\n", b"5\r\nhello\r\n6\r\n", b"ffffffffffffffff\r\n"):
            with self.subTest(data), self.assertRaises(errors.TooLarge):
                chunked(data, limits)

    def test_has_bounded_trailers(self) -> None:
        for trailers in (b"A: b\r\n" * 65, b"A: " + b"b" * 9000, (b"A: " + b"b" * 8000 + b"\r\n") * 5):
            with self.subTest(trailers[:9]), self.assertRaises(errors.HeadersTooLarge):
                chunked(b"0\r\n" + trailers + b"\r\n")


class ABodyOfKnownLength(unittest.TestCase):
    def test_is_read_once_and_given_twice(self) -> None:
        request = parse(post(b"hello") + b"surplus")
        self.assertFalse(request.is_read_whole())
        self.assertEqual((request.read_body(), request.read_body()), (b"hello", b"hello"))
        self.assertTrue(request.is_read_whole())

    def test_that_ends_early_is_refused_every_time(self) -> None:
        request = parse(post(b"hello")[:-1])
        for _ in range(2):
            with self.assertRaises(errors.InvalidRequest):
                request.read_body()
        self.assertFalse(request.is_read_whole())

    def test_over_the_limit_is_refused_unread(self) -> None:
        for length in (b"11", b"9" * 30, b"9" * 6000):
            asked: list[Request] = []
            request = parse(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + b"\r\n\r\n", Limits(body=10))
            request.before_body = asked.append
            with self.assertRaises(errors.TooLarge):
                request.check_length()
            with self.assertRaises(errors.TooLarge):
                request.read_body()
            self.assertEqual(asked, [])

    def test_that_breaks_off_with_the_connection_is_a_refusal_of_ours(self) -> None:
        pieces = [post(b"hello")[:-3]]

        def receive(size: int) -> bytes:
            if not pieces:
                raise ConnectionResetError
            return pieces.pop()

        with self.assertRaises(errors.InvalidRequest):
            read_request(Source(receive), Limits()).read_body()

    def test_that_is_not_there_is_empty(self) -> None:
        self.assertEqual((parse(get()).read_body(), parse(post(b"")).has_body()), (b"", False))


def take(pieces: list[bytes], size: int) -> bytes:
    if not pieces:
        return b""
    piece = pieces.pop(0)
    if len(piece) > size:
        pieces.insert(0, piece[size:])
    return piece[:size]
