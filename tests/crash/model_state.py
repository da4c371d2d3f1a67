"""The state of the model of the product: the document's tables as plain dicts, and how things in them are found. No code of the package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Optional

Record = dict[str, Any]
Tables = dict[str, dict[str, Record]]
Edits = list[tuple[str, str, Optional[Record]]]
Found = tuple[str, Record]

RESTORED = ("mcp_configs", "projects", "users", "members", "apikeys", "settings")
TABLES = ("admin_keys", *RESTORED)
_NAMES = {"users": "email", "projects": "project_name", "mcp_configs": "mcp_config_name"}
_ID_FIELDS = {"admin_keys": "admin_key", "apikeys": "api_key_id"}

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
KEY_ID, ADMIN_ID = re.compile(r"key_[0-9a-f]{16}"), re.compile(r"adm_[0-9a-f]{16}")
SECRET, ADMIN_SECRET = re.compile(r"smg_[A-Za-z0-9_-]{43}"), re.compile(r"smga_[A-Za-z0-9_-]{43}")


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Impossible(Exception):
    """An answer that no state gives: an id or a secret that is misshapen, or was given before."""


class Turn(NamedTuple):
    """One operation: ``now`` is its time, ``answer`` what was answered, of which only what was made anew is taken; None where it is
    only asked whether it would be refused. ``given`` is everything that was made anew so far. ``generation`` is the state's."""

    now: str = ""
    answer: Record | None = None
    given: Any = ()
    generation: int = 0

    def new(self, field: str, form: re.Pattern[str]) -> str:
        if self.answer is None:
            return ""
        text = self.answer.get(field)
        if not isinstance(text, str) or not form.fullmatch(text):
            raise Impossible(f"{field} is {text!r}")
        if text in self.given:
            raise Impossible(f"{field} {text!r} was given before")
        self.given.add(text)
        return text


class State:
    """``tables`` are the document's, with its settings as one more. Records are never changed in place."""

    def __init__(self, tables: Tables) -> None:
        self.tables: Tables = {name: dict(tables.get(name, {})) for name in TABLES}
        self.given: set[str] = {key for records in self.tables.values() for key in records}

    def _holder(self, table: str, name: str) -> Found | None:
        field = _NAMES[table]
        wanted = name.casefold() if table == "users" else name
        for key, record in self.tables[table].items():
            if (record[field].casefold() if table == "users" else record[field]) == wanted:
                return key, record
        return None

    def _named(self, table: str, identifier: str) -> Found:
        record = self.tables[table].get(identifier)
        found = (identifier, record) if record is not None else self._holder(table, identifier)
        if found is None:
            raise Refused("not_found")
        return found

    def _require_free(self, table: str, name: str, own: str = "") -> None:
        taken = self._holder(table, name)
        if taken is not None and taken[0] != own:
            raise Refused("conflict")

    def _all(self, table: str, **wanted: str) -> list[Found]:
        """In the order of lists: by creation, then id, then key."""
        pairs = self.tables[table].items()
        found = [pair for pair in pairs if all(pair[1][field] == value for field, value in wanted.items())]
        return in_order(found, _ID_FIELDS.get(table, ""))

    def _count(self, table: str, **wanted: str) -> int:
        return sum(1 for record in self.tables[table].values() if all(record[field] == value for field, value in wanted.items()))

    def _key(self, table: str, identifier: str) -> Found:
        """By public id, by secret, or, an admin key, by name."""
        digest = digest_of(identifier)
        by_id = next((pair for pair in self.tables[table].items() if pair[1][_ID_FIELDS[table]] == identifier), None)
        found = by_id or ((digest, self.tables[table][digest]) if digest in self.tables[table] else None)
        if found is None and table == "admin_keys":
            found = next((pair for pair in self.tables[table].items() if pair[1]["name"] == identifier), None)
        if found is None:
            raise Refused("not_found")
        return found

    def _member(self, project_id: str, user_id: str) -> bool:
        return f"{project_id}/{user_id}" in self.tables["members"]


def in_order(found: Iterable[Found], id_field: str = "") -> list[Found]:
    return sorted(found, key=lambda pair: (pair[1]["created_at"], pair[1][id_field] if id_field else pair[0], pair[0]))


def page(found: list[Found], limit: int | None = None, offset: int = 0) -> list[Found]:
    return found[offset:] if limit is None else found[offset : offset + limit]


def gone(table: str, found: Iterable[Found]) -> Edits:
    return [(table, key, None) for key, _ in found]


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(turn: Turn, field: str, form: re.Pattern[str], days: int | None) -> tuple[str, Record]:
    """The secret, and what every key's record has."""
    secret = turn.new(field, form)
    expires = None if days is None else (datetime.fromisoformat(turn.now) + timedelta(days=days)).isoformat(timespec="microseconds")
    return secret, {"hint": secret[-4:], "created_at": turn.now, "expires_at": expires, "disabled": False, "rotated_at": None}


def rotated(turn: Turn, table: str, found: Found, field: str, form: re.Pattern[str]) -> tuple[str, Edits]:
    digest, record = found
    if record["disabled"]:
        raise Refused("conflict")
    secret = turn.new(field, form)
    return secret, [(table, digest, None), (table, digest_of(secret), {**record, "hint": secret[-4:], "rotated_at": turn.now})]


def project_name(key: str, project: Record) -> Record:
    return {"project_id": key, "project_name": project["project_name"]}


def user_name(key: str, user: Record) -> Record:
    return {"user_id": key, "email": user["email"], "created_at": user["created_at"]}


def config_view(key: str, config: Record) -> Record:
    return {"mcp_config_id": key, **config}
