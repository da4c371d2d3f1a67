"""What is typed becomes the values that a request would give."""

from __future__ import annotations

import os
import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.arguments import parse_flags, split_words
from secure_mcp_gateway.cli.commands import is_complete
from secure_mcp_gateway.cli.values import read_values
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, DOCUMENT, INTEGER, MAPPING, OBJECT, SECRET, STRING, STRINGS, Param
from tests.support import FolderCase, StoreCase, run

NAMED = Param("thing_identifier", STRING, "", required=True, flags=("thing-name", "thing-id"))
WORDS = Param("args", STRINGS, "")
PLAIN = (
    WORDS,
    Param("env", MAPPING, ""),
    Param("policy", OBJECT, "", file="policy_file"),
    Param("port", INTEGER, "", minimum=0, maximum=10),
    Param("force", BOOLEAN, ""),
    Param("description", STRING, ""),
    Param("output_file", STRING, "", default="-"),
)


def values(*argv: str, params: tuple[Param, ...] = PLAIN) -> dict[str, Any]:
    found = read_values(params, parse_flags("noun verb", params, argv))
    if params is PLAIN:
        unittest.TestCase().assertEqual(found.pop("output_file"), "-")
    return found


class Flags(FolderCase):
    def refused(self, *argv: str, params: tuple[Param, ...] = PLAIN) -> str:
        with self.assertRaises(InvalidRequest) as caught:
            values(*argv, params=params)
        return caught.exception.detail

    def test_what_is_not_given_is_not_there(self) -> None:
        self.assertEqual(values(), {})

    def test_lists_have_commas_between_or_are_json_or_are_given_one_by_one(self) -> None:
        for argv, expected in (
            (["--args=-y,@scope/pkg"], ["-y", "@scope/pkg"]),
            (["--args=-y"], ["-y"]),
            (["--args", "a b,c"], ["a b", "c"]),
            (['--args=["a,b","c"]'], ["a,b", "c"]),
            (["--args=[]"], []),
            (["--args="], []),
            (["--args=a,b", "--args=c"], ["a,b", "c"]),
            (["--args=[1", "--args="], ["[1", ""]),
        ):
            with self.subTest(argv=argv):
                self.assertEqual(values(*argv), {"args": expected})

    def test_a_list_that_is_no_list_of_strings_is_refused_by_its_place(self) -> None:
        self.assertIn("--args[1] must be a string", self.refused('--args=["a", 1]'))
        self.assertIn("--args is not JSON", self.refused("--args=[a]"))

    def test_objects_are_json_or_come_from_a_file(self) -> None:
        path = self.write("env.json", {"A": "1"})
        self.assertEqual(values('--env={"A": "1"}'), {"env": {"A": "1"}})
        self.assertEqual(values(f"--env=@{path}"), {"env": {"A": "1"}})
        self.assertEqual(values("--policy-file", path), {"policy": {"A": "1"}})
        self.assertEqual(values("--policy", f"@{path}"), {"policy": {"A": "1"}})
        for argv in ('--env={"A": 1}', "--env=[]", "--env=@" + self.path("none"), "--policy=[]", f"--policy-file={self.path('none')}"):
            with self.subTest(argv=argv):
                self.assertIn(argv.partition("=")[0], self.refused(argv))

    def test_switches_are_bare_or_say_true_or_false(self) -> None:
        self.assertEqual(values("--force"), {"force": True})
        self.assertEqual(values("--force", "true"), {"force": True})
        self.assertEqual(values("--force=false", "--port=1"), {"force": False, "port": 1})
        self.assertEqual(values("--force", "--port=1"), {"force": True, "port": 1})
        for text in ("yes", "True", "1", ""):
            self.assertIn("true or false", self.refused(f"--force={text}"))

    def test_numbers_are_whole_and_within_bounds(self) -> None:
        self.assertEqual(values("--port", "10"), {"port": 10})
        for text in ("11", "-1", "1.5", "x", "", "1e1", "\u0661"):
            with self.subTest(text=text):
                self.assertIn("--port must be", self.refused(f"--port={text}"))

    def test_a_value_may_begin_with_dashes_after_an_equals_sign(self) -> None:
        self.assertEqual(values("--description=--quiet"), {"description": "--quiet"})
        self.assertEqual(values("--description", "-"), {"description": "-"})
        self.assertIn("--description=VALUE", self.refused("--description", "--force"))

    def test_a_flag_given_twice_is_refused_rather_than_the_last_winning(self) -> None:
        for flag in ("--port=1", "--force", "--description=a", "--store=a", "--format=json"):
            with self.subTest(flag=flag):
                self.assertIn("twice", self.refused(flag, flag))

    def test_no_flag_may_be_abbreviated(self) -> None:
        for flag in ("--descr=x", "--forc", "--stor=x", "--quie"):
            with self.subTest(flag=flag):
                self.assertIn(f"no flag {flag.partition('=')[0]}; did you mean", self.refused(flag))

    def test_a_value_that_is_missing_or_none_of_those_there_are_is_said_plainly(self) -> None:
        for argv in (["user", "get", "--email"], ["user", "get", "--email", "--quiet"]):
            detail = run(*argv).refusal["detail"]
            self.assertEqual(detail, "--email needs a value; one that begins with a dash is given as --email=VALUE")
        self.assertEqual(run("user", "list", "--format", "yaml").refusal["detail"], "--format must be table or json")

    def test_a_single_letter_is_taken_for_the_commands_own_flag_first(self) -> None:
        self.assertIn("apply has no flag -f; did you mean --file?", run("apply", "-f", "desired.json").refusal["detail"])
        self.assertIn("did you mean --quiet?", run("config", "list", "-q").refusal["detail"])
        self.assertIn("config list has no flag -z; secure-mcp-gateway config list --help", run("config", "list", "-z").refusal["detail"])

    def test_a_flag_without_a_command_is_the_programs(self) -> None:
        detail = run("--stor=x", "config", "list").refusal["detail"]
        self.assertEqual(detail, "secure-mcp-gateway has no flag --stor; did you mean --store?")
        self.assertIn("secure-mcp-gateway --help", run("--bogus", "config", "list").refusal["detail"])

    def test_an_unknown_flag_or_word_is_refused_without_quoting_a_secret(self) -> None:
        self.assertIn("--bogus", self.refused("--bogus=smg_hunter2"))
        for argv in (["smg_hunter2"], ["--smga_hunter2"], ["--bogus=smg_hunter2"], ["--", "smg_hunter2"]):
            with self.subTest(argv=argv):
                self.assertNotIn("hunter2", self.refused(*argv))

    def test_a_thing_is_named_one_of_two_ways_and_not_both(self) -> None:
        self.assertEqual(values("--thing-id=x", params=(NAMED,)), {"thing_identifier": "x"})
        self.assertIn("--thing-name or --thing-id", self.refused(params=(NAMED,)))
        self.assertIn("exclude each other", self.refused("--thing-name=a", "--thing-id=a", params=(NAMED,)))
        self.assertIn("exclude each other", self.refused("--policy={}", "--policy-file=x"))

    def test_everything_missing_is_said_at_once(self) -> None:
        other = Param("new_name", STRING, "", required=True)
        self.assertEqual(self.refused(params=(NAMED, other)), "missing: --thing-name or --thing-id, --new-name")

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        self.assertIn("--description", self.refused("--description=\udcff"))
        self.assertIn("--args", self.refused("--args=a", "--args=\udcff"))


