"""Requests that are HTTP, and refused for what they name or hold; the connection is kept."""

from __future__ import annotations

import json

from tests.hostile.case import Case, asked, posted

_JSON = "not JSON"
_DEEP = 100_000


def _body(name: str, body: bytes, says: str = _JSON) -> Case:
    return Case(f"JSON: {name}", posted(body), closes=False, says=says)


def _value(name: str, value: bytes, says: str = _JSON) -> Case:
    return _body(name, b'{"email": ' + value + b"}", says)


BODIES = [
    _body("no text", b" "),
    _body("a list", b"[]", "must be a JSON object"),
    _body("a string", b'"a"', "must be a JSON object"),
    _body("null", b"null", "must be a JSON object"),
    _body("a number", b"1", "must be a JSON object"),
    _body("an open object", b"{"),
    _body("two documents", b"{}{}"),
    _body("a NUL behind it", b"{}\0"),
    _body("a comma at the end", b'{"email": "a@b.example",}'),
    _body("single quotes", b"{'email': 'a@b.example'}"),
    _body("names without quotes", b'{email: "a@b.example"}'),
    _body("a comment", b'{"email": "a@b.example"} // no'),
    _body("a name twice", b'{"email": "a@b.example", "email": "c@d.example"}', "twice"),
    _body("a name twice, once escaped", b'{"email": "a@b.example", "\\u0065mail": "c@d.example"}', "twice"),
    _value("a name twice further in", b'{"a": 1, "a": 1}', "twice"),
    _value("NaN", b"NaN"),
    _value("Infinity", b"Infinity"),
    _value("-Infinity", b"-Infinity"),
    _value("a number too large", b"1e999", "too large"),
    _value("a negative number too large", b"-1e999", "too large"),
    _value("a number too large without an exponent", b"1" + b"0" * 400 + b".0", "too large"),
    _value("a lone high surrogate", b'"\\ud800"', "surrogate"),
    _value("a lone low surrogate", b'"\\udc00"', "surrogate"),
    _value("surrogates the wrong way round", b'"\\udc00\\ud800"', "surrogate"),
    _value("a lone surrogate further in", b'[{"a": ["\\udfff"]}]', "surrogate"),
    _body("a lone surrogate in a name", b'{"\\ud800": 1}', "surrogate"),
    _body("a byte order mark", b"\xef\xbb\xbf{}", "byte order mark"),
    _body("UTF-16", '{"email": "a@b.example"}'.encode("utf-16"), "not UTF-8"),
    _body("UTF-16 without a mark", '{"email": "a@b.example"}'.encode("utf-16-le")),
    _body("UTF-32", '{"email": "a@b.example"}'.encode("utf-32"), "not UTF-8"),
    _body("Latin-1", '{"email": "ä@b.example"}'.encode("latin-1"), "not UTF-8"),
    _value("an overlong form", b'"\xc0\xaf"', "not UTF-8"),
    _value("a surrogate in UTF-8", b'"\xed\xa0\x80"', "not UTF-8"),
    _value("beyond Unicode", b'"\xf4\x90\x80\x80"', "not UTF-8"),
    _value("65 lists", b"[" * 64 + b"1" + b"]" * 64, "deeper"),
    _value("65 objects", b'{"a":' * 64 + b"1" + b"}" * 64, "deeper"),
    _body("lists without end", b"[" * _DEEP, ""),
    _body("deep lists", b"[" * _DEEP + b"]" * _DEEP, "deeper"),
    _body("deep objects", b'{"a":' * _DEEP + b"1" + b"}" * _DEEP, "deeper"),
    _value("1,001 digits", b"1" * 1001, "digits"),
    _value("1,001 digits below zero", b"-" + b"1" * 1001, "digits"),
    _value("100,000 digits", b"1" * 100_000, "digits"),
    _value("a leading zero", b"01"),
    _value("a plus", b"+1"),
    _value("no digit before the point", b".5"),
    _value("no digit behind the point", b"1."),
    _value("hexadecimal", b"0x1"),
    _value("True", b"True"),
    _value("a LF in a string", b'"a\nb"'),
    _value("a NUL in a string", b'"a\0b"'),
    _value("an unknown escape", b'"\\x41"'),
    _value("a short escape", b'"\\u12"'),
    _value("an escape of other digits", '"\\u\uff10\uff10\uff14\uff11"'.encode()),
    _value("a no-break space between words", "\u00a01".encode()),
    _value("a vertical tab between words", b"\x0b1"),
    _body("an unknown field", b'{"__proto__": {"admin": true}}', "unknown field"),
    _value("a list for a string", b'["a@b.example"]', "email"),
    _value("a line end in a name", json.dumps("a@b.example\r\nX-A: b").encode(), "email"),
]

