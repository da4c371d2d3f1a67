"""Files that are named from outside: what is read, what is written, and what never is."""

from __future__ import annotations

import json
import os
import socket
import stat
import unittest
from pathlib import Path
from typing import Any, Callable
from unittest import mock

from secure_mcp_gateway.errors import Conflict, Forbidden, InvalidRequest, Unavailable
from secure_mcp_gateway.operations import files, temporary
from secure_mcp_gateway.operations.files import Folder, read_json_file, write_document
from tests.support import FolderCase

EXPORT = {"kind": "secure-mcp-gateway/config", "version": 1, "mcp_config": []}
OTHER = {"kind": "secure-mcp-gateway/config", "version": 1, "mcp_config": [{"name": "Zoë"}]}


class Reading(FolderCase):
    def refused(self, path: str, error: type[Exception] = InvalidRequest, root: str | None = None) -> str:
        with self.assertRaises(error) as caught:
            read_json_file(path, "input_file", root)
        self.assertIn("input_file", str(caught.exception))
        return str(caught.exception)

    def test_a_json_file_is_read(self) -> None:
        self.assertEqual(read_json_file(self.write("a.json", OTHER), "f"), OTHER)

    def test_a_link_to_a_json_file_is_followed(self) -> None:
        os.symlink(self.write("a.json", OTHER), self.path("link"))
        self.assertEqual(read_json_file(self.path("link"), "f"), OTHER)

    def test_what_is_missing_or_no_path_is_refused(self) -> None:
        for path in (self.path("none"), self.path("none", "a.json"), self.path("a\0b"), "", self.path("x" * 300)):
            with self.subTest(path=path):
                self.refused(path)

    def test_folders_fifos_sockets_and_devices_are_refused_without_waiting(self) -> None:
        os.mkfifo(self.path("fifo"))
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.path("socket"))
            for path in (self.folder, "/", self.path("fifo"), self.path("socket"), "/dev/zero", "/dev/null"):
                with self.subTest(path=path):
                    self.refused(path)

    def test_a_file_over_64_mib_is_refused_unread_and_one_that_grows_too(self) -> None:
        path = self.path("sparse")
        with open(path, "wb") as file:
            file.truncate(files.LARGEST + 1)
        with mock.patch.object(os, "read", side_effect=AssertionError("it was read")):
            self.assertIn("64 MiB", self.refused(path))
        with mock.patch.object(files, "LARGEST", 4):
            self.assertEqual(read_json_file(self.write("fits", b"[12]"), "f"), [12])
            with mock.patch.object(os, "read", side_effect=[b"[1", b"2", b"3", b"]"]):
                self.assertIn("64 MiB", self.refused(self.path("fits")))

    def test_an_error_never_quotes_the_content(self) -> None:
        for content in (b'{"secret": hunter2}', b'{"hunter2": 1, "hunter2": 2}', b'"hunter2', b"\xffhunter2", b"hunter2", b""):
            with self.subTest(content=content):
                self.assertNotIn("hunter2", self.refused(self.write("a.json", content)))

    def test_json_is_read_strictly(self) -> None:
        for content in (b'{"a": NaN}', b"\xef\xbb\xbf{}", b'["\\ud800"]', b"[" * 97 + b"1" + b"]" * 97, b"[1e999]"):
            with self.subTest(content=content):
                self.refused(self.write("a.json", content))

    def test_a_root_confines_it_whether_or_not_the_file_is_there(self) -> None:
        root = self.path("root")
        os.mkdir(root)
        outside = self.write("outside.json", {})
        os.symlink(outside, self.path("root", "link"))
        os.symlink(self.folder, self.path("root", "up"))
        for path in (outside, self.path("missing"), self.path("root", "link"), self.path("root", "up", "outside.json"), root):
            with self.subTest(path=path):
                self.refused(path, Forbidden, root)
        self.refused(self.path("root", "..", "outside.json"), Forbidden, root)

    def test_inside_its_root_links_are_followed(self) -> None:
        os.makedirs(self.path("root", "deep"))
        inside = self.write("root/deep/a.json", OTHER)
        os.symlink(inside, self.path("root", "link"))
        os.symlink(self.path("root"), self.path("other"))
        for path in (inside, self.path("root", "link"), self.path("other", "deep", "a.json")):
            self.assertEqual(read_json_file(path, "f", self.path("root")), OTHER)

    def test_a_root_replaced_by_a_link_opens_nothing(self) -> None:
        os.makedirs(self.path("elsewhere"))
        self.write("elsewhere/a.json", OTHER)
        os.symlink("elsewhere", self.path("root"))
        self.refused(self.path("root", "a.json"), Forbidden, self.path("root"))
        os.unlink(self.path("root"))
        os.mkdir(self.path("root"))

        def swap() -> None:
            os.rename(self.path("root"), self.path("moved"))
            os.symlink("moved", self.path("root"))

        self.write("root/a.json", OTHER)
        with after_opening(swap):
            self.refused(self.path("root", "a.json"), Forbidden, self.path("root"))

    def test_a_folder_moved_out_of_the_root_meanwhile_is_found_out(self) -> None:
        os.makedirs(self.path("root", "deep"))
        path = self.write("root/deep/a.json", OTHER)
        with after_opening(lambda: os.rename(self.path("root", "deep"), self.path("outside"))):
            self.refused(path, Forbidden, self.path("root"))


