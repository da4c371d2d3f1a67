"""How processes that serve one store as one tell each other that they wrote."""

from __future__ import annotations


class Siblings:
    """Each of them counts its rewrites at its own ``number`` in ``counters``, a memory that all of them see."""

    __slots__ = ("_counters", "_number")

    def __init__(self, counters: memoryview, number: int) -> None:
        self._counters = counters
        self._number = number

    def rewrites(self) -> int:
        """Another number after each rewrite by any of them."""
        return sum(self._counters)

    def count_rewrite(self) -> None:
        self._counters[self._number] = (self._counters[self._number] + 1) & 0xFFFFFFFF
