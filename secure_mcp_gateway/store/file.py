"""The store's file: reading it, telling whether it moved, and putting a new document in its place atomically."""

from __future__ import annotations

import errno
import os
import stat

from secure_mcp_gateway.errors import OutcomeUnknown, StoreForbidden, StoreMissing, Unavailable
from secure_mcp_gateway.store.folder import MODE, HeldFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Identity = tuple[int, int, int, int, int]

BACKUPS = "backups"
_CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_BUFFERS_A_CALL = 1024  # IOV_MAX


def identity(found: os.stat_result) -> Identity:
    """Differs whenever the content may: an inode number alone comes back after a few rewrites."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def sync(descriptor: int) -> None:
    """To the disk itself; macOS's own ``fsync`` stops at the drive's cache."""
    try:
        from fcntl import F_FULLFSYNC, fcntl  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        os.fsync(descriptor)
        return
    fcntl(descriptor, F_FULLFSYNC)


def sync_folder(folder: str) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | _CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, pieces: Sequence[bytes]) -> None:
    """Every byte, in as few calls as can be; a short write goes on where it stopped."""
    writev = getattr(os, "writev", None)
    if writev is None:
        pieces = [b"".join(pieces)]
    for at in range(0, len(pieces), _BUFFERS_A_CALL):
        batch = list(pieces[at : at + _BUFFERS_A_CALL])
        size = sum(map(len, batch))
        written = writev(descriptor, batch) if writev else 0
        if written < size:
            rest = memoryview(b"".join(batch))[written:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]


def make_folder(folder: str) -> None:
    """Missing folders with mode 0700; what exists stays as it is."""
    if os.path.isdir(folder):
        return
    make_folder(os.path.dirname(folder))
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if os.path.isdir(folder):
            return
        raise
    # Whatever the umask: it could have locked us out.
    os.chmod(folder, 0o700)
    sync_folder(os.path.dirname(folder))


class OpenFile:
    """As long as it is held, the file's inode number cannot come back as another file's. Letting go of one that was replaced takes
    the system a while, for it frees the file's place on the disk."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        try:
            os.close(self._descriptor)
        except OSError:
            pass


