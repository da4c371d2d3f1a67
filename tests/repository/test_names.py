from __future__ import annotations

import unicodedata
import unittest
from typing import Any

from secure_mcp_gateway.errors import InvalidRequest, NotFound
from secure_mcp_gateway.repository import configs, names, projects, users
from secure_mcp_gateway.repository.call import USER, Caller
from secure_mcp_gateway.store.document import normalised
from tests.repository.fakes import NOBODY, RuleTest, new_call

GOOD_NAMES = (
    "a",
    "x" * 100,
    "two words",
    "with/slash",
    "Grüße",
    "日本語",
    "...",
    "a.b",
    "-",
    "\U0001f600",
    "e\u0301" * 100,
    "7f0c8f2e-52a4-4a3c-9d52-0a1f0a4f7c1",
    "7f0c8f2e52a44a3c9d520a1f0a4f7c11",
    "7g0c8f2e-52a4-4a3c-9d52-0a1f0a4f7c11",
)
BAD_NAMES = {
    "": "1 to 100 characters",
    "x" * 101: "1 to 100 characters",
    "é" * 101: "1 to 100 characters",
    " a": "blank",
    "a ": "blank",
    "a\u00a0": "blank",
    "\u3000a": "blank",
    " ": "blank",
    "a\nb": "control",
    "a\x00b": "control",
    "a\x7fb": "control",
    "a\x85b": "control",
    "a\u200bb": "format",
    "\ufeffa": "format",
    "a\u202eb": "format",
    "a\u2028b": "line-separator",
    "a\u2029b": "line-separator",
    "a\ud800b": "surrogate",
    ".": ". or ..",
    "..": ". or ..",
    "7f0c8f2e-52a4-4a3c-9d52-0a1f0a4f7c11": "UUID",
    "7F0C8F2E-52A4-4A3C-9D52-0A1F0A4F7C11": "UUID",
}
GOOD_SERVER_NAMES = ("a", "A1", "9", "echo_server", "a.b-c_d", "x" * 64)
BAD_SERVER_NAMES = ("", "_a", "-a", ".a", "a b", "x" * 65, "é", "a/b", "a\n", "a\u0661")
GOOD_EMAILS = ("a@b.c", "Ada.Lovelace+x@sub.example.com", "grüße@exämple.org", "a" * 242 + "@example.com", "o'neil@example.com")
BAD_EMAILS = {
    "": "one @",
    "a": "one @",
    "@b.c": "one @",
    "a@b@c.d": "one @",
    "a@b": "dotted domain",
    "a@.b": "dotted domain",
    "a@b.": "dotted domain",
    "a@b..c": "dotted domain",
    "a b@c.d": "blanks",
    "a@b.c ": "blanks",
    "a@b\u00a0.c": "blanks",
    "a\n@b.c": "blanks",
    "a\x00@b.c": "blanks or control",
    "a\u200b@b.c": "blanks or control",
    "a" * 243 + "@example.com": "at most 254",
}


class TheRulesForNames(unittest.TestCase):
    def test_good_names_pass(self) -> None:
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                self.assertTrue(names.check_name(name, "new_name"))

    def test_bad_names_are_refused_with_the_field_and_the_reason(self) -> None:
        for name, reason in BAD_NAMES.items():
            with self.subTest(name=name), self.assertRaises(InvalidRequest) as caught:
                names.check_name(name, "new_name")
            self.assertTrue(caught.exception.message.startswith("new_name must "), caught.exception.message)
            self.assertIn(reason, caught.exception.message)

    def test_server_names(self) -> None:
        for name in GOOD_SERVER_NAMES:
            self.assertEqual(names.check_server_name(name), name)
        for name in BAD_SERVER_NAMES:
            with self.subTest(name=name), self.assertRaisesRegex(InvalidRequest, "^new_server_name must be 1 to 64 "):
                names.check_server_name(name, "new_server_name")

    def test_good_addresses_pass(self) -> None:
        for email in GOOD_EMAILS:
            self.assertEqual(names.check_email(email, "email"), email)

    def test_bad_addresses_are_refused_with_the_field_and_the_reason(self) -> None:
        for email, reason in BAD_EMAILS.items():
            with self.subTest(email=email), self.assertRaises(InvalidRequest) as caught:
                names.check_email(email, "new_email")
            self.assertTrue(caught.exception.message.startswith("new_email must "), caught.exception.message)
            self.assertIn(reason, caught.exception.message)

    def test_names_are_stored_in_nfc(self) -> None:
        self.assertEqual(names.check_name("Gru\u0308n", "name"), "Grün")
        self.assertEqual(names.check_email("gru\u0308n@example.com", "email"), "grün@example.com")

    def test_what_is_longer_than_any_name_is_not_composed(self) -> None:
        marks = "a" + "\u0301" * 100_000 + "\u0316" * 100_000
        self.assertTrue(normalised(marks) is marks)
        self.assertTrue(names.check_search_term(marks) == marks)
        for check in (names.check_name, names.check_email):
            with self.assertRaisesRegex(InvalidRequest, "not 200001"):
                check(marks, "name")

    def test_the_longest_text_that_can_become_an_address_is_composed(self) -> None:
        text = unicodedata.normalize("NFD", "\u1f82" * 242 + "@example.com")
        self.assertGreater(len(text), 900)
        self.assertEqual(names.check_email(text, "email"), "\u1f82" * 242 + "@example.com")

    def test_a_near_name_is_not_looked_for_among_very_many(self) -> None:
        self.assertEqual(names.nearest("nam", ["name"] * 1000), "name")
        self.assertEqual(names.nearest("nam", ["name"] * 1001), "")

    def test_a_secret_in_a_names_place_is_not_quoted(self) -> None:
        self.assertEqual(names.quoted("smg_abcdef"), "'***'")
        self.assertEqual(names.quoted("smga_abcdef"), "'***'")
        self.assertEqual(names.quoted("a\nb"), r"'a\nb'")
        self.assertLess(len(names.quoted("x" * 100_000)), 120)


