from __future__ import annotations

import unittest
from unittest import mock

from secure_mcp_gateway.store import refusals
from secure_mcp_gateway.store.refusals import ALL, ALL_AN_HOUR, EACH_ACTOR, EACH_ACTOR_AN_HOUR, Refusals


class RefusalsTest(unittest.TestCase):
    def test_each_actor_has_its_own_share_and_the_next_line_says_what_was_left_out(self) -> None:
        with mock.patch.object(refusals.time, "monotonic", return_value=5.0):
            found = Refusals()
            self.assertEqual(sum(found.admits("one") for _ in range(EACH_ACTOR + 7)), EACH_ACTOR)
            self.assertTrue(found.admits("two"))
            self.assertEqual(found.left_out("one"), {"refusals_without_a_line": "7"})
            self.assertEqual((found.left_out("one"), found.left_out("two")), ({}, {}))
            self.assertEqual(sum(found.admits(str(number)) for number in range(ALL)), ALL - EACH_ACTOR - 1)

    def test_a_second_later_all_begin_anew(self) -> None:
        found = Refusals()
        for moment in (5.0, 6.0):
            with mock.patch.object(refusals.time, "monotonic", return_value=moment):
                self.assertEqual(sum(found.admits("one") for _ in range(EACH_ACTOR + 1)), EACH_ACTOR)

    def test_whoever_goes_on_for_an_hour_gets_no_more_than_its_share_of_that(self) -> None:
        found = Refusals()
        self.assertEqual(self.admitted(found, 1000.0, ["one"]), EACH_ACTOR_AN_HOUR)
        self.assertEqual(self.admitted(found, 1000.0 + 3600, ["one"]), EACH_ACTOR_AN_HOUR)

    def test_and_all_together_not_more_than_theirs(self) -> None:
        actors = [str(number) for number in range(ALL_AN_HOUR // EACH_ACTOR_AN_HOUR + 5)]
        self.assertEqual(self.admitted(Refusals(), 1000.0, actors), ALL_AN_HOUR)

    def admitted(self, found: Refusals, start: float, actors: list[str]) -> int:
        """Of one try for each line that the seconds of an hour have."""
        count = 0
        for second in range(3600):
            with mock.patch.object(refusals.time, "monotonic", return_value=start + second):
                count += sum(found.admits(actor) for actor in actors)
        return count
