"""What has to change for a store to be as a setup wants it: as a list for people and programs, and as records."""

from __future__ import annotations

import json

from secure_mcp_gateway.repository.desired_document import CONNECTION_FIELDS, further_of, own_fields
from secure_mcp_gateway.repository.desired_setup import TABLES
from secure_mcp_gateway.repository.servers import SERVER_FIELDS, import_server
from secure_mcp_gateway.store.check import POLICIES
from secure_mcp_gateway.store.document import INDEXES, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from secure_mcp_gateway.repository.desired_setup import Setup, Wanted
    from secure_mcp_gateway.store.document import Document, Draft, Record

CREATE, CHANGE, REMOVE = "create", "change", "remove"
_MANY = 256
# Of these that is told which of their own fields differ.
_NAMED = ("tools", *POLICIES)
_MISSING: Any = object()


class Difference:
    """``changes`` say it in the document's own order, what goes after what stays. ``puts`` and ``gone`` are records by table and
    key. No change quotes a value: an environment and headers hold secrets."""

    def __init__(self, document: Document, setup: Setup, now: str) -> None:
        self.changes: list[Record] = []
        self.puts: dict[str, dict[str, Record]] = {table: {} for table in (*TABLES, "members")}
        self.gone: dict[str, dict[str, None]] = {table: {} for table in (*TABLES, "members", "apikeys")}
        self._document = document
        self._setup = setup
        self._now = now
        for wanted in setup.wanted["mcp_configs"].values():
            self._config(wanted)
        for key in setup.gone["mcp_configs"]:
            self._config_goes(key)
        self._projects()
        for wanted in setup.wanted["users"].values():
            self._record("users", wanted, {"email": wanted.name}, {})
        for key in setup.gone["users"]:
            self._user_goes(key)

    def count(self, action: str) -> int:
        return sum(each["action"] == action for each in self.changes)

    def make(self, draft: Draft) -> None:
        """One table after the other; one of which much changes is made anew, for that takes less than many small steps."""
        for table, gone in self.gone.items():
            puts = self.puts.get(table, {})
            if len(puts) + len(gone) > _MANY:
                kept = {key: record for key, record in draft.table(table).items() if key not in gone}
                draft.replace(table, {**kept, **puts})
                continue
            for key in gone:
                draft.delete(table, key)
            for key, record in puts.items():
                draft.put(table, key, record)

    def _add(self, action: str, kind: str, name: str, fields: Sequence[str] = (), api_keys: int = 0, **more: Any) -> None:
        self.changes.append(change(action, kind, name, fields, api_keys, **more))

    def _record(self, table: str, wanted: Wanted, made: Record, changed: Record, **more: Any) -> None:
        """Of a whole record: new with the fields ``made``, or with those ``changed``, besides its further ones."""
        kind, record = TABLES[table][2], wanted.record
        own = own_fields(table)
        if record is None:
            self._add(CREATE, kind, wanted.name, **more)
            self.puts[table][wanted.key] = {**(wanted.further or {}), **made, "created_at": self._now}
            return
        before = further_of(record, own)
        after = before if wanted.further is None else wanted.further
        fields = [field for field in changed if field != "mcp_config"] + _differing(before, after, "further.")
        if fields:
            named = ["config" if field == "mcp_config_id" else field for field in fields]
            self._add(CHANGE, kind, wanted.name, named, **more)
        if fields or changed:
            kept = {field: value for field, value in record.items() if field in own}
            self.puts[table][wanted.key] = {**kept, **after, **changed}

    def _config(self, wanted: Wanted) -> None:
        servers, changes = self._servers(wanted)
        before = len(self.changes)
        made = {"mcp_config_name": wanted.name, "mcp_config": servers, "updated_at": self._now}
        self._record("mcp_configs", wanted, made, {"mcp_config": servers} if changes else {})
        self.changes += changes
        if len(self.changes) > before:
            self.puts["mcp_configs"][wanted.key]["updated_at"] = self._now

    def _servers(self, wanted: Wanted) -> tuple[list[Record], list[Record]]:
        """The servers from now on, those that there are in the order they have, and what changes of them."""
        present: list[Record] = (wanted.record or {}).get("mcp_config", [])
        if wanted.servers is None:
            return present, []
        changes: list[Record] = []
        asked = {server["server_name"]: server for server in wanted.servers}
        leave = {server["server_name"] for server in present} - asked.keys() if self._setup.prune else set()
        stay = [server for server in present if server["server_name"] not in leave]
        servers = [self._server(server, asked.pop(server["server_name"], server), wanted.name, changes) for server in stay]
        changes += [change(CREATE, "server", name, config=wanted.name) for name in asked]
        changes += [change(REMOVE, "server", name, config=wanted.name) for name in sorted(leave)]
        return [*servers, *asked.values()], changes

    def _server(self, server: Record, asked: Record, config: str, changes: list[Record]) -> Record:
        fields = server_fields(import_server(server), asked) if asked is not server else []
        if fields:
            changes.append(change(CHANGE, "server", server["server_name"], fields, config=config))
        return asked if fields else server

    def _config_goes(self, key: str) -> None:
        record = self._document.get("mcp_configs", key) or {}
        self._add(REMOVE, "config", record["mcp_config_name"], servers=len(record["mcp_config"]))
        self.gone["mcp_configs"][key] = None

    def _projects(self) -> None:
        members = self._members()
        for wanted in self._setup.wanted["projects"].values():
            self._project(wanted)
            self._fill(wanted, members.get(wanted.key, {}))
        for key in self._setup.gone["projects"]:
            self._project_goes(key)

    def _members(self) -> dict[str, dict[str, None]]:
        """Of each project, as ids; read once, not looked up for each."""
        found: dict[str, dict[str, None]] = {}
        for _, member in self._document.table("members").items():
            found.setdefault(member["project_id"], {})[member["user_id"]] = None
        return found

    def _project(self, wanted: Wanted) -> None:
        present = wanted.record["mcp_config_id"] if wanted.record is not None else None
        changed = {"mcp_config_id": wanted.config} if wanted.gives_config and wanted.config != present else {}
        made = {"project_name": wanted.name, "mcp_config_id": wanted.config}
        self._record("projects", wanted, made, changed, config=self._name("mcp_configs", wanted.config if wanted.gives_config else present))

    def _fill(self, wanted: Wanted, present: dict[str, None]) -> None:
        if wanted.members is None:
            return
        for user in wanted.members:
            if user not in present:
                self._add(CREATE, "member", str(self._name("users", user)), project=wanted.name)
                record = {"project_id": wanted.key, "user_id": user, "created_at": self._now}
                self.puts["members"][member_key(wanted.key, user)] = record
        if self._setup.prune:
            leaving = present.keys() - set(wanted.members) - self._setup.gone["users"].keys()
            for user in sorted(leaving, key=lambda each: str(self._name("users", each))):
                member = member_key(wanted.key, user)
                keys = self._go_along("member_keys", member)
                self._add(REMOVE, "member", str(self._name("users", user)), api_keys=keys, project=wanted.name)
                self.gone["members"][member] = None

    def _project_goes(self, key: str) -> None:
        record = self._document.get("projects", key) or {}
        members = self._go_along("project_members", key)
        self._add(REMOVE, "project", record["project_name"], api_keys=self._go_along("project_keys", key), members=members)
        self.gone["projects"][key] = None

    def _user_goes(self, key: str) -> None:
        record = self._document.get("users", key) or {}
        projects = self._go_along("user_members", key)
        self._add(REMOVE, "user", record["email"], api_keys=self._go_along("user_keys", key), projects=projects)
        self.gone["users"][key] = None

    def _go_along(self, index: str, value: str) -> int:
        """How many members or API keys go with this; what goes with something before it is counted there."""
        gone = self.gone[INDEXES[index][0]]
        found = [key for key, _ in self._document.related(index, value) if key not in gone]
        gone.update(dict.fromkeys(found))
        return len(found)

    def _name(self, table: str, key: str | None) -> str | None:
        if key is None:
            return None
        wanted = self._setup.wanted[table].get(key)
        if wanted is not None:
            return wanted.name
        name: str = (self._document.get(table, key) or {})[TABLES[table][1]]
        return name


