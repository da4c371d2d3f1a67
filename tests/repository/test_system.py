from __future__ import annotations

import json
import os
from typing import Any
from unittest import mock

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository import admin_keys, api_keys, configs, system
from secure_mcp_gateway.repository.restore import restore_store
from secure_mcp_gateway.store.document import TABLES, Draft
from tests.repository.fakes import NOW, RuleTest


class SystemTest(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.config_id = self.config()
        self.server(self.config_id, env={"TOKEN": "marked-token"})
        self.project_id = self.project("research", self.config_id)
        self.user_id = self.user("ada@example.com", self.project_id)
        self.made = self.key(self.user_id, self.project_id)
        self.admin = self.admin_key()


class Health(SystemTest):
    def test_of_a_sound_store(self) -> None:
        self.run_rule(api_keys.disable_api_key, api_key=self.made["api_key_id"])
        found = self.run_rule(system.check_health)
        counts = {"total_projects": 1, "total_users": 1, "total_configs": 1, "total_servers": 1}
        statistics = {**counts, "total_api_keys": 1, "disabled_api_keys": 1}
        expected = {"status": "healthy", "issues": [], "warnings": [], "statistics": statistics, "timestamp": NOW}
        self.assertEqual(found, expected)

    def issues(self) -> str:
        found = self.run_rule(system.check_health)
        self.assertEqual(found["status"], "unhealthy")
        return "; ".join(found["issues"])

    def test_tells_what_the_file_system_says(self) -> None:
        self.store.said = (["others can read it"], ["the disk is almost full"])
        self.assertIn("others can read it", self.issues())
        self.assertIn("the disk is almost full", self.run_rule(system.check_health)["warnings"])

    def test_finds_dangling_references(self) -> None:
        self.draft.replace("mcp_configs", {})
        self.assertIn("names a config that does not exist", self.issues())
        self.draft.replace("users", {})
        self.assertIn("names a user that does not exist", self.issues())
        self.draft.replace("projects", {})
        self.assertIn("names a project that does not exist", self.issues())

    def test_finds_duplicates(self) -> None:
        self.draft.put("users", "other", {"email": "ADA@example.com", "created_at": NOW})
        self.assertIn("ada@example.com", self.issues())

    def test_warns_of_servers_that_cannot_work(self) -> None:
        self.server(self.config_id, "odd", tool_guardrails_policy={"enabled": True})
        found = self.run_rule(system.check_health)
        self.assertEqual((found["status"], found["issues"]), ("healthy", []))
        self.assertIn("config 'tools': servers.odd.tool_guardrails_policy is enabled but", found["warnings"][0])

    def test_says_a_long_name_shortened_for_it_stands_in_every_warning(self) -> None:
        self.server(self.config_id, "odd", tool_guardrails_policy={"enabled": True})
        config = self.draft.get("mcp_configs", self.config_id) or {}
        self.draft.put("mcp_configs", self.config_id, {**config, "mcp_config_name": "y" * 100_000})
        self.assertLess(len(self.run_rule(system.check_health)["warnings"][0]), 400)

    def test_warns_of_keys_that_open_nothing(self) -> None:
        self.draft.replace("members", {})
        self.draft.replace("admin_keys", {})
        found = self.run_rule(system.check_health)
        self.assertEqual((found["status"], len(found["warnings"])), ("healthy", 2))
        self.assertIn(self.made["api_key_id"], found["warnings"][1])


class Audit(SystemTest):
    def test_passes_on_what_is_asked_for_and_pages(self) -> None:
        self.store.lines = [{"n": number} for number in (5, 4, 3, 2, 1)]
        listing = self.run_rule(system.audit, since="2026-01-31", actor="root", operation="config add", limit=2, offset=1)
        self.assertEqual((listing.rows, listing.total), ([{"n": 4}, {"n": 3}], 5))
        self.assertEqual(self.store.asked, {"since": "2026-01-31T00:00:00.000000+00:00", "actor": "root", "operation": "config add"})
        self.assertEqual(len(self.run_rule(system.audit).rows), 5)

    def test_takes_times_in_every_usual_form(self) -> None:
        for text in ("2026-01-31T08:00:00Z", "2026-01-31T09:00:00+01:00", "2026-01-31T09:00:00 01:00", "2026-01-31 08:00"):
            self.run_rule(system.audit, since=text)
            self.assertEqual(self.store.asked["since"], "2026-01-31T08:00:00.000000+00:00")
        for text in ("", "yesterday", "2026-13-01", "1"):
            self.assertIn("since must be", self.refused(InvalidRequest, system.audit, since=text))

    def test_verifies_the_chain(self) -> None:
        self.assertEqual(self.run_rule(system.audit, verify=True)["broken_line"], 4)


class Backup(SystemTest):
    def test_holds_everything_but_no_secret(self) -> None:
        made = self.run_rule(system.backup)
        self.assertEqual([made[field] for field in ("kind", "version", "format")], ["secure-mcp-gateway/backup", 1, 1])
        self.assertEqual((made["created_at"], made["generation"]), (NOW, 0))
        self.assertEqual({name: made[name] for name in TABLES}, system.tables_of(self.draft))
        text = json.dumps(made)
        self.assertNotIn(self.made["api_key"], text)
        self.assertNotIn(self.admin["admin_key_secret"], text)

    def test_comes_back_as_it_was(self) -> None:
        made: Any = json.loads(json.dumps(self.run_rule(system.backup)))
        before = self.content()
        self.run_rule(configs.rename_config, config_identifier="tools", new_name="other")
        self.key(self.user_id, self.project_id)
        restored = self.run_rule(restore_store, data={"message": "m", "data": {"output_file": None, "backup": made}, "timestamp": NOW})
        self.assertEqual((restored["configs"], restored["api_keys"], restored["warnings"]), (1, 1, []))
        self.assertEqual(self.content(), before)

    def test_with_something_that_no_backup_holds_is_refused_for_it_would_be_lost(self) -> None:
        made = {**self.run_rule(system.backup), "user": {}}
        self.assertIn("'user' is nothing that a backup holds", self.refused(InvalidRequest, restore_store, data=made))

    def test_with_many_admin_keys_whose_names_are_taken_looks_for_each_but_a_few_times(self) -> None:
        made: Any = json.loads(json.dumps(self.run_rule(system.backup)))
        (running,) = made["admin_keys"].values()
        stem, number = "n" * 90, 60
        names = [stem, *(f"{stem}-{each}" for each in range(2, number + 1))]
        made["admin_keys"] = {f"{at:064x}": {**running, "admin_key": f"adm_{at:016x}", "name": name} for at, name in enumerate(names)}
        self.run_rule(admin_keys.create_admin_key, name=stem)
        with mock.patch.object(Draft, "found", autospec=True, side_effect=Draft.found) as found:
            self.run_rule(restore_store, data=made, with_admin_keys=True)
        self.assertLess(found.call_count, 5 * number)
        self.assertEqual(len(self.draft.table("admin_keys")), number + 2)


class Reset(SystemTest):
    def test_needs_to_be_confirmed(self) -> None:
        for confirm in (None, False):
            self.assertIn("confirm must be true", self.refused(InvalidRequest, system.reset, confirm=confirm))

    def test_leaves_the_defaults_and_the_admin_keys(self) -> None:
        self.draft.settings = {"enkrypt_api_key": "x"}
        self.draft.safety_backup = "/backups/one.json"
        self.assertEqual(self.run_rule(system.reset, confirm=True), {"safety_backup": "/backups/one.json"})
        self.assertTrue(self.call_with(self.admin["admin_key_secret"]).caller.is_admin)
        statistics = self.run_rule(system.check_health)["statistics"]
        self.assertEqual((statistics["total_api_keys"], statistics["total_servers"], self.draft.settings), (0, 1, {}))
        made = self.key("default@example.com", "default_project")
        self.assertEqual(self.call_with(made["api_key"]).caller.name, "default@example.com")

    def test_makes_a_server_whose_files_are_there(self) -> None:
        self.run_rule(system.reset, confirm=True)
        (server,) = self.run_rule(configs.get_config, config_identifier="default_config")["mcp_config"]
        for path in (server["config"]["command"], *server["config"]["args"]):
            self.assertTrue(os.path.isfile(path), path)
        self.assertTrue(self.run_rule(configs.validate_config, config_identifier="default_config")["valid"])
