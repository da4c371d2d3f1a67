"""An app that serves reads alone: every row, and nothing of the store's folder touched."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.operation_cases import CASES
from tests.support import FolderCase
from tests.surfaces import request_of, send

Touched = dict[str, tuple[int, int, int]]


class ReadOnly(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.path("s"), 0o700)
        self.store = team.make_team(self.path("s"))
        self.app = ManagementApp(self.store, read_only=True)

    def touched(self) -> Touched:
        """Of each file and folder: which it is, its size and when it or its name last changed."""
        found = {}
        for folder, _, names in os.walk(self.folder):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                stat = os.stat(path)
                found[path] = (stat.st_ino, stat.st_size, stat.st_ctime_ns)
        return found

    def request(self, name: str, values: dict[str, Any], key: str = team.ADMIN, **fields: str) -> tuple[int, Any]:
        operation = next(row for row in all_operations() if row.name == name)
        method, path, body = request_of(operation, values)
        response = send(self.app, method, path, body, key, **fields)
        return response.status, json.loads(response.body)

    def test_each_row_that_is_no_read_is_refused_with_a_way_out_and_leaves_nothing_behind(self) -> None:
        before, refused = self.touched(), 0
        for operation in all_operations():
            for values, _ in CASES[operation.name] if operation.writes else ():
                with self.subTest(operation=operation.name, values=values):
                    status, answer = self.request(operation.name, values)
                    self.assertEqual((status, answer["error"]), (403, "forbidden"))
                    self.assertIn("--read-only", answer["detail"])
                    refused += 1
        self.assertGreater(refused, 50)
        self.assertEqual(self.touched(), before)

    def test_each_row_that_is_a_read_answers_as_ever_and_leaves_nothing_behind(self) -> None:
        usual, before, read = ManagementApp(Store(self.store.path)), self.touched(), set()
        for operation in all_operations():
            for values, error in CASES[operation.name] if not operation.writes else ():
                with self.subTest(operation=operation.name, values=values):
                    method, path, body = request_of(operation, values)
                    ours, theirs = (send(app, method, path, body) for app in (self.app, usual))
                    self.assertEqual((ours.status, ours.headers), (theirs.status, theirs.headers))
                    self.assertEqual(ours.status == 200, not error)
                    read.add(operation.name)
        self.assertLessEqual({"config validate", "config search", "system health-check", "system audit", "whoami"}, read)
        self.assertEqual(self.touched(), before)

    def test_who_may_not_do_it_anyway_is_told_so_and_leaves_no_line_either(self) -> None:
        before = self.touched()
        status, answer = self.request("config add", {"config_name": "x"}, key=team.ADA)
        self.assertEqual((status, answer["error"]), (403, "forbidden"))
        self.assertNotIn("--read-only", answer["detail"])
        status, _ = self.request("config add", {"config_name": "x"}, Origin="https://elsewhere.example.com")
        self.assertEqual((status, self.touched()), (403, before))

    def test_a_write_is_refused_before_its_body_is_asked_for(self) -> None:
        response = send(self.app, "POST", "/api/v1/configs", b"x" * 100, Expect="100-continue")
        self.assertEqual(response.status, 403)
        self.assertEqual(send(self.app, "POST", "/api/v1/configs", b"{}", key=None).status, 401)
        self.assertEqual(send(self.app, "PATCH", "/api/v1/configs").status, 405)

    def test_a_write_that_another_process_made_is_seen(self) -> None:
        another = ManagementApp(Store(self.store.path))
        self.assertEqual(send(another, "POST", "/api/v1/configs", {"config_name": "late"}).status, 201)
        self.store._checked = 0.0  # as if 10 ms had passed
        self.assertEqual(self.request("config get", {"config_identifier": "late"})[0], 200)


if __name__ == "__main__":
    unittest.main()
