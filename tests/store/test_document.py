"""Indexes and drafts against plain models."""

from __future__ import annotations

import random
import unittest
from typing import Any

from secure_mcp_gateway.store.document import INDEXES, TABLES, Document, Draft
from tests.store.sample_store import content_of, full_content, time_of, user, user_id

SEEDS = range(4)
_VALUES = {
    "admin_keys": lambda n, moment: {"admin_key": f"adm_{n}", "name": f"name {moment % 5}"},
    "mcp_configs": lambda n, moment: {"mcp_config_name": f"Config {moment % 7}", "mcp_config": []},
    "projects": lambda n, moment: {"project_name": f"p{moment % 9}", "mcp_config_id": (None, "c1", "c2")[moment % 3]},
    "users": lambda n, moment: {"email": f"{'Aa'[moment % 2]}{n % 9}@Example.com"},
    "members": lambda n, moment: {"project_id": f"p{n % 5}", "user_id": f"u{n % 7}"},
    "apikeys": lambda n, moment: {"api_key_id": f"key_{n}", "user_id": f"u{moment % 5}", "project_id": f"p{n % 3}"},
}


def random_record(chance: random.Random, table: str, number: int) -> dict[str, Any]:
    moment = chance.randrange(12)
    return {**_VALUES[table](number, moment), "created_at": time_of(moment)}


class DocumentCase(unittest.TestCase):
    def assert_indexes_follow(self, document: Document) -> None:
        """Every index says what looking at each record in turn says."""
        for index, (table, key_of) in INDEXES.items():
            expected: dict[str, list[tuple[str, dict[str, Any]]]] = {}
            for key, record in document.table(table).items():
                value = key_of(record)
                if value is not None:
                    expected.setdefault(value, []).append((key, record))
            for value, pairs in expected.items():
                self.assertEqual(document.related(index, value), pairs, index)
                self.assertEqual(document.count(index, value), len(pairs), index)
                self.assertIn(document.found(index, value), [key for key, _ in pairs], index)
            for value in ("missing", ""):
                self.assertEqual((document.found(index, value), document.related(index, value)), (None, []))
            self.assertEqual(set(document._index(index)), set(expected), index)

    def use_indexes(self, document: Document) -> None:
        for index in INDEXES:
            document.found(index, "anything")


class IndexTest(DocumentCase):
    def test_they_follow_random_changes_of_every_table(self) -> None:
        for seed in SEEDS:
            chance, document = random.Random(seed), Document()
            for step in range(60):
                draft = Draft(document)
                if chance.random() < 0.8:
                    self.use_indexes(draft if chance.random() < 0.5 else document)
                for _ in range(chance.randrange(8)):
                    table, number = chance.choice(list(TABLES)), chance.randrange(30)
                    if chance.random() < 0.35:
                        draft.delete(table, f"k{number}")
                    else:
                        draft.put(table, f"k{number}", random_record(chance, table, number))
                if chance.random() < 0.05:
                    table = chance.choice(list(TABLES))
                    draft.replace(table, {f"k{n}": random_record(chance, table, n) for n in range(20)})
                document = draft.sealed(step)
                with self.subTest(seed=seed, step=step):
                    self.assert_indexes_follow(document)

    def test_a_large_change_drops_the_index_and_it_is_made_anew(self) -> None:
        document = Document.of({"users": {user_id(n): user(n) for n in range(10)}}, {})
        self.use_indexes(document)
        table, gone, come = document.table("users").with_buckets(
            Document.of({"users": {user_id(n): user(n) for n in range(3000, 4500)}}, {}).table("users").buckets
        )
        after = document.with_tables({"users": (table, gone, come)}, settings={}, generation=1, audit=document.audit)
        self.assertNotIn("user_emails", after._indexes)
        self.assert_indexes_follow(after)

    def test_e_mail_addresses_are_found_without_regard_to_case(self) -> None:
        document = Document.of({"users": {"a": user(1, "Straße@Example.com")}}, {})
        self.assertEqual(document.found("user_emails", "strasse@example.com"), "a")


class DraftTest(DocumentCase):
    def test_a_dropped_draft_leaves_the_document_as_it_was(self) -> None:
        document = Document.of(full_content(), {"telemetry": {}})
        self.use_indexes(document)
        before = content_of(document)
        draft = Draft(document)
        for table in TABLES:
            draft.replace(table, {})
        draft.put("users", "x", user(1))
        draft.settings = {"changed": True}
        self.assertEqual(content_of(document), before)
        self.assert_indexes_follow(document)

    def test_two_drafts_of_one_document_do_not_see_each_other(self) -> None:
        document = Document()
        one, other = Draft(document), Draft(document)
        self.use_indexes(one)
        self.use_indexes(other)
        one.put("users", "1", user(1))
        self.assertIsNone(other.get("users", "1"))
        self.assertIsNone(other.found("user_emails", "u1@example.com"))
        self.assertEqual(one.found("user_emails", "u1@example.com"), "1")

    def test_deleting_what_is_not_there_changes_nothing(self) -> None:
        document = Document.of(full_content(), {})
        draft = Draft(document)
        draft.delete("users", "nobody")
        self.assertIs(draft.table("users"), document.table("users"))
