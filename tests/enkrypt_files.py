"""Configuration files in the forms of Enkrypt's gateway: its 2.1 and its 2.2 line."""

from __future__ import annotations

import copy
from typing import Any

KEY, DISABLED_KEY = "eK-first-key_of-the-old-file-0123456789", "eK-disabled-key_of-the-old-file-012345"
ADMIN = "old-admin-key-of-the-file-" + "z" * 60
CONFIG_ID, PROJECT_ID, USER_ID = (f"{n}1111111-2222-4333-8444-555555555555" for n in "abc")
SERVICE_KEY = "service-key-of-the-guardrails"
_BLOCK = ["policy_violation", "pii"]

_COMMON: dict[str, Any] = {
    "admin_apikey": ADMIN,
    "common_mcp_gateway_config": {"enkrypt_log_level": "INFO", "timeout_settings": {"default_timeout": 30}},
    "projects": {
        PROJECT_ID: {
            "project_name": "old_project",
            "mcp_config_id": CONFIG_ID,
            "users": [USER_ID],
            "created_at": "2025-07-16T17:02:00.406877",
        }
    },
    "users": {USER_ID: {"email": "old@example.com", "created_at": "2025-07-16T17:02:00.406902"}},
    "apikeys": {
        KEY: {"project_id": PROJECT_ID, "user_id": USER_ID, "created_at": "2025-07-16T17:02:00.406905"},
        DISABLED_KEY: {
            "project_id": PROJECT_ID,
            "user_id": USER_ID,
            "created_at": "2025-08-01T09:00:00.000001",
            "disabled": True,
            "disabled_at": "2025-09-01T09:00:00.000001",
        },
    },
}


def line_2_1() -> dict[str, Any]:
    server = {
        "server_name": "old server!",
        "description": "of the 2.1 line",
        "config": {"command": "python", "args": ["/opt/server.py"]},
        "oauth_config": {"enabled": False, "OAUTH_VERSION": "2.1"},
        "tools": {"echo": "says it again", "off": {"enabled": False}},
        "enable_server_info_validation": False,
        "tool_guardrails_policy": {"enabled": False, "policy_name": "old", "block": _BLOCK},
        "input_guardrails_policy": {"enabled": True, "policy_name": "old", "additional_config": {"pii_redaction": False}, "block": _BLOCK},
        "output_guardrails_policy": {"enabled": False, "policy_name": "old", "block": _BLOCK},
    }
    plugins = {"guardrails": {"provider": "enkrypt", "config": {"api_key": SERVICE_KEY, "base_url": "https://guardrails.example.com"}}}
    plugins["telemetry"] = {"provider": "opentelemetry", "config": {"enabled": True, "url": "http://localhost:4317", "insecure": True}}
    return _document(server, {"plugins": plugins}, {})


def line_2_2() -> dict[str, Any]:
    server = {
        "server_name": "old_server",
        "config": {"url": "https://mcp.example.com/mcp", "headers": {"X-A": "b"}},
        "tools": {},
        "denied_tools": ["rm"],
        "input_guardrails_config": {"enabled": True, "guardrail_name": "old", "block": _BLOCK},
        "output_guardrails_config": {"enabled": False, "guardrail_name": "old", "block": _BLOCK},
    }
    overrides = {"server_tools_guardrails_config": {"enabled": True, "guardrail_name": "common", "block": _BLOCK}}
    further = {"enkrypt_config": {"api_key": "YOUR_ENKRYPT_API_KEY", "base_url": "https://guardrails.example.com"}}
    return _document(server, further, {"common_overrides": overrides})


def _document(server: dict[str, Any], further: dict[str, Any], of_config: dict[str, Any]) -> dict[str, Any]:
    config = {"mcp_config_name": "old_config", **of_config, "mcp_config": [server]}
    return copy.deepcopy({**_COMMON, **further, "mcp_configs": {CONFIG_ID: config}})
