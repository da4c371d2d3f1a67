"""Each page loads from its own server alone: nothing from elsewhere, no error, at once, without moving, and small."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (
    Broken("names_another_host", "no violation of the policy", ("/redoc",)),
    Broken("names_another_host_and_is_let", "no request to another host", ("/redoc",)),
    Broken("has_an_inline_script", "no violation of the policy", ("/docs",)),
    Broken("has_an_error", "no error", ("/",)),
    Broken("moves_what_is_shown", "nothing moves", ("/redoc",)),
    Broken("is_slow", "first paint", ("/",)),
    Broken("is_large", "bytes", ("/docs",)),
)


def run(report: Report, scale: Scale) -> None:
    look(report, "loading", scale, "small", _BROKEN)
