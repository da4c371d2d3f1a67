from __future__ import annotations

from typing import Any

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound
from secure_mcp_gateway.repository import configs, servers
from tests.repository.fakes import NOW, RuleTest

LATER = "2026-03-05T00:00:00.000000+00:00"
OFF = {"enabled": False}
POLICY = {"enabled": True, "policy_name": "strict", "block": ["pii"], "additional_config": {"pii_redaction": True}, "note": [1]}


class ServerTest(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.config_id = self.config("tools")

    def get(self, name: str = "files") -> Any:
        return self.run_rule(servers.get_server, config_identifier="tools", server_name=name)

    def update(self, **fields: Any) -> Any:
        return self.run_rule(servers.update_server, config_identifier="tools", server_name="files", **fields)

    def update_refused(self, error: Any, **fields: Any) -> str:
        return self.refused(error, servers.update_server, config_identifier="tools", server_name="files", **fields)

    def add_refused(self, error: Any, name: str = "files", **fields: Any) -> str:
        return self.refused(error, servers.add_server, config_identifier="tools", server_name=name, **fields)


class Adding(ServerTest):
    def test_a_command_server(self) -> None:
        made = self.server(self.config_id, args=["-y"], env={"A": "b"}, tools={"t": "x"}, denied_tools=["rm"], description="d")
        expected = {
            "server_name": "files",
            "description": "d",
            "config": {"command": "run-files", "args": ["-y"], "env": {"A": "b"}},
            "tools": {"t": "x"},
            "denied_tools": ["rm"],
            "input_guardrails_policy": OFF,
            "output_guardrails_policy": OFF,
            "tool_guardrails_policy": OFF,
        }
        self.assertEqual(made, expected)
        self.assertEqual(self.get(), expected)

    def test_a_url_server_with_policies(self) -> None:
        made = self.server(self.config_id, server_url="https://h.example:8443/mcp", headers={"X-A": "b"}, tool_guardrails_policy=POLICY)
        self.assertEqual(made["config"], {"url": "https://h.example:8443/mcp", "headers": {"X-A": "b"}})
        self.assertEqual(made["tool_guardrails_policy"], POLICY)

    def test_a_null_option_of_a_policy_was_not_given(self) -> None:
        made = self.server(self.config_id, input_guardrails_policy={"enabled": True, "policy_name": None, "block": None, "extra": None})
        self.assertEqual(made["input_guardrails_policy"], {"enabled": True, "extra": None})

    def test_changes_the_time_of_the_config(self) -> None:
        self.later(LATER)
        self.server(self.config_id)
        shown = self.run_rule(configs.get_config, config_identifier="tools")
        self.assertEqual((shown["created_at"], shown["updated_at"]), (NOW, LATER))

    def test_is_refused_a_taken_name_an_unknown_config_and_a_bad_name(self) -> None:
        self.server(self.config_id)
        self.assertIn("'files'", self.add_refused(Conflict, server_command="x"))
        self.refused(NotFound, servers.add_server, config_identifier="other", server_name="x", server_command="x")
        self.assertIn("server_name", self.add_refused(InvalidRequest, "_x", server_command="x"))

    def test_references_are_stored_as_they_are_written(self) -> None:
        references = {"A": "${env:TOKEN}", "B": "Bearer ${file:/run/secrets/b}"}
        url = "https://${env:HOST}:${env:PORT}/mcp?key=${file:/run/key}"
        self.assertEqual(self.server(self.config_id, "one", server_command="${env:BIN}/x", env=references)["config"]["env"], references)
        config = self.server(self.config_id, "two", server_command=None, server_url=url, headers=references)["config"]
        self.assertEqual(config, {"url": url, "headers": references})

    def test_refusals_name_the_field(self) -> None:
        command, url = {"server_command": "x"}, {"server_url": "http://h"}
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({}, "server_command or server_url must be given"),
            ({**command, **url}, "server_command and server_url exclude each other"),
            ({"server_command": ""}, "server_command must not be empty"),
            ({"server_command": " "}, "server_command must not be empty"),
            ({"server_command": "a\nb"}, "server_command must not hold control"),
            *(({"server_url": bad}, "server_url must be an http") for bad in ("", "h", "ftp://h", "http://", "http:///x", "//h")),
            *(({"server_url": bad}, "server_url must be an http") for bad in ("http://[x", "http://h:99999", "http://h:x", "${env:URL}")),
            *(({"server_url": bad}, "server_url must not hold blanks") for bad in ("http://h/a b", "http://h\n", " http://h")),
            ({"server_url": "http://h\u00a0"}, "server_url must not hold blanks"),
            ({**command, "args": ["a", 2]}, "args[1] must be a string"),
            ({**command, "args": ["a", "b\x00"]}, "args[1] must not hold a NUL"),
            ({**command, "env": {"": "x"}}, "env must have names"),
            ({**command, "env": {"A=B": "x"}}, "env must have names"),
            ({**command, "env": {"A": "secret\x00"}}, "env.A must not hold a NUL"),
            ({**command, "env": {"A": 1}}, "env.A must be a string"),
            ({**url, "headers": {"A b": "x"}}, "headers must have names"),
            ({**url, "headers": {"": "x"}}, "headers must have names"),
            ({**url, "headers": {"A": "secret\r\nB: c"}}, "headers.A must not hold a line break"),
            ({**command, "headers": {"A": "x"}}, "headers goes with a URL, and this server has a command"),
            ({**url, "args": ["x"]}, "args goes with a command, and this server has a URL"),
            ({**url, "env": {"A": "x"}}, "env goes with a command"),
            ({**command, "tools": {"t": 1}}, "tools.t must be a description or an object"),
            ({**command, "tools": {"t": {"enabled": "no"}}}, "tools.t.enabled must be true or false"),
            ({**command, "denied_tools": ["a", None]}, "denied_tools[1] must be a string"),
        )
        for fields, expected in cases:
            with self.subTest(fields=fields):
                told = self.add_refused(InvalidRequest, **fields)
                self.assertIn(expected, told)
                self.assertNotIn("secret", told)

    def test_refusals_of_policies_name_the_path(self) -> None:
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({}, ".enabled must be true or false"),
            ({"enabled": "yes"}, ".enabled must be true or false"),
            ({"enabled": None}, ".enabled must be true or false"),
            ({"enabled": True, "policy_name": 1}, ".policy_name must be a string"),
            ({"enabled": True, "block": ["a", 1]}, ".block[1] must be a string"),
            ({"enabled": True, "block": "a"}, ".block must be a list of strings"),
            ({"enabled": True, "additional_config": []}, ".additional_config must be an object"),
        )
        for policy, expected in cases:
            with self.subTest(policy=policy):
                told = self.add_refused(InvalidRequest, server_command="x", input_guardrails_policy=policy)
                self.assertIn("input_guardrails_policy" + expected, told)

    def test_a_tool_that_was_meant_to_be_denied_is_not_stored_as_allowed(self) -> None:
        said = self.add_refused(InvalidRequest, server_command="x", tools={"ls": "Lists", "rm": {"enable": False}})
        self.assertIn("tools.rm.enable has no meaning here, so the tool is allowed: did you mean enabled?", said)
        said = self.add_refused(InvalidRequest, server_command="x", tools={"rm": {"disabled": True}})
        self.assertIn("tools.rm.disabled is a restriction", said)
        kept = {"ls": {"enabled": True, "inputSchema": {}, "note": 1}, "rm": {"enabled": False, "enable": False}}
        self.assertEqual(self.server(self.config_id, tools=kept)["tools"], kept)
        self.assertIn("tools.rm.enable", self.update_refused(InvalidRequest, tools={"rm": {"enable": False}}))
        self.assertIn("denied_tools: the name ' mv' must not", self.update_refused(InvalidRequest, denied_tools=["rm", " mv"]))

    def test_what_is_empty_may_be_given_to_either_kind(self) -> None:
        self.assertEqual(self.server(self.config_id, "a", headers={})["config"], {"command": "run-files", "args": [], "env": {}})
        made = self.server(self.config_id, "b", server_url="http://h", args=[], env={})
        self.assertEqual(made["config"], {"url": "http://h", "headers": {}})


