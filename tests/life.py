"""The complete life of a team, told once: each surface lives it through ``do(operation, **values)``."""

from __future__ import annotations

import json
import os
from typing import Any, Callable
from unittest import TestCase

Do = Callable[..., Any]
EK = "ek-secret-of-the-guardrail-service"
ENV = "env-secret-of-a-server"


def live(test: TestCase, do: Do, folder: str) -> list[str]:
    """Everything that a team goes through, from the default store on; gives the secrets made on the way.

    ``do`` returns the result's data; with ``refused="code"`` it expects that refusal and returns its detail.
    """
    secrets = [EK, ENV]
    _begin(test, do, secrets)
    _change(test, do)
    _search(test, do)
    _exchange(test, do, folder)
    _handle_keys(test, do, secrets)
    _guard(test, do)
    _back_up_and_restore(test, do, folder)
    _leave(test, do)
    _look_back(test, do)
    return secrets


def _begin(test: TestCase, do: Do, secrets: list[str]) -> None:
    for name in ("ada", "bob", "eve"):
        do("user create", email=f"{name}@example.com")
    do("user create", email="ADA@example.com", refused="conflict")
    do("project create", project_name="research")
    for name in ("ada", "bob"):
        do("project add-user", project_identifier="research", user_identifier=f"{name}@example.com")
    do("config add", config_name="tools")
    do("config add-server", config_identifier="tools", server_name="echo", server_command="python3", args=["-m", "x"], env={"TOKEN": ENV})
    do("config add-server", config_identifier="tools", server_name="web", server_url="https://mcp.example.com/mcp", headers={"X-K": ENV})
    do("project assign-config", project_identifier="research", config_identifier="tools")
    made = do("user generate-api-key", user_identifier="ada@example.com", project_identifier="research", expires_in_days=30)
    secrets.append(made["api_key"])
    do("user generate-api-key", user_identifier="eve@example.com", project_identifier="research", refused="conflict")
    found = do("project get", project_identifier="research")
    test.assertEqual([user["email"] for user in found["users"]], ["ada@example.com", "bob@example.com"])
    test.assertEqual((found["api_keys"], found["mcp_config"]["mcp_config_name"]), (1, "tools"))


def _change(test: TestCase, do: Do) -> None:
    do("user update", user_identifier="eve@example.com", new_email="eva@example.com")
    do("config rename", config_identifier="tools", new_name="research tools/2")
    do("config update-server", config_identifier="research tools/2", server_name="echo", new_server_name="echo2", tools={"echo": "says it"})
    do("config copy", source_config="research tools/2", target_config="copy")
    do("config remove-server", config_identifier="copy", server_name="web")
    do("config remove", config_identifier="research tools/2", refused="conflict")
    server = do("config get-server", config_identifier="research tools/2", server_name="echo2")
    test.assertEqual(server["config"], {"command": "python3", "args": ["-m", "x"], "env": {"TOKEN": ENV}})
    names = [row["server_name"] for row in do("config list-servers", config_identifier="copy")]
    test.assertEqual(names, ["echo2"])


def _search(test: TestCase, do: Do) -> None:
    test.assertEqual([row["match_type"] for row in do("config search", search_term="ECHO2")], ["server_name", "server_name"])
    test.assertEqual([row["match_type"] for row in do("project search", search_term="Ada@")], ["user_email"])
    test.assertEqual({row["email"] for row in do("user search", search_term="research")}, {"ada@example.com", "bob@example.com"})
    test.assertEqual([row["email"] for row in do("user search", search_term="eva")], ["eva@example.com"])


def _exchange(test: TestCase, do: Do, folder: str) -> None:
    path = os.path.join(folder, "tools.json")
    test.assertEqual(do("config export", config_identifier="copy", output_file=path), {"output_file": path, "config": None})
    test.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    do("config import", data=document, config_name="back", dry_run=True)
    do("config get", config_identifier="back", refused="not_found")
    do("config import", data=document, config_name="back")
    back, copy = do("config get", config_identifier="back"), do("config get", config_identifier="copy")
    test.assertEqual(back["mcp_config"], copy["mcp_config"])
    project = do("project export", project_identifier="research")["project"]
    test.assertNotIn("api_key", json.dumps(project).replace("api_keys", ""))


