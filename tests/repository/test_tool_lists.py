"""Lists of tools: what is allowed, and which lists were meant otherwise."""

from __future__ import annotations

import unittest

from secure_mcp_gateway.repository.tool_lists import allowed, doubts, slips_in_denied, slips_in_tools

OFF = {"enabled": False}


class Lists(unittest.TestCase):
    def test_what_is_not_switched_off_is_allowed(self) -> None:
        self.assertEqual(allowed({"a": "Says it", "b": OFF, "c": {}, "d": {"enabled": True}}), ["a", "c", "d"])

    def test_sound_lists_raise_no_doubt(self) -> None:
        tools = {"read_file": "Reads", "rm": OFF, "*": OFF, "files": {"note": "x"}, "files_list": {"inputSchema": {"required": ["path"]}}}
        for lists in ({"tools": tools, "denied_tools": ["mv", "files.cp"]}, {"tools": {}, "denied_tools": []}, {"tools": None}, {}):
            self.assertEqual(doubts({"server_name": "files", **lists}, "s"), [])

    def test_a_pattern_and_a_name_as_clients_show_it_stand_for_nothing_else(self) -> None:
        server = {"server_name": "files", "tools": {"read_*": ""}, "denied_tools": ["rm*", "files__rm", "mcp__files__rm", "other__rm"]}
        pattern, prefix = "* stands for nothing else", "the server itself uses no prefix"
        expected = [f"s.tools: read_* allows a tool of exactly that name, {pattern}"]
        for name, why in (("rm*", pattern), ("files__rm", prefix), ("mcp__files__rm", prefix)):
            expected.append(f"s.denied_tools: {name} denies a tool of exactly that name, {why}")
        self.assertEqual(doubts(server, "s"), expected)

    def test_a_blank_at_an_end_is_a_slip(self) -> None:
        self.assertEqual(slips_in_denied(["a", " b"], "denied_tools"), ["denied_tools: the name ' b' must not begin or end with a blank"])
        self.assertEqual(slips_in_tools({"a ": OFF}, "tools"), ["tools: the name 'a ' must not begin or end with a blank"])

    def test_what_only_says_that_a_tool_is_off_is_a_slip_and_what_else_might_restrict_it_a_doubt(self) -> None:
        for field, value in (("enable", False), ("Enabled", False), ("active", False), ("disabled", True), ("isDisabled", True)):
            self.assertIn(f"tools.rm.{field} ", slips_in_tools({"rm": {field: value}}, "tools")[0])
            self.assertEqual(slips_in_tools({"rm": {field: not value}}, "tools"), [], field)
        for field, value in (("limit", 3), ("scopes", ["x"]), ("read_only", True), ("status", "disabled")):
            self.assertEqual(slips_in_tools({"rm": {field: value}}, "tools"), [])
            self.assertIn(f"s.tools.rm.{field} ", doubts({"server_name": "s", "tools": {"rm": {field: value}}}, "s")[0])

    def test_what_is_of_a_wrong_type_is_for_others_to_say(self) -> None:
        for wrong in (None, 1, "a ", [1, None], {"a": 1}):
            self.assertEqual((slips_in_tools(wrong, "tools"), slips_in_denied(wrong, "denied_tools")), ([], []))

    def test_a_name_without_end_is_shortened_where_it_is_said(self) -> None:
        long = "*" + "a" * 100_000
        said = doubts({"server_name": "s", "tools": {long: "", f"{long} ": {"enable": False}}, "denied_tools": [long]}, "s")
        self.assertLess(max(map(len, said)), 300)


if __name__ == "__main__":
    unittest.main()
