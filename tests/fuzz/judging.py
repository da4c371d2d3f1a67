"""Loaded by schemathesis: its own checks, but for what ``allowed`` names, and a tally of what was answered.

The tally is written to the file that ``FUZZ_TALLY`` names, as JSON: {"statuses": {status: times}, "rules": {rule: times}}.
``FUZZ_OWN`` holds what names the admin key that all requests come with, separated by commas.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    ensure_resource_availability,
    positive_data_acceptance,
    use_after_free,
)

from tests.fuzz.allowed import ALLOW, NO_THINGS, rule_of

STATUSES: Counter[str] = Counter()
RULES: Counter[str] = Counter()
LOCK = threading.Lock()
# Answers tell them, and schemathesis goes on with what it is told: without this key the rest would be answered with 401 alone.
OWN, NOBODYS = os.environ["FUZZ_OWN"].split(","), "adm_0000000000000000"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if (case.path_parameters or {}).get("admin_key") in OWN:
        case.path_parameters["admin_key"] = NOBODYS


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    with LOCK:
        STATUSES[str(response.status_code)] += 1


@schemathesis.check
def accepts_or_names_a_rule(ctx: Any, response: Any, case: Any) -> bool | None:
    """What fits its schema is accepted, or refused by a rule that no schema says."""
    try:
        found: bool | None = positive_data_acceptance(ctx, response, case)
    except AssertionError:
        rule = rule_of(response.status_code, response.json()["detail"])
        if not rule:
            raise
        with LOCK:
            RULES[rule] += 1
        return None
    return found


@schemathesis.check
def allows_what_the_path_takes(ctx: Any, response: Any, case: Any) -> bool | None:
    try:
        found: bool | None = allow_header_conformance(ctx, response, case)
    except AssertionError:
        if response.headers.get("allow") != [ALLOW.get(case.operation.path)]:
            raise
        with LOCK:
            RULES[case.operation.path] += 1
        return None
    return found


@schemathesis.check
def keeps_what_is_made_and_not_what_is_deleted(ctx: Any, response: Any, case: Any) -> bool | None:
    if (case.path_parameters or {}).get("admin_key") == NOBODYS:
        # Put in by us: it is not what the chain made.
        return None
    for check in (use_after_free, ensure_resource_availability):
        try:
            check(ctx, response, case)
        except AssertionError:
            row = f"{case.operation.method.upper()} {case.operation.path}"
            words = NO_THINGS.get(row)
            if words is None or words not in response.text:
                raise
            with LOCK:
                RULES[row] += 1
    return None


def _write() -> None:
    with LOCK:
        Path(os.environ["FUZZ_TALLY"]).write_text(json.dumps({"statuses": STATUSES, "rules": RULES}), encoding="utf-8")


atexit.register(_write)
