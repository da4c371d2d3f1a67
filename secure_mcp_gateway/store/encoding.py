"""The document as bytes: one JSON object, one record a line, an empty line between buckets.

The empty lines let a reader tell which buckets changed since it last looked, and keep those that did not. ``sums`` tells of each table
whether its bytes are those that we wrote: then it is not read before it is needed. Who edits the file need not care for them.
"""

from __future__ import annotations

import json
from operator import itemgetter

from secure_mcp_gateway.errors import BackupInPlace, StoreDamaged, StoreForeign
from secure_mcp_gateway.params import DOCUMENT_DEPTH, strict_json
from secure_mcp_gateway.store.check import FIELDS, SERVER_FIELDS, place, record_problems, settings_problems
from secure_mcp_gateway.store.document import BACKUP_KIND, BESIDE_TABLES, FORMAT, TABLES, AuditHead, Document
from secure_mcp_gateway.store.table import SEPARATOR, Bucket, Table, Unread, sum_of, sum_of_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False).encode

# What a record may lack; everything else that the rules stand on must be there, and all of it of the right type.
_OPTIONAL = {"expires_at", "disabled", "rotated_at", "updated_at"}
_OPTIONAL_IN_SERVERS = set(SERVER_FIELDS) - {"server_name", "config"}
_TYPES_OF = {name: itemgetter(*fields) for name, fields in FIELDS.items()}
_LARGEST = 2**63 - 1
_OTHERWISE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)  # what content of another layout makes of us
_WAY_OUT = "move it away, then restore a backup (safety backups stand in `backups` beside it): system restore --input-file FILE"


def encode(document: Document) -> list[bytes]:
    audit = document.audit
    head = {
        "format": FORMAT,
        "generation": document.generation,
        "audit": {"lines": audit.lines, "head": audit.head, "size": audit.size, "file": audit.file},
        "sums": {name: document.stored(name).sum() for name in TABLES},
    }
    pieces = [_encode(head)[:-1].encode(), SEPARATOR]
    for name in TABLES:
        pieces.append(f'"{name}": {{\n\n'.encode())
        buckets = document.stored(name).encoded()
        for encoded in buckets:
            pieces += (encoded, SEPARATOR)
        if buckets:
            pieces[-1] = b"\n\n"
        pieces.append(b"}" + SEPARATOR)
    pieces.append(f'"settings": {_encode(document.settings)}\n}}\n'.encode())
    return pieces


def encode_changes(document: Document, base: Document) -> None:
    """Encode what ``base`` has otherwise; it is kept with the records for ``encode``. Raises what that would raise."""
    for name in TABLES:
        if document.stored(name) is not base.stored(name):
            document.stored(name).encoded()
    if document.settings is not base.settings:
        _encode(document.settings).encode()


def decode(data: bytes, previous: Document | None) -> Document:
    """The document in ``data``; buckets that ``previous`` has with the same bytes are taken from there, not parsed, and of what it
    has not read a table is not read here either where its sum vouches for it.

    ``StoreDamaged`` says where the damage is. ``Older`` for another, older format.
    """
    try:
        return _decode_pieces(*_split(data), previous)
    except _OTHERWISE:
        # Not in the layout that we write: edited by hand, older, newer or damaged. Read it as plain JSON, with care.
        return _decode_any(data)


