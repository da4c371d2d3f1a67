"""Importing a config: our own export, or one of Enkrypt's gateway, as a file holds it or as an answer did."""

from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest, listed
from secure_mcp_gateway.repository.configs import put_new_config, require_free_name, server_doubts
from secure_mcp_gateway.repository.exports import CONFIG_KIND, VERSION, unwrapped
from secure_mcp_gateway.repository.names import check_name, server_name_problem
from secure_mcp_gateway.repository.servers import SERVER_FIELDS, import_server
from secure_mcp_gateway.repository.tool_lists import contradictions
from secure_mcp_gateway.store.migrate import servers_from_enkrypt
from secure_mcp_gateway.store.server_checks import deep_problems, server_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft, Record

# What belongs to the document or to the config that it was made from, not to the new one.
_NOT_TAKEN_OVER = ("kind", "version", "mcp_config_id", "mcp_config_name", "mcp_config", "created_at", "updated_at")


def import_config(draft: Draft, call: Call, *, data: Any, config_name: str, dry_run: bool | None = None) -> Record:
    """All of it or nothing; ``InvalidRequest`` lists every problem at once, by its path, and quotes nothing of the document."""
    name = check_name(config_name, "config_name")
    source = _config_of(unwrapped(data, "config"))
    servers, lost = servers_from_enkrypt(source, "")
    problems = [*lost, *deep_problems("", source, ("mcp_config",)), *_server_problems(servers)]
    if problems:
        raise InvalidRequest("this cannot be imported, nothing is changed: " + listed(problems))
    content = {field: value for field, value in source.items() if field not in _NOT_TAKEN_OVER}
    content["mcp_config"] = [import_server(server) for server in servers]
    result = {"mcp_config_id": None, "config_name": name, "servers": len(servers), "warnings": _warnings(servers)}
    if dry_run:
        require_free_name(draft, name)
        return result
    return {**result, "mcp_config_id": put_new_config(draft, call, name, "config_name", content)[0]}


def _config_of(source: Any) -> Record:
    """The document, whatever form it came in, as an object with a list of servers in ``mcp_config``."""
    if isinstance(source, list):
        return {"mcp_config": source}
    if not isinstance(source, dict) or ("kind" in source and source["kind"] != CONFIG_KIND):
        raise InvalidRequest("data is no config: it is an export of another kind", "a backup goes to `system restore`")
    if source.get("version", VERSION) != VERSION:
        raise InvalidRequest("data has a version that this release does not know", "import it with the release that made it")
    if not isinstance(source.get("mcp_config"), list):
        hint = "give what `config export` wrote; a whole store goes to `system restore`"
        raise InvalidRequest("data.mcp_config must be a list of servers", hint)
    return source


def _server_problems(servers: list[Any]) -> list[str]:
    problems: list[str] = []
    positions: dict[str, int] = {}
    for at, server in enumerate(servers):
        where = f"mcp_config[{at}]"
        problems += server_problems(server, where, server_name_problem)
        name = server.get("server_name") if isinstance(server, dict) else None
        if isinstance(name, str) and positions.setdefault(name, at) != at:
            problems.append(f"{where}.server_name is the name of mcp_config[{positions[name]}] too")
    return problems


def _warnings(servers: list[Record]) -> list[str]:
    warnings: list[str] = []
    for at, server in enumerate(servers):
        unknown = [field for field in server if field not in SERVER_FIELDS]
        if unknown:
            warnings.append(f"mcp_config[{at}]: kept, but without a meaning here: {', '.join(unknown)}")
        warnings += [*server_doubts(server, f"mcp_config[{at}]"), *contradictions(server, f"mcp_config[{at}]")]
    return warnings
