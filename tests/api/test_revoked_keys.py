"""Keys that are taken away after they were looked at, and before what was asked for with them is done."""

from __future__ import annotations

import os
from collections.abc import Iterator

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.errors import Unauthorized
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import perform
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.repository.call import new_call
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.store import Store
from secure_mcp_gateway.web.request import Limits, Source, read_request
from tests import team
from tests.api.test_app import body
from tests.surfaces import send
from tests.test_every_operation import TableCase


class RevokedKeys(TableCase):
    def setUp(self) -> None:
        self.app = ManagementApp(self.fresh())

    def test_a_key_that_is_taken_away_before_the_body_came_does_nothing_any_more(self) -> None:
        made = body(send(self.app, "POST", "/api/v1/admin-keys", {"name": "lost"}))["data"]
        for path, data in (("configs", b'{"config_name": "late"}'), ("configs/search", b'{"search_term": "a"}')):
            head = f"POST /api/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made['admin_key_secret']}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            pieces = iter((head.encode(), data))

            def receive(_: int, pieces: Iterator[bytes] = pieces) -> bytes:
                piece = next(pieces)
                if piece.startswith(b"{"):
                    send(self.app, "POST", "/api/v1/admin-keys/lost/disable")
                return piece

            send(self.app, "POST", "/api/v1/admin-keys/lost/enable")
            self.assertEqual(self.app(read_request(Source(receive), Limits())).status, 401)
        self.assertEqual(send(self.app, "GET", "/api/v1/configs/late").status, 404)
        refused = body(send(self.app, "GET", "/api/v1/system/audit?operation=config%20add"))["data"][0]
        self.assertEqual((refused["result"], refused["actor"]["name"]), ("unauthorized", "lost"))

    def test_nor_does_one_that_is_taken_away_while_its_request_waits_for_its_turn(self) -> None:
        store = Store(os.path.join(self.folder, "s", "store.json"))
        add = next(row for row in all_operations() if row.name == "config add")
        call = new_call(authenticate(store.snapshot(), team.ADMIN, now_text()), store)
        send(self.app, "POST", f"/api/v1/admin-keys/{call.caller.key_id}/rotate")
        with self.assertRaisesRegex(Unauthorized, "not known"):
            perform(add, store, call, {"config_name": "late"})
        self.assertIsNone(store.snapshot().found("config_names", "late"))