class Older(Exception):
    """``content`` is a document of an older format."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__()
        self.content = content


def _split(data: bytes) -> tuple[list[bytes], list[bool]]:
    """The pieces between empty lines, and whether a comma followed each. Copied once: what is copied twice leaves its holes in memory."""
    pieces, followed, at = [], [], 0
    while (end := data.find(b"\n\n", at)) >= 0:
        comma = data[end - 1 : end] == b","
        pieces.append(data[at : end - comma])
        followed.append(comma)
        at = end + 2
    return [*pieces, data[at:]], [*followed, False]


def _decode_pieces(pieces: list[bytes], followed: list[bool], previous: Document | None) -> Document:
    head = strict_json(pieces[0].decode() + "}") if followed[0] else {}
    # The first releases wrote no sums.
    sums = head.pop("sums", {})
    if head.keys() != {"format", "generation", "audit"} or _number(head["format"]) != FORMAT:
        raise ValueError
    base = previous or Document()
    tables: dict[str, tuple[Table | Unread, dict[str, Any], dict[str, Any]]] = {}
    at = 1
    for name in TABLES:
        end = pieces.index(b"}", at)
        count = end - at - 1
        # A comma between two buckets and behind the table, none before the first bucket and behind the last.
        if followed[at : end + 1] != [False, *[True] * (count - 1), *[False] * (count > 0), True]:
            raise ValueError
        if pieces[at] != f'"{name}": {{'.encode():
            raise ValueError
        unread = None if previous is not None and previous.has_read(name) else _unread(name, pieces[at + 1 : end], sums.get(name))
        tables[name] = unread or _decode_table(name, pieces[at + 1 : end], base.table(name))
        at = end + 1
    if at != len(pieces) - 1:
        raise ValueError
    tail = strict_json("{" + pieces[at].decode(), DOCUMENT_DEPTH)
    if tail.keys() != {"settings"} or settings_problems(tail["settings"]):
        raise ValueError
    return base.with_tables(tables, settings=tail["settings"], generation=_number(head["generation"]), audit=_audit(head["audit"]))


def _unread(name: str, pieces: list[bytes], expected: Any) -> tuple[Unread, dict[str, Any], dict[str, Any]] | None:
    found = sum_of_table(list(map(sum_of, pieces)))
    return (Unread(pieces, found, lambda pieces: _read_later(name, pieces)), {}, {}) if found == expected else None


def _read_later(name: str, pieces: list[bytes]) -> Table:
    try:
        return _decode_table(name, pieces, Table(TABLES[name]))[0]
    except _OTHERWISE:
        try:
            records = strict_json("{" + b",".join(pieces).decode() + "}", DOCUMENT_DEPTH)
        except ValueError as error:
            raise _damaged(f"`{name}`: {error}") from None
        _require_fields(name, records)
        return Table.of(TABLES[name], records)


def _decode_table(name: str, pieces: list[bytes], previous: Table) -> tuple[Table, dict[str, Any], dict[str, Any]]:
    known = {bucket.encoded(): bucket for bucket in previous.buckets}
    buckets: list[Bucket] = []
    for encoded in pieces:
        bucket = known.get(encoded)
        if bucket is None:
            bucket = previous.read_bucket(encoded)
            _require_fields(name, bucket.records)
        buckets.append(bucket)
    if any(former.last >= latter.first for former, latter in zip(buckets, buckets[1:])):
        raise ValueError
    made = previous.with_buckets(tuple(buckets))
    if len(made[0]) != sum(len(bucket.records) for bucket in buckets):
        raise ValueError
    return made


def _decode_any(data: bytes) -> Document:
    try:
        content = strict_json(data.decode(), DOCUMENT_DEPTH)
    except UnicodeDecodeError as error:
        raise _damaged(f"byte {error.start} is not UTF-8") from None
    except ValueError as error:
        raise _damaged(str(error)) from None
    if not isinstance(content, dict):
        raise _damaged("it is not a JSON object")
    if _is_backup(content):
        hint = "move it away, then restore it: system restore --input-file FILE"
        raise BackupInPlace("a backup stands in the store's place", hint, private="it is a backup, not a store")
    found = content.get("format")
    # Not one of ours that has lost its `format`: taken over, that would lose all that only ours have.
    if {"mcp_configs", "apikeys"} <= content.keys() and not {"format", "generation", "audit", "members", "admin_keys"} & content.keys():
        raise Older(content)
    if isinstance(found, int) and found > FORMAT:
        raise StoreForeign(f"the store has format {found}, made by a newer version than this one", "install that version again")
    if found != FORMAT or not isinstance(found, int) or isinstance(found, bool):
        raise _damaged("it is no store of ours: `format` is missing or unknown")
    return _decode_content(content)


def _is_backup(content: dict[str, Any]) -> bool:
    """Also in the answer that it came with."""
    for wrapper in ("data", "backup"):
        if isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    return content.get("kind") == BACKUP_KIND


def _decode_content(content: dict[str, Any]) -> Document:
    _refuse_unknown(content)
    tables = {}
    for name in TABLES:
        records = content.get(name)
        if not isinstance(records, dict):
            raise _damaged(f"`{name}` is missing or not an object")
        _require_fields(name, records)
        tables[name] = records
    try:
        settings = content["settings"]
        for problem in settings_problems(settings):
            raise _damaged(problem)
        return Document.of(tables, settings, _number(content["generation"]), _audit(content["audit"]))
    except (KeyError, TypeError, ValueError):
        raise _damaged("`generation`, `audit` or `settings` is missing or of another type") from None


def _refuse_unknown(content: dict[str, Any]) -> None:
    """Further fields of records and settings are kept; a table of another name is more likely a slip of who edited the file."""
    unknown = [repr(name[:60]) for name in content if name not in TABLES and name not in BESIDE_TABLES]
    if unknown:
        hint = "take it out, or put it into `settings` or a record, whose further fields are kept"
        raise StoreForeign("the store holds something that no store of ours has", hint, private=", ".join(unknown[:10]))


def _require_fields(name: str, records: dict[str, Any]) -> None:
    """The rules stand on these: a record that lacks one, or has it of another type, is a damage."""
    fields, values_of = FIELDS[name], _TYPES_OF[name]
    accepted: set[tuple[type, ...]] = set()
    for position, (key, record) in enumerate(records.items()):
        try:
            types: tuple[type, ...] = tuple(map(type, values_of(record)))
        except (KeyError, TypeError):
            types = ()
        # Few combinations of types occur: each of them is looked at once.
        if types not in accepted:
            _require_whole(place(name, position, key), record, fields, _OPTIONAL)
            if types:
                accepted.add(types)
        if name == "mcp_configs":
            for at, server in enumerate(record["mcp_config"]):
                _require_whole(f"{place(name, position, key)}.mcp_config[{at}]", server, SERVER_FIELDS, _OPTIONAL_IN_SERVERS)


def _require_whole(where: str, record: Any, fields: dict[str, tuple[type, ...]], optional: set[str]) -> None:
    if isinstance(record, dict):
        fields = {field: types for field, types in fields.items() if field in record or field not in optional}
    for problem in record_problems(where, record, fields):
        raise _damaged(problem)


def _audit(found: Any) -> AuditHead:
    if not isinstance(found, dict):
        raise TypeError
    file = found.get("file", "audit.jsonl")
    if not isinstance(file, str) or "/" in file or "\0" in file or not file.endswith("audit.jsonl"):
        raise ValueError
    if not isinstance(found["head"], str) or len(found["head"]) != 64:
        raise ValueError
    return AuditHead(_number(found["lines"]), found["head"], _number(found.get("size", 0)), file)


def _number(found: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= _LARGEST:
        raise ValueError
    return found


def _damaged(place: str) -> StoreDamaged:
    return StoreDamaged("the store is damaged", _WAY_OUT, private=place)
