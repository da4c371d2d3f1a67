"""Keys that are taken away while they are in use on many connections: from the answer on they open nothing."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from secure_mcp_gateway.operations import all_operations
from tests.crash.report import Report, Scale
from tests.crash.server import Client, Server, make_store
from tests.crash.server import run as command
from tests.hostile.wire import Wire, request
from tests.support import DEADLINE
from tests.surfaces import request_of

_ROWS = {row.name: row for row in all_operations()}
_THREADS = 4
# A change of another process is seen within 10 ms; one's own at once.
_LATE = 0.010


class Key(NamedTuple):
    """``backup`` is of the store as it was before the key was made."""

    secret: str
    id: str
    user: str
    project: str
    backup: Any


class Admin:
    """Does rows over REST, and commands beside the server."""

    def __init__(self, store: str, port: int, key: str) -> None:
        self._store = store
        self._client = Client(port, key, base="")

    def do(self, name: str, /, **values: Any) -> Any:
        method, path, body = request_of(_ROWS[name], values)
        answer = self._client.send(method, path, body)
        if answer.status >= 300:
            raise AssertionError(f"{name} {values}: {answer.body}")
        return answer.data

    def command(self, *words: str) -> Any:
        done = command(self._store, *words)
        if done.returncode:
            raise AssertionError(f"{words}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def make_key(self, number: int) -> Key:
        backup = self.do("system backup")["backup"]
        user, project = f"u{number}@example.com", f"p{number}"
        self.do("user create", email=user)
        self.do("project create", project_name=project)
        self.do("project add-user", project_identifier=project, user_identifier=user)
        made = self.do("user generate-api-key", user_identifier=user, project_identifier=project)
        return Key(made["api_key"], made["api_key_id"], user, project, backup)

    def make_admin_key(self, number: int) -> Key:
        made = self.do("admin-key create", name=f"a{number}")
        return Key(made["admin_key_secret"], made["admin_key"], "", "", None)


Way = Callable[[Admin, Key], object]
OVER_REST: dict[str, Way] = {
    "disabled": lambda admin, key: admin.do("user disable-api-key", api_key=key.id),
    "rotated": lambda admin, key: admin.do("user rotate-api-key", api_key=key.id),
    "rotated by its secret": lambda admin, key: admin.do("user rotate-api-key", api_key=key.secret),
    "deleted": lambda admin, key: admin.do("user delete-api-key", api_key=key.id),
    "all keys of the user deleted": lambda admin, key: admin.do("user delete-all-api-keys", user_identifier=key.user),
    "its user removed": lambda admin, key: admin.do("project remove-user", project_identifier=key.project, user_identifier=key.user),
    "all users removed": lambda admin, key: admin.do("project remove-all-users", project_identifier=key.project),
    "its user deleted": lambda admin, key: admin.do("user delete", user_identifier=key.user, force=True),
    "restored away": lambda admin, key: admin.do("system restore", data=key.backup),
    "reset": lambda admin, key: admin.do("system reset", confirm=True),
}
BY_COMMAND: dict[str, Way] = {
    "disabled": lambda admin, key: admin.command("user", "disable-api-key", f"--api-key={key.id}"),
    "rotated": lambda admin, key: admin.command("user", "rotate-api-key", f"--api-key={key.id}"),
    "deleted": lambda admin, key: admin.command("user", "delete-api-key", f"--api-key={key.id}"),
    "its user removed": lambda admin, key: admin.command("project", "remove-user", f"--project-name={key.project}", f"--email={key.user}"),
    "its user deleted": lambda admin, key: admin.command("user", "delete", f"--email={key.user}", "--force"),
    "reset": lambda admin, key: admin.command("system", "reset", "--confirm"),
}
OF_ADMINS: dict[str, Way] = {
    "disabled": lambda admin, key: admin.do("admin-key disable", admin_key=key.id),
    "rotated": lambda admin, key: admin.do("admin-key rotate", admin_key=key.id),
    "deleted": lambda admin, key: admin.do("admin-key delete", admin_key=key.id),
}
OF_ADMINS_BY_COMMAND: dict[str, Way] = {
    "disabled": lambda admin, key: admin.command("admin-key", "disable", f"--admin-key={key.id}"),
    "deleted": lambda admin, key: admin.command("admin-key", "delete", f"--admin-key={key.id}"),
}


class Users:
    """Threads that use one key on many connections, without a pause, from before it goes until every one has been refused."""

    def __init__(self, port: int, secret: str, connections: int) -> None:
        self._request = request("GET", "/api/v1/whoami", secret)
        self._wires = [Wire(port) for _ in range(connections)]
        self._used = threading.Semaphore(0)
        self._revoked = threading.Event()
        self._moment = 0.0
        self._late: list[float] = []
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._use, args=(self._wires[at::_THREADS],), daemon=True) for at in range(_THREADS)]
        for thread in self._threads:
            thread.start()
        for _ in range(_THREADS):
            if not self._used.acquire(timeout=DEADLINE):
                raise AssertionError(f"the key did not work on every connection: {self.wrong[:3]}")

    def _use(self, wires: list[Wire]) -> None:
        is_first, left = True, list(wires)
        give_up = time.monotonic() + DEADLINE
        while left and time.monotonic() < give_up:
            left = [wire for wire in left if not self._is_over(wire)]
            if is_first:
                self._used.release()
                is_first = False
        if left:
            self.wrong.append(f"{len(left)} connections were never refused")

    def _is_over(self, wire: Wire) -> bool:
        """Asked once more: was it refused?"""
        sent = time.monotonic()
        is_revoked = self._revoked.is_set()
        status = wire.ask(self._request).status
        if status == 200 and is_revoked:
            self._late.append(sent - self._moment)
        if status not in (200, 401):
            self.wrong.append(f"answered {status}")
        return status == 401

    def revoked(self, moment: float) -> None:
        self._moment = moment
        self._revoked.set()

    def latest(self) -> float:
        """Seconds behind the revocation at which a request was sent that still got in; 0 where there was none."""
        for thread in self._threads:
            thread.join(DEADLINE)
        for wire in self._wires:
            wire.close()
        return max(self._late, default=0.0)


def run(report: Report, scale: Scale) -> None:
    connections = scale.of(64, 16)
    with tempfile.TemporaryDirectory(prefix="revoking-") as folder:
        store = os.path.join(folder, "s", "store.json")
        secret = make_store(store)
        server = Server(store)
        try:
            admin = Admin(store, server.port, secret)
            for kind, ways, make, bound in (
                ("over REST", OVER_REST, admin.make_key, 0.0),
                ("by a command", BY_COMMAND, admin.make_key, _LATE),
                ("an admin key over REST", OF_ADMINS, admin.make_admin_key, 0.0),
                ("an admin key by a command", OF_ADMINS_BY_COMMAND, admin.make_admin_key, _LATE),
            ):
                _try_all(report, f"{kind}, on {connections} connections", server.port, admin, ways, make, bound, connections)
        finally:
            server.kill()
        _catch(report, store, secret, connections)


def _try_all(
    report: Report, kind: str, port: int, admin: Admin, ways: dict[str, Way], make: Callable[[int], Key], bound: float, connections: int
) -> None:
    late: dict[str, float] = {}
    wrong: list[str] = []
    for number, (name, way) in enumerate(ways.items()):
        late[name], found = _taken_away(port, admin, make(number + 100 * len(kind)), way, connections)
        wrong += found
    report.figure(f"revoked {kind}", **{name.replace(" ", "_") + "_ms_late": f"{seconds * 1000:.1f}" for name, seconds in late.items()})
    too_late = {name: seconds for name, seconds in late.items() if seconds > bound}
    stops = f"a key revoked {kind} stops {'within 10 ms' if bound else 'at once'}"
    report.check(stops, not too_late and not wrong, f"{too_late} {wrong[:5]}")


def _taken_away(port: int, admin: Admin, key: Key, way: Way, connections: int) -> tuple[float, list[str]]:
    users = Users(port, key.secret, connections)
    way(admin, key)
    users.revoked(time.monotonic())
    return users.latest(), users.wrong


def _catch(report: Report, store: str, secret: str, connections: int) -> None:
    with _variant(store, "remembers_callers") as port:
        admin = Admin(store, port, secret)
        key = admin.make_key(9999)
        wire, asked = Wire(port), request("GET", "/api/v1/whoami", key.secret)
        before = wire.ask(asked).status
        OVER_REST["disabled"](admin, key)
        report.check("a variant that remembers who called is caught", (before, wire.ask(asked).status) == (200, 200))
        wire.close()
    with _variant(store, "looks_once_a_second") as port:
        admin = Admin(store, port, secret)
        late, _ = _taken_away(port, admin, admin.make_key(9998), BY_COMMAND["deleted"], connections)
        report.check(f"a variant that looks once a second is caught, {late * 1000:.0f} ms late", late > _LATE)


@contextmanager
def _variant(store: str, name: str) -> Iterator[int]:
    server = Server(store, variant=f"tests.hostile.broken_keys:{name}")
    try:
        yield server.port
    finally:
        server.kill()
