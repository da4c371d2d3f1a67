"""Files that requests and commands name, as ways out of the folder that confines them and into the store's own."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.files import read_json_file, write_document
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.crash.broken_records import caught_by
from tests.crash.report import Report, Scale
from tests.crash.server import Server
from tests.hostile.named_scene import CANARY, POLICY, Scene, Way, reading, writing
from tests.hostile.wire import Wire, request
from tests.store.processes import Child
from tests.support import DEADLINE
from tests.support import run as command
from tests.surfaces import request_of, send

_ROWS = {row.name: row for row in all_operations()}
_ALPHA = {"config_identifier": "alpha"}
_LOCAL = {**_ALPHA, "server_name": "local"}
_WRITERS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("system backup", {}, "output_file"),
    ("config export", _ALPHA, "output_file"),
    ("project export", {"project_identifier": "red"}, "output_file"),
)
_READERS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("system restore", {}, "input_file"),
    ("config import", {}, "input_file"),
    ("config update-server-input-guardrails", _LOCAL, "policy_file"),
    ("config update-server-guardrails", _LOCAL, "output_policy_file"),
)
_MORE: dict[str, dict[str, Any]] = {"system restore": {"dry_run": True}, "config import": {"config_name": "imported"}}
_FLAGS = {"config_identifier": "config-name", "project_identifier": "project-name"}
_STATUS_OF = {0: 200, 2: 400, 3: 404, 4: 409, 5: 403, 6: 503}
_AT_ONCE = 3.0

Ask = Callable[[str, dict[str, str], str, str], tuple[int, str]]


def run(report: Report, scale: Scale) -> None:
    for confined in (True, False):
        with scene() as found, served(found, confined) as wire:
            _attack(report, "over REST, " + ("confined" if confined else "not confined"), found, over_rest(wire, confined), confined)
    with scene() as found:
        _attack(report, "on the command line", found, on_command_line(found), False)
    _race(report, scale)
    _root_replaced(report)
    _hard_link(report)
    _bound(report)
    _growing(report)
    _without_rights(report)
    _catch(report, scale)


@contextmanager
def scene() -> Iterator[Scene]:
    base = tempfile.mkdtemp(prefix="files-")
    try:
        yield Scene(os.path.realpath(base))
    finally:
        shutil.rmtree(base)


@contextmanager
def served(found: Scene, confined: bool, variant: str = "") -> Iterator[Wire]:
    flags = (f"--files-root={found.at('root')}",) if confined else ()
    server = Server(found.store.path, *flags, variant=variant)
    wire = Wire(server.port, _AT_ONCE)
    try:
        yield wire
    finally:
        wire.close()
        server.kill()


def over_rest(wire: Wire, confined: bool) -> Ask:
    def ask(name: str, values: dict[str, str], field: str, path: str) -> tuple[int, str]:
        body = {field: path, **_MORE.get(name, {}), **({"overwrite": True} if confined and field == "output_file" else {})}
        method, target, _ = request_of(_ROWS[name], values)
        try:
            heard = wire.ask(request(method, target, team.ADMIN, json.dumps(body).encode()))
        except OSError as error:
            wire.close()
            return 0, f"no answer within {_AT_ONCE} s: {error}"
        return heard.status, heard.head + heard.body.decode()

    return ask


def on_command_line(found: Scene) -> Ask:
    def ask(name: str, values: dict[str, str], field: str, path: str) -> tuple[int, str]:
        flags = [f"--{_FLAGS.get(each, each.replace('_', '-'))}={value}" for each, value in values.items()]
        more = [f"--{each.replace('_', '-')}" + ("" if value is True else f"={value}") for each, value in _MORE.get(name, {}).items()]
        words = ["--store", found.store.path, "--format", "json", *name.split(" "), *flags, f"--{field.replace('_', '-')}={path}", *more]
        done = command(*words)
        return _STATUS_OF.get(done.code, 500), done.out + done.err

    return ask


def problems(found: Scene, ask: Ask, confined: bool, by_command: bool = False) -> tuple[int, list[str]]:
    """How many ways were tried, and what was answered otherwise, quoted or changed."""
    tried, wrong = 0, []
    ask("system backup", {}, "output_file", found.at("s/none/none.json"))  # makes the lock and the audit
    for fields, ways in ((_WRITERS, writing(found)), (_READERS, reading(found))):
        for way in ways:
            expected = way.rooted if confined else way.free
            if not expected or (by_command and (not way.path.startswith("/") or way.path == "/dev/stdin")):
                continue
            for name, values, field in fields:
                tried += 1
                wrong += _judged(found, way, f"{way.name}, {name}", expected, lambda way=way: ask(name, values, field, way.path))  # noqa: B023
    return tried, wrong


def _judged(found: Scene, way: Way, name: str, expected: tuple[int, ...], ask: Callable[[], tuple[int, str]]) -> list[str]:
    before, begin = found.shape(), time.monotonic()
    status, text = ask()
    seconds = time.monotonic() - begin
    wrong = [] if status in expected else [f"{name}: {status} and not {expected}: {text[-300:]}"]
    after = found.shape()
    if before != after:
        wrong.append(f"{name}: changed {[path for path in {**before, **after} if before.get(path) != after.get(path)][:3]}")
    if CANARY in text or "PYTHONPATH" in text:
        wrong.append(f"{name}: quoted what it read: {text[-300:]}")
    return wrong + ([f"{name}: took {seconds:.1f} s"] if seconds > _AT_ONCE else [])


def _attack(report: Report, where: str, found: Scene, ask: Ask, confined: bool) -> None:
    tried, wrong = problems(found, ask, confined, by_command=where == "on the command line")
    ways = {way.name for way in (*writing(found), *reading(found)) if (way.rooted if confined else way.free)}
    report.figure(where, ways=len(ways), tries=tried, wrong=len(wrong))
    report.check(f"no way leads out or into the store, {where}", not wrong and tried > 60, "\n".join(wrong[:12]))


class Swapper:
    """A thread that makes ``root/race`` a folder and a link out of the root by turns, as fast as it can."""

    def __init__(self, found: Scene) -> None:
        self._names = [found.at(f"root/{name}") for name in ("race", "race-folder", "race-link")]
        os.mkdir(self._names[0])
        os.symlink("../out", self._names[2])
        with open(os.path.join(self._names[0], "victim.json"), "w", encoding="utf-8") as file:
            json.dump(POLICY, file)
        self._over = threading.Event()
        self.swaps = 0
        self._thread = threading.Thread(target=self._swap, daemon=True)

    def __enter__(self) -> Swapper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(DEADLINE)

    def _swap(self) -> None:
        race, folder, link = self._names
        while not self._over.is_set():
            for away, come in ((folder, link), (link, folder)):
                os.rename(race, away)
                os.rename(come, race)
            self.swaps += 2


def raced(found: Scene, ask: Ask, tries: int) -> tuple[dict[int, int], int, list[str]]:
    """Statuses with their number, swaps, and what got out."""
    before = found.shape("out")
    statuses: dict[int, int] = {}
    wrong = []
    with Swapper(found) as swapper:
        for number in range(tries):
            name, values, field = _WRITERS[1] if number % 2 else _READERS[2]
            status, text = ask(name, values, field, "race/new.json" if number % 2 else "race/victim.json")
            statuses[status] = statuses.get(status, 0) + 1
            if CANARY in text:
                wrong.append("a file outside was read")
            if number % 50 == 0 and found.shape("out") != before:
                wrong.append("a file outside was written")
            if wrong:
                break
    return statuses, swapper.swaps, wrong + (["a file outside was written"] if found.shape("out") != before else [])


def _race(report: Report, scale: Scale) -> None:
    with scene() as found, served(found, True) as wire:
        statuses, swaps, wrong = raced(found, over_rest(wire, True), scale.of(20_000, 1_500))
    report.figure("a folder swapped for a link", swaps=swaps, **{f"answers_{status}": count for status, count in sorted(statuses.items())})
    is_raced = statuses.get(200, 0) > 0 and statuses.get(403, 0) > 0
    holds = not wrong and is_raced and set(statuses) <= {200, 400, 403}
    report.check("a link swapped in between check and use leads nowhere", holds, str(wrong))


def _root_replaced(report: Report) -> None:
    with scene() as found, served(found, True) as wire:
        ask = over_rest(wire, True)
        good, _ = ask(*_WRITERS[0], "before.json")
        os.rename(found.at("root"), found.at("moved"))
        os.symlink("out", found.at("root"))
        before = found.shape()
        written = ("new.json", found.at("root/new.json"), found.at("out/new.json"), found.at("moved/x.json"))
        after = [ask(*_WRITERS[0], path)[0] for path in written]
        after += [ask(*_READERS[2], path)[0] for path in ("victim.json", found.at("out/victim.json"), found.at("root/victim.json"))]
        os.unlink(found.at("root"))
        after.append(ask(*_WRITERS[0], "new.json")[0])
        os.symlink("out", found.at("root"))
        holds = good == 200 and set(after) <= {400, 403} and before == found.shape()
        report.check("a root that becomes a link or is gone opens nothing", holds, str(after))


def _hard_link(report: Report) -> None:
    """A name in the root that the store's file has too: the name is replaced, never what it leads to."""
    with scene() as found, served(found, True) as wire:
        before = found.shape("s")
        # The first one takes a name from the store's file, which looks as if it had been changed by hand; the next finds no link.
        statuses = [over_rest(wire, True)(*_WRITERS[1], "hard.json")[0] for _ in range(2)]
        with open(found.at("root/hard.json"), encoding="utf-8") as file:
            holds = statuses in ([200, 200], [503, 200]) and json.load(file)["kind"] == "secure-mcp-gateway/config"
        there = found.shape("s")
        # The export's line in the audit moves the document too, which is another file by then.
        changed = {path for path in before if before[path] != there[path]}
        holds = holds and changed <= {"s/store.json"} and _is_whole(found)
        report.check("an export over a hard link to the store leaves the store", holds, str(statuses))


