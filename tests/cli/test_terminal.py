"""On a terminal: tables that fit it, and colours unless they are not wanted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import unittest
from collections.abc import Iterator
from typing import Any

from tests.support import DEADLINE, StoreCase, command, environment


class Terminal(StoreCase):
    def on_terminal(self, *argv: str, columns: int = 80, **more: str) -> tuple[int, str]:
        """Exit code, and everything that a terminal of this width was shown."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        settings = {"TERM": "xterm", "COLUMNS": "", "NO_COLOR": "", **more}
        child = subprocess.Popen(
            command("--store", self.store, *argv), env=environment(**settings), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], DEADLINE)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so that nobody has the other side open any more
                break
            if not part:
                break
            shown += part
        os.close(ours)
        return child.wait(DEADLINE), shown.decode().replace("\r\n", "\n")

    def test_it_gets_a_table_with_a_bold_head(self) -> None:
        code, shown = self.on_terminal("config", "list")
        head, line = shown.splitlines()
        self.assertEqual(code, 0)
        self.assertTrue(head.startswith("\x1b[1mMCP_CONFIG_ID") and head.endswith("\x1b[0m"), ascii(head))
        self.assertNotIn("\x1b", line)

    def test_nothing_is_bold_where_the_columns_become_blocks(self) -> None:
        code, shown = self.on_terminal("config", "list", columns=30)
        self.assertEqual((code, shown.split()[0]), (0, "mcp_config_id"))

    def test_no_color_and_dumb_terminals_are_heeded(self) -> None:
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.on_terminal("config", "list", **more)[1])
            self.assertNotIn("\x1b", self.on_terminal("bogus", **more)[1])

    def test_errors_have_a_red_word(self) -> None:
        code, shown = self.on_terminal("config", "get", "--config-name", "none")
        self.assertEqual(code, 3)
        self.assertTrue(shown.startswith("\x1b[31merror:\x1b[0m "), ascii(shown))

    def test_what_comes_is_green_and_what_goes_is_red(self) -> None:
        configs = [{"name": "default_config"}, {"name": "research"}]
        desired = {"kind": "secure-mcp-gateway/desired", "version": 1, "configs": configs, "projects": []}
        code, shown = self.on_terminal("apply", "--prune", "--file", self.write("desired.json", desired))
        self.assertEqual((code, shown.splitlines()[:1]), (0, ["\x1b[32m+ config research\x1b[0m"]), ascii(shown))
        self.assertIn("\x1b[31m- project default_project (1 member, 1 API key)\x1b[0m\n", shown)

    def test_the_doctor_marks_problems_red_and_warnings_yellow(self) -> None:
        self.done("config", "add", "--config-name=unused")
        os.chmod(self.store, 0o644)
        code, shown = self.on_terminal("system", "doctor")
        self.assertEqual(code, 1)
        self.assertTrue(shown.startswith("\x1b[31mproblem\x1b[0m  permissions  "), ascii(shown))
        self.assertIn("\n\x1b[33mwarning\x1b[0m  configs  ", shown)
        self.assertIn("\nok       store ", shown)
        self.assertNotIn("\x1b", self.on_terminal("system", "doctor", NO_COLOR="1")[1])

    def test_a_table_fits_the_terminals_width(self) -> None:
        self.done("user", "create", "--email", "somebody.with.a.rather.long.name@mail.department.example.com")
        for columns in (80, 100, 120):
            shown = self.on_terminal("user", "list", columns=columns, NO_COLOR="1")[1]
            self.assertLessEqual(max(map(len, shown.splitlines())), columns)

    def test_a_secret_is_asked_for_and_not_shown(self) -> None:
        ours, theirs = pty.openpty()
        argv = command("--store", self.store, "user", "get-api-key", "--api-key=-")
        # In a session of its own it has no terminal but the one that is its standard input.
        child = subprocess.Popen(argv, env=environment(), stdin=theirs, stdout=-1, stderr=-1, start_new_session=True)
        assert child.stderr is not None
        self.assertEqual(child.stderr.read(11), b"--api-key: ")
        os.write(ours, self.keys["api_key"].encode() + b"\n")
        out, err = child.communicate(timeout=DEADLINE)
        self.assertEqual((child.returncode, err), (0, b"\n"))
        self.assertIn(b"default@example.com", out)
        self.assertEqual(select.select([ours], [], [], 0)[0], [], "something was shown")
        os.close(theirs)
        os.close(ours)

    def test_json_is_given_there_when_asked_for_and_without_colours(self) -> None:
        shown = self.on_terminal("--format", "json", "config", "list")[1]
        self.assertTrue(shown.startswith("[\n"), shown)
        self.assertNotIn("\x1b", shown)

    @contextlib.contextmanager
    def waiting(self, *argv: str) -> Iterator[tuple[Any, int, int]]:
        """A command that waits for its turn to write, its terminal, and the lock that it waits for."""
        ours, theirs = pty.openpty()
        # Where the tests run in the background SIGINT is ignored, and a child would ignore it too.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        lock = os.open(f"{self.store}.lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            command("--store", self.store, *argv), env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
        ) as child:
            try:
                yield child, ours, lock
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)
                child.wait(DEADLINE)
                for descriptor in (lock, ours, theirs):
                    os.close(descriptor)

    def read_until(self, terminal: int, shown: bytes) -> bytes:
        found = b""
        while shown not in found:
            self.assertTrue(select.select([terminal], [], [], DEADLINE)[0], found)
            found += os.read(terminal, 65536)
        return found

    def test_what_takes_long_is_told_and_leaves_no_trace(self) -> None:
        with self.waiting("config", "add", "--config-name=slow") as (child, terminal, lock):
            self.read_until(terminal, b"\rconfig add ... 1 s")
            fcntl.flock(lock, fcntl.LOCK_UN)
            rest = self.read_until(terminal, b"successfully")
            self.assertEqual(child.wait(DEADLINE), 0)
        line, _, after = rest.rpartition(b"\r" + b" " * len("config add ... 1 s") + b"\r")
        self.assertNotIn(b"mcp_config_id", line)
        self.assertTrue(after.startswith(b"mcp_config_id"), rest)

    def test_interrupted_it_leaves_no_trace_either(self) -> None:
        with self.waiting("config", "add", "--config-name=slow") as (child, terminal, _):
            self.read_until(terminal, b"\rconfig add ... 1 s")
            child.send_signal(signal.SIGINT)
            rest = self.read_until(terminal, b"interrupted")
            self.assertEqual(child.wait(DEADLINE), 130)
        self.assertIn(b"\r" + b" " * len("config add ... 1 s") + b"\r", rest)

    def test_a_server_shows_the_key_of_a_store_it_makes(self) -> None:
        self.store = self.path("new", "store.json")
        os.mkdir(self.path("new"))
        self.write("new/files", "what keeps it from serving, once the store is made")
        code, shown = self.on_terminal("system", "start-api", "--init", "--paranoid", "--port=0", "--host=127.0.0.1")
        self.assertEqual(code, 6, shown)
        self.assertIn("shown this one time: smga_", shown)
        self.assertFalse(os.path.exists(self.path("new", "admin-key.txt")))


if __name__ == "__main__":
    unittest.main()
