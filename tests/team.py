"""A small store for tests: two teams that must not see each other, and one of everything that can be in the way."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.document import Draft, member_key
from secure_mcp_gateway.store.store import Store

ADMIN = "smga_" + "A" * 43
SPARE = "smga_" + "S" * 43
ADA = "smg_" + "a" * 43
ADA_BLUE = "smg_" + "b" * 43
EVE = "smg_" + "e" * 43
BOB_DISABLED = "smg_" + "d" * 43
BOB_EXPIRED = "smg_" + "x" * 43
STRAY = "smg_" + "s" * 43
SECRETS = (ADMIN, SPARE, ADA, ADA_BLUE, EVE, BOB_DISABLED, BOB_EXPIRED, STRAY)

# Stands in everything of the blue team: no answer to a red key may hold it.
FOREIGN = "cobalt"

ALPHA, BETA, GAMMA = (f"{n}0000000-0000-4000-8000-000000000000" for n in "abc")
RED, BLUE, GREEN = (f"{n}0000000-0000-4000-8000-000000000001" for n in "123")
ADA_ID, BOB_ID, EVE_ID, ZED_ID = (f"{n}0000000-0000-4000-8000-000000000002" for n in "1234")
ADA_KEY_ID, EVE_KEY_ID, DISABLED_KEY_ID, EXPIRED_KEY_ID, ADA_BLUE_KEY_ID, STRAY_KEY_ID = (f"key_{n}000000000000000" for n in "123456")
ADMIN_ID, SPARE_ID = "adm_1000000000000000", "adm_2000000000000000"

_POLICY = {"enabled": True, "policy_name": "p", "block": ["pii"]}
_OFF = {"enabled": False}


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def make_team(folder: str) -> Store:
    """A store in ``folder`` with everything above in it, at generation 1."""
    store = Store(os.path.join(folder, "store.json"))
    store.create(_fill, AuditEntry(_time(0), "admin", "", "tests", "r", "generate-config", {}))
    return store


def _time(second: int) -> str:
    return f"2026-01-02T03:04:{second:02d}.000000+00:00"


def _fill(draft: Draft) -> None:
    _fill_admin_keys(draft)
    _fill_configs(draft)
    for at, (key, name, config) in enumerate(((RED, "red", ALPHA), (BLUE, f"blue {FOREIGN}", BETA), (GREEN, "green", None))):
        draft.put("projects", key, {"project_name": name, "mcp_config_id": config, "created_at": _time(at)})
    people = ((ADA_ID, "ada@example.com"), (BOB_ID, "bob@example.com"), (EVE_ID, f"eve@{FOREIGN}.example"), (ZED_ID, "zed@example.com"))
    for at, (key, email) in enumerate(people):
        draft.put("users", key, {"email": email, "created_at": _time(at)})
    for at, (project, user) in enumerate(((RED, ADA_ID), (RED, BOB_ID), (BLUE, EVE_ID), (BLUE, ADA_ID))):
        draft.put("members", member_key(project, user), {"project_id": project, "user_id": user, "created_at": _time(at)})
    _put_key(draft, ADA, ADA_KEY_ID, ADA_ID, RED)
    _put_key(draft, EVE, EVE_KEY_ID, EVE_ID, BLUE)
    _put_key(draft, ADA_BLUE, ADA_BLUE_KEY_ID, ADA_ID, BLUE)
    _put_key(draft, BOB_DISABLED, DISABLED_KEY_ID, BOB_ID, RED, disabled=True)
    _put_key(draft, BOB_EXPIRED, EXPIRED_KEY_ID, BOB_ID, RED, expires_at="2026-01-03T00:00:00.000000+00:00")
    # Of nobody's membership, as a restore may leave one: it arrives disabled.
    _put_key(draft, STRAY, STRAY_KEY_ID, EVE_ID, RED, disabled=True)


def _put_key(draft: Draft, secret: str, key_id: str, user: str, project: str, **fields: Any) -> None:
    record = {"api_key_id": key_id, "hint": secret[-4:], "user_id": user, "project_id": project, "created_at": _time(9)}
    draft.put("apikeys", digest(secret), {**record, "expires_at": None, "disabled": False, "rotated_at": None, **fields})


def _fill_admin_keys(draft: Draft) -> None:
    for secret, key_id, name in ((ADMIN, ADMIN_ID, "admin"), (SPARE, SPARE_ID, "spare")):
        record = {"admin_key": key_id, "name": name, "hint": secret[-4:], "created_at": _time(0)}
        draft.put("admin_keys", digest(secret), {**record, "expires_at": None, "disabled": False, "rotated_at": None})


def _fill_configs(draft: Draft) -> None:
    local = {"command": "run-local", "args": ["--flag", "hidden-argument"], "env": {"TOKEN": "hidden-env"}}
    remote = {"url": "https://tools.example.com/hidden-path?x=1", "headers": {"X-Auth": "hidden-header"}}
    servers = [_server("local", local), _server("remote", remote, input_guardrails_policy={**_POLICY, "policy_name": "hidden-policy"})]
    foreign_config = {"command": f"{FOREIGN}-command", "args": [f"{FOREIGN}-argument"], "env": {FOREIGN: f"{FOREIGN}-env"}}
    foreign = _server(f"{FOREIGN}-server", foreign_config, description=FOREIGN, tools={FOREIGN: FOREIGN}, denied_tools=[FOREIGN])
    for at, (key, name, inside) in enumerate(((ALPHA, "alpha", servers), (BETA, f"beta {FOREIGN}", [foreign]), (GAMMA, "gamma", []))):
        draft.put("mcp_configs", key, {"mcp_config_name": name, "mcp_config": inside, "created_at": _time(at), "updated_at": _time(at)})


def _server(name: str, config: dict[str, Any], **fields: Any) -> dict[str, Any]:
    policies = {"input_guardrails_policy": _OFF, "output_guardrails_policy": _OFF, "tool_guardrails_policy": _OFF}
    server = {"server_name": name, "description": f"about {name}", "config": config, "tools": {"ping": "answers"}, "denied_tools": ["rm"]}
    return {**server, **policies, **fields}
