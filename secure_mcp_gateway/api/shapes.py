"""What stands in the ``data`` of answers: the shapes that the rows name, as JSON Schema.

A shape lists every field that is always there; ``further`` ones may be, where the gateway keeps what it was given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

COMPONENTS = "#/components/schemas/"


def ref(name: str) -> Schema:
    return {"$ref": COMPONENTS + name}


def answered(answer: str) -> Schema:
    """The schema of ``data`` by what a row says of it: a shape, a list of one (``[Shape]``), or nothing."""
    if not answer:
        return {"type": "null"}
    return _list(ref(answer[1:-1])) if answer.startswith("[") else ref(answer)


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _about(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]} if "$ref" in schema else {**schema, "type": [schema["type"], "null"]}


def _shape(required: dict[str, Schema], optional: dict[str, Schema] | None = None, further: bool = False) -> Schema:
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": further}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_OBJECT: Schema = {"type": "object"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TEXTS = _list(_TEXT)
_END = _about(_or_null(_TIME), "When it stops working; null: never.")
_KEY_ID = _about({"type": "string", "pattern": "^key_[0-9a-f]{16}$"}, "The key's public id, which names it and lets nobody in.")
_ADMIN_KEY_ID = _about({"type": "string", "pattern": "^adm_[0-9a-f]{16}$"}, "The key's public id, which names it and lets nobody in.")
_HINT = _about(_TEXT, "The last four characters of the secret.")
_API_SECRET = _about({"type": "string", "format": "password"}, "The secret, shown this one time.")
_FILE = _about(_or_null(_TEXT), "The file that was written; null where none was named.")
_WARNINGS = _about(_TEXTS, "What was taken, but not as it stood.")
_BACKUP_FILE = _about(_or_null(_TEXT), "The file of the backup that was made first, on the server's machine.")

_PROJECT_NAME = {"project_id": _TEXT, "project_name": _TEXT}
_CONFIG_NAME = {"mcp_config_id": _TEXT, "mcp_config_name": _TEXT}
_CONFIG_NAMED = {"mcp_config_id": _TEXT, "config_name": _TEXT}
_USER_NAMED = {"user_id": _TEXT, "email": _TEXT}
_MADE_AT = {"created_at": _TIME}
_DELETED = {"api_keys_deleted": _COUNT}
_POLICIES = {
    "input_guardrails_policy": _about(ref("Policy"), "What a call is inspected for."),
    "output_guardrails_policy": _about(ref("Policy"), "What a result is inspected for."),
}
_REACHED = {
    "command": _or_null(_TEXT),
    "args": _TEXTS,
    "env": {"type": "object", "additionalProperties": _TEXT},
    "url": _or_null(_TEXT),
    "headers": {"type": "object", "additionalProperties": _TEXT},
}
_HOW_REACHED = "How it is started or reached; to a user's key the command or the host alone."
_TOOLS = {"type": "object", "additionalProperties": {"type": ["string", "object"]}}


def _match(*fields: str) -> Schema:
    return _about({"type": "string", "enum": list(fields)}, "Where the term was found.")


_CONFIGS: dict[str, Schema] = {
    "ConfigRow": _shape({**_CONFIG_NAME, "servers": _COUNT, "used_by_projects": _list(ref("ProjectName"))}),
    "ConfigMade": _shape({**_CONFIG_NAMED, "config_id": _about(_TEXT, "The same as mcp_config_id.")}),
    "ConfigName": _shape(_CONFIG_NAMED),
    "ConfigImported": _shape({"mcp_config_id": _or_null(_TEXT), "config_name": _TEXT, "servers": _COUNT, "warnings": _WARNINGS}),
    "ConfigFound": _shape({**_CONFIG_NAME, "match_type": _match("config_name", "server_name"), "servers": _COUNT}),
    "Config": _shape({**_CONFIG_NAME, "mcp_config": _list(ref("Server")), **_MADE_AT, "updated_at": _TIME}, further=True),
    "ConfigProject": _shape({**_PROJECT_NAME, "users": _COUNT}),
    "ConfigValidity": _shape({"valid": _FLAG, "issues": _TEXTS}),
    "ConfigExport": _shape({"output_file": _FILE, "config": _about(_or_null(_OBJECT), "The document, where no file is named.")}),
}
_SERVERS: dict[str, Schema] = {
    "ServerRow": _shape(
        {
            "server_name": _TEXT,
            "description": _TEXT,
            "command": _or_null(_TEXT),
            "args": _TEXTS,
            "url": _about(_or_null(_TEXT), "To a user's key its host alone."),
            "tools": _about(_COUNT, "How many are allowed by name; 0: all."),
            "input_guardrails_enabled": _FLAG,
            "output_guardrails_enabled": _FLAG,
        }
    ),
    "Server": _shape(
        {
            "server_name": _TEXT,
            "description": _TEXT,
            "config": _about(_shape({}, _REACHED, further=True), _HOW_REACHED),
            "tools": _about(_TOOLS, "The tools that are allowed, by name; {} allows all."),
            "denied_tools": _about(_TEXTS, "Tools that are refused, whatever `tools` says."),
            **_POLICIES,
            "tool_guardrails_policy": _about(ref("Policy"), "What the tools' own descriptions are inspected for."),
        },
        further=True,
    ),
    "Policy": _shape(
        {"enabled": _FLAG},
        {"policy_name": _or_null(_TEXT), "additional_config": _or_null(_OBJECT), "block": _or_null(_TEXTS)},
        further=True,
    ),
    "Policies": _shape(_POLICIES),
    "ServersRemoved": _shape({"removed": _COUNT}),
}
_PROJECTS: dict[str, Schema] = {
    "ProjectName": _shape(_PROJECT_NAME),
    "ProjectConfig": _shape(_CONFIG_NAME),
    "ProjectRow": _shape(
        {**_PROJECT_NAME, "mcp_config": _or_null(ref("ProjectConfig")), "users": _COUNT, "api_keys": _COUNT, **_MADE_AT},
    ),
    "ProjectFound": _shape({**_PROJECT_NAME, "match_type": _match("project_name", "user_email"), "users": _COUNT}),
    "Project": _shape(
        {
            **_PROJECT_NAME,
            "mcp_config": _or_null(ref("ProjectConfig")),
            "users": _list(_shape({**_USER_NAMED, **_MADE_AT})),
            "api_keys": _COUNT,
            **_MADE_AT,
        }
    ),
    "ProjectConfigAssigned": _shape({"project_id": _TEXT, **_CONFIG_NAME}),
    "MemberRow": _shape({**_USER_NAMED, "api_keys": _COUNT, **_MADE_AT}),
    "MemberMade": _shape({"project_id": _TEXT, **_USER_NAMED}),
    "MemberRemoved": _shape(_DELETED),
    "MembersRemoved": _shape({"removed": _COUNT, **_DELETED}),
    "ProjectExport": _shape({"output_file": _FILE, "project": _about(_or_null(_OBJECT), "The document, where no file is named.")}),
}
_USERS: dict[str, Schema] = {
    "UserRow": _shape({**_USER_NAMED, **_MADE_AT, "projects": _list(ref("ProjectName")), "api_keys": _COUNT}),
    "UserName": _shape(_USER_NAMED),
    "UserFound": _shape({**_USER_NAMED, "match_type": _match("email", "project_name"), "api_keys": _COUNT}),
    "User": _shape({**_USER_NAMED, **_MADE_AT, "projects": _list(ref("ProjectName")), "api_keys": _list(ref("ApiKey"))}),
    "UserDeleted": _shape({**_DELETED, "projects_left": _COUNT}),
    "UserProject": _shape({**_PROJECT_NAME, "api_keys": _COUNT, **_MADE_AT}),
}
_KEYS: dict[str, Schema] = {
    "ApiKey": _shape(
        {
            "api_key": _KEY_ID,
            "hint": _HINT,
            "user_id": _TEXT,
            "user_email": _or_null(_TEXT),
            "project_id": _TEXT,
            "project_name": _or_null(_TEXT),
            "mcp_config_id": _or_null(_TEXT),
            **_MADE_AT,
            "expires_at": _END,
            "disabled": _FLAG,
            "rotated_at": _or_null(_TIME),
        }
    ),
    "ApiKeyMade": _shape({"api_key": _API_SECRET, "api_key_id": _KEY_ID, "user_id": _TEXT, "project_id": _TEXT, "expires_at": _END}),
    "ApiKeyRotated": _shape({"api_key": _API_SECRET, "api_key_id": _KEY_ID, "expires_at": _END}),
    "ApiKeysDeleted": _shape({"deleted": _COUNT}),
    "AdminKey": _shape({"admin_key": _ADMIN_KEY_ID, "name": _TEXT, "hint": _HINT, **_MADE_AT, "expires_at": _END, "disabled": _FLAG}),
    "AdminKeySecret": _shape({"admin_key_secret": _API_SECRET, "admin_key": _ADMIN_KEY_ID, "name": _TEXT}),
    "Caller": _shape(
        {"kind": {"type": "string", "enum": ["admin", "user"]}, "project": _or_null(ref("ProjectName")), "expires_at": _END},
        {"name": _about(_TEXT, "Of an admin key."), "email": _about(_TEXT, "Of a user.")},
    ),
}
_STATISTICS = ("total_projects", "total_users", "total_configs", "total_servers", "total_api_keys", "disabled_api_keys")
_SYSTEM: dict[str, Schema] = {
    "Alive": _shape({"status": {"type": "string", "const": "ok"}, "version": _TEXT}),
    "Health": _shape(
        {
            "status": {"type": "string", "enum": ["healthy", "unhealthy"]},
            "issues": _TEXTS,
            "warnings": _TEXTS,
            "statistics": _shape(dict.fromkeys(_STATISTICS, _COUNT)),
            "timestamp": _TIME,
        }
    ),
    "AuditLine": _shape(
        {
            "n": _about(_COUNT, "The line's number in the log."),
            "time": _TIME,
            "actor": _shape({"kind": _TEXT, "id": _TEXT, "name": _TEXT}),
            "request_id": _TEXT,
            "operation": _TEXT,
            "named": _about({"type": "object", "additionalProperties": _TEXT}, "What the request named; never a secret."),
            "result": _about(_TEXT, "`ok`, or the word of a refusal."),
            "generation": _or_null(_COUNT),
            "committed": _about(_FLAG, "Is what the line tells in the store?"),
        },
        further=True,
    ),
    "Backup": _shape({"output_file": _FILE, "backup": _about(_or_null(_OBJECT), "The document, where no file is named.")}),
    "Restored": _shape(
        {
            **dict.fromkeys(("projects", "users", "configs", "api_keys"), _about(_COUNT, "How many the store now holds.")),
            "warnings": _WARNINGS,
            "safety_backup": _BACKUP_FILE,
        }
    ),
    "Applied": _shape(
        {
            "changes": _list(ref("Change")),
            **dict.fromkeys(("created", "changed", "removed"), _COUNT),
            "api_keys_deleted": _about(_COUNT, "How many keys went with users, projects and members."),
            "warnings": _WARNINGS,
            "safety_backup": _BACKUP_FILE,
        }
    ),
    "Change": _shape(
        {
            "action": {"type": "string", "enum": ["create", "change", "remove"]},
            "kind": {"type": "string", "enum": ["config", "server", "project", "user", "member"]},
            "name": _about(_TEXT, "Of a user or member the e-mail address."),
            "fields": _about(_TEXTS, "What differs, by name; never a value."),
            "api_keys": _about(_COUNT, "How many API keys go with it."),
        },
        {
            "config": _about(_or_null(_TEXT), "Of a server the config that it is in; of a project the one that it has then."),
            "project": _about(_TEXT, "Of a member."),
            "servers": _about(_COUNT, "How many go with a config."),
            "members": _about(_COUNT, "How many go with a project."),
            "projects": _about(_COUNT, "How many a user leaves by going."),
        },
    ),
    "DesiredExport": _shape({"output_file": _FILE, "desired": _about(_or_null(_OBJECT), "The document, where no file is named.")}),
    "Reset": _shape({"safety_backup": _BACKUP_FILE}),
    "EnkryptKey": _shape({"api_key": _about(_or_null(_TEXT), "Masked; null where none is set.")}),
    "Telemetry": _shape({"enabled": _FLAG, "url": _TEXT, "insecure": _FLAG}),
}
SHAPES: dict[str, Schema] = {**_CONFIGS, **_SERVERS, **_PROJECTS, **_USERS, **_KEYS, **_SYSTEM}
