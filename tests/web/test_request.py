from __future__ import annotations

import io
import unittest

from secure_mcp_gateway import errors
from secure_mcp_gateway.web.request import Limits, Request, Source, read_request
from tests.web.raw import get, parse, post

LINE = b"GET / HTTP/1.1\r\nHost: localhost\r\n"

MALFORMED = {
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/0.9 by name": b"GET / HTTP/0.9\r\n",
    "one word": b"GET\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\n",
    "a trailing blank": b"GET / HTTP/1.1 \r\n",
    "lower-case version": b"GET / http/1.1\r\n",
    "a version of two digits": b"GET / HTTP/1.10\r\n",
    "a method that is no token": b"G(T / HTTP/1.1\r\n",
    "two empty lines first": b"\r\n\r\nGET / HTTP/1.1\r\n",
    "LF alone after the request line": b"GET / HTTP/1.1\n",
    "CR alone after the request line": b"GET / HTTP/1.1\rHost: localhost\r",
    "LF alone after a header": b"GET / HTTP/1.1\r\nHost: localhost\n",
    "CR inside a header": LINE + b"A: b\rc\r\n",
    "NUL in a value": LINE + b"A: b\0c\r\n",
    "DEL in a value": LINE + b"A: b\x7f\r\n",
    "a control character in an unfinished line": LINE + b"A: b\x01",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01",
    "obs-fold": LINE + b"A: b\r\n c\r\n",
    "obs-fold with TAB": LINE + b"A: b\r\n\tc\r\n",
    "a blank before the first field": b"GET / HTTP/1.1\r\n Host: localhost\r\n",
    "a blank before the colon": LINE + b"A : b\r\n",
    "no colon": LINE + b"Host\r\n",
    "an empty name": LINE + b": b\r\n",
    "8-bit in a name": LINE + b"\xc3\xa4: b\r\n",
    "8-bit in the target": b"GET /\xc3\xa4 HTTP/1.1\r\n",
    "TAB in the target": b"GET /a\tb HTTP/1.1\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\n",
    "a bad percent escape in the path": b"GET /%4 HTTP/1.1\r\n",
    "a bad percent escape in the query": b"GET /?a=%zz HTTP/1.1\r\n",
    "an encoded NUL in the path": b"GET /a%00 HTTP/1.1\r\n",
    "an encoded NUL in the query": b"GET /?a=%00 HTTP/1.1\r\n",
    "a relative target": b"GET health HTTP/1.1\r\n",
    "an asterisk without OPTIONS": b"GET * HTTP/1.1\r\n",
    "an authority form": b"CONNECT localhost:80 HTTP/1.1\r\n",
    "another scheme": b"GET ftp://localhost/ HTTP/1.1\r\n",
    "user information": b"GET http://me@localhost/ HTTP/1.1\r\n",
    "an absolute form without a host": b"GET http:///a HTTP/1.1\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "Host twice": LINE + b"Host: localhost\r\n",
    "Authorization twice": LINE + b"Authorization: Bearer a\r\nauthorization: Bearer a\r\n",
    "Content-Length twice": LINE + b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "Transfer-Encoding twice": LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "both framings": LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "both framings, the other way": LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Transfer-Encoding in HTTP/1.0": b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
    "an empty Transfer-Encoding": LINE + b"Transfer-Encoding:\r\n",
}
BAD_LENGTHS = (b"", b"-1", b"+5", b"5, 5", b"0x5", b"5.0", b"5 5", b"five", b"\xb2", b"1_0")
BAD_HOSTS = ("", "a b", "a/b", "a,b", "me@a", "a:b", "a:99999", "a:1:2", "[::1", "[::g]", "[1.2.3.4]", "::1", "[::1]x", "a\\b", "ä", "a%41")
ALIASES = ("Content_Length", "Transfer_Encoding", "transfer_encoding", "Content_Length_", "_Host", "Authorization_")


def feed_forever(data: bytes, cut: int = 0) -> Source:
    """A peer that sends ``data`` and then nothing, but stays: whoever waits for more fails the test."""
    rest = [data[:cut], data[cut:]] if cut else [data]

    def receive(size: int) -> bytes:
        if not rest:
            raise AssertionError("it waits for more instead of judging what is there")
        return rest.pop(0)

    return Source(receive)


def in_pieces(*pieces: bytes) -> Source:
    rest = list(pieces)
    return Source(lambda size: rest.pop(0) if rest else b"")


