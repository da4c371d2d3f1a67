"""``start-api --read-only`` as a process: it runs where nothing can be written, and does not try to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request
from typing import Any

from secure_mcp_gateway.operations import all_operations
from tests.cli.recording import Event, RecordedServer
from tests.cli.server_process import Server, ServerCase, entries
from tests.support import DEADLINE
from tests.surfaces import request_of

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_NOBODY = 65534
# Nothing else of what Python reports changes a file system; "open" stands in the record only where it is for writing.
_HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.putenv", "os.unsetenv", "os.getxattr", "os.listxattr", "os.kill")
_VALUES: dict[str, Any] = {
    "config_identifier": "default_config",
    "project_identifier": "default_project",
    "user_identifier": "default@example.com",
    "server_name": "echo_server",
    "search_term": "default",
    "admin_key": "admin",
}


class ReadOnlyServer(ServerCase):
    def ask(self, server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.keys['admin_api_key']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server.line + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def check_every_read_and_some_writes(self, server: Server) -> None:
        key = self.done("user", "list-all-api-keys")[0]["api_key"]
        for operation in all_operations():
            if not operation.writes:
                values = {**_VALUES, "api_key": key}
                named = {param.name: values[param.name] for param in operation.params if param.name in values}
                status, answer = self.ask(server, *request_of(operation, named))
                self.assertEqual(status, 200, f"{operation.name}: {answer}")
        for path, body in (("configs", {"config_name": "x"}), ("system/backup", {}), ("system/reset", {"confirm": True})):
            status, answer = self.ask(server, "POST", f"/api/v1/{path}", body)
            self.assertEqual((status, answer["error"]), (403, "forbidden"))

    def flags(self, *more: str) -> list[str]:
        return ["--store", self.store, "system", "start-api", "--host=127.0.0.1", "--port=0", "--no-access-log", *more]

    def recorded(self, *flags: str, before: tuple[str, ...] = ()) -> RecordedServer:
        server = RecordedServer(self.path("record"), self.flags(*flags), before)
        self.addCleanup(server.kill)
        return server


class WhatItOpens(ReadOnlyServer):
    def changes(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event.name.startswith(("os.", "shutil.", "tempfile.", "fcntl.", "open"))]

    def test_from_its_start_to_its_end_it_opens_nothing_for_writing_and_locks_nothing(self) -> None:
        server = self.recorded("--read-only")
        self.check_every_read_and_some_writes(server)
        self.assertEqual(server.stop(), (0, ""))
        self.assertEqual([event for event in self.changes(server.events()) if event.name not in _HARMLESS], [])

    def test_the_record_would_show_it(self) -> None:
        server = self.recorded()
        self.assertEqual(self.ask(server, "POST", "/api/v1/configs", {"config_name": "x"})[0], 201)
        self.assertEqual(server.stop(), (0, ""))
        names = {event.name for event in self.changes(server.events())}
        self.assertLessEqual({"open", "os.mkdir", "os.rename", "os.remove", "fcntl.flock"}, names)

    def test_it_is_not_noted_beside_the_store_which_is_no_warning(self) -> None:
        server = self.start("--no-access-log", SECURE_MCP_GATEWAY_READ_ONLY="1")
        self.assertEqual(self.ask(server, "DELETE", "/api/v1/configs/default_config")[0], 403)
        self.assertEqual(entries(self.store), [])
        self.assertEqual(server.stop(), (0, ""))

    def test_it_makes_no_store(self) -> None:
        self.assertIn("generate-config", self.refused(2, "system", "start-api", "--read-only", "--init"))


@unittest.skipUnless(ROOT, "only root can take the right to write away from itself")
class WhereNothingCanBeWritten(ReadOnlyServer):
    def serve(self, *before: str) -> None:
        server = self.recorded("--read-only", before=before)
        self.assertTrue(server.line, "it did not start")
        self.check_every_read_and_some_writes(server)
        self.assertEqual(server.stop(), (0, ""))

    @unittest.skipUnless(shutil.which("unshare") and shutil.which("mount"), "there is no unshare or mount command")
    def test_on_a_mount_that_is_read_only_it_serves_every_read(self) -> None:
        # In a mount namespace of its own, which ends with the process.
        mounting = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/x" 2>/dev/null'
        before = ("unshare", "--mount", "sh", "-c", mounting + ' && exec "$@"', self.path("s"))
        tried = subprocess.run([*before, "true"], capture_output=True, timeout=DEADLINE, check=False)
        if tried.returncode:
            self.skipTest(f"nothing can be mounted here: {tried.stderr.decode()}")
        self.serve(*before)

    @unittest.skipUnless(shutil.which("setpriv"), "there is no setpriv command")
    def test_a_user_who_may_only_read_serves_every_read(self) -> None:
        os.chmod(self.store, 0o400)
        os.chmod(self.path("s", "audit.jsonl"), 0o400)
        os.chown(self.path("s"), _NOBODY, _NOBODY)
        os.chmod(self.path("s"), 0o555)
        # Without its capabilities root is a user like others.
        before = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
        tried = subprocess.run([*before, "touch", self.path("s", "x")], capture_output=True, timeout=DEADLINE, check=False)
        self.assertNotEqual(tried.returncode, 0)
        self.serve(*before)
        self.assertEqual(sorted(os.listdir(self.path("s"))), ["audit.jsonl", "store.json", "store.json.lock"])


if __name__ == "__main__":
    unittest.main()
