"""How many refused writes go into the audit: a caller who is refused over and over must neither fill the disk nor hide others."""

from __future__ import annotations

import time

EACH_ACTOR, ALL = 20, 200  # lines a second


class Refusals:
    """Counts by actor within the present second. Threads may race for a line more or less."""

    __slots__ = ("_counts", "_left_out", "_started", "_total")

    def __init__(self) -> None:
        self._started = 0.0
        self._total = 0
        self._counts: dict[str, int] = {}
        self._left_out: dict[str, int] = {}

    def admits(self, actor: str) -> bool:
        now = time.monotonic()
        if now - self._started >= 1.0:
            self._started, self._total, self._counts = now, 0, {}
        count = self._counts.get(actor, 0)
        if count < EACH_ACTOR and self._total < ALL:
            self._counts[actor] = count + 1
            self._total += 1
            return True
        self._left_out[actor] = self._left_out.get(actor, 0) + 1
        return False

    def left_out(self, actor: str) -> dict[str, str]:
        """How many of this actor's have no line since its last one, as the next line names it."""
        count = self._left_out.pop(actor, 0)
        return {"refusals_without_a_line": str(count)} if count else {}
