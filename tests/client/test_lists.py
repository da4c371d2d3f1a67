"""A list comes whole in one answer, or in parts of one state of the store where that answer would be too large."""

from __future__ import annotations

import contextlib
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.client import exchange, remote
from secure_mcp_gateway.errors import TooLarge, Unavailable
from secure_mcp_gateway.store.store import Store
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from tests import team
from tests.client.stub import ROWS, StubCase
from tests.support import in_memory
from tests.surfaces import send
from tests.web.raw import ServerCase

USERS = 40
LIST = ROWS["user list"]


class Lists(ServerCase, StubCase):
    def setUp(self) -> None:
        folder = in_memory()
        self.app = ManagementApp(Store(team.make_team(folder.__enter__()).path))
        self.addCleanup(folder.__exit__, None, None, None)
        for number in range(USERS - 4):
            self.make_user(f"user{number:02}")
        self.asked: list[str] = []
        self.writes: list[str] = []
        self.url = f"http://127.0.0.1:{self.start(self.answer).bound[1]}"

    def make_user(self, name: str) -> None:
        send(self.app, "POST", "/api/v1/users", {"email": f"{name}@example.com"})

    def answer(self, request: Request) -> Response:
        """Before each request one of the ``writes`` is done by somebody else."""
        self.asked.append(request.query)
        if self.writes:
            self.make_user(self.writes.pop(0))
        return self.app(request)

    def listed(self, **values: int) -> Any:
        server = self.server(self.url)
        server.key = team.ADMIN
        with remote.Remote(server) as asked:
            return asked.perform(LIST, values)

    @contextlib.contextmanager
    def taking(self, size: int) -> Iterator[None]:
        with mock.patch.object(exchange, "LARGEST", size), mock.patch.object(remote, "LARGEST", size):
            yield

    def test_all_of_it_comes_at_once(self) -> None:
        found = self.listed()
        self.assertEqual((len(found.rows), found.total, self.asked), (USERS, USERS, [""]))

    def test_a_part_that_was_asked_for_comes_with_the_number_of_all(self) -> None:
        found = self.listed(limit=3, offset=39)
        self.assertEqual((len(found.rows), found.total, self.asked), (1, USERS, ["limit=3&offset=39"]))

    def test_what_is_too_large_comes_in_parts(self) -> None:
        whole = self.listed()
        with self.taking(2000):
            for offset in (0, 7, USERS, USERS + 1):
                found = self.listed(**({"offset": offset} if offset else {}))
                self.assertEqual((found.rows, found.total), (whole.rows[offset:], USERS))
        self.assertGreater(len(self.asked), 6)

    def test_parts_of_two_states_of_the_store_are_never_put_together(self) -> None:
        self.writes = ["aa", "bb", "cc", "dd"]
        with self.taking(2000):
            found = self.listed()
        self.assertEqual((found.rows, found.total), (self.listed().rows, USERS + 4))
        self.assertEqual(self.asked.count(self.asked[1]), 2)

    def test_a_store_that_never_rests_is_given_up(self) -> None:
        self.writes = [f"more{number:03}" for number in range(100)]
        with self.taking(2000), self.assertRaises(Unavailable) as caught:
            self.listed()
        self.assertEqual(caught.exception.hint, "take it in parts, with --limit and --offset")
        self.assertLess(len(self.asked), 20)

    def test_rows_of_which_one_is_too_large(self) -> None:
        for values in ({}, {"limit": 1}):
            with self.taking(100), self.assertRaises(TooLarge) as caught:
                self.listed(**values)
            self.assertEqual(caught.exception.hint, "take it in parts, with --limit and --offset")


if __name__ == "__main__":
    unittest.main()
