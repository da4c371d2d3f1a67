"""The command line as a process: what only a real one shows."""

from __future__ import annotations

import json
import os
import subprocess
import unittest

from tests.support import DEADLINE, PYTHON, FolderCase, StoreCase, command, environment, process


class Processes(StoreCase):
    def test_it_runs_from_any_folder_without_being_installed(self) -> None:
        ran = process("--store", self.store, "config", "list", cwd=self.folder)
        self.assertEqual((ran.code, ran.err, len(ran.data)), (0, "", 1))

    def test_exit_codes_reach_the_shell(self) -> None:
        for code, argv in (
            (2, ["bogus"]),
            (3, ["config", "get", "--config-name", "none"]),
            (4, ["config", "remove", "--config-name", "default_config"]),
        ):
            self.assertEqual(process("--store", self.store, *argv).code, code)
        self.assertEqual(process("--store", self.path("none"), "config", "list").code, 6)

    def test_a_pipe_that_nobody_reads_ends_it_quietly(self) -> None:
        for argv in (["--help"], ["--store", self.store, "config", "list"]):
            reader, writer = os.pipe()
            os.close(reader)
            ran = process(*argv, stdout=writer)
            os.close(writer)
            self.assertEqual((ran.code, ran.err), (1, ""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_a_full_disk_behind_its_output_is_an_error(self) -> None:
        with open("/dev/full", "wb") as full:
            ran = process("--store", self.store, "config", "list", stdout=full)
        self.assertEqual(ran.code, 1)
        self.assertIn("no space left", ran.refusal["detail"])

    def test_closed_streams_are_survived(self) -> None:
        script = 'exec "$@" >&- 2>&- <&-'
        done = subprocess.run(["sh", "-c", script, "sh", *command("--store", self.store, "config", "list")], env=environment(), check=False)
        self.assertEqual(done.returncode, 1)

    def test_a_secret_comes_through_a_pipe_and_stands_in_no_argument(self) -> None:
        secret = self.keys["api_key"]
        ran = process("--store", self.store, "user", "get-api-key", "--api-key=-", given=f"{secret}\n".encode())
        self.assertEqual(ran.data["user_email"], "default@example.com")

    def test_an_argument_that_is_no_text_is_wrong_usage(self) -> None:
        argv = [os.fsencode(word) for word in command("--store", self.store, "config", "add", "--config-name")]
        done = subprocess.run([*argv, b"\xff\xfe"], env=environment(), capture_output=True, check=False, timeout=DEADLINE)
        self.assertEqual((done.returncode, json.loads(done.stderr)["error"]), (2, "invalid_request"))

    def test_writers_in_processes_of_their_own_do_not_lose_each_other(self) -> None:
        adding = [command("--store", self.store, "config", "add", "--config-name", f"c{number}") for number in range(6)]
        nowhere = subprocess.DEVNULL
        started = [subprocess.Popen(argv, env=environment(), stdout=nowhere, stderr=nowhere) for argv in adding]
        self.assertEqual([each.wait(DEADLINE) for each in started], [0] * 6)
        self.assertEqual(len(self.done("config", "list")), 7)


class Interrupts(FolderCase):
    def test_one_during_the_imports_is_quiet(self) -> None:
        code = "import sys\nfrom secure_mcp_gateway.__main__ import console\nsys.modules['argparse'] = Late()\nconsole()"
        late = "class Late:\n def __getattr__(self, name): raise KeyboardInterrupt\n"
        done = subprocess.run([*PYTHON, "-c", late + code], env=environment(), capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (130, b"", b""))


class Poison(FolderCase):
    def test_tests_never_touch_a_real_store(self) -> None:
        ran = process("generate-config")
        self.assertEqual(ran.code, 6)
        self.assertIn("poisoned", ran.refusal["detail"])


class StartUp(StoreCase):
    def test_listing_configs_loads_nothing_that_it_does_not_need(self) -> None:
        code = "import sys; from secure_mcp_gateway.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
        argv = [*PYTHON, "-c", code, "--store", self.store, "config", "list"]
        done = subprocess.run(argv, env=environment(), capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
        unwanted = {"typing", "dataclasses", "http", "socket", "logging", "pathlib", "threading", "hashlib", "shutil", "urllib"}
        self.assertEqual(unwanted & set(done.stderr.split()), set())


if __name__ == "__main__":
    unittest.main()
