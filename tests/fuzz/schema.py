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
from tests.fuzz.allowed import ALLOW, NO_THINGS, RULES
from tests.support import environment

SECONDS = 900
_LEAST = {True: 400, False: 5000}
# Replaced by ours, which let nothing through but what `allowed` names.
_REPLACED = "positive_data_acceptance,allow_header_conformance,use_after_free,ensure_resource_availability"
_ALL = "--phases=examples,coverage,fuzzing"
_CHAINS = "--phases=stateful"
# In a chain a generation that is made up would be refused by each write: nothing would ever be made.
_CONFIG = """[parameters]
"header.If-Match" = "*"
"""
# These replace everything: what a chain made is gone then.
_NO_RESETS = "--exclude-path-regex=^/api/v1/system/(reset|restore)$"
_FEW = "--include-path-regex=^/api/v1/(projects|configs|users)(/[^/]*)?$"
# Broken on purpose, which of schemathesis' failures shows it, and how to look for it.
VARIANTS = {
    "takes_any_json": ("ServerError", ("--phases=coverage",)),
    "another_status": ("UndefinedStatusCode", ("--phases=coverage",)),
    "another_shape": ("JsonSchemaError", ("--phases=examples",)),
    "lets_everyone_in": ("IgnoredAuth", ("--phases=examples",)),
    "takes_any_field": ("AcceptedNegativeData", ("--phases=coverage",)),
    "keeps_what_is_deleted": ("UseAfterFree", (_CHAINS, _FEW, "--max-time=15")),
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
    found = _outcome("", (_ALL, f"--max-examples={scale.of(150, 2)}"), scale.seed)
    _tell(report, f"schemathesis {version}, one by one", found)
    least = _LEAST[scale.quick]
    report.check(f"at least {least:,} cases were run to the end", found.complete and found.cases >= least, found.said)
    chains = (_CHAINS, _NO_RESETS, f"--max-time={scale.of(120, 10)}")
    _tell(report, f"schemathesis {version}, in chains", _outcome("", chains, scale.seed))
    for variant, (failure, words) in VARIANTS.items():
        broken = _outcome(f"tests.fuzz.broken_answers:{variant}", words, scale.seed)
        report.check(f"{variant} is caught ({failure})", failure in broken.failures, f"{broken.failures}\n{broken.said[-3000:]}")


def _tell(report: Report, name: str, found: Outcome) -> None:
    kinds = {f"of_{kind}xx": sum(times for status, times in found.statuses.items() if status[0] == str(kind)) for kind in (2, 4, 5)}
    report.figure(name, cases=found.cases, failures=sum(found.failures.values()), **kinds)
    times, table = sum(found.rules.values()), len(RULES) + len(ALLOW) + len(NO_THINGS)
    report.figure("let through by name", times=times, of_rules=len(found.rules), in_the_table=table)
    report.check(f"{name}: no check fails", not found.failures, found.said)
    good = kinds["of_2xx"] > 20 and not kinds["of_5xx"]
    report.check(f"{name}: some answers are successes, and none is a fault of ours", good, str(found.statuses))


def _outcome(variant: str, words: tuple[str, ...], seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        store, files = os.path.join(folder, "s", "store.json"), os.path.join(folder, "files")
        os.mkdir(files)
        key = make_store(store)
        server = Server(store, f"--files-root={files}", variant=variant, log=os.path.join(folder, "log"))
        try:
            return _attacked(server.port, key, folder, words, seed)
        finally:
            server.stop()


def _attacked(port: int, key: str, folder: str, words: tuple[str, ...], seed: int) -> Outcome:
    result, tally, config = (Path(folder, name) for name in ("result.json", "tally.json", "schemathesis.toml"))
    config.write_text(_CONFIG if _CHAINS in words else "", encoding="utf-8")
    flags = ["--no-color", "--no-shrink", "--continue-on-failure", "--checks=all", f"--exclude-checks={_REPLACED}"]
    flags += [f"--seed={seed % 2**32}", "--report=json", f"--report-json-path={result}", "--header", f"Authorization: Bearer {key}", *words]
    settings = environment(SCHEMATHESIS_HOOKS="tests.fuzz.judging", FUZZ_TALLY=str(tally), HOME=folder)
    argv = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run", f"http://127.0.0.1:{port}/openapi.json", *flags]
    done = subprocess.run(argv, cwd=folder, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    said = done.stdout.decode(errors="replace").replace(key, "KEY")
    if not result.exists() or not tally.exists():
        raise AssertionError(f"schemathesis ended with {done.returncode}: {said[-3000:]}")
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    counted: dict[str, dict[str, int]] = json.loads(tally.read_text(encoding="utf-8"))
    failures = {failure["type"]: failure["count"] for failure in told["failures"]}
    failures.update({str(error): 1 for error in told["errors"]})
    return Outcome(told["test_cases"]["generated"], failures, counted["statuses"], counted["rules"], said, told["complete"])
