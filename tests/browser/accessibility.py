"""axe-core finds nothing serious or critical on any page or dialog, in light and dark."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (Broken("misses_a_label", "nothing serious", ("redoc",)), Broken("is_too_pale", "nothing serious", ("redoc",)))


def run(report: Report, scale: Scale) -> None:
    look(report, "accessibility", scale, "small", _BROKEN)
