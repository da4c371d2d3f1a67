"""Files of Enkrypt's gateway: restored whole, or refused whole with every problem named."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import tempfile
import unittest
from typing import Any, Callable

from secure_mcp_gateway.errors import GatewayError, InvalidRequest, Unauthorized
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.repository.call import ADMIN, Caller, new_call
from secure_mcp_gateway.repository.restore import restore_store
from secure_mcp_gateway.repository.system import backup, tables_of
from secure_mcp_gateway.repository.users import get_user
from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import Document, Draft
from secure_mcp_gateway.store.store import Store
from tests import enkrypt_files as old
from tests import team

Change = Callable[[dict[str, Any]], Any]


class RestoreCase(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = team.make_team(self.folder)
        self.call = new_call(Caller(ADMIN, "", "tests"), self.store)

    def restore(self, data: Any, **options: bool) -> dict[str, Any]:
        entry = AuditEntry(now_text(), ADMIN, "", "tests", "r", "system restore", {})
        return self.store.commit(lambda draft: restore_store(draft, self.call, data=data, **options), entry, backup=True)

    def assert_refused(self, data: Any, *named: str) -> str:
        before = _file(self.store)
        with self.assertRaises(InvalidRequest) as caught:
            self.restore(data)
        for name in named:
            self.assertIn(name, caught.exception.detail)
        for secret in (old.KEY, old.DISABLED_KEY, old.ADMIN, old.SERVICE_KEY):
            self.assertNotIn(secret, caught.exception.detail)
        self.assertEqual(_file(self.store), before)
        return caught.exception.detail


class Restoring(RestoreCase):
    def test_both_lines_arrive_and_their_keys_go_on_working(self) -> None:
        for make in (old.line_2_1, old.line_2_2):
            counts = self.restore(make())
            self.assertEqual([counts[name] for name in ("projects", "users", "configs", "api_keys", "warnings")], [1, 1, 1, 2, []])
            self.assertTrue(os.path.exists(counts["safety_backup"]))
            document = self.store.snapshot()
            caller = authenticate(document, old.KEY, now_text())
            self.assertEqual((caller.name, caller.project_id), ("old@example.com", old.PROJECT_ID))
            with self.assertRaises(Unauthorized):
                authenticate(document, old.DISABLED_KEY, now_text())
            with self.assertRaises(Unauthorized):
                authenticate(document, old.ADMIN, now_text())
            self.assertEqual(authenticate(document, team.ADMIN, now_text()).name, "admin")
            self.assertNotIn(old.KEY.encode(), _file(self.store))
            self.assertNotIn(old.ADMIN.encode(), _file(self.store))

    def test_names_of_the_newer_line_are_mapped_and_what_has_no_meaning_is_kept(self) -> None:
        self.restore(old.line_2_2())
        config = self.store.snapshot().get("mcp_configs", old.CONFIG_ID) or {}
        server = config["mcp_config"][0]
        self.assertEqual(server["input_guardrails_policy"], {"enabled": True, "policy_name": "old", "block": ["policy_violation", "pii"]})
        self.assertEqual(server["tool_guardrails_policy"]["policy_name"], "common")
        self.assertEqual(server["denied_tools"], ["rm"])
        self.restore(old.line_2_1())
        config = self.store.snapshot().get("mcp_configs", old.CONFIG_ID) or {}
        self.assertEqual(config["mcp_config"][0]["oauth_config"], {"enabled": False, "OAUTH_VERSION": "2.1"})
        settings = self.store.snapshot().settings
        self.assertEqual(settings["enkrypt_api_key"], old.SERVICE_KEY)
        self.assertNotIn(old.SERVICE_KEY, json.dumps(settings["imported"]))
        self.assertEqual(settings["imported"]["common_mcp_gateway_config"]["timeout_settings"], {"default_timeout": 30})
        self.assertEqual(settings["telemetry"], {"enabled": True, "url": "http://localhost:4317", "insecure": True})

    def test_an_address_is_found_in_both_forms_of_its_accents(self) -> None:
        document = old.line_2_1()
        document["users"][old.USER_ID]["email"] = "e\u0301@example.com"
        self.restore(document)
        for form in ("e\u0301@example.com", "\u00e9@example.com"):
            self.assertEqual(get_user(self.store.snapshot(), self.call, user_identifier=form)["user_id"], old.USER_ID)

    def test_the_files_admin_key_is_taken_only_when_asked_for(self) -> None:
        self.restore(old.line_2_1(), with_admin_keys=True)
        self.assertEqual(authenticate(self.store.snapshot(), old.ADMIN, now_text()).name, "imported")
        self.restore({**old.line_2_1(), "admin_apikey": "another-admin-key"}, with_admin_keys=True)
        self.assertEqual(authenticate(self.store.snapshot(), "another-admin-key", now_text()).name, "imported-2")

    def test_keys_of_strangers_arrive_disabled_and_keys_of_nobody_are_dropped(self) -> None:
        document = old.line_2_1()
        document["projects"][old.PROJECT_ID]["users"] = []
        document["apikeys"]["of nobody"] = {"project_id": old.PROJECT_ID, "user_id": "gone", "created_at": None}
        counts = self.restore(document)
        self.assertEqual((counts["api_keys"], len(counts["warnings"])), (2, 3))
        self.assertIn("arrives disabled", counts["warnings"][0])
        self.assertIn("dropped", counts["warnings"][2])
        self.assertNotIn("of nobody", json.dumps(counts))

    def test_a_key_with_a_time_of_disabling_arrives_disabled_unless_the_file_says_that_it_is_not(self) -> None:
        given: list[tuple[dict[str, Any], bool]] = [({}, True), ({"disabled": None}, True), ({"disabled": False}, False)]
        for said, disabled in given:
            document = old.line_2_1()
            document["apikeys"][old.KEY].update(said, disabled_at="2025-09-01T09:00:00.000001")
            with self.subTest(said=said):
                warnings = ["apikeys[0] arrives disabled: it has a disabled_at"] if disabled else []
                self.assertEqual(self.restore(document)["warnings"], warnings)
                keys = [key for _, key in self.store.snapshot().table("apikeys").items()]
                self.assertEqual([key["disabled"] for key in keys if key["hint"] == old.KEY[-4:]], [disabled])

    def test_a_file_in_the_stores_place_is_migrated_by_the_first_write_after_a_backup(self) -> None:
        path = os.path.join(self.folder, "elsewhere", "store.json")
        os.mkdir(os.path.dirname(path))
        content = json.dumps(old.line_2_2()).encode()
        with open(path, "wb") as file:
            file.write(content)
        store = Store(path)
        self.assertEqual(authenticate(store.snapshot(), old.ADMIN, now_text()).name, "imported")
        self.assertEqual(_file(store), content)
        entry = AuditEntry(now_text(), ADMIN, "", "tests", "r", "user create", {})
        store.commit(lambda draft: draft.put("users", "new", {"email": "new@example.com", "created_at": now_text()}), entry)
        backups = os.listdir(os.path.join(os.path.dirname(path), "backups"))
        self.assertEqual(len(backups), 1)
        self.assertIn("migrate", backups[0])
        self.assertIn(b'"format": 1', _file(store))
        self.assertEqual(authenticate(Store(path).snapshot(), old.KEY, now_text()).name, "old@example.com")

    def test_a_store_that_was_moved_away_is_made_anew_with_its_admin_keys(self) -> None:
        saved = backup(Draft(self.store.snapshot()), self.call)
        os.rename(self.store.path, self.store.path + ".damaged")
        store = Store(self.store.path)
        entry = AuditEntry(now_text(), ADMIN, "", "tests", "r", "system restore", {})
        store.create(lambda draft: restore_store(draft, self.call, data=saved), entry)
        document = store.snapshot()
        self.assertEqual(authenticate(document, team.ADMIN, now_text()).name, "admin")
        self.assertEqual(authenticate(document, team.ADA, now_text()).name, "ada@example.com")
        self.assertEqual(document.generation, 2)
        self.assertTrue(store.verify_audit()["valid"])

    def test_a_file_that_claims_a_generation_makes_a_store_all_the_same(self) -> None:
        store = Store(os.path.join(self.folder, "new", "store.json"))
        entry = AuditEntry(now_text(), ADMIN, "", "tests", "r", "system restore", {})
        store.create(lambda draft: restore_store(draft, self.call, data={**old.line_2_1(), "generation": "x"}), entry)
        self.assertEqual(store.snapshot().generation, 1)
        self.assertEqual(authenticate(store.snapshot(), old.ADMIN, now_text()).name, "imported")

    def test_a_store_that_no_key_could_administer_is_warned_of_with_the_way_out(self) -> None:
        (digest, key), *_ = backup(Draft(self.store.snapshot()), self.call)["admin_keys"].items()
        past, future = "2026-01-01T00:00:00.000000+00:00", "9999-01-01T00:00:00.000000+00:00"
        useless = ({}, {digest: {**key, "disabled": True}}, {digest: {**key, "expires_at": past}})
        for keys in (*useless, {digest: key}, {digest: {**key, "expires_at": future}}):
            saved = {**backup(Draft(self.store.snapshot()), self.call), "admin_keys": keys}
            with self.subTest(keys=keys):
                warned = [each for each in restore_store(Draft(Document()), self.call, data=saved)["warnings"] if "admin key" in each]
                self.assertEqual(len(warned), 1 if keys in useless else 0, warned)
                self.assertTrue(all("secure-mcp-gateway admin-key create --name NAME" in each for each in warned))
        self.assertNotIn("admin key works", str(self.restore({**saved, "admin_keys": {}})["warnings"]))
        without = {name: value for name, value in old.line_2_1().items() if name != "admin_apikey"}
        self.assertIn("no admin key works", restore_store(Draft(Document()), self.call, data=without)["warnings"][-1])

    def test_a_backup_of_ours_comes_back_as_it_was(self) -> None:
        before = tables_of(self.store.snapshot())
        saved = json.loads(json.dumps(backup(Draft(self.store.snapshot()), self.call)))
        self.restore(old.line_2_1())
        for form in (saved, {"output_file": None, "backup": saved}, {"message": "m", "data": {"output_file": None, "backup": saved}}):
            self.restore(form)
            after = tables_of(self.store.snapshot())
            stray = {key: {**record, "disabled": True} for key, record in before["apikeys"].items() if record["disabled"]}
            self.assertEqual(after, {**before, "apikeys": {**before["apikeys"], **stray}})
        self.assertEqual(self.store.snapshot().generation, 5)


class Refusing(RestoreCase):
    def test_every_problem_is_listed_at_once(self) -> None:
        document = old.line_2_1()
        document["users"][old.USER_ID]["email"] = 5
        document["projects"][old.PROJECT_ID]["project_name"] = None
        document["mcp_configs"][old.CONFIG_ID]["mcp_config"][0]["tools"] = []
        document["apikeys"][old.KEY]["created_at"] = "yesterday"
        self.assert_refused(document, "email must be", "project_name must be", "tools must be", "apikeys[0].created_at")

    def test_a_restriction_that_cannot_be_kept_is_refused_by_name(self) -> None:
        server = ("mcp_configs", old.CONFIG_ID, "mcp_config", 0)
        lost: list[tuple[tuple[Any, ...], Any]] = [
            ((*server, "enable_server_info_validation"), True),
            ((*server, "prompt_guardrails_policy"), {"enabled": True}),
            ((*server, "allowed_users"), ["x"]),
            ((*server, "enabled"), False),
            ((*server, "tools", "echo"), {"enabled": True, "rate_limit": 5}),
            (("users", old.USER_ID, "disabled"), True),
            (("projects", old.PROJECT_ID, "expires_at"), "2027-01-01T00:00:00"),
            (("apikeys", old.KEY, "allowed_ips"), ["10.0.0.1"]),
            (("apikeys", old.KEY, "status"), "Disabled"),
            (("apikeys", old.KEY, "deleted"), True),
            (("apikeys", old.KEY, "not_after"), "2025-01-01T00:00:00"),
            ((*server, "disabled_tools"), ["rm"]),
            ((*server, "input_guardrail_config"), {"enabled": True}),
            (("mcp_configs", old.CONFIG_ID, "common_overrides"), {"prompt_guardrails_config": {"enabled": True}}),
        ]
        for path, value in lost:
            document = old.line_2_1()
            _at(document, path[:-1])[path[-1]] = value
            with self.subTest(path=path):
                self.assert_refused(document, "restriction that cannot be kept", str(path[-1]) if path[-1] != "echo" else "rate_limit")

    def test_one_for_all_servers_is_refused_once(self) -> None:
        for name in ("input_guardrail_config", "disabled", "denied_tools", "anything"):
            document = old.line_2_2()
            document["mcp_configs"][old.CONFIG_ID]["common_overrides"] = {name: {"enabled": True}}
            self.assertEqual(self.assert_refused(document).count(f"common_overrides.{name} is"), 1, name)

    def test_names_that_would_mean_two_things_are_refused(self) -> None:
        document = old.line_2_1()
        document["users"]["second"] = {"email": "OLD@example.com"}
        document["mcp_configs"]["other"] = {"mcp_config_name": old.CONFIG_ID, "mcp_config": []}
        self.assert_refused(document, "old@example.com", "is the id of another one")

    def test_two_policies_for_one_place_are_refused(self) -> None:
        on, off = {"enabled": True, "guardrail_name": "A", "block": ["pii"]}, {"enabled": False}
        for other in (off, {"enabled": True, "guardrail_name": "B"}):
            document = old.line_2_2()
            server = document["mcp_configs"][old.CONFIG_ID]["mcp_config"][0]
            del document["mcp_configs"][old.CONFIG_ID]["common_overrides"]
            server.update(tool_guardrails_config=other, server_tools_guardrails_config=on)
            self.assert_refused(document, "server_tools_guardrails_config is a restriction")
        document = old.line_2_2()
        server = document["mcp_configs"][old.CONFIG_ID]["mcp_config"][0]
        server["input_guardrails_config"]["policy_name"] = "another"
        self.assert_refused(document, "input_guardrails_policy has a guardrail_name and another policy_name")
        for overrides in ({"tools": {"a": {}}}, [{"server_tools_guardrails_config": on}], {"anything": {"enabled": True}}):
            document = old.line_2_2()
            document["mcp_configs"][old.CONFIG_ID]["common_overrides"] = overrides
            self.assert_refused(document, "common_overrides")

    def test_a_backup_that_is_not_whole_is_refused(self) -> None:
        saved = backup(Draft(self.store.snapshot()), self.call)
        for name in ("version", "kind", "format", "generation", "apikeys", "members", "admin_keys", "settings"):
            named = "neither a backup" if name == "kind" else name
            self.assert_refused({key: value for key, value in saved.items() if key != name}, named)
        for settings in ("x", {"telemetry": 3}, {"telemetry": {"enabled": "yes"}}, {"enkrypt_api_key": 5}, {"imported": []}):
            self.assert_refused({**saved, "settings": settings}, "settings")
        for generation in (True, -1, "7", 2**70):
            self.assert_refused({**saved, "generation": generation}, "generation")
        digest, key = next(iter(saved["apikeys"].items()))
        for wrong in ({"rotated_at": 3}, {"api_key_id": "x"}, {"expires_at": "never"}):
            self.assert_refused({**saved, "apikeys": {digest: {**key, **wrong}}}, next(iter(wrong)))

    def test_what_dangles_is_refused(self) -> None:
        document = old.line_2_1()
        document["projects"][old.PROJECT_ID]["mcp_config_id"] = "nowhere"
        self.assert_refused(document, "mcp_config_id names a config that does not exist")
        document = old.line_2_1()
        document["projects"][old.PROJECT_ID]["users"].append("nobody")
        self.assert_refused(document, "user_id names a user that does not exist")

    def test_no_change_of_a_file_makes_a_traceback_or_half_a_restore(self) -> None:
        """Seeded mutations: a value replaced, dropped or nested; each file is taken whole or refused."""
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        junk = [None, True, 0, -1, 1e300, "", "x" * 500, "\U0001f600", "../..", [], [[]], {}, {"a": {}}, old.USER_ID]
        for _ in range(300):
            document = dice.choice((old.line_2_1, old.line_2_2))()
            for _ in range(dice.randint(1, 3)):
                _mutate(document, dice, junk)
            with self.subTest(seed=seed, document=json.dumps(document)):
                try:
                    restore_store(Draft(self.store.snapshot()), self.call, data=document)
                except GatewayError as error:
                    self.assertIsInstance(error, InvalidRequest)


def _mutate(document: Any, dice: random.Random, junk: list[Any]) -> None:
    node = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = dice.choice(keys)
        if isinstance(node[key], (dict, list)) and node[key] and dice.random() < 0.8:
            node = node[key]
            continue
        if isinstance(node, dict) and dice.random() < 0.3:
            del node[key]
        else:
            node[key] = copy.deepcopy(dice.choice(junk))
        return


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def _file(store: Store) -> bytes:
    with open(store.path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
