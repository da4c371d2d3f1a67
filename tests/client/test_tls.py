"""Over TLS: whose certificate is taken, and in which words another one is not."""

from __future__ import annotations

import os
import ssl
import subprocess
import unittest
from unittest import mock

from secure_mcp_gateway.client.address import ClientFiles
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

WITH_KEY = "name the file with the key: --client-key FILE"


def text_of(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


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

    def over_tls(self, url: str, ca_file: str | None, client: ClientFiles | None = None) -> object:
        server = self.server(url)
        server.ca_file, server.client = ca_file, client
        with Remote(server) as remote:
            return remote.perform(LIST, {})

    def refused(self, url: str, ca_file: str | None, client: ClientFiles | None = None) -> GatewayError:
        with self.assertRaises(GatewayError) as caught:
            self.over_tls(url, ca_file, client)
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
        url = self.serve()
        # As seen by a machine whose clock says another day: the handshake's own time cannot be set from here.
        error = ssl.SSLCertVerificationError(1, "failed")
        error.verify_code, error.verify_message = 10, "certificate has expired"
        with mock.patch.object(ssl.SSLContext, "wrap_socket", side_effect=error):
            failure = self.refused(url, self.authority.certificate)
        self.assertIn("is not accepted: certificate has expired", failure.message)
        self.assertIn("have it renewed", failure.hint)

    def test_a_server_that_takes_only_clients_with_a_certificate(self) -> None:
        url = self.serve(client_ca=self.authority.certificate)
        failure = self.refused(url, self.authority.certificate)
        self.assertIs(type(failure), Unavailable)
        self.assertIn("refuses this client", failure.message)
        self.assertIn("--client-cert FILE", failure.hint)
        stranger = Authority(self.folder, "another").issue("eve")
        failure = self.refused(url, self.authority.certificate, ClientFiles(stranger.certificate, "$CERT", stranger.key, "$KEY"))
        self.assertIn("refuses this client", failure.message)
        self.assertIn("is the certificate in $CERT valid, and of the CA in its --tls-client-ca?", failure.hint)

    def test_the_certificate_of_a_client_is_shown(self) -> None:
        url, ada = self.serve(client_ca=self.authority.certificate), self.authority.issue("ada")
        both = self.private("both.pem", text_of(ada.certificate) + text_of(ada.key))
        for certificate, key in ((ada.certificate, ada.key), (both, both), (both, ada.key)):
            self.assertEqual(self.over_tls(url, self.authority.certificate, ClientFiles(certificate, "--c", key, "--k")), [])

    def test_a_key_with_a_passphrase_is_not_asked_about(self) -> None:
        ada = self.authority.issue("ada")
        locked = self.private("locked.key", "")
        for cipher in (["pkey", "-aes256"], ["ec", "-aes256"]):
            words = [OPENSSL, *cipher, "-in", ada.key, "-out", locked, "-passout", "pass:marked"]
            subprocess.run(words, check=True, capture_output=True, timeout=30)
            failure = self.refused("https://127.0.0.1:1", None, ClientFiles(ada.certificate, "--client-cert", locked, "--client-key"))
            self.assertEqual(failure.message, "--client-key cannot be used: the key in it has a passphrase")
            self.assertIn(f"openssl pkey -in {locked} -out client.key", failure.hint)

    def test_a_key_that_others_may_read_is_not_used(self) -> None:
        ada = self.authority.issue("ada")
        os.chmod(ada.key, 0o640)
        failure = self.refused("https://127.0.0.1:1", None, ClientFiles(ada.certificate, "--c", ada.key, "$K"))
        self.assertEqual(failure.message, "$K can be read by others (mode 0640)")
        self.assertEqual(failure.hint, f"chmod 600 {ada.key}")
        os.chmod(ada.key, 0o600)
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            failure = self.refused("https://127.0.0.1:1", None, ClientFiles(ada.certificate, "--c", ada.key, "$K"))
        self.assertIn("$K belongs to another user", failure.message)

    def test_files_that_are_no_certificate_or_not_its_key(self) -> None:
        ada, bob = self.authority.issue("ada"), self.authority.issue("bob")
        rsa = self.private("rsa.key", "")
        subprocess.run([OPENSSL, "genrsa", "-out", rsa, "2048"], check=True, capture_output=True, timeout=30)
        os.mkfifo(self.path("fifo"))
        for certificate, key, said in (
            (self.path("none"), ada.key, "--c cannot be used: no such file"),
            (self.folder, ada.key, "--c cannot be used: it is not a regular file"),
            (self.path("fifo"), ada.key, "--c cannot be used: it is not a regular file"),
            (ada.key, ada.key, "--c cannot be used: there is no certificate in it"),
            (self.write("junk", b"\xff\0junk"), ada.key, "--c cannot be used: there is no certificate in it"),
            (ada.certificate, self.path("none"), "--k cannot be used: no such file"),
            (ada.certificate, self.path("fifo"), "--k cannot be used: it is not a regular file"),
            (ada.certificate, self.private("empty", ""), "--k cannot be used: there is no private key in it"),
            (ada.certificate, bob.key, "--k cannot be used: it is not the key of the certificate in --c"),
            (ada.certificate, rsa, "--k cannot be used: it is not the key of the certificate in --c"),
        ):
            with self.subTest(certificate=certificate, key=key):
                failure = self.refused("https://127.0.0.1:1", None, ClientFiles(certificate, "--c", key, "--k"))
                self.assertEqual(type(failure), InvalidRequest)
                self.assertIn(said, failure.message)
                self.assertEqual(failure.private, key if "--k" in said else certificate)
        os.chmod(ada.certificate, 0o644)
        failure = self.refused("https://127.0.0.1:1", None, ClientFiles(ada.certificate, "--c", ada.certificate, "--c"))
        self.assertEqual((failure.message, failure.hint), ("--c cannot be used: there is no private key in it", WITH_KEY))

    def private(self, name: str, content: str) -> str:
        path = self.write(name, content)
        os.chmod(path, 0o600)
        return path

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
