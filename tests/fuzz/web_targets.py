"""The readers of what comes from the network: requests, chunks, targets and paths, keys."""

from __future__ import annotations

import io
import re
import tempfile
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlencode

from secure_mcp_gateway.api.access import bearer_caller
from secure_mcp_gateway.api.inputs import read_query
from secure_mcp_gateway.api.router import Match, Router
from secure_mcp_gateway.errors import GatewayError, Unauthorized
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.web import body as chunked_body
from secure_mcp_gateway.web import target as request_target
from secure_mcp_gateway.web.request import Limits, Request, Source, read_request
from tests import team
from tests.fuzz.target import Target
from tests.web.raw import get, post
from tests.web.test_noise import NOISE, SAMPLES

LIMITS = Limits(line=300, header=300, headers_total=1000, header_count=10, body=2000)
NOW = "2026-03-04T05:06:07.000008+00:00"
_FRAMING = ("content-length", "transfer-encoding", "expect")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(;.*)?", re.DOTALL).fullmatch
_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
_VISIBLE = re.compile(rb"[\x21-\x7e]+").fullmatch
_ROUTER = Router(all_operations())
with tempfile.TemporaryDirectory() as _folder:
    DOCUMENT = team.make_team(_folder).snapshot()
_WORKING = "|".join((team.ADMIN, team.SPARE, team.ADA, team.ADA_BLUE, team.EVE))
_KEY_FIELD = re.compile(rf"[ \t]*[Bb][Ee][Aa][Rr][Ee][Rr] +({_WORKING})[ \t]*").fullmatch


class Read(NamedTuple):
    """What a request was read as, or with which code it was refused: the words may follow how its bytes came. ``end`` is how many
    bytes it took, -1 where it was refused."""

    said: str
    request: Request | None = None
    body: bytes = b""
    end: int = -1


def _source(data: bytes, piece: int) -> tuple[Source, io.BytesIO]:
    stream = io.BytesIO(data)
    return Source(lambda size: stream.read(min(size, piece))), stream


def _read_all(data: bytes, piece: int, limits: Limits) -> list[Read]:
    """Every request that stands in the data, up to the first that is refused. With one large piece the whole head is there at once."""
    source, stream = _source(data, piece)
    found: list[Read] = []
    while source.has_buffered or source.fill():
        try:
            request = read_request(source, limits)
            body = request.read_body()
        except GatewayError as error:
            return [*found, Read(error.code)]
        found.append(Read(_meaning(request), request, body, stream.tell() - len(source._buffer)))
    return found


def _meaning(request: Request) -> str:
    # One that was joined with an empty one has a blank at its end.
    fields = sorted((name, value.strip(" \t")) for name, value in request.headers.items() if name not in _FRAMING)
    return repr((request.method, request.raw_path, request.query, request.authority, request.version, request.keep_alive, fields))


def read_requests(data: bytes) -> bool:
    """However the bytes are cut the same requests are in them, and each, written anew, is the same."""
    piece, rest = (data[0] % 40 + 1, data[1:]) if data else (1, b"")
    whole, pieces = _read_all(rest, 1 << 20, LIMITS), _read_all(rest, piece, LIMITS)
    assert [(each.said, each.body, each.end) for each in whole] == [(each.said, each.body, each.end) for each in pieces], (whole, pieces)
    for each in whole:
        if each.request is not None:
            again = _read_all(_written(each.request, each.body), 1 << 20, Limits())
            assert [(read.said, read.body) for read in again] == [(each.said, each.body)], (each, again)
    return any(each.request for each in whole)


def _written(request: Request, body: bytes) -> bytes:
    fields = [f"{name}: {value}" for name, value in request.headers.items() if name not in _FRAMING]
    fields += [f"content-length: {len(body)}"] if body else []
    return "\r\n".join((f"{request.method} {request.target} HTTP/{request.version}", *fields, "", "")).encode("latin-1") + body


def decode_chunks(data: bytes) -> bool:
    """However the bytes are cut the same body comes out, the one that a plain decoder finds."""
    piece, rest = (data[0] % 40 + 1, data[1:]) if data else (1, b"")
    whole, pieces = (_chunks(rest, size) for size in (1 << 20, piece))
    assert whole == pieces, (whole, pieces)
    if whole[0] != "read":
        return False
    body, left = _plainly(rest)
    assert (body, len(rest) - len(left)) == whole[1:], (body, left, whole)
    once = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    assert _chunks(once, 1 << 20) == ("read", body, len(once))
    return True


def _chunks(data: bytes, piece: int) -> tuple[str, bytes, int]:
    source, stream = _source(data, piece)
    try:
        body = chunked_body.read_chunked(source, LIMITS)
    except GatewayError as error:
        return error.code, b"", -1
    return "read", body, stream.tell() - len(source._buffer)


