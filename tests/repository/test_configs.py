from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound
from secure_mcp_gateway.repository import configs, projects, servers
from tests.repository.fakes import NOBODY, NOW, RuleTest

LATER = "2026-03-05T00:00:00.000000+00:00"


class AConfig(RuleTest):
    def test_is_made_under_a_free_name(self) -> None:
        made = self.run_rule(configs.add_config, config_name="Gru\u0308n")
        self.assertEqual(made, {"mcp_config_id": made["config_id"], "config_id": made["config_id"], "config_name": "Grün"})
        self.assertEqual(self.draft.names, {"mcp_config_id": made["config_id"], "config_name": "Grün"})
        shown = self.run_rule(configs.get_config, config_identifier="Grün")
        times = {"created_at": NOW, "updated_at": NOW}
        self.assertEqual(shown, {"mcp_config_id": made["config_id"], "mcp_config_name": "Grün", "mcp_config": [], **times})

    def test_is_refused_a_taken_or_bad_name(self) -> None:
        self.config("Grün")
        self.assertIn("'Grün'", self.refused(Conflict, configs.add_config, config_name="Gru\u0308n"))
        self.assertIn("config_name", self.refused(InvalidRequest, configs.add_config, config_name=" "))

    def test_is_renamed(self) -> None:
        config = self.config()
        self.server(config)
        self.later(LATER)
        self.assertEqual(
            self.run_rule(configs.rename_config, config_identifier="tools", new_name="new"), {"mcp_config_id": config, "config_name": "new"}
        )
        shown = self.run_rule(configs.get_config, config_identifier="new")
        self.assertEqual((shown["created_at"], shown["updated_at"], len(shown["mcp_config"])), (NOW, LATER, 1))
        self.refused(NotFound, configs.get_config, config_identifier="tools")

    def test_rename_to_a_taken_name_changes_nothing(self) -> None:
        self.config("one")
        self.config("two")
        self.refused(Conflict, configs.rename_config, config_identifier="one", new_name="two")
        self.refused(NotFound, configs.rename_config, config_identifier="three", new_name="two")
        self.assertIn("new_name", self.refused(InvalidRequest, configs.rename_config, config_identifier="three", new_name=".."))

    def test_may_be_given_its_own_name_again(self) -> None:
        self.config("one")
        self.assertEqual(self.run_rule(configs.rename_config, config_identifier="one", new_name="one")["config_name"], "one")

    def test_is_copied_with_its_servers(self) -> None:
        source = self.config("one")
        self.server(source, env={"A": "b"})
        made = self.run_rule(configs.copy_config, source_config="one", target_config="two")
        self.assertEqual(made, {"mcp_config_id": made["mcp_config_id"], "config_name": "two"})
        self.assertNotEqual(made["mcp_config_id"], source)
        self.run_rule(servers.update_server, config_identifier="two", server_name="files", env={"A": "c"})
        self.assertEqual(self.run_rule(servers.get_server, config_identifier="one", server_name="files")["config"]["env"], {"A": "b"})

    def test_copy_is_refused(self) -> None:
        self.config("one")
        self.config("two")
        self.refused(NotFound, configs.copy_config, source_config="three", target_config="four")
        self.refused(Conflict, configs.copy_config, source_config="one", target_config="two")
        self.assertIn("target_config", self.refused(InvalidRequest, configs.copy_config, source_config="three", target_config=NOBODY))

    def test_is_removed_unless_a_project_uses_it(self) -> None:
        config = self.config()
        self.project("research", config)
        self.project("sales", config)
        told = self.refused(Conflict, configs.remove_config, config_identifier="tools")
        self.assertIn("'research', 'sales'", told)
        for name in ("research", "sales"):
            self.run_rule(projects.unassign_config, project_identifier=name)
        self.assertIsNone(self.run_rule(configs.remove_config, config_identifier="tools"))
        self.refused(NotFound, configs.remove_config, config_identifier=config)

    def test_is_exported_as_a_document_of_its_kind(self) -> None:
        config = self.config()
        server = self.server(config, headers={"X": "y"}, server_url="https://h.example/mcp", server_command=None)
        exported = self.run_rule(configs.export_config, config_identifier="tools")
        self.assertEqual((exported["kind"], exported["version"]), ("secure-mcp-gateway/config", 1))
        self.assertEqual((exported["mcp_config_id"], exported["mcp_config_name"], exported["mcp_config"]), (config, "tools", [server]))
        self.refused(NotFound, configs.export_config, config_identifier="other")


