"""Requests that two readers in a row would cut at different places: each holds a second one that must not be answered."""

from __future__ import annotations

from tests.hostile.case import KEY, SMUGGLED, Case, asked, chunked, lines, posted

_END = b"0\r\n\r\n"
_LENGTH = f"Content-Length: {len(SMUGGLED)}"
_HIDDEN = b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n" + _END


def _both(name: str, *fields: str, body: bytes = _END + SMUGGLED, status: int = 400) -> Case:
    return Case(name, asked(*fields, target="/api/v1/users", method="POST", body=body), status)


def _coding(name: str, value: str, status: int = 501) -> Case:
    return _both(name, f"Transfer-Encoding:{value}", status=status)


def _chunk(name: str, body: bytes, status: int = 400, says: str = "") -> Case:
    return Case(name, chunked(body), status, says=says)


FRAMINGS = [
    _both("CL.TE", "Content-Length: 5", "Transfer-Encoding: chunked"),
    _both("TE.CL", "Transfer-Encoding: chunked", f"Content-Length: {len(_HIDDEN)}", body=_HIDDEN),
    _both("CL.TE with a length of nothing", "Content-Length: 0", "Transfer-Encoding: chunked", body=_HIDDEN),
    _both("TE.CL with another field between", "Transfer-Encoding: chunked", "X-A: b", "Content-Length: 5"),
    _both("TE.TE: chunked, then another word", "Transfer-Encoding: chunked", "Transfer-encoding: cow"),
    _both("TE.TE: another word, then chunked", "Transfer-Encoding: cow", "Transfer-Encoding: chunked", status=501),
    _both("TE.TE: identity, then chunked", "Transfer-Encoding: identity", "Transfer-Encoding: chunked", status=501),
    _both("TE with a length under another word", "Transfer-Encoding: identity", _LENGTH, status=501),
    _both("a blank before the name", " Transfer-Encoding: chunked"),
    _both("a blank before the coding's colon", "Transfer-Encoding : chunked"),
    _both("a TAB before the coding's colon", "Transfer-Encoding\t: chunked"),
    _both("a LF before the value", "Transfer-Encoding:\n chunked"),
    _both("a fold before the value", "Transfer-Encoding:\r\n chunked"),
    _both("behind a CR", "X-A: b\rTransfer-Encoding: chunked"),
    _both("behind a LF", "X-A: b\nTransfer-Encoding: chunked"),
    _coding("a vertical tab before the coding", " \x0bchunked", 400),
    _coding("a vertical tab behind the coding", " chunked\x0b", 400),
    _coding("a NUL behind the coding", " chunked\0", 400),
    _coding("a form feed behind the coding", " chunked\x0c", 400),
    _coding("a no-break space before the coding", " \xa0chunked"),
    _coding("the coding in double quotes", ' "chunked"'),
    _coding("the coding in single quotes", " 'chunked'"),
    _coding("a comma behind the coding", " chunked,"),
    _coding("a comma before the coding", " , chunked"),
    _coding("the coding twice in one field", " chunked, chunked"),
    _coding("the coding behind a blank", " x chunked"),
    _coding("the coding with a Kelvin sign", " chun\xe2\x84\xaaed"),
    _coding("a longer word", " chunkedx"),
    _coding("deflate before the coding", " deflate, chunked"),
    _both("two different lengths", "Content-Length: 0", _LENGTH, body=SMUGGLED),
    _both("a length and its list", f"Content-Length: 0, {len(SMUGGLED)}", body=SMUGGLED),
    _both("a length in Arabic digits", "Content-Length: \xd9\xa5", body=SMUGGLED),
    _both("a negative length of nothing", "Content-Length: -0", body=SMUGGLED),
    _both("a length with a TAB inside", "Content-Length: 1\t1", body=SMUGGLED),
    _both("a length with a semicolon", "Content-Length: 0;", body=SMUGGLED),
    _both("a length with an exponent", "Content-Length: 1e1", body=SMUGGLED),
    _both("a length in quotes", 'Content-Length: "0"', body=SMUGGLED),
    _both("a length with an L", "Content-Length: 0L", body=SMUGGLED),
    Case("HTTP/1.0 with two lengths", lines("POST / HTTP/1.0", "Content-Length: 0", _LENGTH, body=SMUGGLED)),
    Case(
        "HTTP/1.0 with a coding and keep-alive",
        lines("GET / HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked", body=_HIDDEN),
    ),
    Case("HTTP/1.0 with a request behind it", lines("GET /health HTTP/1.0", body=SMUGGLED), 200),
    Case("HTTP/1.1 that closes, with a request behind it", asked("Connection: x, CLOSE", body=SMUGGLED), 200),
    Case("a body for a page that reads none", lines("GET /health HTTP/1.1", "Host: localhost", _LENGTH, body=SMUGGLED), 200),
    Case(
        "a chunked body for a page that reads none",
        lines("GET /health HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", body=_HIDDEN),
        200,
    ),
    Case("a body without a key", lines("POST /api/v1/users HTTP/1.1", "Host: localhost", _LENGTH, body=SMUGGLED), 401),
    Case("a body that waits for 100 with a bad key", lines("POST /api/v1/users HTTP/1.1", "Host: h", "Expect: 100-continue", _LENGTH), 401),
    Case("a body for no path", asked(_LENGTH, target="/api/v1/none", method="POST", body=SMUGGLED), 404),
    Case("a body for another method", asked(_LENGTH, method="POST", body=SMUGGLED), 405),
    Case("a body of another type", asked(_LENGTH, "Content-Type: text/plain", target="/api/v1/users", method="POST", body=SMUGGLED), 415),
    Case("a request as JSON in a GET", asked(_LENGTH, "Content-Type: application/json", body=SMUGGLED), closes=False, says="not JSON"),
    Case("a request as JSON in a POST", posted(SMUGGLED), closes=False, says="not JSON"),
    Case("a request as chunked JSON", chunked(_HIDDEN), closes=False, says="not JSON"),
    Case("a body that ends early", posted(b"{}")[:-1], ends=True, says="early"),
    Case("a body that never begins", posted(b"{}")[:-2], ends=True, says="early"),
]

