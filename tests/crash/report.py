"""What the parts say: figures, and checks that hold or not."""

from __future__ import annotations

from random import Random


class Scale:
    """How much to do. ``dice(name)`` gives chance that the run's seed makes again."""

    def __init__(self, quick: bool, seed: int) -> None:
        self.quick = quick
        self.seed = seed

    def of(self, everything: int, share: int) -> int:
        return share if self.quick else everything

    def dice(self, name: str) -> Random:
        return Random(f"{self.seed} {name}")


class Report:
    """``part`` stands before each line."""

    def __init__(self) -> None:
        self.part = ""
        self.passed = self.failed = self.skipped = 0

    def figure(self, name: str, **values: object) -> None:
        """``name: 70 cuts, 0 torn``, of cuts=70, torn=0."""
        self._say(f"{name}: " + ", ".join(f"{value} {word.replace('_', ' ')}" for word, value in values.items()))

    def check(self, name: str, holds: bool, found: str = "") -> bool:
        """``found`` is shown where it does not hold."""
        if holds:
            self.passed += 1
            self._say(f"ok  {name}")
        else:
            self.failed += 1
            self._say(f"FAILED  {name}\n{found}")
        return holds

    def skip(self, name: str, why: str) -> None:
        self.skipped += 1
        self._say(f"skipped  {name}: {why}")

    def conclude(self) -> None:
        """The last that is said."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")

    def _say(self, line: str) -> None:
        print(f"{self.part}: {line}", flush=True)
