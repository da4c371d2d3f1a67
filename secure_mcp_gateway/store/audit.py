"""The audit log: one JSON line a deed, each chained to the one before by SHA-256.

A line is ``{"n", "time", "actor", "request_id", "operation", "named", "result", "generation", "base", "prev", "hash"}``: ``base`` is the
generation of the document that the deed went from, ``prev`` the hash of the line before, ``hash`` the digest of the line's own bytes before
it. The document holds how many lines there are and the last hash, so that a line that was removed, changed or cut off shows. Who owns
the store can write both anew: the chain convinces against everybody else.
"""

from __future__ import annotations

import json
import os
import stat

from secure_mcp_gateway.errors import Unavailable, masked
from secure_mcp_gateway.store.document import AuditHead
from secure_mcp_gateway.store.file import own, sync, sync_folder, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    Line = dict[str, Any]

ROTATE_AT = 64 * 1024 * 1024
GENESIS = "0" * 64
REPAIR = "audit repair"
_HASH_FIELD = b', "hash": "'
_TAIL = len(_HASH_FIELD) + 64 + len(b'"}\n')
_LONGEST_NAME = 200
LONGEST = 16 * 1024 * 1024  # far beyond any line of ours
MOST_GENERATIONS = 2**62  # a document takes no number of 64 bits: none that a line claims may make the store unreadable
_FIELDS: dict[str, tuple[type, ...]] = {
    "n": (int,),
    "time": (str,),
    "actor": (dict,),
    "request_id": (str,),
    "operation": (str,),
    "named": (dict,),
    "result": (str,),
    "generation": (int, type(None)),
    "base": (int,),
    "prev": (str,),
}
_WITHOUT_BASE = _FIELDS.keys() - {"base"}  # as the first releases wrote them
_encode = json.JSONEncoder(ensure_ascii=False).encode


class AuditEntry:
    """Who does what to what; the store adds the result and the generation when it knows them."""

    __slots__ = ("key_id", "kind", "name", "named", "operation", "request_id", "time")

    def __init__(self, time: str, kind: str, key_id: str, name: str, request_id: str, operation: str, named: dict[str, str]) -> None:
        self.time = time
        self.kind = kind
        self.key_id = key_id
        self.name = name
        self.request_id = request_id
        self.operation = operation
        self.named = named

    @property
    def actor(self) -> str:
        return self.key_id or self.name

    def line(self, result: str, generation: int | None, resolved: dict[str, str], is_secret: Callable[[str], bool]) -> Line:
        """``is_secret`` tells whether a text is a key of the store: one that came from elsewhere has no form to know it by."""
        given = {**self.named, **resolved}
        named = {key: "***" if is_secret(value.strip()) else _safe_name(value) for key, value in given.items()}
        return {
            "time": self.time,
            "actor": {"kind": self.kind, "id": self.key_id, "name": self.name.encode("utf-8", "replace").decode()},
            "request_id": self.request_id,
            "operation": self.operation,
            "named": named,
            "result": result,
            "generation": generation,
        }


def _safe_name(value: str) -> str:
    """No secret gets here as a name, unless a caller typed one in a name's place; nor does a name that is no text get here."""
    if value.startswith(("smg_", "smga_")):
        return "***"
    value = masked(value).encode("utf-8", "replace").decode()
    return value if len(value) <= _LONGEST_NAME else value[:_LONGEST_NAME] + "..."


def open_regular(path: str, flags: int) -> int:
    """A FIFO in the log's place must not be waited for."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{os.path.basename(path)} is not a regular file")
    return descriptor


def _refuse_linked(descriptor: int, owner: tuple[int, int] | None) -> None:
    """Root writes to no file of others that the store's owner has linked to the log's name."""
    found = os.fstat(descriptor)
    if owner is not None and found.st_nlink > 1 and found.st_uid != owner[0]:
        raise OSError("it is a hard link to a file of somebody else")


def seal(body: bytes) -> tuple[bytes, str]:
    """The line with its hash, and the hash, of an encoded line that has none yet."""
    from hashlib import sha256

    digest = sha256(body).hexdigest()
    return body[:-1] + _HASH_FIELD + digest.encode() + b'"}\n', digest


def opened(line: bytes) -> Line | None:
    """The line's content, or None where its bytes do not agree with its own hash."""
    if line[-_TAIL : -_TAIL + len(_HASH_FIELD)] != _HASH_FIELD or not line.endswith(b'"}\n'):
        return None
    body = line[:-_TAIL] + b"}"
    if seal(body)[0] != line:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return {**content, "hash": line[-67:-3].decode()} if _is_line(content) else None


