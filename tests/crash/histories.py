"""Random histories: many clients on all surfaces at once fight for a few names, and what they were answered must be one order of it all.

A million operations in all; then shorter ones of variants of the product that are broken on purpose, each of which must be caught.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.store.store import Store
from tests.crash.clients import ByCommand, InProcess, OverHttp, Player, at_once
from tests.crash.history_check import Checker, Event, History
from tests.crash.moves import Known, Moves
from tests.crash.report import Report, Scale
from tests.crash.server import Server
from tests.crash.variant import break_it
from tests.store.processes import Channel, Child
from tests.support import MEMORY
from tests.surfaces import run_command

VARIANTS = (
    "no_lock",
    "no_refresh",
    "early_if_match",
    "stale_snapshot",
    "checked_by_another",
    "generation_given_twice",
    "refused_change_kept",
    "write_dropped",
    "ack_before_write",
)
PLAYING = "playing"
_TRIES = 20
_READS = 0.45  # of the operations
_PAUSE = 0.03  # seconds at most between two reads of who only watches
_SWITCH_SECONDS = 0.0005  # between threads: ten times as often as Python does


class Plan(NamedTuple):
    """How many clients there are, and how many operations each of them does.

    ``processes`` with ``threads`` each run the product's own code; ``clients`` are of a server; ``commands`` come one after the other;
    ``watchers`` are threads of one process that only read, with pauses. ``conditional`` is the share of writes with If-Match, ``whole`` the
    likelihood of a backup, restore or reset. ``seconds`` is when it is given up on.
    """

    processes: int
    threads: int
    each: int
    clients: int = 0
    each_client: int = 0
    commands: int = 0
    watchers: int = 0
    each_watcher: int = 0
    conditional: float = 0.2
    whole: float = 0.0
    seconds: float = 60.0
    variant: str = ""

    @property
    def over_http(self) -> int:
        return self.clients * self.each_client

    @property
    def operations(self) -> int:
        return self.processes * self.threads * self.each + self.over_http + self.commands + self.watchers * self.each_watcher


EVERYTHING = Plan(3, 4, 72_500, 6, 8_000, 1_000, 4, 20_250, whole=0.0001, seconds=600)
SHARE = Plan(3, 4, 1_450, 4, 400, 100, 4, 225, whole=0.003)


class Lines(Sequence[Event]):
    """The events of some files, each made again when it is looked at: a million of them at once would take gigabytes."""

    def __init__(self, folder: str) -> None:
        self._lines: list[bytes] = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                self._lines += file.readlines()

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: Any) -> Any:
        return Event(*json.loads(self._lines[number]))

    def __iter__(self) -> Iterator[Event]:
        return (Event(*json.loads(line)) for line in self._lines)


class Played(NamedTuple):
    history: History
    seconds: float
    rotated: int


def run(report: Report, scale: Scale) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        _whole(report, scale, folder)
    for variant in VARIANTS:
        _broken(report, scale, variant)


def _whole(report: Report, scale: Scale, folder: str) -> None:
    plan = SHARE if scale.quick else EVERYTHING
    played = play(folder, plan, f"{scale.seed} histories")
    start = time.monotonic()
    checker = Checker(played.history)
    problems = checker.run()
    checked, counts, done = time.monotonic() - start, vars(checker.counts), len(played.history.events)
    report.figure("operations", **counts, over_HTTP=plan.over_http, commands=plan.commands)
    threads = plan.processes * plan.threads + plan.watchers
    report.figure("clients", processes=plan.processes + bool(plan.watchers), threads=threads, HTTP_clients=plan.clients)
    seconds, rate = round(played.seconds), round(done / played.seconds)
    report.figure("speed", operations_a_second=rate, seconds=seconds, seconds_of_checking=round(checked))
    report.figure("audit", lines=played.history.audit["lines"], rotated_files=played.rotated)
    report.figure("violations", violations=len(problems))
    report.check("it is one order of all operations, and nothing is lost of it", not problems, "\n".join(problems))
    enough = done == plan.operations and min(counts.values()) > 0
    report.check("everything was done, and of every kind some", enough, f"{done} of {plan.operations}: {counts}")
    if not scale.quick:
        report.check("the audit was rotated on the way, and verifies", played.rotated > 0 and played.history.audit["valid"])


def _broken(report: Report, scale: Scale, variant: str) -> None:
    histories, problems = caught(variant, scale.of(500, 200), f"{scale.seed} {variant}")
    if report.check(f"{variant} is caught", bool(problems)):
        report.figure(f"{variant}, {problems[0][:200]}", histories=histories, violations_at_least=len(problems))


def caught(variant: str, each: int, seed: str) -> tuple[int, list[str]]:
    """What is wrong with a short history of the variant, with some who only watch, and which history it was: chance may hide a
    fault from one, so that some more are tried."""
    plan = Plan(2, 3, each, watchers=3, each_watcher=each // 4, conditional=0.6, variant=f"broken_histories:{variant}")
    for number in range(1, _TRIES + 1):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            problems = Checker(play(folder, plan, f"{seed} {number}").history).run()
        if problems:
            return number, problems
    return _TRIES, []


def play(folder: str, plan: Plan, seed: str) -> Played:
    """Everything at once in ``folder``, and all that is to be checked."""
    path, records = os.path.join(folder, "s", "store.json"), os.path.join(folder, "records")
    os.mkdir(records)
    key: str = Child(lambda _: _made(path)).result()
    first = _content(path)
    server = Server(path) if plan.clients else None
    start = time.monotonic()
    try:
        _at_once(_works(path, records, plan, seed, server.port if server else 0, key))
    finally:
        if server is not None:
            server.stop()
    seconds = time.monotonic() - start
    rotated = sum(name.startswith("audit-") for name in os.listdir(os.path.dirname(path)))
    return Played(_history(path, first, Lines(records)), seconds, rotated)


def _made(path: str) -> str:
    code, out, err = run_command("--store", path, "--format", "json", "generate-config")
    assert code == 0, err
    return str(json.loads(out)["admin_api_key"])


def _history(path: str, first: Any, events: Lines) -> History:
    since = first["generation"]
    try:
        store = Store(path)
        until, audit, last = store.snapshot().generation, store.verify_audit(), _content(path)
    except (GatewayError, ValueError) as error:
        return History(first, {}, since, since, events, (), {"valid": False, "problem": repr(error), "lines": 0})
    return History(first, last, since, until, events, _lines(store, first["audit"]["lines"]), audit)


def _content(path: str) -> Any:
    """The document as it stands there, read without the package."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _lines(store: Store, after: int) -> Iterator[Any]:
    for line in store.log(store.snapshot()).lines():
        try:
            content = json.loads(line)
        except ValueError:
            content = {"n": after + 1, "request_id": "", "torn": repr(line)}
        if content["n"] > after:
            yield content


