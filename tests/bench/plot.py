"""A plot as SVG: small panels over one horizontal axis, both axes logarithmic. Its colours can be read on light and on dark."""

from __future__ import annotations

import math
from typing import NamedTuple

_WIDTH, _HEIGHT = 330, 170
_LEFT, _TOP, _GAP = 62, 40, 56
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#777}.t{font-weight:600;font-size:13px}.g{stroke:#888;stroke-opacity:.25}"
    "polyline{fill:none;stroke-width:2}.a{stroke:#2f80d0}.b{stroke:#999;stroke-dasharray:5 4}.c{fill:#2f80d0}.d{fill:#999}"
    "text.c,text.d{font-size:11px}"
)


class Line(NamedTuple):
    """``points`` are (x, y), both above 0."""

    name: str
    points: list[tuple[float, float]]


class Panel(NamedTuple):
    """The first line is ours, the second what it stands beside."""

    title: str
    unit: str
    lines: list[Line]


def svg(panels: list[Panel], x_title: str) -> str:
    """Two panels in a row."""
    rows = (len(panels) + 1) // 2
    width, height = 2 * (_LEFT + _WIDTH) + 24, _TOP + rows * (_HEIGHT + _GAP)
    drawn = [_panel(panel, _LEFT + at % 2 * (_WIDTH + _LEFT), _TOP + at // 2 * (_HEIGHT + _GAP)) for at, panel in enumerate(panels)]
    title = f'<text x="{width / 2:g}" y="{height - 8}" text-anchor="middle">{x_title}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"><style>{_STYLE}</style>'
    return "\n".join([head, *drawn, title, "</svg>", ""])


class _Axis:
    """Whole decades around the values, as places from ``start`` on."""

    def __init__(self, values: list[float], start: float, length: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._span = max(1, math.ceil(math.log10(max(values))) - self._low)
        self._start, self._length = start, length

    def place(self, value: float) -> float:
        return self._start + (math.log10(value) - self._low) / self._span * self._length

    def decades(self) -> list[float]:
        return [10.0 ** (self._low + step) for step in range(self._span + 1)]


def _panel(panel: Panel, left: float, top: float) -> str:
    points = [point for line in panel.lines for point in line.points]
    across = _Axis([x for x, _ in points], left, _WIDTH)
    up = _Axis([y for _, y in points], top + _HEIGHT, -_HEIGHT)
    drawn = [f'<g><text class="t" x="{left}" y="{top - 12}">{panel.title}</text>']
    for value in across.decades():
        x = across.place(value)
        drawn.append(f'<path class="g" d="M{x:.1f} {top}v{_HEIGHT}"/>' + _text(x, top + _HEIGHT + 16, "middle", _short(value)))
    for value in up.decades():
        y = up.place(value)
        drawn.append(f'<path class="g" d="M{left} {y:.1f}h{_WIDTH}"/>' + _text(left - 6, y + 4, "end", f"{_short(value)} {panel.unit}"))
    drawn += [_line(line, across, up, *classes) for line, classes in zip(panel.lines, (("a", "c", -8), ("b", "d", 16)))]
    return "\n".join([*drawn, "</g>"])


def _line(line: Line, across: _Axis, up: _Axis, stroke: str, fill: str, shift: int) -> str:
    places = [(across.place(x), up.place(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle class="{fill}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
    x, y = places[len(places) // 3]
    name = f'<text class="{fill}" x="{x:.1f}" y="{y + shift:.1f}" text-anchor="middle">{line.name}</text>'
    return f'<polyline class="{stroke}" points="{path}"/>{dots}{name}'


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _short(value: float) -> str:
    """1,000,000 as 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
