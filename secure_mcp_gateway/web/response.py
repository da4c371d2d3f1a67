"""An answer, and its bytes in one piece."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from email.utils import formatdate
from http import HTTPStatus
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any

from secure_mcp_gateway.errors import GatewayError, MethodNotAllowed, Unauthorized

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = frozenset((204, 304))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
# What ``encode`` makes anew for each answer, where that takes as long as encoding a small one.
_chunks = c_make_encoder and c_make_encoder(None, None, encode_basestring, None, ":", ",", False, False, True)


def encode_json(document: dict[str, Any]) -> str:
    """In one line, without blanks. The values are those that JSON knows."""
    return "".join(_chunks(document, 0)) if _chunks else _encode(document)


class Response:
    """Date, Content-Length, Connection and X-Request-Id are added later."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        self.status = status
        self.body = body
        self.headers = list(headers)


def error_response(error: GatewayError, now: str) -> Response:
    """``now`` is ISO 8601 with an offset. The error's private part stays private."""
    document = {"error": error.code, "detail": error.detail, "timestamp": now}
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if error.hint:
        # For who shows them apart: the characters at the end of `detail` that say what to do.
        headers.append(("X-Hint-Length", str(len(error.hint))))
    if isinstance(error, Unauthorized):
        headers.append(("WWW-Authenticate", "Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append(("Allow", ", ".join(error.allow)))
    return Response(error.status, json.dumps(document).encode(), headers)


def utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def body_to_send(response: Response, method: str) -> bytes:
    return b"" if method == "HEAD" or response.status in _BODILESS else response.body


def encode(response: Response, method: str, request_id: str, connection: str) -> bytes:
    """Head and body. ``connection`` is the value of that field, none where it is empty."""
    head = f"{_status_line(response.status)}Date: {_date()}\r\nX-Request-Id: {request_id}\r\n"
    for name, value in response.headers:
        if not (name.isprintable() and value.isprintable()):
            raise ValueError(f"the value of the field {name!r} cannot be sent")
        head += f"{name}: {value}\r\n"
    if response.status not in _BODILESS:
        head += f"Content-Length: {len(response.body)}\r\n"
    if connection:
        head += f"Connection: {connection}\r\n"
    return f"{head}\r\n".encode("latin-1") + body_to_send(response, method)


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"


_last_date = (0, "")


def _date() -> str:
    """The time as in RFC 9110 §5.6.7, formatted once a second."""
    global _last_date
    second = int(time.time())
    kept, text = _last_date
    if kept != second:
        text = formatdate(second, usegmt=True)
        _last_date = (second, text)
    return text
