"""Every name, description and address of a store holds markup, and stays text on every page, in every table and in the picture."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (
    Broken("makes_markup_of_text", "no element is made", ("console",)),
    Broken("makes_markup_of_text_against_the_policy", "no error", ("docs",)),
)


def run(report: Report, scale: Scale) -> None:
    look(report, "markup", scale, "markup", _BROKEN)
