"""How cost grows with the store: file, reads, writes, start and memory, from ten keys on; drawn as a plot."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple
from xml.etree import ElementTree

from tests.bench.figures import mb, median, ms, resident, seconds_of
from tests.bench.memory import ask_all, reads_of
from tests.bench.plot import Line, Panel, svg
from tests.bench.reload import loading
from tests.bench.rows import Rows
from tests.bench.servers import Running, ours
from tests.bench.stores import store_of, user_id, workplace
from tests.bench.wire import Wire, request
from tests.bench.writes import written
from tests.crash.report import Scale

_SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
_QUICK = 10_000
_READS = 200
_LINES = 6
# Bytes that a key asks for while its store is made, served and copied.
_MEMORY, _DISK = 10_000, 5_000


class Grown(NamedTuple):
    """Bytes and seconds. ``raw`` is what the disk asks for a write of this size."""

    keys: int
    file: float
    memory: float
    read: float
    write: float
    raw: float
    load: float


def run(report: Rows, scale: Scale) -> None:
    found = []
    for count in _SIZES if not scale.quick else [each for each in _SIZES if each <= _QUICK]:
        missing = _why_not(count)
        if missing:
            report.skip(f"growth, {count:,} keys", missing)
            continue
        found.append(_grown(scale, count))
        _tell(report, found[-1])
    os.makedirs(os.path.dirname(os.path.abspath(report.plot)), exist_ok=True)
    drawn = svg(_panels(found), "API keys in the store")
    with open(report.plot, "w", encoding="utf-8") as file:
        file.write(drawn)
    points = len(ElementTree.fromstring(drawn).findall(".//{*}circle"))
    report.check(f"the plot is whole, in {report.plot}", points == _LINES * len(found), f"it has {points} points")


def _why_not(count: int) -> str:
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < count * _MEMORY:
        return f"that needs {mb(count * _MEMORY)} of memory"
    return f"that needs {mb(count * _DISK)} of disk" if shutil.disk_usage(workplace()).free < count * _DISK else ""


def _grown(scale: Scale, count: int) -> Grown:
    with store_of(count) as store:
        load = median([loading(store) for _ in range(3)])
        with ours(store) as server:
            ask_all(server.port, reads_of(count))
            memory = resident(server.process_id)
            read = _one_read(scale, server, count)
            own, raw = written(store, server.port, count, 40 if count < _SIZES[-1] else 5)
        return Grown(count, os.path.getsize(store), memory, read, median(own), median(raw), load)


def _one_read(scale: Scale, server: Running, count: int) -> float:
    dice, wire = scale.dice("growth"), Wire(server.port)
    asked = [request("GET", f"/api/v1/users/{user_id(dice.randrange(count))}") for _ in range(_READS)]
    found = median([seconds_of(lambda each=each: wire.ask(each))() for each in asked])
    wire.close()
    return found


def _tell(report: Rows, found: Grown) -> None:
    times = {"a_read": ms(found.read), "a_write": ms(found.write), "a_raw_write": ms(found.raw), "to_load": ms(found.load)}
    report.figure(f"growth, {found.keys:,} keys", file=mb(found.file), of_memory=mb(found.memory), **times)


def _panels(found: list[Grown]) -> list[Panel]:
    def line(name: str, field: str, factor: float) -> Line:
        return Line(name, [(grown.keys, getattr(grown, field) * factor) for grown in found])

    return [
        Panel("One read", "ms", [line("one client", "read", 1e3)]),
        Panel("One durable write", "ms", [line("over the API", "write", 1e3), line("the disk alone", "raw", 1e3)]),
        Panel("Reading the store as a process starts", "ms", [line("load", "load", 1e3)]),
        Panel("Size", "MB", [line("resident memory", "memory", 1e-6), line("file", "file", 1e-6)]),
    ]
