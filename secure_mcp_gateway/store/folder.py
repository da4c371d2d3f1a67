"""A folder held open: what is done in it is done there, whatever its path leads to meanwhile."""

from __future__ import annotations

import os

MODE = 0o600
# A new file, never one that is there, be it a link.
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_HAS_DIR_FD = os.open in os.supports_dir_fd


class HeldFolder:
    """``at`` and ``descriptor`` go into the system calls; without ``dir_fd`` (Windows) they work by path. ``follow`` a link to it?"""

    __slots__ = ("descriptor", "path")

    def __init__(self, path: str, follow: bool = True) -> None:
        self.path = path
        flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
        flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
        self.descriptor = os.open(path, flags) if _HAS_DIR_FD else None

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def at(self, name: str) -> str:
        return name if self.descriptor is not None else os.path.join(self.path, name)

    def open(self, name: str, flags: int) -> int:
        return os.open(self.at(name), flags, MODE, dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Nothing where there is none."""
        try:
            os.unlink(self.at(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            pass

    def replace(self, old: str, new: str) -> None:
        os.replace(self.at(old), self.at(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
