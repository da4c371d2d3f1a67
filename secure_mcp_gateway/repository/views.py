"""What a caller gets to see of a record: an admin all of it, a user's key what is its own and holds no secret.

Every answer that names a server, config, project or user is made here, so that nothing foreign can slip into one.
"""

from __future__ import annotations

from secure_mcp_gateway.store.check import POLICIES
from secure_mcp_gateway.store.document import member_key
from secure_mcp_gateway.store.server_checks import url_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record


def server_view(call: Call, server: Record) -> Record:
    if call.caller.is_admin:
        return {**_SERVER_DEFAULTS, **server}
    return {
        "server_name": server["server_name"],
        "description": server.get("description", ""),
        "config": _reached_by(server),
        "tools": server.get("tools", {}),
        "denied_tools": server.get("denied_tools", []),
        **{field: {"enabled": is_enabled(server, field)} for field in POLICIES},
    }


def server_row(call: Call, server: Record) -> Record:
    shown = server["config"] if call.caller.is_admin else _reached_by(server)
    return {
        "server_name": server["server_name"],
        "description": server.get("description", ""),
        "command": shown.get("command"),
        "args": shown.get("args") or [],
        "url": shown.get("url"),
        "tools": len(server.get("tools") or {}),
        "input_guardrails_enabled": is_enabled(server, "input_guardrails_policy"),
        "output_guardrails_enabled": is_enabled(server, "output_guardrails_policy"),
    }


def is_enabled(server: Record, policy: str) -> bool:
    return (server.get(policy) or {}).get("enabled") is True


def config_view(call: Call, config_id: str, config: Record) -> Record:
    shown = {
        "mcp_config_id": config_id,
        "mcp_config_name": config["mcp_config_name"],
        "mcp_config": [server_view(call, server) for server in config["mcp_config"]],
        "created_at": config["created_at"],
        "updated_at": config.get("updated_at", config["created_at"]),
    }
    further = {field: value for field, value in config.items() if field not in shown} if call.caller.is_admin else {}
    return {**shown, **further}


def config_row(document: Document, call: Call, config_id: str, config: Record) -> Record:
    return {
        "mcp_config_id": config_id,
        "mcp_config_name": config["mcp_config_name"],
        "servers": len(config["mcp_config"]),
        "used_by_projects": [project_name(*pair) for pair in document.related("config_projects", config_id) if owns_project(call, pair[0])],
    }


def project_name(project_id: str, project: Record) -> Record:
    return {"project_id": project_id, "project_name": project["project_name"]}


def project_row(document: Document, call: Call, project_id: str, project: Record) -> Record:
    return {
        **project_name(project_id, project),
        "mcp_config": _config_name(document, project["mcp_config_id"]),
        "users": document.count("project_members", project_id),
        "api_keys": document.count("project_keys", project_id),
        "created_at": project["created_at"],
    }


def project_view(document: Document, call: Call, project_id: str, project: Record) -> Record:
    users = [user_name(*pair) for pair in project_users(document, project_id) if owns_user(call, pair[0])]
    return {**project_row(document, call, project_id, project), "users": users}


def user_name(user_id: str, user: Record) -> Record:
    return {"user_id": user_id, "email": user["email"], "created_at": user["created_at"]}


def user_row(document: Document, call: Call, user_id: str, user: Record) -> Record:
    return {
        **user_name(user_id, user),
        "projects": [project_name(*pair) for pair in user_projects(document, user_id) if owns_project(call, pair[0])],
        "api_keys": document.count("user_keys", user_id),
    }


def user_view(document: Document, call: Call, user_id: str, user: Record) -> Record:
    keys = [key_view(document, record) for _, record in document.related("user_keys", user_id) if owns_project(call, record["project_id"])]
    return {**user_row(document, call, user_id, user), "api_keys": keys}


def key_view(document: Document, record: Record) -> Record:
    user = document.get("users", record["user_id"]) or {}
    project = document.get("projects", record["project_id"]) or {}
    return {
        "api_key": record["api_key_id"],
        "hint": record["hint"],
        "user_id": record["user_id"],
        "user_email": user.get("email"),
        "project_id": record["project_id"],
        "project_name": project.get("project_name"),
        "mcp_config_id": project.get("mcp_config_id"),
        "created_at": record["created_at"],
        "expires_at": record.get("expires_at"),
        "disabled": record.get("disabled", False),
        "rotated_at": record.get("rotated_at"),
    }


def project_users(document: Document, project_id: str) -> list[tuple[str, Record]]:
    """The project's members as (id, user), by the user's own creation, then id."""
    ids = [member["user_id"] for _, member in document.related("project_members", project_id)]
    return _by_creation([(user_id, user) for user_id in ids if (user := document.get("users", user_id)) is not None])


def user_projects(document: Document, user_id: str) -> list[tuple[str, Record]]:
    """The user's projects as (id, project), by the project's own creation, then id."""
    ids = [member["project_id"] for _, member in document.related("user_members", user_id)]
    return _by_creation([(each, project) for each in ids if (project := document.get("projects", each)) is not None])


def owns_project(call: Call, project_id: str) -> bool:
    return call.caller.is_admin or call.caller.project_id == project_id


def owns_user(call: Call, user_id: str) -> bool:
    return call.caller.is_admin or call.caller.user_id == user_id


def own_config(document: Document, call: Call) -> str | None:
    """The id of the config that the project of a user's key has."""
    project = document.get("projects", call.caller.project_id)
    return project["mcp_config_id"] if project is not None else None


def is_member(document: Document, project_id: str, user_id: str) -> bool:
    return member_key(project_id, user_id) in document.table("members")


_SERVER_DEFAULTS: Record = {
    "server_name": "",
    "description": "",
    "config": {},
    "tools": {},
    "denied_tools": [],
    **{field: {"enabled": False} for field in POLICIES},
}


def _reached_by(server: Record) -> Record:
    """The command, or the host of the URL: no argument, path, query, user info, header or variable."""
    config = server["config"]
    if config.get("url") is not None:
        return {"url": url_host(config["url"])}
    return {"command": config.get("command")}


def _config_name(document: Document, config_id: str | None) -> Record | None:
    config = document.get("mcp_configs", config_id) if config_id is not None else None
    return None if config is None else {"mcp_config_id": config_id, "mcp_config_name": config["mcp_config_name"]}


def _by_creation(pairs: list[tuple[str, Record]]) -> list[tuple[str, Record]]:
    return sorted(pairs, key=lambda pair: (pair[1]["created_at"], pair[0]))
