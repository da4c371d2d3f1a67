"""``start-api --tls-client-ca`` as a process."""

from __future__ import annotations

import os
import signal
import ssl
import unittest
import urllib.error
from unittest import mock

from tests.cli.server_process import Server, ServerCase, until
from tests.support import run
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority, Pair, client_context


@unittest.skipUnless(OPENSSL, NO_OPENSSL)
class ClientCa(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.folder, "first")
        self.machine = self.authority.issue("machine", "serverAuth")
        self.ada = self.authority.issue("ada")
        self.tls = ["--tls-cert", self.machine.certificate, "--tls-key", self.machine.key]

    def is_served(self, server: Server, pair: Pair | None) -> bool:
        try:
            return bool(server.get(context=client_context(self.authority.certificate, pair))["status"] == "ok")
        except (urllib.error.URLError, ssl.SSLError, ConnectionError):
            return False

    def test_only_its_clients_are_served_and_it_is_read_again_on_sighup(self) -> None:
        ca = self.write("ca.pem", "")
        os.replace(self.copy(self.authority.certificate), ca)
        server = self.start(*self.tls, "--no-access-log", SECURE_MCP_GATEWAY_TLS_CLIENT_CA=ca)
        self.assertTrue(self.is_served(server, self.ada))
        self.assertFalse(self.is_served(server, None))
        second = Authority(self.folder, "second")
        os.replace(self.copy(second.certificate), ca)
        eve = second.issue("eve")
        self.assertFalse(self.is_served(server, eve))
        server.signal(signal.SIGHUP)
        self.assertTrue(until(lambda: self.is_served(server, eve)))
        self.assertFalse(self.is_served(server, self.ada))
        self.assertEqual(server.stop(), (0, ""))

    def test_a_command_gets_through_with_a_certificate_alone(self) -> None:
        server = self.start(*self.tls, "--no-access-log", SECURE_MCP_GATEWAY_TLS_CLIENT_CA=self.authority.certificate)
        through = ("--server", f"https://127.0.0.1:{server.port}", "--ca-file", self.authority.certificate, "config", "list")
        ada = {"SECURE_MCP_GATEWAY_CLIENT_CERT": self.ada.certificate, "SECURE_MCP_GATEWAY_CLIENT_KEY": self.ada.key}
        no_store = {"SECURE_MCP_GATEWAY_STORE": "", "SECURE_MCP_GATEWAY_API_KEY": self.keys["admin_api_key"]}
        with mock.patch.dict(os.environ, no_store):
            refused = run(*through)
            self.assertEqual(refused.code, 6)
            self.assertIn("name yours: --client-cert FILE --client-key FILE", refused.err)
            self.assertEqual(run(*through, "--client-cert", self.ada.certificate, "--client-key", self.ada.key).code, 0)
            with mock.patch.dict(os.environ, ada):
                self.assertEqual(run(*through).code, 0)
                self.assertIn("--client-key is empty", run(*through, "--client-key", "").err)
            with mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_CLIENT_KEY=self.ada.key):
                self.assertIn("$SECURE_MCP_GATEWAY_CLIENT_KEY is the key of no certificate", run(*through).err)
        self.assertEqual(server.stop(), (0, ""))

    def copy(self, path: str) -> str:
        with open(path, "rb") as file:
            return self.write("copy", file.read())

    def test_a_file_that_cannot_be_meant_is_wrong_usage(self) -> None:
        start = ("system", "start-api", "--port=0")
        for given in (self.store, self.path("none"), self.ada.certificate):
            with self.subTest(given=given):
                detail = self.refused(2, *start, *self.tls, "--tls-client-ca", given)
                self.assertIn("--tls-client-ca cannot be used", detail)
        self.assertIn("needs TLS", self.refused(2, *start, "--tls-client-ca", self.authority.certificate))
        with mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_TLS_CLIENT_CA=self.authority.certificate):
            self.assertIn("needs TLS", self.refused(2, *start))


if __name__ == "__main__":
    unittest.main()
