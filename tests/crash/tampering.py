"""The audit log: every change by somebody who cannot write the document too is found, at the first line that is not as it was written.

What cannot be known, and is not claimed:

- Refusals are written without the document, so those behind its head are covered from the next write on only. Until then lines cut off
  the end, or the rest of a line, look as a crash leaves them (a torn line is said); a changed byte, a removed, moved or repeated line is
  found there too. Whoever can write the log can also add a refusal that never was.
- An older copy of the document alone looks like writes that a crash kept from committing. Verify says that the log tells of writes which
  the store does not hold, and none of these lines is called committed.
- Both files brought back to one earlier moment are that moment. So is a whole store.
- Where one file of the log ends and the next begins is no content: the same lines in the same order are the same log.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from typing import TYPE_CHECKING, Callable
from unittest import mock

from secure_mcp_gateway.store import audit, audit_check
from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.crash import broken_records
from tests.crash.broken_records import Probe, caught_by
from tests.crash.real_log import LOG, RealLog, Verdict, lines_of, resealed
from tests.crash.server import Server
from tests.crash.server import run as command_line
from tests.support import in_memory

if TYPE_CHECKING:
    from random import Random

    from tests.crash.report import Report, Scale

LINES = 200
_BIG = {f"name {number}": "x" * 200 for number in range(300)}
Misses = list[str]


def run(report: Report, scale: Scale) -> None:
    with in_memory() as folder:
        log = RealLog(folder, LINES)
        _bytes(report, log, scale)
        _lines(report, log, scale)
        _forgeries(report, log, scale.dice("forgeries"))
        _copies(report, log)
        _on_the_command_line(report, log, scale)
    with in_memory() as folder:
        _files(report, RealLog(folder, LINES, rotate_at=8000), scale.dice("files"))
    with in_memory() as folder:
        _rotation(report, folder, scale)
    for way in (Folder, ReadOnly):
        _unwritable(report, way)
    _variants(report, scale)


def _bytes(report: Report, log: RealLog, scale: Scale) -> None:
    dice, data = scale.dice("bytes"), log.data()
    places = range(len(data)) if not scale.quick else sorted(dice.sample(range(len(data)), 4000))
    changes = [(at, data[at] ^ dice.randrange(1, 256)) for at in places]
    chosen = {0, log.known - 1, log.known, len(log.lines) - 1, *dice.sample(range(len(log.lines)), scale.of(2, 0))}
    flips = [(at, data[at] ^ 1 << bit) for line in sorted(chosen) for at in _places(log, line) for bit in range(8)]
    flips = flips if not scale.quick else dice.sample(flips, 1000)
    misses = changed_bytes(log, changes + flips)
    report.figure("changed bytes", lines=len(log.lines), bytes=len(data), changes=len(changes), bit_flips=len(flips), missed=len(misses))
    report.check("every changed byte is found at its line", not misses, "\n".join(misses[:5]))


def _places(log: RealLog, line: int) -> range:
    start = sum(map(len, log.lines[:line]))
    return range(start, start + len(log.lines[line]))


def changed_bytes(log: RealLog, changes: list[tuple[int, int]]) -> Misses:
    """Each of them alone, in the file."""
    log.put(log.files)
    data, misses = bytearray(log.data()), []
    # The same 199 lines are looked at again and again: what is changed is the one that is not remembered.
    remembering = functools.lru_cache(1024)(audit_check.opened)
    with mock.patch("secure_mcp_gateway.store.audit_check.opened", remembering), open(log.at(LOG), "r+b", buffering=0) as file:
        for at, byte in changes:
            right, data[at] = data[at], byte
            os.pwrite(file.fileno(), data[at : at + 1], at)
            misses += log.miss(f"byte {at} is {byte} instead of {right}", log.expected(bytes(data)))
            data[at] = right
            os.pwrite(file.fileno(), data[at : at + 1], at)
    return misses


def _lines(report: Report, log: RealLog, scale: Scale) -> None:
    dice, lines, count = scale.dice("lines"), log.lines, len(log.lines)

    def share(limit: int) -> list[int]:
        return list(range(limit)) if not scale.quick else sorted(dice.sample(range(limit), 40))

    pairs = [(at, at + 1) for at in share(count - 1)] + [tuple(sorted(dice.sample(range(count), 2))) for _ in range(scale.of(300, 40))]
    replays = [(at, count) for at in share(count)] + [(dice.randrange(count), dice.randrange(count)) for _ in range(scale.of(300, 40))]
    data = log.data()
    last = range(len(data) - sum(map(len, lines[-10:])), len(data))
    cuts = [*(len(b"".join(lines[:at])) for at in share(count)), *(last if not scale.quick else dice.sample(last, 300))]
    kinds: dict[str, list[tuple[str, bytes]]] = {
        "removed": [(f"without line {at + 1}", b"".join(without(lines, at))) for at in share(count)],
        "swapped": [(f"lines {one + 1} and {other + 1} swapped", b"".join(swapped(lines, one, other))) for one, other in pairs],
        "replayed": [(f"line {at + 1} again behind {to}", b"".join([*lines[:to], lines[at], *lines[to:]])) for at, to in replays],
        "cut": [(f"cut to {size} bytes", data[:size]) for size in cuts],
    }
    for kind, cases in kinds.items():
        misses = [miss for what, changed in cases for miss in log.tampered(what, {LOG: changed})]
        open_ends = sum(1 for _, changed in cases if log.expected(changed).line is None)
        report.figure(kind, cases=len(cases), behind_the_head_where_nobody_can_tell=open_ends, missed=len(misses))
        report.check(f"{kind}: each is found at the first line that differs", len(cases) > 0 and not misses, "\n".join(misses[:5]))


def without(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], *lines[at + 1 :]]


def swapped(lines: list[bytes], one: int, other: int) -> list[bytes]:
    changed = list(lines)
    changed[one], changed[other] = lines[other], lines[one]
    return changed


def _forgeries(report: Report, log: RealLog, dice: Random) -> None:
    begins = sorted(dice.sample(range(log.known), 20))
    misses = [miss for at in begins for miss in forged(log, at)]
    misses += forged_behind(log)
    report.figure("forged with hashes of their own", lines=len(begins), suffixes=len(begins), behind_the_head=2, missed=len(misses))
    report.check("what was forged is found by the next line, by the document's head, or by its number", not misses, "\n".join(misses[:5]))


def forged(log: RealLog, at: int) -> Misses:
    """A line with another actor: alone, where the next one shows it; and with all that follow, where the document does."""
    alone = [*log.lines[:at], resealed(log.lines[at], request_id="forged"), *log.lines[at + 1 :]]
    suffix = log.lines[:at]
    last = json.loads(suffix[-1])["hash"] if suffix else audit.GENESIS
    for line in log.lines[at:]:
        suffix.append(resealed(line, request_id="forged", prev=last))
        last = json.loads(suffix[-1])["hash"]
    by_the_next = Verdict(at + 2 if at + 1 < log.known else log.known)
    return [
        *log.changed(f"line {at + 1} is forged", alone, by_the_next),
        *log.changed(f"all from line {at + 1} on are forged", suffix, Verdict(log.known)),
    ]


def forged_behind(log: RealLog) -> Misses:
    """One that goes on from the last line and leaves out a number, and one that tells of a write which the document has passed."""
    last, count = json.loads(log.lines[-1]), len(log.lines)
    skips = resealed(log.lines[-1], n=count + 2, prev=last["hash"])
    claims = resealed(log.lines[-1], n=count + 1, prev=last["hash"], result="ok", generation=2)
    return [
        *log.changed("a number is left out", [*log.lines, skips], Verdict(count + 1)),
        *log.changed("a write that never was", [*log.lines, claims], Verdict(count + 1)),
    ]


def _copies(report: Report, log: RealLog) -> None:
    """Older copies of one file or of both."""
    then = int(json.loads(log.half)["audit"]["lines"])
    misses = log.tampered("an older log", {LOG: b"".join(log.lines[:then])}, Verdict(then + 1))
    report.check("an older copy of the log alone is found", not misses, "".join(misses))
    log.put(log.files, log.half)
    found, listed = Store(log.path).verify_audit(), Store(log.path).audit_lines()
    behind = [line["committed"] for line in listed if line["n"] > then]
    said = found["valid"] and f"to {log.known} tell of writes that the store does not hold" in (found["problem"] or "")
    before = sum(line["committed"] for line in listed if line["n"] <= then)
    report.figure("an older document", lines_it_knows=then, lines_behind_it=len(behind), of_these_called_committed=sum(behind))
    report.check("an older document alone is said, and nothing behind it is called committed", said and not any(behind), str(found))
    report.check("what that document does hold is called committed still", before > 0, f"{before} of {then}")
    log.put({LOG: b"".join(log.lines[:then])}, log.half)
    report.check("both brought back to one moment are that moment", not log.miss("", Verdict(None)), str(Store(log.path).verify_audit()))


def _on_the_command_line(report: Report, log: RealLog, scale: Scale) -> None:
    dice, lines, misses, count = scale.dice("command line"), log.lines, [], scale.of(40, 10)
    for number in range(count):
        at = dice.randrange(log.known - 1)
        byte = dice.randrange(len(lines[at]))
        changed = lines[at][:byte] + bytes([lines[at][byte] ^ dice.randrange(1, 256)]) + lines[at][byte + 1 :]
        made = ([*lines[:at], changed, *lines[at + 1 :]], without(lines, at), swapped(lines, at, at + 1), lines[:at], [*lines, lines[at]])
        files = {LOG: b"".join(made[number % len(made)])}
        log.put(files)
        ran = command_line(log.path, "system", "audit", "--verify")
        found = json.loads(ran.stdout or b"{}")
        if (ran.returncode, found.get("broken_line")) != (1, log.expected(files[LOG]).line):
            misses.append(f"{number}: {ran.returncode}, {found}, expected {log.expected(files[LOG])}")
    log.put(log.files)
    whole = command_line(log.path, "system", "audit", "--verify")
    report.figure("system audit --verify", runs=count + 1, missed=len(misses))
    report.check("the command line ends with 1 and names the line", not misses, "\n".join(misses[:5]))
    report.check("of an untouched log it ends with 0", whole.returncode == 0 and json.loads(whole.stdout)["valid"], str(whole))


def _files(report: Report, log: RealLog, dice: Random) -> None:
    """Of a log in many files."""
    names = sorted(name for name in log.files if name != LOG)
    cases: list[tuple[str, dict[str, bytes]]] = []
    for at, name in enumerate(names):
        rest = {each: data for each, data in log.files.items() if each != name}
        other = dice.choice(sorted(rest))
        cases.append((f"{name} is removed", rest))
        cases.append((f"{name} is another's copy", {**log.files, name: log.files[other]}))
        cases.append((f"{name} is the last by its number", {**rest, "audit-000099.jsonl": log.files[name]}))
        cases.append((f"{name} stands there twice", {**log.files, "audit-000099.jsonl": log.files[name]}))
        neighbour = names[at - 1]
        cases.append((f"{name} and {neighbour} swapped", {**log.files, name: log.files[neighbour], neighbour: log.files[name]}))
        taken = lines_of(log.files[name])
        line = taken.pop(dice.randrange(len(taken)))
        cases.append((f"a line of {name} is in {other}", {**log.files, name: b"".join(taken), other: log.files[other] + line}))
    misses = [miss for what, files in cases for miss in log.tampered(what, files)]
    found = sum(1 for _, files in cases if log.expected(log.data(files)).line is not None)
    report.figure("several files", files=len(log.files), cases=len(cases), found=found, missed=len(misses))
    held = found > 5 * len(names) and not misses
    report.check("a file that is gone, moved or there twice is found at its first line", held, "\n".join(misses[:5]))
    first, second, *_ = names
    moved = lines_of(log.files[first])[-1]
    same = {**log.files, first: log.files[first][: -len(moved)], second: moved + log.files[second]}
    report.check("the same lines in the same order are the same log", not log.tampered("", same, Verdict(None)))
    log.put(log.files)
    report.check("put back as it was it is valid", not log.miss("", Verdict(None)))


def _rotation(report: Report, folder: str, scale: Scale) -> None:
    """At its real size, with lines of 64 KiB."""
    store, wanted = team.make_team(folder), scale.of(2, 1)
    while len(store.log(store.snapshot()).files()) <= wanted:
        store.commit(lambda draft: None, AuditEntry(now_text(), "admin", "adm_1", "tests", "r", "user create", _BIG))
    sizes = [os.path.getsize(path) for path in store.log(store.snapshot()).files()]
    longest = len(_BIG) * 220
    report.figure("rotation", MiB=audit.ROTATE_AT >> 20, files=len(sizes), sizes=sizes, lines=store.snapshot().audit.lines)
    report.check("a file ends with the line that fills it", all(0 <= size - audit.ROTATE_AT < longest for size in sizes[:-1]), str(sizes))
    fresh = Store(store.path).verify_audit()
    report.check("the chain goes on over all files", fresh["valid"] and fresh["lines"] == store.snapshot().audit.lines, str(fresh))
    dice = scale.dice("rotation")
    misses = [miss for path in store.log(store.snapshot()).files()[:-1] for miss in _changed_in_archive(store, path, dice)]
    report.check("a changed byte in an archive is found at its line", not misses, str(misses))


def _changed_in_archive(store: Store, path: str, dice: Random) -> Misses:
    with open(path, "r+b") as file:
        data = file.read()
        at = dice.randrange(len(data))
        first = int(json.loads(data[: data.index(b"\n")])["n"])
        line = first + data.count(b"\n", 0, at)
        os.pwrite(file.fileno(), bytes([data[at] ^ 1]), at)
        found = Store(store.path).verify_audit()
        os.pwrite(file.fileno(), data[at : at + 1], at)
    return [] if (found["valid"], found["broken_line"]) == (False, line) else [f"{path} byte {at}, line {line}: {found}"]


class Folder:
    """A folder in the log's place."""

    def __init__(self, log: str) -> None:
        self._log = log

    def begin(self) -> str:
        os.rename(self._log, self._log + ".aside")
        os.mkdir(self._log)
        return ""

    def end(self) -> None:
        os.rmdir(self._log)
        os.rename(self._log + ".aside", self._log)


