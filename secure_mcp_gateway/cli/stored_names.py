"""The names and ids in the store, for completion: read without a lock, of no table but the one that is asked for."""

from __future__ import annotations

import os
from json import loads

from secure_mcp_gateway.cli.environment import ENVIRONMENT
from secure_mcp_gateway.params import ADMIN_KEYS, API_KEYS, CONFIGS, PROJECTS, SERVERS, USERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from secure_mcp_gateway.cli.candidates import Candidate
    from secure_mcp_gateway.params import Param
    from secure_mcp_gateway.store.document import Document

_TABLES = {CONFIGS: ("mcp_configs", "mcp_config_name"), PROJECTS: ("projects", "project_name"), USERS: ("users", "email")}
MOST = 200


def stored_names(what: str, by_id: bool, typed: str, given: dict[str, str], params: Iterable[Param]) -> list[Candidate]:
    """Those that begin with what is typed; with another server named, that one's are not known here."""
    if "server" in given or os.environ.get(f"{ENVIRONMENT}SERVER"):
        return []
    document = _document(given)
    found = _servers(document, given, params) if what == SERVERS else _named(document, what, by_id)
    return _bounded([each for each in found if each[0].startswith(typed)])


def _document(given: dict[str, str]) -> Document:
    from secure_mcp_gateway.cli.values import store_path
    from secure_mcp_gateway.store.store import Store

    # The shell has not put its variables in yet.
    path = store_path(os.path.expandvars(given["store"]) if "store" in given else None)
    return Store(path, allow_network="allow-network-fs" in given).snapshot()


def _records(document: Document, table: str) -> dict[str, dict[str, Any]]:
    """As they stand in the file: looking at each as a rule needs it would take as long again."""
    records: dict[str, dict[str, Any]] = loads("{" + b",".join(document.stored(table).encoded()).decode() + "}")
    return records


def _named(document: Document, what: str, by_id: bool) -> Iterable[Candidate]:
    if what == API_KEYS:
        return ((record["api_key_id"], "") for record in _records(document, "apikeys").values())
    if what == ADMIN_KEYS:
        keys = _records(document, "admin_keys").values()
        return [(record["name"], "") for record in keys] + [(record["admin_key"], record["name"]) for record in keys]
    table, field = _TABLES[what]
    found = _records(document, table).items()
    return ((key, record[field]) for key, record in found) if by_id else ((record[field], "") for _, record in found)


def _servers(document: Document, given: dict[str, str], params: Iterable[Param]) -> Iterable[Candidate]:
    """Of the config that the line names."""
    flags = [flag for param in params if param.completes == CONFIGS for flag in param.flags]
    named = {given[flag] for flag in flags if flag in given}
    configs = [record for key, record in _records(document, "mcp_configs").items() if key in named or record["mcp_config_name"] in named]
    return ((server["server_name"], server.get("description") or "") for config in configs for server in config["mcp_config"])


def _bounded(found: list[Candidate]) -> list[Candidate]:
    """A few screens of them, in order. The last one is among them: shells insert what all have in common."""
    found.sort()
    return found if len(found) <= MOST else [*found[: MOST - 1], found[-1]]
