"""Faults of what stands in the store."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.doctor import content, finding
from secure_mcp_gateway.store.clock import now_text, time_after
from tests.cli.doctor.case import DoctorCase


class Content(DoctorCase):
    def test_no_admin_key_that_works(self) -> None:
        self.edit(admin_keys={})
        self.mended("admin keys", "problem", "nobody can administer the API")

    def test_names_that_nothing_could_be_called(self) -> None:
        content = json.loads(Path(self.store).read_bytes())
        (user,) = content["users"]
        for email, problem in (
            ("ada", "must have one @"),
            ("ada@home", "must have a dotted domain"),
            ("a b@example.com", "must not hold blanks"),
            (f"a@{'x' * 260}.com", "must have at most 254 characters"),
        ):
            content["users"][user]["email"] = email
            self.edit(users=content["users"])
            found = self.fault("names", "warning", problem)
            self.assertIn(f"user update --user-id {user} --new-email ADDRESS", found["advice"])
            self.assertIn(problem, self.done("system", "health-check")["warnings"][0])
            self.assertEqual(self.done("system", "health-check")["status"], "healthy", "old names are taken as they are")
        self.done("user", "update", "--user-id", user, "--new-email", "ada@example.com")
        self.assertEqual(self.faults("names"), [])
        for table, field, part in (("mcp_configs", "mcp_config_name", "config rename --config-id"), ("projects", "project_name", "its id")):
            (key,) = content[table]
            before = content[table][key][field]
            content[table][key][field] = " blank "
            self.edit(**{table: content[table]})
            self.assertIn(part, self.fault("names", "warning", "must not begin or end with a blank")["advice"])
            content[table][key][field] = before
            self.edit(**{table: content[table]})

    def test_keys_that_end_soon(self) -> None:
        self.done("admin-key", "create", "--name", "short", "--expires-in-days", "3")
        self.assertIn("--name admin-2", self.fault("admin keys", "warning", "'short' ends on")["fix"])
        made = self.generated("14")
        self.generated("15")
        found = self.fault("keys", "warning", f"{made['api_key_id']} of 'default@example.com' in 'default_project' ends on")
        self.assertIn("user generate-api-key --email default@example.com --project-name default_project", found["fix"])

    def generated(self, days: str) -> dict[str, Any]:
        made: dict[str, Any] = self.done(
            "user", "generate-api-key", "--email=default@example.com", "--project-name=default_project", "--expires-in-days", days
        )
        return made

    def test_keys_that_have_ended(self) -> None:
        self.generated("1")
        with mock.patch.object(finding, "now_text", return_value=time_after(now_text(), 2)):
            found = self.fault("keys", "warning", "has expired")
        self.assertEqual(self.words(found["fix"])[0], "user delete-api-key")

    def words(self, fix: str) -> list[str]:
        return [" ".join(fix.split()[1:3]), *fix.split()[3:]]

    def test_keys_of_users_who_left_the_project(self) -> None:
        self.edit(members={})
        self.mended("keys", "warning", "it opens nothing")

    def test_a_config_with_something_doubtful_in_it(self) -> None:
        content = json.loads(Path(self.store).read_bytes())
        for config in content["mcp_configs"].values():
            config["mcp_config"][0]["config"] = {"command": "sh", "url": "https://tools.example.com"}
        self.edit(mcp_configs=content["mcp_configs"])
        self.assertIn("config validate --config-name default_config", self.fault("configs", "warning", "'default_config'")["advice"])

    def test_configs_that_nobody_uses(self) -> None:
        self.done("config", "add", "--config-name=-odd 'name'")
        self.mended("configs", "warning", "is used by no project")

    def test_of_many_faults_the_first_are_said_and_how_many_more_there_are(self) -> None:
        for number in range(content._MOST + 2):
            self.done("config", "add", f"--config-name=c{number}")
        found = self.faults("configs")
        self.assertEqual((len(found), found[-1]["text"]), (content._MOST + 1, "and 2 more of this kind"))

    def test_projects_without_config_or_users(self) -> None:
        self.done("project", "create", "--project-name=empty")
        self.done("project", "add-user", "--project-name=empty", "--email=default@example.com")
        self.mended("projects", "warning", "'empty' has no config")
        self.done("project", "remove-all-users", "--project-name=empty")
        self.fault("projects", "warning", "'empty' has no users")


if __name__ == "__main__":
    unittest.main()
