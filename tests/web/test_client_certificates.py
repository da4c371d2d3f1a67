"""A server that lets in only who holds a certificate of its CA."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import ssl
import tempfile
import unittest

from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import TlsFiles, WebServer
from tests.support import FolderCase
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority, Pair, client_context
from tests.web.gate import until
from tests.web.raw import RawClient, ServerCase, get

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
_folder = ""
_ours: Authority
_theirs: Authority
_server: Pair
_ada: Pair
_eve: Pair


def setUpModule() -> None:
    global _folder, _ours, _theirs, _server, _ada, _eve
    if not OPENSSL:
        raise unittest.SkipTest(NO_OPENSSL)
    _folder = tempfile.mkdtemp()
    unittest.addModuleCleanup(shutil.rmtree, _folder)
    _ours, _theirs = Authority(_folder, "ours"), Authority(_folder, "theirs")
    _server = _theirs.issue("server", "serverAuth")
    _ada, _eve = _ours.issue("ada"), _theirs.issue("eve")


def application(_: Request) -> Response:
    return Response(200, b"let in")


class Guarded(ServerCase, FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.ca = self.path("ca.pem")
        shutil.copy(_ours.certificate, self.ca)
        self.reached: list[Request] = []
        self.server = self.start(self.answer, tls=TlsFiles(*_server, self.ca))

    def answer(self, request: Request) -> Response:
        self.reached.append(request)
        return application(request)

    def secured(self, context: ssl.SSLContext) -> RawClient:
        return self.connect(self.server, wrap=lambda sock: context.wrap_socket(sock, server_hostname="127.0.0.1"))

    def answered(self, pair: Pair | None, version: ssl.TLSVersion | None = None) -> bytes:
        """All that comes back for a request; nothing where the connection ends before."""
        try:
            return self.secured(client_context(_theirs.certificate, pair, version)).send(get("/", "Connection: close")).read_to_end()
        except (ssl.SSLError, ConnectionError):
            return b""

    def test_who_holds_a_certificate_of_the_ca_is_served(self) -> None:
        for version in VERSIONS:
            self.assertIn(b"let in", self.answered(_ada, version))
        self.assertEqual(len(self.reached), 2)

    def test_who_holds_none_or_another_gets_no_http_at_all(self) -> None:
        itself = Authority(self.folder, "itself")
        for name, pair in (
            ("none", None),
            ("another CA's", _eve),
            ("a server's", _ours.issue("machine", "serverAuth")),
            ("self-signed", Pair(itself.certificate, itself.key)),
            ("that of another CA with the same name", Authority(self.folder, "ours").issue("ada")),
        ):
            for version in VERSIONS:
                with self.subTest(certificate=name, version=version):
                    self.assertEqual(self.answered(pair, version), b"")
        self.assertEqual(self.reached, [])
        self.assertIn(b"let in", self.answered(_ada))

    def test_plain_http_is_not_spoken_either(self) -> None:
        client = self.connect(self.server).send(get())
        self.assertNotIn(b"HTTP", client.read_to_end())

    def reload(self, content: str) -> str:
        """With this file as the CA's; gives what is said."""
        shutil.copy(content, self.ca)
        said, before = io.StringIO(), self.server._tls
        with contextlib.redirect_stderr(said):
            self.server.reload_tls()
            self.assertTrue(until(lambda: said.getvalue() or self.server._tls is not before))
        return said.getvalue()

    def test_the_ca_is_read_again_and_who_is_connected_stays(self) -> None:
        kept = self.secured(client_context(_theirs.certificate, _ada))
        self.assertEqual(kept.send(get()).read().status, 200)
        self.assertEqual(self.reload(_theirs.certificate), "")
        self.assertEqual(self.answered(_ada), b"")
        self.assertIn(b"let in", self.answered(_eve))
        self.assertEqual(kept.send(get()).read().status, 200)

    def test_a_session_from_before_lets_nobody_in(self) -> None:
        for version in VERSIONS:
            self.reload(_ours.certificate)
            context = client_context(_theirs.certificate, _ada, version)
            client = self.secured(context)
            self.assertEqual(client.send(get()).read().status, 200)
            assert isinstance(client.sock, ssl.SSLSocket)
            session, before = client.sock.session, len(self.reached)
            self.reload(_theirs.certificate)
            with self.subTest(version=version), self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                self.resumed(context, session).send(get()).read()
            self.assertEqual(len(self.reached), before)

    def resumed(self, context: ssl.SSLContext, session: ssl.SSLSession | None) -> RawClient:
        assert session is not None
        return self.connect(self.server, wrap=lambda sock: context.wrap_socket(sock, server_hostname="127.0.0.1", session=session))

    def test_a_ca_that_cannot_be_read_again_leaves_the_old_one(self) -> None:
        for bad in (self.write("empty", ""), self.write("no-pem", "no certificate"), _server.key, _ada.certificate):
            with self.subTest(bad=bad):
                self.assertIn("the old ones stay in use", json.loads(self.reload(bad))["problem"])
                self.assertIn(b"let in", self.answered(_ada))
                self.assertEqual(self.answered(_eve), b"")

    def test_it_does_not_start_with_a_file_that_names_no_ca(self) -> None:
        for bad in (self.write("empty", ""), _ada.certificate, self.path("none")):
            with self.subTest(bad=bad), listening_socket("127.0.0.1", 0) as listener, self.assertRaises((OSError, ValueError)):
                WebServer(listener, application, tls=TlsFiles(*_server, bad))


if __name__ == "__main__":
    unittest.main()