def _plainly(data: bytes) -> tuple[bytes, bytes]:
    """(body, what is left behind the trailers) of chunks that are known to be well-formed."""
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        match = _CHUNK_LINE(line)
        assert match, f"{line!r} was taken for the line of a chunk"
        size = int(match[1], 16)
        if not size:
            break
        body, end, data = body + data[:size], data[size : size + 2], data[size + 2 :]
        assert end == b"\r\n", f"{end!r} was taken for the end of a chunk"
    while line:
        line, _, data = data.partition(b"\r\n")
    return body, data


def split_targets(data: bytes) -> bool:
    """What is split can be put together again, and a path leads to the same row and values however its values are escaped."""
    method, rest = (_METHODS[data[0] % len(_METHODS)], data[1:]) if data else ("GET", b"")
    if not _VISIBLE(rest):
        return False
    text = rest.decode("ascii")
    try:
        path, query, authority = request_target.split_target(method, text)
    except GatewayError:
        return False
    together = path + ("?" + query if "?" in text else "")
    assert text.endswith(together) or (authority and path == "/"), (text, together)
    _judge_query(query)
    match = _ROUTER.match(method, path)
    return match is not None and match.operation is not None and _is_routed(method, match)


def _judge_query(query: str) -> None:
    try:
        fields = read_query(query)
    except GatewayError:
        return
    assert read_query(urlencode(fields)) == fields or "" in fields, (query, fields)


def _is_routed(method: str, match: Match) -> bool:
    assert method in match.methods, (method, match.methods)
    try:
        values = match.values()
    except GatewayError:
        return False
    path = match.template
    for name, value in values.items():
        segment = match.segments[match.template.split("/")[1:].index("{" + name + "}")]
        assert value.encode() == unquote_to_bytes(segment), (segment, value)
        path = path.replace("{" + name + "}", "".join(f"%{code:02X}" for code in value.encode()))
    again = _ROUTER.match(method, path)
    assert again is not None and again.operation is match.operation and again.values() == values, (values, path)
    return True


def find_callers(data: bytes) -> bool:
    """Let in is who sends a working key, and the owner of that key: whatever else stands in the field."""
    field = re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", data)
    if len(field) > 8000:
        return False
    request = _read_all(get("/", "Authorization: " + field.decode("latin-1")), 1 << 20, Limits())[0].request
    assert request is not None
    expected = _KEY_FIELD(field.decode("latin-1"))
    try:
        caller = bearer_caller(DOCUMENT, request, NOW)
    except Unauthorized:
        assert not expected, f"a working key was refused: {field!r}"
        return False
    assert expected, f"{field!r} was let in as {caller.name}"
    record: Any = DOCUMENT.get("admin_keys" if caller.is_admin else "apikeys", team.digest(expected[1]))
    assert record is not None and caller.key_id in record.values(), (field, caller.key_id)
    return True


_PATHS = tuple(
    bytes([_METHODS.index(row.method)]) + re.sub(r"\{[^}]*\}", "a%20b", row.path).encode() + b"?limit=1&a=%C3%A9"
    for row in all_operations()
)
_NO_KEYS = tuple(text.encode() for text in (team.BOB_DISABLED, team.BOB_EXPIRED, team.ADA_KEY_ID))
_FIELDS = tuple(f"{scheme} {secret}".encode() for scheme in ("Bearer", "bearer", "Basic") for secret in (team.ADA, team.ADMIN_ID, "x"))
TARGETS = {
    "requests": Target(
        read_requests,
        tuple(b"\x06" + sample for sample in (*SAMPLES, get("/") + get("/b"), post(b"x", "Connection: keep-alive"), SAMPLES[0] * 2)),
        (*NOISE, b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.0", b"Host: a\r\n"),
    ),
    "chunks": Target(
        decode_chunks,
        (b"\x025;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", b"\x0fA\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n", b"\x010\r\n\r\n"),
        (b"\r\n", b"0\r\n\r\n", b"0x", b"+1", b"-1", b"_", b";", b"\t", b" ", b"1\r\na\r\n", b"ffffffffffffffff"),
    ),
    "paths": Target(
        split_targets,
        (*_PATHS, b"\x00" + b"/a" * 300, b"\x00http://h:1/api/v1/configs", b"\x05*", b"\x00HTTPS://[::1]/a?b"),
        (b"%2F", b"%00", b"%ff", b"%C3%A9", b"http://", b"//", b"?", b"#", b"&", b"=", b"+", b"/search", b"/copy", b"[::1]", b":99999"),
    ),
    "keys": Target(
        find_callers,
        (*_FIELDS, b"\tBEARER   " + team.ADMIN.encode() + b" ", b""),
        (b"Bearer ", b"\xa0", b"\x85", b"\t", team.EVE.encode(), *_NO_KEYS),
    ),
}
