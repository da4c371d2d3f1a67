"""``--server``: every command does through a server what it does on the store, and says it in the same words."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.cli import apply
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.store.store import Store
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import WebServer
from tests import team
from tests.operation_cases import CASES
from tests.support import MEMORY, Ran, run
from tests.surfaces import argv_of, text_without_chance
from tests.web.raw import RunningServer

KEY = "SECURE_MCP_GATEWAY_API_KEY"


class RemoteCase(unittest.TestCase):
    """A server on the team's store; ``requests`` are those that it was sent, ``app`` may be put in another's place."""

    _template: str
    _running: RunningServer
    app: Any
    requests: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls._template = tempfile.mkdtemp(dir=MEMORY)
        cls.addClassCleanup(shutil.rmtree, cls._template)
        team.make_team(cls._template)
        cls._running = RunningServer(WebServer(("127.0.0.1", 0), cls._answer))
        cls.url = f"http://127.0.0.1:{cls._running.__enter__().bound[1]}"
        cls.addClassCleanup(cls._running.__exit__)

    @classmethod
    def _answer(cls, request: Request) -> Response:
        cls.requests.append(f"{request.method} {request.raw_path}")
        return cls.app(request)

    def setUp(self) -> None:
        with_key = mock.patch.dict(os.environ, {KEY: team.ADMIN})
        with_key.start()
        self.addCleanup(with_key.stop)
        self.fresh()

    def fresh(self) -> str:
        """The team's store, untouched, in a folder of its own, behind the server; its path."""
        self.folder = os.path.realpath(tempfile.mkdtemp(dir=MEMORY))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(self._template, os.path.join(self.folder, "s"))
        path = os.path.join(self.folder, "s", "store.json")
        type(self).app, type(self).requests = ManagementApp(Store(path)), []
        return path

    def remote(self, *argv: str, given: bytes = b"") -> Ran:
        return run("--server", self.url, *argv, given=given)

    def refused(self, code: int, *argv: str) -> str:
        """What is said on standard error."""
        ran = self.remote(*argv)
        self.assertEqual((ran.code, ran.out), (code, ""), ran.err)
        return ran.err


class EveryRow(RemoteCase):
    def test_a_server_does_what_the_store_does_in_the_same_words(self) -> None:
        for operation in all_operations():
            if operation.name == "whoami":
                continue
            for values, _ in CASES[operation.name]:
                for form in ("json", "table"):
                    with self.subTest(operation=operation.name, values=values, form=form):
                        here = self._ran(operation, values, form, "--store")
                        there = self._ran(operation, values, form, "--server")
                        self.assertEqual(there, here)

    def _ran(self, operation: Operation, values: dict[str, Any], form: str, place: str) -> tuple[int, str, str]:
        store = self.fresh()
        ran = run(place, store if place == "--store" else self.url, "--format", form, *argv_of(operation, values, self.folder))
        err = re.sub(r" \(/[^)]*\)", "", ran.err) if place == "--store" else ran.err
        return ran.code, text_without_chance(ran.out, self.folder), text_without_chance(err, self.folder)

    def test_a_setup_is_applied_as_it_was_told_or_not_at_all(self) -> None:
        wanted = os.path.join(self.folder, "desired.json")
        with open(wanted, "w", encoding="utf-8") as file:
            json.dump({"kind": "secure-mcp-gateway/desired", "version": 1, "users": ["new@example.com"]}, file)
        apply_it = ("--format=table", "apply", "--file", wanted)
        tell = apply._tell

        def meanwhile(*told: Any) -> None:
            tell(*told)
            self.remote("config", "add", "--config-name=meanwhile")

        with mock.patch.object(apply, "_tell", meanwhile):
            ran = self.remote(*apply_it)
        self.assertEqual((ran.code, ran.out), (4, "+ user new@example.com\n"))
        self.assertIn("the store was changed meanwhile", ran.err)
        self.assertEqual(self.remote("user", "get", "--email=new@example.com").code, 3)
        self.assertEqual(self.remote(*apply_it).code, 0)
        self.assertEqual(self.remote("user", "get", "--email=new@example.com").code, 0)

    def test_whoami_is_who_the_key_is(self) -> None:
        self.assertEqual(self.remote("whoami").data["name"], "admin")
        with mock.patch.dict(os.environ, {KEY: team.ADA}):
            self.assertEqual(self.remote("whoami").data["email"], "ada@example.com")


if __name__ == "__main__":
    unittest.main()
