from __future__ import annotations

import json
from typing import Any

from secure_mcp_gateway.errors import Conflict, InvalidRequest
from secure_mcp_gateway.repository import configs, servers, tool_lists
from secure_mcp_gateway.repository.config_import import import_config
from tests.repository.fakes import RuleTest

MINIMAL = {"server_name": "files", "config": {"command": "run-files"}}
ENKRYPT = {
    "server_name": "echo",
    "config": {"command": "python", "args": ["x.py"], "cwd": "/srv"},
    "oauth_config": {"enabled": False},
    "tools": None,
    "denied_tools": ["rm"],
    "input_guardrails_config": {"enabled": True, "guardrail_name": "strict", "block": ["pii"]},
    "output_guardrails_config": {"enabled": False, "guardrail_name": None},
}


class ImportTest(RuleTest):
    def imported(self, data: Any, name: str = "new", **values: Any) -> Any:
        return self.run_rule(import_config, data=data, config_name=name, **values)

    def import_refused(self, data: Any, **values: Any) -> str:
        return self.refused(InvalidRequest, import_config, data=data, config_name="new", **values)

    def stored(self, name: str = "new") -> Any:
        return self.run_rule(configs.get_config, config_identifier=name)


class Name(str):
    compared = 0

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


class AnImport(ImportTest):
    def test_looks_up_each_tool_once_among_those_denied(self) -> None:
        tools = {Name(f"t{number}"): "" for number in range(50)}
        server = {"tools": tools, "denied_tools": [*(f"d{number}" for number in range(50)), "t7"]}
        self.assertEqual(tool_lists.contradictions(server, "s"), ["s.tools.t7 is allowed and denied: it is denied"])
        self.assertLess(Name.compared, 200)

    def test_of_our_own_export_comes_back_as_it_was(self) -> None:
        config = self.config()
        self.server(config, args=["-y"], tools={"a": "b"}, input_guardrails_policy={"enabled": True, "block": ["pii"]})
        self.server(config, "web", server_url="https://h.example/mcp", headers={"A": "b"})
        exported = json.loads(json.dumps(self.run_rule(configs.export_config, config_identifier="tools")))
        answered = {"output_file": None, "config": exported}
        for at, data in enumerate((exported, answered, {"message": "m", "data": answered, "timestamp": "t"}, {"data": exported})):
            made = self.imported(data, f"new{at}")
            self.assertEqual((made["config_name"], made["servers"], made["warnings"]), (f"new{at}", 2, []))
            stored = self.stored(f"new{at}")
            self.assertEqual((stored["mcp_config_id"], stored["mcp_config"]), (made["mcp_config_id"], exported["mcp_config"]))
            self.assertNotEqual(made["mcp_config_id"], config)

    def test_of_enkrypts_names_are_mapped_and_the_rest_is_kept(self) -> None:
        for data in ({"mcp_config_name": "theirs", "mcp_config": [ENKRYPT]}, [ENKRYPT]):
            made = self.imported(data, f"new{len(data)}{type(data).__name__}")
            self.assertIn("without a meaning here: oauth_config", made["warnings"][0])
            (server,) = self.stored(made["config_name"])["mcp_config"]
            self.assertEqual(server["input_guardrails_policy"], {"enabled": True, "policy_name": "strict", "block": ["pii"]})
            for policy in ("output_guardrails_policy", "tool_guardrails_policy"):
                self.assertEqual(server[policy], {"enabled": False})
            self.assertEqual(server["config"], {"command": "python", "args": ["x.py"], "cwd": "/srv", "env": {}})
            self.assertEqual((server["tools"], server["denied_tools"], server["oauth_config"]), ({}, ["rm"], {"enabled": False}))

    def test_keeps_further_fields_of_the_config_but_not_its_identity(self) -> None:
        document = {"mcp_config": [], "mcp_config_id": "x", "mcp_config_name": "y", "created_at": "z", "note": {"a": 1}}
        self.imported(document)
        stored = self.stored()
        self.assertEqual((stored["mcp_config_name"], stored["note"]), ("new", {"a": 1}))
        self.assertNotIn("x", stored["mcp_config_id"])
        self.assertNotEqual(stored["created_at"], "z")

    def test_refuses_further_fields_that_could_not_be_read_back(self) -> None:
        for depth, refused in ((48, False), (49, True), (94, True)):
            document = {"mcp_config": [], "note": json.loads("[" * depth + "1" + "]" * depth)}
            if refused:
                self.assertIn("note is nested deeper than 48 levels", self.import_refused(document))
            else:
                self.imported(document, f"new{depth}")

    def test_run_dry_changes_nothing_and_refuses_the_same(self) -> None:
        before = self.content()
        result = {"mcp_config_id": None, "config_name": "new", "servers": 1, "warnings": []}
        self.assertEqual(self.imported([MINIMAL], dry_run=True), result)
        self.assertEqual(self.content(), before)
        self.import_refused([{}], dry_run=True)
        self.config("new")
        for dry_run in (True, False, None):
            self.refused(Conflict, import_config, data=[MINIMAL], config_name="new", dry_run=dry_run)

    def test_hands_a_common_policy_to_each_server(self) -> None:
        overrides = {"server_tools_guardrails_config": {"enabled": True, "guardrail_name": "common", "block": ["pii"]}}
        self.imported({"mcp_config": [MINIMAL], "common_overrides": overrides})
        server = self.run_rule(servers.get_server, config_identifier="new", server_name=MINIMAL["server_name"])
        self.assertEqual(server["tool_guardrails_policy"], {"enabled": True, "policy_name": "common", "block": ["pii"]})

    def test_warns_of_what_cannot_be_meant(self) -> None:
        made = self.imported([{**MINIMAL, "tools": {"rm": ""}, "denied_tools": ["rm"]}])
        self.assertIn("mcp_config[0].tools.rm is allowed and denied", made["warnings"][0])
        self.assertEqual(self.run_rule(servers.list_servers, config_identifier="new").total, 1)