class Writing(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        os.makedirs(self.path("s", "files"))

    def export(self, path: str, document: Any = EXPORT, **more: Any) -> str:
        return write_document(path, document, "output_file", **{"protected": self.path("s"), **more})

    def refused(self, error: type[Exception], path: str, **more: Any) -> str:
        before = self.snapshot()
        with self.assertRaises(error) as caught:
            self.export(path, **more)
        self.assertEqual(self.snapshot(), before)
        self.assertIn("output_file", str(caught.exception))
        return str(caught.exception)

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        found = {}
        for folder, names, others in os.walk(self.folder):
            for path in (os.path.join(folder, name) for name in names + others):
                there = os.lstat(path)
                data = Path(path).read_bytes() if stat.S_ISREG(there.st_mode) else b""
                found[path] = (there.st_ino, data)
        return found

    def content(self, path: str) -> Any:
        return json.loads(Path(path).read_bytes())

    def test_a_document_is_written_readably_with_mode_0600(self) -> None:
        path = self.export(self.path("a.json"), OTHER)
        self.assertEqual(path, self.path("a.json"))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(Path(path).read_text("utf-8"), json.dumps(OTHER, indent=2, ensure_ascii=False) + "\n")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.json", "s"])

    def test_a_relative_path_is_answered_as_an_absolute_one(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.assertEqual(self.export("a.json"), self.path("a.json"))
        self.assertEqual(self.export(os.path.join(".", "s", "..", "b.json")), self.path("b.json"))

    def test_an_earlier_export_is_replaced_and_nothing_else(self) -> None:
        path = self.export(self.path("a.json"))
        self.assertEqual(self.content(self.export(path, OTHER)), OTHER)
        for content in (b"", b"notes", b"[]", {"kind": "other", "version": 1}, {"kind": "secure-mcp-gateway/config"}, b"\xff"):
            with self.subTest(content=content):
                self.refused(Conflict, self.write("mine", content))
        self.assertEqual(self.content(self.export(self.path("mine"), overwrite=True)), EXPORT)

    def test_a_replaced_file_gets_mode_0600_and_other_links_to_it_keep_theirs(self) -> None:
        path = self.export(self.path("a.json"))
        os.chmod(path, 0o644)
        os.link(path, self.path("b.json"))
        self.export(path, OTHER)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(self.content(self.path("b.json")), EXPORT)

    def test_links_folders_fifos_and_devices_are_refused_even_to_overwrite(self) -> None:
        os.symlink(self.export(self.path("a.json")), self.path("link"))
        os.symlink(self.path("nowhere"), self.path("dangling"))
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("sub"))
        for name in ("link", "dangling", "fifo", "sub", "sub/", "sub/.", "sub/.."):
            for overwrite in (False, True):
                with self.subTest(name=name, overwrite=overwrite):
                    self.refused(InvalidRequest, self.path(name), overwrite=overwrite)
        self.refused(InvalidRequest, "/dev/null", overwrite=True)

    def test_a_folder_that_is_missing_or_no_folder_or_no_path_is_refused(self) -> None:
        self.write("file", b"")
        for path in (self.path("none", "a.json"), self.path("file", "a.json"), self.path("a\0b"), self.path("x" * 300), ""):
            with self.subTest(path=path):
                self.refused(InvalidRequest, path)

    def test_the_stores_folder_is_no_target_but_for_its_files(self) -> None:
        os.mkdir(self.path("s", "backups"))
        os.symlink(self.path("s"), self.path("alias"))
        for parts in (("s", "new.json"), ("s", "backups", "a.json"), ("alias", "a.json"), ("s", "files", "..", "a.json")):
            with self.subTest(parts=parts):
                self.refused(Forbidden, self.path(*parts), overwrite=True)
        self.assertEqual(self.export(self.path("alias", "files", "a.json")), self.path("s", "files", "a.json"))

    def test_files_that_is_a_link_opens_no_way_into_the_stores_folder(self) -> None:
        os.rmdir(self.path("s", "files"))
        os.mkdir(self.path("s", "backups"))
        os.symlink("backups", self.path("s", "files"))
        self.refused(Forbidden, self.path("s", "files", "a.json"))

    def test_a_root_confines_it(self) -> None:
        root = self.path("root")
        os.mkdir(root)
        os.symlink(self.folder, self.path("root", "up"))
        for path in (self.path("a.json"), self.path("root", "up", "a.json"), self.path("root", "..", "a.json"), root):
            with self.subTest(path=path):
                self.refused(Forbidden, path, root=root)
        self.assertEqual(self.export(self.path("root", "a.json"), root=root), self.path("root", "a.json"))

    def test_a_name_taken_meanwhile_is_never_replaced(self) -> None:
        path = self.path("a.json")
        with before(Folder, "link", lambda: self.write("a.json", b"somebody else's")), self.assertRaises(Conflict):
            self.export(path)
        self.assertEqual(Path(path).read_bytes(), b"somebody else's")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.json", "s"])

    def test_an_export_changed_after_it_was_judged_is_judged_again(self) -> None:
        path = self.export(self.path("a.json"))
        with before(Folder, "stat", lambda: self.write("a.json", b"somebody else's"), call=3), self.assertRaises(Conflict):
            self.export(path, OTHER)
        self.assertEqual(Path(path).read_bytes(), b"somebody else's")

    def test_a_folder_replaced_by_a_link_meanwhile_leads_nowhere_else(self) -> None:
        os.mkdir(self.path("out"))

        def swap() -> None:
            os.rename(self.path("out"), self.path("moved"))
            os.symlink(self.path("s"), self.path("out"))

        with after_opening(swap):
            self.export(self.path("out", "store.json"))
        self.assertEqual(os.listdir(self.path("s")), ["files"])
        self.assertEqual(os.listdir(self.path("moved")), ["store.json"])

    def test_without_hard_links_a_free_name_is_taken_all_the_same(self) -> None:
        with mock.patch.object(os, "link", side_effect=PermissionError(1, "no links here")):
            self.assertEqual(self.content(self.export(self.path("a.json"))), EXPORT)
            self.refused(Conflict, self.write("mine", b"x"))

    def test_a_full_disk_is_the_servers_trouble_and_leaves_nothing(self) -> None:
        with mock.patch.object(temporary, "write_all", side_effect=OSError(28, "full")):
            self.refused(Unavailable, self.path("a.json"))


def after_opening(deed: Callable[[], object]) -> Any:
    """Does the deed once, right after a folder was opened."""
    plain, done = Folder.__init__, []

    def opened(folder: Folder, path: str) -> None:
        plain(folder, path)
        if not done:
            done.append(deed())

    return mock.patch.object(Folder, "__init__", opened)


def before(owner: type, name: str, deed: Callable[[], object], call: int = 1) -> Any:
    """Does the deed right before a method's call of this number."""
    plain, calls = getattr(owner, name), []

    def wrapped(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            deed()
        return plain(*arguments)

    return mock.patch.object(owner, name, wrapped)


if __name__ == "__main__":
    unittest.main()
