"""Variants of the store that take a failing system call lightly, each in one way: it breaks this process for good."""

from __future__ import annotations

import os
from typing import Any

import secure_mcp_gateway.store.file as store_file
from secure_mcp_gateway.errors import Unavailable
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.file import StoreFile


def syncs_again() -> None:
    """What failed once may work the second time: it does, and means nothing."""
    sync = os.fsync

    def twice(descriptor: int) -> None:
        try:
            sync(descriptor)
        except OSError:
            sync(descriptor)

    os.fsync = twice


def swallows_sync() -> None:
    """The document is acknowledged, whether the disk took it or not."""
    sync = store_file.sync

    def quiet(descriptor: int) -> None:
        try:
            sync(descriptor)
        except OSError:
            pass

    store_file.sync = quiet


def promises_old() -> None:
    """A failure behind the rename is told like one before it."""

    def refusal(message: str, hint: str, private: str) -> Unavailable:
        return Unavailable("the store cannot be written, so nothing is changed", private=private)

    store_file.OutcomeUnknown = refusal  # type: ignore[assignment,misc]


def loses_lines() -> None:
    """A write does not fail for its line in the audit."""
    write = AuditLog._write

    def quiet(self: AuditLog, *arguments: Any) -> None:
        try:
            write(self, *arguments)
        except OSError:
            pass

    AuditLog._write = quiet  # type: ignore[method-assign]


def leaves_temporaries() -> None:
    """A temporary file that was not needed stays, and the next one gets another name."""
    written = StoreFile._written_temporary

    def beside(self: StoreFile, *arguments: Any) -> int:
        while os.path.exists(self._temporary):
            self._temporary += ".tmp"
        return written(self, *arguments)

    StoreFile._written_temporary = beside  # type: ignore[method-assign]
    StoreFile._remove_temporary = lambda self: None  # type: ignore[method-assign]


# What each breaks, seen in the calls of these names, and the words of the sentence that must catch it.
VARIANTS = {
    "syncs_again": (("fsync",), "second syncs"),
    "swallows_sync": (("fsync",), "acknowledged although fsync of the temporary file failed"),
    "promises_old": (("fsync",), "the document is new, but it says"),
    "loses_lines": (("write", "writev"), "acknowledged although"),
    "leaves_temporaries": (("rename", "renameat", "renameat2"), "left behind"),
}
