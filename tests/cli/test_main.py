"""What is said where, in which format, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import sys
import time
import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway import __version__
from secure_mcp_gateway.cli import rows
from secure_mcp_gateway.cli.main import main
from tests.support import FolderCase, StoreCase, run

SECRET = "smg_" + "s" * 43


class Answers(StoreCase):
    def test_a_key_in_a_wrong_place_is_not_said_again(self) -> None:
        named = ("config", "import", f"--input-file=/nowhere/{SECRET}", "--config-name=x")
        for words in (named, ("config", f"x{SECRET}"), (f"x{SECRET}",)):
            for ran in (self.run_json(*words), self.run_table(*words)):
                with self.subTest(words=words):
                    self.assertEqual(ran.code, 2)
                    self.assertNotIn(SECRET, ran.err + ran.out)

    def test_json_is_one_document_on_standard_output(self) -> None:
        ran = self.run_json("config", "list")
        self.assertEqual([config["mcp_config_name"] for config in ran.data], ["default_config"])
        self.assertEqual(ran.err, "")

    def test_json_is_what_comes_where_no_terminal_is(self) -> None:
        self.assertEqual(len(run("--store", self.store, "user", "list").data), 1)

    def test_a_table_has_a_head_and_a_line_for_each(self) -> None:
        lines = self.run_table("config", "list").out.splitlines()
        self.assertEqual(lines[0].split(), ["MCP_CONFIG_ID", "MCP_CONFIG_NAME", "SERVERS", "USED_BY_PROJECTS"])
        self.assertEqual(lines[1].split()[1:], ["default_config", "1", "default_project"])
        self.assertEqual(len(lines), 2)

    def test_a_record_is_its_fields(self) -> None:
        out = self.run_table("user", "get", "--email", "default@example.com").out
        self.assertIn("email       default@example.com", out.splitlines())

    def test_a_write_says_so_on_standard_error_unless_quiet(self) -> None:
        ran = self.run_table("config", "add", "--config-name", "a")
        self.assertEqual(ran.err, "Configuration created successfully\n")
        self.assertEqual(self.run_table("config", "add", "--config-name", "b", "--quiet").err, "")
        self.assertEqual(self.run_table("--quiet", "config", "remove", "--config-name", "b"), (0, "", ""))

    def test_nothing_to_answer_is_null(self) -> None:
        self.done("config", "add", "--config-name", "a")
        self.assertEqual(self.run_json("config", "remove", "--config-name", "a").out, "null\n")

    def test_an_empty_list_says_none_aside(self) -> None:
        argv = ("config", "search", "--search-term", "nowhere")
        self.assertEqual(self.run_table(*argv), (0, "", "none\n"))
        self.assertEqual(self.run_json(*argv).data, [])

    def test_a_page_says_how_many_there_are(self) -> None:
        self.done("config", "add", "--config-name", "a")
        self.assertEqual(self.run_table("config", "list", "--limit", "1").err, "1 of 2\n")
        self.assertEqual(len(self.done("config", "list", "--limit", "1", "--offset", "1")), 1)

    def test_a_name_cannot_forge_what_a_terminal_shows(self) -> None:
        server = ("--config-name=default_config", "--server-name=x")
        self.done("config", "add-server", *server, "--server-command=x", "--description=\x1b[2J\u202e")
        self.assertIn("\\x1b[2J\\u202e", self.run_table("config", "get-server", *server).out)
        out = self.run_json("config", "get-server", *server).out
        self.assertNotIn("\u202e", out)
        self.assertEqual(json.loads(out)["description"], "\x1b[2J\u202e")

    def test_an_output_that_is_not_utf_8_gets_escapes(self) -> None:
        self.done("config", "add", "--config-name", "Zoë")
        for form, expected in (("json", '"Zo\\u00eb"'), ("table", "Zo\\xeb")):
            out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
            with self.subTest(form=form), mock.patch.object(sys, "stdout", out):
                self.assertEqual(main(["--store", self.store, "--format", form, "config", "list"]), 0)
                self.assertIn(expected, out.buffer.getvalue().decode())  # type: ignore[attr-defined]

    def test_whoami_is_the_systems_user(self) -> None:
        self.assertEqual(self.done("whoami")["name"], rows.user_name())
        with mock.patch.dict(os.environ, USER="mallory", LOGNAME="mallory"):
            self.done("config", "add", "--config-name", "a")
        self.assertEqual(self.done("system", "audit", "--limit=1")[0]["actor"]["name"], rows.user_name())

    def test_a_user_id_without_a_name_is_its_number(self) -> None:
        with mock.patch("pwd.getpwuid", side_effect=KeyError):
            self.assertEqual(rows.user_name(), str(os.getuid()))


class ExitCodes(StoreCase):
    def test_no_is_1_with_its_data(self) -> None:
        flags = ("--config-name", "default_config")
        self.assertEqual(self.run_json("config", "validate", *flags).code, 0)
        self.done("config", "update-server-input-guardrails", *flags, "--server-name=echo_server", '--policy={"enabled": true}')
        ran = self.run_json("config", "validate", *flags)
        self.assertEqual((ran.code, ran.data["valid"]), (1, False))
        os.chmod(self.store, 0o644)
        ran = self.run_json("system", "health-check")
        self.assertEqual((ran.code, ran.data["status"]), (1, "unhealthy"))

    def test_a_broken_audit_is_1(self) -> None:
        self.assertEqual(self.run_json("system", "audit", "--verify").code, 0)
        self.write("s/audit.jsonl", b"{}\n")
        ran = self.run_json("system", "audit", "--verify")
        self.assertEqual((ran.code, ran.data["valid"]), (1, False))

    def test_the_whole_audit_is_verified_or_some_of_it_listed(self) -> None:
        for flag in ("--limit=1", "--offset=1", "--since=2026-01-01", "--actor=a", "--operation=x"):
            self.assertIn("exclude each other", self.refused(2, "system", "audit", "--verify", flag))
        self.assertEqual(len(self.done("system", "audit", "--verify=false", "--limit=1")), 1)

    @unittest.skipIf(os.name == "nt", "flock")
    def test_a_wrong_flag_is_told_at_once_while_somebody_else_writes(self) -> None:
        import fcntl

        with open(f"{self.store}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            started = time.monotonic()
            self.refused(2, "user", "delete", "--email=a@b.c", "--force=maybe")
            self.assertLess(time.monotonic() - started, 5)

    def test_wrong_usage_is_2(self) -> None:
        for argv in (
            [],
            ["bogus"],
            ["config"],
            ["config", "bogus"],
            ["config", "list", "more"],
            ["config", "list", "--bogus"],
            ["config", "add"],
            ["config", "add", "--config-name"],
            ["config", "add", "--config-name", "a", "--config-name", "b"],
            ["config", "--config-name", "a", "add"],
            ["help", "bogus"],
            ["whoami", "now"],
            ["--store"],
        ):
            with self.subTest(argv=argv):
                self.refused(2, *argv)

    def test_invalid_input_is_2_and_a_refused_write_stands_in_the_audit(self) -> None:
        self.refused(2, "user", "create", "--email", "nobody")
        self.refused(2, "user", "generate-api-key", "--email=a@b.c", "--project-name=x", "--expires-in-days=0")
        self.refused(2, "user", "list-all-api-keys", "--disabled=maybe")
        self.assertEqual(self.audited("user create"), ["invalid_request"])
        self.assertEqual(self.audited("user generate-api-key"), ["invalid_request"])
        self.assertEqual(self.audited("user list-all-api-keys"), [])

    def test_not_found_is_3_and_conflict_is_4(self) -> None:
        self.refused(3, "config", "get", "--config-name", "none")
        self.refused(4, "config", "remove", "--config-name", "default_config")
        self.assertEqual(self.audited("config remove"), ["conflict"])

    def test_a_place_that_is_not_allowed_is_5(self) -> None:
        self.refused(5, "system", "backup", "--output-file", self.path("s", "backup.json"))
        self.assertEqual(self.audited("system backup"), ["forbidden"])

    def test_a_store_that_is_missing_or_damaged_is_6_and_its_path_is_said(self) -> None:
        missing = self.path("none", "store.json")
        ran = run("--store", missing, "--format=table", "config", "list")
        self.assertEqual((ran.code, ran.out), (6, ""))
        self.assertEqual(ran.err.splitlines()[0], f"error: there is no store ({missing})")
        self.assertTrue(ran.err.splitlines()[1].startswith("hint: "), ran.err)
        with open(self.store, "r+b") as file:
            file.truncate(300)
        self.assertIn(self.store, self.refused(6, "config", "list"))
        self.refused(6, "config", "add", "--config-name", "a")

    def test_an_unexpected_fault_is_1_with_an_incident_and_without_its_text(self) -> None:
        with mock.patch.object(rows, "perform", side_effect=ZeroDivisionError("hunter2")):
            ran = self.run_json("config", "list")
            self.assertEqual((ran.code, ran.out, ran.refusal["error"]), (1, "", "internal_error"))
            self.assertIn("ZeroDivisionError", ran.refusal["detail"])
            self.assertNotIn("hunter2", ran.err)
            with mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_DEBUG="1"):
                self.assertIn("Traceback", self.run_table("config", "list").err)

    def test_an_interrupt_is_130(self) -> None:
        with mock.patch.object(rows, "perform", side_effect=KeyboardInterrupt):
            self.assertEqual(self.run_json("config", "list").code, 130)


class Errors(StoreCase):
    def test_they_are_lines_or_one_object_on_standard_error(self) -> None:
        argv = ("config", "get", "--config-name", "none")
        table = self.run_table(*argv)
        self.assertEqual([line.partition(":")[0] for line in table.err.splitlines()], ["error", "hint"])
        refusal = self.run_json(*argv).refusal
        self.assertEqual((refusal["error"], table.out), ("not_found", ""))
        self.assertIn(table.err.splitlines()[0][len("error: ") :], refusal["detail"])

    def test_the_asked_format_holds_also_for_what_cannot_be_parsed(self) -> None:
        for argv in (["--format", "json", "bogus"], ["bogus", "--format=json"], ["config", "list", "--bogus", "--format", "json"]):
            with self.subTest(argv=argv):
                self.assertEqual(run(*argv).refusal["error"], "invalid_request")
        self.assertTrue(run("--format=table", "bogus").err.startswith("error: "))
        self.assertIn("--format", run("--format=xml", "config", "list").refusal["detail"])

    def test_quiet_does_not_silence_them(self) -> None:
        self.assertIn("error: ", self.run_table("--quiet", "config", "get", "--config-name=none").err)

    def test_near_misses_are_suggested(self) -> None:
        for argv, hint in (
            (["confg", "list"], "did you mean config?"),
            (["config", "lsit"], "did you mean config list?"),
            (["config", "add", "--config-nam=x"], "did you mean --config-name?"),
            (["help", "gaurdrails"], "help guardrails?"),
        ):
            with self.subTest(argv=argv):
                self.assertIn(hint, self.refused(2, *argv))

    def test_half_a_command_is_answered_with_what_there_is(self) -> None:
        for argv, known in (([], "generate-config "), (["user"], "rotate-api-key "), (["--store", self.store, "config"], "add-server ")):
            with self.subTest(argv=argv):
                ran = run("--format=table", *argv)
                self.assertEqual((ran.code, ran.out), (2, ""))
                self.assertIn(f"\n  {known}", ran.err)
                self.assertTrue(ran.err.splitlines()[-1].startswith("error: "), ran.err)
                self.assertIn("--help", run("--format=json", *argv).refusal["detail"])

    def test_a_name_in_a_message_cannot_forge_a_line(self) -> None:
        err = self.run_table("config", "get", "--config-name", "x\nhint: pay mallory\x1b[2J").err
        self.assertNotIn("\x1b", err)
        self.assertEqual(len(err.splitlines()), 2)


class Version(FolderCase):
    def test_it_is_said_wherever_the_flag_stands(self) -> None:
        for argv in (["--version"], ["config", "--version"], ["config", "list", "--version"]):
            self.assertEqual(run(*argv), (0, f"secure-mcp-gateway {__version__}\n", ""))
        self.assertEqual(run("--version", "--format=json").data, {"version": f"secure-mcp-gateway {__version__}"})


class LostOutput(StoreCase):
    def failing(self, error: OSError) -> tuple[int, str]:
        out: Any = mock.Mock(encoding="utf-8", **{"write.side_effect": error, "isatty.return_value": False, "fileno.side_effect": OSError})
        err = io.StringIO()
        with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
            return main(["--store", self.store, "config", "list"]), err.getvalue()

    def test_a_reader_that_left_is_met_in_silence(self) -> None:
        self.assertEqual(self.failing(BrokenPipeError(32, "gone")), (1, ""))

    def test_a_full_disk_behind_standard_output_is_told(self) -> None:
        code, err = self.failing(OSError(28, "full"))
        self.assertEqual(code, 1)
        self.assertIn("no space left", json.loads(err)["detail"])

    def test_closed_standard_output_is_told(self) -> None:
        with mock.patch.object(sys, "stdout", None), mock.patch.object(sys, "stderr", io.StringIO()) as err:
            self.assertEqual(main(["--store", self.store, "config", "list"]), 1)
        self.assertIn("closed", err.getvalue())


if __name__ == "__main__":
    unittest.main()
