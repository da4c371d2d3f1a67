"""schemathesis on the OpenAPI document of a real server: requests that fit it and that do not, one by one and in chains along its links."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.crash.report import Report, Scale
from tests.crash.server import Server, make_store
from tests.fuzz.allowed import ALLOW, RULES
from tests.support import environment

SECONDS = 900
_LEAST = {True: 400, False: 5000}
# Replaced by ours, which let nothing through but what `allowed` names.
_REPLACED = "positive_data_acceptance,allow_header_conformance"
# Broken on purpose, which of schemathesis' failures shows it, and the phases that are to find it.
VARIANTS = {
    "takes_any_json": ("ServerError", "coverage"),
    "another_status": ("UndefinedStatusCode", "coverage"),
    "another_shape": ("JsonSchemaError", "examples"),
    "lets_everyone_in": ("IgnoredAuth", "examples"),
    "takes_any_field": ("AcceptedNegativeData", "coverage"),
    "keeps_what_is_deleted": ("UseAfterFree", "stateful"),
}


class Outcome(NamedTuple):
    """``failures`` counts by type; ``said`` is what schemathesis printed."""

    cases: int
    failures: dict[str, int]
    statuses: dict[str, int]
    rules: dict[str, int]
    said: str
    complete: bool


def run(report: Report, scale: Scale) -> None:
    try:
        version = importlib.metadata.version("schemathesis")
    except importlib.metadata.PackageNotFoundError:
        report.skip("schemathesis", "it is not installed here: run `make fuzz`")
        return
    found = _outcome("", "examples,coverage,fuzzing,stateful", scale.of(150, 2), scale.seed)
    _tell(report, scale, found, version)
    for variant, (failure, phases) in VARIANTS.items():
        broken = _outcome(f"tests.fuzz.broken_answers:{variant}", phases, 40, scale.seed)
        report.check(f"{variant} is caught ({failure})", failure in broken.failures, f"{broken.failures}\n{broken.said[-3000:]}")


def _tell(report: Report, scale: Scale, found: Outcome, version: str) -> None:
    kinds = {f"of_{kind}xx": sum(times for status, times in found.statuses.items() if status[0] == str(kind)) for kind in (2, 4, 5)}
    report.figure(f"schemathesis {version}", cases=found.cases, failures=sum(found.failures.values()), **kinds)
    times, table = sum(found.rules.values()), len(RULES) + len(ALLOW)
    report.figure("let through by name", times=times, of_rules=len(found.rules), in_the_table=table)
    least = _LEAST[scale.quick]
    report.check(f"at least {least:,} cases were run to the end", found.complete and found.cases >= least, found.said)
    report.check("no check of schemathesis fails", not found.failures, found.said)
    good = kinds["of_2xx"] > 50 and not kinds["of_5xx"]
    report.check("some answers are successes, and none is a fault of ours", good, str(found.statuses))


def _outcome(variant: str, phases: str, examples: int, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        store, files = os.path.join(folder, "s", "store.json"), os.path.join(folder, "files")
        os.mkdir(files)
        key = make_store(store)
        server = Server(store, f"--files-root={files}", variant=variant, log=os.path.join(folder, "log"))
        try:
            return _attacked(server.port, key, folder, phases, examples, seed)
        finally:
            server.stop()


def _attacked(port: int, key: str, folder: str, phases: str, examples: int, seed: int) -> Outcome:
    result, tally = Path(folder, "result.json"), Path(folder, "tally.json")
    words = ["run", f"http://127.0.0.1:{port}/openapi.json", "--header", f"Authorization: Bearer {key}", "--no-color", "--no-shrink"]
    words += ["--checks=all", f"--exclude-checks={_REPLACED}", "--continue-on-failure"]
    words += [f"--phases={phases}", f"--max-examples={examples}", f"--seed={seed % 2**32}", "--report=json", f"--report-json-path={result}"]
    settings = environment(SCHEMATHESIS_HOOKS="tests.fuzz.judging", FUZZ_TALLY=str(tally), HOME=folder)
    argv = [sys.executable, "-m", "schemathesis.cli", *words]
    done = subprocess.run(argv, cwd=folder, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    said = done.stdout.decode(errors="replace").replace(key, "KEY")
    if not result.exists() or not tally.exists():
        raise AssertionError(f"schemathesis ended with {done.returncode}: {said[-3000:]}")
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    counted: dict[str, dict[str, int]] = json.loads(tally.read_text(encoding="utf-8"))
    failures = {failure["type"]: failure["count"] for failure in told["failures"]}
    failures.update({str(error): 1 for error in told["errors"]})
    return Outcome(told["test_cases"]["generated"], failures, counted["statuses"], counted["rules"], said, told["complete"])