class FindingByName(RuleTest):
    def test_by_name_and_by_id(self) -> None:
        config = self.config("Grün")
        for identifier in (config, "Grün", "Gru\u0308n"):
            self.assertEqual(configs.find_config(self.draft, self.call, identifier)[0], config)

    def test_names_are_compared_exactly(self) -> None:
        self.config("tools")
        self.assertIn("'Tools'", self.refused(NotFound, configs.get_config, config_identifier="Tools"))

    def test_addresses_are_compared_casefolded(self) -> None:
        user = self.user("Straße@Example.com")
        for email in ("STRASSE@EXAMPLE.COM", "straße@example.com", user):
            self.assertEqual(users.find_user(self.draft, self.call, email)[0], user)

    def test_an_id_wins_over_a_name(self) -> None:
        self.draft.put("mcp_configs", "old-id", {"mcp_config_name": "one", "mcp_config": [], "created_at": "1"})
        self.draft.put("mcp_configs", "other-id", {"mcp_config_name": "old-id", "mcp_config": [], "created_at": "1"})
        self.assertEqual(configs.find_config(self.draft, self.call, "old-id")[0], "old-id")

    def test_an_old_name_that_is_not_nfc_is_found_as_it_stands(self) -> None:
        self.draft.put("projects", "p", {"project_name": "Gru\u0308n", "mcp_config_id": None, "created_at": "1"})
        self.assertEqual(projects.find_project(self.draft, self.call, "Gru\u0308n")[0], "p")

    def test_what_is_not_there_is_said_with_the_nearest_name(self) -> None:
        self.config("default_config")
        self.project("default_project")
        self.user("default@example.com")
        cases: tuple[tuple[Any, str, str, str], ...] = (
            (configs.get_config, "config_identifier", "dfault_config", "'dfault_config'; did you mean 'default_config'?"),
            (projects.get_project, "project_identifier", "defaultproject", "did you mean 'default_project'?"),
            (users.get_user, "user_identifier", "defualt@example.com", "did you mean 'default@example.com'?"),
            (users.get_user, "user_identifier", "bob@example.com", "'bob@example.com'; list the users"),
            (configs.get_config, "config_identifier", "zzz", "no config is called 'zzz'; list the configs"),
            (configs.get_config, "config_identifier", NOBODY, f"no config has the id '{NOBODY}'"),
            (projects.get_project, "project_identifier", NOBODY, f"no project has the id '{NOBODY}'"),
            (users.get_user, "user_identifier", NOBODY, f"no user has the id '{NOBODY}'"),
        )
        for rule, field, identifier, expected in cases:
            with self.subTest(expected=expected):
                self.assertIn(expected, self.refused(NotFound, rule, **{field: identifier}))

    def test_a_large_table_is_not_searched_for_a_near_name(self) -> None:
        config = {"mcp_config": [], "created_at": "1"}
        self.draft.replace("mcp_configs", {str(at): {**config, "mcp_config_name": f"name{at}"} for at in range(1001)})
        self.assertNotIn("did you mean", self.refused(NotFound, configs.get_config, config_identifier="name1001x"))

    def test_a_users_key_is_told_no_near_name(self) -> None:
        self.config("default_config")
        self.call = new_call(Caller(USER, "key_1", "ada@example.com", "u", "p"))
        self.assertNotIn("default_config", self.refused(NotFound, configs.get_config, config_identifier="default_confi"))
