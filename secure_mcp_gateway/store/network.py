"""Network file systems: their locks and their renames do not keep what the store promises."""

from __future__ import annotations

import os

from secure_mcp_gateway.errors import Unavailable

_NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "gpfs", "ocfs2", "beegfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.davfs",
}  # fmt: skip


def refuse_network(folder: str) -> None:
    kind = network_kind(folder)
    if kind:
        hint = "keep the store on a local disk, or give --allow-network-fs and make sure that one machine alone uses it"
        raise Unavailable(f"the store is on a network file system ({kind})", hint, private=folder)


def network_kind(folder: str) -> str:
    """The type of the network file system that the folder is on, else empty. Linux says what each mount is; elsewhere the standard
    library has no way to know."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            kind = mount_kind(os.path.realpath(folder), file.read())
    except OSError:
        return ""
    return kind if kind in _NETWORK else ""


def mount_kind(folder: str, mountinfo: str) -> str:
    """The file system type of the longest mount point above ``folder`` (proc(5), ``/proc/pid/mountinfo``)."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5:
            continue
        point = _unescaped(fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    for code in ("040", "011", "012", "134"):
        text = text.replace("\\" + code, chr(int(code, 8)))
    return text
