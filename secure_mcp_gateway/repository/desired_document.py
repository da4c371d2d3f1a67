"""A whole setup as one document: its form, how the present one is written, how a given one is read.

Things have their names in it, not their ids, so that it can be kept elsewhere and applied to another store. Fields that a record
keeps without a meaning here stand in its ``further``: everything else that is not known is a mistake.
"""

from __future__ import annotations

from secure_mcp_gateway.repository.names import nearest, server_name_problem
from secure_mcp_gateway.repository.servers import COMMAND_FIELDS, SERVER_FIELDS, URL_FIELDS, import_server
from secure_mcp_gateway.repository.tool_lists import slips_in_denied, slips_in_tools
from secure_mcp_gateway.repository.views import project_users
from secure_mcp_gateway.store.check import FIELDS, POLICIES
from secure_mcp_gateway.store.document import email_key
from secure_mcp_gateway.store.server_checks import deep_problems, server_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from secure_mcp_gateway.store.document import Document, Record

DESIRED_KIND = "secure-mcp-gateway/desired"
DESIRED_VERSION = 1
SECTIONS = ("configs", "projects", "users")
FURTHER = "further"
CONNECTION_FIELDS = (*COMMAND_FIELDS, *URL_FIELDS)
# What is a record's own beside its checked fields: its id where it was kept with it, and what other tables say of it.
_OWN = {
    "mcp_configs": (*FIELDS["mcp_configs"], "mcp_config_id", "config_id", "config_name"),
    "projects": (*FIELDS["projects"], "project_id", "mcp_config", "users"),
    "users": (*FIELDS["users"], "user_id"),
}
_OFF = {"enabled": False}
_MOST_KEPT, _MOST_COMPARED, _MOST_NAMES = 1000, 20, 1000


def own_fields(table: str) -> tuple[str, ...]:
    return _OWN[table]


def further_of(record: Record, own: Collection[str]) -> Record:
    return {field: value for field, value in record.items() if field not in own}


def exported(document: Document) -> Record:
    """Always the same for the same content, whatever the order in which it came to be."""
    return {
        "kind": DESIRED_KIND,
        "version": DESIRED_VERSION,
        "configs": [_exported_config(record) for record in _by_name(document, "mcp_configs", "mcp_config_name")],
        "projects": _exported_projects(document),
        "users": [_exported_user(record) for record in sorted(_records(document, "users"), key=lambda user: _email_order(user["email"]))],
    }


def _records(document: Document, table: str) -> list[Record]:
    return [record for _, record in document.table(table).items()]


def _by_name(document: Document, table: str, field: str) -> list[Record]:
    return sorted(_records(document, table), key=lambda record: str(record[field]))


def _email_order(email: str) -> tuple[str, str]:
    return email_key(email), email


def _exported_config(record: Record) -> Record:
    servers = sorted(record["mcp_config"], key=lambda server: str(server["server_name"]))
    shown = {"name": record["mcp_config_name"], "servers": [_exported_server(server) for server in servers]}
    return {**shown, **_exported_further(record, _OWN["mcp_configs"])}


def _exported_projects(document: Document) -> list[Record]:
    pairs = sorted(document.table("projects").items(), key=lambda pair: str(pair[1]["project_name"]))
    return [_exported_project(document, *pair) for pair in pairs]


def _exported_project(document: Document, project_id: str, record: Record) -> Record:
    config = document.get("mcp_configs", record["mcp_config_id"]) if record["mcp_config_id"] is not None else None
    shown = {
        "name": record["project_name"],
        "config": config["mcp_config_name"] if config is not None else None,
        "users": sorted((user["email"] for _, user in project_users(document, project_id)), key=_email_order),
    }
    return {**shown, **_exported_further(record, _OWN["projects"])}


def _exported_user(record: Record) -> Any:
    further = _exported_further(record, _OWN["users"])
    return {"email": record["email"], **further} if further else record["email"]


