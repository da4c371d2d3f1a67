"""Commands as whole processes, beside the least that a Python program does. The package is compiled, as an installed one is."""

from __future__ import annotations

import compileall
import functools
import os
import shutil
import subprocess
import sys
import threading
import time

from tests.bench.figures import in_turn, median, ms, seconds_of
from tests.bench.rows import NONE, Demand, Rows, at_most
from tests.bench.stores import store_of, workplace
from tests.bench.wire import Wire, request
from tests.crash.report import Scale
from tests.support import DEADLINE, ROOT

_BARE = [sys.executable, "-c", "import argparse, json"]
_LOADING = "import json, sys; json.load(open(sys.argv[1], 'rb'))"
# As the script does that an installed package comes with.
_SCRIPT = [sys.executable, "-c", "import sys; from secure_mcp_gateway.__main__ import console; sys.exit(console())"]
_MODULE = [sys.executable, "-m", "secure_mcp_gateway"]
_SMALL, _LARGE = 10, 100_000


def run(report: Rows, scale: Scale) -> None:
    with store_of(_SMALL) as small:
        listing = ["--store", small, "config", "list"]
        _beside(report, scale.of(60, 30), "config list", [*_SCRIPT, *listing], _BARE, at_most(1.5))
        _beside(report, scale.of(60, 30), "config list, with python3 -m", [*_MODULE, *listing], _BARE)
        _first_answer(report, scale.of(40, 20), small)
    with store_of(_LARGE) as large:
        loading = [sys.executable, "-c", _LOADING, large]
        listing = ["--store", large, "config", "list"]
        _beside(report, scale.of(25, 9), f"config list at {_LARGE:,} keys, beside json.load", [*_SCRIPT, *listing], loading, at_most(1.2))


@functools.lru_cache(None)
def _installed() -> str:
    """The folder with the package and its bytecode: not every checkout may hold that."""
    folder = os.path.join(workplace(), "installed")
    package = os.path.join(folder, "secure_mcp_gateway")
    shutil.copytree(ROOT / "secure_mcp_gateway", package, ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(package, quiet=1), "the package cannot be compiled"
    return folder


def _beside(report: Rows, rounds: int, name: str, argv: list[str], reference: list[str], demand: Demand = NONE) -> None:
    for warming in (argv, reference):
        _process(warming)
    own, bare = in_turn(rounds, seconds_of(lambda: _process(argv)), seconds_of(lambda: _process(reference)))
    report.row(name, ms(median(own)), ms(median(bare)), median(own) / median(bare), demand)


def _process(argv: list[str]) -> None:
    """A wait with a time-out would look for the end every few milliseconds only."""
    with _start(argv, subprocess.DEVNULL) as process:
        watch = threading.Timer(DEADLINE, process.kill)
        watch.start()
        code = process.wait()
        watch.cancel()
    if code:
        raise subprocess.CalledProcessError(code, argv)


def _start(argv: list[str], taker: int) -> subprocess.Popen[bytes]:
    folder = _installed()
    return subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": folder}, cwd=folder, stdout=taker, stderr=subprocess.DEVNULL)


def _first_answer(report: Rows, rounds: int, store: str) -> None:
    _until_answered(store)
    own, bare = in_turn(rounds, lambda: _until_answered(store), seconds_of(lambda: _process(_BARE)))
    report.row("start-api to the first 200", ms(median(own)), ms(median(bare)), median(own) / median(bare), at_most(5))


def _until_answered(store: str) -> float:
    """With the key checked, from the start of the process on."""
    start = time.perf_counter()
    with _start([*_SCRIPT, "--store", store, "system", "start-api", "--host=127.0.0.1", "--port=0"], subprocess.PIPE) as process:
        assert process.stdout is not None
        wire = Wire(int(process.stdout.readline().rpartition(b":")[2]))
        wire.ask(request("GET", "/api/v1/configs"))
        took = time.perf_counter() - start
        wire.close()
        process.kill()
    return took
