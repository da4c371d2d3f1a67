"""An audit log as real use makes it, its files on the disk, and what must be found when somebody changes them."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.store.audit import ROTATE_AT, AuditLog, seal
from secure_mcp_gateway.store.store import Store
from tests import support, team
from tests.surfaces import send

if TYPE_CHECKING:
    pass

LOG = "audit.jsonl"
_ARCHIVE = re.compile(r"audit-(\d+)\.jsonl")
_BEHIND = 5  # refusals, behind the document's head


class Verdict(NamedTuple):
    """``line`` is the first one that is not as it was written, None where nothing can be found; ``torn`` where that must be said."""

    line: int | None
    torn: bool = False


class RealLog:
    """A store in ``folder`` of at least ``count`` lines, the last few of them refusals behind the document's head. ``half`` is the document
    as it was half-way."""

    def __init__(self, folder: str, count: int, rotate_at: int = ROTATE_AT) -> None:
        self.folder = folder
        with mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at)):
            self.path = team.make_team(folder).path
            self.half = _used(self, count)
        self.files = self.read_files()
        self.document = self.read("store.json")
        self.lines = lines_of(self.data())
        self.known = int(json.loads(self.document)["audit"]["lines"])

    def at(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def read(self, name: str) -> bytes:
        with open(self.at(name), "rb") as file:
            return file.read()

    def read_files(self) -> dict[str, bytes]:
        return {name: self.read(name) for name in os.listdir(self.folder) if name == LOG or _ARCHIVE.fullmatch(name)}

    def data(self, files: dict[str, bytes] | None = None) -> bytes:
        """All of the log, in the order of its files."""
        files = self.files if files is None else files
        numbers = {int(found[1]): name for name in files if (found := _ARCHIVE.fullmatch(name))}
        return b"".join(files[numbers[number]] for number in sorted(numbers)) + files.get(LOG, b"")

    def put(self, files: dict[str, bytes], document: bytes | None = None) -> None:
        """These in the place of what is there."""
        for name in self.read_files().keys() - files.keys():
            os.unlink(self.at(name))
        for name, data in {**files, "store.json": document or self.document}.items():
            with open(self.at(name), "wb") as file:
                file.write(data)

    def expected(self, data: bytes) -> Verdict:
        """Worked out from what was written, of a log that now holds ``data``."""
        for at, line in enumerate(lines_of(data)):
            if at >= len(self.lines) or line != self.lines[at]:
                is_cut = self.known <= at < len(self.lines) and self.lines[at].startswith(line) and data.endswith(line)
                return Verdict(None, torn=True) if is_cut else Verdict(at + 1)
        present = len(lines_of(data))
        return Verdict(present + 1 if present < self.known else None)

    def miss(self, what: str, expected: Verdict) -> list[str]:
        """Nothing, or what verify said of the files as they stand now where it should have found this."""
        found = Store(self.path).verify_audit()
        lines = found["lines"] if expected.line is None else expected.line - 1
        torn = "torn" in (found["problem"] or "")
        as_it_should = (found["valid"], found["broken_line"], found["lines"]) == (expected.line is None, expected.line, lines)
        return [] if as_it_should and (not expected.torn or torn) else [f"{what}: expected {expected}, found {found}"]

    def tampered(self, what: str, files: dict[str, bytes], expected: Verdict | None = None) -> list[str]:
        """As ``miss``, of these files."""
        self.put(files)
        return self.miss(what, expected or self.expected(self.data(files)))

    def changed(self, what: str, lines: list[bytes], expected: Verdict | None = None) -> list[str]:
        """As ``tampered``, of a log that is one file."""
        return self.tampered(what, {LOG: b"".join(lines)}, expected)


def lines_of(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def resealed(line: bytes, **fields: Any) -> bytes:
    """The line with other content, and the hash that goes with it."""
    content = {**json.loads(line), **fields}
    del content["hash"]
    return seal(json.dumps(content, ensure_ascii=False).encode())[0]


def _used(log: RealLog, count: int) -> bytes:
    """Write until there are so many lines, and give the document from half-way: two admins and a user over REST, a person on the command
    line, and a torn line that had to be repaired."""
    app, half, number = ManagementApp(Store(log.path)), b"", 0
    while len(lines_of(log.data(log.read_files()))) < count - _BEHIND:
        number += 1
        _round(log, app, number)
        if number == 3:
            with open(log.at(LOG), "ab") as file:
                file.write(b'{"n": ')
        if not half and len(lines_of(log.data(log.read_files()))) >= count // 2:
            half = log.read("store.json")
    for _ in range(_BEHIND):
        send(app, "POST", "/api/v1/users", {"email": "x@example.com"}, team.EVE)
    return half


def _round(log: RealLog, app: ManagementApp, number: int) -> None:
    send(app, "POST", "/api/v1/users", {"email": f"u{number}@example.com"})
    send(app, "POST", "/api/v1/configs", {"config_name": f"größe {number}"}, team.SPARE)
    send(app, "POST", "/api/v1/users", {"email": "ada@example.com"}, team.SPARE)  # there is one: refused
    send(app, "POST", "/api/v1/configs/alpha/export", {})
    _command(log, "project", "create", f"--project-name=p{number}")
    _command(log, "system", "backup")
    _command(log, "user", "delete", "--email=nobody@example.com")  # there is none: refused
    if number % 5 == 1:
        send(app, "POST", "/api/v1/system/backup", {}, team.SPARE)
        send(app, "DELETE", "/api/v1/users/eve", None, team.ADA)  # a user's key may not: refused


def _command(log: RealLog, *words: str) -> None:
    support.run("--store", log.path, "--format", "json", *words)
