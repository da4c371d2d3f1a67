"""Is what was left of a store whole? Everything that was acknowledged is in it, and nothing that nobody asked for."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.params import strict_json
from secure_mcp_gateway.store.document import TABLES, Document
from secure_mcp_gateway.store.store import Store
from tests.crash.deeds import Deed, matched
from tests.crash.expected import State, Tables
from tests.crash.forge import Forge

LEFT_BEHIND = "left behind"


class Backup(NamedTuple):
    """``generation`` is that of the store when it was made."""

    name: str
    generation: int
    tables: Tables


class Verdict:
    """Sentences: of a store that cannot be read, of acknowledged writes that are not in it or have no line, and whatever else."""

    def __init__(self) -> None:
        self.torn: list[str] = []
        self.lost: list[str] = []
        self.missing: list[str] = []
        self.wrong: list[str] = []

    def __bool__(self) -> bool:
        """Is everything whole?"""
        return not (self.torn or self.lost or self.missing or self.wrong)

    def __str__(self) -> str:
        kinds = {"torn": self.torn, "lost": self.lost, "no line": self.missing, "wrong": self.wrong}
        return "\n".join(f"{kind}: {each}" for kind, found in kinds.items() for each in found[:10])

    def figures(self) -> dict[str, int]:
        return {
            "torn_stores": len(self.torn),
            "lost_writes": len(self.lost),
            "missing_audit_lines": len(self.missing),
            "other_faults": len(self.wrong),
        }

    def add(self, other: Verdict) -> None:
        self.torn += other.torn
        self.lost += other.lost
        self.missing += other.missing
        self.wrong += other.wrong


def judge(path: str, asked: list[Deed], acknowledged: list[Deed], first: State) -> Verdict:
    """``first`` is what the store held at its first generation."""
    verdict = Verdict()
    try:
        store = Store(path)
        document = store.snapshot()
        lines = store.audit_lines()[::-1]
    except GatewayError as error:
        verdict.torn.append(f"{error.detail} ({error.private})")
        return verdict
    audit = store.verify_audit()
    if not audit["valid"]:
        verdict.wrong.append(f"the audit does not verify: {audit}")
    known = [line for line in lines if line["result"] == "ok" and line["operation"] not in ("generate-config", "audit repair")]
    found, strange = matched(known, asked)
    verdict.wrong += [f"nobody asked for {line}" for line in strange]
    for deed in acknowledged:
        if deed.id not in found:
            verdict.missing.append(str(deed))
        elif not found[deed.id]["committed"]:
            verdict.lost.append(f"{deed}, generation {found[deed.id]['generation']} of {document.generation}")
    verdict.wrong += _generations(lines, document)
    if verdict.missing:
        verdict.wrong.append("lines are missing, so that the rest cannot be told")
        return verdict
    by_generation = {line["generation"]: deed for deed in asked if (line := found.get(deed.id)) and line["committed"]}
    _replay(verdict, by_generation, document, first, _backups(verdict, path, acknowledged))
    return verdict


def _generations(lines: list[dict[str, Any]], document: Document) -> list[str]:
    counted = [line["generation"] for line in lines if line["committed"] and line["generation"] is not None]
    if counted == list(range(1, document.generation + 1)):
        return []
    gap = next((number for number, found in enumerate(counted, 1) if number != found), len(counted) + 1)
    return [f"generations are not counted without gap: {gap} is not where it belongs, the document has {document.generation}"]


def _replay(verdict: Verdict, deeds: dict[int, Deed], document: Document, first: State, backups: list[Backup]) -> None:
    state = first
    for generation in range(1, document.generation + 1):
        deed = deeds.get(generation)
        try:
            if deed is not None:
                state.apply(deed.operation, deed.values, deed.answer, deed.id)
        except (KeyError, StopIteration) as error:
            verdict.lost.append(f"what {deed} was done to is not there: {error!r}")
        for backup in backups:
            if backup.generation == generation:
                verdict.wrong += [f"backup {backup.name}: {each}" for each in state.differences(State.of(backup.tables))]
    verdict.lost += state.differences(State.of(tables_of(document)))


def tables_of(document: Document) -> Tables:
    return {name: dict(document.table(name).items()) for name in TABLES}


def _backups(verdict: Verdict, path: str, acknowledged: list[Deed]) -> list[Backup]:
    """Name, generation and content of the backups that were acknowledged, and of every safety backup."""
    folder, found = os.path.dirname(path), []
    for deed in acknowledged:
        if deed.operation == "system backup":
            name = os.path.basename(deed.values["output_file"])
            try:
                with open(os.path.join(folder, "files", name), encoding="utf-8") as file:
                    content = strict_json(file.read(), 64)
                found.append(Backup(name, content["generation"], content))
            except (OSError, ValueError, KeyError, TypeError) as error:
                verdict.lost.append(f"backup {name}: {error!r}")
    for name in safety_backups(path):
        try:
            document = Store(os.path.join(folder, "backups", name)).snapshot()
            found.append(Backup(name, document.generation, tables_of(document)))
        except GatewayError as error:
            verdict.torn.append(f"safety backup {name}: {error.detail} ({error.private})")
    return found


def safety_backups(path: str) -> list[str]:
    folder = os.path.join(os.path.dirname(path), "backups")
    return [name for name in os.listdir(folder) if not name.startswith(".")] if os.path.isdir(folder) else []


def temporary_files(path: str) -> list[str]:
    """Beside the store and its safety backups."""
    folder = os.path.dirname(path)
    places = [place for place in (folder, os.path.join(folder, "backups")) if os.path.isdir(place)]
    return [os.path.join(place, name) for place in places for name in os.listdir(place) if name.endswith(".tmp")]


def next_write(path: str, forge: Forge, email: str) -> Verdict:
    """One more write, through the command line: it works, and leaves no temporary file and a log that verifies."""
    verdict = Verdict()
    done = forge.run(path, "user", "create", f"--email={email}")
    if done.code:
        verdict.wrong.append(f"the next write failed: {done.err}")
        return verdict
    verdict.wrong += [f"{LEFT_BEHIND}: {each}" for each in temporary_files(path)]
    audit = Store(path).verify_audit()
    if not audit["valid"] or audit["problem"]:
        verdict.wrong.append(f"after the next write the audit does not verify: {audit}")
    return verdict