CHUNKS = [
    _chunk("a size with 0x", b"0x5\r\nhello\r\n" + _END + SMUGGLED),
    _chunk("a negative size", b"-1\r\nhello\r\n" + _END + SMUGGLED),
    _chunk("a size with a plus", b"+2\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a size with an underscore", b"0_2\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a size of two words", b"2 2\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a blank before the size", b" 2\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a blank behind the size", b"2 \r\n{}\r\n" + _END + SMUGGLED),
    _chunk("no size", b"\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("an extension without a size", b";a=b\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a size of 17 digits", b"00000000000000002\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a last size of 17 digits", b"2\r\n{}\r\n00000000000000000\r\n\r\n" + SMUGGLED),
    _chunk("a size of 64 bits", b"FFFFFFFFFFFFFFFF\r\n{}\r\n" + _END + SMUGGLED, 413),
    _chunk("a size one over the limit", b"1000001\r\n{}\r\n" + _END + SMUGGLED, 413),
    _chunk("sizes over the limit together", b"2\r\n{}\r\nffffff\r\n" + SMUGGLED, 413),
    _chunk("a size that ends in LF", b"2\n{}\r\n" + _END + SMUGGLED),
    _chunk("a size that ends in CR", b"2\r{}\r\n" + _END + SMUGGLED),
    _chunk("a chunk that ends in LF", b"2\r\n{}\n0\r\n\r\n" + SMUGGLED),
    _chunk("a chunk that ends in any two bytes", b"2\r\n{}XX0\r\n\r\n" + SMUGGLED),
    _chunk("a chunk longer than its size", b"1\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a chunk shorter than its size", b"3\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a NUL in an extension", b"2;a=\0\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a LF in an extension", b"2;a\n\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a CR in an extension", b"2;a\rb\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("an extension over 1 KiB", b"2;" + b"a" * 1100 + b"\r\n{}\r\n" + _END + SMUGGLED),
    _chunk("a flood of extensions", (b"1;" + b"a" * 1000 + b"\r\n \r\n") * 34 + _END + SMUGGLED),
    _chunk("a trailer without a colon", b"2\r\n{}\r\n0\r\nX-A\r\n\r\n" + SMUGGLED),
    _chunk("a trailer with a folded line", b"2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n" + SMUGGLED),
    _chunk("a trailer that ends in LF", b"2\r\n{}\r\n0\r\nX-A: b\n\r\n" + SMUGGLED),
    _chunk("a trailer with an alias of a framing field", b"2\r\n{}\r\n0\r\nContent_Length: 5\r\n\r\n" + SMUGGLED),
    _chunk("more than 64 trailers", b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 65 + b"\r\n" + SMUGGLED, 431),
    _chunk("a trailer over 8 KiB", b"2\r\n{}\r\n0\r\nA: " + b"b" * 8192 + b"\r\n\r\n" + SMUGGLED, 431),
    _chunk("a request in the trailer's place", b"2\r\n{}\r\n0\r\n" + SMUGGLED),
    Case(
        "a trailer with the framing fields",
        chunked(b"2\r\n{}\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n"),
        closes=False,
        says="email",
    ),
    Case("chunks that end in a size", chunked(b"2\r\n{}\r\n0"), ends=True),
    Case("chunks that end in a chunk", chunked(b"3\r\n{}"), ends=True, says="early"),
    Case("chunks that end before the last line", chunked(b"2\r\n{}\r\n0\r\n"), ends=True),
    Case(
        "a coding in capitals",
        asked("TRANSFER-ENCODING: CHUNKED", "Content-Type: application/json", body=b"1\r\n}\r\n" + _END),
        closes=False,
        says="not JSON",
    ),
]

STRANGERS = [
    Case(f"a key of another kind: {name}", lines("GET /api/v1/whoami HTTP/1.1", "Host: localhost", *fields), 401, closes=False)
    for name, fields in {
        "none": (),
        "Basic": (f"Authorization: Basic {KEY.decode()}",),
        "no key": ("Authorization: Bearer",),
        "blanks": ("Authorization: Bearer    ",),
        "a TAB": (f"Authorization: Bearer\t{KEY.decode()}",),
        "two keys": (f"Authorization: Bearer {KEY.decode()} {KEY.decode()}",),
        "a comma": (f"Authorization: Bearer {KEY.decode()},",),
        "8-bit": ("Authorization: Bearer \xe4\xff",),
        "a long one": ("Authorization: Bearer " + "smga_" * 1600,),
        "for a proxy": (f"Proxy-Authorization: Bearer {KEY.decode()}",),
        "a cookie": (f"Cookie: Authorization=Bearer {KEY.decode()}",),
    }.items()
]