class Words(unittest.TestCase):
    def test_global_flags_stand_anywhere_between_the_words(self) -> None:
        for argv in (
            ["--store", "x", "config", "list", "--limit", "1"],
            ["config", "--store=x", "list", "--limit", "1"],
            ["--quiet", "config", "--format", "json", "list", "--limit", "1"],
        ):
            with self.subTest(argv=argv):
                words, rest = split_words(argv, is_complete)
                self.assertEqual(words, ["config", "list"])
                self.assertEqual(rest, [word for word in argv if word not in words])

    def test_a_value_that_looks_like_the_command_is_none(self) -> None:
        self.assertEqual(split_words(["--store", "config", "user", "list"], is_complete)[0], ["user", "list"])

    def test_a_commands_own_flag_ends_the_words(self) -> None:
        self.assertEqual(split_words(["config", "--config-name", "list"], is_complete)[0], ["config"])
        self.assertEqual(split_words(["whoami", "list"], is_complete), (["whoami"], ["list"]))


class StandardInput(StoreCase):
    def test_a_secret_is_read_from_its_first_line(self) -> None:
        self.done("config", "set-enkrypt-api-key", "--api-key", "-", given=b"  ek-0123456789abcdef \nmore\n")
        masked = self.done("config", "get-enkrypt-api-key")["api_key"]
        self.assertTrue(masked.endswith("cdef") and "0123" not in masked, masked)

    def test_a_secret_names_its_key(self) -> None:
        for mark in ("", "\ufeff"):
            key = self.done("user", "get-api-key", "--api-key=-", given=f"{mark}{self.keys['api_key']}\r\n".encode())
            self.assertEqual(key["hint"], self.keys["api_key"][-4:])

    def test_input_without_a_line_of_text_is_refused(self) -> None:
        for given in (b"", b"\n", b"\xff\n"):
            self.assertIn("standard input", self.refused(2, "user", "get-api-key", "--api-key=-", given=given))

    def test_a_document_comes_from_standard_input_once(self) -> None:
        document = b'{"mcp_config": []}'
        made = self.done("config", "import", "--config-name=new", "--input-file=-", given=document)
        self.assertEqual(made["servers"], 0)
        flags = ("--config-name=new", "--server-name=x", "--input-policy-file=-", "--output-policy-file=-")
        self.assertIn("already", self.refused(2, "config", "update-server-guardrails", *flags, given=b"{}"))

    def test_a_document_that_is_no_json_is_refused_unquoted(self) -> None:
        detail = self.refused(2, "config", "import", "--config-name=new", "--input-file=-", given=b"hunter2")
        self.assertIn("--input-file", detail)
        self.assertNotIn("hunter2", detail)

    def test_a_document_has_no_inline_flag(self) -> None:
        self.assertIn("no flag --data", self.refused(2, "config", "import", "--config-name=new", "--data={}"))

    def test_closed_standard_input_is_told(self) -> None:
        secret = Param("api_key", SECRET, "")
        document = Param("data", DOCUMENT, "", file="input_file")
        for param, flag in ((secret, "--api-key=-"), (document, "--input-file=-")):
            with self.subTest(flag=flag), mock.patch("sys.stdin", None), self.assertRaises(InvalidRequest):
                values(flag, params=(param,))