def change(action: str, kind: str, name: str, fields: Sequence[str] = (), api_keys: int = 0, **more: Any) -> Record:
    return {"action": action, "kind": kind, "name": name, "fields": list(fields), "api_keys": api_keys, **more}


def server_fields(old: Record, new: Record) -> list[str]:
    """What differs between two whole servers, by name alone."""
    if _text(old) == _text(new):
        return []
    fields = _differing(_only(old, SERVER_FIELDS, ("config", *_NAMED)), _only(new, SERVER_FIELDS, ("config", *_NAMED)), "")
    for field in _NAMED:
        fields += _differing(old[field], new[field], f"{field}.")
    before, after = old["config"], new["config"]
    fields += _differing(_only(before, CONNECTION_FIELDS, ("env", "headers")), _only(after, CONNECTION_FIELDS, ("env", "headers")), "")
    for field in ("env", "headers"):
        fields += _differing(before.get(field) or {}, after.get(field) or {}, f"{field}.")
    fields += _differing(further_of(before, CONNECTION_FIELDS), further_of(after, CONNECTION_FIELDS), "config.further.")
    fields += _differing(further_of(old, SERVER_FIELDS), further_of(new, SERVER_FIELDS), "further.")
    return fields


def _only(record: Record, fields: tuple[str, ...], without: tuple[str, ...]) -> Record:
    return {field: record[field] for field in fields if field in record and field not in without}


def _differing(before: Record, after: Record, at: str) -> list[str]:
    names = dict.fromkeys([*before, *after])
    return [f"{at}{name}" for name in names if _text(before.get(name, _MISSING)) != _text(after.get(name, _MISSING))]


def _text(value: Any) -> str:
    """Equal for what is the same in JSON: there 1 is not true, and objects have no order."""
    return "" if value is _MISSING else json.dumps(value, sort_keys=True)