class Lists(RuleTest):
    def test_of_configs_name_their_projects(self) -> None:
        first, second = self.config("one"), self.config("two")
        self.server(first)
        project = self.project("research", first)
        listing = self.run_rule(configs.list_configs)
        self.assertEqual(listing.total, 2)
        self.assertEqual(
            listing.rows,
            [
                {
                    "mcp_config_id": first,
                    "mcp_config_name": "one",
                    "servers": 1,
                    "used_by_projects": [{"project_id": project, "project_name": "research"}],
                },
                {"mcp_config_id": second, "mcp_config_name": "two", "servers": 0, "used_by_projects": []},
            ],
        )

    def test_are_paged(self) -> None:
        ids = [self.config(f"c{at}") for at in range(5)]
        for limit, offset, expected in ((2, 0, ids[:2]), (2, 3, ids[3:]), (None, 4, ids[4:]), (0, 0, []), (9, 9, [])):
            listing = self.run_rule(configs.list_configs, limit=limit, offset=offset)
            self.assertEqual(([row["mcp_config_id"] for row in listing.rows], listing.total), (expected, 5))

    def test_of_a_configs_projects_count_users(self) -> None:
        config = self.config()
        project = self.project("research", config)
        self.user("ada@example.com", project)
        listing = self.run_rule(configs.list_config_projects, config_identifier="tools")
        self.assertEqual(listing.rows, [{"project_id": project, "project_name": "research", "users": 1}])
        self.refused(NotFound, configs.list_config_projects, config_identifier="other")

    def test_search_finds_names_of_configs_and_servers(self) -> None:
        first, second = self.config("Straße"), self.config("two")
        self.server(second, "strasse-files")
        self.config("three")
        listing = self.run_rule(configs.search_configs, search_term="STRASSE")
        expected = [(first, "config_name", 0), (second, "server_name", 1)]
        self.assertEqual([(row["mcp_config_id"], row["match_type"], row["servers"]) for row in listing.rows], expected)
        self.assertEqual(self.run_rule(configs.search_configs, search_term="nothing").rows, [])
        self.assertIn("search_term", self.refused(InvalidRequest, configs.search_configs, search_term=""))


class Validation(RuleTest):
    def issues(self) -> str:
        found = self.run_rule(configs.validate_config, config_identifier="tools")
        self.assertEqual(found["valid"], not found["issues"])
        return "; ".join(found["issues"])

    def test_an_empty_config_and_a_sound_one_are_valid(self) -> None:
        config = self.config()
        self.assertEqual(self.issues(), "")
        self.server(config, tools={"a": "", "b": {"enabled": False}}, denied_tools=["b"])
        self.assertEqual(self.issues(), "")

    def test_a_policy_that_names_nothing_is_an_issue(self) -> None:
        self.server(self.config(), output_guardrails_policy={"enabled": True})
        self.assertIn("servers.files.output_guardrails_policy is enabled but", self.issues())

    def test_an_option_of_a_policy_that_is_mistyped_is_an_issue(self) -> None:
        policy = {"enabled": True, "policy_name": "strict", "blok": ["pii"], "owner": "ada"}
        self.server(self.config(), input_guardrails_policy=policy)
        self.assertEqual(self.issues(), "servers.files.input_guardrails_policy.blok has no meaning here: did you mean block?")

    def test_what_an_old_tool_was_meant_to_be_denied_by_is_an_issue(self) -> None:
        tools = {"rm": {"enable": False}, "mv": {"disabled": True}, "ls": {"Enabled": "off", "enabled": False}, "cat": {"note": "x"}}
        old = {"server_name": "a", "config": {"command": "x"}, "tools": tools}
        self.draft.put("mcp_configs", self.config(), {"mcp_config_name": "tools", "mcp_config": [old], "created_at": NOW})
        mistyped, state = self.issues().split("; ", 1)
        self.assertEqual(mistyped, "servers.a.tools.rm.enable has no meaning here, so the tool is allowed: did you mean enabled?")
        self.assertIn("servers.a.tools.mv.disabled is a restriction that cannot be kept here", state)
        self.assertNotIn("servers.a", state.partition("mv.disabled")[2])

    def test_a_list_of_tools_that_does_not_do_what_it_says_is_an_issue(self) -> None:
        self.server(self.config(), denied_tools=["rm*"])
        self.assertIn("servers.files.denied_tools: rm* denies a tool of exactly that name", self.issues())

    def test_a_tool_that_is_allowed_and_denied_is_none_for_it_is_denied(self) -> None:
        self.server(self.config(), tools={"rm": ""}, denied_tools=["rm"])
        self.assertEqual(self.issues(), "")

    def test_old_servers_that_cannot_work_are_issues(self) -> None:
        config = self.config()
        old = [{"server_name": "a", "config": {}}, {"server_name": "a", "config": {"command": "x", "args": [1]}}]
        self.draft.put("mcp_configs", config, {"mcp_config_name": "tools", "mcp_config": old, "created_at": NOW})
        issues = self.issues()
        for part in ("a.config must have a command or a url", "servers.a.config.args[0] must be a string", "servers.a is there twice"):
            self.assertIn(part, issues)

    def test_of_a_config_that_is_not_there_is_refused(self) -> None:
        self.refused(NotFound, configs.validate_config, config_identifier="tools")
