"""SIGKILL under writers of both surfaces: the server while a team writes to it, and commands in the middle of their commit."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.store.document import digest_of
from secure_mcp_gateway.store.store import Store
from tests.crash.deeds import COMMAND_LINE, Deed, Ledger
from tests.crash.expected import State
from tests.crash.forge import Aim, Forge
from tests.crash.judge import LEFT_BEHIND, Verdict, judge, next_write, temporary_files
from tests.crash.report import Report, Scale
from tests.crash.writers import DONE, Team, Writer, by_command, words_of
from tests.support import DEADLINE

# On a disk, whose syncs take their time: in memory a write is over before most kills get there.
PLACE = "/var/tmp" if os.path.isdir("/var/tmp") else None
CLIENTS = 4
KILLS_A_LIFE = 20
USERS = 1000  # so many lines take a moment to be written in place


def run(report: Report, scale: Scale) -> None:
    dice = scale.dice("kills")
    with tempfile.TemporaryDirectory(prefix="kills-", dir=PLACE) as folder, Forge() as forge, Forge() as other:
        hits = _part(report, "a server", folder, (forge, other), scale.of(1000, 20), dice, kill_server)
        hits += _part(report, "a command", folder, (forge, other), scale.of(700, 24), dice, kill_command)
        hits += _part(report, "reset, restore and backup", folder, (forge, other), scale.of(200, 12), dice, kill_replacement)
        report.check("kills hit writes under way", hits > 0, "no temporary file and no line without a write was ever found")
        _creations(report, folder, forge, scale.of(100, 8), dice)
        for variant in VARIANTS:
            _broken(report, folder, variant, scale.of(400, 150), dice)


def _part(report: Report, name: str, folder: str, forges: tuple[Forge, Forge], count: int, dice: Random, kill: Any) -> int:
    verdict, kills, seen = Verdict(), 0, Counter[str]()
    while kills < count and verdict:
        with Life(folder, forges, dice).lived() as life:
            for _ in range(min(KILLS_A_LIFE, count - kills)):
                kill(life)
                verdict.add(life.judged())
                kills += 1
        seen.update(life.seen())
        verdict.wrong += [f"refused: {each}" for each in life.ledger.refused]
    report.figure(name, kills=kills, **seen, **verdict.figures())
    report.check(f"{name}, killed: nothing acknowledged is lost, nothing is left behind", bool(verdict) and kills == count, str(verdict))
    return seen["hit_a_write_under_way"]


def _broken(report: Report, folder: str, variant: Variant, most: int, dice: Random) -> None:
    verdict, kills = Verdict(), 0
    broken = f"broken_disk:{variant.function}"
    with Forge(broken) as forge, Forge(broken) as other:
        while kills < most and verdict:
            with Life(folder, (forge, other), dice, variant.users).lived() as life:
                for _ in range(KILLS_A_LIFE):
                    if verdict:
                        variant.kill(life)
                        verdict.add(life.judged())
                        kills += 1
    name = variant.function.replace("_", " ")
    report.figure(name, kills=kills, **verdict.figures())
    report.check(f"{name} is caught", variant.is_caught(verdict), f"not so in {kills} kills; {verdict}")


class Life:
    """A new store, and what is done to it; ``judged`` after each kill."""

    def __init__(self, folder: str, forges: tuple[Forge, Forge], dice: Random, users: int = 0) -> None:
        self.forge, self.beside_it = forges
        self.dice = dice
        self.ledger = Ledger()
        self.store = os.path.join(folder, "life", "store.json")
        self._users = users
        self._number = self._hits = self._repairs = 0

    @contextlib.contextmanager
    def lived(self) -> Iterator[Life]:
        made = self.forge.run(self.store, "generate-config")
        assert made.code == 0, made.err
        self.made = made.data
        self._fill()
        try:
            yield self
        finally:
            shutil.rmtree(os.path.dirname(self.store))

    def _fill(self) -> None:
        """A backup, more users by a restore, and a few commands to know how long one takes."""
        path = os.path.join(os.path.dirname(self.store), "files", "first.json")
        assert self.do("system backup", {"output_file": path}) == DONE
        with open(path, encoding="utf-8") as file:
            self.backup = json.load(file)
        if self._users:
            user = next(iter(self.backup["users"].values()))
            for number in range(self._users):
                self.backup["users"][f"{number:08d}-0000-4000-8000-000000000000"] = {**user, "email": f"u{number}@example.com"}
            assert self.do("system restore", {"data": self.backup}) == DONE
        audit = self.beside("audit.jsonl")
        self._seconds, self._written = (self._measured(sign) for sign in ("", audit))

    def beside(self, *names: str) -> str:
        return os.path.join(os.path.dirname(self.store), *names)

    def _measured(self, sign: str) -> float:
        """How long a command takes, and its write, from the sign on."""
        return statistics.median(self._timed(sign) for _ in range(3))

    def _timed(self, sign: str) -> float:
        deed = Deed(self.name(), COMMAND_LINE, "user create", {"email": f"{self.name()}@example.com"})
        self.ledger.ask(deed)
        done = self.forge.run(self.store, *words_of(deed, self.store), aim=Aim(DEADLINE, sign))
        self.ledger.acknowledge(deed, done.data)
        return done.seconds

    def name(self) -> str:
        self._number += 1
        return f"n{self._number}"

    def aim(self, *signs: str) -> Aim:
        """Anywhere in a command, or, more often, soon after a sign that it writes."""
        sign = self.dice.choice(("", self.beside(), self.beside("audit.jsonl"), self.store, *signs))
        if sign:
            return Aim(self.dice.triangular(0, self._written, 0), sign)
        return Aim(self.dice.uniform(0, 1.1 * self._seconds))

    def do(self, operation: str, values: dict[str, Any], aim: Aim | None = None) -> str:
        deed = Deed(self.name(), COMMAND_LINE, operation, values)
        self.ledger.ask(deed)
        outcome, answer = by_command(self.forge, self.store, aim)(deed)
        if outcome == DONE:
            self.ledger.acknowledge(deed, answer)
        elif aim is None:
            self.ledger.refuse(deed, str(answer))
        return outcome

    def judged(self) -> Verdict:
        hit = bool(temporary_files(self.store))
        verdict = judge(self.store, *self.ledger.so_far(), State.first(self.made))
        if verdict:
            deed = Deed(self.name(), COMMAND_LINE, "user create", {"email": f"after{self._number}@example.com"})
            self.ledger.ask(deed)
            verdict = next_write(self.store, self.forge, deed.values["email"])
            self.ledger.acknowledge(deed, None)
        if verdict:
            repairs = len(Store(self.store).audit_lines(operation="audit repair"))
            self._hits += hit or repairs > self._repairs
            self._repairs = repairs
        return verdict

    def seen(self) -> Counter[str]:
        return Counter({**self.ledger.figures(), "hit_a_write_under_way": self._hits})


def kill_server(life: Life) -> None:
    """While clients and a command line write, after a random number of their writes."""
    pid, port = life.forge.serve(life.store)
    name = f"{life.name()}-"
    team = Team(life.store, life.ledger, name, name)
    try:
        team.clients(CLIENTS, port, life.made["admin_api_key"])
        team.commands(life.beside_it)
        _wait_for_writes(life, life.dice.randrange(1, 30))
    finally:
        life.forge.kill(pid, life.aim())
        team.stop()


def _wait_for_writes(life: Life, count: int) -> None:
    wanted, deadline = life.ledger.count + count, time.monotonic() + DEADLINE
    while life.ledger.count < wanted:
        assert time.monotonic() < deadline, "nobody writes"
        time.sleep(0.0002)


def kill_command(life: Life) -> None:
    """Every fourth beside a server that writes too, and goes on."""
    with _busy_server(life) if life.dice.randrange(4) == 0 else contextlib.nullcontext():
        kill_lone_command(life)


def kill_lone_command(life: Life) -> None:
    """One write of a command-line writer, after some that it lives through."""
    name = f"{life.name()}-"
    writer = Writer(name, COMMAND_LINE, by_command(life.forge, life.store), life.ledger, life.beside(), name)
    for _ in range(life.dice.randrange(3)):
        writer.step()
    writer.step(by_command(life.forge, life.store, life.aim()))


@contextlib.contextmanager
def _busy_server(life: Life) -> Iterator[None]:
    pid, port = life.beside_it.serve(life.store)
    name = f"{life.name()}-"
    team = Team(life.store, life.ledger, name, name)
    try:
        team.clients(1, port, life.made["admin_api_key"])
        _wait_for_writes(life, 1)
        yield
        _wait_for_writes(life, 1)
    finally:
        team.stop()
        life.beside_it.kill(pid, Aim(0))


def kill_replacement(life: Life) -> None:
    """Of what writes more than the store: a safety backup before it, or a backup of its own."""
    operation = life.dice.choice(("system reset", "system restore", "system backup"))
    values: dict[str, Any] = {"confirm": True}
    if operation == "system restore":
        values = {"data": life.backup}
    elif operation == "system backup":
        values = {"output_file": life.beside("files", f"{life.name()}.json")}
    life.do("user create", {"email": f"{life.name()}@example.com"})
    life.do(operation, values, life.aim(life.beside("files" if operation == "system backup" else "backups")))


def _creations(report: Report, folder: str, forge: Forge, count: int, dice: Random) -> None:
    """``generate-config`` killed: the store is there, whole, or it is not and can be made."""
    verdict, seen = Verdict(), Counter(there=0, not_there=0)
    seconds = forge.run(os.path.join(folder, "first", "store.json"), "generate-config").seconds
    for number in range(count):
        store = os.path.join(folder, f"made-{number}", "store.json")
        # Anywhere, or after its folder or its audit log came to be.
        sign = dice.choice(("", os.path.dirname(store), os.path.join(os.path.dirname(store), "audit.jsonl")))
        killed = forge.run(store, "generate-config", aim=Aim(dice.uniform(0, seconds), sign))
        is_there = os.path.exists(store)
        seen["there" if is_there else "not_there"] += 1
        again = forge.run(store, "generate-config")
        if again.code != (4 if is_there else 0):
            verdict.wrong.append(f"there is {'a' if is_there else 'no'} store, and a second generate-config says {again.err or again.out}")
        verdict.add(_made(store, killed.data if is_there else again.data))
        verdict.add(next_write(store, forge, "next@example.com"))
        shutil.rmtree(os.path.dirname(store))
    report.figure("generate-config", kills=count, **seen, **verdict.figures())
    report.check("generate-config, killed: the store is whole, or can be made", bool(verdict), str(verdict))


def _made(store: str, made: dict[str, Any] | None) -> Verdict:
    """``made`` is what was printed, None where that was not whole."""
    verdict = Verdict()
    try:
        document = Store(store).snapshot()
    except GatewayError as error:
        verdict.torn.append(f"{error.detail} ({error.private})")
        return verdict
    if len(document.table("users")) != 1 or len(document.table("admin_keys")) != 1:
        verdict.torn.append("the new store is not whole")
    if made is not None and document.get("admin_keys", digest_of(made["admin_api_key"])) is None:
        verdict.lost.append("the admin key that was printed opens nothing")
    return verdict


class Variant(NamedTuple):
    """``is_caught`` says whether what was found is what this variant does; a store with more ``users`` takes longer to write."""

    function: str
    kill: Callable[[Life], None]
    is_caught: Callable[[Verdict], bool]
    users: int = 0


VARIANTS = (
    Variant("in_place", kill_lone_command, lambda verdict: bool(verdict.torn), USERS),
    Variant("fresh_names", kill_lone_command, lambda verdict: any(each.startswith(LEFT_BEHIND) for each in verdict.wrong)),
    Variant("early_answer", kill_server, lambda verdict: bool(verdict.lost or verdict.missing)),
)
