"""Two projects with a marker in every field: no answer to a user's key may hold one that is foreign, or secret."""

from __future__ import annotations

import json
from itertools import product
from typing import Any
from unittest import mock

from secure_mcp_gateway.errors import GatewayError, NotFound
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import USER, Operation
from secure_mcp_gateway.repository import configs, projects, servers, users
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.store.document import Document
from tests.operations.contract import USERS_MAY
from tests.repository.fakes import NOBODY, NOW, RuleTest

ROWS = tuple(row for row in all_operations() if row.access == USER)


class Side:
    """One project with everything that belongs to it, each name beginning with the side's own word."""

    def __init__(self, test: RuleTest, word: str) -> None:
        self.word = word
        self.config = test.config(f"{word}-config")
        policy = {"enabled": True, "policy_name": f"{word}-secret-policy", "block": [f"{word}-secret-block"], "x": f"{word}-secret-x"}
        shared: dict[str, Any] = {
            "tools": {f"{word}-tool": f"{word}-text"},
            "denied_tools": [f"{word}-denied"],
            "description": f"{word}-description",
            "input_guardrails_policy": policy,
            "output_guardrails_policy": policy,
            "tool_guardrails_policy": policy,
        }
        hidden = f"{word}-secret"
        test.server(self.config, f"{word}-run", server_command=f"{word}-run", args=[hidden], env={hidden: hidden}, **shared)
        url = f"https://{hidden}:{hidden}@{word}-host.example:8443/{hidden}?{hidden}#{hidden}"
        test.server(self.config, f"{word}-web", server_url=url, headers={hidden: hidden}, **shared)
        self._add_further_fields(test, hidden)
        self.project = test.project(f"{word}-project", self.config)
        self.user = test.user(f"{word}@example.com", self.project)
        self.key = test.key(self.user, self.project)

    def _add_further_fields(self, test: RuleTest, hidden: str) -> None:
        record = test.draft.get("mcp_configs", self.config) or {}
        changed = [{**server, "oauth_config": {hidden: hidden}, "cwd": hidden} for server in record["mcp_config"]]
        test.draft.put("mcp_configs", self.config, {**record, "mcp_config": changed, "common_overrides": {hidden: hidden}})

    def identifiers(self) -> dict[str, tuple[str, ...]]:
        return {
            "config_identifier": (self.config, f"{self.word}-config"),
            "project_identifier": (self.project, f"{self.word}-project"),
            "user_identifier": (self.user, f"{self.word}@example.com"),
            "server_name": (f"{self.word}-run", f"{self.word}-web"),
        }


