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

# The slowest first: they decide how long all take.
TARGETS = ("restores", "stores", "requests", "chunks", "paths", "keys", "json", "audit")
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
_RUNS, _SECONDS = (1_000_000, 20_000), (7200.0, 15.0)
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
            said = "".join(str(found["finding"]).strip().splitlines()[-1:])
            caught = bool(found["finding"]) and found["input"] is not None
            report.check(f"{variant} is caught by {target} in {found['runs']:,} runs: {said[:100]}", caught, str(found["finding"]))


def driven(target: str, runs: int, seconds: float, seed: int, variant: str = "") -> dict[str, Any]:
    """What ``drive`` writes. An input that keeps it for seconds, or ends it, is a finding that it leaves as a file; without one, the
    fault is none of the input's: ``input`` is None."""
    with tempfile.TemporaryDirectory() as folder:
        words = [target, str(runs), str(seconds), str(seed), folder, *([variant] if variant else [])]
        argv = [sys.executable, "-m", "tests.fuzz.drive", *words]
        done = subprocess.run(argv, cwd=ROOT, env=environment(), capture_output=True, timeout=seconds + _START, check=False)
        result = Path(folder, "result.json")
        if result.exists():
            told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
            return told
        left = next((path for kind in ("timeout", "crash", "oom") for path in Path(folder).glob(f"{kind}-*")), None)
        said = f"{done.stderr.decode(errors='replace')[-3000:]}\nit ended with {left.name if left else done.returncode}"
        return {"runs": 0, "taken": 0, "slowest": 0.0, "seconds": seconds, "finding": said, "input": left and left.read_bytes().hex()}


def _tell(report: Report, target: str, found: dict[str, Any]) -> None:
    slowest = f"{found['slowest'] * 1000:.1f}"
    report.figure(target, runs=found["runs"], taken=found["taken"], seconds=round(found["seconds"]), ms_for_the_slowest=slowest)
    report.check(f"{target}: nothing but refusals of ours comes out", not found["finding"], f"{found['finding']}\ninput: {found['input']}")
    report.check(f"{target}: some inputs are taken, and some are not", 0 < found["taken"] < found["runs"], str(found["taken"]))
