"""The line about what takes long, and who gets it."""

from __future__ import annotations

import io
import sys
import threading
import unittest
from unittest import mock

from secure_mcp_gateway.cli import progress
from secure_mcp_gateway.cli.output import Output
from tests.support import DEADLINE


class Terminal(io.StringIO):
    """Says when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        self.written.set()
        return written

    def isatty(self) -> bool:
        return True


class Progress(unittest.TestCase):
    def test_it_is_shown_while_the_work_lasts_and_cleared_then(self) -> None:
        terminal = Terminal()
        with mock.patch.object(progress, "_SECONDS", 0.001), progress.Progress("reading the store", terminal):
            self.assertTrue(terminal.written.wait(DEADLINE))
        lines = terminal.getvalue().split("\r")
        self.assertEqual(lines[0], "")
        self.assertTrue(lines[1].startswith("reading the store ... "), lines)
        self.assertEqual((lines[-2].strip(), len(lines[-2]), lines[-1]), ("", len(lines[-3]), ""))

    def test_what_is_done_at_once_shows_nothing(self) -> None:
        terminal = Terminal()
        with progress.Progress("reading the store", terminal):
            pass
        self.assertEqual(terminal.getvalue(), "")

    def test_a_failure_goes_through_and_clears_it_too(self) -> None:
        terminal = Terminal()
        with self.assertRaises(KeyError), mock.patch.object(progress, "_SECONDS", 0.001), progress.Progress("work", terminal):
            terminal.written.wait(DEADLINE)
            raise KeyError
        self.assertTrue(terminal.getvalue().endswith(" \r"))

    def test_the_work_is_done_also_where_no_thread_can_be_had_for_it(self) -> None:
        terminal, done = Terminal(), False
        with mock.patch.object(progress, "start_new_thread", side_effect=RuntimeError), progress.Progress("work", terminal):
            done = True
        self.assertEqual((done, terminal.getvalue()), (True, ""))

    def test_a_terminal_that_is_gone_changes_nothing(self) -> None:
        terminal = mock.Mock()
        asked = threading.Event()
        terminal.write.side_effect = lambda text: asked.set() or self.refuse()
        with mock.patch.object(progress, "_SECONDS", 0.001), progress.Progress("work", terminal):
            self.assertTrue(asked.wait(DEADLINE))

    def refuse(self) -> None:
        raise OSError

    def test_only_a_terminal_gets_it_and_not_with_quiet(self) -> None:
        with mock.patch.object(sys, "stderr", Terminal()):
            self.assertIsInstance(Output("", False).working("x"), progress.Progress)
            self.assertNotIsInstance(Output("", True).working("x"), progress.Progress)
        for stream in (io.StringIO(), None):
            with mock.patch.object(sys, "stderr", stream):
                self.assertNotIsInstance(Output("", False).working("x"), progress.Progress)


if __name__ == "__main__":
    unittest.main()
