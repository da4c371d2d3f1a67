"""Who may see and write the store: modes, owners, and other users of the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import unittest
from typing import Any, Callable

from secure_mcp_gateway.errors import Forbidden, GatewayError, StoreForbidden, Unavailable
from secure_mcp_gateway.store.store import Store
from tests.store.processes import Channel, Child
from tests.store.sample_store import StoreCase, add, entry, putting, users_of

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
OWNER, STRANGER = 65534, 65533


def as_user(user: int, work: Callable[[], Any]) -> Any:
    def become(channel: Channel) -> Any:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        return work()

    return Child(become).result()


class ModeTest(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(os.umask, os.umask(0o022))

    def test_whatever_the_umask_everything_is_the_owner_s_alone(self) -> None:
        for umask in (0o000, 0o022, 0o027, 0o077, 0o277, 0o777):
            os.umask(umask)
            with self.subTest(umask=oct(umask)):
                home = self.at(oct(umask))
                store = self.made(os.path.join(home, "below", "store.json"))
                add(store, 1, backup=True)
                store.refuse(entry(), Forbidden("no"))
                for place, folders, names in os.walk(home):
                    for name in folders:
                        self.assertEqual(self.mode(place, name), 0o700, name)
                    for name in names:
                        self.assertEqual(self.mode(place, name), 0o600, name)
                self.assertEqual(self.mode(home), 0o700)

    def test_a_folder_that_was_there_keeps_its_mode(self) -> None:
        for mode in (0o755, 0o750, 0o2770, 0o1777):
            os.chmod(self.folder, mode)
            store = self.made(self.at(f"{mode:o}.json"))
            add(store, 1, backup=True)
            self.assertEqual(self.mode(), mode)

    def test_a_mode_that_was_loosened_is_tightened_by_the_next_write(self) -> None:
        store = self.made()
        os.chmod(self.path, 0o644)
        add(store, 1)
        self.assertEqual(self.mode("store.json"), 0o600)


@unittest.skipUnless(ROOT, "only root can act as other users")
class OwnerTest(StoreCase):
    """Root runs a command on the store of somebody else, who must be able to go on with it."""

    def setUp(self) -> None:
        super().setUp()
        self.made()
        os.chown(self.folder, OWNER, OWNER)
        for name in self.files():
            os.chown(self.at(name), OWNER, OWNER)

    def assert_owned(self) -> None:
        for place, folders, names in os.walk(self.folder):
            for name in (*folders, *names):
                found = os.stat(os.path.join(place, name))
                self.assertEqual((found.st_uid, found.st_gid), (OWNER, OWNER), name)
        self.assertEqual(as_user(OWNER, lambda: add(Store(self.path), 500, backup=True)), Store(self.path).snapshot().generation)
        self.assert_sound(Store(self.path))

    def test_store_lock_audit_and_backups_keep_their_owner(self) -> None:
        os.unlink(self.path + ".lock")
        add(Store(self.path), 1, backup=True)
        self.assert_owned()

    def test_also_where_all_but_the_store_is_made_anew(self) -> None:
        os.unlink(self.path + ".lock")
        os.unlink(self.at("audit.jsonl"))
        Store(self.path).refuse(entry(), Forbidden("no"))
        add(Store(self.path), 1, backup=True)
        for place, folders, names in os.walk(self.folder):
            self.assertEqual({os.stat(os.path.join(place, name)).st_uid for name in (*folders, *names)}, {OWNER})

    def test_also_a_lock_that_root_once_left_behind(self) -> None:
        os.chown(self.path + ".lock", 0, 0)
        add(Store(self.path), 1)
        self.assert_owned()

    def test_a_link_beside_the_store_gives_its_owner_no_folder_of_root(self) -> None:
        victim = self.at("victim")
        os.mkdir(victim, 0o755)
        for name in ("backups", "files", "servers"):
            os.symlink(victim, self.at(name))
            with self.assertRaises(StoreForbidden) as caught:
                Store(self.path).own_folder(name)
            self.assertIn(name, caught.exception.message)
        data = self.read()
        self.assertRaises(StoreForbidden, add, Store(self.path), 1, backup=True)
        self.assertEqual((os.stat(victim).st_uid, os.listdir(victim), self.read()), (0, [], data))

    def test_nor_does_a_write_take_a_file_away_where_such_a_link_leads(self) -> None:
        victim = self.at("victim")
        os.mkdir(victim, 0o755)
        with open(os.path.join(victim, ".store.json.tmp"), "wb"):
            os.symlink(victim, self.at("backups"))
        add(Store(self.path), 1)
        self.assertEqual(os.listdir(victim), [".store.json.tmp"])

    def test_a_hard_link_beside_the_store_gives_its_owner_no_file_of_root(self) -> None:
        victim = self.at("victim")
        for name in ("store.json.lock", "audit.jsonl"):
            with open(victim, "w", encoding="ascii") as file:
                file.write("root's")
            os.chmod(victim, 0o640)
            os.rename(self.at(name), self.at("kept"))
            os.link(victim, self.at(name))
            with contextlib.suppress(Unavailable):
                add(Store(self.path), 1)
            found = os.stat(victim)
            self.assertEqual((found.st_uid, found.st_mode & 0o777, self.read(victim)), (0, 0o640, b"root's"), name)
            os.rename(self.at("kept"), self.at(name))
            os.unlink(victim)
        add(Store(self.path), 2)
        self.assert_owned()

    def test_a_log_that_has_a_second_name_is_written_on(self) -> None:
        os.link(self.at("audit.jsonl"), self.at("snapshot"))
        add(Store(self.path), 1)
        os.unlink(self.at("snapshot"))
        self.assert_owned()

    def test_also_where_the_store_is_made_anew_over_the_old(self) -> None:
        Store(self.path).create(putting(1), entry("generate-config"), overwrite=True)
        self.assert_owned()


@unittest.skipUnless(ROOT, "only root can act as other users")
class StrangerTest(StoreCase):
    """Another user of the machine, who is not root, gets exit 5 and leaves nothing behind."""

    def setUp(self) -> None:
        super().setUp()
        self.made()

    def tries(self) -> list[list[Any]]:
        store = Store(self.path)

        def said(use: Callable[[], Any]) -> list[Any]:
            try:
                return ["done", use()]
            except GatewayError as error:
                return [error.exit_code, self.folder in error.detail, error.status]

        uses = (
            store.snapshot,
            lambda: add(store, 1),
            lambda: store.create(putting(1), entry("generate-config")),
            lambda: store.create(putting(1), entry("generate-config"), overwrite=True),
            store.verify_audit,
            store.audit_lines,
        )
        return [said(use) for use in uses]

    def test_whatever_the_modes_of_folder_and_store_are(self) -> None:
        data, files = self.read(), self.files()
        for folder in (0o700, 0o755, 0o777):
            for mode in (0o600, 0o644, 0o666):
                for lock in (True, False):
                    os.chmod(self.folder, folder)
                    os.chmod(self.path, mode)
                    if not lock and os.path.exists(self.path + ".lock"):
                        os.unlink(self.path + ".lock")
                    with self.subTest(folder=oct(folder), mode=oct(mode), lock=lock):
                        self.assertEqual(as_user(STRANGER, self.tries), [[5, False, 503]] * 6)
        self.assertEqual((self.read(), self.files()), (data, files - {"store.json.lock"}))
        self.assert_sound(Store(self.path))

    def test_a_folder_that_is_not_theirs_takes_no_new_store_of_theirs(self) -> None:
        os.chmod(self.folder, 0o755)

        def make() -> list[Any]:
            try:
                Store(self.at("mine", "store.json")).create(putting(1), entry("generate-config"))
            except GatewayError as error:
                return [error.exit_code, self.folder in error.detail]
            return ["made"]

        self.assertEqual(as_user(STRANGER, make), [5, False])

    def test_the_owner_is_not_kept_out_by_the_modes_of_others(self) -> None:
        home = self.at("home")
        os.chmod(self.folder, 0o755)
        os.mkdir(home)
        os.chown(home, STRANGER, STRANGER)
        self.path = os.path.join(home, "store.json")

        def live() -> list[int]:
            store = self.made()
            add(store, 1, backup=True)
            return users_of(Store(self.path).snapshot())

        self.assertEqual(as_user(STRANGER, live), [1])
        self.assertEqual(add(Store(self.path), 2), 3)
        self.assertEqual(as_user(STRANGER, lambda: add(Store(self.path), 3)), 4)
        shutil.rmtree(home)
