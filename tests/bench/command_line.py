"""Commands as whole processes, beside the least that a Python program does."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.bench.figures import in_turn, median, ms, seconds_of
from tests.bench.rows import Rows, at_most
from tests.bench.stores import store_of
from tests.bench.wire import Wire, request
from tests.crash.report import Scale
from tests.crash.server import Server
from tests.support import DEADLINE, ROOT, command, environment

_BARE = [sys.executable, "-c", "import argparse, json"]
_LOADING = "import json, sys; json.load(open(sys.argv[1], 'rb'))"
# As the script does that an installed package comes with.
_INSTALLED = [sys.executable, "-c", "import sys; from secure_mcp_gateway.__main__ import console; sys.exit(console())"]
_SMALL, _LARGE = 10, 100_000


def run(report: Rows, scale: Scale) -> None:
    with store_of(_SMALL) as small:
        listing = ["--store", small, "config", "list"]
        _beside(report, scale.of(60, 30), "config list", [*_INSTALLED, *listing], _BARE, 1.5)
        _beside(report, scale.of(60, 30), "config list, with python3 -m", command(*listing), _BARE, 1.5)
        _first_answer(report, scale.of(40, 20), small)
    with store_of(_LARGE) as large:
        loading = [sys.executable, "-c", _LOADING, large]
        listing = ["--store", large, "config", "list"]
        _beside(report, scale.of(25, 9), f"config list at {_LARGE:,} keys, beside json.load", [*_INSTALLED, *listing], loading, 1.2)


def _beside(report: Rows, rounds: int, name: str, argv: list[str], reference: list[str], limit: float) -> None:
    for warming in (argv, reference):
        _process(warming)
    own, bare = in_turn(rounds, seconds_of(lambda: _process(argv)), seconds_of(lambda: _process(reference)))
    report.row(name, ms(median(own)), ms(median(bare)), median(own) / median(bare), at_most(limit))


def _process(argv: list[str]) -> None:
    subprocess.run(argv, env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL, timeout=DEADLINE, check=True)


def _first_answer(report: Rows, rounds: int, store: str) -> None:
    _until_answered(store)
    own, bare = in_turn(rounds, lambda: _until_answered(store), seconds_of(lambda: _process(_BARE)))
    report.row("start-api to the first 200", ms(median(own)), ms(median(bare)), median(own) / median(bare), at_most(5))


def _until_answered(store: str) -> float:
    """With the key checked, from the start of the process on."""
    start = time.perf_counter()
    server = Server(store)
    wire = Wire(server.port)
    wire.ask(request("GET", "/api/v1/configs"))
    took = time.perf_counter() - start
    wire.close()
    server.kill()
    return took
