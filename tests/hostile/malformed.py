"""Request lines, targets and fields that are not HTTP, or too much of it. What the tests of the parser have is taken from there."""

from __future__ import annotations

from tests.hostile.case import KEY, SMUGGLED, Case, asked, lines, posted
from tests.web.test_request import ALIASES, BAD_HOSTS, BAD_LENGTHS, LINE, MALFORMED

_REST = ("Host: localhost", "X-More: y")
_FIELD = LINE + b"X-Before: y\r\n"


def _first_line(name: str, line: str, status: int = 400) -> Case:
    return Case(name, lines(line, *_REST, body=SMUGGLED), status)


def _field(name: str, raw: bytes, status: int = 400) -> Case:
    return Case(name, _FIELD + raw + b"\r\nX-After: y\r\n\r\n" + SMUGGLED, status)


def _target(name: str, target: str) -> Case:
    return _first_line(name, f"GET {target} HTTP/1.1")


def _host(name: str, host: bytes) -> Case:
    return Case(name, b"GET /health HTTP/1.1\r\nHost: " + host + b"\r\n\r\n" + SMUGGLED)


OF_THE_PARSER = [
    *(Case(f"parser: {name}", data + b"X-More: y\r\n\r\n" + SMUGGLED) for name, data in MALFORMED.items()),
    *(Case(f"parser: Content-Length {value!r}", LINE + b"Content-Length: " + value + b"\r\n\r\n" + SMUGGLED) for value in BAD_LENGTHS),
    *(_host(f"parser: Host {host!r}", host.encode("latin-1")) for host in BAD_HOSTS),
    *(Case(f"parser: {name}", LINE + name.encode() + b": 5\r\n\r\n" + SMUGGLED) for name in ALIASES),
]

REQUEST_LINES = [
    _first_line("TAB between the words", "GET\t/health\tHTTP/1.1"),
    _first_line("a vertical tab between the words", "GET\x0b/health HTTP/1.1"),
    _first_line("a form feed between the words", "GET /health\x0cHTTP/1.1"),
    _first_line("a no-break space between the words", "GET\xa0/health\xa0HTTP/1.1"),
    _first_line("a blank before the method", " GET /health HTTP/1.1"),
    _first_line("a LF before the method", "\nGET /health HTTP/1.1"),
    _first_line("two CR before a LF first", "\r\r\nGET /health HTTP/1.1"),
    _first_line("a method in 8-bit letters", "G\xcbT /health HTTP/1.1"),
    _first_line("no method", " /health HTTP/1.1"),
    _first_line("no target", "GET HTTP/1.1"),
    _first_line("four words", "GET /health HTTP/1.1 x"),
    _first_line("letters behind the version", "GET /health HTTP/1.1x"),
    _first_line("blanks in the version", "GET /health HTTP / 1.1"),
    _first_line("a comma in the version", "GET /health HTTP/1,1"),
    _first_line("a sign in the version", "GET /health HTTP/+1.1"),
    _first_line("a zero before the version", "GET /health HTTP/01.1"),
    _first_line("HTTP/0.0", "GET /health HTTP/0.0"),
    _first_line("another protocol", "GET /health ICAP/1.0"),
    _first_line("an answer in place of a request", "HTTP/1.1 200 OK"),
    _first_line("a CR inside the version", "GET /health HTTP/1\r.1"),
    _first_line("a NUL in the method", "GE\0T /health HTTP/1.1"),
    _first_line("a NUL in the target", "GET /hea\0lth HTTP/1.1"),
    _first_line("a CR in the target", "GET /health\rX-A: b HTTP/1.1"),
    _first_line("a LF in the target", "GET /health\nX-A: b HTTP/1.1"),
    Case("HTTP/0.9 with a request behind it", b"GET /health\r\n" + SMUGGLED),
    Case("HTTP/0.9 that ends", b"GET /health\r\n", ends=True),
    Case(
        "the preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\x40\0\0\0\0\x02\0\0\0\0",
        505,
    ),
    _first_line("HTTP/1.9", "GET /health HTTP/1.9", 505),
    _first_line("HTTP/9.9", "GET /health HTTP/9.9", 505),
    _first_line("HTTP/2 of one digit", "GET /health HTTP/3", 505),
    Case("a head that ends in the request line", b"GET /heal", ends=True),
    Case("a head that ends between two lines", LINE, ends=True),
    Case("a head that ends in a CR", LINE + b"A: b\r", ends=True),
    Case("an SSH client", b"SSH-2.0-OpenSSH_9.6\r\n" + SMUGGLED),
    Case("the PROXY protocol", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + SMUGGLED),
]

