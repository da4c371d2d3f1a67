"""The product with one promise about many writers at once broken on purpose, in this process and for good."""

from __future__ import annotations

import os
import threading
import time
from random import Random
from types import SimpleNamespace
from typing import Any

from secure_mcp_gateway.store import commit
from secure_mcp_gateway.store.document import Document, Draft
from secure_mcp_gateway.store.file import StoreFile
from secure_mcp_gateway.store.lock import FileLock
from secure_mcp_gateway.store.store import FRESH_SECONDS, Store


def no_lock() -> None:
    """Everybody gets the lock, and nobody looks whether the store was moved meanwhile."""

    def acquire(self: FileLock, seconds: float) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)

    FileLock.acquire = acquire  # type: ignore[method-assign]
    StoreFile._require_unmoved = lambda self, expected: None  # type: ignore[method-assign]


def no_refresh() -> None:
    """A change is applied to the tables as this process saw them last: what others wrote since is lost. The rest is right."""
    group = threading.local()
    refreshed, write_group = Store._refreshed, Store._write_group

    def stale(self: Store) -> Any:
        before = self._loaded
        fresh = refreshed(self)
        if not getattr(group, "writing", False) or before is None:
            return fresh
        old, new = before.document, fresh.document
        document = Document(old._tables, old.settings, new.generation, new.audit)
        return SimpleNamespace(document=document, identity=fresh.identity, older=None)

    def writing(self: Store, tickets: list[commit.Ticket]) -> None:
        group.writing = True
        try:
            write_group(self, tickets)
        finally:
            group.writing = False

    Store._refreshed, Store._write_group = stale, writing  # type: ignore[method-assign]


def early_if_match() -> None:
    """If-Match is compared with the generation that was known before the lock was taken."""
    whole = Store.commit

    def early(self: Store, change: Any, entry: Any, if_match: str | None = None, **options: Any) -> Any:
        seen = self.snapshot().generation

        def checked(draft: Draft) -> Any:
            result = change(draft)
            if if_match is not None:
                commit.require_version(if_match, seen)
            return result

        return whole(self, checked, entry, **options)

    Store.commit = early  # type: ignore[method-assign,assignment]


def stale_snapshot() -> None:
    """Who has read the file once never looks at it again until it writes."""
    fresh = Store.snapshot

    def stale(self: Store) -> Document:
        return self._loaded.document if self._loaded is not None else fresh(self)

    Store.snapshot = stale  # type: ignore[method-assign]


def checked_by_another() -> None:
    """What a thread holds counts as fresh once another thread has looked at the file. The moment in between is stretched."""
    fresh = Store.snapshot

    def late(self: Store) -> Document:
        loaded = self._loaded
        time.sleep(0.003)
        if loaded is None or time.monotonic() - self._checked >= FRESH_SECONDS:
            return fresh(self)
        return loaded.document

    Store.snapshot = late  # type: ignore[method-assign]


def generation_given_twice() -> None:
    """All writes of a group get the generation that is the next one for the first of them."""
    first = threading.local()
    write_group, sealed = Store._write_group, Draft.sealed

    def writing(self: Store, tickets: list[commit.Ticket]) -> None:
        first.generation = self._refreshed().document.generation + 1
        write_group(self, tickets)

    def not_counted(self: Draft, generation: int) -> Document:
        return sealed(self, min(generation, first.generation))

    Store._write_group, Draft.sealed = writing, not_counted  # type: ignore[method-assign]


def refused_change_kept() -> None:
    """A draft is no copy: what a change did before it was refused is in the document of whoever comes next."""
    begun = Draft.__init__

    def shared(self: Draft, base: Document) -> None:
        begun(self, base)
        self._tables, self._indexes = base._tables, base._indexes

    Draft.__init__ = shared  # type: ignore[method-assign]


def write_dropped() -> None:
    """Now and then the generation and the line of a write are made, and its change is not."""
    dice, sealed = Random(os.getpid()), Draft.sealed

    def dropping(self: Draft, generation: int) -> Document:
        return sealed(Draft(self._base) if dice.random() < 0.06 else self, generation)

    Draft.sealed = dropping  # type: ignore[method-assign]


def ack_before_write() -> None:
    """Now and then a whole group is acknowledged and neither its lines nor its document are written."""
    dice, persist = Random(os.getpid()), Store._persist

    def forgetting(self: Store, *arguments: Any, **options: Any) -> None:
        if dice.random() >= 0.06:
            persist(self, *arguments, **options)

    Store._persist = forgetting  # type: ignore[method-assign]
