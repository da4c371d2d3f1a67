"""``apply`` and ``system export-desired`` as they are typed: what is said before and after, and what is left alone."""

from __future__ import annotations

import json
import os
import stat
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.cli import apply
from secure_mcp_gateway.store.store import Store
from tests.support import Ran, StoreCase
from tests.surfaces import send

SERVER = {"server_name": "files", "config": {"command": "npx", "env": {"TOKEN": "marked-secret"}}}


class ApplyCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.desired = {
            "kind": "secure-mcp-gateway/desired",
            "version": 1,
            "configs": [{"name": "research", "servers": [SERVER]}],
            "projects": [{"name": "research", "config": "research", "users": ["ada@example.com"]}],
            "users": ["ada@example.com"],
        }

    def given(self) -> str:
        return self.write("desired.json", self.desired)

    def people(self, *flags: str, code: int = 0) -> Ran:
        ran = self.run_table("apply", "--file", self.given(), *flags)
        self.assertEqual(ran.code, code, ran.err)
        return ran

    def state(self) -> Any:
        """Of everything in the store's folder, so that a rewrite of the same shows too."""
        paths = sorted(path for path in Path(self.path("s")).rglob("*") if path.is_file())
        return [(str(path), os.stat(path).st_ino, os.stat(path).st_mtime_ns, path.read_bytes()) for path in paths]


class WhatIsSaid(ApplyCase):
    ADDED = [
        "+ config research",
        "+ server files in config research",
        "+ project research (config research)",
        "+ member ada@example.com in project research",
        "+ user ada@example.com",
    ]

    def test_the_difference_is_standard_output_and_the_counts_are_beside_it(self) -> None:
        before = self.state()
        dry = self.people("--dry-run")
        self.assertEqual(dry.out.splitlines(), self.ADDED)
        self.assertEqual(dry.err, "5 to create, 0 to change, 0 to remove; nothing was changed: this was a dry run\n")
        self.assertEqual(self.state(), before)
        done = self.people()
        self.assertEqual((done.out, done.err), (dry.out, "5 created, 0 changed, 0 removed\n"))
        self.assertEqual(len(self.done("config", "list")), 2)

    def test_changes_name_fields_and_never_values(self) -> None:
        self.people()
        changed = {"server_name": "files", "config": {"command": "npx", "args": ["-y"], "env": {"TOKEN": "remarked-secret"}}}
        self.desired["configs"] = [{"name": "research", "servers": [changed], "further": {"\x1b[31mnote": 1}}]
        self.desired["projects"] = [{"name": "research", "config": "default_config"}]
        ran = self.people()
        self.assertEqual(
            ran.out.splitlines(),
            [
                "~ config research: further.\\x1b[31mnote",
                "~ server files in config research: args, env.TOKEN",
                "~ project research: config (default_config from now on)",
            ],
        )
        self.assertNotIn("marked", ran.out + ran.err)

    def test_what_goes_is_named_with_what_it_takes_along(self) -> None:
        self.people()
        self.done("user", "generate-api-key", "--email=ada@example.com", "--project-name=research")
        self.desired.update(configs=[], projects=[], users=["ada@example.com"])
        ran = self.people("--prune")
        self.assertEqual(
            ran.out.splitlines(),
            [
                "- config default_config (1 server)",
                "- config research (1 server)",
                "- project default_project (1 member, 1 API key)",
                "- project research (1 member, 1 API key)",
                "- user default@example.com",
            ],
        )
        said, counts = ran.err.splitlines()
        self.assertEqual(counts, "0 created, 0 changed, 5 removed, 2 API keys deleted with that")
        (backup,) = os.listdir(self.path("s", "backups"))
        self.assertEqual(said, f"The store as it was before: {self.path('s', 'backups', backup)}")
        self.assertEqual(len(json.loads(Path(self.path("s", "backups", backup)).read_bytes())["apikeys"]), 2)

    def test_json_is_one_document(self) -> None:
        made = self.done("apply", "--file", self.given())
        self.assertEqual(sorted(made), ["api_keys_deleted", "changed", "changes", "created", "removed", "safety_backup", "warnings"])
        self.assertEqual(made["changes"][1], {**made["changes"][1], "action": "create", "kind": "server", "config": "research"})

    def test_quiet_leaves_the_difference_alone(self) -> None:
        ran = self.people("--quiet")
        self.assertEqual((ran.out.splitlines(), ran.err), (self.ADDED, ""))

    def test_warnings_are_said(self) -> None:
        self.desired["configs"] = [{"name": "research", "servers": [{**SERVER, "input_guardrails_policy": {"enabled": True}}]}]
        self.assertIn("warning: configs[0].servers[0].input_guardrails_policy is enabled but", self.people("--dry-run").err)

    def test_a_store_that_changed_after_it_was_shown_is_left_as_it_is(self) -> None:
        show = apply._show

        def meanwhile(*shown: Any) -> None:
            show(*shown)
            self.done("user", "create", "--email=ada@example.com")

        with mock.patch.object(apply, "_show", meanwhile):
            ran = self.people(code=4)
        self.assertIn("the store was changed meanwhile", ran.err)
        self.assertEqual((len(self.done("config", "list")), self.audited("apply")), (1, ["conflict"]))
        self.assertNotIn("+ user ada@example.com", self.people().out)

    def test_a_change_that_does_not_matter_to_it_does_not_stop_it(self) -> None:
        show = apply._show

        def meanwhile(*shown: Any) -> None:
            show(*shown)
            self.done("user", "create", "--email=bob@example.com")

        with mock.patch.object(apply, "_show", meanwhile):
            self.people()
        self.assertEqual(self.audited("apply"), ["ok"])


