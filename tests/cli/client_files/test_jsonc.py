"""JSON with comments and last commas: what is taken, where the first one stands, and what stays an error."""

from __future__ import annotations

import json
import random
import time
import unittest

from secure_mcp_gateway.cli.client_files.jsonc import COMMA, COMMENT, LARGEST_BY_HAND, read_jsonc


class Jsonc(unittest.TestCase):
    def test_plain_json_has_nothing_beside_it(self) -> None:
        self.assertEqual(read_jsonc('{"a": "// no, /* no */ ,]"}'), ({"a": "// no, /* no */ ,]"}, {}))

    def test_comments_and_last_commas_are_found_with_the_place_of_the_first(self) -> None:
        text = '{"a": 1, // one\n "b": [1, /* two */ 2,\n],}'
        self.assertEqual(read_jsonc(text), ({"a": 1, "b": [1, 2]}, {COMMENT: "line 1, column 10", COMMA: "line 2, column 22"}))

    def test_a_comma_may_have_a_comment_behind_it(self) -> None:
        self.assertEqual(read_jsonc("[1, // last\n]")[0], [1])

    def test_what_only_looks_like_one_in_a_string_stays(self) -> None:
        value = {"a\\": 'b\\",]//', "c": ["/*", ",}"]}
        self.assertEqual(read_jsonc(json.dumps(value)[:-1] + ",}")[0], value)

    def test_a_comma_that_follows_no_value_is_an_error(self) -> None:
        for text in ("[,]", "{,}", "[1,,]", '{"a":,}', "[/**/,]"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                read_jsonc(text)

    def test_a_comment_that_is_not_closed_is_named_by_its_place(self) -> None:
        for text in ('{"a": 1} \n/*', '{"a": 1} \n/*/'):
            with self.assertRaisesRegex(ValueError, "not closed at line 2, column 1"):
                read_jsonc(text)

    def test_an_error_behind_a_comment_keeps_its_place(self) -> None:
        with self.assertRaisesRegex(ValueError, "line 3, column 3"):
            read_jsonc("{ // one\n/* two\n*/x}")

    def test_the_place_of_an_error_reads_as_a_sentence(self) -> None:
        for text, said in (('{"a', "starting at line 1, column 2"), ('["a\n"]', "^Invalid control character at line 1, column 4$")):
            with self.assertRaisesRegex(ValueError, said):
                read_jsonc(text)

    def test_a_file_that_no_hand_wrote_is_plain(self) -> None:
        with self.assertRaises(ValueError):
            read_jsonc("[1, //\n" + " " * LARGEST_BY_HAND + "]")

    def test_no_text_takes_long(self) -> None:
        for piece in ("/*", "//\n", '"', '"\\"', ",", ", ", ",]", "*/", "/"):
            started = time.monotonic()
            with self.subTest(piece=piece):
                self.assertRaises(ValueError, read_jsonc, piece * (200_000 // len(piece)))
                self.assertLess(time.monotonic() - started, 5)

    def test_random_texts_raise_nothing_else(self) -> None:
        pieces = ("{", "}", "[", "]", ",", ":", '"', '"a"', "1", "\\", "//", "/*", "*/", "\n", " ", "null", "\x00", "\u00e9", "\\ud800")
        for seed in range(4000):
            text = "".join(random.Random(seed).choices(pieces, k=12))
            try:
                json.dumps(read_jsonc(text)[0])
            except ValueError as error:
                self.assertTrue(str(error), f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
