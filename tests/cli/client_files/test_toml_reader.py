"""TOML: each kind of value, what is refused and where, and the same as the standard library where that can read it."""

from __future__ import annotations

import importlib
import random
import unittest
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from secure_mcp_gateway.cli.client_files.toml_reader import read_toml
from secure_mcp_gateway.params import DEPTH

try:
    tomllib: Any = importlib.import_module("tomllib")
except ImportError:
    tomllib = None

TYPICAL = r'''
# Codex CLI
model = "o3"            # a comment
"quoted key" = 'C:\no\escapes'
notice.hidden = true
text = """
one \
   two ""quoted"" \u00e9"""
raw = \'\'\'
as 'it' is\'\'\'
numbers = [1_000, 0x1F, 0o17, 0b101, -5, 1.5, 6e2, -0.0]

since = 1979-05-27          # days, times and both of them
at = [07:32:00, 00:32:00.9999999]
both = [1979-05-27T07:32:00Z, 1979-05-27 00:32:00.5-07:30, 1979-05-27t07:32:00]
1979-05-27 = "a key"

[mcp_servers.docs]
command = "npx"
args = [
  "-y", # first
  "server",
]
env = { "API_KEY" = "value", nested.name = "x" }

[mcp_servers.docs.tools]
[[profiles]]
name = "a"
[[profiles]]
name = "b"
[profiles.more]
x = 1
'''.replace("\\'\\'\\'", "'" * 3)

REFUSED = (
    ("a = 1979-02-29", "a date or a time is invalid at line 1, column 5"),
    ("a = 0000-01-01", "a date or a time is invalid at line 1, column 5"),
    ("a = 1979-13-01", "a date or a time is invalid at line 1, column 5"),
    ("\n a = 07:32", "a date or a time is invalid at line 2, column 6"),
    ("a = 24:00:00", "a date or a time is invalid at line 1, column 5"),
    ("a = 1979-05-27T24:00:00Z", "the line should end here at line 1, column 15"),
    ("a = 1979-05-27T07:32:00+24:00", "the line should end here at line 1, column 24"),
    ("a = 07:32:00Z", "the line should end here at line 1, column 13"),
    ("a = 1\na = 2", "there already at line 2, column 1"),
    ("[a]\n[a]", "there already at line 2, column 2"),
    ("a = {b = 1}\n[a.c]", "cannot be added to at line 2"),
    ("a = {b.c = 1}\n[a.b.d]", "cannot be added to at line 2"),
    ("a = 1\na.b = 2", "cannot be added to at line 2"),
    ("[a.b.c]\n[a]\nb.c.d = 1", "cannot be added to at line 3"),
    ("a = [1]\n[[a]]", "already at line 2"),
    ("a = {b = 1,}", "a key is missing at line 1, column 12"),
    ("a = {b = 1\n}", "a comma or } is missing at line 1, column 11"),
    ("a = [1 2]", "a comma or ] is missing at line 1, column 8"),
    ('a = "x', "not closed at line 1, column 5"),
    ('a = "x\ny"', "not closed at line 1, column 5"),
    ('a = "\x01"', "control character must be escaped at line 1, column 6"),
    ('a = "\\x41"', "an escape is unknown at line 1, column 6"),
    ('a = "\\ud800"', "an escape is unknown at line 1, column 6"),
    ('"""a""" = 1', "a key is missing at line 1, column 1"),
    ("a", "= is missing at line 1, column 2"),
    ("a =", "a value is missing"),
    ("a = 1 b = 2", "the line should end here at line 1, column 7"),
    ("a = 01", "the line should end here"),
    ("a = 1\rb = 2", "the line should end here"),
    ("a = 9223372036854775808", "does not fit into 64 bits at line 1, column 5"),
    ("a = " + "1" * 500, "a number is too long"),
    ("a = " + "[" * 100, f"deeper than {DEPTH} levels"),
    ("a." * 100 + "b = 1", f"deeper than {DEPTH} levels"),
    ("a = nil", "of no kind that is known"),
)
# What a document is made of: single words, and whole lines that a wrong order makes invalid.
WORDS = (
    *(
        "a",
        "b",
        '"a"',
        "'b'",
        ".",
        "=",
        " ",
        "\n",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        "1",
        "0",
        "-",
        "+",
        "_",
        "e",
        "0x1F",
        "1.5",
        "true",
    ),
    *('"x"', "'y'", '"""', "'" * 3, "\\n", "\\", '"', "'", "#c", "\t", "\r\n", "\r", "\\u0041", "\\ud800", "\x00", "\u00e9", "inf", "nan"),
    *("1979-05-27", "2024-02-30", "07:32:00", "T", "Z", "-07:00", ".5", ":"),
)
LINES = (
    *("a = 1\n", "[a]\n", "[[b]]\n", "[a.b]\n", "[b.c]\n", "b.c = 2\n", "a.b.c = 3\n", "x = {a=1, b.c=2}\n", "y=[1,\n2,]\n", "[x.a]\n"),
    *('c = "a\\tb"\n', "[[b.d]]\n", "[ a . 'b' ]\n", "z = [{a=1}, {}]\n", "[[y]]\n"),
    *("d = 1979-05-27 07:32:00.123456789-07:00\n", "e = {t = 23:59:59, u = 1979-05-27T00:00:00z}\n", "[1979-05-27]\n"),
)