class ReadOnly:
    """A read-only bind mount on the log alone."""

    def __init__(self, log: str) -> None:
        self._log = log

    def begin(self) -> str:
        if os.geteuid() != 0:
            return "only root may mount"
        for words in (("--bind", self._log, self._log), ("-o", "remount,ro,bind", self._log)):
            done = subprocess.run(["mount", *words], capture_output=True, check=False)
            if done.returncode:
                subprocess.run(["umount", self._log], capture_output=True, check=False)
                return done.stderr.decode().strip()
        return ""

    def end(self) -> None:
        subprocess.run(["umount", self._log], capture_output=True, check=True)


def _unwritable(report: Report, way: type[Folder] | type[ReadOnly]) -> None:
    name = (way.__doc__ or "").rstrip(".")
    misses = unwritable(way)
    if misses and misses[0].startswith("skipped: "):
        report.skip(name, misses[0])
    else:
        report.check(f"{name}: both surfaces refuse to write, nothing is changed, and without it they go on", not misses, str(misses))


def unwritable(way: type[Folder] | type[ReadOnly], variant: str = "") -> Misses:
    with in_memory() as folder:
        path = team.make_team(folder).path
        obstacle = way(os.path.join(folder, LOG))
        server = Server(path, variant=variant)
        try:
            client = server.client(team.ADMIN)
            why = obstacle.begin()
            if why:
                return [f"skipped: {why}"]
            try:
                before = _read(path)
                answer = client.send("POST", "/users", {"email": "n@example.com"})
                refused = [("REST", answer.status, _read(path) == before)]
                ran = command_line(path, "user", "create", "--email=m@example.com", variant=variant)
                refused.append(("command line", ran.returncode, _read(path) == before))
            finally:
                obstacle.end()
            again = client.send("POST", "/users", {"email": "n@example.com"})
            ran = command_line(path, "user", "create", "--email=m@example.com", variant=variant)
        finally:
            server.stop()
        found, expected = Store(path).verify_audit(), [("REST", 503, True), ("command line", 6, True)]
        misses = [f"{refused} instead of {expected}"] if refused != expected else []
        mended = (again.status, ran.returncode, found["valid"], found["lines"], found["problem"]) == (201, 0, True, 3, None)
        return misses if mended else [*misses, f"then {again.status}, {ran.returncode}, {found}"]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def some_of_everything(folder: str, dice: Random) -> Misses:
    """What a verify that is broken in one place must miss some of."""
    log = RealLog(folder, 60)
    data = log.data()
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    misses = changed_bytes(log, [(at, data[at] ^ 1) for at in [*dice.sample(range(len(data)), 300), *ends]])
    for at in range(0, len(log.lines) - 1, 5):
        misses += log.changed(f"without line {at + 1}", without(log.lines, at))
        misses += log.changed(f"lines {at + 1} and {at + 2} swapped", swapped(log.lines, at, at + 1))
        misses += log.changed(f"{at} lines are left", log.lines[:at])
        misses += forged(log, at) if at < log.known else []
    return misses + forged_behind(log)


def rotated(folder: str) -> Misses:
    log = RealLog(folder, 60, rotate_at=8000)
    return log.miss("an untouched log", Verdict(None))


def _variants(report: Report, scale: Scale) -> None:
    def tampered() -> Misses:
        with in_memory() as folder:
            return some_of_everything(folder, scale.dice("variants"))

    def in_many_files() -> Misses:
        with in_memory() as folder:
            return rotated(folder)

    probes: list[tuple[Probe, tuple[Callable[[], None], ...]]] = [
        (tampered, (broken_records.no_numbers, broken_records.no_chain, broken_records.no_head, broken_records.no_own_hash)),
        (tampered, (broken_records.any_end_is_torn,)),
        (in_many_files, (broken_records.new_chain_in_each_file,)),
    ]
    caught_by(report, probes)
    misses = unwritable(Folder, "broken_records:writes_without_log")
    report.check("a store that writes on without its log is caught", bool(misses) and "201" in misses[0], str(misses))
