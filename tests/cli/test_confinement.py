"""``start-api --paranoid``: what is refused, that the server lives on, and that everything it is for goes on as ever."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from tests.cli.server_process import Server
from tests.cli.tempted import DEEDS
from tests.cli.test_read_only import ReadOnlyServer
from tests.support import DEADLINE, PYTHON, environment
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority, client_context

# These answer as if nothing had happened: the deed's own error was swallowed.
_SWALLOWED = ("swallow", "on another thread")
_ENDING = ("fork", "exec", "pty")
# Without --paranoid these change nothing that the test could see.
_UNSEEN = ("listen", "look up", "look up a name", "look up an address", "load the starter of processes", "call into C")


class Tempted(Server):
    def __init__(self, port: int, folder: str, argv: list[str]) -> None:
        words = [*PYTHON, "-m", "tests.cli.tempted", str(port), folder, *argv]
        # What is refused amid a call of the standard library leaves that call's socket open.
        settings = environment(PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore::ResourceWarning")
        self.process = subprocess.Popen(words, env=settings, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.line = self._first_line()


@unittest.skipIf(os.name == "nt", "the deeds are those of POSIX")
class Confined(ReadOnlyServer):
    def setUp(self) -> None:
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.datagrams.close)
        self.datagrams.bind(self.listener.getsockname())
        self.listener.setblocking(False)
        self.datagrams.setblocking(False)
        os.mkdir(self.path("outside"))
        self.furnish()
        os.mkdir(self.path("s", "files"))
        os.symlink(self.path("outside", "mark"), self.path("s", "files", "link"))

    def furnish(self) -> None:
        self.write("outside/there", "as it was")
        self.write("outside/foreign.py", "import __main__\n__main__.leave_mark()\n")

    def tempted(self, *flags: str) -> Tempted:
        argv = ["--store", self.store, "system", "start-api", "--host=127.0.0.1", "--port=0", *flags]
        server = Tempted(self.listener.getsockname()[1], self.path("outside"), argv)
        self.addCleanup(server.kill)
        self.assertTrue(server.line, "it did not start")
        return server

    def tempt(self, server: Server, deed: str) -> tuple[int, Any]:
        return self.ask(server, "POST", "/api/v1/configs/search", {"search_term": deed})

    def traces(self) -> list[Any]:
        """What the outside would have seen: connections, datagrams, and files as they are."""
        found: list[Any] = []
        for receive in (lambda: self.listener.accept()[0].close(), lambda: self.datagrams.recv(100)):
            try:
                found.append(receive())
            except BlockingIOError:
                pass
        for path in sorted(Path(self.path("outside")).iterdir()):
            stat = path.stat()
            found.append((path.name, stat.st_mode, stat.st_size, stat.st_mtime_ns))
        return found

    def test_every_deed_is_refused_logged_and_lived_through(self) -> None:
        server, before = self.tempted("--paranoid", "--files-root", self.path("s", "files")), self.traces()
        incidents = {}
        for deed in DEEDS:
            with self.subTest(deed=deed):
                status, answer = self.tempt(server, deed)
                self.assertEqual((status, answer.get("error")), (200, None) if deed in _SWALLOWED else (500, "internal_error"))
                if deed not in _SWALLOWED:
                    incidents[deed] = re.findall("incident ([0-9a-f]{16})", answer["detail"])[0]
                    self.assertNotIn("paranoid", answer["detail"])
                self.assertEqual(self.traces(), before)
                self.assertEqual(self.tempt(server, "default")[0], 200)
        code, err = server.stop()
        self.assertEqual(code, 0)
        attempts = {record["incident"]: record for record in map(json.loads, err.splitlines()) if "attempt" in record}
        self.assertEqual(len(attempts), len(DEEDS))
        for deed, incident in incidents.items():
            self.assertTrue(attempts[incident]["attempt"].startswith("--paranoid refused "), deed)
            self.assertIn("tempted.py", attempts[incident]["traceback"])

    def test_a_bare_name_means_a_file_in_the_store_s_folder_wherever_it_was_started(self) -> None:
        server, before = self.tempted("--paranoid", "--no-access-log"), self.traces()
        self.assertEqual(self.tempt(server, "bare name")[0], 200)
        self.assertTrue(os.path.exists(self.path("s", "bare")))
        self.assertEqual(self.traces(), before)

    def test_a_plain_fault_is_reported_as_ever(self) -> None:
        server = self.tempted("--paranoid")
        status, answer = self.tempt(server, "fault")
        self.assertEqual((status, answer["error"]), (500, "internal_error"))
        _, err = server.stop()
        (record,) = [record for record in map(json.loads, err.splitlines()) if "traceback" in record]
        self.assertIn("ZeroDivisionError: a fault of ours", record["traceback"])
        self.assertNotIn("attempt", record)

    def test_without_it_the_same_deeds_are_done(self) -> None:
        server = self.tempted("--no-access-log")
        for deed in DEEDS:
            if deed in _ENDING or deed in _UNSEEN:
                continue
            with self.subTest(deed=deed):
                mark = Path(self.path("outside", "mark"))
                if mark.is_dir():
                    mark.rmdir()
                else:
                    mark.unlink(missing_ok=True)
                self.furnish()
                before = self.traces()
                self.assertEqual(self.tempt(server, deed)[0], 200)
                self.assertNotEqual(self.traces(), before)


class WhatGoesOn(ReadOnlyServer):
    def test_files_named_in_requests_go_to_files_beside_the_store_and_nowhere_else(self) -> None:
        server = self.start("--paranoid", "--no-access-log")
        for path, expected in (("b.json", 200), (self.path("s", "files", "c.json"), 200), (self.path("d.json"), 403), ("../e.json", 403)):
            with self.subTest(path=path):
                status, answer = self.ask(server, "POST", "/api/v1/system/backup", {"output_file": path})
                self.assertEqual(status, expected, answer)
        self.assertEqual(sorted(os.listdir(self.path("s", "files"))), ["b.json", "c.json"])
        status, _ = self.ask(server, "POST", "/api/v1/system/restore", {"input_file": "b.json"})
        self.assertEqual(status, 200)
        self.assertEqual(server.stop(), (0, ""))

    def test_with_read_only_it_reads_and_may_write_nowhere(self) -> None:
        server = self.start("--paranoid", "--read-only", "--no-access-log")
        self.check_every_read_and_some_writes(server)
        self.assertFalse(os.path.exists(self.path("s", "files")))
        self.assertEqual(server.stop(), (0, ""))

    def test_it_goes_together_with_a_service_manager_and_reloading(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("notify"))
            manager.settimeout(DEADLINE)
            server = self.start("--no-access-log", "--reload", SECURE_MCP_GATEWAY_PARANOID="1", NOTIFY_SOCKET=self.path("notify"))
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertEqual(self.ask(server, "POST", "/api/v1/configs", {"config_name": "x"})[0], 201)
            self.assertEqual(server.stop(), (0, ""))
            self.assertEqual(manager.recv(100), b"STOPPING=1")

    @unittest.skipUnless(OPENSSL, NO_OPENSSL)
    def test_it_goes_together_with_tls_and_its_files_being_read_again(self) -> None:
        authority = Authority(self.folder, "ca")
        machine, ada = authority.issue("machine", "serverAuth"), authority.issue("ada")
        flags = ["--tls-cert", machine.certificate, "--tls-key", machine.key, "--tls-client-ca", authority.certificate]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("notify"))
            manager.settimeout(DEADLINE)
            server = self.start("--paranoid", "--no-access-log", *flags, NOTIFY_SOCKET=self.path("notify"))
            context = client_context(authority.certificate, ada)
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertEqual(server.get(context=context)["status"], "ok")
            server.signal(signal.SIGHUP)
            self.assertTrue(manager.recv(100).startswith(b"RELOADING=1"))
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertEqual(server.get(context=context)["status"], "ok")
            self.assertEqual(server.stop(), (0, ""))

    def test_a_relative_store_and_modules_that_are_not_compiled_yet_make_no_difference(self) -> None:
        argv = ["--store", "s/store.json", "system", "start-api", "--host=127.0.0.1", "--port=0", "--no-access-log", "--paranoid"]
        words = [sys.executable, "-m", "secure_mcp_gateway", *argv]
        settings = environment(PYTHONPYCACHEPREFIX=self.path("compiled"), PYTHONDONTWRITEBYTECODE="")
        with subprocess.Popen(words, env=settings, cwd=self.folder, stdout=subprocess.PIPE, encoding="utf-8") as process:
            self.addCleanup(process.kill)
            assert process.stdout is not None
            server = object.__new__(Server)
            server.line = process.stdout.readline().strip()
            self.assertEqual(self.ask(server, "POST", "/api/v1/configs", {"config_name": "x"})[0], 201)
            process.terminate()
            self.assertEqual(process.wait(DEADLINE), 0)
        self.assertIn("x", [row["mcp_config_name"] for row in self.done("config", "list")])
        self.assertTrue(os.path.isdir(self.path("compiled")))


if __name__ == "__main__":
    unittest.main()
