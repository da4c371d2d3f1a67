"""The chunked coding (RFC 9112 §7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from secure_mcp_gateway.errors import InvalidRequest, TooLarge
from secure_mcp_gateway.web.fields import read_field_lines, split_field
from secure_mcp_gateway.web.source import Limits, Source

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;.*)?").fullmatch
_LONGEST_CHUNK_LINE = 1024


def read_chunked(source: Source, limits: Limits) -> bytes:
    body = b"".join(_chunks(source, limits))
    for line in read_field_lines(source, limits):
        split_field(line)
    return body


def _chunks(source: Source, limits: Limits) -> Iterator[bytes]:
    total = surplus = 0
    while True:
        line = source.read_line(_LONGEST_CHUNK_LINE, InvalidRequest)
        size = _chunk_size(line)
        if not size:
            return
        total += size
        if total > limits.body:
            raise body_too_large(limits)
        # Extensions cost the sender nothing of limits.body: a few are tolerated, a flood is not.
        surplus += line.count(b";") and len(line)
        if surplus > limits.headers_total:
            raise InvalidRequest("the chunk extensions are too long")
        yield source.read_exactly(size)
        if source.read_exactly(2) != b"\r\n":
            raise InvalidRequest("a chunk is longer than its size says")


def _chunk_size(line: bytes) -> int:
    match = _CHUNK(line)
    if not match:
        raise InvalidRequest("a chunk size is not a hexadecimal number")
    return int(match[1], 16)


def body_too_large(limits: Limits) -> TooLarge:
    return TooLarge(f"the body is longer than {limits.body} bytes")
