"""Every operation of the interactive page is sent with its example, against a server on which each example can succeed."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (
    Broken("shows_another_status", "its example succeeds", ("user_list",)),
    Broken("sends_no_key", "its example succeeds", ("user_list",)),
)


def run(report: Report, scale: Scale) -> None:
    look(report, "tries", scale, "examples", _BROKEN)
