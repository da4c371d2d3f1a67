"""A runner that overlooks a failure would hide all the others."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests import __main__ as runner

UNTIDY = """
import threading, unittest

over = threading.Event()
straggler = threading.Thread(target=over.wait, name="straggler")

class Case(unittest.TestCase):
    def test_good(self):
        straggler.start()
"""
INTERRUPTED = """
import signal, unittest

class Case(unittest.TestCase):
    def test_good(self):
        with self.assertRaises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
"""


def outcomes_of(case: type[unittest.TestCase]) -> dict[str, tuple[str, str]]:
    outcomes = runner.Outcomes()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(outcomes)
    return {test.rsplit(".", 1)[-1]: found for test, found in outcomes.found.items()}


class RunnerTest(unittest.TestCase):
    def test_each_kind_of_outcome_is_told_apart(self) -> None:
        class Case(unittest.TestCase):
            def test_good(self) -> None:
                self.assertTrue(True)

            def test_bad(self) -> None:
                self.assertEqual(1, 2)

            def test_broken(self) -> None:
                raise KeyError("lost")

            def test_left_out(self) -> None:
                self.skipTest("no such machine")

            @unittest.expectedFailure
            def test_better_than_expected(self) -> None:
                self.assertTrue(True)

        found = outcomes_of(Case)
        self.assertEqual(found["test_good"], ("passed", ""))
        self.assertEqual(found["test_left_out"], ("skipped", "no such machine"))
        self.assertIn("1 != 2", found["test_bad"][1])
        self.assertIn("KeyError: 'lost'", found["test_broken"][1])
        failed = {name for name, (outcome, _) in found.items() if outcome == "failed"}
        self.assertEqual(failed, {"test_bad", "test_broken", "test_better_than_expected"})

    def test_a_test_counts_once_and_fails_where_one_of_its_subtests_fails(self) -> None:
        class Case(unittest.TestCase):
            def test_numbers(self) -> None:
                for number in range(4):
                    with self.subTest(number=number):
                        self.assertEqual(number % 2, 0)

        found = outcomes_of(Case)
        self.assertEqual([outcome for outcome, _ in found.values()], ["failed"])
        self.assertIn("number=1", found["test_numbers"][1])
        self.assertIn("number=3", found["test_numbers"][1])

    def test_a_test_that_passes_and_then_fails_to_clean_up_has_failed(self) -> None:
        class Case(unittest.TestCase):
            def test_untidy(self) -> None:
                self.addCleanup(self.fail, "not cleaned up")

        self.assertEqual(outcomes_of(Case)["test_untidy"][0], "failed")

    def test_a_class_that_cannot_be_set_up_has_failed(self) -> None:
        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls) -> None:
                raise OSError("no room")

            def test_never_reached(self) -> None:
                self.fail()

        (found,) = outcomes_of(Case).values()
        self.assertEqual(found[0], "failed")

    def test_no_test_at_all_is_a_failure_and_says_so_last(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = runner.main(["no module has this name"])
        self.assertEqual((code, said.getvalue().splitlines()[-1]), (1, "0 passed, 0 failed, 0 skipped"))

    def test_a_module_that_cannot_be_imported_has_failed(self) -> None:
        run = self.run_module("tests.test_that_is_not_there")
        self.assertEqual((run.count("passed"), run.count("failed")), (0, 1))

    def test_a_module_whose_interpreter_dies_has_failed(self) -> None:
        with mock.patch.object(sys, "executable", "/bin/false" if Path("/bin/false").exists() else "/usr/bin/false"):
            run = self.run_module("tests.test_runner")
        self.assertEqual((run.count("passed"), run.count("failed")), (0, 1))

    def test_a_module_that_leaves_a_thread_behind_has_failed(self) -> None:
        in_no_time = mock.patch.object(runner, "SECONDS_TO_END", 0)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(sys, "path", [folder]), in_no_time:
            Path(folder, "untidy.py").write_text(UNTIDY, encoding="utf-8")
            runner.run_module("untidy", os.path.join(folder, "report"))
            found = json.loads(Path(folder, "report").read_text(encoding="utf-8"))
        untidy = sys.modules.pop("untidy")
        untidy.over.set()
        untidy.straggler.join()
        self.assertEqual(sorted(outcome for outcome, _ in found.values()), ["failed", "passed"])
        self.assertIn("1 threads are left behind; those with a name are ['MainThread', 'straggler']", found["untidy"][1])

    def test_a_module_hears_interrupts_also_where_its_runner_was_told_to_ignore_them(self) -> None:
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.SIG_IGN))
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"PYTHONPATH": folder}):
            Path(folder, "interrupted.py").write_text(INTERRUPTED, encoding="utf-8")
            run = self.run_module("interrupted")
        self.assertEqual((run.count("passed"), run.count("failed")), (1, 0), run.output)

    def test_files_are_in_memory_unless_another_place_is_named_or_there_is_no_room(self) -> None:
        for named, blocks, place in (("", 1 << 20, "here"), ("/elsewhere", 1 << 20, "/elsewhere"), ("", 9, "")):
            room = mock.Mock(f_bavail=blocks, f_frsize=4096)
            os_says = mock.patch.multiple(os, statvfs=lambda _, room=room: room, access=lambda *_: True)
            with self.subTest(named=named, blocks=blocks), os_says, mock.patch.dict(os.environ, TMPDIR=named):
                with mock.patch.object(runner, "MEMORY", "here"):
                    runner.keep_files_in_memory()
                self.assertEqual(os.environ["TMPDIR"], place)

    def run_module(self, name: str) -> runner.ModuleRun:
        with tempfile.TemporaryDirectory() as folder:
            return runner.ModuleRun(name, folder)

    def test_words_choose_the_modules_whose_names_hold_one_of_them(self) -> None:
        self.assertEqual(runner.module_names(["test_runner"]), ["tests.test_runner"])
        self.assertLess(set(runner.module_names(["examples", "test_runner"])), set(runner.module_names([])) | {""})
