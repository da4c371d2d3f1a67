"""Bad inputs, one by one: the status, the `error`, the exit code, the field named, and the store as it was."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations import all_operations
from tests import team
from tests.surfaces import on_command_line, on_rest, run_command, send
from tests.test_every_operation import TableCase, _content

ROWS = {operation.name: operation for operation in all_operations()}
ADD = {"config_identifier": "alpha", "server_name": "new", "server_command": "run"}
FAR = {"config_identifier": "alpha", "server_name": "new", "server_url": "https://a.example.com"}
ONE = {"config_identifier": "alpha", "server_name": "local"}
KEY = {"user_identifier": "bob@example.com", "project_identifier": "red"}


def policy(**fields: Any) -> dict[str, Any]:
    return {**ONE, "policy": {"enabled": True, **fields}}


# Operation, values, what `detail` must name. All are invalid_request: 400 and exit code 2.
ON_BOTH: list[tuple[str, dict[str, Any], str]] = [
    ("config add", {"config_name": ""}, "config_name"),
    ("config add", {"config_name": "x" * 101}, "config_name"),
    ("config add", {"config_name": "trailing "}, "config_name"),
    ("config add", {"config_name": "\u3000wide"}, "config_name"),
    ("config add", {"config_name": "tab\there"}, "config_name"),
    ("config add", {"config_name": "zero\u200bwidth"}, "config_name"),
    ("config add", {"config_name": "line\u2028end"}, "config_name"),
    ("config add", {"config_name": "\u202eback"}, "config_name"),
    ("config add", {"config_name": "."}, "config_name"),
    ("config add", {"config_name": ".."}, "config_name"),
    ("config add", {"config_name": team.ALPHA.upper()}, "config_name"),
    ("project create", {"project_name": "a\nb"}, "project_name"),
    ("project create", {"project_name": team.RED}, "project_name"),
    ("admin-key create", {"name": "bell\x07"}, "name"),
    ("admin-key create", {"name": "late", "expires_in_days": 0}, "expires_in_days"),
    ("user create", {"email": ""}, "email"),
    ("user create", {"email": "plain"}, "email"),
    ("user create", {"email": "two@@example.com"}, "email"),
    ("user create", {"email": "a@b@example.com"}, "email"),
    ("user create", {"email": "a b@example.com"}, "email"),
    ("user create", {"email": "@example.com"}, "email"),
    ("user create", {"email": "ada@localhost"}, "email"),
    ("user create", {"email": "ada@example."}, "email"),
    ("user create", {"email": "ada@.example.com"}, "email"),
    ("user create", {"email": "a" * 250 + "@b.cd"}, "email"),
    ("user create", {"email": "nul\x01@example.com"}, "email"),
    ("user update", {"user_identifier": "bob@example.com", "new_email": "bob"}, "new_email"),
    ("user generate-api-key", {**KEY, "expires_in_days": 0}, "expires_in_days"),
    ("user generate-api-key", {**KEY, "expires_in_days": 3651}, "expires_in_days"),
    ("user list-all-api-keys", {"expires_within_days": -1}, "expires_within_days"),
    ("user list", {"limit": -1}, "limit"),
    ("user list", {"limit": "--5"}, "limit must be a whole number"),
    ("user list", {"limit": "-"}, "limit must be a whole number"),
    ("user list", {"limit": "1" + "0" * 5000}, "limit must be from 0 to"),
    ("user list", {"offset": "-" + "9" * 30}, "offset must be from 0 to"),
    ("user list", {"offset": -1}, "offset"),
    ("config search", {"search_term": ""}, "search_term"),
    ("config rename", {"config_identifier": "alpha", "new_name": ""}, "new_name"),
    ("config copy", {"source_config": "alpha", "target_config": "\x7f"}, "target_config"),
    ("config add-server", {**ADD, "server_name": ""}, "server_name"),
    ("config add-server", {**ADD, "server_name": "-dash"}, "server_name"),
    ("config add-server", {**ADD, "server_name": "sla/sh"}, "server_name"),
    ("config add-server", {**ADD, "server_name": "x" * 65}, "server_name"),
    ("config add-server", {**ADD, "server_name": "ümlaut"}, "server_name"),
    ("config add-server", {**ADD, "server_url": "https://a.example.com"}, "server_url"),
    ("config add-server", {"config_identifier": "alpha", "server_name": "new"}, "server_command"),
    ("config add-server", {**ADD, "server_command": ""}, "server_command"),
    ("config add-server", {**FAR, "server_url": "ftp://a.example.com"}, "server_url"),
    ("config add-server", {**FAR, "server_url": "https://"}, "server_url"),
    ("config add-server", {**FAR, "server_url": "https://a b"}, "server_url"),
    ("config add-server", {**FAR, "args": ["x"]}, "args"),
    ("config add-server", {**FAR, "env": {"A": "b"}}, "env"),
    ("config add-server", {**ADD, "headers": {"A": "b"}}, "headers"),
    ("config add-server", {**ADD, "args": ["a", 2]}, "args[1]"),
    ("config add-server", {**ADD, "env": {"A": 1}}, "env.A"),
    ("config add-server", {**ADD, "env": {"A=B": "c"}}, "env"),
    ("config add-server", {**ADD, "env": {"A": "nul\x00"}}, "env"),
    ("config add-server", {**FAR, "headers": {"bad name": "x"}}, "headers"),
    ("config add-server", {**FAR, "headers": {"X": "a\r\nb: c"}}, "headers"),
    ("config add-server", {**ADD, "tools": {"t": 5}}, "tools.t"),
    ("config add-server", {**ADD, "tools": {"t": {"enabled": "no"}}}, "tools.t.enabled"),
    ("config add-server", {**ADD, "denied_tools": [1]}, "denied_tools[0]"),
    ("config add-server", {**ADD, "input_guardrails_policy": {}}, "input_guardrails_policy.enabled"),
    ("config update-server", ONE, "new_server_name"),
    ("config update-server", {**ONE, "new_server_name": "a b"}, "new_server_name"),
    ("config update-server", {**ONE, "server_command": "a", "server_url": "https://b.example.com"}, "server_url"),
    ("config update-server-input-guardrails", {**ONE, "policy": {"enabled": 1}}, "policy.enabled"),
    ("config update-server-input-guardrails", policy(policy_name=5), "policy.policy_name"),
    ("config update-server-output-guardrails", policy(block="pii"), "policy.block"),
    ("config update-server-tool-guardrails", policy(block=["pii", 2]), "policy.block[1]"),
    ("config update-server-tool-guardrails", policy(additional_config=[]), "policy.additional_config"),
    ("config update-server-guardrails", ONE, "input_policy"),
    ("config configure-telemetry", {}, "enabled"),
    ("config configure-telemetry", {"url": "no url"}, "url"),
    ("config import", {"data": [{"server_name": "a"}], "config_name": "new"}, "[0]"),
    (
        "config import",
        {"data": [{"server_name": "a", "config": {"command": "b", "url": "https://c.example.com"}}], "config_name": "new"},
        "url",
    ),
    ("config import", {"data": {"mcp_config": "x"}, "config_name": "new"}, "mcp_config"),
    ("system restore", {"data": []}, "data"),
    ("system restore", {"data": {"kind": "secure-mcp-gateway/backup", "version": 99}}, "version"),
    ("system restore", {"data": {"mcp_configs": [], "apikeys": 5}}, "mcp_configs"),
    ("system reset", {"confirm": False}, "confirm"),
    ("system audit", {"since": "soon"}, "since"),
]

# Method, path, body, what `detail` must name: what only a request can get wrong.
ON_REST: list[tuple[str, str, Any, str]] = [
    ("POST", "/api/v1/users", {"email": 5}, "email"),
    ("POST", "/api/v1/users", {"email": None}, "email"),
    ("POST", "/api/v1/users", {"email": "a@example.com", "emial": 1}, "emial"),
    ("POST", "/api/v1/users?email=a@example.com", {"email": "a@example.com"}, "email"),
    ("POST", "/api/v1/configs", {"config_name": ["x"]}, "config_name"),
    ("POST", "/api/v1/configs", b"[]", "object"),
    ("POST", "/api/v1/configs", b"{", "line 1"),
    ("POST", "/api/v1/configs", b" ", "it is empty"),
    ("POST", "/api/v1/configs", b'{"config_name": "a", "config_name": "b"}', "twice"),
    ("POST", "/api/v1/configs", b'\xef\xbb\xbf{"config_name": "a"}', "byte order mark"),
    ("POST", "/api/v1/configs", b'{"config_name": "\xff"}', "UTF-8"),
    ("POST", "/api/v1/configs", b'{"config_name": "\\ud800"}', "surrogate"),
    ("POST", "/api/v1/configs", b'{"config_name": NaN}', "NaN"),
    ("POST", "/api/v1/configs", b'{"config_name": 1e999}', "too large"),
    ("POST", "/api/v1/configs", b'{"config_name": ' + b"9" * 1001 + b"}", "digits"),
    ("POST", "/api/v1/configs", b'{"config_name": ' + b"[" * 65 + b"]" * 65 + b"}", "64"),
    ("POST", "/api/v1/configs/alpha/servers", {"server_name": "x", "server_command": "y", "args": "z"}, "args"),
    ("POST", "/api/v1/configs/alpha/servers", {"server_name": "x", "server_command": "y", "env": []}, "env"),
    ("POST", "/api/v1/projects/red/users", {"email": "zed@example.com", "user_id": team.ZED_ID}, "email and user_id"),
    ("POST", "/api/v1/projects/red/assign-config", {}, "config_name"),
    ("POST", "/api/v1/users/bob@example.com/api-keys", {"project_name": "red", "expires_in_days": True}, "expires_in_days"),
    ("POST", "/api/v1/users/bob@example.com/api-keys", {"project_name": "red", "expires_in_days": 1.5}, "expires_in_days"),
    ("DELETE", "/api/v1/users/ada@example.com?force=yes", None, "force"),
    ("GET", "/api/v1/users?limit=ten", None, "limit"),
    ("GET", "/api/v1/users?limit=1&limit=2", None, "limit"),
    ("GET", "/api/v1/users?page=2", None, "page"),
    ("GET", "/api/v1/api-keys?disabled=1", None, "disabled"),
    ("GET", "/api/v1/configs/%ff", None, "UTF-8"),
    ("POST", "/api/v1/system/reset", {"confirm": "true"}, "confirm"),
    ("PUT", "/api/v1/configs/alpha/servers/local/input-guardrails", {"policy_file": "missing.json"}, "policy_file"),
    ("POST", "/api/v1/configs/import", {"input_file": "/dev/zero", "config_name": "x"}, "input_file"),
    ("POST", "/api/v1/configs/alpha/export", {"output_file": "/dev/null"}, "output_file"),
    ("POST", "/api/v1/configs/alpha/export", {"output_file": 5}, "output_file"),
]

# Words of a command line, what the error must name: what only a command line can get wrong.
ON_COMMAND_LINE: list[tuple[list[str], str]] = [
    (["config", "add"], "--config-name"),
    (["config", "add", "--config-name"], "--config-name"),
    (["config", "add", "--config-nam", "x"], "--config-nam"),
    (["config", "add", "--config-name=x", "--config-name=y"], "--config-name"),
    (["config", "add", "x"], "x"),
    (["config", "ad", "--config-name=x"], "add"),
    (["confg", "list"], "config"),
    (["config", "get", "--config-name=alpha", f"--config-id={team.ALPHA}"], "--config-id"),
    (["config", "get"], "--config-name"),
    (["config", "add-server", "--config-name=alpha", "--server-name=x", "--server-command=y", "--env={"], "env"),
    (["config", "add-server", "--config-name=alpha", "--server-name=x", "--server-command=y", "--env=@missing"], "env"),
    (["config", "import", "--config-name=x"], "--input-file"),
    (["config", "configure-telemetry", "--enabled=maybe"], "enabled"),
    (["user", "generate-api-key", "--email=bob@example.com", "--project-name=red", "--expires-in-days=ten"], "expires"),
    (["user", "list", "--format=xml"], "--format"),
    (["user", "list", "--limit=1e3"], "limit"),
]


class BadInput(TableCase):
    def test_there_are_enough_of_them(self) -> None:
        self.assertGreaterEqual(len(ON_BOTH) + len(ON_REST) + len(ON_COMMAND_LINE), 60)

    def test_both_surfaces_name_the_field_and_change_nothing(self) -> None:
        store = self.fresh()
        before = _content(store)
        for name, values, field in ON_BOTH:
            with self.subTest(operation=name, values=values):
                rest = on_rest(store, ROWS[name], values)
                self.assertEqual((rest.code, rest.error), (400, "invalid_request"), rest.detail)
                self.assertIn(field, rest.detail)
                if "\x00" in json.dumps(values) or (name == "system restore" and values["data"] == []):
                    continue
                command = on_command_line(store, ROWS[name], values, self.folder)
                self.assertEqual((command.code, command.error), (2, "invalid_request"), command.detail)
                self.assertIn(field.replace("_", "-").lstrip("-"), command.detail.replace("_", "-"))
        self.assertEqual(_content(store), before)

    def test_requests_are_refused_by_name(self) -> None:
        store = self.fresh()
        before, app = _content(store), ManagementApp(store)
        for method, path, body, field in ON_REST:
            with self.subTest(path=path, body=body):
                answer = send(app, method, path, body)
                content = json.loads(answer.body)
                self.assertEqual((answer.status, content["error"]), (400, "invalid_request"), content)
                self.assertIn(field, content["detail"])
        self.assertEqual(_content(store), before)

    def test_command_lines_are_refused_by_name(self) -> None:
        store = self.fresh()
        before = _content(store)
        for words, field in ON_COMMAND_LINE:
            with self.subTest(words=words):
                code, out, err = run_command("--store", store.path, *words)
                self.assertEqual((code, out), (2, ""), err)
                self.assertIn(field, err)
        self.assertEqual(_content(store), before)

    def test_bodies_of_another_type_are_refused(self) -> None:
        app = ManagementApp(self.fresh())
        for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = send(app, "POST", "/api/v1/users", None, Content_Type=media_type, Content_Length="2")
            self.assertEqual((answer.status, json.loads(answer.body)["error"]), (415, "unsupported_media_type"))
        self.assertEqual(send(app, "POST", "/api/v1/users", None, Content_Type="text/plain").status, 400)
        answer = send(app, "POST", "/api/v1/users", None, Content_Length="99999999")
        self.assertEqual((answer.status, json.loads(answer.body)["error"]), (413, "too_large"))

    def test_a_missing_store_is_said_and_not_made(self) -> None:
        path = os.path.join(self.fresh().folder, "nowhere", "store.json")
        code, _, err = run_command("--store", path, "--format", "table", "user", "create", "--email=a@example.com")
        self.assertEqual(code, 6, err)
        self.assertIn("generate-config", err)
        self.assertFalse(os.path.exists(os.path.dirname(path)))


if __name__ == "__main__":
    unittest.main()