def _exported_server(server: Record) -> Record:
    """What has its default is left out; a reader puts it back."""
    whole = import_server(server)
    connection = {field: _sorted(whole["config"][field]) for field in CONNECTION_FIELDS if whole["config"].get(field)}
    shown = {"server_name": whole["server_name"], "description": whole["description"]}
    shown["config"] = {**connection, **_exported_further(whole["config"], CONNECTION_FIELDS)}
    shown.update({field: _sorted(whole[field]) for field in ("tools", "denied_tools")})
    shown.update({field: _sorted(whole[field]) for field in POLICIES if whole[field] != _OFF})
    kept = {field: value for field, value in shown.items() if value or field in ("server_name", "config")}
    return {**kept, **_exported_further(whole, SERVER_FIELDS)}


def _exported_further(record: Record, own: Collection[str]) -> Record:
    further = further_of(record, own)
    return {FURTHER: _sorted(further)} if further else {}


def _sorted(value: Any) -> Any:
    """Objects by their keys, whose order means nothing."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


class Reader:
    """Collects what is wrong with a document while it is read: the first ``problems`` of a flood, and the ``count`` of all. What
    cannot be used is read as None."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.count = 0

    def report(self, *problems: str) -> None:
        self.count += len(problems)
        self.problems += problems[: _MOST_KEPT - len(self.problems)]

    def may_compare(self, names: int) -> bool:
        """Is there time to look for the one that was meant? Not in a flood of problems, nor among very many names."""
        return len(self.problems) < _MOST_COMPARED and names <= _MOST_NAMES

    def entry(self, value: Any, where: str, known: tuple[str, ...]) -> Record | None:
        """An object, in which other fields than the known ones are mistakes."""
        if not isinstance(value, dict):
            self.report(f"{where} must be an object")
            return None
        at = f"{where}." if where else ""
        for field in [each for each in value if each not in known]:
            near = nearest(field, list(known)) if self.may_compare(len(known)) else ""
            self.report(f"{at}{field[:60]} is not known" + (f": did you mean {near}?" if near else ""))
        return value

    def entries(self, record: Record, field: str, where: str = "") -> list[Any] | None:
        """The list in this field; None where it is not given, which says that it is not managed."""
        if field not in record:
            return None
        if not isinstance(record[field], list):
            self.report(f"{where}{field} must be a list")
            return []
        return list(record[field])

    def further(self, record: Record, where: str, own: Collection[str]) -> Record | None:
        """None where it is not given: then what is kept stays."""
        found = record.get(FURTHER)
        if found is None:
            return None
        if not isinstance(found, dict):
            self.report(f"{where}.{FURTHER} must be an object")
            return None
        self.report(*(f"{where}.{FURTHER}.{field} has a meaning: it does not belong there" for field in found if field in own))
        self.report(*deep_problems(f"{where}.{FURTHER}", found))
        return found

    def server(self, value: Any, where: str, present: dict[str, Record]) -> Record | None:
        """The server as it is to be stored. Of the one in ``present``, by name, it keeps the name, however it is, and the further
        fields where it does not give them itself."""
        given = self.entry(value, where, (*SERVER_FIELDS, FURTHER))
        if given is None:
            return None
        before = self.count
        name, connection = given.get("server_name"), given.get("config")
        old = present.get(name) if isinstance(name, str) else None
        server = self._merged(given, where, SERVER_FIELDS, old)
        if isinstance(connection, dict):
            self.entry(connection, f"{where}.config", (*CONNECTION_FIELDS, FURTHER))
            server["config"] = self._merged(connection, f"{where}.config", CONNECTION_FIELDS, old["config"] if old else None)
        self.report(*server_problems(server, where, None if old else server_name_problem))
        for field, slips in (("tools", slips_in_tools), ("denied_tools", slips_in_denied)):
            if old is None or server.get(field) != old.get(field):
                self.report(*slips(server.get(field), f"{where}.{field}"))
        return import_server(server) if self.count == before else None

    def _merged(self, given: Record, where: str, own: tuple[str, ...], old: Record | None) -> Record:
        further = self.further(given, where, own)
        kept = further_of(old or {}, own) if further is None else further
        return {**{field: given[field] for field in own if field in given}, **kept}
