"""The readers of documents: JSON, a backup, the store's file, the audit's lines."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

from secure_mcp_gateway.api.inputs import read_body
from secure_mcp_gateway.errors import GatewayError, StoreDamaged
from secure_mcp_gateway.params import DOCUMENT_DEPTH, strict_json
from secure_mcp_gateway.repository.restore import restore_store
from secure_mcp_gateway.repository.system import backup, tables_of
from secure_mcp_gateway.store import audit, encoding
from secure_mcp_gateway.store.document import INDEXES, Document, Draft
from tests import enkrypt_files as old
from tests.crash.mutations import Sample, mutated
from tests.fuzz.target import Target
from tests.fuzz.web_targets import DOCUMENT
from tests.repository.fakes import new_call

# Why strict JSON refuses what Python's own reader takes.
_STRICTER = ("byte order mark", "nested deeper", "same name twice", "no JSON number", "too large", "1,000 digits", "lone surrogate")
_encode = json.JSONEncoder(ensure_ascii=False).encode


def read_json(data: bytes) -> bool:
    """What is taken, Python takes for the same, and it can be written and read again; what Python alone takes breaks a rule of ours."""
    try:
        read_body(data)
    except GatewayError:
        pass
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    try:
        value = strict_json(text)
    except ValueError as error:
        assert any(words in str(error) for words in _STRICTER) or not _is_json(text), error
        return False
    assert repr(value) == repr(json.loads(text)), value
    assert repr(strict_json(_encode(value).encode().decode())) == repr(value), value
    return True


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def restore(data: bytes) -> bool:
    """Refused, or restored to what can be stored, read, backed up and restored again to the same."""
    try:
        content = strict_json(data.decode(), DOCUMENT_DEPTH)
    except ValueError:
        return False
    try:
        made = _restored(content)
    except GatewayError:
        return False
    stored = encoding.decode(b"".join(encoding.encode(made.sealed(2))), None)
    assert _content(stored) == _content(made)
    saved = json.loads(_encode(backup(made, new_call())))
    assert _content(_restored(saved)) == _content(made)
    return True


def _restored(content: Any) -> Draft:
    draft = Draft(DOCUMENT)
    restore_store(draft, new_call(), data=content)
    return draft


def _content(document: Document) -> Any:
    return tables_of(document), document.settings


def decode(data: bytes) -> bool:
    """Damaged, older, or a document that can be written and read again; buckets that are known already change nothing."""
    found, known = _decoded(data, None), _decoded(data, DOCUMENT)
    if not isinstance(found, Document) or not isinstance(known, Document):
        assert (type(found), str(found)) == (type(known), str(known)), (found, known)
        return False
    # All that the rules look things up by can be built.
    for index in INDEXES:
        found.found(index, "")
    written = b"".join(encoding.encode(found))
    again = encoding.decode(written, None)
    assert _content(again) == _content(found) == _content(known)
    assert b"".join(encoding.encode(again)) == written
    return True


def _decoded(data: bytes, previous: Document | None) -> Document | StoreDamaged | encoding.Older:
    try:
        return encoding.decode(data, previous)
    except (StoreDamaged, encoding.Older) as error:
        return error


def read_audit_line(data: bytes) -> bool:
    """A sealed line is opened as what it holds, changed anywhere it is none; a part of it is torn, and with another end it is not."""
    number, body = (data[0], data[1:]) if data else (0, b"")
    assert audit.opened(body) is None or _is_sealed(body)
    audit.is_torn(body, number)
    line, digest = audit.seal(body)
    content = audit.opened(line)
    if content is None or not body.endswith(b"}"):
        return False
    assert content == {**json.loads(body), "hash": digest} and _is_sealed(line)
    at = number % len(line)
    assert audit.opened(line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]) is None
    if body.startswith(b'{"n": %d, "time": "' % content["n"]) and b', "hash": "' not in body:
        assert audit.is_torn(line[:at], content["n"]) and not audit.is_torn(line[:-1] + b"x", content["n"])
        assert at == len(line) - 1 or audit.is_torn(line[:at] + b"\0" * 9, content["n"])
    return True


def _is_sealed(line: bytes) -> bool:
    """By a plain look at the hash in its end."""
    body, _, end = line.rpartition(b', "hash": "')
    return end == hashlib.sha256(body + b"}").hexdigest().encode() + b'"}\n'


def _mutated(data: bytes, seed: int) -> bytes:
    """A document with faults of the kinds that documents have, in the place of bytes."""
    dice = Random(seed)
    return mutated(dice.choice(_SAMPLES), dice, swarms=False)[0]


_BACKUP = json.loads(_encode(backup(Draft(DOCUMENT), new_call())))
_STORE = b"".join(encoding.encode(DOCUMENT))
_SAMPLES = [
    Sample("2.1", json.loads(json.dumps(old.line_2_1())), True, ()),
    Sample("2.2", json.loads(json.dumps(old.line_2_2())), True, ()),
    Sample("backup", _BACKUP, False, ()),
    Sample("store", json.loads(_STORE), False, ()),
]
_LINE = _encode({"n": 7, "time": "t", "actor": {"kind": "admin", "id": "i", "name": "é"}, "request_id": "r", "operation": "o"})
_LINES = tuple(
    bytes([at]) + _LINE[:-1].encode() + b', "named": {"a": "b"}, "result": "ok", "generation": %b, "prev": "0"}' % generation
    for at, generation in enumerate((b"3", b"null", b"-1"))
)
_JSON_WORDS = (b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"1e999", b"NaN", b'"\\ud800"', b"\xef\xbb\xbf", b'"a":2', b"-0")
_DOCUMENT_WORDS = (*_JSON_WORDS, b'"format"', b'"mcp_configs"', b'"created_at"', b'"users"', b'"expires_at"', b"true", b'""', b"\n\n")
_TEXTS = (b'{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00"], "b": {"c": ""}}', b"[]", b"1" * 400)
TARGETS = {
    "json": Target(read_json, _TEXTS, (*_JSON_WORDS, b"[" * 60)),
    "restores": Target(restore, tuple(json.dumps(sample.document).encode() for sample in _SAMPLES), _DOCUMENT_WORDS, _mutated, 16384),
    "stores": Target(decode, (_STORE, *(json.dumps(sample.document).encode() for sample in _SAMPLES)), _DOCUMENT_WORDS, _mutated, 16384),
    "audit": Target(read_audit_line, (*_LINES, b"\x07" + audit.seal(_LINES[0][1:])[0]), (*_JSON_WORDS, b'"hash": "', b"\0")),
}
