"""What a writer that was killed in an export leaves, and who takes it away."""

from __future__ import annotations

import os
import signal
import sys
import threading
import unittest
from pathlib import Path
from typing import Any, Callable
from unittest import mock

from secure_mcp_gateway.errors import GatewayError, InvalidRequest
from secure_mcp_gateway.operations import files, temporary
from secure_mcp_gateway.operations.files import Folder, write_document
from tests.store.processes import Child
from tests.support import FolderCase

EXPORT = {"kind": "secure-mcp-gateway/config", "version": 1, "mcp_config": []}
LEFT = ".secure-mcp-gateway-0123456789abcdef.tmp"


@unittest.skipIf(sys.platform == "win32", "no locks that end with the process, no kill")
class LeftFiles(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        os.makedirs(self.path("s", "files"))
        os.mkdir(self.path("out"))

    def export(self, name: str = "a.json", **more: Any) -> str:
        return write_document(self.path("out", name), EXPORT, "output_file", protected=self.path("s"), **more)

    def there(self) -> list[str]:
        return sorted(os.listdir(self.path("out")))

    def killed(self, owner: Any, name: str) -> None:
        """An export in a process that dies right before this call."""
        child = Child(lambda _: self._dying(owner, name))
        self.assertEqual(child.ended(), signal.SIGKILL)

    def _dying(self, owner: Any, name: str) -> None:
        with mock.patch.object(owner, name, side_effect=lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
            self.export()

    def test_a_writer_killed_at_any_step_leaves_nothing_behind_the_next_export(self) -> None:
        for owner, name in ((temporary, "write_all"), (temporary, "sync"), (Folder, "link"), (Folder, "remove"), (files, "sync_folder")):
            with self.subTest(before=name):
                self.killed(owner, name)
                left = [each for each in self.there() if each.endswith(".tmp")]
                self.assertEqual(len(left), 0 if name == "sync_folder" else 1, self.there())
                self.export()
                self.assertEqual(self.there(), ["a.json"])
                os.unlink(self.path("out", "a.json"))

    def test_a_replacement_killed_before_the_rename_is_swept_too(self) -> None:
        self.export()
        self.killed(Folder, "replace")
        self.assertEqual(len(self.there()), 2)
        self.export("b.json")
        self.assertEqual(self.there(), ["a.json", "b.json"])

    def test_one_that_is_being_written_is_left_alone(self) -> None:
        def other_export() -> None:
            Child(lambda _: self.export("b.json")).result()
            self.assertEqual(len(self.there()), 2)

        with doing_before(temporary, "sync", other_export):
            self.export()
        self.assertEqual(self.there(), ["a.json", "b.json"])

    def test_one_that_is_swept_or_locked_before_its_writer_locked_it_is_made_again(self) -> None:
        def sweep() -> None:
            Child(lambda _: self.export("b.json")).result()

        with doing_before(temporary, "_is_kept", sweep):
            self.export()
        self.assertEqual(self.there(), ["a.json", "b.json"])

    def test_a_writer_whose_files_are_always_swept_gives_up_with_an_answer(self) -> None:
        with mock.patch.object(temporary, "_is_kept", return_value=False), self.assertRaisesRegex(InvalidRequest, "busy"):
            self.export()

    def test_what_only_has_such_a_name_stays(self) -> None:
        os.mkdir(self.path("out", LEFT.replace("0", "1")))
        os.mkfifo(self.path("out", LEFT.replace("0", "2")))
        os.symlink(self.write("kept", b"kept"), self.path("out", LEFT.replace("0", "3")))
        for name in (LEFT + "x", "x" + LEFT, LEFT.upper(), ".0123456789abcdef.tmp"):
            self.write(os.path.join("out", name), b"a user's")
        before = self.there()
        self.export()
        self.assertEqual(self.there(), sorted([*before, "a.json"]))
        self.assertEqual(Path(self.path("kept")).read_bytes(), b"kept")

    @unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "only root can make a file that is somebody else's")
    def test_one_of_another_user_stays(self) -> None:
        os.chown(self.write(os.path.join("out", LEFT), b"not ours"), 65534, 65534)
        self.export()
        self.assertEqual(self.there(), [LEFT, "a.json"])

    def test_without_locks_a_file_is_written_and_nothing_is_swept(self) -> None:
        self.write(os.path.join("out", LEFT), b"left")
        with mock.patch.object(temporary, "flock", side_effect=OSError(37, "no locks available")):
            self.export()
        self.assertEqual(self.there(), [LEFT, "a.json"])

    def test_many_writers_in_one_folder_never_take_each_others_files(self) -> None:
        wrong: list[BaseException] = []
        self.write(os.path.join("out", LEFT), b"left")

        def write(number: int) -> None:
            try:
                for turn in range(20):
                    self.export(f"{number}-{turn}.json")
            except GatewayError as error:
                wrong.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.there(), sorted(f"{number}-{turn}.json" for number in range(6) for turn in range(20)))


def doing_before(owner: Any, name: str, deed: Callable[[], object]) -> Any:
    """Does the deed once, right before the function's first call."""
    plain, done = getattr(owner, name), []

    def wrapped(*arguments: Any) -> Any:
        if not done:
            done.append(1)
            deed()
        return plain(*arguments)

    return mock.patch.object(owner, name, wrapped)


if __name__ == "__main__":
    unittest.main()
