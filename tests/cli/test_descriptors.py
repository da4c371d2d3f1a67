"""A limit on open files that is lower than the cap on connections."""

from __future__ import annotations

import http.client
import json
import sys
import unittest
from unittest import mock

from secure_mcp_gateway.cli.descriptors import connections_with_room
from tests.cli.server_process import Server, ServerCase
from tests.store.processes import Child
from tests.support import DEADLINE, command

if sys.platform != "win32":
    import resource

LIMIT = 100


@unittest.skipIf(sys.platform == "win32", "there is no such limit on Windows")
class OpenFiles(ServerCase):
    def start_with(self, limit: str) -> Server:
        """``limit`` as ``ulimit`` takes it."""
        limited = ["sh", "-c", f'ulimit {limit} && exec "$0" "$@"', *command()]
        with mock.patch("tests.cli.server_process.command", lambda *argv: [*limited, *argv]):
            return self.start("--no-access-log")

    def ask(self, server: Server, method: str, path: str, body: str | None = None) -> int:
        """On a connection that stays open."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
        self.addCleanup(connection.close)
        fields = {"Authorization": f"Bearer {self.keys['admin_api_key']}", "Content-Type": "application/json"}
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def test_who_holds_more_connections_than_it_allows_keeps_nobody_out_and_stops_no_write(self) -> None:
        server = self.start_with(f"-n {LIMIT}")
        self.assertEqual([self.ask(server, "GET", "/health") for _ in range(LIMIT + 20)], [200] * (LIMIT + 20))
        body = json.dumps({"email": "ada@example.com"})
        self.assertEqual(self.ask(server, "POST", "/api/v1/users", body), 201)
        code, err = server.stop()
        self.assertEqual(code, 0)
        self.assertIn(f"room for {LIMIT - 64} connections at once, not for 512\n", err)

    def test_it_is_raised_where_that_is_allowed(self) -> None:
        highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if highest != resource.RLIM_INFINITY and highest < 600:
            self.skipTest("the highest limit here is lower than what is to be raised to")
        server = self.start_with(f"-S -n {LIMIT}")
        self.assertEqual([self.ask(server, "GET", "/health") for _ in range(LIMIT)], [200] * LIMIT)
        self.assertEqual(server.stop(), (0, ""))

    def test_it_is_never_lowered(self) -> None:
        def limits(_: object) -> list[int]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
            found = [connections_with_room(wanted) for wanted in (1, 200, 300, 1_000_000)]
            return [*found, *resource.getrlimit(resource.RLIMIT_NOFILE)]

        self.assertEqual(Child(limits).result(), [1, 200, 300, 336, 400, 400])

    def test_one_connection_is_served_in_any_case(self) -> None:
        def limit(_: object) -> int:
            resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
            return connections_with_room(512)

        self.assertEqual(Child(limit).result(), 1)


if __name__ == "__main__":
    unittest.main()
