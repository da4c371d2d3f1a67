"""The table against the contract's own lists, written out here, and every row against what the surfaces rely on."""

from __future__ import annotations

import re
import subprocess
import unittest
from collections import Counter

from secure_mcp_gateway import errors, params
from secure_mcp_gateway.operations import MODULES, all_operations, for_noun
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, LOOK, READ, RECORD, REPLACE, SETTLE, USER, WRITE
from secure_mcp_gateway.params import Param
from tests.operations.contract import COMMANDS, CREATING, LOOKING, READING_BY_POST, RECORDING, REPLACING, ROWS, SETTLING, USERS_MAY
from tests.support import PYTHON

TABLE = {row.name: row for row in all_operations()}
CODES = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.GatewayError)}
KINDS = {
    getattr(params, name)
    for name in ("NAME", "STRING", "SECRET", "FILE", "INTEGER", "BOOLEAN", "STRINGS", "MAPPING", "OBJECT", "DOCUMENT")
}


class TheContract(unittest.TestCase):
    maxDiff = None

    def test_every_endpoint_and_command_is_one_row_and_nothing_else_is(self) -> None:
        self.assertEqual({row.name: row.route for row in TABLE.values()}, {name: route for name, (route, _) in ROWS.items()})
        self.assertEqual(len(all_operations()), len(TABLE))
        self.assertEqual([route for route, number in Counter(row.route for row in TABLE.values()).items() if number > 1], [])

    def test_every_row_takes_the_fields_of_its_endpoint(self) -> None:
        for name, (_, fields) in ROWS.items():
            with self.subTest(name):
                given = [param for param in TABLE[name].params if param.place in (params.BODY, params.BODY_OR_QUERY)]
                found = {field for param in given for field in (*param.names, param.file) if field}
                self.assertEqual(found, set(fields.split()))

    def test_every_command_has_the_flags_of_the_contract(self) -> None:
        self.assertEqual(set(COMMANDS), set(TABLE))
        for name, flags in COMMANDS.items():
            with self.subTest(name):
                row = TABLE[name]
                found = {flag for param in row.params for flag in (*param.flags, param.file_flag) if flag}
                # A list can be paged and a document given as text everywhere; where the contract does not name that it is no loss.
                self.assertEqual(found - set(flags.split()), found & {"limit", "offset", "data"} - set(flags.split()))
                self.assertEqual(set(flags.split()) - found, set())

    def test_a_users_key_may_use_what_the_contract_lists(self) -> None:
        self.assertEqual({row.name for row in TABLE.values() if row.access == USER}, USERS_MAY)
        self.assertEqual({row.access for row in TABLE.values()}, {ADMIN, USER})

    def test_effects(self) -> None:
        effects = ((CREATE, CREATING), (LOOK, LOOKING), (RECORD, RECORDING), (REPLACE, REPLACING), (SETTLE, SETTLING))
        for effect, names in effects:
            self.assertEqual({row.name for row in TABLE.values() if row.effect == effect}, names)
        for row in TABLE.values():
            if row.name not in CREATING | LOOKING | RECORDING | REPLACING | SETTLING:
                reads = row.method == "GET" or row.name in READING_BY_POST
                self.assertEqual(row.effect, READ if reads else WRITE, row.name)

    def test_only_creating_answers_201_and_not_a_dry_run(self) -> None:
        self.assertEqual(TABLE["config import"].status({"dry_run": True}), 200)
        self.assertEqual(TABLE["config import"].status({}), 201)
        self.assertEqual(TABLE["system restore"].status({}), 200)


