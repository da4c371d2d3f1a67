"""The store's content in memory: tables and the indexes over them. A Document never changes; a Draft becomes one."""

from __future__ import annotations

from secure_mcp_gateway.store.table import Map, Table, Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.store.file import OpenFile

    Record = dict[str, Any]
    KeyOf = Callable[[Record], str | None]

FORMAT = 1
BACKUP_KIND = "secure-mcp-gateway/backup"  # what a backup says of itself, and no store

# Each table with the field that orders records of one moment; where it is empty that is the table's own key.
TABLES = {
    "admin_keys": "admin_key",
    "mcp_configs": "",
    "projects": "",
    "users": "",
    "members": "",
    "apikeys": "api_key_id",
}

# What a store's file holds beside them: no more, for what nobody reads would be gone with the next write.
BESIDE_TABLES = ("format", "generation", "audit", "sums", "settings")


# A character comes from four at most, so that no name or address is longer before it is composed.
_LONGEST_COMPOSED = 1024


def normalised(text: str) -> str:
    """Unicode NFC; a text longer than any name stays as it is, for a run of combining marks takes the square of its length to sort."""
    if text.isascii() or len(text) > _LONGEST_COMPOSED:
        return text
    from unicodedata import normalize

    return normalize("NFC", text)


def email_key(email: str) -> str:
    return email.casefold()


def member_key(project_id: str, user_id: str) -> str:
    return f"{project_id}/{user_id}"


def digest_of(secret: str) -> str:
    """The key of a secret's record: SHA-256, hexadecimal."""
    import hashlib

    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# Each index with its table and what a record is found by in it. Several records may share one entry.
INDEXES: dict[str, tuple[str, KeyOf]] = {
    "admin_key_ids": ("admin_keys", lambda record: record["admin_key"]),
    "admin_key_names": ("admin_keys", lambda record: record["name"]),
    "config_names": ("mcp_configs", lambda record: record["mcp_config_name"]),
    "project_names": ("projects", lambda record: record["project_name"]),
    "config_projects": ("projects", lambda record: record["mcp_config_id"]),
    "user_emails": ("users", lambda record: email_key(record["email"])),
    "project_members": ("members", lambda record: record["project_id"]),
    "user_members": ("members", lambda record: record["user_id"]),
    "api_key_ids": ("apikeys", lambda record: record["api_key_id"]),
    "user_keys": ("apikeys", lambda record: record["user_id"]),
    "project_keys": ("apikeys", lambda record: record["project_id"]),
    "member_keys": ("apikeys", lambda record: member_key(record["project_id"], record["user_id"])),
}


class AuditHead:
    """Where the audit log stands: ``lines`` of it, the ``head`` of their chain, ``size`` of the current file in bytes."""

    __slots__ = ("file", "head", "lines", "size")

    def __init__(self, lines: int = 0, head: str = "0" * 64, size: int = 0, file: str = "audit.jsonl") -> None:
        self.lines = lines
        self.head = head
        self.size = size
        self.file = file


class Document:
    """Immutable; records and settings must not be changed by who reads them."""

    __slots__ = ("_indexes", "_tables", "audit", "file", "generation", "settings")

    def __init__(
        self,
        tables: dict[str, Table | Unread] | None = None,
        settings: Record | None = None,
        generation: int = 0,
        audit: AuditHead | None = None,
        indexes: dict[str, Map] | None = None,
    ) -> None:
        self._tables: dict[str, Table | Unread] = tables or {name: Table(id_field) for name, id_field in TABLES.items()}
        self.settings: Record = settings or {}
        self.generation = generation
        self.audit = audit or AuditHead()
        self._indexes = indexes or {}
        self.file: OpenFile | None = None

    @classmethod
    def of(cls, content: dict[str, dict[str, Record]], settings: Record, generation: int = 0, audit: AuditHead | None = None) -> Document:
        tables: dict[str, Table | Unread] = {name: Table.of(id_field, content.get(name, {})) for name, id_field in TABLES.items()}
        return cls(tables, settings, generation, audit)

    def table(self, name: str) -> Table:
        """``StoreDamaged`` where it is read only now and cannot be."""
        stored = self._tables[name]
        return stored if isinstance(stored, Table) else self._taken_apart(name, stored)

    def _taken_apart(self, name: str, stored: Unread) -> Table:
        table = self._tables[name] = stored.table()
        return table

    def stored(self, name: str) -> Table | Unread:
        """For who needs its bytes only."""
        return self._tables[name]

    def has_read(self, name: str) -> bool:
        stored = self._tables[name]
        return isinstance(stored, Table) or stored.is_read

    def read_all(self) -> None:
        """Now, not when somebody waits for an answer."""
        for name in TABLES:
            self.table(name)

    def get(self, table: str, key: str) -> Record | None:
        return self.table(table).get(key)

    def holds_secret(self, text: str) -> bool:
        digest = digest_of(text)
        return text == self.settings.get("enkrypt_api_key") or digest in self.table("admin_keys") or digest in self.table("apikeys")

    def found(self, index: str, value: str) -> str | None:
        """The key of the record that has this value: of the one that has it, where values are unique."""
        return next(iter(_keys(self._index(index).get(value))), None)

    def related(self, index: str, value: str) -> list[tuple[str, Record]]:
        """Every record with this value, as (key, record), in the table's own order."""
        keys = _keys(self._index(index).get(value))
        table = self.table(INDEXES[index][0])
        id_field = TABLES[INDEXES[index][0]]
        pairs = [(key, record) for key in keys if (record := table.get(key)) is not None]
        if len(pairs) < 2:
            return pairs
        return sorted(pairs, key=lambda pair: (pair[1]["created_at"], pair[1][id_field] if id_field else pair[0], pair[0]))

    def count(self, index: str, value: str) -> int:
        return len(_keys(self._index(index).get(value)))

    def _index(self, name: str) -> Map:
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = self._built_index(name)
        return index

    def _built_index(self, name: str) -> Map:
        table, key_of = INDEXES[name]
        entries: dict[str, Any] = {}
        shared: dict[str, dict[str, None]] = {}
        for key, record in self.table(table).items():
            value = key_of(record)
            if value is None:
                continue
            first = entries.setdefault(value, key)
            if first is not key:
                shared.setdefault(value, {first: None})[key] = None
        entries.update({value: Map.of(keys) for value, keys in shared.items()})
        return Map.of(entries)

    def with_tables(self, tables: dict[str, tuple[Table | Unread, dict[str, Record], dict[str, Record]]], **fields: Any) -> Document:
        """This document with other tables, each given with the records that left and that came; built indexes follow."""
        indexes = dict(self._indexes)
        for name, (made, gone, come) in tables.items():
            if isinstance(made, Unread):
                _drop(indexes, name)
            else:
                _follow(indexes, name, gone, come)
        return Document({**self._tables, **{name: made[0] for name, made in tables.items()}}, indexes=indexes, **fields)


