from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest
import warnings
from typing import Any

from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.web.connections import Timeouts
from secure_mcp_gateway.web.request import Limits, Request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import TlsFiles, WebServer
from tests.web.gate import until
from tests.web.raw import RawClient, ServerCase, get, post

OPENSSL = shutil.which("openssl")
_pairs: dict[str, TlsFiles] = {}
_folder = ""


def setUpModule() -> None:
    global _folder
    if not OPENSSL:
        raise unittest.SkipTest("no openssl command to make a certificate with")
    _folder = tempfile.mkdtemp()
    unittest.addModuleCleanup(shutil.rmtree, _folder)
    for name in ("one.example", "two.example"):
        _pairs[name] = make_pair(name)


def make_pair(name: str) -> TlsFiles:
    files = TlsFiles(os.path.join(_folder, name + ".crt"), os.path.join(_folder, name + ".key"))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", files.key)
    command = (OPENSSL or "", "req", "-x509", *key, "-out", files.certificate, "-days", "2", "-subj", "/CN=" + name)
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return files


def client_context(**options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


def application(request: Request) -> Response:
    return Response(200, request.read_body() or (b"secure" if request.secure else b"plain"))


class TlsCase(ServerCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.files = TlsFiles(os.path.join(folder.name, "crt"), os.path.join(folder.name, "key"))
        self.install("one.example")

    def install(self, name: str) -> None:
        for source, target in zip(_pairs[name][:2], self.files):
            shutil.copy(source, target)

    def serve(self, **options: Any) -> WebServer:
        self.server = self.start(application, tls=self.files, **options)
        return self.server

    def secure_client(self, **options: Any) -> RawClient:
        return self.connect(self.server, wrap=client_context(**options).wrap_socket)

    def served_certificate(self) -> bytes:
        with self.secure_client() as client:
            assert isinstance(client.sock, ssl.SSLSocket)
            return client.sock.getpeercert(binary_form=True) or b""


class Tls(TlsCase):
    def test_answers_over_one_kept_connection(self) -> None:
        self.serve()
        client = self.secure_client()
        for _ in range(3):
            self.assertEqual(client.send(get()).read().body, b"secure")
        data = post(b"hello")
        self.assertEqual(client.send(data[:20]).send(data[20:]).read().body, b"hello")

    def test_takes_large_bodies(self) -> None:
        self.serve()
        self.assertEqual(len(self.secure_client().send(post(b"a" * 3_000_000)).read().body), 3_000_000)

    def test_refuses_what_is_older_than_1_2(self) -> None:
        self.serve()
        with warnings.catch_warnings(), self.assertRaises((ssl.SSLError, ConnectionError)):
            warnings.simplefilter("ignore", DeprecationWarning)
            self.secure_client(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        self.assertEqual(self.secure_client(maximum_version=ssl.TLSVersion.TLSv1_2).send(get()).read().status, 200)

    def test_a_silent_client_blocks_nobody_and_is_given_up(self) -> None:
        self.serve(timeouts=Timeouts(handshake=0.3))
        silent = self.connect(self.server)
        self.assertEqual(self.secure_client().send(get()).read().status, 200)
        self.assertTrue(silent.is_closed())

    def test_a_client_that_speaks_plain_http_harms_nobody(self) -> None:
        self.serve()
        plain = self.connect(self.server).send(get())
        self.assertNotIn(b"HTTP", plain.read_to_end())
        self.assertEqual(self.secure_client().send(get()).read().status, 200)

    def test_a_refused_client_that_is_still_sending_sees_the_answer(self) -> None:
        self.serve(limits=Limits(body=1000), timeouts=Timeouts(linger=0.5))
        client = self.secure_client().send_what_goes(post(b"a" * 500_000))
        self.assertEqual(client.read().status, 413)
        self.assertTrue(client.is_closed())

    @unittest.skipUnless(hasattr(ssl, "OP_IGNORE_UNEXPECTED_EOF"), "this Python cannot tell OpenSSL to")
    def test_idle_connections_end_with_a_goodbye(self) -> None:
        self.serve(timeouts=Timeouts(idle=0.1))
        context = client_context()
        client = self.connect(self.server, wrap=lambda sock: context.wrap_socket(sock, suppress_ragged_eofs=False))
        self.assertEqual(client.sock.recv(1), b"")

    def test_a_head_that_stops_is_answered_408(self) -> None:
        self.serve(timeouts=Timeouts(head=0.1, linger=0.1))
        self.assertEqual(self.secure_client().send(b"GET / HT").read().status, 408)

    def test_a_silent_client_makes_room(self) -> None:
        self.serve(max_connections=1)
        silent = self.connect(self.server)
        self.assertTrue(until(lambda: len(self.server._connections) == 1))
        self.assertEqual(self.secure_client().send(get()).read().status, 200)
        self.assertNotIn(b"HTTP", silent.read_to_end())


class Reloading(TlsCase):
    def test_serves_the_new_certificate_and_keeps_old_connections(self) -> None:
        self.serve()
        old, before = self.secure_client(), self.served_certificate()
        self.install("two.example")
        self.server.reload_tls()
        self.assertTrue(until(lambda: self.served_certificate() != before))
        self.assertEqual(old.send(get()).read().status, 200)

    def test_keeps_the_old_certificate_where_the_new_one_is_bad(self) -> None:
        self.serve()
        before, said = self.served_certificate(), io.StringIO()
        with open(self.files.key, "w", encoding="ascii") as file:
            file.write("no key")
        with contextlib.redirect_stderr(said):
            self.server.reload_tls()
            self.assertTrue(until(said.getvalue))
        self.assertIn("the old ones stay in use", json.loads(said.getvalue())["problem"])
        self.assertEqual(self.served_certificate(), before)


class Starting(TlsCase):
    def test_with_a_bad_certificate_fails(self) -> None:
        with open(self.files.certificate, "w", encoding="ascii") as file:
            file.write("no certificate")
        with listening_socket("127.0.0.1", 0) as listener, self.assertRaises(OSError):
            WebServer(listener, application, tls=self.files)

    def test_with_a_key_under_a_password_fails_without_asking(self) -> None:
        command = (OPENSSL or "", "ec", "-in", self.files.key, "-out", self.files.key + "2", "-aes256", "-passout", "pass:word")
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        with listening_socket("127.0.0.1", 0) as listener, self.assertRaises(OSError):
            WebServer(listener, application, tls=TlsFiles(self.files.certificate, self.files.key + "2"))
