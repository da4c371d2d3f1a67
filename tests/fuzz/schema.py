"""schemathesis on the OpenAPI document of a real server: requests that fit it and that do not, one by one and in chains along its links."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from secure_mcp_gateway.api.openapi import openapi_document
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
# One round of chains, some hundred cases. Rounds follow each other until a time is up where one is given: how many there are is then a
# matter of what else the machine does.
_ROUND = "--max-examples=100"
# In a chain a generation that is made up would be refused by each write: nothing would ever be made.
_CONFIG = """[parameters]
"header.If-Match" = "*"
"""
# These replace everything, or give it another name: what a chain made is not where it was then.
_WHAT_STAYS = "--exclude-operation-id-regex=^(system_(reset|restore)|config_(rename|update_server)|user_update)$"
_FEW = "--include-path-regex=^/api/v1/(projects|configs|users)(/[^/]*)?$"
_PROJECTS = "--include-path-regex=^/api/v1/projects(/[^/]*)?$"
# Chains of a few operations, in which what is let through by name comes about often: each name must have been needed.
_NARROW = {
    "of servers": ("--include-path-regex=^/api/v1/configs(/[^/]*/servers)?$",),
    "of members": ("--include-path-regex=^/api/v1/projects(/[^/]*/users)?$",),
    "of members who stay": ("--include-path-regex=^/api/v1/projects(/[^/]*/users)?$", "--exclude-method=DELETE"),
    "of assigned configs": ("--include-path-regex=^/api/v1/projects(/[^/]*/config)?$",),
    "of keys": ("--include-path-regex=^/api/v1/users(/[^/]*/api-keys)?$",),
}
# Broken on purpose, which of schemathesis' failures shows it, and how to look for it.
VARIANTS = {
    "takes_any_json": ("ServerError", ("--phases=coverage", _FEW)),
    "another_status": ("UndefinedStatusCode", ("--phases=coverage", _FEW)),
    "another_shape": ("JsonSchemaError", ("--phases=examples", _FEW)),
    "lets_everyone_in": ("IgnoredAuth", ("--phases=examples", _FEW)),
    "takes_any_field": ("AcceptedNegativeData", ("--phases=coverage", _FEW)),
    "keeps_what_is_deleted": ("UseAfterFree", (_CHAINS, _PROJECTS, _ROUND)),
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
        report.skip("schemathesis", f"it is not installed here, or does not run on Python {sys.version.split()[0]}: run `make fuzz`")
        return
    hunts = _hunts(scale)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda words: _outcome("", words, scale.seed), hunts.values()))
        for name, outcome in zip(hunts, found):
            _tell(report, f"schemathesis {version}, {name}", outcome)
        one_by_one, least = found[0], _LEAST[scale.quick]
        report.check(f"at least {least:,} cases were run to the end", one_by_one.complete and one_by_one.cases >= least, one_by_one.said)
        tell_permissions(report, [each.rules for each in found], everything=not scale.quick)
        _check_validity(report)
        broken = pool.map(lambda each: _outcome(f"tests.fuzz.broken_answers:{each[0]}", each[1][1], scale.seed), VARIANTS.items())
        for (variant, (failure, _)), outcome in zip(VARIANTS.items(), broken):
            report.check(f"{variant} is caught ({failure})", failure in outcome.failures, f"{outcome.failures}\n{outcome.said[-3000:]}")


def _hunts(scale: Scale) -> dict[str, tuple[str, ...]]:
    """What to ask schemathesis for, by its name."""
    hunts: dict[str, tuple[str, ...]] = {
        "one by one": (_ALL, f"--max-examples={scale.of(150, 2)}"),
        "in chains": (_CHAINS, _WHAT_STAYS, _ROUND if scale.quick else "--max-time=120"),
    }
    if not scale.quick:
        hunts.update({f"in chains {name}": (_CHAINS, *few, "--max-time=60") for name, few in _NARROW.items()})
    return hunts


def _check_validity(report: Report) -> None:
    """By judges of documents and of schemas: ours is one of OpenAPI 3.1, and one that is none is seen."""
    try:
        problems_of = _problems_of()
    except ImportError:
        report.skip("openapi-spec-validator", "it is not installed here: run `make fuzz`")
        return
    document = openapi_document()
    problems = problems_of(document)
    report.check("the document is valid OpenAPI 3.1", not problems, "\n".join(problems))
    document["paths"]["/api/v1/projects"]["post"]["requestBody"]["content"]["application/json"]["schema"]["type"] = "record"
    report.check("one with an unknown type is not", len(problems_of(document)) == 1)
    document["paths"]["/health"]["get"]["responses"]["200"].pop("description")
    report.check("one with an answer that is not described is not", len(problems_of(document)) == 2)


def _problems_of() -> Callable[[dict[str, Any]], list[str]]:
    judge = importlib.import_module("openapi_spec_validator").OpenAPIV31SpecValidator
    judge_schema = importlib.import_module("jsonschema").Draft202012Validator

    def problems_of(document: dict[str, Any]) -> list[str]:
        rows = [row for methods in document["paths"].values() for row in methods.values()]
        schemas = [param["schema"] for row in rows for param in row.get("parameters", ())]
        schemas += [row["requestBody"]["content"]["application/json"]["schema"] for row in rows if "requestBody" in row]
        bad = [error for each in schemas for error in judge_schema(judge_schema.META_SCHEMA).iter_errors(each)]
        return [str(error) for error in (*judge(document).iter_errors(), *bad)]

    return problems_of


def _tell(report: Report, name: str, found: Outcome) -> None:
    kinds = {f"of_{kind}xx": sum(times for status, times in found.statuses.items() if status[0] == str(kind)) for kind in (2, 4, 5)}
    report.figure(name, cases=found.cases, failures=sum(found.failures.values()), **kinds)
    report.check(f"{name}: no check fails", not found.failures, found.said)
    good = kinds["of_2xx"] > 10 and not kinds["of_5xx"]
    report.check(f"{name}: some answers are successes, and none is a fault of ours", good, str(found.statuses))


def tell_permissions(report: Report, rules: list[dict[str, int]], *, everything: bool) -> None:
    """How often each row of ``allowed`` was needed; after a run of everything one that never was is a defect."""
    times = sum(map(Counter, rules), Counter[str]())
    rows = (*RULES, *NO_THINGS, *ALLOW)
    for row in rows:
        report.figure(f"let through by {row}", times=times[row])
    if everything:
        unused = [row for row in rows if not times[row]]
        report.check("each row of what is let through was needed", not unused, "take out of tests/fuzz/allowed.py:\n" + "\n".join(unused))


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


def _names_of(port: int, key: str) -> list[str]:
    """What an admin key may be named by in a path."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/admin-keys", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        (own,) = json.load(response)["data"]
    return [key, own["admin_key"], own["name"]]


def _attacked(port: int, key: str, folder: str, words: tuple[str, ...], seed: int) -> Outcome:
    result, tally, config = (Path(folder, name) for name in ("result.json", "tally.json", "schemathesis.toml"))
    config.write_text(_CONFIG if _CHAINS in words else "", encoding="utf-8")
    flags = ["--no-color", "--no-shrink", "--continue-on-failure", "--checks=all", f"--exclude-checks={_REPLACED}"]
    flags += [f"--seed={seed % 2**32}", "--report=json", f"--report-json-path={result}", "--header", f"Authorization: Bearer {key}", *words]
    own = ",".join(_names_of(port, key))
    settings = environment(SCHEMATHESIS_HOOKS="tests.fuzz.judging", FUZZ_TALLY=str(tally), FUZZ_OWN=own, HOME=folder)
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