class AHead(unittest.TestCase):
    def test_gives_its_parts(self) -> None:
        request = parse(b"PUT /a%2Fb/?x=%20&y HTTP/1.1\r\nHost: Example.com:8001\r\nX-Thing:  a  b\t\r\nContent-Length: 007\r\n\r\n")
        self.assertEqual((request.method, request.target, request.version), ("PUT", "/a%2Fb/?x=%20&y", "1.1"))
        self.assertEqual((request.raw_path, request.query), ("/a%2Fb/", "x=%20&y"))
        self.assertEqual(request.authority, "Example.com:8001")
        self.assertEqual((request.header("X-Thing"), request.header("x-other")), ("a  b", ""))
        self.assertEqual((request.declared_length(), request.has_body(), request.keep_alive), (7, True, True))

    def test_joins_repeated_fields(self) -> None:
        request = parse(get("/", 'If-Match: "1"', 'IF-MATCH: "2"'))
        self.assertEqual(request.headers["if-match"], '"1", "2"')

    def test_takes_8_bit_and_tab_in_values(self) -> None:
        self.assertEqual(parse(get("/", "X-A: \xe4\tb")).header("x-a"), "\xe4\tb")

    def test_is_the_same_however_it_is_split(self) -> None:
        data = b"\r\n" + post(b"{}", "X-Request-Id: abc-1", path="/a?b")
        for cut in range(1, len(data)):
            request = read_request(in_pieces(data[:cut], data[cut:]), Limits())
            self.assertEqual((request.raw_path, request.request_id, request.read_body()), ("/a", "abc-1", b"{}"), cut)

    def test_may_come_byte_by_byte(self) -> None:
        data = post(b"{}")
        request = read_request(in_pieces(*(data[at : at + 1] for at in range(len(data)))), Limits())
        self.assertEqual((request.method, request.read_body()), ("POST", b"{}"))

    def test_leaves_what_follows_to_the_next(self) -> None:
        source = Source(io.BytesIO(get("/1") + post(b"ab", path="/2") + get("/3")).read)
        paths = []
        for _ in range(3):
            request = read_request(source, Limits())
            paths.append((request.raw_path, request.read_body()))
        self.assertEqual(paths, [("/1", b""), ("/2", b"ab"), ("/3", b"")])

    def test_that_ends_early_is_refused(self) -> None:
        with self.assertRaises(errors.InvalidRequest):
            parse(b"GET / HTTP/1.1\r\nHost: local")


class AMalformedHead(unittest.TestCase):
    def test_is_refused_without_waiting_for_another_byte(self) -> None:
        for name, data in MALFORMED.items():
            with self.subTest(name), self.assertRaises(errors.InvalidRequest):
                read_request(feed_forever(data), Limits())

    def test_is_refused_when_the_whole_of_it_is_there_too(self) -> None:
        for name, data in MALFORMED.items():
            with self.subTest(name), self.assertRaises(errors.InvalidRequest):
                read_request(feed_forever(data + b"X-More: y\r\n\r\n"), Limits())

    def test_is_refused_however_it_is_split(self) -> None:
        for name, data in MALFORMED.items():
            for cut in range(1, len(data)):
                with self.subTest(name, cut=cut), self.assertRaises(errors.InvalidRequest):
                    read_request(feed_forever(data, cut), Limits())

    def test_is_refused_for_the_first_thing_wrong_however_it_comes(self) -> None:
        long, few = b"A: " + b"b" * 30, Limits(line=20, header=20)
        for first, data in (
            (errors.TargetTooLong, b"GET /" + b"a" * 30 + b"\x01\n\r\n\r\n"),
            (errors.InvalidRequest, b"GET /\x01" + b"a" * 30 + b"\r\n\r\n"),
            (errors.HeadersTooLarge, b"GET / HTTP/1.1\r\n" + long + b"\n\r\n\r\n"),
            (errors.HeadersTooLarge, b"GET / HTTP/1.1\r\n" + long + b"\0\r\n\r\n"),
            (errors.InvalidRequest, b"GET / HTTP/1.1\r\nA\r" + long + b"\r\n\r\n"),
            (errors.HeadersTooLarge, b"GET / HTTP/1.1\r\nA: " + b"b" * 18 + b"\r\n\r\n"),
            (errors.InvalidRequest, b"GET / HTTP/1.1\r\nA: " + b"b" * 17 + b"\rc\n\r\n"),
        ):
            for size in (1, 2, 3, 7, 22, 23, 1000):
                pieces = (data[at : at + size] for at in range(0, len(data), size))
                with self.subTest(data, size=size), self.assertRaises(first):
                    read_request(in_pieces(*pieces), few)

    def test_with_a_length_that_is_no_number(self) -> None:
        for value in BAD_LENGTHS:
            with self.subTest(value), self.assertRaises(errors.InvalidRequest):
                read_request(feed_forever(LINE + b"Content-Length: " + value + b"\r\n"), Limits())

    def test_with_an_invalid_host(self) -> None:
        for host in BAD_HOSTS:
            with self.subTest(host), self.assertRaises(errors.InvalidRequest):
                read_request(feed_forever(f"GET / HTTP/1.1\r\nHost: {host}\r\n".encode("latin-1")), Limits())

    def test_with_an_underscore_for_a_hyphen_in_a_field_that_decides(self) -> None:
        for name in ALIASES:
            with self.subTest(name), self.assertRaises(errors.InvalidRequest):
                read_request(feed_forever(LINE + name.encode() + b": 5\r\n"), Limits())
        self.assertEqual(parse(get("/", "x_trace: 1")).header("x_trace"), "1")


