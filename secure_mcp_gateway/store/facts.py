"""What the file system says about the store: permissions, owner, links, room."""

from __future__ import annotations

import os
import stat

from secure_mcp_gateway.store.file import StoreFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST_FREE = 16 * 1024 * 1024
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


class Fact:
    """Something that is not as it should be: an issue, or only doubtful. ``mode`` is the one to give what lies at ``path``; 0 where that
    is not the way out."""

    __slots__ = ("is_issue", "mode", "path", "text")

    def __init__(self, is_issue: bool, text: str, path: str, mode: int = 0) -> None:
        self.is_issue = is_issue
        self.text = text
        self.path = path
        self.mode = mode


def facts(file: StoreFile, log: str, lock: str) -> tuple[list[str], list[str]]:
    """(issues, warnings). Paths stay out of them: they are answered over the network too."""
    if os.name == "nt":
        return [], []
    found = [*file_facts("the store", file.path), *file_facts("the audit log", log), *folder_facts("the store's folder", file.folder)]
    found += [*kind_facts("the audit log", log), *kind_facts("the lock", lock)]
    issues = [_said(fact) for fact in found if fact.is_issue]
    warnings = [_said(fact) for fact in found if not fact.is_issue]
    if free_space(file.folder) < LEAST_FREE + 2 * os.stat(file.path).st_size:
        warnings.append("the disk is almost full: a write needs room for a second copy of the store")
    return issues, warnings


def kind_of(path: str) -> str:
    """What stands there where a file should, in words; empty where that is a file, nothing, or not to be seen."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    return "" if stat.S_ISREG(mode) else next((words for is_it, words in _KINDS if is_it(mode)), "a device")


def kind_facts(name: str, path: str) -> Iterator[Fact]:
    kind = kind_of(path)
    if kind:
        yield Fact(True, f"{name} is {kind} where a file of its own must be: nothing can be written", path)


def file_facts(name: str, path: str) -> Iterator[Fact]:
    """None of a file that is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        yield Fact(True, f"{name} has mode {mode:04o}: others can read it", path, 0o600)
    if found.st_nlink > 1:
        yield Fact(True, f"{name} has {found.st_nlink} hard links: the other names keep old content", path)


def folder_facts(name: str, path: str) -> Iterator[Fact]:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield Fact(True, f"{name} has mode {mode:04o}: others can replace the store", path, 0o700)
    elif mode & 0o077:
        yield Fact(False, f"{name} has mode {mode:04o}: others can see into it", path, 0o700)


def free_space(folder: str) -> int:
    """In bytes, for who is not root."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _said(fact: Fact) -> str:
    return f"{fact.text}; chmod it to {fact.mode:04o}" if fact.mode else fact.text
