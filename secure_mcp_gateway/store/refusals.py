"""How many refused writes go into the audit: a caller who is refused over and over must neither fill the disk nor hide others."""

from __future__ import annotations

import time

EACH_ACTOR, ALL = 20, 200  # lines a second
# And an hour: by the second alone one key would write gigabytes a day.
EACH_ACTOR_AN_HOUR, ALL_AN_HOUR = 600, 6000


class _Span:
    """Counts by actor within the present ``seconds``."""

    __slots__ = ("_all", "_counts", "_each", "_seconds", "_started", "_total")

    def __init__(self, seconds: float, each: int, all_together: int) -> None:
        self._seconds = seconds
        self._each = each
        self._all = all_together
        self._started = -seconds
        self._total = 0
        self._counts: dict[str, int] = {}

    def has_room(self, actor: str, now: float) -> bool:
        if now - self._started >= self._seconds:
            self._started, self._total, self._counts = now, 0, {}
        return self._counts.get(actor, 0) < self._each and self._total < self._all

    def take(self, actor: str) -> None:
        self._counts[actor] = self._counts.get(actor, 0) + 1
        self._total += 1


class Refusals:
    """Threads may race for a line more or less."""

    __slots__ = ("_left_out", "_spans")

    def __init__(self) -> None:
        self._spans = (_Span(1.0, EACH_ACTOR, ALL), _Span(3600.0, EACH_ACTOR_AN_HOUR, ALL_AN_HOUR))
        self._left_out: dict[str, int] = {}

    def admits(self, actor: str) -> bool:
        now = time.monotonic()
        if all(span.has_room(actor, now) for span in self._spans):
            for span in self._spans:
                span.take(actor)
            return True
        self._left_out[actor] = self._left_out.get(actor, 0) + 1
        return False

    def left_out(self, actor: str) -> dict[str, str]:
        """How many of this actor's have no line since its last one, as the next line names it."""
        count = self._left_out.pop(actor, 0)
        return {"refusals_without_a_line": str(count)} if count else {}
