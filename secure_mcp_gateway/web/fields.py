"""Field lines: those of a head and those of a trailer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from secure_mcp_gateway.errors import HeadersTooLarge, InvalidRequest
from secure_mcp_gateway.web.source import Limits, Source

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_COMMON = (
    "Accept Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Length Content-Type Cookie"
    " Host If-Match If-None-Match Keep-Alive Last-Event-ID Mcp-Method Mcp-Name MCP-Protocol-Version Mcp-Session-Id"
    " Origin Referer Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site User-Agent X-Request-Id"
)
_KNOWN = {form.encode(): form.lower() for name in _COMMON.split() for form in (name, name.lower())}
# Programs behind us may take "_" for "-": a second, hidden copy of these would decide where a request ends or whose it is.
_NO_ALIAS = frozenset(("authorization", "content-length", "host", "transfer-encoding"))
_ONCE = frozenset(("authorization", "content-length", "content-type", "host", "origin", "transfer-encoding"))


def read_field_lines(source: Source, limits: Limits) -> Iterator[bytes]:
    """Lines up to the empty one, each given out before the next is awaited."""
    count = total = 0
    while True:
        line = source.read_line(limits.header, HeadersTooLarge)
        if not line:
            return
        count += 1
        total += len(line)
        if count > limits.header_count:
            raise HeadersTooLarge(f"there are more than {limits.header_count} header fields")
        if total > limits.headers_total:
            raise HeadersTooLarge(f"the header fields are longer than {limits.headers_total} bytes")
        yield line


def split_field(line: bytes) -> tuple[str, str]:
    """The lower-case name and the value (RFC 9112 §5), whose control characters ``Source`` has refused."""
    name, colon, value = line.partition(b":")
    known = _KNOWN.get(name)
    if known is None or not colon:
        known = _judge_name(name, colon)
    return known, value.strip(b" \t").decode("latin-1")


def add_field(headers: dict[str, str], line: bytes) -> str:
    """Put the field of a line among the others; its name."""
    name, value = split_field(line)
    if name in headers:
        if name in _ONCE:
            raise InvalidRequest(f"the field {name} may stand only once in a request")
        value = f"{headers[name]}, {value}"
    headers[name] = value
    return name


def _judge_name(name: bytes, colon: bytes) -> str:
    if name[:1] in (b" ", b"\t"):
        raise InvalidRequest("a header line begins with a blank (obs-fold)", "send each field in one line")
    if not colon:
        raise InvalidRequest("a header line has no colon")
    if name.endswith((b" ", b"\t")):
        raise InvalidRequest("a blank stands before the colon of a header line")
    if not _TOKEN(name):
        raise InvalidRequest("a field name is empty or holds a character that is not allowed there")
    lower = name.decode("ascii").lower()
    if "_" in lower and lower.replace("_", "-").strip("-") in _NO_ALIAS:
        raise InvalidRequest(f"the field name {lower} could be taken for another one", "write it with hyphens")
    return lower
