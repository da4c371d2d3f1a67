"""The store: one durable document that many read without a lock and that one at a time changes."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock

from secure_mcp_gateway.errors import GatewayError, OutcomeUnknown, Unavailable
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.audit import AuditEntry, AuditLog
from secure_mcp_gateway.store.document import Document, Draft
from secure_mcp_gateway.store.file import OpenFile, StoreFile, identity
from secure_mcp_gateway.store.folder import MODE
from secure_mcp_gateway.store.lock import FileLock
from secure_mcp_gateway.store.refusals import Refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from secure_mcp_gateway.store.audit import Line
    from secure_mcp_gateway.store.audit_list import FoundLines
    from secure_mcp_gateway.store.commit import Queue, Ticket
    from secure_mcp_gateway.store.file import Identity
    from secure_mcp_gateway.store.siblings import Siblings

    T = TypeVar("T")

FRESH_SECONDS = 0.010
_REFUSAL_SECONDS = 0.5
_LOOKS = 3


class Loaded:
    """A document with the file that it was read from or written to."""

    __slots__ = ("document", "identity", "older")

    def __init__(self, document: Document, descriptor: int, identity: Identity, older: bytes | None = None) -> None:
        document.file = OpenFile(descriptor)
        self.document = document
        self.identity = identity
        self.older = older


class Store:
    """``path`` may not exist yet: reading then raises ``StoreMissing``. Safe for any number of threads and processes. ``siblings`` are
    other processes that serve as one with this one: what one of them wrote is one's own, and shows at once."""

    def __init__(self, path: str, *, allow_network: bool = False, lock_seconds: float = 10.0) -> None:
        self.file = StoreFile(os.path.abspath(path))
        if not allow_network:
            from secure_mcp_gateway.store.network import refuse_network

            refuse_network(self.file.folder)
        self._lock = FileLock(self.file.path + ".lock", self._adopt)
        self._lock_seconds = lock_seconds
        self._loaded: Loaded | None = None
        self._reloading, self._swapping = allocate_lock(), allocate_lock()
        self._checked = 0.0
        self.siblings: Siblings | None = None
        self._seen = 0
        self._queue: Queue | None = None
        self._logs: dict[str, AuditLog] = {}
        self._refusals = Refusals()

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def folder(self) -> str:
        return self.file.folder

    @property
    def lock_path(self) -> str:
        return self._lock.path

    @property
    def is_older(self) -> bool:
        """Is what was read last of an older format, which the next write migrates?"""
        return self._loaded is not None and self._loaded.older is not None

    def exists(self) -> bool:
        return os.path.exists(self.file.path)

    def snapshot(self) -> Document:
        """The newest document, at most 10 ms old; one's own writes show at once."""
        # In this order: another thread may check and load anew in between, and its check says nothing of what was loaded before.
        checked, seen = self._checked, self._seen
        loaded = self._loaded
        now = time.monotonic()
        rewrites = self.siblings.rewrites() if self.siblings is not None else 0
        if loaded is None or now - checked >= FRESH_SECONDS or rewrites != seen:
            loaded = self._refreshed()
            self._checked, self._seen = now, rewrites
        return loaded.document

    def commit(
        self,
        change: Callable[[Draft], T],
        entry: AuditEntry,
        if_match: str | None = None,
        backup: bool = False,
        counts: bool = True,
        deliver: Callable[[T], Any] | None = None,
    ) -> Any:
        """Apply ``change`` to the newest document and return what it returns, once that is on the disk.

        ``backup`` writes a safety backup of the document before, unless the change finds it needless. ``counts`` is False for a
        deed that changes nothing but must stand in the audit. ``deliver`` takes what ``change`` returned and gives the result: for
        what reaches beyond the document (a file), and so must not happen where the change is refused. Raises what either raises,
        ``PreconditionFailed``, ``StoreBusy`` or another ``Unavailable``.
        """
        from secure_mcp_gateway.store.commit import Ticket

        ticket = Ticket(change, entry, self._lock_seconds, if_match=if_match, backup=backup, counts=counts, deliver=deliver)
        return self._submitted(ticket)

    def refuse(self, entry: AuditEntry, error: GatewayError) -> None:
        """Note a refused write in the audit: not synced, at most a few a second, and never in the way of the answer."""
        from secure_mcp_gateway.store.commit import Ticket

        if self._refusals.admits(entry.actor):
            try:
                self._submitted(Ticket(None, entry, _REFUSAL_SECONDS, refusal=error.code))
            except Unavailable:
                pass

    def create(self, content: Callable[[Draft], T], entry: AuditEntry, overwrite: bool = False) -> T:
        """Make the store; ``Conflict`` where there is one, unless ``overwrite``: then a safety backup is made first."""
        from secure_mcp_gateway.store.create import create

        return create(self, content, entry, overwrite)

    def audit_lines(self, since: str | None = None, actor: str | None = None, operation: str | None = None) -> FoundLines:
        """Newest first, each with ``committed``."""
        from secure_mcp_gateway.store.audit_list import FoundLines

        given = {"since": since, "actor": actor, "operation": operation}
        keep = {key: value for key, value in given.items() if value is not None}
        before = self.snapshot()
        log = self.log(before)
        try:
            found = FoundLines(log, keep, before.audit.lines)
        except OSError as error:
            raise log.unreadable(error) from None
        return found.judge(self._refreshed().document.audit)

    def verify_audit(self) -> Line:
        """First without the lock; what then looks broken may have been a write under way, and is looked at again with it."""
        from secure_mcp_gateway.store.audit_check import verified

        document = self.snapshot()
        try:
            found = verified(self.log(document), document.audit, document.generation)
        except OSError as error:
            raise self.log(document).unreadable(error) from None
        return found if found["valid"] and not found["problem"] else self._verified_under_lock()

    def _verified_under_lock(self) -> Line:
        from secure_mcp_gateway.store.audit_check import verified

        lock = self._acquired(self._lock_seconds)
        try:
            document = self._refreshed().document
            log = self.log(document)
            return verified(log, document.audit, document.generation)
        except OSError as error:
            raise log.unreadable(error) from None
        finally:
            self._lock.release(lock)

    def facts(self) -> tuple[list[str], list[str]]:
        """What is wrong (first) or doubtful (second) about the store's file and folder."""
        from secure_mcp_gateway.store.facts import facts

        try:
            issues, warnings = facts(self.file, self.log(self.snapshot()).path, self.lock_path)
        except OSError as error:
            raise self.file.failure(error, "read") from None
        doubt = self.audit_doubt()
        return issues, [*warnings, f"the audit log: {doubt}; see `system audit --verify`"] if doubt else warnings

    def audit_doubt(self) -> str:
        """What is wrong with the audit log as far as its ends tell, else empty; cheap, where ``verify_audit`` walks all of it.

        A write under way can make it look so for a moment: only what is seen while the document stays the same is said.
        """
        from secure_mcp_gateway.store.audit_check import first_doubt

        for _ in range(_LOOKS):
            document = self._refreshed().document
            try:
                doubt = first_doubt(self.log(document), document.audit, document.generation)
            except OSError as error:
                doubt = self.log(document).unreadable(error).message
            if not doubt or self._refreshed().document is document:
                return doubt
        return ""

    def own_folder(self, name: str) -> str:
        """The path of a folder beside the store, made where it is missing, for its owner alone."""
        try:
            folder = self.file.own_folder(name)
            folder.close()
        except (FileExistsError, NotADirectoryError):
            raise Unavailable(f"{name} beside the store is in the way: it is no folder", "move it away", private=self.folder) from None
        except OSError as error:
            raise self.file.failure(error, "written") from None
        return folder.path

    def log(self, document: Document) -> AuditLog:
        name = document.audit.file
        if name not in self._logs:
            self._logs[name] = AuditLog(os.path.join(self.folder, name))
        return self._logs[name]

    def _submitted(self, ticket: Ticket) -> Any:
        if self._queue is None:
            from secure_mcp_gateway.store.commit import Queue

            self._queue = Queue(self._acquired, self._write_group, self._lock.release)
        return self._queue.submit(ticket)

    def _refreshed(self) -> Loaded:
        loaded = self._current()
        if loaded is not None:
            return loaded
        with self._reloading:
            return self._current() or self._reloaded()

    def _current(self) -> Loaded | None:
        """What is loaded, where the file did not move since."""
        loaded = self._loaded
        return loaded if loaded is not None and identity(self.file.stat()) == loaded.identity else None

    def _reloaded(self) -> Loaded:
        before = self._loaded
        descriptor = self.file.open()
        try:
            data, found = self.file.read(descriptor)
            document, older = self._decoded(data, found, before)
        except BaseException:
            os.close(descriptor)
            raise
        fresh = Loaded(document, descriptor, found, older)
        with self._swapping:
            # A commit of our own may have come in between: what it wrote is newer than what was read here.
            if self._loaded is before:
                self._loaded = fresh
            return self._loaded or fresh

    def _decoded(self, data: bytes, found: Identity, before: Loaded | None) -> tuple[Document, bytes | None]:
        try:
            return encoding.decode(data, before.document if before is not None else None), None
        except encoding.Older as older:
            from secure_mcp_gateway.store.clock import time_text
            from secure_mcp_gateway.store.migrate import document_of_older

            return document_of_older(older.content, time_text(found[3])), data
        except Unavailable as error:
            error.private = f"{self.path}: {error.private}" if error.private else self.path
            raise

    def _acquired(self, seconds: float) -> int:
        self.file.require_ours()
        try:
            return self._lock.acquire(seconds)
        except OSError as error:
            from secure_mcp_gateway.store.facts import kind_of

            kind = kind_of(self.lock_path)
            if kind:
                hint = "move it away: secure-mcp-gateway system doctor says how"
                raise Unavailable(f"the lock beside the store is {kind}, not a file", hint, private=self.lock_path) from None
            raise self.file.failure(error, "written") from None

    def _write_group(self, group: list[Ticket]) -> None:
        from secure_mcp_gateway.store.commit import refusal_code

        loaded = self._refreshed()
        document = loaded.document
        floor = self.log(document).goes_on_from(document.audit, document.generation)
        lines: list[Line] = []
        settled: list[Ticket] = []
        for ticket in group:
            if ticket.change is None:
                lines.append(self._refusal_line(ticket, ticket.refusal, document))
                continue
            try:
                draft = self._changed(ticket, document)
            except Exception as error:
                ticket.error = error
                if self._refusals.admits(ticket.entry.actor):
                    lines.append(self._refusal_line(ticket, refusal_code(error), document))
                continue
            # Also one that is idle: it may stand on what others of the group change, and where that cannot be written it is not true.
            settled.append(ticket)
            if not draft.is_idle:
                document = draft.sealed(max(draft.generation, floor) + ticket.counts)
                lines.append(self._success_line(ticket, draft, document))
        try:
            self._persist(loaded, document, lines, durable=document is not loaded.document)
        except GatewayError as error:
            for ticket in settled:
                ticket.error = error

    def _changed(self, ticket: Ticket, document: Document) -> Draft:
        """What cannot be encoded or backed up fails here, alone, and not with everybody else of the group."""
        from secure_mcp_gateway.store.backups import backup_path, write_backup

        draft = ticket.apply(document, backup_path(self.file, ticket.entry.operation) if ticket.backup else None)
        if not draft.is_idle:
            encoding.encode_changes(draft, document)
            if draft.safety_backup is not None:
                write_backup(self.file, draft.safety_backup, encoding.encode(document))
        return draft

    def _success_line(self, ticket: Ticket, draft: Draft, document: Document) -> Line:
        resolved = {**draft.names, **self._refusals.left_out(ticket.entry.actor)}
        return ticket.entry.line("ok", document.generation if ticket.counts else None, resolved, draft.holds_secret)

    def _refusal_line(self, ticket: Ticket, code: str, document: Document) -> Line:
        resolved = {**ticket.names, **self._refusals.left_out(ticket.entry.actor)}
        return ticket.entry.line(code, None, resolved, document.holds_secret)

    def _persist(self, loaded: Loaded, document: Document, lines: list[Line], durable: bool) -> None:
        """First the audit lines, then the document that knows of them: an acknowledged write has its line for certain."""
        if not lines:
            return
        from secure_mcp_gateway.store.backups import backup_path, write_backup

        if durable and loaded.older is not None:
            write_backup(self.file, backup_path(self.file, "migrate"), [loaded.older])
        if durable:
            self._put_in_place(loaded.document, document, lines, loaded.identity)
        else:
            base = loaded.document
            self.log(base).append(base.audit, base.generation, lines, self.file.owner(), durable=False)

    def _put_in_place(self, base: Document, document: Document, lines: list[Line], expected: Identity | None = None) -> None:
        """Write ``document``, which ``base`` became by what ``lines`` say; under the lock."""
        owner = self.file.owner()
        log = self.log(base)
        document.audit = log.append(base.audit, base.generation, lines, owner, durable=True)
        try:
            try:
                descriptor, found = self.file.replace(encoding.encode(document), owner, expected)
            finally:
                if self.siblings is not None:
                    self.siblings.count_rewrite()
        except BaseException as error:
            # Whichever document is in place now, its audit head tells which of the lines count.
            log.forget()
            if isinstance(error, OutcomeUnknown):
                # The new one is: who reads again, as the error says, must see it at once.
                with self._swapping:
                    self._loaded = None
            raise
        with self._swapping:
            self._loaded = Loaded(document, descriptor, found)

    def _adopt(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if found.st_nlink > 1:
            return  # never made here: who may write to the folder has linked a file of others to this name
        if os.name != "nt" and found.st_mode & 0o777 != MODE and found.st_uid == os.geteuid():
            os.fchmod(descriptor, MODE)  # made under a strange umask: nobody could open it again
        owner = self.file.owner()
        if owner is not None and owner[0] != found.st_uid:
            os.fchown(descriptor, *owner)