def _is_whole(found: Scene) -> bool:
    return Store(found.store.path).snapshot().generation == 1


def _bound(report: Report) -> None:
    with scene() as found, served(found, True) as wire:
        where = found.at("root/bound")
        os.mkdir(where)
        if subprocess.run(["mount", "--bind", found.at("s"), where], capture_output=True, check=False).returncode:
            report.skip("the store's folder bound into the root", "this user may not mount")
            return
        try:
            before = found.shape()
            names = ("new.json", "store.json", "audit.jsonl", "backups/new.json")
            statuses = {over_rest(wire, True)(*_WRITERS[0], f"bound/{name}")[0] for name in names}
            holds = statuses == {403} and before == found.shape()
            report.check("the store's folder bound into the root is no target", holds, str(statuses))
        finally:
            subprocess.run(["umount", where], check=True)


def _growing(report: Report) -> None:
    """A file to which more is written than is read of it must come to an end all the same."""
    with scene() as found, served(found, True) as wire:
        over, path = threading.Event(), found.at("root/growing.json")
        with open(path, "wb") as file:
            file.write(b" " * (1 << 20))
            file.flush()

            def grow() -> None:
                while not over.is_set() and file.tell() < (1 << 28):
                    file.write(b" " * (1 << 20))
                    file.flush()

            thread = threading.Thread(target=grow, daemon=True)
            thread.start()
            status, text = over_rest(Wire(wire._port, DEADLINE), True)(*_READERS[1], path)
            over.set()
            thread.join(DEADLINE)
        report.check("a file that grows while it is read is refused", status == 400, f"{status} {text[-200:]}")


