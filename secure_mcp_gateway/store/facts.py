"""What the file system says about the store: permissions, owner, links, room."""

from __future__ import annotations

import os
import stat

from secure_mcp_gateway.store.file import StoreFile

_LEAST_FREE = 16 * 1024 * 1024


def facts(file: StoreFile, log: str) -> tuple[list[str], list[str]]:
    """(issues, warnings). Paths stay out of them: they are answered over the network too."""
    if os.name == "nt":
        return [], []
    issues: list[str] = []
    warnings: list[str] = []
    for name, path in (("the store", file.path), ("the audit log", log)):
        _judge_file(name, path, issues)
    folder = os.stat(file.folder)
    mode = stat.S_IMODE(folder.st_mode)
    if mode & 0o022 and not mode & stat.S_ISVTX:
        issues.append(f"the store's folder has mode {mode:04o}: others can replace the store; chmod it to 0700")
    elif mode & 0o077:
        warnings.append(f"the store's folder has mode {mode:04o}: others can see into it; chmod it to 0700")
    room = os.statvfs(file.folder)
    if room.f_bavail * room.f_frsize < _LEAST_FREE + 2 * os.stat(file.path).st_size:
        warnings.append("the disk is almost full: a write needs room for a second copy of the store")
    return issues, warnings


def _judge_file(name: str, path: str, issues: list[str]) -> None:
    try:
        found = os.stat(path)
    except OSError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        issues.append(f"{name} has mode {mode:04o}: others can read it; chmod it to 0600")
    if found.st_nlink > 1:
        issues.append(f"{name} has {found.st_nlink} hard links: the other names keep old content")
