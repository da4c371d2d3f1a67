"""Which ``Host`` and ``Origin`` fields are let in, in each way that they and the flags can be written."""

from __future__ import annotations

import unittest

from secure_mcp_gateway.api.app import ManagementApp
from tests.surfaces import send
from tests.test_every_operation import TableCase


class Hosts(TableCase):
    def served(self, named: str) -> list[str]:
        app = ManagementApp(self.fresh(), allow_hosts=(named,))
        hosts = ("[::1]", "[::1]:8001", "LOCALHOST:8001", "localhost:1", "localhost", "localhost.", "x.localhost")
        return [host for host in hosts if send(app, "GET", f"http://{host}/health", key=None).status == 200]

    def test_a_host_is_named_without_its_port_for_all_ports(self) -> None:
        self.assertEqual(self.served("localhost"), ["LOCALHOST:8001", "localhost:1", "localhost"])
        self.assertEqual(self.served("[::1]"), ["[::1]", "[::1]:8001"])

    def test_or_with_its_port_for_that_alone(self) -> None:
        self.assertEqual(self.served("Localhost:8001"), ["LOCALHOST:8001"])
        self.assertEqual(self.served("[::1]:8001"), ["[::1]:8001"])


class Origins(TableCase):
    def test_an_origin_is_named_with_or_without_its_usual_port(self) -> None:
        for named in ("https://console.example:443", "https://CONSOLE.example/", "https://[::1]:443"):
            app = ManagementApp(self.fresh(), allow_origins=(named,))
            host = "[::1]" if "[" in named else "console.example"
            for origin in (f"https://{host}", f"https://{host}:443"):
                answer = send(app, "GET", "/health", Origin=origin)
                self.assertEqual(dict(answer.headers)["Access-Control-Allow-Origin"], origin)
            for foreign in ("{}:444", "{}.", "{}/", "{}#x", "{}?x", "x@{}", "{}@x", "{}, x", "{}\tx"):
                origin = "https://" + foreign.format(host)
                self.assertEqual(send(app, "GET", "/health", Origin=origin).status, 403, origin)
            self.assertEqual(send(app, "GET", "/health", Origin=f"http://{host}").status, 403)

    def test_what_only_looks_like_the_server_s_own_origin_is_foreign(self) -> None:
        app = ManagementApp(self.fresh())
        for origin in (
            "http://local\thost:8001",
            "http://localhost:8001#x",
            "http:localhost:8001",
            "http://localhost:8001\\",
            "://localhost:8001",
        ):
            self.assertEqual(send(app, "GET", "/api/v1/whoami", Origin=origin).status, 403, origin)


if __name__ == "__main__":
    unittest.main()