class Updating(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        given = {"args": ["-y"], "env": {"A": "b"}, "tools": {"t": "x"}, "denied_tools": ["rm"], "description": "d"}
        self.server(self.config_id, **given, input_guardrails_policy=POLICY)

    def test_what_is_not_named_stays(self) -> None:
        before = self.get()
        for field, value in (("description", "new"), ("tools", {"u": ""}), ("denied_tools", ["x"])):
            self.assertEqual(self.update(**{field: value}), {**before, field: value})
            before = self.get()
        self.assertEqual(self.update(args=["-n"])["config"], {"command": "run-files", "args": ["-n"], "env": {"A": "b"}})
        self.assertEqual(self.update(server_command="other")["config"], {"command": "other", "args": ["-n"], "env": {"A": "b"}})

    def test_empty_values_clear(self) -> None:
        cleared = self.update(args=[], env={}, tools={}, denied_tools=[], description="")
        self.assertEqual((cleared["config"], cleared["tools"]), ({"command": "run-files", "args": [], "env": {}}, {}))
        self.assertEqual((cleared["denied_tools"], cleared["description"]), ([], ""))
        self.assertEqual(cleared["input_guardrails_policy"], POLICY)

    def test_a_url_replaces_a_command_and_the_reverse(self) -> None:
        self.assertEqual(self.update(server_url="http://h", headers={"A": "b"})["config"], {"url": "http://h", "headers": {"A": "b"}})
        self.assertEqual(self.update(server_command="x")["config"], {"command": "x", "args": [], "env": {}})

    def test_further_fields_survive(self) -> None:
        server = {"server_name": "old", "config": {"command": "x", "cwd": "/tmp"}, "oauth_config": {"a": 1}, "timeout_s": 3}
        self.draft.put("mcp_configs", self.config_id, {"mcp_config_name": "tools", "mcp_config": [server], "created_at": NOW, "kept": True})
        made = self.run_rule(servers.update_server, config_identifier="tools", server_name="old", args=["a"], new_server_name="new")
        self.assertEqual((made["oauth_config"], made["timeout_s"], made["config"]["cwd"]), ({"a": 1}, 3, "/tmp"))
        self.assertIs(self.run_rule(configs.get_config, config_identifier="tools")["kept"], True)

    def test_a_new_name(self) -> None:
        self.server(self.config_id, "other")
        self.assertEqual(self.update(new_server_name="files")["server_name"], "files")
        self.assertIn("'other'", self.update_refused(Conflict, new_server_name="other"))
        self.assertIn("new_server_name", self.update_refused(InvalidRequest, new_server_name="a b"))
        self.assertEqual(self.update(new_server_name="renamed")["server_name"], "renamed")
        listing = self.run_rule(servers.list_servers, config_identifier="tools")
        self.assertEqual([row["server_name"] for row in listing.rows], ["renamed", "other"])

    def test_is_refused(self) -> None:
        self.assertIn("at least one of new_server_name", self.update_refused(InvalidRequest))
        self.assertIn("headers goes with a URL", self.update_refused(InvalidRequest, headers={"A": "b"}))
        self.assertIn("args goes with a command", self.update_refused(InvalidRequest, server_url="http://h", args=["x"]))
        self.assertIn("exclude", self.update_refused(InvalidRequest, server_url="http://h", server_command="x"))
        told = self.refused(NotFound, servers.update_server, config_identifier="tools", server_name="file", description="")
        self.assertIn("no server called 'file'; did you mean 'files'?", told)


class Removing(ServerTest):
    def test_one_and_all(self) -> None:
        for name in ("a", "b", "c"):
            self.server(self.config_id, name)
        self.assertIsNone(self.run_rule(servers.remove_server, config_identifier="tools", server_name="b"))
        self.refused(NotFound, servers.remove_server, config_identifier="tools", server_name="b")
        self.assertEqual(self.run_rule(servers.remove_all_servers, config_identifier="tools"), {"removed": 2})
        self.assertEqual(self.run_rule(servers.remove_all_servers, config_identifier="tools"), {"removed": 0})
        self.refused(NotFound, servers.remove_all_servers, config_identifier="other")


class Reading(ServerTest):
    def test_the_list_counts_tools_and_says_what_is_enabled(self) -> None:
        self.server(self.config_id, args=["-y"], tools={"a": "", "b": ""}, input_guardrails_policy=POLICY)
        self.server(self.config_id, "web", server_url="http://h/x")
        first, second = self.run_rule(servers.list_servers, config_identifier="tools").rows
        named = {"server_name": "files", "description": "", "command": "run-files", "args": ["-y"], "url": None, "tools": 2}
        self.assertEqual(first, {**named, "input_guardrails_enabled": True, "output_guardrails_enabled": False})
        self.assertEqual((second["command"], second["args"], second["url"]), (None, [], "http://h/x"))
        page = self.run_rule(servers.list_servers, config_identifier="tools", limit=1, offset=1)
        self.assertEqual((page.rows, page.total), ([second], 2))

    def test_what_is_not_there_is_said(self) -> None:
        self.refused(NotFound, servers.get_server, config_identifier="tools", server_name="files")
        self.refused(NotFound, servers.list_servers, config_identifier="other")


class Policies(ServerTest):
    RULES = {
        "input_guardrails_policy": servers.set_input_policy,
        "output_guardrails_policy": servers.set_output_policy,
        "tool_guardrails_policy": servers.set_tool_policy,
    }

    def test_each_is_set_alone(self) -> None:
        self.server(self.config_id)
        for field, rule in self.RULES.items():
            before = self.get()
            self.assertEqual(self.run_rule(rule, config_identifier="tools", server_name="files", policy=POLICY), POLICY)
            self.assertEqual(self.get(), {**before, field: POLICY})

    def test_each_is_refused(self) -> None:
        self.server(self.config_id)
        for rule in self.RULES.values():
            given = {"config_identifier": "tools", "server_name": "files"}
            self.assertIn("policy.enabled", self.refused(InvalidRequest, rule, **given, policy={"block": []}))
            self.refused(NotFound, rule, **{**given, "server_name": "other"}, policy=OFF)
            self.refused(NotFound, rule, **{**given, "config_identifier": "other"}, policy=OFF)

    def test_two_are_set_together_or_not_at_all(self) -> None:
        self.server(self.config_id)
        given: dict[str, Any] = {"config_identifier": "tools", "server_name": "files"}
        told = self.refused(InvalidRequest, servers.set_policies, **given, input_policy=POLICY, output_policy={"enabled": 1})
        self.assertIn("output_policy.enabled", told)
        self.assertIn("no policy is given", self.refused(InvalidRequest, servers.set_policies, **given))
        self.refused(NotFound, servers.set_policies, config_identifier="tools", server_name="x", input_policy=OFF)
        result = self.run_rule(servers.set_policies, **given, output_policy=POLICY)
        self.assertEqual(result, {"input_guardrails_policy": OFF, "output_guardrails_policy": POLICY})
        result = self.run_rule(servers.set_policies, **given, input_policy=POLICY, output_policy=OFF)
        self.assertEqual(result, {"input_guardrails_policy": POLICY, "output_guardrails_policy": OFF})