class WhatIsLeftAlone(ApplyCase):
    def test_applied_again_nothing_is_written_at_all(self) -> None:
        self.people()
        before = self.state()
        for ran in (self.people(), self.run_json("apply", "--file", self.given()), self.people("--dry-run")):
            self.assertEqual((ran.code, ran.err), (0, "Nothing to change\n"))
        self.assertEqual(self.state(), before)

    def test_a_refusal_lists_all_problems_is_audited_and_changes_nothing(self) -> None:
        before = self.done("system", "backup")["backup"]
        self.desired.update(users=["x", "y"], project=[])
        detail = self.refused(2, "apply", "--file", self.given())
        for part in ("project is not known: did you mean projects?", "users[0] must have", "users[1] must have"):
            self.assertIn(part, detail)
        lines = self.people(code=2).err.splitlines()
        self.assertEqual(lines[0], "error: this cannot be applied, nothing is changed:")
        self.assertEqual(lines[1], "  project is not known: did you mean projects?")
        self.assertTrue(lines[2].startswith("  users[0] must have"), lines)
        self.people("--dry-run", code=2)
        self.assertEqual(self.audited("apply"), ["invalid_request", "invalid_request"])
        after = self.done("system", "backup")["backup"]
        self.assertEqual({**after, "created_at": ""}, {**before, "created_at": ""})

    def test_only_adding_makes_no_backup(self) -> None:
        self.people()
        self.assertFalse(os.path.exists(self.path("s", "backups")))
        self.desired["configs"] = [{"name": "research", "servers": [{**SERVER, "description": "d"}]}]
        self.people()
        self.assertEqual(len(os.listdir(self.path("s", "backups"))), 1)


class Exporting(ApplyCase):
    def test_to_standard_output_is_the_document_itself_and_comes_back_through_a_pipe(self) -> None:
        self.people()
        shown = self.run_json("system", "export-desired")
        self.assertEqual(
            (shown.data["kind"], shown.data["users"]), ("secure-mcp-gateway/desired", ["ada@example.com", "default@example.com"])
        )
        self.assertEqual(self.run_table("system", "export-desired").out, shown.out)
        applied = self.run_json("apply", "--file", "-", "--prune", given=shown.out.encode())
        self.assertEqual((applied.code, applied.data["changes"]), (0, []))

    def test_to_a_file_is_for_its_owner_alone_and_over_an_earlier_export_only(self) -> None:
        path = self.path("out.json")
        for _ in range(2):
            self.assertEqual(self.done("system", "export-desired", "--output-file", path), {"output_file": path, "desired": None})
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.refused(4, "system", "export-desired", "--output-file", self.write("mine.json", "[]"))
        self.assertEqual(self.run_table("apply", "--file", path, "--prune").err, "Nothing to change\n")

    def test_no_key_is_in_it(self) -> None:
        shown = self.run_json("system", "export-desired").out
        for secret in (self.keys["api_key"], self.keys["admin_api_key"], "key_", "adm_"):
            self.assertNotIn(secret, shown)


class OverRest(ApplyCase):
    def setUp(self) -> None:
        super().setUp()
        self.app = ManagementApp(Store(self.store))

    def post(self, body: Any, **fields: str) -> tuple[int, Any]:
        response = send(self.app, "POST", "/api/v1/system/apply", body, self.keys["admin_api_key"], **fields)
        answer = json.loads(response.body)
        return response.status, answer.get("data") or answer["detail"]

    def test_if_match_holds_for_an_apply_and_for_one_that_changes_nothing(self) -> None:
        body = {"data": self.desired}
        self.assertEqual(self.post(body, If_Match='"9"')[0], 412)
        self.assertEqual(self.post(body, If_Match='"1"')[0], 200)
        before = Path(self.store).read_bytes()
        self.assertEqual(self.post(body, If_Match='"1"')[0], 412)
        status, data = self.post(body, If_Match='"2"')
        self.assertEqual((status, data["changes"], Path(self.store).read_bytes()), (200, [], before))

    def test_a_file_on_the_servers_machine_may_be_named(self) -> None:
        self.assertEqual(self.post({"input_file": self.given(), "dry_run": True})[1]["created"], 5)
        self.assertEqual(self.post({"input_file": self.given()})[1]["created"], 5)

    def test_a_users_key_may_not(self) -> None:
        for path in ("apply", "export-desired"):
            response = send(self.app, "POST", f"/api/v1/system/{path}", {}, self.keys["api_key"])
            self.assertEqual(response.status, 403)


if __name__ == "__main__":
    unittest.main()
