"""The keyboard alone is enough: Tab reaches everything in order with a focus that is seen, and dialogs hold it and give it back."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (
    Broken("hides_focus", "the focus is seen", ("/redoc",)),
    Broken("leaves_out_the_keyboard", "Tab reaches everything", ("/redoc",)),
)


def run(report: Report, scale: Scale) -> None:
    look(report, "keyboard", scale, "small", _BROKEN)