def _handle_keys(test: TestCase, do: Do, secrets: list[str]) -> None:
    key = do("user list-api-keys", user_identifier="ada@example.com")[0]["api_key"]
    do("user disable-api-key", api_key=key)
    do("user rotate-api-key", api_key=key, refused="conflict")
    test.assertEqual([row["api_key"] for row in do("user list-all-api-keys", disabled=True)], [key])
    do("user enable-api-key", api_key=key)
    rotated = do("user rotate-api-key", api_key=key)
    test.assertEqual(rotated["api_key_id"], key)
    secrets.append(rotated["api_key"])
    test.assertEqual(do("user get-api-key", api_key=secrets[-1])["api_key"], key)
    do("user get-api-key", api_key=secrets[-2], refused="not_found")
    made = do("admin-key create", name="second", expires_in_days=1)
    secrets.append(made["admin_key_secret"])
    secrets.append(do("admin-key rotate", admin_key="second")["admin_key_secret"])
    do("admin-key disable", admin_key="second")
    do("admin-key enable", admin_key="second")
    do("admin-key delete", admin_key=made["admin_key"])
    test.assertEqual([row["name"] for row in do("admin-key list")], ["admin"])
    do("admin-key delete", admin_key="admin", refused="conflict")


def _guard(test: TestCase, do: Do) -> None:
    server = {"config_identifier": "research tools/2", "server_name": "echo2"}
    policy = {"enabled": True, "policy_name": "strict", "block": ["pii"]}
    for kind in ("input", "output", "tool"):
        test.assertEqual(do(f"config update-server-{kind}-guardrails", policy=policy, **server), policy)
    do("config update-server-guardrails", input_policy={"enabled": False}, output_policy=policy, **server)
    stored = do("config get-server", **server)
    test.assertEqual((stored["input_guardrails_policy"], stored["output_guardrails_policy"]), ({"enabled": False}, policy))
    test.assertTrue(do("config validate", config_identifier="research tools/2")["valid"])
    do("config set-enkrypt-api-key", api_key=EK)
    test.assertNotIn(EK, json.dumps(do("config get-enkrypt-api-key")))
    do("config configure-telemetry", enabled=True, url="http://localhost:4317")
    test.assertTrue(do("config get-telemetry")["enabled"])


def _back_up_and_restore(test: TestCase, do: Do, folder: str) -> None:
    path = os.path.join(folder, "backup.json")
    do("system backup", output_file=path)
    before = do("user list")
    reset = do("system reset", confirm=True)
    test.assertTrue(os.path.exists(reset["safety_backup"]))
    test.assertEqual([row["email"] for row in do("user list")], ["default@example.com"])
    test.assertEqual(do("user list-all-api-keys"), [])
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    counts = do("system restore", data=document, dry_run=True)
    test.assertEqual(len(do("user list")), 1)
    restored = do("system restore", data=document)
    test.assertEqual({**restored, "safety_backup": None}, counts)
    test.assertEqual(do("user list"), before)


def _leave(test: TestCase, do: Do) -> None:
    do("project unassign-config", project_identifier="research")
    do("project get-config", project_identifier="research", refused="not_found")
    do("project remove", project_identifier="research", refused="conflict")
    test.assertEqual(do("project remove-user", project_identifier="research", user_identifier="ada@example.com"), {"api_keys_deleted": 1})
    do("project remove-all-users", project_identifier="research")
    do("project remove", project_identifier="research")
    for name in ("ada", "bob", "eva"):
        do("user delete", user_identifier=f"{name}@example.com")
    do("user delete", user_identifier="default@example.com", refused="conflict")
    do("user delete", user_identifier="default@example.com", force=True)
    for name in ("back", "copy", "research tools/2"):
        do("config remove-all-servers", config_identifier=name)
        do("config remove", config_identifier=name)


def _look_back(test: TestCase, do: Do) -> None:
    health = do("system health-check")
    test.assertEqual((health["status"], health["issues"]), ("healthy", []))
    test.assertEqual(health["statistics"]["total_users"], 0)
    lines = do("system audit")
    deeds = [line["operation"] for line in reversed(lines) if line["result"] == "ok"]
    test.assertEqual(deeds[:2], ["generate-config", "user create"])
    test.assertEqual([line["operation"] for line in lines if line["result"] == "not_found"][-1:], [])
    test.assertIn("conflict", {line["result"] for line in lines})
    test.assertEqual(len(do("system audit", operation="user delete", limit=2)), 2)
