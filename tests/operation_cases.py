"""For every operation: values that succeed against the team's store, and values for each way in which it refuses."""

from __future__ import annotations

from typing import Any

from tests.team import (
    ADA_BLUE,
    ADA_BLUE_KEY_ID,
    ADA_ID,
    ADA_KEY_ID,
    ALPHA,
    BLUE,
    DISABLED_KEY_ID,
    EVE_KEY_ID,
    EXPIRED_KEY_ID,
    GREEN,
    RED,
    SPARE_ID,
    STRAY_KEY_ID,
    ZED_ID,
)

Values = dict[str, Any]
NOT_FOUND, CONFLICT, INVALID = "not_found", "conflict", "invalid_request"
NOWHERE = "00000000-0000-4000-8000-00000000dead"
_BAD_POLICY = {"enabled": "yes"}
_POLICY = {"enabled": True, "policy_name": "strict", "block": ["pii"], "kept": {"as": "given"}}
_SERVERS = [{"server_name": "fresh", "config": {"command": "run"}, "further": 1}]
_BACKUP: Values = {
    "kind": "secure-mcp-gateway/backup",
    "version": 1,
    "format": 1,
    "generation": 7,
    **{name: {} for name in ("admin_keys", "mcp_configs", "projects", "users", "members", "apikeys", "settings")},
}

_DESIRED: Values = {
    "kind": "secure-mcp-gateway/desired",
    "version": 1,
    "configs": [{"name": "alpha", "servers": [{"server_name": "fresh", "config": {"command": "run", "env": {"K": "v"}}}]}],
    "projects": [{"name": "red", "config": None, "users": ["ada@example.com", "new@example.com"]}, {"name": "new", "config": "alpha"}],
    "users": ["ada@example.com", "bob@example.com", {"email": "new@example.com", "further": {"team": 1}}],
}

