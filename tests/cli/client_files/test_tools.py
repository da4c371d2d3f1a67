"""Clients' lists of tools as ours."""

from __future__ import annotations

import unittest

from tests.cli.client_files.reading_case import one, problems, warnings


class Tools(unittest.TestCase):
    def test_lists_of_tools_are_kept_where_they_mean_the_same(self) -> None:
        for allowed, denied in (("includeTools", "excludeTools"), ("enabled_tools", "disabled_tools"), ("tools", "disabledTools")):
            server = one({"command": "x", allowed: ["a", "b"], denied: ["c"]})
            self.assertEqual((server["tools"], server["denied_tools"]), ({"a": {"enabled": True}, "b": {"enabled": True}}, ["c"]))
        self.assertEqual(one({"command": "x", "tools": ["*"]})["tools"], {})

    def test_an_empty_list_goes_on_allowing_nothing(self) -> None:
        for field in ("includeTools", "enabled_tools", "tools"):
            self.assertEqual(one({"command": "x", field: []})["tools"], {"*": {"enabled": False}})
            self.assertIn(f"mcpServers.one.{field} allows no tool at all", warnings({"command": "x", field: []})[0])

    def test_two_lists_of_what_is_allowed_are_refused_and_neither_is_passed_over(self) -> None:
        (problem,) = problems({"command": "x", "enabled_tools": ["a"], "tools": ["a", "b"]})
        self.assertIn("enabled_tools and tools", problem)
        (problem,) = problems({"command": "x", "enabled_tools": ["a"], "tools": {"a": {"enabled": False}}})
        self.assertIn("mcpServers.one.tools may restrict", problem)
        both = {"command": "x", "enabled_tools": ["a"], "tools": {"a": {"approval_mode": "approve"}}}
        self.assertEqual(one(both)["tools"], {"a": {"enabled": True}})


if __name__ == "__main__":
    unittest.main()
