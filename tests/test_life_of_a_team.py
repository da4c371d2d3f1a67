"""The complete life of a team over real sockets, and again over real processes; no secret shows where it must not."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from typing import Any

from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from tests.crash.forge import Forge
from tests.life import EK, ENV, live
from tests.support import PYTHON, process
from tests.surfaces import argv_of, request_of

ROWS = {operation.name: operation for operation in all_operations()}
STATUS = {"invalid_request": 400, "not_found": 404, "conflict": 409}
EXIT_CODE = {"invalid_request": 2, "not_found": 3, "conflict": 4}
PATIENCE = 30


class Life(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = os.path.join(self.folder, "s", "store.json")
        self.outputs: list[str] = []
        made = json.loads(self.command("generate-config"))
        self.admin, self.first_key = made["admin_api_key"], made["api_key"]

    def command(self, *words: str) -> str:
        """What it prints."""
        done = process("--store", self.store, "--format", "json", *words)
        self.outputs += [done.out, done.err]
        return done.out

    def check_secrets(self, secrets: list[str], logs: str) -> None:
        """Each made key shows in one answer, once; in no file, log or other answer."""
        answers = "\n".join(self.outputs)
        for secret in [*secrets, self.admin, self.first_key]:
            if secret != ENV:
                self.assertLessEqual(answers.count(secret), 0 if secret == EK else 1, f"{secret[:8]}... shows again")
            self.assertNotIn(secret, logs)
            for path, text in self._kept_files():
                # What a server or the guardrail service needs in clear stands in the document and its backups, and nowhere else.
                if secret not in (EK, ENV) or path.endswith(".jsonl"):
                    self.assertNotIn(secret, text, path)

    def _kept_files(self) -> list[tuple[str, str]]:
        found = []
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.append((os.path.join(folder, name), file.read()))
        return found


class OnTheCommandLine(Life):
    def test_a_team_lives_from_its_first_user_to_the_last_key(self) -> None:
        with Forge() as self.forge:
            secrets = live(self, self.do, self.folder)
        self.assertTrue(json.loads(self.command("system", "audit", "--verify"))["valid"])
        self.check_secrets(secrets, "")

    def do(self, name: str, /, refused: str = "", **values: Any) -> Any:
        done = self.forge.run(self.store, *argv_of(ROWS[name], values, self.folder))
        self.outputs += [done.out, done.err]
        self.assertEqual(done.code, EXIT_CODE[refused] if refused else 0, f"{name} {values}: {done.err}")
        if refused:
            self.assertEqual(json.loads(done.err)["error"], refused)
            return json.loads(done.err)["detail"]
        return json.loads(done.out)


class OverSockets(Life):
    launcher: tuple[str, ...] = ("-m", "secure_mcp_gateway")

    def flags(self) -> list[str]:
        return []

    def setUp(self) -> None:
        super().setUp()
        self.log = open(  # noqa: SIM115
            os.path.join(self.folder, "log"), "w", encoding="utf-8"
        )
        self.addCleanup(self.log.close)
        argv = [*self.launcher, "--store", self.store, "system", "start-api", "--host=127.0.0.1", "--port=0", *self.flags()]
        self.server = subprocess.Popen([*PYTHON, *argv], stdout=subprocess.PIPE, stderr=self.log, encoding="utf-8")
        self.addCleanup(self._end)
        assert self.server.stdout is not None
        address = self.server.stdout.readline().strip().partition("//")[2]
        self.connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        self.addCleanup(self.connection.close)

    def _end(self) -> None:
        self.server.kill()
        self.server.communicate()

    def test_a_team_lives_from_its_first_user_to_the_last_key(self) -> None:
        secrets = live(self, self.do, self.folder)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(PATIENCE), 0)
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as file:
            logs = file.read()
        lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
        self.assertEqual({line["status"] // 100 for line in lines}, {2, 4})
        self.assertIn("/api/v1/users/{user_identifier}", {line["route"] for line in lines})
        self.assertNotIn("research", logs)
        self.assertNotIn("example.com", logs)
        self.check_secrets(secrets, logs)

    def do(self, name: str, /, refused: str = "", **values: Any) -> Any:
        operation: Operation = ROWS[name]
        method, path, body = request_of(operation, values)
        headers = {"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        self.outputs.append(text)
        answer = json.loads(text)
        if refused:
            self.assertEqual((response.status, answer["error"]), (STATUS[refused], refused), f"{name} {values}: {text}")
            return answer["detail"]
        self.assertEqual(response.status, operation.status(values), f"{name} {values}: {text}")
        self.assertEqual(answer["message"], operation.message)
        return answer["data"]


if __name__ == "__main__":
    unittest.main()
