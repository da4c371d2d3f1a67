"""Workers that die: each is replaced, and where none comes up that is said."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from unittest import mock

from secure_mcp_gateway.cli.listening import Place
from secure_mcp_gateway.cli.workers import Workers
from secure_mcp_gateway.errors import GatewayError
from tests.cli.server_process import entries, until
from tests.cli.workers_case import WorkersCase, children_of, connections_of
from tests.support import ROOT

# A worker that finds the file ends before it serves: Python runs this first, unless started without what is installed beside it.
_BROKEN = """import os, sys
if os.environ.get("SECURE_MCP_GATEWAY_LISTENER") and os.path.exists({path!r}):
    os._exit(9)
"""


class Dying(WorkersCase):
    def setUp(self) -> None:
        super().setUp()
        self.broken = self.path("broken")
        self.write("sitecustomize.py", _BROKEN.format(path=self.broken))
        self.breakable = {"PYTHONPATH": os.pathsep.join([str(ROOT), self.folder])}
        self.with_what_is_installed = mock.patch("tests.support.PYTHON", (sys.executable,))

    def test_one_that_is_killed_is_replaced_while_the_other_serves(self) -> None:
        server = self.start_workers("--no-access-log")
        callers = self.one_for_each(server)
        killed, kept = callers
        os.kill(killed, signal.SIGKILL)
        self.assertIn(f"a worker (process {killed}) was ended by signal 9; the next one starts in 0.1 s", server.error_line())
        self.call(server, callers[kept])
        self.assertTrue(until(lambda: len(children_of(server.process.pid) - {killed}) == 2))
        self.assertEqual(len(self.one_for_each(server)), 2)
        self.assertEqual(server.stop(), (0, ""))

    def test_one_that_is_asked_to_end_answers_what_it_has_and_is_replaced(self) -> None:
        server = self.start_workers("--no-access-log")
        with self.half_a_request(server) as slow:
            (asked,) = (pid for pid in children_of(server.process.pid) if slow.getsockname()[1] in connections_of(pid, server.port))
            os.kill(asked, signal.SIGTERM)
            os.kill(asked, signal.SIGTERM)
            self.assertEqual(server.get()["status"], "ok")
            self.finish(slow)
        self.assertIn(f"a worker (process {asked}) ended with 0", server.error_line())
        self.assertTrue(until(lambda: len(children_of(server.process.pid) - {asked}) == 2))
        self.assertEqual(server.stop(), (0, ""))

    def test_where_none_ever_comes_up_it_says_so_and_ends_with_1(self) -> None:
        self.write("broken", "")
        with self.with_what_is_installed:
            server = self.start("--workers=2", "--format=json", **self.breakable)
        self.assertEqual(server.line, "")
        code, err = server.ended()
        self.assertEqual(code, 1)
        lines = err.splitlines()
        problems = [json.loads(line)["problem"] for line in lines if line.startswith('{"time"')]
        # Each place has pauses of its own; whose turn is the fourth, chance decides.
        said = [re.fullmatch(r"a worker \(process \d+\) ended with 9; the next one starts in (\d\.\d) s", each) for each in problems[:4]]
        pauses = [match[1] for match in said if match]
        self.assertEqual((pauses[:3], len(pauses)), (["0.1", "0.1", "0.2"], 4), problems)
        self.assertIn(pauses[3], ("0.2", "0.4"))
        self.assertIn("no worker comes up, after 5 tries: a worker (process", err)
        self.assertEqual(entries(self.store), [])

    def test_one_that_does_not_come_up_again_is_tried_with_pauses_while_the_other_serves(self) -> None:
        with self.with_what_is_installed:
            server = self.start_workers("--no-access-log", **self.breakable)
        before = children_of(server.process.pid)
        self.write("broken", "")
        os.kill(min(before), signal.SIGKILL)
        pauses = [re.findall(r"starts in (\d\.\d) s", server.error_line()) for _ in range(5)]
        self.assertEqual(pauses, [["0.1"], ["0.2"], ["0.4"], ["0.8"], ["1.6"]])
        self.assertEqual(server.get()["status"], "ok")
        os.unlink(self.broken)
        self.assertTrue(until(lambda: len(children_of(server.process.pid) - {min(before)}) == 2))
        self.assertEqual(server.stop(), (0, ""))

    def test_what_is_installed_beside_python_is_not_run_in_them_where_it_is_not_in_their_parent(self) -> None:
        self.write("broken", "")
        server = self.start_workers("--no-access-log", **self.breakable)
        self.assertEqual(server.stop(), (0, ""))

    def test_a_parent_that_was_killed_takes_them_with_it(self) -> None:
        server = self.start_workers("--no-access-log")
        workers = children_of(server.process.pid)
        server.signal(signal.SIGKILL)
        self.assert_gone(*workers)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port)).close()


class TheParent(WorkersCase):
    """In the test's own process, with workers that do as little as can be."""

    def setUp(self) -> None:
        super().setUp()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        for name, seconds in (("_FIRST_PAUSE", 0.0), ("_LONGEST_PAUSE", 0.01)):
            patch = mock.patch(f"secure_mcp_gateway.cli.workers.{name}", seconds)
            patch.start()
            self.addCleanup(patch.stop)
        self.started = 0
        self.stages: list[str] = []

    def run_workers(self, first_ones_say: str) -> GatewayError:
        """The first two workers say this to their parent; those and all later ones end at once."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def start(arguments: list[str], listener: socket.socket, role: str, link: int, board: int) -> subprocess.Popen[bytes]:
            self.started += 1
            words = ["sh", "-c", f"printf '{first_ones_say if self.started <= 2 else ''}' >&0; exit 7"]
            return subprocess.Popen(words, stdin=link)

        with mock.patch("secure_mcp_gateway.cli.workers.start_child", start), mock.patch("sys.stderr"):
            workers = Workers([], Place(listener, ""), 2, None, self.stages.append, lambda: self.stages.append("announced"))
            with self.assertRaises(GatewayError) as caught:
                workers.run()
        return caught.exception

    def test_gives_up_soon_where_none_has_ever_served(self) -> None:
        self.assertIn("no worker comes up, after 5 tries: a worker (process", self.run_workers("").message)
        # One that was started meanwhile may not have been heard any more.
        self.assertIn((self.started, self.stages), ((5, []), (6, [])))

    def test_is_more_patient_once_they_have_served_and_then_gives_up_too(self) -> None:
        self.assertIn("no worker comes up, after 40 tries", self.run_workers("+").message)
        # Those that ended before the second of the first ones was heard are not counted.
        self.assertGreaterEqual(self.started, 42)
        self.assertIn(self.stages, ([], ["announced", "READY"]))


if __name__ == "__main__":
    unittest.main()
