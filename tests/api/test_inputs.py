"""What one body may hold."""

from __future__ import annotations

import unittest
from unittest import mock

from secure_mcp_gateway.api.inputs import read_body
from secure_mcp_gateway.errors import TooLarge


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
