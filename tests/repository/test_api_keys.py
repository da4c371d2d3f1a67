from __future__ import annotations

import hashlib
import json

from secure_mcp_gateway.errors import Conflict, NotFound, Unauthorized
from secure_mcp_gateway.repository import api_keys, projects, users
from secure_mcp_gateway.repository.system import tables_of
from tests.repository.fakes import NOBODY, NOW, RuleTest

IN_TEN_DAYS = "2026-03-14T05:06:07.000008+00:00"
SOONER = "2026-03-14T05:06:07.000007+00:00"


class KeyTest(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.config_id = self.config()
        self.project_id = self.project("research", self.config_id)
        self.user_id = self.user("ada@example.com", self.project_id)


class AKey(KeyTest):
    def test_is_generated_and_only_its_digest_is_kept(self) -> None:
        made = self.key("ada@example.com", "research", 10)
        named = {"user_id": self.user_id, "project_id": self.project_id, "expires_at": IN_TEN_DAYS}
        self.assertEqual(made, {"api_key": made["api_key"], "api_key_id": made["api_key_id"], **named})
        self.assertRegex(made["api_key_id"], r"\Akey_[0-9a-f]{16}\Z")
        self.assertTrue(made["api_key"].startswith("smg_"))
        digest = hashlib.sha256(made["api_key"].encode()).hexdigest()
        self.assertEqual(list(tables_of(self.draft)["apikeys"]), [digest])
        self.assertNotIn(made["api_key"], self.content())
        self.assertNotIn(made["api_key"], str(self.draft.names))
        self.assertEqual(self.draft.names["api_key_id"], made["api_key_id"])

    def test_is_shown_by_id_and_by_secret(self) -> None:
        made = self.key(self.user_id, self.project_id)
        shown = {
            "api_key": made["api_key_id"],
            "hint": made["api_key"][-4:],
            "user_id": self.user_id,
            "user_email": "ada@example.com",
            "project_id": self.project_id,
            "project_name": "research",
            "mcp_config_id": self.config_id,
            "created_at": NOW,
            "expires_at": None,
            "disabled": False,
            "rotated_at": None,
        }
        for identifier in (made["api_key_id"], made["api_key"]):
            self.assertEqual(self.run_rule(api_keys.get_api_key, api_key=identifier), shown)

    def test_is_for_members_only(self) -> None:
        self.user("bob@example.com")
        given = {"user_identifier": "bob@example.com", "project_identifier": "research"}
        self.assertIn("not in the project 'research'", self.refused(Conflict, api_keys.generate_api_key, **given))
        self.refused(NotFound, api_keys.generate_api_key, user_identifier=NOBODY, project_identifier="research")
        self.refused(NotFound, api_keys.generate_api_key, user_identifier=self.user_id, project_identifier="other")

    def test_that_is_unknown_is_not_quoted(self) -> None:
        writing = (api_keys.rotate_api_key, api_keys.disable_api_key, api_keys.enable_api_key, api_keys.delete_api_key)
        for rule in (api_keys.get_api_key, *writing):
            told = self.refused(NotFound, rule, api_key="smg_unknown")
            self.assertIn("no API key has this id or secret", told)
            self.assertNotIn("unknown", told)

    def test_is_rotated(self) -> None:
        made = self.key(self.user_id, self.project_id, 10)
        for identifier in (made["api_key"], made["api_key_id"]):
            before = made["api_key"]
            made = self.run_rule(api_keys.rotate_api_key, api_key=identifier)
            self.assertEqual(list(made), ["api_key", "api_key_id", "expires_at"])
            self.assertNotEqual(made["api_key"], before)
            with self.assertRaises(Unauthorized):
                self.call_with(before)
            self.assertEqual(self.call_with(made["api_key"]).caller.key_id, made["api_key_id"])
        shown = self.run_rule(api_keys.get_api_key, api_key=made["api_key_id"])
        self.assertEqual((shown["created_at"], shown["expires_at"], shown["rotated_at"]), (NOW, IN_TEN_DAYS, NOW))
        self.assertEqual(len(self.draft.table("apikeys")), 1)

    def test_cannot_be_rotated_when_it_is_disabled_or_expired(self) -> None:
        made = self.key(self.user_id, self.project_id, 10)
        self.run_rule(api_keys.disable_api_key, api_key=made["api_key_id"])
        self.assertIn("disabled", self.refused(Conflict, api_keys.rotate_api_key, api_key=made["api_key_id"]))
        self.run_rule(api_keys.enable_api_key, api_key=made["api_key_id"])
        self.later(IN_TEN_DAYS)
        self.assertIn("expired", self.refused(Conflict, api_keys.rotate_api_key, api_key=made["api_key_id"]))

    def test_is_disabled_and_enabled_any_number_of_times(self) -> None:
        made = self.key(self.user_id, self.project_id)
        for rule, disabled in ((api_keys.disable_api_key, True), (api_keys.enable_api_key, False)):
            for _ in range(2):
                self.assertIs(self.run_rule(rule, api_key=made["api_key"])["disabled"], disabled)
            self.assertIs(self.run_rule(api_keys.get_api_key, api_key=made["api_key"])["disabled"], disabled)

    def test_of_a_user_outside_the_project_is_not_enabled(self) -> None:
        made = self.key(self.user_id, self.project_id)
        self.run_rule(api_keys.disable_api_key, api_key=made["api_key"])
        self.draft.replace("members", {})
        self.assertIn("not in the key's project", self.refused(Conflict, api_keys.enable_api_key, api_key=made["api_key_id"]))

    def test_is_deleted(self) -> None:
        made = self.key(self.user_id, self.project_id)
        self.assertIsNone(self.run_rule(api_keys.delete_api_key, api_key=made["api_key_id"]))
        self.refused(NotFound, api_keys.delete_api_key, api_key=made["api_key_id"])


class Lists(KeyTest):
    def ids(self, rule: object, **values: object) -> list[str]:
        return [row["api_key"] for row in self.run_rule(rule, **values).rows]

    def test_of_a_users_keys(self) -> None:
        sales = self.project("sales")
        self.run_rule(projects.add_user, project_identifier=sales, user_identifier=self.user_id)
        bob = self.user("bob@example.com", sales)
        one, two = (self.key(self.user_id, project)["api_key_id"] for project in (self.project_id, sales))
        self.key(bob, sales)
        self.assertEqual(set(self.ids(api_keys.list_user_api_keys, user_identifier="ada@example.com")), {one, two})
        given = {"user_identifier": "ada@example.com", "project_identifier": "sales"}
        self.assertEqual(self.ids(api_keys.list_user_api_keys, **given), [two])
        self.refused(NotFound, api_keys.list_user_api_keys, user_identifier="ada@example.com", project_identifier="other")
        self.refused(NotFound, api_keys.list_user_api_keys, user_identifier="eve@example.com")
        self.assertEqual(self.run_rule(api_keys.delete_user_api_keys, user_identifier="ada@example.com"), {"deleted": 2})
        self.assertEqual(len(self.draft.table("apikeys")), 1)
        self.refused(NotFound, api_keys.delete_user_api_keys, user_identifier="eve@example.com")

    def test_of_all_keys_by_their_state(self) -> None:
        forever, short, long = (self.key(self.user_id, self.project_id, days)["api_key_id"] for days in (None, 10, 20))
        self.run_rule(api_keys.disable_api_key, api_key=forever)
        self.assertEqual(set(self.ids(api_keys.list_api_keys)), {forever, short, long})
        self.assertEqual(self.ids(api_keys.list_api_keys, disabled=True), [forever])
        self.assertEqual(set(self.ids(api_keys.list_api_keys, disabled=False)), {short, long})
        for days, expected in ((9, set()), (10, {short}), (20, {short, long})):
            self.assertEqual(set(self.ids(api_keys.list_api_keys, expires_within_days=days)), expected)
        self.assertEqual(self.run_rule(api_keys.list_api_keys, limit=1, offset=1).total, 3)
        self.later(IN_TEN_DAYS)
        self.assertEqual(self.ids(api_keys.list_api_keys, expires_within_days=36500), [long])


class Authentication(KeyTest):
    def refused_key(self, secret: str) -> str:
        with self.assertRaises(Unauthorized) as caught:
            api_keys.authenticate(self.draft, secret, self.call.now)
        if secret:
            self.assertNotIn(secret, caught.exception.detail)
        return caught.exception.detail

    def test_of_a_users_key(self) -> None:
        made = self.key(self.user_id, self.project_id, 10)
        caller = api_keys.authenticate(self.draft, made["api_key"], SOONER)
        self.assertEqual((caller.kind, caller.name, caller.key_id), ("user", "ada@example.com", made["api_key_id"]))
        self.assertEqual((caller.user_id, caller.project_id, caller.expires_at), (self.user_id, self.project_id, IN_TEN_DAYS))
        self.assertFalse(caller.is_admin)

    def test_of_an_admin_key(self) -> None:
        made = self.admin_key("first", 10)
        caller = api_keys.authenticate(self.draft, made["admin_key_secret"], NOW)
        self.assertEqual((caller.kind, caller.name, caller.key_id, caller.expires_at), ("admin", "first", made["admin_key"], IN_TEN_DAYS))
        self.assertTrue(caller.is_admin)

    def test_refuses_what_is_no_secret(self) -> None:
        made, admin = self.key(self.user_id, self.project_id), self.admin_key()
        digests = [*tables_of(self.draft)["apikeys"], *tables_of(self.draft)["admin_keys"]]
        strange = ("", "x", "é", "\ud800", "\x00", made["api_key"] + " ", made["api_key"].upper(), "first", "ada@example.com")
        for secret in (*strange, made["api_key_id"], admin["admin_key"], *digests):
            with self.subTest(secret=secret):
                self.assertIn("not known", self.refused_key(secret))

    def test_refuses_disabled_and_expired_keys(self) -> None:
        made, admin = self.key(self.user_id, self.project_id, 10), self.admin_key("first", 10)
        self.run_rule(api_keys.disable_api_key, api_key=made["api_key_id"])
        self.assertIn("disabled", self.refused_key(made["api_key"]))
        self.run_rule(api_keys.enable_api_key, api_key=made["api_key_id"])
        self.later(IN_TEN_DAYS)
        self.assertIn("expired", self.refused_key(made["api_key"]))
        self.assertIn("expired", self.refused_key(admin["admin_key_secret"]))

    def test_refuses_a_key_whose_user_project_or_membership_is_gone(self) -> None:
        made = self.key(self.user_id, self.project_id)
        whole = json.dumps(tables_of(self.draft))
        for table in ("users", "projects", "members"):
            for name, records in json.loads(whole).items():
                self.draft.replace(name, {} if name == table else records)
            self.assertIn("any more", self.refused_key(made["api_key"]))

    def test_whoami(self) -> None:
        self.assertEqual(self.run_rule(api_keys.whoami), {"kind": "admin", "name": "root", "project": None, "expires_at": None})
        made = self.key(self.user_id, self.project_id, 10)
        self.call = self.call_with(made["api_key"])
        project = {"project_id": self.project_id, "project_name": "research"}
        expected = {"kind": "user", "email": "ada@example.com", "project": project, "expires_at": IN_TEN_DAYS}
        self.assertEqual(self.run_rule(api_keys.whoami), expected)

    def test_ends_as_soon_as_the_user_leaves(self) -> None:
        made = self.key(self.user_id, self.project_id)
        self.run_rule(users.delete_user, user_identifier=self.user_id, force=True)
        self.refused_key(made["api_key"])