class OtherRefusals(unittest.TestCase):
    def refused(self, error: type[errors.GatewayError], data: bytes, limits: Limits | None = None) -> None:
        with self.subTest(data[:60]), self.assertRaises(error):
            read_request(feed_forever(data), limits or Limits())

    def test_of_other_versions(self) -> None:
        for version in (b"2.0", b"1.2", b"3.0", b"2"):
            self.refused(errors.VersionNotSupported, b"GET / HTTP/" + version + b"\r\n")
        self.refused(errors.VersionNotSupported, b"PRI * HTTP/2.0\r\n")

    def test_of_other_codings(self) -> None:
        for coding in (b"gzip", b"gzip, chunked", b"xchunked", b"chunked, identity", b"chunked;q=1", b"identity"):
            self.refused(errors.NotImplementedHere, LINE + b"Transfer-Encoding: " + coding + b"\r\n")

    def test_of_other_expectations(self) -> None:
        self.refused(errors.ExpectationFailed, LINE + b"Expect: 200-ok\r\n")
        self.refused(errors.ExpectationFailed, LINE + b"Expect: 100-continue, x\r\n")

    def test_of_what_is_too_long(self) -> None:
        self.refused(errors.TargetTooLong, b"GET /" + b"a" * 8192)
        self.refused(errors.TargetTooLong, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n")
        self.refused(errors.HeadersTooLarge, LINE + b"A: " + b"b" * 8192)
        self.refused(errors.HeadersTooLarge, LINE + b"A: " + b"b" * 8192 + b"\r\n")
        self.refused(errors.HeadersTooLarge, LINE + (b"A: " + b"b" * 8000 + b"\r\n") * 5)
        self.refused(errors.HeadersTooLarge, LINE + b"A: b\r\n" * 64)

    def test_of_nothing_at_the_limits(self) -> None:
        target = "/" + "a" * (8192 - len("GET / HTTP/1.1"))
        self.assertEqual(parse(get(target)).raw_path, target)
        self.assertEqual(len(parse(get("/", "A: " + "b" * 8189)).header("a")), 8189)
        self.assertEqual(len(parse(get("/", *(f"A{number}: b" for number in range(63)))).headers), 64)


class TheTarget(unittest.TestCase):
    def test_may_be_absolute_and_then_names_the_host(self) -> None:
        request = parse(get("http://Other.example:99/a?b"))
        self.assertEqual((request.raw_path, request.query), ("/a", "b"))
        self.assertEqual((request.authority, request.header("host")), ("Other.example:99", "Other.example:99"))

    def test_may_be_absolute_without_a_path(self) -> None:
        self.assertEqual((parse(get("HTTPS://h")).raw_path, parse(get("http://h?q")).query), ("/", "q"))

    def test_of_an_absolute_form_is_judged_as_any_other(self) -> None:
        for target in ("http://h/%zz", "http://h/a#b", "http://h/%00"):
            with self.subTest(target), self.assertRaises(errors.InvalidRequest):
                parse(get(target))

    def test_may_be_an_asterisk_with_options(self) -> None:
        self.assertEqual(parse(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").raw_path, "*")


class TheRest(unittest.TestCase):
    def test_hosts_that_are_fine(self) -> None:
        for host in ("h", "h:80", "h:", "a_b.c-d", "127.0.0.1:1", "[::1]:80", "[::ffff:1.2.3.4]"):
            self.assertEqual(parse(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).authority, host)

    def test_http_1_0_may_lack_a_host(self) -> None:
        self.assertEqual(parse(b"GET / HTTP/1.0\r\n\r\n").authority, "")

    def test_keep_alive(self) -> None:
        wanted = {
            (b"1.1", b""): True,
            (b"1.1", b"Connection: close\r\n"): False,
            (b"1.1", b"Connection: TE, Close\r\n"): False,
            (b"1.0", b""): False,
            (b"1.0", b"Connection: Keep-Alive\r\n"): True,
            (b"1.0", b"Connection: keep-alive, close\r\n"): False,
        }
        for (version, field), kept in wanted.items():
            request = parse(b"GET / HTTP/" + version + b"\r\nHost: h\r\n" + field + b"\r\n")
            self.assertIs(request.keep_alive, kept, (version, field))

    def test_a_request_id_is_taken_only_in_its_form(self) -> None:
        self.assertEqual(self.request_id("X-Request-Id: A.b_c-9"), "A.b_c-9")
        for field in ("X-Request-Id: a b", "X-Request-Id: " + "a" * 65, 'X-Request-Id: "a"', "X-Request-Id:", "X-Other: a"):
            self.assertRegex(self.request_id(field), "^[0-9a-f]{16}$")
        self.assertNotEqual(self.request_id("X-Other: a"), self.request_id("X-Other: a"))

    def request_id(self, field: str) -> str:
        return parse(get("/", field)).request_id

    def test_an_expectation_in_http_1_0_is_ignored(self) -> None:
        request: Request = parse(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na")
        self.assertFalse(request.expects_continue)
