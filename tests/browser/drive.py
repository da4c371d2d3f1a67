"""What runs a part's script in node, and what is made of the lines that it says."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
from typing import Any, NamedTuple

from tests.browser.scenes import Place, served
from tests.crash.report import Report, Scale
from tests.support import ROOT

TOOLS = os.path.join(ROOT, ".tools", "browser")
SHOTS = os.path.join(TOOLS, "shots")
_FOLDER = os.path.dirname(__file__)
_SECONDS = 900
_OLDEST_NODE = 18


class Finding(NamedTuple):
    """A check that holds or not, and what was found instead."""

    name: str
    holds: bool
    found: str


class Said:
    """All that a script said of one place."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.figures: list[tuple[str, dict[str, Any]]] = []
        self.notes: list[str] = []

    def take(self, line: dict[str, Any]) -> None:
        if "check" in line:
            self.findings.append(Finding(line["check"], line["holds"], line["found"]))
        elif "figure" in line:
            self.figures.append((line["figure"], line["values"]))
        else:
            self.notes.append(line["note"])


class Broken(NamedTuple):
    """A variant, a function of ``broken_pages``, must fail a check that has these words in its name; ``only`` is what to look at."""

    variant: str
    words: str
    only: tuple[str, ...] = ()


@functools.lru_cache(None)
def missing() -> str:
    """Why no browser can be driven here; nothing where it can."""
    if not shutil.which("node"):
        return "there is no node (Debian: nodejs)"
    version = subprocess.run(["node", "--version"], capture_output=True, encoding="utf-8", check=True).stdout.strip()
    if int(version[1:].partition(".")[0]) < _OLDEST_NODE:
        return f"node {version} is older than {_OLDEST_NODE}"
    if not shutil.which("chromium"):
        return "there is no chromium (Debian: chromium)"
    for package in ("playwright-core", "axe-core"):
        if not os.path.isdir(os.path.join(TOOLS, "node_modules", package)):
            return f"{package} is not in .tools/browser (`make .tools/browser/installed` brings it)"
    return ""


def patience() -> float:
    """How much longer than promised anything may take here now: more than 1 where others use this machine."""
    return min(6.0, max(1.0, 1.5 * os.getloadavg()[0] / (os.cpu_count() or 1)))


def look(report: Report, script: str, scale: Scale, scene: str, broken: tuple[Broken, ...] = (), **more: Any) -> None:
    """Runs the script once, in one browser: on the pages as they are, then on each that is broken, in a bounded share on two of them.

    ``more`` goes to the script as it is.
    """
    if missing():
        return report.skip(script, missing())
    broken = broken[: scale.of(len(broken), 2)]
    with contextlib.ExitStack() as stack:
        places = [{**_told(stack.enter_context(served(scene))), "only": [], "variant": ""}]
        for each in broken:
            places.append({**_told(stack.enter_context(served(scene, each.variant))), "only": each.only, "variant": each.variant})
        sound, *others = _drive(script, scale, places, {"scene": scene, **more})
    tell(report, sound)
    for each, said in zip(broken, others):
        failed = [finding for finding in said.findings if not finding.holds]
        name = f"pages broken on purpose: {each.variant.replace('_', ' ')}: is caught"
        report.check(name, any(each.words in finding.name for finding in failed), f"failed instead: {failed}"[:3000])
    return None


def _told(place: Place) -> dict[str, Any]:
    return {"base": f"http://127.0.0.1:{place.port}", "key": place.key}


def _drive(script: str, scale: Scale, places: list[dict[str, Any]], more: dict[str, Any]) -> list[Said]:
    tools = {"tools": TOOLS, "shots": SHOTS, "chromium": shutil.which("chromium")}
    given = {**tools, "quick": scale.quick, "patience": patience(), "places": places}
    argv = ["node", os.path.join(_FOLDER, f"{script}.mjs"), json.dumps({**given, **more})]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=False)
    said = [Said() for _ in places]
    for line in map(json.loads, done.stdout.splitlines()):
        said[line["place"]].take(line)
    if done.returncode:
        said[0].findings.append(Finding("the script ran to its end", False, done.stderr[-3000:]))
    return said


def tell(report: Report, said: Said) -> None:
    for name, values in said.figures:
        report.figure(name, **values)
    for finding in said.findings:
        report.check(*finding)
    for note in said.notes:
        report.skip(*note.split(": ", 1))
