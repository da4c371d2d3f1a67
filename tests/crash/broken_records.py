"""Variants of the store that do not keep what they say of their audit and of restores: each breaks one promise in this process for good."""

from __future__ import annotations

import json
import os
import traceback
from typing import TYPE_CHECKING, Any, Callable

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.repository import restore
from secure_mcp_gateway.store import audit, audit_check, backups, migrate
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.commit import Ticket
from secure_mcp_gateway.store.document import AuditHead, Document, Draft

if TYPE_CHECKING:
    from secure_mcp_gateway.store.audit import Line
    from tests.crash.report import Report

Probe = Callable[[], list[str]]


def caught_by(report: Report, probes: list[tuple[Probe, tuple[Callable[[], None], ...]]]) -> None:
    """A probe lists what it found wrong: something in each of the variants it is given, and nothing in the product as it is."""
    for probe, variants in probes:
        sound, died = _in_a_child(probe)
        report.check(f"{probe.__name__}: the product as it is passes", not sound and not died, died + "\n".join(sound[:3]))
        for variant in variants:
            found, died = _in_a_child(probe, variant)
            said = f"{len(found)} found {died}"
            report.check(f"{variant.__name__}: {(variant.__doc__ or '').rstrip('.')}: is caught", bool(found) and not died, said)


def _in_a_child(probe: Probe, variant: Callable[[], None] | None = None) -> tuple[list[str], str]:
    """What the probe finds in a process of its own, which the variant breaks; and the traceback that ended it, where one did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if variant is not None:
                variant()
            found, died = probe(), ""
        except BaseException:
            found, died = [], traceback.format_exc()[-2000:]
        with os.fdopen(writing, "w") as pipe:
            json.dump([[each[:200] for each in found], died], pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    found, died = json.loads(text) if text else ([], "it ended without a word")
    return found, died


def no_numbers() -> None:
    """Verify does not look at the lines' numbers."""

    def problem(content: Line, number: int, last: str) -> str:
        return "" if content["prev"] == last else "it does not follow from the line before"

    audit_check._problem = problem


def no_chain() -> None:
    """Verify does not look whether a line follows from the one before."""

    def problem(content: Line, number: int, last: str) -> str:
        return "" if content["n"] == number else "another line stands in its place"

    audit_check._problem = problem


def no_head() -> None:
    """Verify does not ask the document."""
    whole = audit_check.verified
    audit_check.verified = lambda log, head, generation: whole(log, AuditHead(0), generation)


def no_own_hash() -> None:
    """Verify takes a line for what it says."""

    def opened(line: bytes) -> Line | None:
        try:
            content = json.loads(line)
            digest = content.pop("hash")
        except (ValueError, AttributeError, KeyError):
            return None
        return {**content, "hash": digest} if line.endswith(b"}\n") and audit._is_line(content) else None

    audit_check.opened = opened


def any_end_is_torn() -> None:
    """Whatever stands behind the head without the end of a line passes as torn."""
    audit_check.is_torn = lambda rest, number: True


def new_chain_in_each_file() -> None:
    """A rotation begins a chain anew."""
    whole = AuditLog._rotated

    def rotated(self: AuditLog, tail: AuditHead, owner: tuple[int, int] | None) -> AuditHead:
        made = whole(self, tail, owner)
        return AuditHead(made.lines, audit.GENESIS, made.size, made.file)

    AuditLog._rotated = rotated  # type: ignore[method-assign]


def writes_without_log() -> None:
    """A write goes on where the log cannot be written."""
    whole = AuditLog.append

    def append(self: AuditLog, head: AuditHead, *rest: Any, **named: Any) -> AuditHead:
        try:
            return whole(self, head, *rest, **named)
        except audit.Unavailable:
            return head

    AuditLog.append = append  # type: ignore[method-assign]


def table_by_table() -> None:
    """A restore puts each table in its place as it comes to it, and finds out later that another one is wrong."""
    whole, apply = restore.restore_store, Ticket.apply

    def restored(draft: Draft, call: Any, *, data: Any, **options: Any) -> Any:
        users = data.get("users") if isinstance(data, dict) else None
        if isinstance(users, dict) and all(isinstance(each, dict) and isinstance(each.get("created_at"), str) for each in users.values()):
            draft.replace("users", users)
        return whole(draft, call, data=data, **options)

    def applied(self: Ticket, document: Document, safety_backup: str | None) -> Draft:
        draft = Draft(document)
        draft.safety_backup = safety_backup
        change = self.change
        try:
            return apply(self, document, safety_backup)
        except InvalidRequest as error:
            self.error = error
            try:
                change(draft)  # type: ignore[misc]
            except InvalidRequest:
                return draft
            raise

    Ticket.apply = applied  # type: ignore[method-assign]
    _run_instead("system restore", restored)


def first_problem_only() -> None:
    """A restore stops at the first problem."""
    whole = restore._problems
    restore._problems = lambda made: whole(made)[:1]


def restrictions_dropped() -> None:
    """A restriction that has no meaning here is passed over in silence."""
    migrate.lost_restrictions = lambda where, record, kept: []


def no_safety_backup() -> None:
    """A restore makes no safety backup."""
    backups.write_backup = lambda file, path, pieces: None


def strangers_enabled() -> None:
    """Keys of non-members arrive as they are."""
    whole = restore.settle_keys

    def settled(made: Any) -> None:
        before = dict(made.content["apikeys"])
        whole(made)
        made.content["apikeys"] = {key: before[key] for key in made.content["apikeys"]}

    restore.settle_keys = settled


def _run_instead(name: str, rule: Callable[..., Any]) -> None:
    (row,) = (each for each in all_operations() if each.name == name)
    row.run = rule
