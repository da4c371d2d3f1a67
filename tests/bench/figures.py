"""Series of measurements: taken in turn, and what is made of them."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Sequence
from typing import Callable, TypeVar

T = TypeVar("T")


def in_turn(rounds: int, *deeds: Callable[[], T]) -> list[list[T]]:
    """What each deed gave in each round; all of them once a round, so that what disturbs the machine disturbs all alike."""
    series: list[list[T]] = [[] for _ in deeds]
    for _ in range(rounds):
        for deed, found in zip(deeds, series):
            found.append(deed())
    return series


def seconds_of(deed: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        start = time.perf_counter()
        deed()
        return time.perf_counter() - start

    return timed


def median(found: Sequence[float]) -> float:
    return statistics.median(found)


def share_below(found: Sequence[float], share: float) -> float:
    """The value that this share of all is at most: 0.99 for a p99."""
    return sorted(found)[max(0, math.ceil(len(found) * share) - 1)]


def rate(value: float) -> str:
    return f"{value:,.0f}/s"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds >= 0.1 else f"{seconds * 1000:.2f} ms"


def mb(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def resident(process_id: int) -> int:
    """Bytes of memory."""
    with open(f"/proc/{process_id}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def processor_seconds(process_id: int) -> float:
    """That a process has used by itself, in all its threads."""
    with open(f"/proc/{process_id}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
