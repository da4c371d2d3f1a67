"""A request, read strictly (RFC 9110, RFC 9112): the head at once, the body when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import getrandbits
from typing import Callable

from secure_mcp_gateway.errors import (
    ExpectationFailed,
    GatewayError,
    InvalidRequest,
    NotImplementedHere,
    TargetTooLong,
    VersionNotSupported,
)
from secure_mcp_gateway.web.body import body_too_large, read_chunked
from secure_mcp_gateway.web.fields import add_field, read_field_lines
from secure_mcp_gateway.web.source import Limits, Source
from secure_mcp_gateway.web.target import is_authority, split_target

__all__ = ["Limits", "Request", "Source", "fresh_request_id", "read_held_request", "read_request"]

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([01])").fullmatch
_OTHER_VERSION = re.compile(rb"\S+ \S+ HTTP/(?!0|1\.[01])[0-9](?:\.[0-9])?").fullmatch
_SIMPLE_REQUEST = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/0\.[0-9])?").fullmatch
# A key of ours has the form of an id; in its place it would be logged.
_REQUEST_ID = re.compile(r"(?!.*smga?_)[A-Za-z0-9._-]{1,64}").fullmatch
_DIGITS = re.compile(r"[0-9]+").fullmatch
_MOST_DIGITS = 18


class Request:
    """``headers`` has lower-case names; ``raw_path`` and ``query`` are as sent, not percent-decoded. The application fills in
    ``key_id`` and ``route``, for the access line, and ``found`` and ``held``, which are its own: they go once the answer is sent."""

    # What most requests leave as it is stands here once, not in each of them.
    secure = False
    peer = ""
    local_port = 0
    key_id = ""
    route = ""
    found: object = None
    held: object = None
    expects_continue = False
    before_body: Callable[[Request], None] | None = None
    after_body: Callable[[Request], None] | None = None
    _length: int | None = 0
    _body: bytes | None = None
    _failure: GatewayError | None = None
    authority: str
    raw_path: str
    query: str
    request_id: str
    keep_alive: bool

    def __init__(self, method: str, target: str, version: str, source: Source, limits: Limits) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers: dict[str, str] = {}
        self._source = source
        self._limits = limits

    def header(self, name: str) -> str:
        """Empty where it is not there."""
        return self.headers.get(name.lower(), "")

    def declared_length(self) -> int | None:
        """None for a chunked body, 0 when there is none."""
        return self._length

    def has_body(self) -> bool:
        return self._length != 0

    def is_read_whole(self) -> bool:
        return self._length == 0 or self._body is not None

    def bound_body(self, most: int) -> None:
        """Take at most so many bytes of a body, before any of it is read."""
        self._limits = self._limits.with_body(most)

    def check_length(self) -> None:
        """Refuse a declared length over the limit without reading anything."""
        if self._length is not None and self._length > self._limits.body:
            raise body_too_large(self._limits)

    def read_body(self) -> bytes:
        """The decoded body; the first call asks for it (``100 Continue``) and waits for it."""
        if self._body is None:
            self._body = self._fetch_body()
        return self._body

    def _fetch_body(self) -> bytes:
        if self._failure:
            raise self._failure
        self.check_length()
        if self._length == 0:
            return b""
        try:
            if self.before_body:
                self.before_body(self)
            return self._decode_body()
        except GatewayError as error:
            self._failure = error
            raise
        except OSError as error:
            self._failure = InvalidRequest("the connection broke before the body was read")
            raise self._failure from error
        finally:
            if self.after_body:
                self.after_body(self)

    def _decode_body(self) -> bytes:
        if self._length is None:
            return read_chunked(self._source, self._limits)
        return self._source.read_exactly(self._length)

    def judge_host(self) -> None:
        host = self.headers["host"]
        if not is_authority(host):
            raise InvalidRequest("the field Host is not a host with an optional port")
        if self.authority:  # of an absolute form: it replaces the field (RFC 9112 §3.2.2)
            self.headers["host"] = self.authority
        else:
            self.authority = host

    def judge_length(self) -> None:
        headers = self.headers
        length = headers.get("content-length")
        coding = headers.get("transfer-encoding")
        if coding is not None:
            _judge_coding(coding, length, self.version)
            self._length = None
        else:
            self._length = _parse_length(length or "")

    def judge_expectation(self) -> None:
        expectation = self.headers.get("expect")
        if not expectation:
            return
        if expectation.lower() != "100-continue":
            raise ExpectationFailed("the only expectation met here is 100-continue")
        self.expects_continue = self.version == "1.1"  # RFC 9110 §10.1.1: ignored in HTTP/1.0

    def settle(self) -> None:
        """Judge what needs the whole head."""
        if self.version == "1.1" and "host" not in self.headers:
            raise InvalidRequest("the field Host is missing")
        self.keep_alive = self._wants_keep_alive()
        given = self.headers.get("x-request-id")
        self.request_id = given if given and _REQUEST_ID(given) else fresh_request_id()

    def _wants_keep_alive(self) -> bool:
        connection = self.headers.get("connection")
        if connection is None:
            return self.version == "1.1"
        options = [option.strip() for option in connection.lower().split(",")]
        return "close" not in options and (self.version == "1.1" or "keep-alive" in options)


_JUDGES = {
    "content-length": Request.judge_length,
    "expect": Request.judge_expectation,
    "host": Request.judge_host,
    "transfer-encoding": Request.judge_length,
}


def read_request(source: Source, limits: Limits) -> Request:
    """Read a head; the first line that breaks a rule raises, without waiting for the next."""
    whole = source.whole_head(limits)
    return _request_of(iter(whole) if whole else _head_lines(source, limits), source, limits)


def read_held_request(source: Source, limits: Limits) -> Request | None:
    """The same of a head that is here already; None where any of it is still awaited, or something may be wrong with it."""
    whole = source.whole_head(limits)
    return _request_of(iter(whole), source, limits) if whole else None


def _request_of(lines: Iterator[bytes], source: Source, limits: Limits) -> Request:
    request = _parse_request_line(next(lines), source, limits)
    headers = request.headers
    for line in lines:
        judge = _JUDGES.get(add_field(headers, line))
        if judge:
            judge(request)
    request.settle()
    return request


def fresh_request_id() -> str:
    return f"{getrandbits(64):016x}"


def _head_lines(source: Source, limits: Limits) -> Iterator[bytes]:
    # RFC 9112 §2.2: one empty line before a request line is ignored.
    yield source.read_line(limits.line, TargetTooLong) or source.read_line(limits.line, TargetTooLong)
    yield from read_field_lines(source, limits)


def _parse_request_line(line: bytes, source: Source, limits: Limits) -> Request:
    match = _REQUEST_LINE(line)
    if not match:
        raise _fault_of(line)
    method, target, minor = match.groups()
    request = Request(method.decode("ascii"), target.decode("ascii"), "1.1" if minor == b"1" else "1.0", source, limits)
    request.raw_path, request.query, request.authority = split_target(request.method, request.target)
    return request


def _fault_of(line: bytes) -> GatewayError:
    if _OTHER_VERSION(line):
        return VersionNotSupported("only HTTP/1.1 and HTTP/1.0 are spoken here")
    if _SIMPLE_REQUEST(line):
        return InvalidRequest("HTTP/0.9 is not spoken here", "end the request line with HTTP/1.1")
    return InvalidRequest("the request line is not METHOD TARGET HTTP/1.1 with single blanks and visible characters")


def _judge_coding(coding: str, length: str | None, version: str) -> None:
    if length is not None:
        raise InvalidRequest("Transfer-Encoding and Content-Length exclude each other")
    if version == "1.0":
        raise InvalidRequest("Transfer-Encoding is not part of HTTP/1.0")
    if not coding:
        raise InvalidRequest("Transfer-Encoding is empty")
    if coding.lower() != "chunked":
        raise NotImplementedHere("the only transfer coding taken is chunked")


def _parse_length(text: str) -> int:
    if not _DIGITS(text):
        raise InvalidRequest("Content-Length is not a decimal number")
    digits = text.lstrip("0")
    # Longer numbers are over any limit; Python refuses to convert the longest.
    return int(digits or 0) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS
