"""Exports, backups, imports and restores; and making the store in the first place."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import unittest
from pathlib import Path
from typing import Any

from tests import enkrypt_files
from tests.support import FolderCase, StoreCase, run


class Exports(StoreCase):
    def export(self, *flags: str) -> Any:
        return self.done("config", "export", "--config-name", "default_config", *flags)

    def test_without_a_file_the_document_itself_is_on_standard_output(self) -> None:
        for flags in ((), ("--output-file", "-"), ("--output-file=-", "--overwrite")):
            document = self.export(*flags)
            self.assertEqual((document["kind"], document["mcp_config_name"]), ("secure-mcp-gateway/config", "default_config"))
        table = self.run_table("config", "export", "--config-name=default_config")
        self.assertEqual(json.loads(table.out)["kind"], "secure-mcp-gateway/config")

    def test_with_a_file_the_answer_is_its_path(self) -> None:
        path = self.path("out.json")
        self.assertEqual(self.export("--output-file", path), {"output_file": path, "config": None})
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(json.loads(Path(path).read_bytes()), self.export())
        self.assertEqual(self.audited("config export"), ["ok", "ok"])

    def test_a_relative_path_is_taken_from_the_current_folder(self) -> None:
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.assertEqual(self.export("--output-file", "out.json")["output_file"], self.path("out.json"))

    def test_a_file_that_is_not_ours_is_kept_unless_asked_and_the_refusal_audited(self) -> None:
        path = self.write("mine.json", "[]")
        argv = ("config", "export", "--config-name=default_config", f"--output-file={path}")
        self.refused(4, *argv)
        self.assertEqual(Path(path).read_text(), "[]")
        self.done(*argv, "--overwrite")
        self.assertEqual(self.audited("config export"), ["ok", "conflict"])

    def test_an_export_of_nothing_writes_no_file(self) -> None:
        self.refused(3, "config", "export", "--config-name=none", f"--output-file={self.path('out.json')}")
        self.assertEqual(os.listdir(self.folder), ["s"])

    def test_the_audit_names_the_file(self) -> None:
        self.export("--output-file", self.path("out.json"))
        self.assertEqual(self.done("system", "audit", "--limit=1")[0]["named"]["output_file"], self.path("out.json"))

    def test_the_stores_own_folder_for_files_is_made(self) -> None:
        path = self.path("s", "files", "out.json")
        self.refused(2, "config", "export", "--config-name=default_config", f"--output-file={self.path('s', 'files', 'deep', 'out.json')}")
        self.assertFalse(os.path.exists(self.path("s", "files")))
        self.assertEqual(self.export("--output-file", path)["output_file"], path)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("s", "files")).st_mode), 0o700)

    def test_a_missing_folder_is_named_by_the_flag(self) -> None:
        argv = ("project", "export", "--project-name=default_project")
        self.assertIn("--output-file", self.refused(2, *argv, f"--output-file={self.path('none', 'out.json')}"))

    def test_an_export_comes_back_by_import(self) -> None:
        path = self.path("out.json")
        self.export("--output-file", path)
        argv = ("config", "import", "--config-name=copy", f"--input-file={path}")
        self.assertEqual(self.done(*argv, "--dry-run")["mcp_config_id"], None)
        self.assertIn("dry run", self.run_table(*argv, "--dry-run").err)
        self.assertEqual(self.done(*argv)["servers"], 1)
        servers = self.done("config", "get", "--config-name=copy")["mcp_config"]
        self.assertEqual(servers, self.done("config", "get", "--config-name=default_config")["mcp_config"])


class BackupAndRestore(StoreCase):
    def test_a_backup_without_a_file_is_the_answer(self) -> None:
        answer = self.done("system", "backup")
        self.assertEqual((answer["output_file"], answer["backup"]["kind"]), (None, "secure-mcp-gateway/backup"))
        self.assertEqual(self.run_table("system", "backup").out[:2], "{\n")

    def test_a_backup_comes_back_with_a_safety_backup(self) -> None:
        path = self.path("backup.json")
        self.done("system", "backup", "--output-file", path)
        self.done("config", "add", "--config-name", "later")
        restored = self.done("system", "restore", "--input-file", path)
        self.assertTrue(os.path.exists(restored["safety_backup"]))
        self.assertEqual(len(self.done("config", "list")), 1)

    def test_where_no_store_is_a_restore_makes_it_with_the_keys_of_the_file(self) -> None:
        path = self.path("backup.json")
        self.done("system", "backup", "--output-file", path)
        other = ("--store", self.path("other", "store.json"), "--format=json")
        argv = (*other, "system", "restore", "--input-file", path)
        self.assertEqual(run(*argv, "--dry-run").data["configs"], 1)
        self.assertFalse(os.path.exists(self.path("other")))
        self.assertEqual(run(*argv).data["safety_backup"], None)
        self.assertEqual(run(*other, "admin-key", "list").data, self.done("admin-key", "list"))
        self.assertEqual(run(*other, "system", "audit").data[0]["operation"], "system restore")

    def test_a_restore_that_is_refused_makes_no_store(self) -> None:
        other = ("--store", self.path("other", "store.json"), "--format=json")
        self.assertEqual(run(*other, "system", "restore", "--input-file", self.write("a.json", {"kind": "x"})).code, 2)
        self.assertFalse(os.path.exists(self.path("other", "store.json")))

    def test_enkrypts_file_makes_a_store_too_with_its_admin_key(self) -> None:
        source = self.write("enkrypt.json", enkrypt_files.line_2_1())
        other = ("--store", self.path("other", "store.json"), "--format=json")
        ran = run(*other, "system", "restore", "--input-file", source)
        self.assertEqual(ran.code, 0, ran.err)
        self.assertEqual((ran.err.count("warning:"), [key["name"] for key in run(*other, "admin-key", "list").data]), (0, ["imported"]))

    def test_a_new_store_without_an_admin_key_is_warned_of(self) -> None:
        content = {**enkrypt_files.line_2_1()}
        del content["admin_apikey"]
        argv = ("--store", self.path("other", "store.json"), "--format=table", "system", "restore", "--input-file")
        for flags in (["--dry-run"], []):
            ran = run(*argv, self.write("enkrypt.json", content), *flags)
            self.assertEqual(ran.code, 0, ran.err)
            self.assertIn("admin-key create", ran.err)

    def test_so_is_one_whose_only_admin_key_is_disabled(self) -> None:
        saved = self.done("system", "backup")["backup"]
        for key in saved["admin_keys"].values():
            key["disabled"] = True
        other = ("--store", self.path("other", "store.json"), "--format=json")
        ran = run(*other, "system", "restore", "--input-file", self.write("disabled.json", saved))
        self.assertEqual((ran.code, ran.err.count("warning:")), (0, 1), ran.err)
        self.assertEqual([each for each in ran.data["warnings"] if "admin-key create --name NAME" in each], ran.data["warnings"])
        self.assertEqual(len(ran.data["warnings"]), 1)

    def test_reset_needs_its_confirmation(self) -> None:
        self.refused(2, "system", "reset")
        self.assertTrue(os.path.exists(self.done("system", "reset", "--confirm")["safety_backup"]))


class GenerateConfig(FolderCase):
    def make(self, *flags: str) -> Any:
        return run("--store", self.path("a", "b", "store.json"), "--format=json", "generate-config", *flags)

    def test_it_shows_the_keys_and_keeps_their_digests_alone(self) -> None:
        made = self.make().data
        text = Path(made["store"]).read_text()
        for field, prefix in (("admin_api_key", "smga_"), ("api_key", "smg_")):
            self.assertTrue(made[field].startswith(prefix))
            self.assertNotIn(made[field], text)
            self.assertIn(hashlib.sha256(made[field].encode()).hexdigest(), text)
        names = (made["config_name"], made["project_name"], made["email"])
        self.assertEqual(names, ("default_config", "default_project", "default@example.com"))
        self.assertEqual(stat.S_IMODE(os.stat(made["store"]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("a")).st_mode), 0o700)

    def test_empty_makes_an_admin_key_alone(self) -> None:
        made = self.make("--empty").data
        self.assertEqual([field for field, value in made.items() if value], ["store", "admin_api_key"])
        self.assertEqual(run("--store", made["store"], "config", "list").data, [])

    def test_a_store_that_is_there_is_4_and_replaced_only_when_asked(self) -> None:
        first = self.make().data
        ran = self.make()
        self.assertEqual((ran.code, ran.refusal["error"]), (4, "conflict"))
        second = self.make("--overwrite").data
        self.assertNotEqual(first["admin_api_key"], second["admin_api_key"])
        self.assertTrue(os.path.exists(second["safety_backup"]))
        lines = run("--store", second["store"], "system", "audit").data
        self.assertEqual([line["operation"] for line in lines], ["generate-config", "generate-config"])

    def test_a_broken_store_is_replaced_when_asked(self) -> None:
        path = self.make().data["store"]
        Path(path).write_text("{")
        self.assertEqual(self.make().code, 4)
        self.assertEqual(self.make("--overwrite").code, 0)


if __name__ == "__main__":
    unittest.main()
