"""One hostile request and what must become of it."""

from __future__ import annotations

from typing import NamedTuple

# Of the contract's table; a success has none.
ERRORS = {
    200: "",
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "too_large",
    415: "unsupported_media_type",
    417: "expectation_failed",
    431: "too_large",
    501: "not_implemented",
    505: "http_version",
}
KEY = b"@KEY@".ljust(48, b"@")
"""Stands in a request for the admin key of the store that it is sent to, and is as long."""
MARK = b"smuggled"
"""The request id of the second request that hides in a first: it must be seen nowhere."""
SMUGGLED = b"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: " + MARK + b"\r\nAuthorization: Bearer " + KEY + b"\r\n\r\n"


class Case(NamedTuple):
    """``closes``: the connection must end behind the answer. ``says``: words of the answer's detail, which tell the rule that
    refused it from any other. ``ends``: the peer stops sending behind the data."""

    name: str
    data: bytes
    status: int = 400
    closes: bool = True
    says: str = ""
    ends: bool = False

    @property
    def error(self) -> str:
        return ERRORS[self.status]

    def data_with(self, key: str) -> bytes:
        assert len(key) == len(KEY), "the lengths in the requests would be wrong"
        return self.data.replace(KEY, key.encode())


def lines(*texts: str, body: bytes = b"") -> bytes:
    """A head with a CRLF behind each line, the empty one too, and what follows."""
    return "\r\n".join((*texts, "", "")).encode("latin-1") + body


def asked(*fields: str, target: str = "/api/v1/whoami", method: str = "GET", body: bytes = b"") -> bytes:
    """A whole request with a key but for these fields."""
    return lines(f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {KEY.decode()}", *fields, body=body)


def posted(body: bytes, *fields: str, target: str = "/api/v1/users") -> bytes:
    """With a key, a length and the type of JSON."""
    fields = (f"Content-Length: {len(body)}", "Content-Type: application/json", *fields)
    return asked(*fields, target=target, method="POST", body=body)


def chunked(body: bytes, *fields: str) -> bytes:
    """``body`` is in chunks already."""
    fields = ("Transfer-Encoding: chunked", "Content-Type: application/json", *fields)
    return asked(*fields, target="/api/v1/users", method="POST", body=body)
