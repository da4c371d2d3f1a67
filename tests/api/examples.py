"""``python3 -m tests.api.examples`` asks for everything once and records what was asked and answered, for the API's description.

Each operation meets the same small store, made anew; ids, secrets and times are always the same, so that a change shows.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.params import BODY, BODY_OR_QUERY, PATH, QUERY
from secure_mcp_gateway.repository.servers import import_server
from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.document import Draft, digest_of, member_key
from secure_mcp_gateway.store.store import Store
from tests.support import ROOT
from tests.surfaces import request_of, send

FILE = ROOT / "secure_mcp_gateway" / "api" / "examples.json"
NOW = "2026-01-31T08:00:00.000000+00:00"
ADMIN = "smga_" + "0123456789" * 4 + "abc"
ADA_KEY, CI_KEY = "key_0123456789abcdef", "adm_0123456789abcdef"
CONFIG, STAGING, PROJECT, ARCHIVE, FIRST, ADA = (f"5eed0000-0000-4000-8000-00000000000{n}" for n in range(1, 7))
_STORE_FOLDER = "/var/lib/secure-mcp-gateway"

Values = dict[str, Any]
_POLICY = {"enabled": True, "policy_name": "strict", "block": ["injection_attack", "pii"]}
_SERVER = {"server_name": "files", "config": {"command": "npx", "args": ["-y", "@scope/files"]}, "tools": {"read_file": "Reads a file"}}
_DESIRED = {
    "kind": "secure-mcp-gateway/desired",
    "version": 1,
    "configs": [{"name": "default_config", "servers": [_SERVER]}],
    "projects": [{"name": "archive", "config": "default_config", "users": ["ada@example.com", "grace@example.com"]}],
    "users": ["ada@example.com", "grace@example.com"],
}
# Where the examples of the params are not what one would send: they belong together, or name what may be taken away.
VALUES: dict[str, Values] = {
    "config copy": {"source_config": "default_config", "target_config": "staging_copy"},
    "config import": {"data": {"mcp_config": [_SERVER]}, "config_name": "imported"},
    "config remove": {"config_identifier": "staging"},
    "config rename": {"config_identifier": "staging", "new_name": "production"},
    "config add-server": {
        "server_name": "files",
        "server_command": "npx",
        "args": ["-y", "@scope/files"],
        "env": {"LOG_LEVEL": "info"},
        "tools": {"read_file": "Reads a file", "write_file": {"enabled": False}},
        "description": "Files of the team",
        "input_guardrails_policy": _POLICY,
    },
    "config update-server": {"description": "Says again what it is told", "denied_tools": ["delete_everything"]},
    "config update-server-guardrails": {"input_policy": _POLICY, "output_policy": {"enabled": False}},
    "project create": {"project_name": "research"},
    "project remove": {"project_identifier": "archive"},
    "project assign-config": {"config_identifier": "staging"},
    "project add-user": {"project_identifier": "archive", "user_identifier": "ada@example.com"},
    "user create": {"email": "grace@example.com"},
    "user update": {"new_email": "ada.lovelace@example.com"},
    "user delete": {"force": True},
    "user generate-api-key": {"expires_in_days": 90},
    "admin-key create": {"name": "laptop of Ada", "expires_in_days": 90},
    "system restore": {"dry_run": True},
    "apply": {"data": _DESIRED, "dry_run": True},
    "config configure-telemetry": {"enabled": True, "url": "http://localhost:4317"},
}


def values_of(operation: Operation) -> Values:
    """What is asked for: what must be given, and what the table above says."""
    chosen = VALUES.get(operation.name, {})
    needed = [param for param in operation.params if param.required or (param in operation.any_of[:1] and not chosen)]
    return {**{param.name: param.example for param in needed}, **chosen}


def record() -> dict[str, Values]:
    made: dict[str, Values] = {}
    for operation in all_operations():
        with example_app() as app:
            made[operation.name] = _asked(app, operation)
    with example_app() as app:
        made["health"] = {"answer": json.loads(send(app, "GET", "/health", key=None).body)}
        made["health"]["answer"]["data"]["version"] = "1.0.0"
    return made


def _asked(app: ManagementApp, operation: Operation) -> Values:
    values = values_of(operation)
    method, path, body = request_of(operation, values)
    answer = send(app, method, path, body, ADMIN)
    if answer.status != operation.status(values):
        raise AssertionError(f"{operation.name}: {answer.status} {answer.body!r}")
    asked: Values = {}
    for place, names in (("path", (PATH,)), ("query", (QUERY,))):
        given = {param.name: values[param.name] for param in operation.params if param.place in names and param.name in values}
        if given:
            asked[place] = given
    if any(param.place in (BODY, BODY_OR_QUERY) for param in operation.params):
        asked["body"] = body or {}
    return {**asked, "answer": json.loads(_placed(answer.body.decode()))}


def _placed(text: str) -> str:
    """Without what the machine and the moment decide: where the store is, when a backup was made."""
    return re.sub(r'"[^"]*/backups/store-[0-9TZ.]+-', f'"{_STORE_FOLDER}/backups/store-20260131T080000.000000000Z-', text)


@contextlib.contextmanager
def example_app() -> Iterator[ManagementApp]:
    """On the small store, with clocks that stand still and ids that count."""
    with tempfile.TemporaryDirectory() as folder, _without_chance():
        store = Store(os.path.join(os.path.realpath(folder), "store.json"))
        store.create(fill, AuditEntry(NOW, "command line", "", "root", "example-1", "generate-config", {}))
        yield ManagementApp(store)


@contextlib.contextmanager
def _without_chance() -> Iterator[None]:
    count = iter(range(7, 100))
    calls = "secure_mcp_gateway.repository.call"
    with contextlib.ExitStack() as stack:
        for module in (calls, "secure_mcp_gateway.api.app", "secure_mcp_gateway.api.pages"):
            stack.enter_context(mock.patch(f"{module}.now_text", lambda: NOW))
        stack.enter_context(mock.patch(f"{calls}.new_uuid", lambda: f"5eed0000-0000-4000-8000-{next(count):012d}"))
        stack.enter_context(mock.patch(f"{calls}.new_secret", lambda prefix: prefix + "9876543210" * 4 + "xyz"))
        stack.enter_context(mock.patch("secure_mcp_gateway.web.request.fresh_request_id", lambda: "example-2"))
        yield


def fill(draft: Draft) -> None:
    made = {"created_at": NOW}
    echo = {"command": "python3", "args": ["-m", "secure_mcp_gateway.examples.echo_server"]}
    server = import_server({"server_name": "echo_server", "description": "A small server to try things with", "config": echo})
    for key, name, servers in ((CONFIG, "default_config", [server]), (STAGING, "staging", [])):
        draft.put("mcp_configs", key, {"mcp_config_name": name, "mcp_config": servers, **made, "updated_at": NOW})
    for key, name, config in ((PROJECT, "default_project", CONFIG), (ARCHIVE, "archive", None)):
        draft.put("projects", key, {"project_name": name, "mcp_config_id": config, **made})
    for key, email in ((FIRST, "default@example.com"), (ADA, "ada@example.com")):
        draft.put("users", key, {"email": email, **made})
        draft.put("members", member_key(PROJECT, key), {"project_id": PROJECT, "user_id": key, **made})
    state = {**made, "expires_at": None, "disabled": False, "rotated_at": None}
    ada = {"api_key_id": ADA_KEY, "hint": "wxyz", "user_id": ADA, "project_id": PROJECT}
    draft.put("apikeys", digest_of("the secret that ends in wxyz"), {**ada, **state})
    for secret, key_id, name in ((ADMIN, "adm_fedcba9876543210", "admin"), ("the secret of ci that ends in ijkl", CI_KEY, "ci")):
        draft.put("admin_keys", digest_of(secret), {"admin_key": key_id, "name": name, "hint": secret[-4:], **state})


def as_text(examples: dict[str, Values]) -> str:
    """One operation a line, so that a change shows where it is."""
    lines = [f"{json.dumps(name)}: {json.dumps(example, ensure_ascii=False)}" for name, example in examples.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(as_text(record()), encoding="utf-8")
    sys.stdout.write(f"{FILE.relative_to(ROOT)} recorded\n")
