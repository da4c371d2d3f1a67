"""Over TLS: whose certificate is taken, and in which words another one is not."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from secure_mcp_gateway.client import exchange
from secure_mcp_gateway.client.remote import Remote
from secure_mcp_gateway.errors import GatewayError, InvalidRequest, Unavailable
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import TlsFiles
from tests.client.stub import ADD, LIST, StubCase, success
from tests.support import FolderCase
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority
from tests.web.raw import ServerCase

EMPTY = success([]).partition(b"\r\n\r\n")[2]


def answer(request: Request) -> Response:
    return Response(200, EMPTY, [("Content-Type", "application/json")])


@unittest.skipUnless(OPENSSL, NO_OPENSSL)
class Certificates(FolderCase, ServerCase, StubCase):
    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.folder, "ours")
        self.machine = self.authority.issue("machine", "serverAuth")

    def serve(self, **options: str) -> str:
        return f"https://127.0.0.1:{self.start(answer, tls=TlsFiles(*self.machine, **options)).bound[1]}"

    def over_tls(self, url: str, ca_file: str | None) -> object:
        server = self.server(url)
        server.ca_file = ca_file
        with Remote(server) as remote:
            return remote.perform(LIST, {})

    def refused(self, url: str, ca_file: str | None) -> GatewayError:
        with self.assertRaises(GatewayError) as caught:
            self.over_tls(url, ca_file)
        return caught.exception

    def test_a_certificate_of_the_ca_that_was_named(self) -> None:
        self.assertEqual(self.over_tls(self.serve(), self.authority.certificate), [])

    def test_a_certificate_of_a_ca_that_nobody_named(self) -> None:
        url = self.serve()
        for ca_file in (None, Authority(self.folder, "another").certificate):
            failure = self.refused(url, ca_file)
            self.assertEqual((type(failure), failure.exit_code), (Unavailable, 6))
            self.assertIn(f"the certificate of {url} is not accepted", failure.message)
            self.assertIn("--ca-file FILE", failure.hint)

    def test_a_certificate_of_another_name(self) -> None:
        failure = self.refused(self.serve().replace("127.0.0.1", "localhost"), self.authority.certificate)
        self.assertIn("not valid for 'localhost'", failure.message)
        self.assertEqual(failure.hint, "name the server as its certificate does")

    def test_a_certificate_that_is_not_valid_now(self) -> None:
        url, context = self.serve(), exchange._tls(self.authority.certificate)
        # As seen by a machine whose clock says another day: the handshake's own time cannot be set from here.
        error = exchange.ssl.SSLCertVerificationError(1, "failed")
        error.verify_code, error.verify_message = 10, "certificate has expired"
        with mock.patch.object(type(context), "wrap_socket", side_effect=error):
            failure = self.refused(url, self.authority.certificate)
        self.assertIn("is not accepted: certificate has expired", failure.message)
        self.assertIn("have it renewed", failure.hint)

    def test_a_server_that_takes_only_clients_with_a_certificate(self) -> None:
        url = self.serve(client_ca=self.authority.certificate)
        failure = self.refused(url, self.authority.certificate)
        self.assertIs(type(failure), Unavailable)
        self.assertIn("refuses this client", failure.message)
        self.assertIn("--tls-client-ca", failure.hint)

    def test_plain_http_to_a_port_with_tls(self) -> None:
        url = self.serve().replace("https", "http")
        for row in (LIST, ADD):
            failure = self.failure(url, row)
            self.assertEqual(failure.exit_code, 6)
            self.assertIn("https://", failure.hint)

    def test_a_file_that_is_no_ca(self) -> None:
        os.mkfifo(self.path("fifo"))
        for path, reason in (
            (self.path("none"), "no such file"),
            (self.folder, "not a regular file"),
            (self.path("fifo"), "not a regular file"),
            (self.write("empty", ""), "no certificate in it"),
            (self.write("junk", b"\xff\0junk"), "no certificate in it"),
            (self.machine.key, "no certificate in it"),
        ):
            with self.subTest(path=path):
                failure = self.refused("https://127.0.0.1:1", path)
                self.assertEqual((type(failure), failure.private), (InvalidRequest, path))
                self.assertIn("--ca-file cannot be used", failure.message)
                self.assertIn(reason, failure.message)


if __name__ == "__main__":
    unittest.main()
