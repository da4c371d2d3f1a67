"""Variants of the product that read requests leniently, each in one way: it breaks this process for good."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from secure_mcp_gateway.api import inputs
from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.web import body, exchange, request, source
from secure_mcp_gateway.web.exchange import Exchange
from secure_mcp_gateway.web.response import encode, error_response, utc_now
from secure_mcp_gateway.web.source import Limits, Source


def lenient_framing() -> None:
    """Transfer-Encoding goes before Content-Length, as RFC 7230 had it."""
    judge = request._judge_coding
    request._judge_coding = lambda coding, length, version: judge(coding, None, version)


def lenient_line_ends() -> None:
    """LF alone ends a line."""

    def cut_line(self: Source, end: int, limit: int, too_long: Any) -> bytes:
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        line = line[:-1] if line.endswith(b"\r") else line
        if len(line) > limit:
            raise too_long(f"a line is longer than {limit} bytes")
        source._refuse_controls(line)
        return line

    Source._cut_line = cut_line  # type: ignore[method-assign]
    Source.whole_head = lambda self, limits: None  # type: ignore[method-assign]


def a_lenient_version() -> None:
    """Whatever comes behind HTTP/1. is taken for 1.1."""
    request._REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([0-9])").fullmatch


def lenient_chunks() -> None:
    """A chunk's size is what Python takes for a number."""

    def size(line: bytes) -> int:
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise request.InvalidRequest("a chunk size is not a hexadecimal number") from None

    body._chunk_size = size


def lenient_json() -> None:
    inputs.strict_json = json.loads  # type: ignore[assignment]


def keeps_refused() -> None:
    """Behind a malformed request the next is read from where it stopped."""

    def refuse(self: Exchange, error: GatewayError, started: float) -> None:
        request_id = request.fresh_request_id()
        self._send(encode(error_response(error, utc_now()), "", request_id, ""))
        if self.service.log:
            self.service.log.answered(request_id, "", "", "", error.status, 0, 0.0)
        self.close_connection = False

    Exchange._refuse = refuse  # type: ignore[method-assign]


def logs_as_text() -> None:
    """The log has a line of text for each request, with its method and path."""
    read = request.read_request

    def told(given: Source, limits: Limits) -> request.Request:
        found = read(given, limits)
        sys.stderr.write(f"{found.method} {found.target}\n")
        return found

    exchange.read_request = told
