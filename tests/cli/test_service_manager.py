"""The server under a service manager: a socket that is handed over, and word of each stage. The test is the manager."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from typing import IO, Any
from unittest import mock

from secure_mcp_gateway.cli.output import Output
from secure_mcp_gateway.cli.service_manager import Notifier, activated_socket
from tests.cli.server_process import Server, ServerCase, until
from tests.support import DEADLINE, PYTHON, ROOT, FolderCase, command, environment

# The shell that becomes the server knows its process id; what stands on its standard input is handed over as descriptor 3.
_HAND_OVER = 'export LISTEN_PID=$$; exec "$@" 3<&0 </dev/null'
_REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Activated(Server):
    def __init__(self, argv: list[str], handed: socket.socket | IO[bytes], before: tuple[str, ...] = (), **more: str) -> None:
        settings = environment(**{"LISTEN_FDS": "1", "LISTEN_FDNAMES": "api", **more})
        words = ["sh", "-c", _HAND_OVER, "sh", *before, *(argv if argv[0] == sys.executable else command(*argv))]
        self.process = subprocess.Popen(words, env=settings, cwd=ROOT, stdin=handed, stdout=-1, stderr=-1)
        self.line = self._first_line()


@unittest.skipIf(os.name == "nt", "there are no such service managers on Windows")
class Activation(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(self.listener.close)
        self.argv = ["--store", self.store, "--format", "json", "system", "start-api", "--no-access-log"]

    def activated(self, *flags: str, handed: Any = None, **more: str) -> Activated:
        server = Activated([*self.argv, *flags], handed or self.listener, **more)
        self.addCleanup(server.kill)
        return server

    def caller(self) -> socket.socket:
        client = socket.create_connection(self.listener.getsockname(), timeout=DEADLINE)
        self.addCleanup(client.close)
        client.sendall(_REQUEST)
        return client

    def test_it_serves_on_the_socket_and_says_its_address(self) -> None:
        server = self.activated()
        self.assertEqual(server.line, f"http://127.0.0.1:{self.listener.getsockname()[1]}")
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop(), (0, ""))

    def test_who_came_before_it_started_or_while_it_was_away_is_answered(self) -> None:
        for _ in range(2):
            waiting = [self.caller() for _ in range(20)]
            server = self.activated()
            for client in waiting:
                self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200 "))
            self.assertEqual(server.stop(), (0, ""))

    def test_one_that_reloads_serves_on_it_too(self) -> None:
        server = self.activated("--reload")
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop()[0], 0)

    def test_a_socket_of_the_other_family_and_of_all_addresses_does_too(self) -> None:
        with socket.socket(socket.AF_INET6) as listener:
            try:
                listener.bind(("::1", 0))
            except OSError:
                self.skipTest("there is no IPv6 here")
            listener.listen()
            server = self.activated(handed=listener)
            self.assertRegex(server.line, r"\Ahttp://\[::1\]:\d+\Z")
            self.assertEqual(server.get()["status"], "ok")
            server.kill()
        with socket.create_server(("0.0.0.0", 0)) as listener:
            server = self.activated(handed=listener)
            self.assertIn("warning: without --tls-cert", server.stop()[1])

    @unittest.skipUnless(shutil.which("unshare"), "there is no unshare command")
    def test_without_any_network_of_its_own_it_serves_too(self) -> None:
        tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, timeout=DEADLINE, check=False)
        if tried.returncode:
            self.skipTest("only root can take the network away from a process")
        server = Activated([*self.argv, "--paranoid"], self.listener, before=("unshare", "--net"))
        self.addCleanup(server.kill)
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop(), (0, ""))

    def refusal(self, handed: Any = None, *flags: str, **more: str) -> str:
        server = self.activated(*flags, handed=handed, **more)
        self.assertEqual(server.line, "")
        code, err = server.ended()
        self.assertEqual(code, 2, err)
        return err

    def test_what_is_no_listening_tcp_socket_is_refused_with_a_way_out(self) -> None:
        for kind, reason in (
            ((socket.AF_UNIX, socket.SOCK_STREAM), "no TCP"),
            ((socket.AF_INET, socket.SOCK_DGRAM), "no TCP"),
            ((socket.AF_INET, socket.SOCK_STREAM), "does not listen"),
        ):
            with self.subTest(kind=kind), socket.socket(*kind) as handed:
                said = self.refusal(handed)
                self.assertIn(reason, said)
                self.assertIn("ListenStream=", said)
        with socket.create_connection(self.listener.getsockname()) as connected:
            self.assertIn("does not listen", self.refusal(connected))
        with tempfile.TemporaryFile() as file:
            self.assertIn("cannot be served on", self.refusal(file))

    def test_a_local_socket_that_listens_is_refused(self) -> None:
        with socket.socket(socket.AF_UNIX) as local:
            local.bind(self.path("local"))
            local.listen()
            self.assertIn("no TCP", self.refusal(local))

    def test_any_other_number_of_sockets_is_refused(self) -> None:
        for count in ("0", "2", ""):
            with self.subTest(count=count):
                self.assertIn("exactly one socket", self.refusal(LISTEN_FDS=count))

    def test_an_address_beside_it_is_refused(self) -> None:
        self.assertIn("leave --host and --port out", self.refusal(None, "--port=8001"))
        self.assertIn("leave --host and --port out", self.refusal(SECURE_MCP_GATEWAY_HOST="::"))

    def test_what_was_meant_for_another_process_is_left_alone_and_forgotten(self) -> None:
        for process in (str(os.getpid() + 1), "", "none"):
            with mock.patch.dict(os.environ, LISTEN_PID=process, LISTEN_FDS="1", LISTEN_FDNAMES="x"):
                self.assertIsNone(activated_socket())
                self.assertEqual([name for name in os.environ if name.startswith("LISTEN_")], [])
        server = self.start("--no-access-log", LISTEN_PID="1", LISTEN_FDS="1")
        self.assertNotEqual(server.port, self.listener.getsockname()[1])
        self.assertEqual(server.stop(), (0, ""))

    def test_no_process_of_ours_inherits_the_socket_or_the_variables(self) -> None:
        code = "import os; from secure_mcp_gateway.cli.service_manager import activated_socket as a; s = a()\n"
        code += "print(s.fileno(), s.get_inheritable(), [name for name in os.environ if name.startswith('LISTEN_')])"
        server = Activated([*PYTHON, "-c", code], self.listener)
        self.addCleanup(server.kill)
        self.assertEqual(server.line, "3 False []")

    def test_without_any_of_it_nothing_of_it_is_loaded(self) -> None:
        code, err = self.start("--no-access-log", PYTHONPROFILEIMPORTTIME="1").stop()
        self.assertEqual(code, 0)
        self.assertIn("secure_mcp_gateway.cli.listening", err)
        self.assertNotIn("secure_mcp_gateway.cli.service_manager", err)


@unittest.skipUnless(hasattr(socket, "AF_UNIX"), "there are no local sockets here")
class Notification(ServerCase):
    def manager(self, address: str) -> socket.socket:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind("\0" + address[1:] if address.startswith("@") else address)
        manager.settimeout(DEADLINE)
        return manager

    def test_it_tells_when_it_serves_reloads_and_stops(self) -> None:
        addresses = [self.path("notify")]
        if sys.platform == "linux":
            addresses.append(f"@{os.path.basename(self.folder)}")
        for address in addresses:
            with self.subTest(address=address):
                manager = self.manager(address)
                server = self.start("--no-access-log", NOTIFY_SOCKET=address)
                self.assertEqual(manager.recv(4096), b"READY=1")
                self.assertEqual(server.get()["status"], "ok")
                asked = time.monotonic_ns() // 1000
                server.signal(signal.SIGHUP)
                moment = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", manager.recv(4096))
                assert moment is not None
                if sys.platform == "linux":
                    self.assertTrue(asked <= int(moment[1]) <= time.monotonic_ns() // 1000)
                self.assertEqual(manager.recv(4096), b"READY=1")
                self.assertEqual(server.stop(), (0, ""))
                self.assertEqual(manager.recv(4096), b"STOPPING=1")
                manager.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    manager.recv(4096)

    def test_it_tells_of_its_stopping_while_a_request_is_under_way(self) -> None:
        manager = self.manager(self.path("notify"))
        server = self.start("--no-access-log", NOTIFY_SOCKET=self.path("notify"))
        self.assertEqual(manager.recv(4096), b"READY=1")
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as slow:
            lines = ["POST /api/v1/configs HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.keys['admin_api_key']}"]
            lines += ["Content-Type: application/json", "Content-Length: 23", "Expect: 100-continue", "", ""]
            slow.sendall("\r\n".join(lines).encode())
            self.assertIn(b"100", slow.recv(4096))
            server.signal(signal.SIGTERM)
            self.assertEqual(manager.recv(4096), b"STOPPING=1")
            slow.sendall(b'{"config_name": "late"}')
            self.assertIn(b" 201 ", slow.recv(4096))
        self.assertEqual(server.ended(), (0, ""))

    def test_where_nobody_listens_it_warns_and_serves(self) -> None:
        for address, reason in ((self.path("none"), "No such file"), ("vsock:2:1", "neither a path nor @NAME")):
            with self.subTest(address=address):
                server = self.start("--no-access-log", NOTIFY_SOCKET=address)
                self.assertEqual(server.get()["status"], "ok")
                code, err = server.stop()
                self.assertEqual((code, err.count("warning: ")), (0, 1), err)
                self.assertIn(reason, err)

    def test_a_manager_that_went_away_ends_nothing(self) -> None:
        manager = self.manager(self.path("notify"))
        server = self.start("--no-access-log", NOTIFY_SOCKET=self.path("notify"))
        self.assertEqual(manager.recv(4096), b"READY=1")
        manager.close()
        server.signal(signal.SIGHUP)
        self.assertIn("warning: the service manager cannot be told", server.error_line())
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop()[0], 0)


@unittest.skipUnless(hasattr(socket, "AF_UNIX"), "there are no local sockets here")
class TheNotifier(FolderCase):
    def test_the_variable_is_gone_once_it_is_read(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("n"))
            with mock.patch.dict(os.environ, NOTIFY_SOCKET=self.path("n")):
                notifier = Notifier(Output("json", False))
                self.assertNotIn("NOTIFY_SOCKET", os.environ)
            notifier.tell("STOPPING")
            self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_a_manager_that_does_not_read_does_not_hold_the_server_up_for_long(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("n"))
            output = mock.create_autospec(Output, instance=True)
            with mock.patch.dict(os.environ, NOTIFY_SOCKET=self.path("n")):
                notifier = Notifier(output)
            assert notifier._socket is not None
            notifier._socket.settimeout(0.01)
            self.assertTrue(until(lambda: notifier.tell("READY") or output.warn.called))
            notifier.tell("STOPPING")


if __name__ == "__main__":
    unittest.main()
