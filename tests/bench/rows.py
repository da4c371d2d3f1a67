"""The table: a row for each figure, with its reference, what is demanded of the two, and whether that holds."""

from __future__ import annotations

from typing import NamedTuple

from tests.crash.report import Report


class Demand(NamedTuple):
    """``unit`` stands behind the value: ``x`` for a ratio."""

    word: str
    limit: float
    unit: str = "x"

    def __str__(self) -> str:
        return f"{self.word} {self.limit:g}{self.unit}"

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.word == "at least" else value <= self.limit


def at_least(limit: float) -> Demand:
    return Demand("at least", limit)


def at_most(limit: float, unit: str = "x") -> Demand:
    return Demand("at most", limit, unit)


NONE = Demand("", 0)
_HEAD = ("row", "figure", "reference", "ratio", "demanded", "holds")


class Rows(Report):
    """``plot`` is the file for the plot of growth."""

    def __init__(self, plot: str) -> None:
        super().__init__()
        self.plot = plot
        self._rows: list[tuple[str, ...]] = []

    def row(self, name: str, figure: str, reference: str, value: float, demand: Demand = NONE) -> None:
        """``value`` is what the demand is about, as a rule the figure over the reference; without a demand it is told only."""
        shown = f"{value:.2f}{demand.unit}"
        found = f"{shown}, {figure} beside {reference}" if reference else shown
        self._rows.append((name, figure, reference, shown, *self._judged(name, found, value, demand)))

    def _judged(self, name: str, found: str, value: float, demand: Demand) -> tuple[str, str]:
        if demand is NONE:
            self.figure(name, found=found)
            return "", ""
        return str(demand), "yes" if self.check(f"{name}: {demand}; {found}", demand.holds(value)) else "NO"

    def skip(self, name: str, why: str) -> None:
        super().skip(name, why)
        self._rows.append((name, f"skipped: {why}", "", "", "", ""))

    def conclude(self) -> None:
        for line in lines([_HEAD, *self._rows]):
            print(line)
        super().conclude()


def lines(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns as wide as what stands in them; what is said of a row that was skipped may run on."""
    columns = list(zip(*[row for row in rows if any(row[2:])]))
    widths = [max(map(len, column)) for column in columns]
    widths[0] = max(len(row[0]) for row in rows)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