class ARefusal(ImportTest):
    def test_lists_every_problem_at_once_and_quotes_nothing(self) -> None:
        data = [
            "marked-1",
            {"server_name": "marked 2", "config": {"command": "x", "url": "http://marked-3"}},
            {"server_name": "a", "config": {}, "tools": [], "description": 3, "input_guardrails_policy": {"policy_name": "marked-4"}},
            {"server_name": "a", "config": {"command": "x", "args": [1], "env": {"A": "marked-5\x00"}}},
            {"config": {"command": "x"}},
        ]
        told = self.import_refused(data)
        for part in (
            "mcp_config[0] must be an object",
            "mcp_config[1].server_name must be 1 to 64",
            "mcp_config[1].config must have a command or a url, not both",
            "mcp_config[2].config must have a command or a url",
            "mcp_config[2].tools must be an object",
            "mcp_config[2].description must be a string",
            "mcp_config[2].input_guardrails_policy.enabled must be true or false",
            "mcp_config[3].config.args[0] must be a string",
            "mcp_config[3].config.env.A must not hold a NUL",
            "mcp_config[3].server_name is the name of mcp_config[2] too",
            "mcp_config[4].server_name must be a string",
        ):
            self.assertIn(part, told)
        self.assertNotIn("marked", told)

    def test_of_what_is_no_config(self) -> None:
        cases: tuple[tuple[Any, str], ...] = (
            ({"kind": "secure-mcp-gateway/backup", "mcp_config": []}, "export of another kind"),
            ({"kind": "secure-mcp-gateway/config", "version": 2, "mcp_config": []}, "version"),
            ({}, "data.mcp_config must be a list"),
            ({"mcp_configs": {}}, "data.mcp_config must be a list"),
            ({"mcp_config": {}}, "data.mcp_config must be a list"),
            ({"output_file": "/x", "config": None}, "no config"),
        )
        for data, expected in cases:
            with self.subTest(data=data):
                self.assertIn(expected, self.import_refused(data))

    def test_of_a_restriction_that_cannot_be_kept_names_it(self) -> None:
        overrides = {"prompt_guardrails_config": {"enabled": True}}
        cases: tuple[tuple[Any, str], ...] = (
            ([{**MINIMAL, "disabled": True}], "mcp_config[0].disabled"),
            ([{**MINIMAL, "allowed_users": ["a"]}], "mcp_config[0].allowed_users"),
            ([{**MINIMAL, "tools": {"t": {"blocked": True}}}], "mcp_config[0].tools.t.blocked"),
            ([{**MINIMAL, "tools": {"t": {"enable": False, "is_on": False, "scopes": ["x"]}}}], "mcp_config[0].tools.t.scopes"),
            ({"mcp_config": [], "common_overrides": overrides}, "common_overrides.prompt_guardrails_config"),
            ({"mcp_config": [], "disabled": True}, "data.disabled"),
        )
        for data, expected in cases:
            with self.subTest(data=data):
                self.assertIn(expected + " is a restriction that cannot be kept", self.import_refused(data))

    def test_of_a_tool_that_a_mistyped_field_was_to_deny(self) -> None:
        for field in ("enable", "enabeld", "enabld", "Enabled", "ENABLE", "enabledd"):
            told = self.import_refused([{**MINIMAL, "tools": {"t": {field: False}}}])
            self.assertIn(f"tools.t.{field} has no meaning here", told)
        kept = {"enabled_by": False, "enable": True, "label": "no", "inputSchema": {}, "annotations": {"readOnlyHint": True}}
        self.assertEqual(self.imported([{**MINIMAL, "tools": {"t": kept}}])["warnings"], [])
        self.assertEqual(self.stored()["mcp_config"][0]["tools"], {"t": kept})

    def test_of_very_much_is_told_within_bounds(self) -> None:
        long = [{**MINIMAL, "tools": {"t" * 10_000: {f"limit_{number}": 1 for number in range(50)}}}]
        self.assertLess(len(self.import_refused(long)), 20_000)
        told = self.import_refused([0] * 1234)
        self.assertIn("mcp_config[999] must be an object; and 234 more", told)

    def test_of_a_bad_name(self) -> None:
        self.assertIn("config_name", self.refused(InvalidRequest, import_config, data=[MINIMAL], config_name=" x"))