def _is_line(content: Any) -> bool:
    if not isinstance(content, dict) or content.keys() not in (_FIELDS.keys(), _WITHOUT_BASE):
        return False
    if not all(type(value) in _FIELDS[field] for field, value in content.items()):
        return False
    actor, named = content["actor"], content["named"]
    return actor.keys() == {"kind", "id", "name"} and {type(text) for each in (actor, named) for text in each.values()} == {str}


def is_torn(rest: bytes, number: int) -> bool:
    """May a crash have left this of the line ``number``: less than the whole of it, at most with zeros for what had not reached the disk?

    A line whose end is another byte than the one written is whole, and so is not torn.
    """
    written = rest.rstrip(b"\0")
    begin = b'{"n": %d, "time": "' % number
    if not (written.startswith(begin) or begin.startswith(written)):
        return False
    body, begun, _ = written.partition(_HASH_FIELD)
    if not begun:
        return True
    whole = seal(body + b"}")[0]
    return whole.startswith(written) and (written != whole[:-1] or written == rest)


def bounded_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(length, line) of each. Of one that is longer than any of ours can be, as a crash can leave any number of zeros, only its begin
    and its line end are kept."""
    while line := file.readline(LONGEST):
        length, part = len(line), line
        while len(part) == LONGEST and not part.endswith(b"\n"):
            part = file.readline(LONGEST)
            length += len(part)
        yield length, line + b"\n" if length > len(line) and part.endswith(b"\n") else line


class AuditLog:
    """One store's log; every method that writes is called under the store's lock only."""

    def __init__(self, path: str, rotate_at: int = ROTATE_AT) -> None:
        self.path = path
        self._rotate_at = rotate_at
        self._descriptor = -1
        self._tail: AuditHead | None = None
        self._known: AuditHead | None = None  # the document's head that goes with the tail
        self._last_generation = 0  # that the lines prove

    def goes_on_from(self, head: AuditHead, generation: int) -> int:
        """The generation that the next write is counted from: the document's, or, where an older copy of the document was put in its
        place or its number was set back, the last one that was ever acknowledged."""
        from secure_mcp_gateway.store.audit_check import last_generation

        try:
            if not self._is_warm(head):
                self._last_generation = last_generation(self, head, generation)
        except OSError:
            pass  # what is wrong with the log is said by who writes to it
        return max(generation, self._last_generation)

    def append(self, head: AuditHead, generation: int, lines: list[Line], owner: tuple[int, int] | None, durable: bool) -> AuditHead:
        """Write the lines behind what stands there and give the new head; ``Unavailable`` leaves the log as it was."""
        try:
            return self._append(head, generation, lines, owner, durable)
        except OSError as error:
            self.forget()
            raise Unavailable(f"the audit log cannot be written, so nothing is changed: {self._reason(error)}", private=self.path) from None

    def forget(self) -> None:
        """Look at the file anew next time: the last lines may not have become part of the document."""
        descriptor, self._descriptor, self._tail, self._known = self._descriptor, -1, None, None
        if descriptor >= 0:
            os.close(descriptor)

    def adopted(self) -> tuple[AuditHead, int]:
        """The head of what an earlier store left here, for a new store to go on from, and the last generation it names."""
        count, last, generation, size = 0, GENESIS, 0, 0
        for path in self.files():
            position, size = 0, 0
            with open(path, "rb", opener=open_regular) as file:
                for line in file:
                    position += len(line)
                    content = opened(line)
                    if content is not None:
                        count, last, size = content["n"], content["hash"], position
                        generation = max(generation, min(content["generation"] or 0, MOST_GENERATIONS))
        return AuditHead(count, last, size if os.path.exists(self.path) else 0, os.path.basename(self.path)), generation

    def unreadable(self, error: OSError) -> Unavailable:
        return Unavailable(f"the audit log cannot be read: {self._reason(error)}", private=self.path)

    def _reason(self, error: OSError) -> str:
        """What stands in the log's place says more than what the system says of it (too many levels, an illegal seek)."""
        from secure_mcp_gateway.store.facts import kind_of

        kind = kind_of(self.path)
        if kind:
            return f"it is {kind}"
        return os.strerror(error.errno) if error.errno else str(error)

    def files(self) -> list[str]:
        """The rotated files, oldest first, then the current one."""
        folder, name = os.path.split(self.path)
        stem = name[: -len(".jsonl")] + "-"
        try:
            found = [each for each in os.listdir(folder) if each.startswith(stem) and each.endswith(".jsonl")]
        except FileNotFoundError:
            found = []
        numbered = sorted((int(number), each) for each in found if (number := each[len(stem) : -len(".jsonl")]).isdecimal())
        archives = [each for _, each in numbered]
        return [os.path.join(folder, each) for each in archives] + ([self.path] if os.path.exists(self.path) else [])

    def lines(self) -> Iterator[bytes]:
        """Every line as it stands there, the oldest first; the last one may be torn."""
        for path in self.files():
            with open(path, "rb", opener=open_regular) as file:
                yield from (line for _, line in bounded_lines(file))

    def _append(self, head: AuditHead, generation: int, lines: list[Line], owner: tuple[int, int] | None, durable: bool) -> AuditHead:
        tail, repairs = self._present_tail(head, generation, owner)
        if tail.size >= self._rotate_at:
            tail = self._rotated(tail, owner)
        data, count, last = b"", tail.lines, tail.head
        for line in repairs + lines:
            count += 1
            sealed, digest = seal(_encode({"n": count, **line, "base": generation, "prev": last}).encode())
            data, last = data + sealed, digest
        self._write(data, tail.size, durable)
        self._tail = AuditHead(count, last, tail.size + len(data), tail.file)
        self._known = self._tail if durable else head
        if durable:
            self._last_generation = max([generation, *(line["generation"] or 0 for line in lines)])
        return self._tail

    def _write(self, data: bytes, size: int, durable: bool) -> None:
        try:
            write_all(self._descriptor, [data])
            if durable:
                sync(self._descriptor)
        except OSError:
            # What was written is acknowledged to nobody: take it away, so that the next try starts clean.
            try:
                os.ftruncate(self._descriptor, size)
            except OSError:
                pass
            raise

    def _present_tail(self, head: AuditHead, generation: int, owner: tuple[int, int] | None) -> tuple[AuditHead, list[Line]]:
        """Where the log ends now, with the lines that say what had to be repaired to find that out."""
        if self._tail is not None and self._is_warm(head):
            return self._tail, []
        self.forget()
        flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._descriptor = os.open(self.path, flags)
            _refuse_linked(self._descriptor, owner)
        except FileNotFoundError:
            self._descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            own(self._descriptor, owner)
            sync_folder(os.path.dirname(self.path))
        from secure_mcp_gateway.store.audit_check import recovered

        return recovered(self, self._descriptor, head, generation)

    def _is_warm(self, head: AuditHead) -> bool:
        """Nobody else wrote since we did, neither here nor to the document."""
        if self._descriptor < 0 or self._tail is None or self._known is None:
            return False
        return (self._known.lines, self._known.head) == (head.lines, head.head) and self._is_current(self._tail.size)

    def _is_current(self, size: int) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        mine = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino, there.st_size) == (mine.st_dev, mine.st_ino, size)

    def _rotated(self, tail: AuditHead, owner: tuple[int, int] | None) -> AuditHead:
        archives = [each for each in self.files() if each != self.path]
        stem = self.path[: -len(".jsonl")]
        last = int(archives[-1][len(stem) + 1 : -len(".jsonl")]) if archives else 0
        os.rename(self.path, f"{stem}-{last + 1:06d}.jsonl")
        self.forget()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(self.path, flags, 0o600)
        own(self._descriptor, owner)
        sync_folder(os.path.dirname(self.path))
        return AuditHead(tail.lines, tail.head, 0, tail.file)