class StoreFile:
    """``path`` is the file itself: a symbolic link to it was resolved, or a rename would replace the link."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self.folder = os.path.dirname(self.path)
        temporary = f".{os.path.basename(self.path)}.tmp"
        self._temporary = os.path.join(self.folder, temporary)
        self.temporary_backup = os.path.join(self.folder, BACKUPS, temporary)

    def temporaries(self) -> tuple[str, str]:
        """Where a writer that was killed leaves what it had begun: of the store, and of a backup."""
        return self._temporary, self.temporary_backup

    def stat(self) -> os.stat_result:
        try:
            return os.stat(self.path)
        except OSError as error:
            raise self.failure(error, "read") from None

    def require_ours(self) -> None:
        """``StoreMissing``, or ``StoreForbidden`` where the store is another user's."""
        found = self.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unavailable("the store is not a regular file", private=self.path)
        if os.name != "nt" and os.geteuid() not in (0, found.st_uid):
            raise StoreForbidden("the store belongs to somebody else", "run this as the store's owner", private=self.path)

    def open(self) -> int:
        """A descriptor for reading; as long as it is open, the file's inode number cannot be given to another file."""
        self.require_ours()
        try:
            return os.open(self.path, os.O_RDONLY | _CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise self.failure(error, "read") from None

    def read(self, descriptor: int) -> tuple[bytes, Identity]:
        """The whole content and the identity that goes with it, also when somebody edits the file in place meanwhile."""
        try:
            while True:
                before = identity(os.fstat(descriptor))
                data = _read_to_end(descriptor, before[2])
                if identity(os.fstat(descriptor)) == before:
                    return data, before
        except OSError as error:
            raise self.failure(error, "read") from None

    def replace(self, pieces: Sequence[bytes], owner: tuple[int, int] | None, expected: Identity | None = None) -> tuple[int, Identity]:
        """Put these bytes in the file's place, on the disk when this returns; gives the new file's open descriptor.

        ``expected`` is what stands there now: a store that was deleted or edited by hand meanwhile is left as it is.
        Only under the lock: the temporary file has one fixed name, so that one left by a killed writer is met here.
        ``OutcomeUnknown`` where the last step, the folder's sync, failed.
        """
        try:
            descriptor = self._written_temporary(pieces, owner)
        except OSError as error:
            self._remove_temporary()
            raise self.failure(error, "written") from None
        try:
            self._require_unmoved(expected)
            os.replace(self._temporary, self.path)
        except (OSError, Unavailable) as error:
            os.close(descriptor)
            self._remove_temporary()
            if isinstance(error, OSError):
                raise self.failure(error, "written") from None
            raise
        return descriptor, self._confirmed(descriptor)

    def _confirmed(self, descriptor: int) -> Identity:
        """The identity of the file that is in place now, once its name is on the disk too; else it is closed again."""
        try:
            sync_folder(self.folder)
            return identity(os.fstat(descriptor))
        except OSError as error:
            os.close(descriptor)
            raise OutcomeUnknown(
                f"the change was made, but the disk did not confirm it ({os.strerror(error.errno or 0)}): it may not survive a power cut",
                "read the thing again before you repeat the change",
                private=self.folder,
            ) from None

    def _require_unmoved(self, expected: Identity | None) -> None:
        if expected is not None and identity(self.stat()) != expected:
            raise Unavailable("the store was changed by hand meanwhile, so nothing was written", "try again", private=self.path)

    def _written_temporary(self, pieces: Sequence[bytes], owner: tuple[int, int] | None) -> int:
        self._remove_temporary()
        self._remove_temporary_backup()
        descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOEXEC | _NOFOLLOW, MODE)
        try:
            own(descriptor, owner)
            write_all(descriptor, pieces)
            sync(descriptor)
        except BaseException:
            # Never a second sync on a descriptor whose first one failed: the kernel has forgotten the error by then.
            os.close(descriptor)
            raise
        return descriptor

    def _remove_temporary(self) -> None:
        try:
            os.unlink(self._temporary)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self.failure(error, "written") from None

    def _remove_temporary_backup(self) -> None:
        """As a rule there is none. One that a killed writer left and that cannot be taken away is no reason to refuse a write."""
        try:
            if self._is_foreign_to_root():
                folder = self.held_folder(BACKUPS)
                try:
                    folder.remove(os.path.basename(self.temporary_backup))
                finally:
                    folder.close()
            else:
                os.unlink(self.temporary_backup)
        except (OSError, StoreForbidden):
            pass

    def owner(self) -> tuple[int, int] | None:
        """Who the store belongs to, where we are root and must keep that; else None."""
        if os.name == "nt" or os.geteuid() != 0:
            return None
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.failure(error, "read") from None
        return found.st_uid, found.st_gid

    def own_folder(self, name: str) -> HeldFolder:
        """As ``held_folder``, made with mode 0700 where it is missing, and the store's owner's."""
        make_folder(os.path.join(self.folder, name))
        folder = self.held_folder(name)
        try:
            owner = self.owner()
            if owner is not None and folder.descriptor is not None and os.fstat(folder.descriptor).st_uid != owner[0]:
                os.fchown(folder.descriptor, *owner)
        except BaseException:
            folder.close()
            raise
        return folder

    def held_folder(self, name: str) -> HeldFolder:
        """A folder beside the store, for the caller to close. Raises OSError.

        As root for somebody else never through a link: that would give them any folder of the machine.
        """
        path = os.path.join(self.folder, name)
        foreign = self._is_foreign_to_root()
        if foreign and os.path.islink(path):
            raise StoreForbidden(f"{name} beside the store is a link, and the store is not root's", "put a folder there", private=path)
        return HeldFolder(path, follow=not foreign)

    def _is_foreign_to_root(self) -> bool:
        """Are we root, where somebody else owns the store or, also when that is gone, may put anything in its place?"""
        owner = self.owner()
        foreign = owner is not None and owner[0] != 0
        return foreign or (os.name != "nt" and os.geteuid() == 0 and os.stat(self.folder).st_uid != 0)

    def _is_mine(self) -> bool:
        """Then the file's mode is in the way, not its owner."""
        try:
            return os.name != "nt" and os.stat(self.path).st_uid == os.geteuid()
        except OSError:
            return False

    def failure(self, error: OSError, deed: str) -> Unavailable:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return StoreMissing("there is no store", "make one with: secure-mcp-gateway generate-config", private=self.path)
        if error.errno in (errno.EACCES, errno.EPERM) and not self._is_mine():
            return StoreForbidden(f"the store may not be {deed} by this user", "run this as the store's owner", private=self.path)
        return Unavailable(f"the store cannot be {deed}: {reason}", private=self.path)


def own(descriptor: int, owner: tuple[int, int] | None) -> None:
    """0600 whatever the umask, and the store's owner where root writes for it."""
    if os.name == "nt":
        return
    os.fchmod(descriptor, MODE)
    if owner is not None:
        os.fchown(descriptor, *owner)


def _read_to_end(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, max(size + 1, 65536)):
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
