"""Variants of the product that read carelessly, each in one way: it breaks this process for good."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from secure_mcp_gateway import params
from secure_mcp_gateway.api import access, router
from secure_mcp_gateway.errors import Unauthorized
from secure_mcp_gateway.repository import restore
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.store import audit, encoding
from secure_mcp_gateway.store.clock import utc_time
from secure_mcp_gateway.web import body, request
from secure_mcp_gateway.web import target as request_target
from secure_mcp_gateway.web.source import Limits, Source


def converts_lengths() -> None:
    request._parse_length = int


def cuts_heads_early() -> None:
    """A head that is here at once is not searched for stray control characters."""

    def whole_head(self: Source, limits: Limits) -> list[bytes] | None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end or len(head) > limits.swift or not head or head.startswith(b"\r\n"):
            return None
        self._buffer = rest
        return head.split(b"\r\n")

    Source.whole_head = whole_head  # type: ignore[method-assign]


def converts_chunk_sizes() -> None:
    def size(line: bytes) -> int:
        try:
            return abs(int(line.partition(b";")[0], 16))
        except ValueError:
            raise request.InvalidRequest("a chunk size is not a hexadecimal number") from None

    body._chunk_size = size


def believes_paths() -> None:
    """Bytes that are no text are replaced."""
    router.decoded = lambda segment, errors="strict": unquote(segment)


def walks_paths_twice() -> None:
    """A fragment is looked for by a pattern that goes back over all it has seen, and back over that."""
    slow = re.compile(r"[^?#]*[^?#]*[^?#]*#").match
    plain = request_target._ORIGIN_FORM
    request_target._ORIGIN_FORM = lambda text: (slow(text), plain(text))[1]  # type: ignore[assignment]


def strips_keys() -> None:
    """All that Unicode calls a blank is cut off a key."""

    def caller(document: Any, asked: Any, now: str) -> Any:
        scheme, _, key = asked.header("authorization").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("a key is needed")
        return authenticate(document, key.strip(), now)

    access.bearer_caller = caller
    from tests.fuzz import web_targets

    web_targets.bearer_caller = caller


def keeps_surrogates() -> None:
    params._refuse_surrogates = lambda value: None


def trusts_times() -> None:
    """A time is taken for text."""

    def timed(table: str, records: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        return {key: {**record, "created_at": utc_time(record["created_at"])} for key, record in records.items()}

    restore._with_utc_times = timed


def trusts_records() -> None:
    encoding._require_fields = lambda name, records: None


def trusts_lines() -> None:
    audit._is_line = lambda content: True
