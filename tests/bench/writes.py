"""Durable writes over the API, beside what the disk itself asks for them.

The raw price is that of the same file with nothing around it: its bytes written, synced, renamed, the folder synced, and one synced line
behind a log. Both are paid in turn, write by write, in one folder.
"""

from __future__ import annotations

import itertools
import os

from tests.bench.figures import in_turn, median, ms, rate, seconds_of, share_below
from tests.bench.load import CONNECTIONS, Served, drive
from tests.bench.rows import Rows, at_least, at_most
from tests.bench.servers import ours
from tests.bench.stores import file_system, project_id, store_of, user_id, workplace
from tests.bench.wire import Wire, request
from tests.crash.report import Scale

_SIZES = (100, 10_000, 100_000)
_WRITERS_AT = 10_000
_TEAM = 10_000
_USERS = 20_000


class Raw:
    """``write`` gives the seconds of one."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._folder = os.path.dirname(store)
        self._path = os.path.join(self._folder, "raw")
        self._log = os.path.join(self._folder, "raw.log")

    def write(self) -> float:
        data, line = _read(self._store), _read(os.path.join(self._folder, "audit.jsonl")).splitlines(True)[-1]
        return seconds_of(lambda: self._written(data, line))()

    def _written(self, data: bytes, line: bytes) -> None:
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _write_synced(log, line)
        _write_synced(os.open(self._path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), data)
        os.replace(self._path + ".tmp", self._path)
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def run(report: Rows, scale: Scale) -> None:
    report.figure("writes go to", file_system=file_system(workplace()))
    for count in _SIZES:
        _one_client(report, scale, count)
    _many_clients(report, scale)
    _members(report, scale)


def _one_client(report: Rows, scale: Scale, count: int) -> None:
    with store_of(count) as store, ours(store) as server:
        own, price = written(store, server.port, count, scale.of(100, 40))
        size = os.path.getsize(store)
    name = f"one write at {count:,} keys, beside raw"
    report.figure(name, bytes=f"{size:,}", p90=ms(share_below(own, 0.9)), raw_p90=ms(share_below(price, 0.9)))
    report.row(name, ms(median(own)), ms(median(price)), median(own) / median(price), at_most(1.3))


def written(store: str, port: int, count: int, writes: int) -> list[list[float]]:
    """The seconds of our writes, and of raw ones in turn with them."""
    wire, raw = Wire(port), Raw(store)
    renames = (rename(number % count, f"renamed.{number}@example.com") for number in itertools.count())
    for deed in (lambda: wire.ask(next(renames)), raw.write):
        deed()
    found = in_turn(writes, lambda: _asked(wire, next(renames)), raw.write)
    wire.close()
    return found


def _asked(wire: Wire, asked: bytes) -> float:
    return seconds_of(lambda: wire.ask(asked))()


def rename(number: int, address: str) -> bytes:
    return request("PUT", f"/api/v1/users/{user_id(number)}", {"new_email": address})


def _many_clients(report: Rows, scale: Scale) -> None:
    with store_of(_WRITERS_AT) as store, ours(store) as server:
        raw = Raw(store)
        requests = [rename(number, f"{kind}.{number}@example.com") for kind in ("first", "second") for number in range(10 * CONNECTIONS)]

        def load(connections: int) -> Served:
            return drive(server.port, requests, scale.of(2, 1), connections)

        one, many, price = in_turn(
            scale.of(7, 3), lambda: load(1), lambda: load(CONNECTIONS), lambda: Served(0, median([raw.write() for _ in range(8)]))
        )
    single, together = median([each.rate for each in one]), median([each.rate for each in many])
    report.row(f"{CONNECTIONS} writers at {_WRITERS_AT:,} keys, beside one", rate(together), rate(single), together / single, at_least(8))
    slowest, rewrite = median([each.p99 for each in many]), median([each.p99 for each in price])
    report.row(f"p99 of the {CONNECTIONS} writers, in raw rewrites", ms(slowest), ms(rewrite), slowest / rewrite, at_most(8))


def _members(report: Rows, scale: Scale) -> None:
    """New members, one after the other, and away again each: both teams keep their size, and the store its own."""
    with store_of(_USERS, _TEAM) as store, ours(store) as server:
        wire, users = Wire(server.port), iter(range(_TEAM + 10, _USERS))
        large, small = in_turn(scale.of(60, 40), *(lambda project=project: _added(wire, project, next(users)) for project in (0, 1)))
        wire.close()
    name = f"a member more in a project of {_TEAM:,}, beside 10"
    report.row(name, ms(median(large)), ms(median(small)), median(large) / median(small), at_most(1.2))


def _added(wire: Wire, project: int, user: int) -> float:
    path = f"/api/v1/projects/{project_id(project)}/users"
    took = _asked(wire, request("POST", path, {"user_id": user_id(user)}))
    wire.ask(request("DELETE", f"{path}/{user_id(user)}"))
    return took


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write_synced(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)
    os.close(descriptor)