class AUsersKey(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.own, self.foreign = Side(self, "mine"), Side(self, "alien")
        # The two know each other: each is in a third project, and each user holds a key there.
        third = self.project("alien-third", self.foreign.config)
        for side in (self.own, self.foreign):
            self.run_rule(projects.add_user, project_identifier=third, user_identifier=side.user)
            self.key(side.user, third)
        # And the foreign user is in the own project too, with a key.
        self.run_rule(projects.add_user, project_identifier=self.own.project, user_identifier=self.foreign.user)
        self.key(self.foreign.user, self.own.project)
        self.run_rule(projects.assign_config, project_identifier=self.project("alien-fourth"), config_identifier=self.own.config)
        self.admin, self.call = self.call, self.call_with(self.own.key["api_key"])

    def answer(self, row: Operation, values: dict[str, Any]) -> Any:
        try:
            found = row.run(self.draft, self.call, **values)
        except GatewayError as error:
            return error
        return [found.rows, found.total] if isinstance(found, Listing) else found

    def all_values(self, row: Operation, *sides: Side) -> list[dict[str, Any]]:
        names = [param.name for param in row.params if param.name not in ("limit", "offset")]
        choices = [[value for side in sides for value in side.identifiers()[name]] for name in names]
        return [dict(zip(names, chosen)) for chosen in product(*choices)]

    def test_may_use_the_rows_of_the_contract_and_no_other(self) -> None:
        self.assertEqual({row.name for row in ROWS}, USERS_MAY)

    def test_sees_all_of_its_own(self) -> None:
        for row in ROWS:
            for values in self.all_values(row, self.own):
                with self.subTest(row=row.name, **values):
                    self.assertNotIsInstance(self.answer(row, values), GatewayError)

    def test_gets_nothing_foreign_and_nothing_secret_in_an_answer(self) -> None:
        ids = (self.foreign.config, self.foreign.project, self.foreign.user, self.foreign.key["api_key_id"])
        for row in ROWS:
            for values in self.all_values(row, self.own, self.foreign):
                found = self.answer(row, values)
                given = [str(value) for value in values.values()]
                text = found.detail if isinstance(found, GatewayError) else json.dumps(found)
                if isinstance(found, GatewayError):
                    for value in given:
                        text = text.replace(value, "")
                with self.subTest(row=row.name, **values):
                    self.assertNotIn("alien", text)
                    self.assertNotIn("secret", text)
                    for each in ids:
                        self.assertNotIn(each, text)

    def test_is_told_the_same_of_what_is_foreign_and_of_what_is_not_there(self) -> None:
        checked = 0
        for row in ROWS:
            for values in self.all_values(row, self.foreign):
                if not values:
                    continue
                found = self.answer(row, values)
                other = {name: NOBODY if value.startswith("0000") else "z" + value[1:] for name, value in values.items()}
                missing = self.answer(row, other)
                with self.subTest(row=row.name, **values):
                    self.assertIsInstance(found, NotFound)
                    self.assertIsInstance(missing, NotFound)
                    first, second = (next(iter(each.values())) for each in (values, other))
                    self.assertEqual(found.detail.replace(first, "*"), missing.detail.replace(second, "*"))
                    checked += 1
        self.assertGreater(checked, 10)

    def test_makes_nobody_look_at_what_else_there_is(self) -> None:
        """Looking would take another time for what is foreign than for what is not there."""
        looked = mock.patch.object(Document, "found", side_effect=AssertionError("it looked in an index of all names"))
        for row in ROWS:
            for values in self.all_values(row, self.foreign):
                if values:
                    with self.subTest(row=row.name, **values), looked:
                        self.assertIsInstance(self.answer(row, values), NotFound)

    def test_finds_its_own_however_an_administrator_could_ask_for_it(self) -> None:
        composed, decomposed = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"
        record = self.draft.get("mcp_configs", self.own.config) or {}
        self.draft.put("mcp_configs", self.own.config, {**record, "mcp_config_name": composed})
        for asked in (self.own.config, composed, decomposed):
            self.assertEqual(self.run_rule(configs.get_config, config_identifier=asked)["mcp_config_id"], self.own.config)
        for asked in (self.own.user, self.own.user.upper(), "mine@example.com", "Mine@Example.COM"):
            self.assertEqual(self.run_rule(users.get_user, user_identifier=asked)["user_id"], self.own.user)
        for asked in (self.own.project.upper(), "mine-project"):
            self.assertEqual(self.run_rule(projects.get_project, project_identifier=asked)["project_id"], self.own.project)
        self.refused(NotFound, projects.get_project, project_identifier="Mine-project")

    def test_sees_a_server_in_this_shape(self) -> None:
        shown = self.run_rule(configs.get_config, config_identifier="mine-config")
        self.assertEqual(sorted(shown), ["created_at", "mcp_config", "mcp_config_id", "mcp_config_name", "updated_at"])
        run, web = shown["mcp_config"]
        on = {"enabled": True}
        shared = {
            "description": "mine-description",
            "tools": {"mine-tool": "mine-text"},
            "denied_tools": ["mine-denied"],
            "input_guardrails_policy": on,
            "output_guardrails_policy": on,
            "tool_guardrails_policy": on,
        }
        self.assertEqual(run, {"server_name": "mine-run", "config": {"command": "mine-run"}, **shared})
        self.assertEqual(web, {"server_name": "mine-web", "config": {"url": "mine-host.example"}, **shared})
        self.assertEqual(self.run_rule(servers.get_server, config_identifier="mine-config", server_name="mine-web"), web)
        rows = self.run_rule(servers.list_servers, config_identifier=self.own.config).rows
        expected = [("mine-run", [], None), (None, [], "mine-host.example")]
        self.assertEqual([(row["command"], row["args"], row["url"]) for row in rows], expected)

    def test_sees_one_project_one_config_and_itself(self) -> None:
        named = {"project_id": self.own.project, "project_name": "mine-project"}
        (config,), total = self.answer(next(row for row in ROWS if row.name == "config list"), {})
        self.assertEqual((config["used_by_projects"], total), ([named], 1))
        listing = self.run_rule(projects.list_projects)
        self.assertEqual(([row["project_id"] for row in listing.rows], listing.total), ([self.own.project], 1))
        project = self.run_rule(projects.get_project, project_identifier=self.own.project)
        self.assertEqual(project["users"], [{"user_id": self.own.user, "email": "mine@example.com", "created_at": NOW}])
        self.assertEqual(project["api_keys"], 2)
        user = self.run_rule(users.get_user, user_identifier=self.own.user)
        self.assertEqual((user["projects"], [key["api_key"] for key in user["api_keys"]]), ([named], [self.own.key["api_key_id"]]))

    def test_without_a_config_sees_none(self) -> None:
        user, self.call = self.call, self.admin
        self.run_rule(projects.unassign_config, project_identifier=self.own.project)
        self.call = user
        self.assertEqual(self.run_rule(configs.list_configs).rows, [])
        self.refused(NotFound, configs.get_config, config_identifier="mine-config")
        self.refused(NotFound, projects.get_project_config, project_identifier=self.own.project)