class Store(FolderCase):
    def test_the_store_is_the_flags_before_the_environments(self) -> None:
        with mock.patch.dict("os.environ", SECURE_MCP_GATEWAY_STORE=self.path("e", "store.json")):
            self.assertEqual(run("generate-config", "--empty").data["store"], self.path("e", "store.json"))
            flag = ("--store", self.path("f", "store.json"))
            self.assertEqual(run(*flag, "generate-config", "--empty").data["store"], flag[1])

    def test_without_either_it_lies_in_the_home_folder(self) -> None:
        with mock.patch.dict("os.environ", SECURE_MCP_GATEWAY_STORE="", HOME=self.folder):
            made = run("generate-config", "--empty").data["store"]
        self.assertEqual(made, self.path(".secure-mcp-gateway", "store.json"))

    def test_an_empty_path_and_a_folders_are_refused(self) -> None:
        for path in ("", self.path("x", "")):
            self.assertEqual(run("--store", path, "generate-config").code, 2)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_home_that_cannot_be_told_is_refused(self) -> None:
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        for home in (None, "", "relative"):
            nobody = mock.patch("pwd.getpwuid", side_effect=KeyError)
            with mock.patch.dict("os.environ", SECURE_MCP_GATEWAY_STORE="", HOME=home or ""), nobody:
                if home is None:
                    del os.environ["HOME"]
                ran = run("generate-config", "--format=json")
            with self.subTest(home=home):
                self.assertEqual(ran.code, 2)
                self.assertIn("--store", ran.refusal["detail"])
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_way_out_of_a_missing_store_names_it_where_the_command_did(self) -> None:
        path = self.path("a b", "store.json")
        made = f"generate-config --store '{path}'"
        self.assertTrue(run("--store", path, "config", "list").refusal["detail"].endswith(made))
        with mock.patch.dict("os.environ", SECURE_MCP_GATEWAY_STORE=path):
            self.assertTrue(run("--format=table", "config", "list").err.endswith(made + "\n"))
        with mock.patch.dict("os.environ", SECURE_MCP_GATEWAY_STORE="", HOME=self.folder):
            self.assertTrue(run("config", "list").refusal["detail"].endswith("generate-config"))


if __name__ == "__main__":
    unittest.main()
