"""What was accepted can be read again: by a fresh process, out of a backup, after an editor reformatted the file."""

from __future__ import annotations

import json
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.params import VALUE_DEPTH
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.surfaces import run_command, send
from tests.test_every_operation import TableCase


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


class RoundTrip(TableCase):
    def setUp(self) -> None:
        self.store = self.fresh()
        self.app = ManagementApp(self.store)

    def add(self, tool: Any) -> int:
        text = json.dumps({"server_name": "s", "server_command": "x", "tools": {"t": tool}})
        text = text.replace('"huge"', "-" + "9" * 1000)
        return send(self.app, "POST", "/api/v1/configs/gamma/servers", text.encode()).status

    def test_the_deepest_value_and_the_largest_number_come_back_every_way(self) -> None:
        self.assertEqual(self.add({"deep": nested(VALUE_DEPTH - 2), "number": "huge"}), 201)
        expected = json.loads(send(self.app, "GET", "/api/v1/configs/gamma").body)["data"]
        self.assertEqual(run_command("--store", self.store.path, "config", "get", "--config-name=gamma")[0], 0)
        answered = json.loads(send(self.app, "POST", "/api/v1/system/backup").body)["data"]
        exported = json.loads(send(self.app, "POST", "/api/v1/configs/gamma/export").body)["data"]
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/import", {"data": exported, "config_name": "again"}).status, 201)
        for data in (answered, answered["backup"]):
            self.assertEqual(send(self.app, "POST", "/api/v1/system/restore", {"data": data}).status, 200)
        with open(self.store.path, encoding="utf-8") as file:
            content = json.load(file)
        with open(self.store.path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        self.assertEqual(json.loads(send(ManagementApp(Store(self.store.path)), "GET", "/api/v1/configs/gamma").body)["data"], expected)

    def test_a_deeper_value_is_refused(self) -> None:
        self.assertEqual(self.add({"deep": nested(VALUE_DEPTH - 1)}), 400)
        data = [{"server_name": "s", "config": {"command": "x"}, "tools": {"t": {"deep": nested(VALUE_DEPTH)}}}]
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/import", {"data": data, "config_name": "again"}).status, 400)

    def test_ids_are_found_in_upper_case(self) -> None:
        self.assertEqual(send(self.app, "GET", f"/api/v1/configs/{team.ALPHA.upper()}").status, 200)

    def test_an_admin_key_is_not_called_like_a_key(self) -> None:
        for name in (team.ADMIN_ID, team.ADMIN, "smg_x", team.ADA_KEY_ID):
            self.assertEqual(send(self.app, "POST", "/api/v1/admin-keys", {"name": name}).status, 400)

    def test_an_end_that_is_no_time_of_ours_has_come(self) -> None:
        for end in ("never", "2099-01-01T00:00:00+09:00", ""):
            with open(self.store.path, encoding="utf-8") as file:
                content = json.load(file)
            content["apikeys"][team.digest(team.ADA)]["expires_at"] = end
            with open(self.store.path, "w", encoding="utf-8") as file:
                json.dump(content, file)
            app = ManagementApp(Store(self.store.path))
            self.assertEqual(send(app, "GET", "/api/v1/whoami", key=team.ADA).status, 401, end)
            health = json.loads(send(app, "GET", "/api/v1/system/health").body)["data"]
            self.assertEqual(health["status"], "unhealthy")
            self.assertIn("expires_at", health["issues"][0])
