from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound, Unauthorized
from secure_mcp_gateway.repository import admin_keys
from tests.repository.fakes import NOBODY, NOW, RuleTest

IN_TEN_DAYS = "2026-03-14T05:06:07.000008+00:00"
RULES = (admin_keys.rotate_admin_key, admin_keys.disable_admin_key, admin_keys.enable_admin_key, admin_keys.delete_admin_key)


class AnAdminKey(RuleTest):
    def test_is_made_and_listed(self) -> None:
        made = self.admin_key("Gru\u0308n", 10)
        self.assertEqual(sorted(made), ["admin_key", "admin_key_secret", "name"])
        self.assertRegex(made["admin_key"], r"\Aadm_[0-9a-f]{16}\Z")
        self.assertTrue(made["admin_key_secret"].startswith("smga_"))
        listing = self.run_rule(admin_keys.list_admin_keys)
        shown = {"admin_key": made["admin_key"], "name": "Grün", "hint": made["admin_key_secret"][-4:]}
        self.assertEqual(listing.rows, [{**shown, "created_at": NOW, "expires_at": IN_TEN_DAYS, "disabled": False}])
        self.assertEqual(listing.total, 1)
        self.assertNotIn(made["admin_key_secret"], self.content())
        self.assertEqual(self.draft.names, {"admin_key_id": made["admin_key"], "admin_key_name": "Grün"})

    def test_is_refused_a_taken_or_bad_name(self) -> None:
        self.admin_key("first")
        self.assertIn("'first'", self.refused(Conflict, admin_keys.create_admin_key, name="first"))
        self.assertIn("name must not", self.refused(InvalidRequest, admin_keys.create_admin_key, name=NOBODY))

    def test_is_found_by_id_secret_and_name(self) -> None:
        made = self.admin_key("Grün")
        for identifier in (made["admin_key"], made["admin_key_secret"], "Grün", "Gru\u0308n"):
            self.assertEqual(admin_keys.find_admin_key(self.draft, identifier)[1]["admin_key"], made["admin_key"])
        for rule in RULES:
            told = self.refused(NotFound, rule, admin_key="smga_unknown")
            self.assertIn("no admin key has this id, secret or name", told)
            self.assertNotIn("unknown", told)

    def test_is_rotated_also_when_it_is_the_last(self) -> None:
        made = self.admin_key("first", 10)
        rotated = self.run_rule(admin_keys.rotate_admin_key, admin_key="first")
        self.assertEqual((rotated["admin_key"], rotated["name"]), (made["admin_key"], "first"))
        with self.assertRaises(Unauthorized):
            self.call_with(made["admin_key_secret"])
        self.assertTrue(self.call_with(rotated["admin_key_secret"]).caller.is_admin)
        (row,) = self.run_rule(admin_keys.list_admin_keys).rows
        self.assertEqual((row["expires_at"], row["hint"]), (IN_TEN_DAYS, rotated["admin_key_secret"][-4:]))

    def test_that_does_not_work_is_not_rotated(self) -> None:
        self.admin_key("first", 10)
        self.admin_key("second")
        self.run_rule(admin_keys.disable_admin_key, admin_key="first")
        self.assertIn("disabled", self.refused(Conflict, admin_keys.rotate_admin_key, admin_key="first"))
        self.run_rule(admin_keys.enable_admin_key, admin_key="first")
        self.later(IN_TEN_DAYS)
        self.assertIn("expired", self.refused(Conflict, admin_keys.rotate_admin_key, admin_key="first"))

    def test_is_disabled_and_enabled_any_number_of_times(self) -> None:
        self.admin_key("first")
        self.admin_key("second")
        for rule, disabled in ((admin_keys.disable_admin_key, True), (admin_keys.enable_admin_key, False)):
            for _ in range(2):
                self.assertIs(self.run_rule(rule, admin_key="first")["disabled"], disabled)

    def test_that_is_the_last_to_work_stays(self) -> None:
        self.admin_key("first")
        self.admin_key("second", 10)
        self.admin_key("third")
        self.run_rule(admin_keys.disable_admin_key, admin_key="third")
        self.later(IN_TEN_DAYS)
        for rule in (admin_keys.disable_admin_key, admin_keys.delete_admin_key):
            self.assertIn("'first' is the last", self.refused(Conflict, rule, admin_key="first"))
        for name in ("second", "third"):
            self.assertIsNone(self.run_rule(admin_keys.delete_admin_key, admin_key=name))
        self.assertEqual(len(self.draft.table("admin_keys")), 1)
