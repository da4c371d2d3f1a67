"""How deep an input may be nested."""

from __future__ import annotations

import json
import unittest

from secure_mcp_gateway.params import DEPTH, is_deeper, strict_json


class Depth(unittest.TestCase):
    def test_each_bracket_counts_also_an_empty_one_inside(self) -> None:
        for inside in ("", "1", '"[["', "{}", "[], 1"):
            for levels in range(1, 6):
                text = "[" * levels + inside + "]" * levels
                deep = levels + (inside[:1] in ("{", "["))
                value = json.loads(text)
                self.assertEqual([is_deeper(value, most) for most in range(8)], [most < deep for most in range(8)], text)

    def test_objects_count_as_lists_do(self) -> None:
        self.assertTrue(is_deeper({"a": [{}]}, 2))
        self.assertFalse(is_deeper({"a": [{}]}, 3))

    def test_of_the_deepest_input_one_level_more_is_refused(self) -> None:
        for inside in ("", "1"):
            strict_json("[" * DEPTH + inside + "]" * DEPTH)
            with self.assertRaises(ValueError):
                strict_json("[" * (DEPTH + 1) + inside + "]" * (DEPTH + 1))


if __name__ == "__main__":
    unittest.main()
