"""Authenticated reads under load: beside other servers, and beside the same server on a small store."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Callable, NamedTuple

from tests.bench.figures import in_turn, median, ms, processor_seconds, rate
from tests.bench.load import CONNECTIONS, Served, drive, drive_wrk, find_wrk
from tests.bench.rows import NONE, Demand, Rows, at_least
from tests.bench.servers import Running, ours, stock, uvicorn, why_no_uvicorn
from tests.bench.stores import key_id, store_of, user_id, workplace
from tests.bench.wire import Wire, request
from tests.crash.report import Scale

_SMALL = 10
_FEW, _MANY = 1_000, 100_000
_PLACES = 1_000
# The key's check and hardly anything besides, as the others do nothing for their answer.
_PATH = "/api/v1/whoami"


class Loaded(NamedTuple):
    """The median of several loads; ``cost`` is the server's own time on a processor, seconds an answer."""

    rate: float
    p99: float
    cost: float


def run(report: Rows, scale: Scale) -> None:
    _beside_others(report, scale)
    with store_of(_SMALL) as small, store_of(_FEW) as few, store_of(_MANY) as many, ours(many) as large:
        with ours(small) as little:
            _one_record(report, scale, little, large)
        with ours(few) as middle:
            _pages(report, scale, middle, large)


def loaded(scale: Scale, *sides: tuple[Running, Callable[[int, float], Served]]) -> list[Loaded]:
    """Each server under its load, given the port and the seconds, in turn; the first round only warms up."""
    rounds, seconds = scale.of(5, 3), scale.of(2, 1)
    for running, drive_at in sides:
        drive_at(running.port, 0.3)
    return [_median(each) for each in in_turn(rounds, *(_costing(running, drive_at, seconds) for running, drive_at in sides))]


def _costing(running: Running, drive_at: Callable[[int, float], Served], seconds: float) -> Callable[[], Loaded]:
    def measured() -> Loaded:
        before = processor_seconds(running.process_id)
        served = drive_at(running.port, seconds)
        return Loaded(served.rate, served.p99, (processor_seconds(running.process_id) - before) / (served.rate * seconds))

    return measured


def _median(found: list[Loaded]) -> Loaded:
    return Loaded(*(median(values) for values in zip(*found)))


def tell(report: Rows, name: str, found: Loaded) -> None:
    report.figure(name, answers=rate(found.rate), p99=ms(found.p99), us_of_processor_an_answer=round(found.cost * 1e6))


def driver(report: Rows, scale: Scale) -> Callable[[int, float], Served]:
    """wrk, where there is one and the whole run is asked for."""
    wrk = None if scale.quick else find_wrk()
    report.figure("load", **{"wrk" if wrk else "our own generator": "by"}, connections=CONNECTIONS)
    if wrk is None:
        return lambda port, seconds: drive(port, [request("GET", _PATH)], seconds)
    return lambda port, seconds: drive_wrk(str(wrk), port, _PATH, max(seconds, 1))


def _beside_others(report: Rows, scale: Scale) -> None:
    drive_at = driver(report, scale)
    with store_of(_SMALL) as store, ours(store) as own, _document_of(own) as document, contextlib.ExitStack() as stack:
        others = {
            "stock http.server": stack.enter_context(stock(document)),
            "stock http.server, its log off": stack.enter_context(stock(document, "--quiet")),
        }
        missing = why_no_uvicorn() if not scale.quick else "only in the whole run, `make bench`"
        if not missing:
            others["uvicorn + FastAPI"] = stack.enter_context(uvicorn(document))
            others["uvicorn + FastAPI, its log off"] = stack.enter_context(uvicorn(document, "--no-access-log"))
        found = loaded(scale, (own, drive_at), *((each, drive_at) for each in others.values()))
    tell(report, "ours", found[0])
    demands = {"stock http.server": at_least(2.0), "uvicorn + FastAPI": at_least(4.0)}
    for name, other in zip(others, found[1:]):
        tell(report, name, other)
        report.row(f"GET, beside {name}", rate(found[0].rate), rate(other.rate), found[0].rate / other.rate, demands.get(name, NONE))
    if missing:
        report.skip("GET, beside uvicorn + FastAPI", missing)


@contextlib.contextmanager
def _document_of(own: Running) -> Iterator[str]:
    """The file with what we answer, for the others to answer the same."""
    wire = Wire(own.port)
    path = os.path.join(workplace(), "document.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(wire.document(_PATH), file)
    wire.close()
    yield path


def _one_record(report: Rows, scale: Scale, little: Running, large: Running) -> None:
    """Of both stores as many records, so that nothing but the stores' sizes differs; and a thousand all over the large one, where the
    processor's cache has none of them and the memory's own time is added."""
    dice = scale.dice("records")
    chosen = [dice.randrange(_MANY) for _ in range(_PLACES)]
    for name, path_of in (("user", lambda n: f"/api/v1/users/{user_id(n)}"), ("API key", lambda n: f"/api/v1/api-keys/{key_id(n)}")):
        of_many = [request("GET", path_of(number)) for number in chosen]
        of_ten = [request("GET", path_of(number)) for number in range(_SMALL)]
        _row(report, scale, f"one {name} of {_MANY:,}, beside one of {_SMALL}", at_least(0.9), (large, of_many[:_SMALL]), (little, of_ten))
        _row(report, scale, f"{_PLACES:,} {name}s of {_MANY:,}, beside {_SMALL} of {_SMALL}", NONE, (large, of_many), (little, of_ten))


def _pages(report: Rows, scale: Scale, middle: Running, large: Running) -> None:
    for where, share in (("first", 0.0), ("middle", 0.5)):
        of_many, of_few = ([request("GET", f"/api/v1/users?limit=100&offset={int(count * share)}")] for count in (_MANY, _FEW))
        _row(report, scale, f"{where} page of 100 users of {_MANY:,}, beside {_FEW:,}", at_least(0.8), (large, of_many), (middle, of_few))


def _row(
    report: Rows, scale: Scale, name: str, demand: Demand, side: tuple[Running, list[bytes]], reference: tuple[Running, list[bytes]]
) -> None:
    for running, requests in (side, reference):
        _warm(running, requests[0])
    sides = [(running, _driving(requests)) for running, requests in (side, reference)]
    found, other = loaded(scale, *sides)
    tell(report, f"{name}: large", found)
    tell(report, f"{name}: small", other)
    report.row(name, rate(found.rate), rate(other.rate), found.rate / other.rate, demand)


def _warm(running: Running, asked: bytes) -> None:
    """Indexes are made at the first read that needs them."""
    wire = Wire(running.port)
    wire.ask(asked)
    wire.close()


def _driving(requests: list[bytes]) -> Callable[[int, float], Served]:
    return lambda port, seconds: drive(port, requests, seconds)