# The first one of each succeeds, as do all others without an error.
CASES: dict[str, list[tuple[Values, str]]] = {
    "config list": [({}, ""), ({"limit": 1, "offset": 1}, ""), ({"limit": -1}, INVALID)],
    "config add": [({"config_name": "new"}, ""), ({"config_name": "alpha"}, CONFLICT), ({"config_name": " x"}, INVALID), ({}, INVALID)],
    "config copy": [
        ({"source_config": "alpha", "target_config": "twin"}, ""),
        ({"source_config": "nowhere", "target_config": "twin"}, NOT_FOUND),
        ({"source_config": ALPHA, "target_config": "gamma"}, CONFLICT),
        ({"source_config": ALPHA, "target_config": ".."}, INVALID),
    ],
    "config import": [
        ({"data": {"mcp_config": _SERVERS}, "config_name": "imported"}, ""),
        ({"data": _SERVERS, "config_name": "imported", "dry_run": True}, ""),
        ({"data": _SERVERS, "config_name": "alpha"}, CONFLICT),
        ({"data": {"mcp_config": [{"server_name": "x"}]}, "config_name": "imported"}, INVALID),
        ({"data": {"else": 1}, "config_name": "imported"}, INVALID),
    ],
    "config search": [({"search_term": "LOCA"}, ""), ({"search_term": "alph"}, ""), ({}, INVALID)],
    "config get": [({"config_identifier": "alpha"}, ""), ({"config_identifier": ALPHA}, ""), ({"config_identifier": NOWHERE}, NOT_FOUND)],
    "config rename": [
        ({"config_identifier": "alpha", "new_name": "omega"}, ""),
        ({"config_identifier": "nowhere", "new_name": "omega"}, NOT_FOUND),
        ({"config_identifier": "alpha", "new_name": "gamma"}, CONFLICT),
        ({"config_identifier": "alpha", "new_name": "a\x07b"}, INVALID),
    ],
    "config remove": [
        ({"config_identifier": "gamma"}, ""),
        ({"config_identifier": "x"}, NOT_FOUND),
        ({"config_identifier": "alpha"}, CONFLICT),
    ],
    "config list-projects": [({"config_identifier": "alpha"}, ""), ({"config_identifier": "x"}, NOT_FOUND)],
    "config validate": [({"config_identifier": "gamma"}, ""), ({"config_identifier": "x"}, NOT_FOUND)],
    "config export": [({"config_identifier": "alpha"}, ""), ({"config_identifier": "x"}, NOT_FOUND)],
    "config list-servers": [({"config_identifier": "alpha"}, ""), ({"config_identifier": "x"}, NOT_FOUND)],
    "config add-server": [
        ({"config_identifier": "alpha", "server_name": "third", "server_command": "run", "args": ["a,b", "-c"], "env": {"K": "v"}}, ""),
        (
            {
                "config_identifier": "gamma",
                "server_name": "far",
                "server_url": "https://far.example.com/mcp",
                "headers": {"X-A": "b"},
                "tools": {"t": "does", "u": {"enabled": False}},
                "denied_tools": ["d"],
                "description": "far away",
                "input_guardrails_policy": _POLICY,
                "output_guardrails_policy": {"enabled": False},
                "tool_guardrails_policy": {"enabled": False},
            },
            "",
        ),
        ({"config_identifier": "x", "server_name": "third", "server_command": "run"}, NOT_FOUND),
        ({"config_identifier": "alpha", "server_name": "local", "server_command": "run"}, CONFLICT),
        ({"config_identifier": "alpha", "server_name": "third"}, INVALID),
        ({"config_identifier": "alpha", "server_name": "no blanks", "server_command": "run"}, INVALID),
    ],
    "config get-server": [
        ({"config_identifier": "alpha", "server_name": "local"}, ""),
        ({"config_identifier": "alpha", "server_name": "x"}, NOT_FOUND),
        ({"config_identifier": "x", "server_name": "local"}, NOT_FOUND),
    ],
    "config update-server": [
        ({"config_identifier": "alpha", "server_name": "local", "new_server_name": "moved", "args": [], "description": ""}, ""),
        ({"config_identifier": "alpha", "server_name": "local", "server_url": "https://a.example.com"}, ""),
        ({"config_identifier": "alpha", "server_name": "x", "description": "y"}, NOT_FOUND),
        ({"config_identifier": "alpha", "server_name": "local", "new_server_name": "remote"}, CONFLICT),
        ({"config_identifier": "alpha", "server_name": "local"}, INVALID),
    ],
    "config remove-server": [
        ({"config_identifier": "alpha", "server_name": "local"}, ""),
        ({"config_identifier": "alpha", "server_name": "x"}, NOT_FOUND),
    ],
    "config remove-all-servers": [({"config_identifier": "alpha"}, ""), ({"config_identifier": "x"}, NOT_FOUND)],
    **{
        f"config update-server-{kind}-guardrails": [
            ({"config_identifier": "alpha", "server_name": "local", "policy": _POLICY}, ""),
            ({"config_identifier": "alpha", "server_name": "x", "policy": _POLICY}, NOT_FOUND),
            ({"config_identifier": "alpha", "server_name": "local", "policy": _BAD_POLICY}, INVALID),
            ({"config_identifier": "alpha", "server_name": "local"}, INVALID),
        ]
        for kind in ("input", "output", "tool")
    },
    "config update-server-guardrails": [
        ({"config_identifier": "alpha", "server_name": "local", "input_policy": _POLICY, "output_policy": {"enabled": False}}, ""),
        ({"config_identifier": "alpha", "server_name": "local", "output_policy": _POLICY}, ""),
        ({"config_identifier": "alpha", "server_name": "x", "input_policy": _POLICY}, NOT_FOUND),
        ({"config_identifier": "alpha", "server_name": "local", "input_policy": _POLICY, "output_policy": _BAD_POLICY}, INVALID),
        ({"config_identifier": "alpha", "server_name": "local"}, INVALID),
    ],
    "config set-enkrypt-api-key": [({"api_key": "ek-12345678"}, ""), ({"api_key": ""}, INVALID)],
    "config get-enkrypt-api-key": [({}, "")],
    "config configure-telemetry": [({"enabled": True, "url": "http://localhost:4317"}, ""), ({}, INVALID)],
    "config get-telemetry": [({}, "")],
    "project list": [({}, ""), ({"offset": 2}, "")],
    "project create": [({"project_name": "new"}, ""), ({"project_name": "red"}, CONFLICT), ({"project_name": NOWHERE}, INVALID)],
    "project search": [({"search_term": "RED"}, ""), ({"search_term": "bob@"}, ""), ({}, INVALID)],
    "project get": [({"project_identifier": "red"}, ""), ({"project_identifier": "x"}, NOT_FOUND)],
    "project remove": [
        ({"project_identifier": "green"}, ""),
        ({"project_identifier": "x"}, NOT_FOUND),
        ({"project_identifier": "red"}, CONFLICT),
    ],
    "project assign-config": [
        ({"project_identifier": "green", "config_identifier": "gamma"}, ""),
        ({"project_identifier": "red", "config_identifier": ALPHA}, ""),
        ({"project_identifier": "x", "config_identifier": "gamma"}, NOT_FOUND),
        ({"project_identifier": "red", "config_identifier": "x"}, NOT_FOUND),
        ({"project_identifier": "red"}, INVALID),
    ],
    "project unassign-config": [
        ({"project_identifier": RED}, ""),
        ({"project_identifier": "x"}, NOT_FOUND),
        ({"project_identifier": GREEN}, CONFLICT),
    ],
    "project get-config": [
        ({"project_identifier": "red"}, ""),
        ({"project_identifier": "green"}, NOT_FOUND),
        ({"project_identifier": "x"}, NOT_FOUND),
    ],
    "project list-users": [({"project_identifier": "red"}, ""), ({"project_identifier": "x"}, NOT_FOUND)],
    "project add-user": [
        ({"project_identifier": "green", "user_identifier": "ZED@example.com"}, ""),
        ({"project_identifier": "x", "user_identifier": "zed@example.com"}, NOT_FOUND),
        ({"project_identifier": "green", "user_identifier": "nobody@example.com"}, NOT_FOUND),
        ({"project_identifier": "red", "user_identifier": "ada@example.com"}, CONFLICT),
        ({"project_identifier": "red"}, INVALID),
    ],
    "project remove-user": [
        ({"project_identifier": "red", "user_identifier": "ada@example.com"}, ""),
        ({"project_identifier": "red", "user_identifier": ZED_ID}, NOT_FOUND),
        ({"project_identifier": "x", "user_identifier": ADA_ID}, NOT_FOUND),
    ],
    "project remove-all-users": [({"project_identifier": "red"}, ""), ({"project_identifier": "x"}, NOT_FOUND)],
    "project export": [({"project_identifier": "red"}, ""), ({"project_identifier": "x"}, NOT_FOUND)],
    "user list": [({}, ""), ({"limit": 2}, "")],
    "user create": [({"email": "New@Example.com"}, ""), ({"email": "ADA@example.com"}, CONFLICT), ({"email": "nobody"}, INVALID)],
    "user search": [({"search_term": "ADA"}, ""), ({"search_term": "red"}, ""), ({}, INVALID)],
    "user get": [({"user_identifier": "Ada@Example.com"}, ""), ({"user_identifier": "x@example.com"}, NOT_FOUND)],
    "user update": [
        ({"user_identifier": "zed@example.com", "new_email": "zoe@example.com"}, ""),
        ({"user_identifier": "x@example.com", "new_email": "zoe@example.com"}, NOT_FOUND),
        ({"user_identifier": "zed@example.com", "new_email": "BOB@example.com"}, CONFLICT),
        ({"user_identifier": "zed@example.com", "new_email": "a@b"}, INVALID),
    ],
    "user delete": [
        ({"user_identifier": "zed@example.com"}, ""),
        ({"user_identifier": "ada@example.com", "force": True}, ""),
        ({"user_identifier": "x@example.com"}, NOT_FOUND),
        ({"user_identifier": "ada@example.com"}, CONFLICT),
    ],
    "user list-projects": [({"user_identifier": ADA_ID}, ""), ({"user_identifier": NOWHERE}, NOT_FOUND)],
    "user generate-api-key": [
        ({"user_identifier": "bob@example.com", "project_identifier": "red", "expires_in_days": 30}, ""),
        ({"user_identifier": "bob@example.com", "project_identifier": RED}, ""),
        ({"user_identifier": "x@example.com", "project_identifier": "red"}, NOT_FOUND),
        ({"user_identifier": "bob@example.com", "project_identifier": "x"}, NOT_FOUND),
        ({"user_identifier": "bob@example.com", "project_identifier": BLUE}, CONFLICT),
        ({"user_identifier": "bob@example.com", "project_identifier": "red", "expires_in_days": 3651}, INVALID),
    ],
    "user list-api-keys": [
        ({"user_identifier": ADA_ID}, ""),
        ({"user_identifier": ADA_ID, "project_identifier": "red"}, ""),
        ({"user_identifier": "x@example.com"}, NOT_FOUND),
        ({"user_identifier": ADA_ID, "project_identifier": "x"}, NOT_FOUND),
    ],
    "user delete-all-api-keys": [({"user_identifier": "bob@example.com"}, ""), ({"user_identifier": "x@example.com"}, NOT_FOUND)],
    "user list-all-api-keys": [({}, ""), ({"disabled": True}, ""), ({"expires_within_days": 30}, "")],
    "user get-api-key": [({"api_key": ADA_KEY_ID}, ""), ({"api_key": ADA_BLUE}, ""), ({"api_key": "smg_unknown"}, NOT_FOUND)],
    "user rotate-api-key": [
        ({"api_key": EVE_KEY_ID}, ""),
        ({"api_key": ADA_BLUE}, ""),
        ({"api_key": "key_unknown"}, NOT_FOUND),
        ({"api_key": DISABLED_KEY_ID}, CONFLICT),
        ({"api_key": EXPIRED_KEY_ID}, CONFLICT),
    ],
    "user disable-api-key": [({"api_key": ADA_KEY_ID}, ""), ({"api_key": DISABLED_KEY_ID}, ""), ({"api_key": "x"}, NOT_FOUND)],
    "user enable-api-key": [
        ({"api_key": DISABLED_KEY_ID}, ""),
        ({"api_key": ADA_KEY_ID}, ""),
        ({"api_key": "x"}, NOT_FOUND),
        ({"api_key": STRAY_KEY_ID}, CONFLICT),
    ],
    "user delete-api-key": [({"api_key": ADA_BLUE_KEY_ID}, ""), ({"api_key": "x"}, NOT_FOUND)],
    "admin-key list": [({}, "")],
    "admin-key create": [({"name": "third", "expires_in_days": 1}, ""), ({"name": "spare"}, CONFLICT), ({"name": ""}, INVALID)],
    "admin-key rotate": [({"admin_key": "spare"}, ""), ({"admin_key": "x"}, NOT_FOUND)],
    "admin-key disable": [({"admin_key": SPARE_ID}, ""), ({"admin_key": "x"}, NOT_FOUND)],
    "admin-key enable": [({"admin_key": "spare"}, ""), ({"admin_key": "x"}, NOT_FOUND)],
    "admin-key delete": [({"admin_key": "spare"}, ""), ({"admin_key": "x"}, NOT_FOUND)],
    "whoami": [({}, "")],
    "apply": [
        ({"data": _DESIRED, "prune": True}, ""),
        ({"data": _DESIRED}, ""),
        ({"data": _DESIRED, "dry_run": True}, ""),
        ({"data": {key: value for key, value in _DESIRED.items() if key != "projects"}, "prune": True}, INVALID),
        ({"data": {**_DESIRED, "user": []}}, INVALID),
        ({}, INVALID),
    ],
    "system export-desired": [({}, "")],
    "system health-check": [({}, "")],
    "system audit": [({}, ""), ({"operation": "generate-config", "limit": 1}, ""), ({"since": "yesterday"}, INVALID)],
    "system backup": [({}, "")],
    "system restore": [
        ({"data": _BACKUP}, ""),
        ({"data": _BACKUP, "dry_run": True}, ""),
        ({"data": {"kind": "other"}}, INVALID),
        ({}, INVALID),
    ],
    "system reset": [({"confirm": True}, ""), ({"confirm": False}, INVALID), ({}, INVALID)],
}