def _drop(indexes: dict[str, Map], table: str) -> None:
    for name in [each for each in indexes if INDEXES[each][0] == table]:
        del indexes[name]


def _follow(indexes: dict[str, Map], table: str, gone: dict[str, Record], come: dict[str, Record]) -> None:
    """Bring the built indexes of a table along with a change of some records; a large change drops them instead."""
    for name in [each for each in indexes if INDEXES[each][0] == table]:
        if len(gone) + len(come) > 1024:
            del indexes[name]
            continue
        key_of = INDEXES[name][1]
        for key, record in gone.items():
            indexes[name] = _without(indexes[name], key_of(record), key)
        for key, record in come.items():
            indexes[name] = _with(indexes[name], key_of(record), key)


def _keys(entry: str | Map | None) -> tuple[str, ...] | Map:
    """An entry of an index is the key itself where one record has that value: most are like that, and a map of one takes much memory."""
    if entry is None:
        return ()
    return (entry,) if isinstance(entry, str) else entry


def _without(index: Map, value: str | None, key: str) -> Map:
    entry = None if value is None else index.get(value)
    if value is None or entry is None:
        return index
    if isinstance(entry, str):
        return index.delete(value) if entry == key else index
    rest = entry.delete(key)
    return index.put(value, next(iter(rest)) if len(rest) == 1 else rest)


def _with(index: Map, value: str | None, key: str) -> Map:
    if value is None:
        return index
    entry = index.get(value)
    if entry is None or entry == key:
        return index.put(value, key)
    return index.put(value, Map.of({entry: None, key: None}) if isinstance(entry, str) else entry.put(key, None))


class Draft(Document):
    """What a rule changes: dropping it is the rollback.

    ``names`` collects what the rule resolved (ids, names), for the audit line. ``safety_backup`` is the path of the
    backup that stands once the change commits, or None; a rule that takes nothing away may set it to None. ``is_idle`` is set by
    a rule that found nothing to change: then neither the document nor the audit is written.
    """

    __slots__ = ("_base", "is_idle", "names", "safety_backup")

    def __init__(self, base: Document) -> None:
        super().__init__(dict(base._tables), base.settings, base.generation, base.audit, dict(base._indexes))
        self._base = base
        self.names: dict[str, str] = {}
        self.safety_backup: str | None = None
        self.is_idle = False

    def put(self, table: str, key: str, record: Record) -> None:
        old = self.table(table).get(key)
        self._tables[table] = self.table(table).put(key, record)
        _follow(self._indexes, table, {} if old is None else {key: old}, {key: record})

    def delete(self, table: str, key: str) -> None:
        old = self.table(table).get(key)
        if old is not None:
            self._tables[table] = self.table(table).delete(key)
            _follow(self._indexes, table, {key: old}, {})

    def replace(self, table: str, records: dict[str, Record]) -> None:
        """Put these records in the place of the whole table."""
        self._tables[table] = Table.of(TABLES[table], records)
        _drop(self._indexes, table)

    def _taken_apart(self, name: str, stored: Unread) -> Table:
        """In the base too, for the drafts that come after one that is dropped."""
        table = self._tables[name] = self._base.table(name)
        return table

    def _index(self, name: str) -> Map:
        """Of a table that is not changed yet it is built in the base, for the drafts that come after one that is dropped."""
        table = INDEXES[name][0]
        if name not in self._indexes and self.table(table) is self._base.table(table):
            self._indexes[name] = self._base._index(name)
        return super()._index(name)

    def sealed(self, generation: int) -> Document:
        return Document(self._tables, self.settings, generation, self.audit, self._indexes)

