"""Power cuts: the writers are stopped, the disk's image is copied, and the store in the copy is judged. A kill is no power cut."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.store.document import digest_of
from secure_mcp_gateway.store.store import Store
from tests.crash.deeds import Ledger
from tests.crash.disks import KINDS, Disk, missing, room
from tests.crash.expected import State
from tests.crash.forge import Forge
from tests.crash.judge import Verdict, judge, next_write
from tests.crash.report import Report, Scale
from tests.crash.server import Server
from tests.crash.writers import Team
from tests.support import DEADLINE

CLIENTS, COMMANDS = 4, 2
CUTS_A_LIFE = 12
BETWEEN = 0.5  # seconds from one cut to the next, at most
MUST_LOSE = ("no_folder_sync", "no_file_sync", "no_audit_sync")


def run(report: Report, scale: Scale) -> None:
    for kind in KINDS:
        why = missing(kind)
        if why:
            report.skip(kind, why)
            continue
        dice = scale.dice(f"power {kind}")
        with tempfile.TemporaryDirectory(prefix="power-", dir=room()) as folder:
            _creations(report, kind, folder, scale.of(8, 2))
            _writes(report, kind, folder, scale.of(72, 5), dice)
            for variant in MUST_LOSE:
                _broken(report, kind, folder, variant, scale.of(30, 12), dice)
            _broken_creation(report, kind, folder)


def _creations(report: Report, kind: str, folder: str, count: int) -> None:
    verdict, cuts = Verdict(), 0
    with Disk(kind, folder) as disk, Forge() as forge:
        for number in range(count):
            for create in (_generated, _first_started):
                verdict.add(create(disk, forge, f"{create.__name__}-{number}"))
                cuts += 1
    report.figure(f"{kind}, creation", cuts=cuts, **verdict.figures())
    report.check(f"{kind}: a store whose creation was acknowledged is there, and its keys open it", bool(verdict), str(verdict))


def _broken_creation(report: Report, kind: str, folder: str) -> None:
    with Disk(kind, folder) as disk, Forge() as forge:
        verdict = _first_started(disk, forge, "broken", "broken_disk:no_key_sync")
    report.check(f"{kind}, the first admin key without a sync: the loss is seen", bool(verdict.lost), f"nothing was lost; {verdict}")


def _generated(disk: Disk, forge: Forge, name: str) -> Verdict:
    """Cut once ``generate-config`` has printed the keys."""
    made = forge.run(os.path.join(disk.place, name, "store.json"), "generate-config")
    assert made.code == 0, made.err
    disk.cut()
    with disk.what_is_left() as place:
        return _opened(os.path.join(place, name), [made.data["admin_api_key"], made.data["api_key"]])


def _first_started(disk: Disk, forge: Forge, name: str, variant: str = "") -> Verdict:
    """Cut once ``start-api --init`` has announced its address."""
    server = Server(os.path.join(disk.place, name, "store.json"), "--init", variant=variant)
    try:
        os.kill(server.process.pid, signal.SIGSTOP)
        disk.cut()
    finally:
        server.kill()
    with disk.what_is_left() as place:
        try:
            with open(os.path.join(place, name, "admin-key.txt"), encoding="ascii") as file:
                return _opened(os.path.join(place, name), [file.read().strip()])
        except OSError as error:
            verdict = Verdict()
            verdict.lost.append(f"the file of the admin key: {error}")
            return verdict


def _opened(folder: str, secrets: list[str]) -> Verdict:
    verdict = Verdict()
    try:
        store = Store(os.path.join(folder, "store.json"))
        document, audit = store.snapshot(), store.verify_audit()
        lines = [line for line in store.audit_lines() if line["operation"] == "generate-config" and line["committed"]]
    except GatewayError as error:
        verdict.torn.append(f"{error.detail} ({error.private})")
        return verdict
    known = [digest for name in ("admin_keys", "apikeys") for digest, _ in document.table(name).items()]
    verdict.lost += [f"a key that was shown, of {len(secret)} characters" for secret in secrets if digest_of(secret) not in known]
    verdict.wrong += [] if audit["valid"] and len(lines) == 1 else [f"{audit}, {lines}"]
    return verdict


def _writes(report: Report, kind: str, folder: str, count: int, dice: Random) -> None:
    verdict, cuts, acknowledged = Verdict(), 0, Counter[str]()
    while cuts < count and verdict:
        life = _Life(kind, folder, dice)
        with life.lived():
            for _ in range(min(CUTS_A_LIFE, count - cuts)):
                verdict.add(life.cut())
                cuts += 1
        acknowledged += life.ledger.figures()
        verdict.wrong += [f"refused: {each}" for each in life.ledger.refused]
    report.figure(kind, cuts=cuts, **acknowledged, **verdict.figures())
    holds = bool(verdict) and cuts == count
    report.check(f"{kind}: every acknowledged write is on the disk, whole and with its audit line", holds, str(verdict))


def _broken(report: Report, kind: str, folder: str, variant: str, most: int, dice: Random) -> None:
    verdict, cuts = Verdict(), 0
    life = _Life(kind, folder, dice, f"broken_disk:{variant}")
    with life.lived():
        while cuts < most and not _lost(verdict):
            verdict.add(life.cut())
            cuts += 1
    name = f"{kind}, {variant.replace('_', ' ')}"
    report.figure(name, cuts=cuts, **verdict.figures())
    report.check(f"{name}: the loss is seen", _lost(verdict), f"nothing was lost in {cuts} cuts; {verdict}")


def _lost(verdict: Verdict) -> bool:
    return bool(verdict.torn or verdict.lost or verdict.missing)


class _Life:
    """A new disk with a store on it, a server and a team that write to it, and cuts at random moments."""

    def __init__(self, kind: str, folder: str, dice: Random, variant: str = "") -> None:
        self._disk = Disk(kind, folder)
        self._dice = dice
        self._variant = variant
        self.ledger = Ledger()
        self._cuts = 0

    @contextlib.contextmanager
    def lived(self) -> Iterator[None]:
        with contextlib.ExitStack() as ends:
            disk = ends.enter_context(self._disk)
            store = os.path.join(disk.place, "s", "store.json")
            self._judge_forge = ends.enter_context(Forge())
            self._made = self._judge_forge.run(store, "generate-config").data
            server = Server(store, variant=self._variant)
            ends.callback(server.kill)
            forges = [ends.enter_context(Forge(self._variant)) for _ in range(COMMANDS)]
            self._server, self._groups = server.process.pid, [forge.group for forge in forges]
            team = Team(store, self.ledger, str(self._dice.random()), "w")
            team.clients(CLIENTS, server.port, self._made["admin_api_key"])
            for forge in forges:
                team.commands(forge)
            ends.callback(team.stop)
            yield

    def cut(self) -> Verdict:
        threading.Event().wait(self._dice.uniform(0, BETWEEN))
        self._wait_for_writes()
        if self._dice.random() < 0.5:
            # Else right behind an acknowledgement, where what comes too late for it shows best.
            threading.Event().wait(self._dice.uniform(0, 0.02))
        with self._stopped():
            asked, acknowledged = self.ledger.so_far()
            self._disk.cut()
        self._cuts += 1
        with self._disk.what_is_left() as place:
            store = os.path.join(place, "s", "store.json")
            verdict = judge(store, asked, acknowledged, State.first(self._made))
            if not _lost(verdict):
                verdict.add(next_write(store, self._judge_forge, f"after-{self._cuts}@example.com"))
        return verdict

    def _wait_for_writes(self) -> None:
        """A cut without a write since the last one says nothing."""
        before, deadline = self.ledger.count, time.monotonic() + DEADLINE
        while self.ledger.count == before:
            assert time.monotonic() < deadline, "nobody writes"
            time.sleep(0.0005)

    @contextlib.contextmanager
    def _stopped(self) -> Iterator[None]:
        """What was answered before is acknowledged; what comes while everybody stands still is not counted."""
        os.kill(self._server, signal.SIGSTOP)
        for group in self._groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            _require_stopped([self._server, *self._groups])
            yield
        finally:
            os.kill(self._server, signal.SIGCONT)
            for group in self._groups:
                os.killpg(group, signal.SIGCONT)


def _require_stopped(pids: list[int]) -> None:
    """Each thread of them and of their children: one that is in a system call stops when that is over."""
    deadline = time.monotonic() + DEADLINE
    while any(state not in "TtZX" for pid in pids for state in _states(pid)):
        assert time.monotonic() < deadline, "a writer does not stop"
        time.sleep(0.0005)


def _states(pid: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii", errors="replace") as file:
                yield file.read().rpartition(")")[2].split()[0]
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children = file.read().split()
            for child in children:
                yield from _states(int(child))