def _at_once(works: list[Callable[[Channel], None]]) -> None:
    children = [Child(work) for work in works]
    try:
        for child in children:
            child.hear()
        for child in children:
            child.say("go")
        for child in children:
            while child.hear() == PLAYING:
                pass
    except BaseException:
        for child in children:
            child.kill()
        raise
    for child in children:
        child.result()


def _works(path: str, records: str, plan: Plan, seed: str, port: int, key: str) -> list[Callable[[Channel], None]]:
    """What each process does. Names are short: they stand in every line."""

    def player(name: str, surface: Any, known: Known, reads: float = _READS) -> Player:
        dice = Random(f"{seed} {name}")
        return Player(name, surface, dice, Moves(dice, known, reads, plan.conditional), known, os.path.join(records, name))

    def in_process(name: str, threads: int, reads: float) -> list[Player]:
        store, known = Store(path), Known()
        return [player(f"{name}t{each}", InProcess(store, name, each), known, reads) for each in range(threads)]

    def over_http() -> list[Player]:
        known = Known()
        return [player(f"h{each}", OverHttp(port, key), known) for each in range(plan.clients)]

    def by_command() -> list[Player]:
        return [player("c", ByCommand(path, records), Known())]

    works = [_work(partial(in_process, f"p{each}", plan.threads, _READS), plan, plan.each) for each in range(plan.processes)]
    watching = plan._replace(whole=0.0)
    works += [_work(partial(in_process, "w", plan.watchers, 1.0), watching, plan.each_watcher, _PAUSE)] if plan.watchers else []
    works += [_work(over_http, plan, plan.each_client)] if plan.clients else []
    works += [_work(by_command, plan, plan.commands)] if plan.commands else []
    return works


def _work(players: Callable[[], list[Player]], plan: Plan, count: int, pause: float = 0.0) -> Callable[[Channel], None]:
    """In a process of its own: ready, go, and now and then a word that it is still playing."""

    def work(channel: Channel) -> None:
        if plan.variant:
            break_it(plan.variant)
        sys.setswitchinterval(_SWITCH_SECONDS / (100 if pause else 1))
        team = players()
        channel.say("ready")
        channel.hear()
        deadline, pulse = time.monotonic() + plan.seconds, Pulse(channel)
        at_once(team, lambda player: player.play(count, deadline, plan.whole, pause, pulse))
        channel.say("played")

    return work


class Pulse:
    """Says every few seconds that this process still plays: who hears nothing gives it up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 2.0
            self._channel.say(PLAYING)