class EveryRow(unittest.TestCase):
    def test_says_what_it_does(self) -> None:
        for row in TABLE.values():
            with self.subTest(row.name):
                self.assertRegex(row.message, r"\A[A-Z].* successfully\Z")
                self.assertRegex(row.summary, r"\A[A-Z].*[^.]\Z")
                self.assertLess(len(row.summary), 90)
                for param in row.params:
                    self.assertRegex(param.help, r"(?s)\A\S.*\.\Z", param.name)

    def test_has_an_example_of_every_input_that_passes_its_check(self) -> None:
        for row in TABLE.values():
            for param in row.params:
                if param.place != params.COMMAND_LINE:
                    with self.subTest(row.name, param=param.name):
                        self.assertIsNotNone(param.example)
                        self.assertEqual(param.check(param.example), param.example)

    def test_has_path_parameters_that_match_its_path(self) -> None:
        for row in TABLE.values():
            found = [param.name for param in row.params if param.place == params.PATH]
            self.assertEqual(sorted(found), sorted(re.findall(r"{(\w+)}", row.path)), row.name)
            self.assertIn(row.method, ("GET", "POST", "PUT", "DELETE"))

    def test_has_inputs_that_do_not_clash(self) -> None:
        for row in TABLE.values():
            for names in ([param.name for param in row.params], [flag for param in row.params for flag in param.flags]):
                self.assertEqual(len(names), len(set(names)), row.name)
            for param in row.params:
                self.assertIn(param.kind, KINDS)

    def test_lists_errors_that_exist(self) -> None:
        for row in TABLE.values():
            self.assertLessEqual(set(row.errors), CODES, row.name)
            identifies = any(param.place == params.PATH for param in row.params)
            self.assertLessEqual(identifies, "not_found" in row.errors, row.name)
            self.assertEqual(len(row.errors), len(set(row.errors)), row.name)

    def test_takes_keys_as_secrets(self) -> None:
        for row in TABLE.values():
            for param in row.params:
                if param.name in ("api_key", "admin_key"):
                    self.assertEqual(param.kind, params.SECRET, row.name)

    def test_that_answers_a_document_can_be_written_to_a_file(self) -> None:
        for row in TABLE.values():
            named = {param.name for param in row.params}
            self.assertEqual(bool(row.document), "output_file" in named, row.name)
            self.assertEqual(bool(row.document), row.effect == RECORD, row.name)
            self.assertEqual("overwrite" in named, "output_file" in named, row.name)

    def test_has_a_rule_that_takes_its_inputs(self) -> None:
        for row in TABLE.values():
            if row.name in ("config import", "config add-server", "config update-server"):
                continue
            code = row.run.__code__
            keywords = set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
            passed = {param.name for param in row.params if param.name not in ("output_file", "overwrite")}
            self.assertEqual(keywords, passed, row.name)


class LoadingTheTable(unittest.TestCase):
    def test_by_noun_gives_that_nouns_commands(self) -> None:
        found = [row.name for noun in MODULES for row in for_noun(noun)]
        self.assertEqual(sorted(found), sorted(TABLE))
        for noun in MODULES:
            self.assertEqual({row.name.split()[0] for row in for_noun(noun)}, {noun})
        with self.assertRaises(KeyError):
            for_noun("nonsense")

    def test_loads_only_what_the_noun_needs(self) -> None:
        heavy = {"typing", "dataclasses", "pathlib", "logging", "tempfile", "secrets", "uuid"}
        heavy |= {"urllib.parse", "http.client", "socket", "hashlib", "threading", "difflib", "unicodedata"}
        for noun in MODULES:
            code = f"import sys; from secure_mcp_gateway.operations import for_noun; for_noun({noun!r}); print(*sys.modules)"
            command = [*PYTHON, "-c", code]
            loaded = set(subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout.split())
            with self.subTest(noun):
                self.assertIn("secure_mcp_gateway.operations.operation", loaded)
                self.assertEqual(loaded & heavy, set())
                if noun != "system":
                    self.assertEqual({each for each in loaded if each.endswith((".restore", ".migrate", ".system"))}, set())

    def test_a_params_flags_are_words(self) -> None:
        for row in TABLE.values():
            for param in row.params:
                self.assertIsInstance(param, Param)
                for flag in param.flags:
                    self.assertRegex(flag, r"\A[a-z]+(-[a-z]+)*\Z")
