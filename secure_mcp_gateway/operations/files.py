"""Files that a request or a command names: read bounded and strictly, written atomically and never over what is not ours.

A folder is held open while it is judged and used, so that no link which is changed meanwhile leads elsewhere.
"""

from __future__ import annotations

import errno
import json
import os
import stat

from secure_mcp_gateway.errors import Conflict, Forbidden, InvalidRequest, Unavailable
from secure_mcp_gateway.operations.temporary import Temporary
from secure_mcp_gateway.params import DOCUMENT_DEPTH, strict_json
from secure_mcp_gateway.store.file import identity, sync_folder
from secure_mcp_gateway.store.folder import NEW, HeldFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LARGEST = 64 * 1024 * 1024
KIND = "secure-mcp-gateway/"
# A FIFO or a device must neither be waited for nor become the controlling terminal.
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_TRIES = 8


def read_json_file(path: str, field: str, root: str | None = None) -> Any:
    """Strict JSON from a file that ``read_file`` takes."""
    return json_of(read_file(path, field, root), field)


def read_file(path: str, field: str, root: str | None = None) -> bytes:
    """A regular file of at most 64 MiB. ``InvalidRequest`` names the field and quotes nothing of the content;
    ``Forbidden`` where the file, links resolved, lies outside ``root``, which has none in it: one that is put there later opens nothing."""
    try:
        real = os.path.realpath(path)
        _refuse_outside(real, root, field)
        with Folder(os.path.dirname(real)) as folder:
            folder.refuse_outside(root, field)
            return _read_regular(folder, os.path.basename(real) or ".", field)
    except (OSError, ValueError) as error:
        raise _unusable(field, "read", error, path) from None


def json_of(data: bytes, field: str) -> Any:
    try:
        return strict_json(data.decode(), DOCUMENT_DEPTH)
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field} is not UTF-8 text") from None
    except ValueError as error:
        raise InvalidRequest(f"{field} is not JSON: {error}") from None


def write_document(path: str, document: Any, field: str, *, root: str | None = None, overwrite: bool = False, protected: str) -> str:
    """``write_file`` with the document as JSON."""
    data = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    return write_file(path, data, field, root=root, overwrite=overwrite, protected=protected)


def write_file(path: str, data: bytes, field: str, *, root: str | None = None, overwrite: bool = False, protected: str) -> str:
    """Write a file, on the disk when this returns, and give its absolute path.

    ``protected`` is the store's folder, in which only ``files/`` may be written to. ``Conflict`` where a file that is no earlier
    export of ours stands there, unless ``overwrite``; ``Forbidden`` in ``protected`` and outside ``root``, which has no link in it.
    """
    if len(data) > LARGEST:
        raise InvalidRequest(f"{field} would be larger than 64 MiB and could not be read back", "copy the store's own file instead")
    try:
        return _written(path, data, field, root, overwrite, protected)
    except (OSError, ValueError) as error:
        raise _unusable(field, "written", error, path) from None


def _written(path: str, data: bytes, field: str, root: str | None, overwrite: bool, protected: str) -> str:
    parent, name = os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path)
    if name in ("", ".", ".."):
        raise InvalidRequest(f"{field} names a folder", "name a file in it", private=path)
    _refuse_outside(os.path.join(parent, name), root, field)
    with Folder(parent) as folder:
        folder.refuse_outside(root, field)
        folder.refuse_protected(protected, field)
        _replaceable(folder, name, field, overwrite)
        with Temporary(folder, data) as temporary:
            _put_in_place(folder, temporary.name, name, field, overwrite)
    sync_folder(parent)
    return os.path.join(parent, name)


