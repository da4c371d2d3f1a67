"""The first read after another process has written, beside reading the whole store anew."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

from tests.bench.figures import in_turn, median, ms, seconds_of
from tests.bench.rows import Rows, at_most
from tests.bench.servers import ours
from tests.bench.stores import store_of, user_id
from tests.bench.wire import Wire, request
from tests.bench.writes import rename
from tests.crash.report import Scale
from tests.support import ROOT, environment

_KEYS = 100_000
# After this the server must look at the file again (10 ms) before it answers.
_STALE = 0.020
_SECONDS = 600
_LOADING = """
import sys, time
from secure_mcp_gateway.store.store import Store
start = time.perf_counter()
Store(sys.argv[1]).snapshot().read_all()
print(time.perf_counter() - start)
"""


def run(report: Rows, scale: Scale) -> None:
    with store_of(_KEYS) as store, ours(store) as server, ours(store) as other:
        reader, writer = Wire(server.port), Wire(other.port)
        numbers = itertools.count()

        def first_read() -> float:
            number = next(numbers)
            address = f"foreign.{number}@example.com"
            writer.ask(rename(number, address))
            time.sleep(_STALE)
            read = request("GET", f"/api/v1/users/{user_id(number)}")
            start = time.perf_counter()
            answer = reader.ask(read)
            took = time.perf_counter() - start
            assert address.encode() in answer, "the read is older than the write"
            return took

        first_read()
        found, whole = in_turn(scale.of(25, 9), first_read, lambda: loading(store))
        plain = median([seconds_of(lambda: reader.ask(request("GET", f"/api/v1/users/{user_id(1)}")))() for _ in range(50)])
    report.figure("a read with nothing new", took=ms(plain))
    name = f"first read after a foreign write at {_KEYS:,} keys, beside a whole reload"
    report.row(name, ms(median(found)), ms(median(whole)), median(found) / median(whole), at_most(0.25))


def loading(store: str) -> float:
    """The seconds that a fresh process reads the store in; without those of the process itself."""
    argv = [sys.executable, "-c", _LOADING, store]
    done = subprocess.run(argv, env=environment(), cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=True)
    return float(done.stdout)