def generated(seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice(LINES if chance.random() < 0.6 else WORDS) for _ in range(chance.randint(1, 9)))


class Toml(unittest.TestCase):
    def test_a_typical_file(self) -> None:
        read = read_toml(TYPICAL)
        self.assertEqual((read["model"], read["quoted key"], read["notice"]), ("o3", "C:\\no\\escapes", {"hidden": True}))
        self.assertEqual((read["text"], read["raw"]), ('one two ""quoted"" \u00e9', "as 'it' is"))
        self.assertEqual(read["numbers"], [1000, 31, 15, 5, -5, 1.5, 600.0, -0.0])
        docs = {"command": "npx", "args": ["-y", "server"], "env": {"API_KEY": "value", "nested": {"name": "x"}}, "tools": {}}
        self.assertEqual(read["mcp_servers"], {"docs": docs})
        self.assertEqual(read["profiles"], [{"name": "a"}, {"name": "b", "more": {"x": 1}}])

    def test_dates_and_times_are_those_of_the_standard_library(self) -> None:
        read = read_toml(TYPICAL)
        self.assertEqual((read["since"], read["1979-05-27"]), (date(1979, 5, 27), "a key"))
        self.assertEqual(read["at"], [time(7, 32), time(0, 32, 0, 999_999)])
        west = timezone(-timedelta(hours=7, minutes=30))
        moments = [datetime(1979, 5, 27, 7, 32, tzinfo=timezone.utc), datetime(1979, 5, 27, 0, 32, 0, 500_000, west)]
        self.assertEqual(read["both"], [*moments, datetime(1979, 5, 27, 7, 32)])

    def test_line_ends_of_windows_are_line_ends(self) -> None:
        self.assertEqual(read_toml(TYPICAL.replace("\n", "\r\n")), read_toml(TYPICAL))

    def test_what_is_refused_is_said_with_its_place(self) -> None:
        for text, said in REFUSED:
            with self.subTest(text=text[:40]), self.assertRaises(ValueError) as caught:
                read_toml(text)
            self.assertIn(said, str(caught.exception))

    def test_a_file_that_no_hand_wrote_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "larger than 4 MiB"):
            read_toml("#" * (4 * 1024 * 1024 + 1))

    def test_generated_documents_raise_nothing_else(self) -> None:
        read = 0
        for seed in range(3000):
            try:
                read_toml(generated(seed))
                read += 1
            except ValueError as error:
                self.assertRegex(str(error), r" at line \d+, column \d+$", f"seed {seed}")
        self.assertGreater(read, 200)

    @unittest.skipIf(tomllib is None, "this Python brings no reader of TOML to compare with")
    def test_generated_documents_are_read_as_the_standard_library_reads_them(self) -> None:
        for text in (TYPICAL, *(generated(seed) for seed in range(4_000))):
            try:
                mine = repr(read_toml(text))
            except ValueError as error:
                mine = f"refused: {error}"
            try:
                other = repr(tomllib.loads(text))
            except ValueError:
                other = "refused"
            self.assertEqual(mine.partition(":")[0] if other == "refused" else mine, other, text)


if __name__ == "__main__":
    unittest.main()
