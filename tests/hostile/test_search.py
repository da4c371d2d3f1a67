"""The measures of this room, on what is known to be wrong: a difference of time, and a secret in every disguise."""

from __future__ import annotations

import base64
import os
import unittest
from random import Random

from tests.hostile.evidence import ELSEWHERE, KEPT, NEVER, ONCE, OPEN, Evidence, Watch, forms
from tests.hostile.timing import judged
from tests.support import FolderCase

SECRET = "smg_Qm9vIQ-_xyzKLMNOPqrstuvwxyzABCDEFGH0123456789"


class Time(unittest.TestCase):
    def samples(self, dice: Random, count: int, more: float = 0.0) -> list[int]:
        """About 2 µs, with the outliers that a scheduler makes."""
        return [int(dice.gauss(2000 + more, 100) + (dice.expovariate(1 / 50_000) if dice.random() < 0.02 else 0)) for _ in range(count)]

    def test_a_difference_of_three_hundredths_is_told(self) -> None:
        dice = Random(1)
        found = judged(self.samples(dice, 10_000, 60), self.samples(dice, 10_000))
        self.assertTrue(found.tells, str(found))
        self.assertAlmostEqual(found.difference, 60, delta=10)
        self.assertTrue(judged(self.samples(dice, 10_000), self.samples(dice, 10_000, 60)).tells)

    def test_chance_is_not_told_and_neither_is_drift(self) -> None:
        for seed in range(20):
            dice = Random(seed)
            drift = [number // 10 for number in range(4_000)]
            ones, others = (list(map(sum, zip(self.samples(dice, 4_000), drift))) for _ in range(2))
            found = judged(ones, others)
            self.assertFalse(found.tells, f"seed {seed}: {found}")

    def test_a_few_slow_calls_of_one_side_are_no_difference(self) -> None:
        dice = Random(3)
        ones = self.samples(dice, 10_000)
        ones[:20] = [10_000_000] * 20
        self.assertFalse(judged(ones, self.samples(dice, 10_000)).tells)


class Search(FolderCase):
    def leaks(self, kind: str, answers: tuple[str, ...] = (), errors: tuple[str, ...] = (), **seen: str) -> list[str]:
        """``seen`` are the arguments and environment of a process, and the text of a temporary file."""
        evidence, watch = Evidence(self.folder), Watch(self.folder, self.folder)
        evidence.add(SECRET, kind, "it")
        evidence.answers, evidence.errors = list(answers), list(errors)
        watch.arguments, watch.environments = {seen.get("arguments", "")}, {seen.get("environment", "")}
        watch.temporary = {self.path("x.tmp"): seen.get("temporary", "")}
        return evidence.leaks(watch)

    def test_a_secret_is_found_in_each_place(self) -> None:
        for kind in (ONCE, NEVER, ELSEWHERE, KEPT, OPEN):
            self.assertEqual(self.leaks(kind), [])
            self.assertTrue(self.leaks(kind, errors=(f"x {SECRET} x",)))
            self.assertTrue(self.leaks(kind, arguments=f"--api-key={SECRET}"))
            self.assertTrue(self.leaks(kind, environment=f"KEY={SECRET}"))

    def test_an_answer_may_hold_it_as_often_as_its_kind_says(self) -> None:
        for kind, most in ((ONCE, 1), (NEVER, 0), (KEPT, 0)):
            self.assertEqual(self.leaks(kind, answers=(SECRET,) * most), [])
            self.assertTrue(self.leaks(kind, answers=(SECRET,) * (most + 1)), kind)
        self.assertEqual(self.leaks(OPEN, answers=(SECRET,) * 9), [])

    def test_files_are_read_and_only_the_store_may_hold_what_is_kept(self) -> None:
        self.write("store.json", f"x{SECRET}x")
        self.assertEqual(self.leaks(KEPT), [])
        self.assertTrue(self.leaks(ONCE))
        os.rename(self.path("store.json"), self.path("audit.jsonl"))
        self.assertTrue(self.leaks(KEPT))
        os.unlink(self.path("audit.jsonl"))
        self.assertTrue(self.leaks(NEVER, temporary=SECRET))
        self.write(SECRET, "its name is one too")
        self.assertTrue(self.leaks(NEVER))

    def test_it_is_found_in_every_disguise_whatever_stands_around_it(self) -> None:
        raw = SECRET.encode()
        for before in (b"", b"a", b"ab", b"abc", b"Bearer "):
            for encoded in (base64.b64encode(before + raw + b"end"), base64.urlsafe_b64encode(before + raw), (before + raw).hex().encode()):
                self.assertTrue(any(form in encoded.decode() for form in forms(SECRET).values()), encoded)
        self.assertIn("".join(f"%{byte:02X}" for byte in raw), forms(SECRET).values())
        self.assertGreater(min(map(len, forms(SECRET).values())), 40)


if __name__ == "__main__":
    unittest.main()
