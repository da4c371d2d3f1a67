"""Stopping a server from the command line, and starting it anew when its source changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

from secure_mcp_gateway.cli import running, stop_api
from secure_mcp_gateway.cli.output import Output
from tests.cli.server_process import Server, ServerCase, entries, until
from tests.support import DEADLINE, PYTHON, ROOT, environment


class Stopping(ServerCase):
    def test_it_waits_until_the_server_has_ended(self) -> None:
        server = self.start("--no-access-log")
        with mock.patch.object(Output, "working", autospec=True, side_effect=Output.working) as working:
            said = self.done("system", "stop-api")
        working.assert_called_with(mock.ANY, "waiting for requests under way")
        self.assertEqual(said, {"port": server.port, "pid": server.process.pid})
        self.assertEqual(server.ended(), (0, ""))
        self.refused(3, "system", "stop-api")

    def test_where_several_run_the_port_says_which(self) -> None:
        one, other = self.start("--no-access-log"), self.start("--no-access-log")
        detail = self.refused(4, "system", "stop-api")
        self.assertTrue(str(one.port) in detail and str(other.port) in detail, detail)
        self.assertIn(str(one.port), self.refused(3, "system", "stop-api", "--port=1"))
        self.assertEqual(self.done("system", "stop-api", f"--port={other.port}")["pid"], other.process.pid)
        self.assertEqual(other.ended()[0], 0)
        self.assertIsNone(one.process.poll())

    def test_a_server_on_another_store_is_none_of_its_business(self) -> None:
        server = self.start("--init", "--no-access-log", store=self.path("other", "store.json"))
        self.refused(3, "system", "stop-api")
        self.assertEqual(server.stop()[0], 0)

    def test_what_a_killed_server_left_is_swept(self) -> None:
        server = self.start("--no-access-log")
        server.kill()
        self.assertEqual(len(entries(self.store)), 1)
        self.refused(3, "system", "stop-api")
        self.assertEqual(entries(self.store), [])

    def test_requests_under_way_keep_it_unless_forced(self) -> None:
        server = self.start("--no-access-log")
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            started = time.monotonic()
            self.done("system", "stop-api", "--force")
            self.assertLess(time.monotonic() - started, 8)
        self.assertEqual(server.ended()[0], 0)

    def test_a_server_that_does_not_listen_is_killed_when_forced_only(self) -> None:
        server = self.start("--no-access-log")
        server.signal(signal.SIGSTOP)
        with mock.patch.object(stop_api, "_GENTLE", ((signal.SIGTERM, 0.1),)):
            self.assertIn("--force", self.refused(6, "system", "stop-api"))
        with mock.patch.object(stop_api, "_FORCED", ((signal.SIGTERM, 0.1), (signal.SIGKILL, 10.0))):
            self.done("system", "stop-api", "--force")
        self.assertEqual(server.ended()[0], -signal.SIGKILL)

    def test_a_server_in_another_container_is_not_signalled(self) -> None:
        server = self.start("--no-access-log")
        with mock.patch.object(running, "machine", return_value="another"):
            self.assertIn("container", self.refused(5, "system", "stop-api"))
        self.assertEqual(server.stop()[0], 0)

    def test_another_user_is_not_allowed_whatever_the_folders_mode(self) -> None:
        self.start("--no-access-log")
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertIn("owner", self.refused(5, "system", "stop-api"))

    @unittest.skipIf(not hasattr(os, "seteuid") or os.geteuid() != 0, "only root can become somebody else")
    def test_folders_that_may_not_be_read_are_said_to_be_somebody_elses(self) -> None:
        self.start("--no-access-log")
        self.refused(3, "system", "stop-api", "--port=1")  # loads all that it needs while it can
        self.addCleanup(os.seteuid, 0)
        os.chmod(self.folder, 0o755)
        for mode in (0o755, 0o700):
            os.seteuid(0)
            os.chmod(self.path("s"), mode)
            os.seteuid(65534)
            self.refused(5, "system", "stop-api")

    def test_a_folder_of_servers_that_may_not_be_read_is_5_also_without_a_store(self) -> None:
        self.start("--no-access-log")
        os.unlink(self.store)
        with mock.patch("os.listdir", side_effect=PermissionError(13, "no")):
            self.refused(5, "system", "stop-api")

    def test_a_server_whose_store_is_gone_can_still_be_stopped(self) -> None:
        server = self.start("--no-access-log")
        os.unlink(self.store)
        self.done("system", "stop-api")
        self.assertEqual(server.ended()[0], 0)

    def test_its_entry_is_readable_by_the_owner_alone(self) -> None:
        self.start("--no-access-log")
        (name,) = entries(self.store)
        path = self.path("s", "servers", name)
        self.assertEqual((os.stat(path).st_mode & 0o777, os.stat(os.path.dirname(path)).st_mode & 0o777), (0o600, 0o700))


class Reloading(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        # With what is compiled, which takes longer than all else, but for the files that another process is writing.
        unfinished = shutil.ignore_patterns("*.pyc.*")
        shutil.copytree(ROOT / "secure_mcp_gateway", self.path("code", "secure_mcp_gateway"), ignore=unfinished)

    def start_reloading(self) -> Server:
        with mock.patch("tests.cli.server_process.ROOT", self.path("code")):
            server = self.start("--reload", "--no-access-log", PYTHONPATH=self.path("code"))
        self.assertEqual(len(entries(self.store)), 1, "it is announced once it can be stopped")
        return server

    def change(self, text: str) -> None:
        with open(self.path("code", "secure_mcp_gateway", "__init__.py"), "a", encoding="utf-8") as file:
            file.write(text)

    def test_a_change_starts_it_anew_on_the_same_socket(self) -> None:
        server = self.start_reloading()
        (before,) = entries(self.store)
        self.change('__version__ = "changed"\n')
        self.assertTrue(until(lambda: entries(self.store) not in ([], [before])))
        self.assertEqual(server.get()["version"], "changed")
        self.assertEqual(server.stop(), (0, ""))
        self.assertEqual(entries(self.store), [])

    def test_source_that_does_not_compile_leaves_the_server_that_runs_alone(self) -> None:
        server = self.start_reloading()
        before = entries(self.store)
        self.change("def (\n")
        self.assertIn("does not compile", server.error_line())
        self.assertEqual((server.get()["status"], entries(self.store)), ("ok", before))
        Path(self.path("code", "secure_mcp_gateway", "__init__.py")).write_text('__version__ = "mended"\n')
        self.assertTrue(until(lambda: server.get()["version"] == "mended"))
        self.assertEqual(server.stop(), (0, ""))

    def test_what_lies_in_the_current_folder_is_not_run(self) -> None:
        self.write("json.py", "raise SystemExit('run')\n")
        code = f"import sys; sys.path[0] = {str(ROOT)!r}; from secure_mcp_gateway.cli.main import main; sys.exit(main(sys.argv[1:]))"
        words = [sys.executable, "-c", code, "--store", self.store, "system", "start-api", "--reload", "--host=127.0.0.1", "--port=0"]
        with mock.patch("tests.cli.server_process.ROOT", self.folder), mock.patch("tests.cli.server_process.command", lambda: words):
            server = Server([])
        self.addCleanup(server.kill)
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop()[0], 0)

    def test_ctrl_c_ends_it_with_130(self) -> None:
        server = self.start_reloading()
        server.signal(signal.SIGINT)
        self.assertEqual(server.ended(), (130, ""))

    def test_a_server_that_was_killed_is_unexpected(self) -> None:
        server = self.start_reloading()
        os.kill(self.child_of(server), signal.SIGKILL)
        self.assertEqual(server.ended(), (1, ""))

    def test_a_parent_that_was_killed_takes_the_server_with_it(self) -> None:
        server = self.start_reloading()
        self.child_of(server)
        server.signal(signal.SIGKILL)
        self.assertTrue(until(lambda: entries(self.store) == []))

    def test_a_server_whose_parent_is_gone_before_it_started_does_not_start(self) -> None:
        with mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_LISTENER="1:0:"):
            self.assertIn("gone", self.refused(1, "system", "start-api", "--reload", "--port=0"))

    def child_of(self, server: Server) -> int:
        (name,) = entries(self.store)
        child = int(name.partition("-")[2].partition(".")[0])
        self.assertNotEqual(child, server.process.pid)
        return child

    def test_source_that_does_not_run_is_waited_out(self) -> None:
        server = self.start_reloading()
        self.change("raise SystemExit(9)\n")
        self.assertIn("ended with 9 after a change", server.error_line())
        self.assertEqual(entries(self.store), [])
        Path(self.path("code", "secure_mcp_gateway", "__init__.py")).write_text('__version__ = "mended"\n')
        self.assertEqual(server.get()["version"], "mended")
        self.assertEqual(server.stop()[0], 0)

    def test_stop_api_ends_it_with_its_parent(self) -> None:
        server = self.start_reloading()
        self.done("system", "stop-api")
        self.assertEqual(server.ended(), (0, ""))

    def test_a_failing_first_start_ends_it_too(self) -> None:
        code = "import sys; from secure_mcp_gateway.cli.main import main; sys.exit(main(sys.argv[1:]))"
        argv = [*PYTHON, "-c", code, "--store", self.path("none"), "system", "start-api", "--port=0", "--reload"]
        done = subprocess.run(argv, env=environment(), capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual((done.returncode, json.loads(done.stderr)["error"]), (6, "unavailable"))


if __name__ == "__main__":
    unittest.main()
