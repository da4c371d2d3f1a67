"""What the API keeps resident, once every kind of read has come."""

from __future__ import annotations

import os

from tests.bench.figures import mb, resident
from tests.bench.rows import NONE, Demand, Rows, at_most
from tests.bench.servers import ours
from tests.bench.stores import config_id, key_id, project_id, store_of, user_id
from tests.bench.wire import Wire, request
from tests.bench.writes import rename
from tests.crash.report import Scale

_KEYS = 100_000
_REQUESTS = 100
_WRITES = 20


def run(report: Rows, scale: Scale) -> None:
    with store_of(0) as store, ours(store) as server:
        reads = ["/api/v1/configs", "/api/v1/projects", "/api/v1/users", "/api/v1/api-keys", "/api/v1/whoami"]
        ask_all(server.port, reads)
        size = resident(server.process_id)
    report.row("memory of the API, empty store", mb(size), "", size / 1e6, at_most(30, " MB"))
    with store_of(_KEYS) as store, ours(store) as server:
        ask_all(server.port, reads_of(_KEYS))
        _row(report, "memory of the API", resident(server.process_id), os.path.getsize(store), at_most(6))
        wire = Wire(server.port)
        for number in range(_WRITES):
            wire.ask(rename(number, f"renamed.{number}@example.com"))
        _row(report, f"memory of the API after {_WRITES} writes", resident(server.process_id), os.path.getsize(store), NONE)


def _row(report: Rows, name: str, size: int, file: int, demand: Demand) -> None:
    report.row(f"{name}, {_KEYS:,} keys, beside the file", mb(size), mb(file), size / file, demand)


def reads_of(count: int) -> list[str]:
    """One of each kind, for all that is made at the first read of a kind to be there."""
    middle = count // 2
    user, key, project = user_id(middle), key_id(middle), project_id(middle // 100)
    lists = [f"/api/v1/{noun}?limit=100&offset={middle}" for noun in ("users", "api-keys")]
    records = [f"/api/v1/users/{user}", f"/api/v1/api-keys/{key}", f"/api/v1/projects/{project}", f"/api/v1/configs/{config_id(1)}"]
    related = [f"/api/v1/users/{user}/projects", f"/api/v1/projects/{project}/users", f"/api/v1/configs/{config_id(1)}/projects?limit=10"]
    return [*lists, *records, *related, f"/api/v1/users/person.{middle}@example.com", "/api/v1/projects/project%200", "/api/v1/configs"]


def ask_all(port: int, paths: list[str]) -> None:
    wire = Wire(port)
    for number in range(_REQUESTS):
        wire.ask(request("GET", paths[number % len(paths)]))
    wire.close()
