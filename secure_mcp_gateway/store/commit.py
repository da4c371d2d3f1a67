"""The commit queue: one leader takes the lock, applies the changes of all who wait, and writes the document once for them."""

from __future__ import annotations

import threading
import time

from secure_mcp_gateway.errors import GatewayError, OutcomeUnknown, PreconditionFailed, StoreBusy
from secure_mcp_gateway.store.document import Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.store.audit import AuditEntry
    from secure_mcp_gateway.store.document import Document

_WRITE_SECONDS = 60.0
_YIELD_SECONDS = 0.0005
_LONGEST_GATHERING = 0.1


class Ticket:
    """One change that waits for its turn. ``counts`` is False for what leaves the document as it is (a backup, an export);
    ``change`` is None for a line of the audit alone, whose ``refusal`` is the code of the error. ``deliver`` takes what the change
    gave once nothing else can refuse it. ``seconds`` is how long it may wait for its turn."""

    __slots__ = (
        "backup",
        "change",
        "counts",
        "deadline",
        "deliver",
        "done",
        "entry",
        "error",
        "if_match",
        "names",
        "refusal",
        "result",
        "woken",
    )

    def __init__(
        self,
        change: Callable[[Draft], Any] | None,
        entry: AuditEntry,
        seconds: float,
        *,
        if_match: str | None = None,
        backup: bool = False,
        counts: bool = True,
        deliver: Callable[[Any], Any] | None = None,
        refusal: str = "",
    ) -> None:
        self.change = change
        self.entry = entry
        self.if_match = if_match
        self.backup = backup
        self.counts = counts
        self.deliver = deliver
        self.refusal = refusal
        self.deadline = time.monotonic() + seconds
        self.woken = threading.Event()
        self.done = False
        self.names: dict[str, str] = {}
        self.result: Any = None
        self.error: BaseException | None = None

    def apply(self, document: Document, safety_backup: str | None) -> Draft:
        """The draft that the change makes; whatever it raises leaves the document as it was. If-Match comes last, after
        what the rule itself refuses (not found, conflict)."""
        draft = Draft(document)
        draft.safety_backup = safety_backup
        # What the rule resolves before it refuses is what the refusal was about.
        self.names = draft.names
        assert self.change is not None
        result = self.change(draft)
        if self.if_match is not None:
            require_version(self.if_match, document.generation)
        self.result = self.deliver(result) if self.deliver else result
        return draft

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Queue:
    """``acquire`` takes the lock within so many seconds and ``release`` lets it go; ``write_group``, called in between, applies
    and writes a group of tickets, and settles each of them with a result or an error."""

    def __init__(
        self, acquire: Callable[[float], int], write_group: Callable[[list[Ticket]], None], release: Callable[[int], None]
    ) -> None:
        self._acquire = acquire
        self._write_group = write_group
        self._release = release
        self._mutex = threading.Lock()
        self._complete = threading.Condition(self._mutex)
        self._waiting: list[Ticket] = []
        self._leading = False
        self._expected = 1
        self._gathers_until = 0.0

    def submit(self, ticket: Ticket) -> Any:
        with self._mutex:
            self._waiting.append(ticket)
            leads = not self._leading
            self._leading = True
            if len(self._waiting) == self._expected:
                self._complete.notify()
        if not leads:
            self._wait(ticket)
        if not ticket.done:
            self._lead(ticket)
        return ticket.outcome()

    def _wait(self, ticket: Ticket) -> None:
        """Until the ticket is settled, or its owner is the next leader."""
        try:
            if ticket.woken.wait(ticket.seconds_left()):
                return
            if self._withdrawn(ticket):
                raise StoreBusy("the store is busy past its limit", "try again")
            if ticket.woken.wait(_WRITE_SECONDS):
                return
            raise OutcomeUnknown("the disk takes too long: whether the change was made is not known", "read before you repeat the change")
        except BaseException:
            self._abandon(ticket)
            raise

    def _withdrawn(self, ticket: Ticket) -> bool:
        with self._mutex:
            if ticket not in self._waiting or ticket.woken.is_set():
                return False
            self._waiting.remove(ticket)
            return True

    def _abandon(self, ticket: Ticket) -> None:
        """Whoever stops waiting must not take the leadership with it."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                if ticket.woken.is_set():
                    self._pass_on()

    def _lead(self, ticket: Ticket) -> None:
        try:
            self._gather()
            lock = self._acquire(ticket.seconds_left())
        except BaseException:
            # Who came later has time left: the next one tries, and nobody else fails for this one's lack of it.
            with self._mutex:
                self._waiting.remove(ticket)
                self._pass_on()
            raise
        with self._mutex:
            group, self._waiting = self._waiting, []
        start = time.monotonic()
        try:
            try:
                self._write_group(group)
            finally:
                self._release(lock)
        except BaseException as error:
            for each in group:
                if not each.done and each.error is None:
                    each.error = error
        finally:
            self._settle(group, time.monotonic() - start)

    def _gather(self) -> None:
        """Beside others: leave the lock free for a moment, for a command line to get its turn, and wait for those who came last time.

        Who was answered just now tends to come again. Without this they would come while the next group is written, and half of all
        would always wait for the other half.
        """
        if self._expected > 1 and time.monotonic() < self._gathers_until:
            time.sleep(_YIELD_SECONDS)
            with self._mutex:
                self._complete.wait_for(lambda: len(self._waiting) >= self._expected, max(0.0, self._gathers_until - time.monotonic()))

    def _settle(self, group: list[Ticket], seconds: float) -> None:
        """``seconds`` is what the group took to write: half of that is worth waiting for who comes again."""
        for ticket in group:
            ticket.done = True
        with self._mutex:
            self._expected = len(group) + len(self._waiting)
            self._gathers_until = time.monotonic() + min(seconds / 2, _LONGEST_GATHERING)
            self._pass_on()
        for ticket in group:
            ticket.woken.set()

    def _pass_on(self) -> None:
        """Wake the next leader; it comes to the lock only after a thread switch, which leaves it free for another process."""
        if self._waiting:
            self._waiting[0].woken.set()
        else:
            self._leading = False


def require_version(if_match: str, generation: int) -> None:
    if not matches(if_match, generation):
        message = f"the store has generation {generation} by now, If-Match names another"
        raise PreconditionFailed(message, "read again, then repeat the change")


def matches(if_match: str, generation: int) -> bool:
    """RFC 9110 §13.1.1: ``*``, or a list of entity tags compared strongly, one of which is this generation."""
    if if_match.strip() == "*":
        return True
    return f'"{generation}"' in [tag.strip() for tag in if_match.split(",")]


def refusal_code(error: BaseException) -> str:
    return error.code if isinstance(error, GatewayError) else "internal_error"
