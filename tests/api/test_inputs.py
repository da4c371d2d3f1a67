"""What one body may hold."""

from __future__ import annotations

import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.inputs import Inputs, read_body
from secure_mcp_gateway.errors import InvalidRequest, TooLarge
from secure_mcp_gateway.operations import all_operations


class Fields(unittest.TestCase):
    def refused(self, name: str, query: dict[str, str], body: dict[str, Any]) -> str:
        (row,) = (each for each in all_operations() if each.name == name)
        with self.assertRaises(InvalidRequest) as caught:
            Inputs(row, {}, query, body)
        return caught.exception.detail

    def test_a_field_in_the_wrong_part_of_a_request_is_told_where_it_belongs(self) -> None:
        for name, query, body, said in (
            (
                "config search",
                {},
                {"search_term": "x", "limit": 5},
                "the body has the field 'limit', which belongs in the query; give it there: ?limit=...",
            ),
            (
                "config add",
                {"config_name": "x"},
                {},
                "the query has the field 'config_name', which belongs in the body; give it there: {\"config_name\": ...}",
            ),
            (
                "config rename",
                {},
                {"config_identifier": "x"},
                "the body has the field 'config_identifier', which belongs in the path; give it there: as one of its parts",
            ),
        ):
            self.assertEqual(self.refused(name, query, body), said)

    def test_one_that_belongs_nowhere_is_unknown(self) -> None:
        self.assertIn("the body has the unknown field 'limits'; it takes search_term", self.refused("config search", {}, {"limits": 5}))
        self.assertIn("unknown field 'verify'", self.refused("system audit", {"verify": "true"}, {}))


class Values(unittest.TestCase):
    def test_a_swarm_of_values_is_refused_before_it_is_parsed(self) -> None:
        with mock.patch("secure_mcp_gateway.api.inputs.strict_json", side_effect=AssertionError("it was parsed")):
            for piece in (b"[],", b'{"":0},', b"0,", b"[[" * 9 + b"]]" * 9 + b","):
                with self.assertRaises(TooLarge) as caught:
                    read_body(b'{"a": [' + piece * (4 * 1024 * 1024 // len(piece)) + b"0]}")
                self.assertIn("in parts", caught.exception.detail)

    def test_a_large_body_of_ordinary_records_is_read(self) -> None:
        record = b'{"email": "ada@example.com", "created_at": "2026-01-02T03:04:05.000000+00:00"},'
        records = 16 * 1024 * 1024 // len(record)
        self.assertEqual(len(read_body(b'{"a": [' + record * (records - 1) + record[:-1] + b"]}")["a"]), records)