TARGETS = [
    _target("an absolute form without a host", "http://"),
    _target("an absolute form with a port over 65535", "http://localhost:65536/health"),
    _target("an absolute form with two ports", "http://localhost:80:80/health"),
    _target("an absolute form with an open bracket", "http://[::1/health"),
    _target("an absolute form with a password", "http://localhost:x@evil.example/health"),
    _target("an absolute form with one slash", "http:/health"),
    _target("a scheme without slashes", "http:health"),
    _target("a file", "file:///etc/passwd"),
    _target("a query alone", "?limit=1"),
    _target("two asterisks", "**"),
    _target("a half percent escape at the end", "/health%"),
    _target("a percent escape of a letter outside hexadecimal", "/health%g0"),
    _target("a percent escape in UTF-16", "/%u0041"),
    _target("an encoded NUL behind a good escape", "/%41%00"),
    _target("an encoded NUL in an absolute form", "http://localhost/%00"),
    _target("a fragment behind a query", "/health?a=b#c"),
    _target("backslashes for slashes", "\\health"),
    Case("an absolute form without the field Host", lines("GET http://localhost/health HTTP/1.1", body=SMUGGLED)),
    Case("an absolute form with a bad field Host", lines("GET http://localhost/health HTTP/1.1", "Host: a b", body=SMUGGLED)),
]

FIELDS = [
    _field("a parenthesis in a name", b"X(a): b"),
    _field("quotes in a name", b'"Host": b'),
    _field("a slash in a name", b"X/A: b"),
    _field("a blank in a name", b"Content Length: 5"),
    _field("a no-break space at a name's end", b"Transfer-Encoding\xa0: chunked"),
    _field("a NUL in a name", b"Content-Length\0: 5"),
    _field("a TAB before the colon", b"Content-Length\t: 5"),
    _field("a colon alone", b":"),
    _field("CR CR LF at the end of a line", b"A: b\r"),
    _field("LF CR between two lines", b"A: b\n\rC: d"),
    _field("a CR that hides a field", b"A: b\rTransfer-Encoding: chunked"),
    _field("a LF that hides a field", b"A: b\nTransfer-Encoding: chunked"),
    _field("two LF that end the head", b"A: b\n\nGET /health HTTP/1.1"),
    _field("a folded line of blanks alone", b"A: b\r\n  "),
    _field("a length in a folded line", b"Content-Length:\r\n 5"),
    _field("a folded line behind a length", b"Content-Length: 1\r\n 5"),
    _field("a vertical tab in a value", b"A: b\x0bc"),
    _field("an escape in a value", b"A: \x1b[2Jb"),
    _field("a backspace in a value", b"A: b\x08"),
    _field("an upper-case alias of a framing field", b"TRANSFER_ENCODING: chunked"),
    _field("an alias of the key's field", b"authorization_: Bearer " + KEY),
    _field("an alias of Host", b"HOST_: evil.example"),
    _field("two types", b"Content-Type: application/json\r\nContent-Type: text/plain"),
    _field("two origins", b"Origin: http://localhost\r\nOrigin: http://evil.example"),
    _host("Host with a NUL", b"localhost\0"),
    _host("Host with a CR", b"localhost\revil"),
    _host("Host with a TAB inside", b"local\thost"),
    _host("Host with a scheme", b"http://localhost"),
    _host("Host with a path", b"localhost/health"),
    _host("Host with a query", b"localhost?x"),
    _host("Host with a negative port", b"localhost:-1"),
    _host("Host of two names", b"localhost, evil.example"),
    _host("Host in brackets without IPv6", b"[localhost]"),
    _host("Host in UTF-8", "löcalhost".encode()),
    _host("Host with an asterisk", b"*"),
    _host("Host with a port in Arabic digits", "localhost:٨".encode()),
    _field("the same Host once more", b"Host: localhost"),
]

TOO_MUCH = [
    _first_line("a method that never ends", "A" * 9000, 414),
    _first_line("a query over 8 KiB", "GET /health?" + "q" * 8192 + " HTTP/1.1", 414),
    _field("a value over 8 KiB", b"A: " + b"b" * 8190, 431),
    _field("a name over 8 KiB", b"A" * 8192 + b": b", 431),
    _field("fields over 32 KiB", b"\r\n".join([b"A: " + b"b" * 8000] * 5), 431),
    _field("more than 64 fields", b"\r\n".join([b"A: b"] * 64), 431),
    Case("a length one over the limit", asked(f"Content-Length: {16 * 1024 * 1024 + 1}", target="/api/v1/users", method="POST"), 413),
    Case("a length over 64 bits", asked("Content-Length: 18446744073709551621", target="/api/v1/users", method="POST", body=SMUGGLED), 413),
    Case("a length of 5,000 digits", asked("Content-Length: " + "9" * 5000, target="/api/v1/users", method="POST"), 413),
    Case(
        "a large body that waits for 100",
        asked("Expect: 100-continue", "Content-Length: 99999999", target="/api/v1/users", method="PUT"),
        405,
    ),
    Case("an expectation twice", asked("Expect: 100-continue", "Expect: 100-continue", body=SMUGGLED), 417),
    Case("another expectation", asked("Expect: a=b", body=SMUGGLED), 417),
    Case("an expectation with a parameter", posted(b"{}", "Expect: 100-continue;q=1"), 417),
]
