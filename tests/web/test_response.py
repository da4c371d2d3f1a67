from __future__ import annotations

import json
import unittest

from secure_mcp_gateway import errors
from secure_mcp_gateway.web.response import Response, encode, error_response

NOW = "2026-01-02T03:04:05.678901+00:00"


class AnErrorResponse(unittest.TestCase):
    def test_says_what_and_when_and_how_to_go_on(self) -> None:
        response = error_response(errors.NotFound("no config 'a'", "list them"), NOW)
        wanted = {"error": "not_found", "detail": "no config 'a'; list them", "timestamp": NOW}
        self.assertEqual((response.status, json.loads(response.body)), (404, wanted))
        fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        self.assertEqual(response.headers, [*fields, ("X-Hint-Length", str(len("list them")))])
        self.assertEqual(error_response(errors.NotFound("no config; none at all"), NOW).headers, fields)

    def test_keeps_the_private_part_private(self) -> None:
        self.assertNotIn(b"/home", error_response(errors.StoreDamaged("damaged", private="/home/me/store.json"), NOW).body)

    def test_asks_for_a_key_or_names_the_methods(self) -> None:
        self.assertIn(("WWW-Authenticate", "Bearer"), error_response(errors.Unauthorized("no"), NOW).headers)
        self.assertIn(("Allow", "GET, PUT"), error_response(errors.MethodNotAllowed("no", ("GET", "PUT")), NOW).headers)

    def test_can_say_what_no_encoding_can(self) -> None:
        self.assertTrue(error_response(errors.NotFound("\ud800"), NOW).body.isascii())


class TheBytes(unittest.TestCase):
    def test_are_head_and_body_in_one_piece(self) -> None:
        data = encode(Response(201, b"{}", [("ETag", '"7"')]), "POST", "r1", "")
        head, _, body = data.partition(b"\r\n\r\n")
        status_line, date, *rest = head.split(b"\r\n")
        self.assertEqual((status_line, date[:6], body), (b"HTTP/1.1 201 Created", b"Date: ", b"{}"))
        self.assertEqual(rest, [b"X-Request-Id: r1", b'ETag: "7"', b"Content-Length: 2"])

    def test_of_statuses_without_a_body_have_no_length(self) -> None:
        for status in (204, 304):
            data = encode(Response(status, b"surplus"), "GET", "r1", "close")
            self.assertTrue(data.endswith(b"\r\nConnection: close\r\n\r\n"))
            self.assertNotIn(b"Content-Length", data)

    def test_of_a_status_without_a_name(self) -> None:
        self.assertTrue(encode(Response(299), "GET", "r1", "").startswith(b"HTTP/1.1 299 \r\n"))
