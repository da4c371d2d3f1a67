"""At 360 px nothing scrolls sideways and everything can be reached."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (Broken("is_too_wide", "nothing is wider", ("redoc",)),)


def run(report: Report, scale: Scale) -> None:
    look(report, "narrow", scale, "small", _BROKEN)
    if not scale.quick:
        look(report, "narrow", scale, "names")