def _without_rights(report: Report) -> None:
    """What the system refuses, in a process that gave its rights away; a quota of no bytes is a full disk."""
    with scene() as found:
        os.chmod(found.base, 0o755)
        os.chmod(found.at("root"), 0o755)

        def tries() -> list[str]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
            full = _refused(lambda: write_document(found.at("root/new.json"), POLICY, "output_file", protected=found.at("s")))
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            root = found.at("root")
            unread = _refused(lambda: read_json_file(found.at("out/victim.json"), "input_file"))
            unwritten = _refused(lambda: write_document(f"{root}/new.json", POLICY, "output_file", root=root, protected=found.at("s")))
            return [full, unread, unwritten]

        os.chmod(found.at("out/victim.json"), 0o600)
        before = found.shape()
        if os.geteuid() != 0:
            report.skip("what this user may not touch", "it takes root to give rights away")
            return
        said = Child(lambda _: tries()).result()
        kinds = [each.partition(":")[0] for each in said]
        report.check("a full disk is 503, and what may not be touched is 400", kinds == ["503", "400", "400"], str(said))
        report.check("and nothing is left or quoted", before == found.shape() and CANARY not in str(said))


def _refused(deed: Callable[[], object]) -> str:
    try:
        return f"200: {deed()}"
    except GatewayError as error:
        return f"{error.status}: {error.detail}"


def _catch(report: Report, scale: Scale) -> None:
    for variant, confined in (
        ("takes_paths_as_typed", True),
        ("compares_beginnings", True),
        ("guards_no_store", False),
        ("replaces_anything", False),
        ("waits_for_fifos", True),
        ("quotes_what_it_read", True),
    ):
        with scene() as found, served(found, confined, f"tests.hostile.broken_files:{variant}") as wire:
            _, wrong = problems(found, over_rest(wire, confined), confined)
        report.check(f"a variant that {variant.replace('_', ' ')} is caught", bool(wrong))
        report.figure(variant, found=len(wrong))
    with scene() as found, served(found, True, "tests.hostile.broken_files:no_look_at_the_folder") as wire:
        _, swaps, wrong = raced(found, over_rest(wire, True), scale.of(20_000, 20_000))
    report.check(f"a variant that looks at paths alone is caught, after {swaps} swaps", bool(wrong))
    from tests.hostile import broken_files

    caught_by(report, [(each_named_file_is_opened_once, (broken_files.opens_twice,))])


def each_named_file_is_opened_once() -> list[str]:
    """A probe; in a process of its own, for an audit hook stays."""
    opened: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            opened.append(os.path.basename(str(arguments[0])))

    with scene() as found:
        app = ManagementApp(Store(found.store.path), files_root=found.at("root"))
        sys.addaudithook(hook)
        wrong = []
        for number, (name, values, field) in enumerate(_READERS):
            file = f"once-{number}.json"
            shutil.copy(found.at("root/inside.json"), found.at(f"root/{file}"))
            opened.clear()
            method, target, _ = request_of(_ROWS[name], values)
            send(app, method, target, {field: file, **_MORE.get(name, {})})
            wrong += [f"{name}: {opened.count(file)} times"] if opened.count(file) != 1 else []
    return wrong