class Folder(HeldFolder):
    """The folder of a named file, judged and used while it is held open."""

    __slots__ = ()

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stat(self, name: str) -> os.stat_result | None:
        """Of the name itself, not of what a link leads to."""
        try:
            return os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def link(self, old: str, new: str) -> None:
        """Give the file its second name; ``FileExistsError`` where that is taken."""
        try:
            os.link(self.at(old), self.at(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links (a FAT stick): hold the name with an empty file, then replace that.
            os.close(self.open(new, NEW))
            self.replace(old, new)

    def refuse_outside(self, root: str | None, field: str) -> None:
        if root is not None and _real_folder(root) not in set(self._ancestry()):
            raise _outside(field)

    def refuse_protected(self, protected: str, field: str) -> None:
        files = _real_folder(os.path.join(protected, "files"))
        store = _place_of(os.stat(protected)) if os.path.isdir(protected) else None
        for place in self._ancestry():
            if place == files:
                return
            if place == store:
                raise Forbidden(f"{field} lies in the store's own folder", "name a file in its files/, or elsewhere", private=self.path)

    def _ancestry(self) -> Iterator[tuple[int, int]]:
        """This folder and each above it. Looked up from the open folder, which needs no more than the right to pass through."""
        way, place, before = ".", _place_of(os.stat(self.at("."), dir_fd=self.descriptor)), None
        while place != before:
            yield place
            way, before = os.path.join(way, ".."), place
            place = _place_of(os.stat(self.at(way), dir_fd=self.descriptor))


def _place_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _real_folder(path: str) -> tuple[int, int] | None:
    """Not what a link leads to: put in the place of ``files`` it must not open the rest of the store's folder, nor of a root more."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return _place_of(found) if stat.S_ISDIR(found.st_mode) else None


def _refuse_outside(real: str, root: str | None, field: str) -> None:
    """By path, before anything outside ``root`` is touched."""
    if root is not None and not real.startswith(os.path.join(root, "")):
        raise _outside(field)


def _outside(field: str) -> Forbidden:
    return Forbidden(f"{field} lies outside the folder that this server reads and writes", "name a file below its --files-root")


def _read_regular(folder: Folder, name: str, field: str) -> bytes:
    descriptor = folder.open(name, _READ)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidRequest(f"{field} is not a regular file")
        return _read_bounded(descriptor, found.st_size, field)
    finally:
        os.close(descriptor)


def _read_bounded(descriptor: int, size: int, field: str) -> bytes:
    parts, left = [], LARGEST + 1
    while size <= LARGEST and left and (part := os.read(descriptor, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if size > LARGEST or not left:
        raise InvalidRequest(f"{field} is larger than 64 MiB")
    return b"".join(parts)


def _put_in_place(folder: Folder, temporary: str, name: str, field: str, overwrite: bool) -> None:
    """A name that is free is taken without replacing; one that is not, only while the file judged is still the one there."""
    for _ in range(_TRIES):
        judged = _replaceable(folder, name, field, overwrite)
        if judged is None:
            try:
                return folder.link(temporary, name)
            except FileExistsError:
                continue
        present = folder.stat(name)
        if present is not None and identity(present) == identity(judged):
            return folder.replace(temporary, name)
    raise Conflict(f"{field} is being changed by somebody else", "try again, or name another file")


def _replaceable(folder: Folder, name: str, field: str, overwrite: bool) -> os.stat_result | None:
    """The file that may be replaced, None where there is nothing; raises for anything else."""
    found = folder.stat(name)
    if found is None:
        return None
    path = os.path.join(folder.path, name)
    if stat.S_ISLNK(found.st_mode):
        raise InvalidRequest(f"{field} is a symbolic link", "name the file itself", private=path)
    if not stat.S_ISREG(found.st_mode):
        raise InvalidRequest(f"{field} is not a regular file", "name another", private=path)
    if not overwrite and not _is_export(folder, name, field):
        raise Conflict(f"{field} exists and is no earlier export of ours", "name another file, or ask to overwrite it", private=path)
    return found


def _is_export(folder: Folder, name: str, field: str) -> bool:
    try:
        content = json_of(_read_regular(folder, name, field), field)
    except (InvalidRequest, OSError):
        return False
    return isinstance(content, dict) and str(content.get("kind")).startswith(KIND) and "version" in content


def _unusable(field: str, deed: str, error: OSError | ValueError, path: str) -> InvalidRequest | Unavailable:
    code = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(code).lower() if code else "it is no valid path"
    if deed == "written" and code == errno.ENOENT:
        return InvalidRequest(f"the folder of {field} does not exist", "make it first", private=path)
    kind = Unavailable if deed == "written" and code in _DISK_FAULTS else InvalidRequest
    return kind(f"{field} cannot be {deed}: {reason}", private=path)
