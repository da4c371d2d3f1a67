"""The complete work of an administrator in the console, from the key that is typed to the reload that asks for it again."""

from __future__ import annotations

from tests.browser.drive import Broken, look
from tests.crash.report import Report, Scale

_BROKEN = (
    Broken("keeps_the_key", "a reload asks for the key again", ("reloads",)),
    Broken("keeps_a_secret_on_the_page", "the secret is shown once", ("makeConfig", "makeTeam", "useKeys")),
    Broken("rounds_numbers", "numbers as they are", ("changeConfig",)),
    Broken("names_no_loss", "the question names what will be lost", ("makeConfig", "makeTeam", "useKeys")),
)


def run(report: Report, scale: Scale) -> None:
    look(report, "workflow", scale, "small", _BROKEN)
