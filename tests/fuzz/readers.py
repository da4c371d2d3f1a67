"""atheris, which looks for inputs that reach new code, on every reader of the product."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.crash.report import Report, Scale
from tests.support import ROOT, environment

TARGETS = ("requests", "chunks", "paths", "keys", "json", "restores", "stores", "audit")
# Readers broken on purpose, by the target that must find it.
VARIANTS = {
    "converts_lengths": "requests",
    "cuts_heads_early": "requests",
    "converts_chunk_sizes": "chunks",
    "believes_paths": "paths",
    "walks_paths_twice": "paths",
    "strips_keys": "keys",
    "keeps_surrogates": "json",
    "trusts_times": "restores",
    "trusts_records": "stores",
    "trusts_lines": "audit",
}
_RUNS, _SECONDS = (1_000_000, 20_000), (180.0, 15.0)
_START = 120


def run(report: Report, scale: Scale) -> None:
    if importlib.util.find_spec("atheris") is None:
        report.skip("atheris", f"it is not installed here, or has no wheel for Python {sys.version.split()[0]}: run `make fuzz`")
        return
    runs, seconds = scale.of(*_RUNS), _SECONDS[scale.quick]
    seed = scale.seed % 2**31 or 1
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for target, found in zip(TARGETS, pool.map(lambda target: driven(target, runs, seconds, seed), TARGETS)):
            _tell(report, target, found)
        broken = pool.map(lambda each: driven(each[1], 1_000_000, 60.0, seed, f"tests.fuzz.broken_readers:{each[0]}"), VARIANTS.items())
        for (variant, target), found in zip(VARIANTS.items(), broken):
            said = str(found["finding"]).strip().splitlines()[-1:]
            report.check(f"{variant} is caught by {target} in {found['runs']:,} runs: {''.join(said)[:100]}", bool(found["finding"]))


def driven(target: str, runs: int, seconds: float, seed: int, variant: str = "") -> dict[str, Any]:
    """What ``drive`` writes; where it wrote nothing, what it said is the finding."""
    with tempfile.TemporaryDirectory() as folder:
        words = [target, str(runs), str(seconds), str(seed), folder, *([variant] if variant else [])]
        argv = [sys.executable, "-m", "tests.fuzz.drive", *words]
        done = subprocess.run(argv, cwd=ROOT, env=environment(), capture_output=True, timeout=seconds + _START, check=False)
        result = Path(folder, "result.json")
        if result.exists():
            told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
            return told
        left = "\n".join(f"{path.name}: {path.read_bytes()[:500]!r}" for path in Path(folder).glob("*-*"))
        said = f"it ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}\n{left}"
        return {"runs": 0, "taken": 0, "slowest": 0.0, "seconds": seconds, "finding": said, "input": ""}


def _tell(report: Report, target: str, found: dict[str, Any]) -> None:
    slowest = f"{found['slowest'] * 1000:.1f}"
    report.figure(target, runs=found["runs"], taken=found["taken"], seconds=round(found["seconds"]), ms_for_the_slowest=slowest)
    report.check(f"{target}: nothing but refusals of ours comes out", not found["finding"], f"{found['finding']}\ninput: {found['input']}")
    report.check(f"{target}: some inputs are taken, and some are not", 0 < found["taken"] < found["runs"], str(found["taken"]))
