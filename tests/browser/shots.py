"""Pictures of all pages into ``.tools/browser/shots``, to be looked at; a full run draws the two of the README anew."""

from __future__ import annotations

import os

from tests.browser.drive import look
from tests.crash.report import Report, Scale


def run(report: Report, scale: Scale) -> None:
    for scene in ("small",) if scale.quick else ("small", "large"):
        keep = os.path.dirname(__file__) if scene == "small" and not scale.quick else ""
        look(report, "shots", scale, scene, keep=keep)
