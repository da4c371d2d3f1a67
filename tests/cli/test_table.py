"""Tables and records for people."""

from __future__ import annotations

import unittest
from typing import Any

from secure_mcp_gateway.cli.table import cell, clean, record_lines, table_lines, text_width

ID = "2c0627ed-c4c6-49e3-b756-1a2741183d0e"
SECRET = "smg_" + "aB-_" * 10 + "aBc"


def all_lines(rows: list[dict[str, Any]], width: int) -> list[str]:
    heads, lines = table_lines(rows, list(rows[0]), width)
    return heads + lines


class Cells(unittest.TestCase):
    def test_each_kind_of_value_has_its_words(self) -> None:
        for value, text in (
            (None, "-"),
            ([], "-"),
            ({}, "-"),
            (0, "0"),
            (False, "no"),
            (True, "yes"),
            ("", ""),
            (["a", None, 1], "a, -, 1"),
            (["-"], '"-"'),
            ([""], '""'),
            (["-y", "-", ""], '-y, "-", ""'),
            ({"a": "é"}, '{"a": "é"}'),
            ("2026-01-02T03:04:05.678901+00:00", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.678901+02:00", "2026-01-02T03:04:05.678901+02:00"),
        ):
            with self.subTest(value=value):
                self.assertEqual(cell(value), text)

    def test_no_character_that_a_terminal_obeys_gets_through(self) -> None:
        risky = "\x1b[31m \x9b2J \r\n\t\x00 \u202e \u2028 \ufeff \udcff \U000e0041"
        lines = [*record_lines({risky: [risky]}), *all_lines([{"a": risky}], 40)]
        for text in (clean(risky), cell(risky), cell({"x": risky}), *lines):
            self.assertTrue(text.isprintable(), ascii(text))
        self.assertEqual(clean("a\x1b[31mé漢\n"), "a\\x1b[31mé漢\\n")

    def test_wide_characters_and_marks_count_as_a_terminal_shows_them(self) -> None:
        self.assertEqual([text_width(text) for text in ("abc", "漢字", "e\u0301", "é")], [3, 4, 1, 1])


class Tables(unittest.TestCase):
    def test_columns_are_aligned_and_numbers_stand_right(self) -> None:
        rows = [{"name": "漢", "users": 12, "in": [{"x": "a"}, {"x": "b"}]}, {"name": "long", "users": 3, "in": []}]
        self.assertEqual(
            table_lines(rows, ["name", "users", "in.x", "gone.x"], None),
            (["NAME  USERS  IN    GONE"], ["漢       12  a, b  -", "long      3  -     -"]),
        )

    def test_what_is_copied_is_never_broken(self) -> None:
        row = {"id": ID, "secret": SECRET, "text": "a text of several words", "time": "2026-01-02T03:04:05.000000+00:00"}
        for width in (20, 60, 80, 120, 200):
            lines = all_lines([row], width)
            with self.subTest(width=width):
                for whole in (ID, SECRET, "2026-01-02T03:04:05Z"):
                    self.assertTrue(any(whole in line for line in lines), lines)

    def test_long_texts_are_broken_over_lines_so_that_the_rest_fits(self) -> None:
        row = {"id": ID, "email": "somebody.with.a.long.name@mail.example.com", "projects": ["one", "two", "three"], "keys": 1}
        lines = all_lines([row, row], 80)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertTrue(lines[1].startswith(ID))
        text = "".join(line[len(ID) + 2 :].split(" ")[0] for line in lines[1 : 1 + (len(lines) - 1) // 2])
        self.assertEqual(text, row["email"])

    def test_columns_that_cannot_fit_become_blocks(self) -> None:
        row = {"id": ID, "other": ID, "third": ID}
        heads, lines = table_lines([row, row], list(row), 80)
        block = [f"id     {ID}", f"other  {ID}", f"third  {ID}"]
        self.assertEqual((heads, lines), ([], [*block, "", *block]))

    def test_long_values_in_blocks_are_broken_but_for_what_is_copied(self) -> None:
        row = {"id": ID, "text": "word " * 30, "other": f"{ID}, {SECRET}, {ID}", "more": ID}
        heads, lines = table_lines([row], list(row), 60)
        self.assertEqual((heads, lines[0]), ([], f"id     {ID}"))
        self.assertLessEqual(max(map(len, lines)), 60)
        self.assertEqual([line for line in lines if line.strip().rstrip(",") == SECRET], [f"       {SECRET},"])


class Records(unittest.TestCase):
    def test_fields_are_aligned_and_what_is_nested_is_indented(self) -> None:
        record = {
            "name": "x",
            "valid": False,
            "args": ["-y", "a"],
            "issues": ["first thing", "second"],
            "config": {"command": "python", "env": {}},
            "users": [{"id": 1, "email": "a@b.c"}, {}],
        }
        self.assertEqual(
            record_lines(record),
            [
                "name   x",
                "valid  no",
                "args   -y, a",
                "issues",
                "  - first thing",
                "  - second",
                "config",
                "  command  python",
                "  env      -",
                "users",
                "  - id     1",
                "    email  a@b.c",
                "  - -",
            ],
        )

    def test_long_values_are_broken_to_the_width_and_stand_below_each_other(self) -> None:
        record = {"id": ID, "text": "word " * 20, "inner": {"issues": ["many words " * 9, "-"]}}
        lines = record_lines(record, 50)
        self.assertLessEqual(max(map(len, lines)), 50)
        eight_words = " ".join(["word"] * 8)
        self.assertEqual(lines[:3], [f"id    {ID}", f"text  {eight_words} word", f"      {eight_words} word"])
        self.assertEqual(lines[-1], '    - "-"')
        self.assertEqual(" ".join(lines).split().count("words"), 9)


if __name__ == "__main__":
    unittest.main()
