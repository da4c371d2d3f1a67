"""What the product must answer and become, in plain dicts: each operation in the simplest way that is right. No code of the package.

A handler looks at the state and gives (result, edits), or raises ``Refused``; it changes nothing. ``change`` makes the edits.
"""

from __future__ import annotations

import re
from typing import Any

from tests.crash.model_people import People
from tests.crash.model_state import (
    ADMIN_ID,
    ADMIN_SECRET,
    RESTORED,
    UUID,
    Edits,
    Found,
    Impossible,
    Record,
    Refused,
    Tables,
    Turn,
    config_view,
    digest_of,
    new_key,
    page,
    project_name,
    rotated,
)

_POLICIES = ("input_guardrails_policy", "output_guardrails_policy", "tool_guardrails_policy")
_TELEMETRY = {"enabled": False, "url": "http://localhost:4317", "insecure": False}
_SAFETY_BACKUP = re.compile(r".*/backups/store-[0-9T.]+Z-system-(reset|restore)\.json")


class Model(People):
    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        # What a reset begins with is known from the store that the history began with.
        self.echo = next((server for each in self.tables["mcp_configs"].values() for server in each["mcp_config"]), {})
        self.backups: dict[str, Tables] = {}

    def run(self, operation: str, values: Record, now: str = "", answer: Record | None = None, generation: int = 0) -> tuple[Any, Edits]:
        handler = getattr(self, "_" + operation.replace(" ", "_").replace("-", "_"))
        result, edits = handler(Turn(now, answer, self.given, generation), **values)
        return result, edits

    def change(self, edits: Edits) -> None:
        for table, key, record in edits:
            if record is None:
                self.tables[table].pop(key, None)
            else:
                self.tables[table][key] = record

    def keep_backup(self, name: str) -> None:
        """Records are never changed in place, so that a copy of the tables is enough."""
        self.backups[name] = {table: dict(self.tables[table]) for table in RESTORED}

    def _config_add(self, turn: Turn, config_name: str) -> tuple[Any, Edits]:
        key, edits = self._new_config(turn, config_name, [])
        return {"mcp_config_id": key, "config_id": key, "config_name": config_name}, edits

    def _config_copy(self, turn: Turn, source_config: str, target_config: str) -> tuple[Any, Edits]:
        _, source = self._named("mcp_configs", source_config)
        key, edits = self._new_config(turn, target_config, source["mcp_config"])
        return {"mcp_config_id": key, "config_name": target_config}, edits

    def _new_config(self, turn: Turn, name: str, servers: list[Record]) -> tuple[str, Edits]:
        self._require_free("mcp_configs", name)
        key = turn.new("mcp_config_id", UUID)
        return key, [("mcp_configs", key, {"mcp_config_name": name, "mcp_config": servers, "created_at": turn.now, "updated_at": turn.now})]

    def _config_rename(self, turn: Turn, config_identifier: str, new_name: str) -> tuple[Any, Edits]:
        key, config = self._named("mcp_configs", config_identifier)
        self._require_free("mcp_configs", new_name, key)
        renamed = {**config, "mcp_config_name": new_name, "updated_at": turn.now}
        return {"mcp_config_id": key, "config_name": new_name}, [("mcp_configs", key, renamed)]

    def _config_remove(self, turn: Turn, config_identifier: str) -> tuple[Any, Edits]:
        key, _ = self._named("mcp_configs", config_identifier)
        if self._count("projects", mcp_config_id=key):
            raise Refused("conflict")
        return None, [("mcp_configs", key, None)]

    def _config_get(self, turn: Turn, config_identifier: str) -> tuple[Any, Edits]:
        return config_view(*self._named("mcp_configs", config_identifier)), []

    def _config_list(self, turn: Turn, **paging: int) -> tuple[Any, Edits]:
        rows = []
        for key, config in page(self._all("mcp_configs"), **paging):
            users = [project_name(*pair) for pair in self._all("projects", mcp_config_id=key)]
            name, servers = config["mcp_config_name"], len(config["mcp_config"])
            rows.append({"mcp_config_id": key, "mcp_config_name": name, "servers": servers, "used_by_projects": users})
        return rows, []

    def _config_add_server(self, turn: Turn, config_identifier: str, **fields: Any) -> tuple[Any, Edits]:
        found = self._named("mcp_configs", config_identifier)
        _require_free_server(found[1], fields["server_name"])
        server = {
            "server_name": fields["server_name"],
            "description": fields.get("description", ""),
            "config": {"command": fields["server_command"], "args": fields.get("args", []), "env": {}},
            "tools": {},
            "denied_tools": fields.get("denied_tools", []),
            **{policy: {"enabled": False} for policy in _POLICIES},
        }
        return server, _with_servers(turn, found, [*found[1]["mcp_config"], server])

    def _config_update_server(self, turn: Turn, config_identifier: str, server_name: str, **fields: Any) -> tuple[Any, Edits]:
        found = self._named("mcp_configs", config_identifier)
        at = _position(found[1], server_name)
        server = found[1]["mcp_config"][at]
        new_name = fields.get("new_server_name", server_name)
        if new_name != server_name:
            _require_free_server(found[1], new_name)
        given = {field: fields[field] for field in ("description", "denied_tools") if field in fields}
        args = {"args": fields["args"]} if "args" in fields else {}
        changed = {**server, "server_name": new_name, **given, "config": {**server["config"], **args}}
        servers = found[1]["mcp_config"]
        return changed, _with_servers(turn, found, [*servers[:at], changed, *servers[at + 1 :]])

    def _config_remove_server(self, turn: Turn, config_identifier: str, server_name: str) -> tuple[Any, Edits]:
        found = self._named("mcp_configs", config_identifier)
        at = _position(found[1], server_name)
        servers = found[1]["mcp_config"]
        return None, _with_servers(turn, found, [*servers[:at], *servers[at + 1 :]])

    def _config_remove_all_servers(self, turn: Turn, config_identifier: str) -> tuple[Any, Edits]:
        found = self._named("mcp_configs", config_identifier)
        return {"removed": len(found[1]["mcp_config"])}, _with_servers(turn, found, [])

    def _config_get_server(self, turn: Turn, config_identifier: str, server_name: str) -> tuple[Any, Edits]:
        _, config = self._named("mcp_configs", config_identifier)
        return config["mcp_config"][_position(config, server_name)], []

    def _config_list_servers(self, turn: Turn, config_identifier: str) -> tuple[Any, Edits]:
        _, config = self._named("mcp_configs", config_identifier)
        rows = []
        for server in config["mcp_config"]:
            row = {field: server[field] for field in ("server_name", "description")}
            reached = {"command": server["config"]["command"], "args": server["config"]["args"], "url": None}
            row = {**row, **reached, "tools": len(server["tools"])}
            rows.append({**row, "input_guardrails_enabled": False, "output_guardrails_enabled": False})
        return rows, []

    def _admin_key_create(self, turn: Turn, name: str, expires_in_days: int | None = None) -> tuple[Any, Edits]:
        if any(key["name"] == name for key in self.tables["admin_keys"].values()):
            raise Refused("conflict")
        secret, record = new_key(turn, "admin_key_secret", ADMIN_SECRET, expires_in_days)
        record = {"admin_key": turn.new("admin_key", ADMIN_ID), "name": name, **record}
        return _with_secret(secret, record), [("admin_keys", digest_of(secret), record)]

    def _admin_key_rotate(self, turn: Turn, admin_key: str) -> tuple[Any, Edits]:
        found = self._key("admin_keys", admin_key)
        secret, edits = rotated(turn, "admin_keys", found, "admin_key_secret", ADMIN_SECRET)
        return _with_secret(secret, found[1]), edits

    def _admin_key_disable(self, turn: Turn, admin_key: str) -> tuple[Any, Edits]:
        digest, record = self._key("admin_keys", admin_key)
        self._require_another(digest, record)
        disabled = {**record, "disabled": True}
        return _admin_key_view(disabled), [("admin_keys", digest, disabled)]

    def _admin_key_enable(self, turn: Turn, admin_key: str) -> tuple[Any, Edits]:
        digest, record = self._key("admin_keys", admin_key)
        enabled = {**record, "disabled": False}
        return _admin_key_view(enabled), [("admin_keys", digest, enabled)]

    def _admin_key_delete(self, turn: Turn, admin_key: str) -> tuple[Any, Edits]:
        digest, record = self._key("admin_keys", admin_key)
        self._require_another(digest, record)
        return None, [("admin_keys", digest, None)]

    def _admin_key_list(self, turn: Turn, **paging: int) -> tuple[Any, Edits]:
        return [_admin_key_view(record) for _, record in page(self._all("admin_keys"), **paging)], []

    def _require_another(self, digest: str, record: Record) -> None:
        others = (key for own, key in self.tables["admin_keys"].items() if own != digest)
        if not record["disabled"] and all(key["disabled"] for key in others):
            raise Refused("conflict")

    def _config_configure_telemetry(self, turn: Turn, **given: Any) -> tuple[Any, Edits]:
        telemetry = {**self.tables["settings"].get("telemetry", {}), **given}
        return {**_TELEMETRY, **telemetry}, [("settings", "telemetry", telemetry)]

    def _config_get_telemetry(self, turn: Turn) -> tuple[Any, Edits]:
        return {**_TELEMETRY, **self.tables["settings"].get("telemetry", {})}, []

    def _system_backup(self, turn: Turn) -> tuple[Any, Edits]:
        head = {"kind": "secure-mcp-gateway/backup", "version": 1, "format": 1, "created_at": turn.now, "generation": turn.generation}
        return {**head, **self.tables}, []

    def _system_restore(self, turn: Turn, backup: str) -> tuple[Any, Edits]:
        """``backup`` names one that ``keep_backup`` kept."""
        if backup not in self.backups:
            raise Impossible(f"there is no backup {backup}")
        kept = self.backups[backup]
        counted = {"projects": "projects", "users": "users", "configs": "mcp_configs", "api_keys": "apikeys"}
        counts = {name: len(kept[table]) for name, table in counted.items()}
        return {**counts, "warnings": [], "safety_backup": turn.new("safety_backup", _SAFETY_BACKUP)}, self._replaced(kept)

    def _system_reset(self, turn: Turn, confirm: bool) -> tuple[Any, Edits]:
        """The ids that nobody was told are ``made`` in the answer."""
        made = {"created_at": turn.now}
        config_id, project_id, user_id = (turn.answer or {}).get("made") or ("", "", "")
        for key in (config_id, project_id, user_id):
            if turn.answer is not None and (key in self.given or not UUID.fullmatch(key)):
                raise Impossible(f"{key!r} was given before, or is no id")
            self.given.add(key)
        begun = {
            "mcp_configs": {config_id: {"mcp_config_name": "default_config", "mcp_config": [self.echo], **made, "updated_at": turn.now}},
            "projects": {project_id: {"project_name": "default_project", "mcp_config_id": config_id, **made}},
            "users": {user_id: {"email": "default@example.com", **made}},
            "members": {f"{project_id}/{user_id}": {"project_id": project_id, "user_id": user_id, **made}},
        }
        return {"safety_backup": turn.new("safety_backup", _SAFETY_BACKUP)}, self._replaced(begun)

    def _replaced(self, tables: Tables) -> Edits:
        edits: Edits = [(table, key, None) for table in RESTORED for key in self.tables[table]]
        return edits + [(table, key, record) for table in RESTORED for key, record in tables.get(table, {}).items()]


def _require_free_server(config: Record, name: str) -> None:
    if any(server["server_name"] == name for server in config["mcp_config"]):
        raise Refused("conflict")


def _position(config: Record, name: str) -> int:
    for at, server in enumerate(config["mcp_config"]):
        if server["server_name"] == name:
            return at
    raise Refused("not_found")


def _with_servers(turn: Turn, found: Found, servers: list[Record]) -> Edits:
    return [("mcp_configs", found[0], {**found[1], "mcp_config": servers, "updated_at": turn.now})]


def _with_secret(secret: str, record: Record) -> Record:
    return {"admin_key_secret": secret, "admin_key": record["admin_key"], "name": record["name"]}


def _admin_key_view(record: Record) -> Record:
    return {field: record[field] for field in ("admin_key", "name", "hint", "created_at", "expires_at", "disabled")}
