"""One write that meets one fault: where it starts from, and whether what is left agrees with what was said."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.store.store import Store
from tests.crash.server import Answer, make_store, run
from tests.crash.tracing import FAULTS, KILL, Call, Fault, second_syncs
from tests.store.sample_store import content_of

HERE_BEFORE, NEW = "before@example.com", "new@example.com"
MUST_BE_REFUSED = ("write", "writev", "fsync", "rename", "renameat", "renameat2")
_OLDEST = "store-20200101T000000.000000000Z-system-reset.json"


class Write(NamedTuple):
    """The same deed on both surfaces; ``crowded`` starts beside as many safety backups as are kept."""

    name: str
    words: tuple[str, ...]
    path: str
    body: dict[str, Any]
    crowded: bool = False

    @property
    def backs_up(self) -> bool:
        return self.path == "/system/reset"

    def is_done(self, emails: set[str]) -> bool:
        return HERE_BEFORE not in emails if self.backs_up else NEW in emails


USER = Write("user create", ("user", "create", f"--email={NEW}"), "/users", {"email": NEW})
FIRST_RESET = Write("first system reset", ("system", "reset", "--confirm"), "/system/reset", {"confirm": True})
RESET = FIRST_RESET._replace(name="system reset", crowded=True)


class Case(NamedTuple):
    """The fault meets the last of these calls."""

    calls: list[Call]
    fault: Fault

    def __str__(self) -> str:
        return f"{self.calls[-1]} ({len(self.calls)}), {self.fault.error}"

    def was_hit(self, made: list[Call]) -> bool:
        """Did the fault meet the call that was meant, behind the same calls as without it?"""
        count = len(self.calls)
        same = [str(call) for call in made[:count]] == [str(call) for call in self.calls]
        return same and (len(made) == count if self.fault.error == KILL else made[count - 1].injected)


class Said(NamedTuple):
    """An answer of either surface. ``error`` is empty where the write was acknowledged; ``all`` is everything that was said."""

    code: int
    error: str
    detail: str
    all: str

    @property
    def unknown(self) -> bool:
        return "may not survive" in self.detail


class Found(NamedTuple):
    """``state`` is old, new or torn; ``wrong`` are sentences; ``reads`` is how many a server answered beside."""

    case: str
    said: Said | None
    state: str
    second_syncs: int
    wrong: list[str]
    reads: int = 0


def everything(calls: list[Call]) -> Iterator[Case]:
    """Each call with each fault; its death comes last."""
    for position in range(len(calls)):
        for error in FAULTS:
            yield _case(calls, position, error)


def failing(names: tuple[str, ...]) -> Callable[[list[Call]], Iterator[Case]]:
    """The calls of these names, each with the plainest error."""
    return lambda calls: (_case(calls, position, FAULTS[0]) for position, call in enumerate(calls) if call.name in names)


def rotating(calls: list[Call]) -> Iterator[Case]:
    """Each call once, with one error after the other, and every fifth call the last one too."""
    for position in range(len(calls)):
        yield _case(calls, position, FAULTS[position % (len(FAULTS) - 1)])
        if position % 5 == 0:
            yield _case(calls, position, KILL)


def _case(calls: list[Call], position: int, error: str) -> Case:
    name = calls[position].name
    return Case(calls[: position + 1], Fault(name, error, sum(call.name == name for call in calls[: position + 1])))


class Ground:
    """Folders with one and the same store in them, laid anew for each case."""

    def __init__(self, folder: str, write: Write) -> None:
        self.write = write
        self._folder = folder
        self._template = os.path.join(folder, "template")
        self._numbers = itertools.count()
        store = os.path.join(self._template, "store.json")
        self.key = make_store(store)
        assert run(store, "user", "create", f"--email={HERE_BEFORE}").returncode == 0
        for number in range(10 if write.crowded else 0):
            name = _OLDEST.replace("0101T", f"01{number + 1:02d}T")
            os.makedirs(os.path.join(self._template, "backups"), mode=0o700, exist_ok=True)
            shutil.copy2(store, os.path.join(self._template, "backups", name))

    def lay(self) -> str:
        """The store's path in a new folder of its own; traces go to the folder's parent."""
        folder = os.path.join(self._folder, str(next(self._numbers)), "s")
        shutil.copytree(self._template, folder)
        return os.path.join(folder, "store.json")

    def lay_backups(self, store: str) -> None:
        """The backups as they are in the template."""
        here, there = os.path.join(os.path.dirname(store), "backups"), os.path.join(self._template, "backups")
        shutil.rmtree(here, ignore_errors=True)
        if os.path.isdir(there):
            shutil.copytree(there, here)

    def clear(self, store: str) -> None:
        shutil.rmtree(os.path.dirname(os.path.dirname(store)))


def places(store: str) -> dict[str, str]:
    folder, backups = os.path.dirname(store), os.path.join(os.path.dirname(store), "backups")
    return {
        store: "of the store",
        f"{folder}/.store.json.tmp": "of the temporary file",
        f"{store}.lock": "of the lock",
        folder: "of the folder",
        f"{folder}/audit.jsonl": "of the audit",
        backups: "of the backups",
        f"{backups}/.store.tmp": "of the backup",
        f"{backups}/{_OLDEST}": "of the oldest backup",
    }


def judge(case: str, store: str, before: dict[str, Any], write: Write, fault: Fault, said: Said | None, calls: list[Call]) -> Found:
    """``said`` is None where the writer was killed; ``before`` is the content then; ``calls`` are the writer's, the fault's among them."""
    syncs = second_syncs(calls)
    wrong = [f"{syncs} second syncs on a descriptor whose first one failed"] if syncs else []
    try:
        opened = Store(store)
        now = content_of(opened.snapshot())
        verified = opened.verify_audit()
    except GatewayError as error:
        return Found(case, said, "torn", syncs, [*wrong, f"torn: {error.detail} ({error.private})"])
    state = _state(before, now, write)
    if state == "torn":
        wrong.append("torn: neither the old document nor the new one")
    if not verified["valid"]:
        wrong.append(f"the audit does not verify: {verified}")
    if said is not None:
        wrong += _wrong_answer(said, fault, state)
        wrong += _wrong_acknowledgement(opened, before, write, calls) if not said.error else []
    return Found(case, said, state, syncs, wrong)


def refusal_of_next(store: str, write: Write, variant: str) -> str:
    """What the command line says against the next write."""
    words = write.words if write.backs_up else ("user", "create", "--email=next@example.com")
    done = run(store, *words, variant=variant)
    return done.stderr.decode() if done.returncode else ""


def after_next_write(store: str, refusal: str) -> list[str]:
    """What is wrong once the next write was asked for; ``refusal`` is what was said against that."""
    if refusal:
        return [f"the next write is refused: {refusal}"]
    opened = Store(store)
    folders = [place for place in (opened.folder, os.path.join(opened.folder, "backups")) if os.path.isdir(place)]
    wrong = [f"left behind: {name}" for place in folders for name in os.listdir(place) if name.endswith(".tmp")]
    verified = opened.verify_audit()
    if not verified["valid"] or verified["problem"]:
        wrong.append(f"the audit does not verify after the next write: {verified}")
    counted = [line["generation"] for line in opened.audit_lines() if line["committed"] and line["generation"] is not None]
    if counted != list(range(opened.snapshot().generation, 0, -1)):
        wrong.append(f"the audit's committed lines are of the generations {counted}")
    return wrong


def content(store: str) -> dict[str, Any]:
    return content_of(Store(store).snapshot())


def command_said(code: int, errors: bytes) -> Said:
    if code == 0:
        return Said(0, "", "", errors.decode())
    try:
        refusal = json.loads(errors)
        return Said(code, refusal["error"], refusal["detail"], errors.decode())
    except (ValueError, KeyError, TypeError):
        return Said(code, "no JSON", "", errors.decode())


def answer_said(answer: Answer) -> Said:
    refusal = answer.body if answer.status >= 400 else {}
    return Said(answer.status, refusal.get("error", ""), refusal.get("detail", ""), str(answer.body))


def _state(before: dict[str, Any], now: dict[str, Any], write: Write) -> str:
    if now == before:
        return "old"
    is_next = now["generation"] == before["generation"] + 1
    return "new" if is_next and write.is_done({user["email"] for user in now["users"].values()}) else "torn"


def _wrong_answer(said: Said, fault: Fault, state: str) -> list[str]:
    if not said.error:
        return [] if state == "new" else [f"acknowledged, but the document is {state}"]
    wrong = []
    if said.unknown != (state == "new"):
        wrong.append(f"the document is {state}, but it says: {said.detail}")
    allowed = (5, 6, 503) if fault.error == "EACCES" else (6, 503)
    if said.error != "unavailable" or said.code not in allowed or "Traceback" in said.all:
        wrong.append(f"refused with {said.code} {said.all}")
    reason = os.strerror(getattr(errno, fault.error, 0))
    if fault.error not in (KILL, "EACCES") and reason not in said.detail:
        wrong.append(f"it does not give the reason, {reason}: {said.detail}")
    return wrong


def _wrong_acknowledgement(opened: Store, before: dict[str, Any], write: Write, calls: list[Call]) -> list[str]:
    failed = [str(call) for call in calls if call.injected and call.name in MUST_BE_REFUSED]
    wrong = [f"acknowledged although {call} failed" for call in failed]
    operation = "system reset" if write.backs_up else write.name
    line = next((line for line in opened.audit_lines() if line["operation"] == operation), None)
    if line is None or not line["committed"] or line["generation"] != before["generation"] + 1:
        wrong.append(f"acknowledged without its line in the audit; the last one of its kind is {line}")
    if write.backs_up:
        backups = os.path.join(opened.folder, "backups")
        newest = max((name for name in os.listdir(backups) if not name.startswith(".")), default="")
        if not newest or content(os.path.join(backups, newest)) != before:
            wrong.append(f"the newest safety backup, {newest}, is not the document before")
    return wrong
