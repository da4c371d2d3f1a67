"""Whether two deeds take the same time, as far as an attacker with many tries could tell."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

_BLOCK = 20
_SIGMAS = 5.0
# What caches and allocators alone make of two groups of the same kind: a few ns in the process, up to 40 of 35,000 over a connection.
_FLOOR_NS = 25.0
_FLOOR_SHARE = 0.0025

Deed = Callable[[], object]


class Comparison(NamedTuple):
    """In nanoseconds; ``noise`` is the standard deviation of the difference where chance alone names the two groups."""

    pairs: int
    median: float
    difference: float
    noise: float

    @property
    def tells(self) -> bool:
        return abs(self.difference) > max(_FLOOR_NS, _FLOOR_SHARE * self.median, _SIGMAS * self.noise)

    def __str__(self) -> str:
        return f"{self.pairs} pairs, median {self.median:.0f} ns, difference {self.difference:.1f} ns, noise {self.noise:.1f} ns"


def compare(one: Callable[[int], object], other: Callable[[int], object], pairs: int, dice: Random) -> Comparison:
    """Each is called ``pairs`` times with a running number, in pairs whose order chance decides: what drifts drifts for both."""
    ones, others = [], []
    gc.collect()
    gc.disable()
    try:
        for number in range(pairs):
            if dice.random() < 0.5:
                ones.append(_timed(one, number))
                others.append(_timed(other, number))
            else:
                others.append(_timed(other, number))
                ones.append(_timed(one, number))
    finally:
        gc.enable()
    return judged(ones, others)


def judged(ones: list[int], others: list[int]) -> Comparison:
    """Blocks of pairs give one difference of medians each. Their mean is judged against the spread that it has under all flips
    of sign, which is what a permutation test would draw; wild blocks (the scheduler's) are cut first."""
    blocks = range(0, len(ones) - _BLOCK + 1, _BLOCK)
    differences = [statistics.median(ones[at : at + _BLOCK]) - statistics.median(others[at : at + _BLOCK]) for at in blocks]
    differences = _cut(differences)
    noise = math.sqrt(sum(each * each for each in differences)) / len(differences)
    mean = statistics.fmean(differences)
    # Without the difference itself, which is no noise.
    noise = math.sqrt(max(0.0, noise * noise - mean * mean / len(differences)))
    return Comparison(len(ones), statistics.median(ones + others), mean, noise)


def _cut(values: list[float]) -> list[float]:
    middle = statistics.median(values)
    reach = 6 * (statistics.median(abs(each - middle) for each in values) or 1.0)
    return [min(max(each, middle - reach), middle + reach) for each in values]


def _timed(deed: Callable[[int], object], number: int) -> int:
    begin = time.perf_counter_ns()
    deed(number)
    return time.perf_counter_ns() - begin