NAMES = [
    *(
        Case(f"path: {path}", asked(target=path), 404, closes=False)
        for path in (
            "//health",
            "/./health",
            "/%2e%2e/health",
            "/api/v1/../../health",
            "/api/v1//whoami",
            "/api/v1/whoami//",
            "/api/v1/whoami;x=1",
            "/api/v1/whoami%20",
            "/api/v1/%77hoami",
            "/API/V1/WHOAMI",
            "/api/v1\\whoami",
            "/assets/../../etc/passwd",
            "/assets/%2e%2e%2fstore.json",
            "/api/v1/users/..%2f..%2fetc%2fpasswd",
            "http://localhost//health",
        )
    ),
    Case("path: not UTF-8", asked(target="/api/v1/users/%ff"), closes=False, says="UTF-8"),
    Case("query: a name twice", asked(target="/api/v1/users?limit=1&limit=2"), closes=False, says="twice"),
    Case("query: a name twice, once encoded", asked(target="/api/v1/users?limit=1&%6cimit=2"), closes=False, says="twice"),
    Case("query: not UTF-8", asked(target="/api/v1/users?limit=%ff"), closes=False, says="UTF-8"),
    Case("query: an unknown name", asked(target="/api/v1/users?api_key=x"), closes=False, says="unknown field"),
    Case("query: digits of another script", asked(target="/api/v1/users?limit=%D9%A5"), closes=False, says="limit"),
    Case("query: an exponent", asked(target="/api/v1/users?limit=1e3"), closes=False, says="limit"),
    *(
        Case(f"Origin: {origin}", asked(f"Origin: {origin}"), 403, closes=False)
        for origin in (
            "",
            "null",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://evil.example@localhost",
            "http://localhost:1",
            "http://localhost/path",
            "http://localhost?q",
            "http://[localhost",
            "file://localhost",
            "localhost",
            "http://localhost, http://evil.example",
        )
    ),
    Case(
        "Origin of the field that an absolute form replaces",
        asked("Origin: http://evil.example", target="http://localhost/api/v1/whoami"),
        403,
        closes=False,
    ),
    *(
        Case(f"method: {method[:20]}", asked(method=method), 405, closes=False)
        for method in ("TRACE", "CONNECT", "FOO", "get", "G" * 7000, "'", "|")
    ),
    *(
        Case(f"type: {media}", posted(b"{}").replace(b"application/json", media.encode("latin-1")), 415)
        for media in (
            "",
            "text/plain",
            "application/jsonx",
            "application/json, text/plain",
            "application/json\tx",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
            "application/\xeason",
        )
    ),
    Case(
        "an upgrade to HTTP/2", asked("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"), 200, closes=False
    ),
    Case(
        "an upgrade to a socket",
        asked("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="),
        200,
        closes=False,
    ),
    Case("a Connection field that names Host", asked("Connection: Host, Authorization, keep-alive"), 200, closes=False),
    Case("a method in a field", asked("X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE"), 200, closes=False),
    Case("another path in a field", asked("X-Original-URL: /api/v1/users", "X-Rewrite-URL: /health"), 200, closes=False),
]
