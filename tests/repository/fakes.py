"""A clock that stands still, counted ids and secrets, a store that says what it is told, and a draft to try rules on."""

from __future__ import annotations

import json
import unittest
from typing import Any

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.repository import admin_keys, api_keys, configs, projects, servers, users
from secure_mcp_gateway.repository.call import ADMIN, Call, Caller
from secure_mcp_gateway.repository.system import tables_of
from secure_mcp_gateway.store.document import Document, Draft

NOW = "2026-03-04T05:06:07.000008+00:00"
NOBODY = "00000000-0000-4000-8000-ffffffffffff"


class FakeStore:
    def __init__(self) -> None:
        self.said: tuple[list[str], list[str]] = ([], [])
        self.lines: list[dict[str, Any]] = []
        self.asked: dict[str, Any] = {}

    def facts(self) -> tuple[list[str], list[str]]:
        return self.said

    def audit_lines(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked = asked
        return self.lines

    def verify_audit(self) -> dict[str, Any]:
        return {"valid": False, "lines": 3, "broken_line": 4, "problem": "it is gone"}


class Counter:
    """Ids and secrets that differ, and are the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def new_id(self) -> str:
        self.count += 1
        return f"00000000-0000-4000-8000-{self.count:012x}"

    def new_secret(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count:043d}"


def new_call(caller: Caller | None = None, now: str = NOW, store: Any = None, counter: Counter | None = None) -> Call:
    counter = counter or Counter()
    caller = caller or Caller(ADMIN, "adm_0000000000000000", "root")
    return Call(caller, "request-1", now, store or FakeStore(), counter.new_id, counter.new_secret)


class RuleTest(unittest.TestCase):
    """Each test has an empty ``draft`` and an admin's ``call``; the methods with a noun's name make one and give its id."""

    def setUp(self) -> None:
        self.store = FakeStore()
        self.counter = Counter()
        self.call = new_call(store=self.store, counter=self.counter)
        self.draft = Draft(Document())

    def run_rule(self, rule: Any, **values: Any) -> Any:
        return rule(self.draft, self.call, **values)

    def refused(self, error: type[GatewayError], rule: Any, **values: Any) -> str:
        """What the caller is told; nothing may have changed."""
        before = self.content()
        with self.assertRaises(error) as caught:
            rule(self.draft, self.call, **values)
        self.assertEqual(self.content(), before)
        self.assertIs(type(caught.exception), error)
        return caught.exception.detail

    def content(self) -> str:
        """All of the draft, copied: a record that is changed in place shows."""
        return json.dumps([tables_of(self.draft), self.draft.settings])

    def later(self, now: str) -> None:
        self.call = new_call(self.call.caller, now, self.store, self.counter)

    def call_with(self, secret: str) -> Call:
        caller = api_keys.authenticate(self.draft, secret, self.call.now)
        return new_call(caller, self.call.now, self.store, self.counter)

    def config(self, name: str = "tools") -> str:
        return str(self.run_rule(configs.add_config, config_name=name)["mcp_config_id"])

    def server(self, config: str, name: str = "files", **fields: Any) -> Any:
        if "server_url" not in fields:
            fields.setdefault("server_command", "run-files")
        return self.run_rule(servers.add_server, config_identifier=config, server_name=name, **fields)

    def project(self, name: str = "research", config: str | None = None) -> str:
        project_id = str(self.run_rule(projects.create_project, project_name=name)["project_id"])
        if config is not None:
            self.run_rule(projects.assign_config, project_identifier=project_id, config_identifier=config)
        return project_id

    def user(self, email: str = "ada@example.com", *in_projects: str) -> str:
        user_id = str(self.run_rule(users.create_user, email=email)["user_id"])
        for project in in_projects:
            self.run_rule(projects.add_user, project_identifier=project, user_identifier=user_id)
        return user_id

    def key(self, user: str, project: str, days: int | None = None) -> dict[str, Any]:
        made = self.run_rule(api_keys.generate_api_key, user_identifier=user, project_identifier=project, expires_in_days=days)
        return dict(made)

    def admin_key(self, name: str = "first", days: int | None = None) -> dict[str, Any]:
        return dict(self.run_rule(admin_keys.create_admin_key, name=name, expires_in_days=days))
