"""Tables and maps against plain dictionaries, under random operations."""

from __future__ import annotations

import json
import random
import unittest
from typing import Any
from unittest import mock

import secure_mcp_gateway.store.table
from secure_mcp_gateway.store.table import Map, Table
from tests.store.sample_store import time_of

SEEDS = range(6)


def record(moment: int, ident: str, value: int = 0) -> dict[str, Any]:
    return {"created_at": time_of(moment), "ident": ident, "value": value}


def ordered(model: dict[str, dict[str, Any]], id_field: str) -> list[tuple[str, dict[str, Any]]]:
    return sorted(model.items(), key=lambda item: (item[1]["created_at"], item[1].get(id_field, item[0]), item[0]))


def encoded(table: Table) -> list[bytes]:
    return [bucket.encoded() for bucket in table.buckets]


class MapTest(unittest.TestCase):
    def test_it_holds_what_a_dictionary_holds(self) -> None:
        for seed in SEEDS:
            chance, model, found = random.Random(seed), dict[str, int](), Map()
            for step in range(1500):
                key = f"k{chance.randrange(600)}"
                if chance.random() < 0.3:
                    model.pop(key, None)
                    found = found.delete(key)
                else:
                    model[key] = step
                    found = found.put(key, step)
                self.assertEqual((len(found), key in found, found.get(key)), (len(model), key in model, model.get(key)))
            with self.subTest(seed=seed):
                self.assertEqual({key: found.get(key) for key in found}, model)

    def test_older_maps_stay_as_they_were(self) -> None:
        chance, found = random.Random(1), Map()
        versions: list[tuple[Map, dict[str, int]]] = []
        for step in range(400):
            versions.append((found, {key: found.get(key) for key in found}))
            key = f"k{chance.randrange(200)}"
            found = found.put(key, step) if chance.random() < 0.7 else found.delete(key)
        for old, content in versions:
            self.assertEqual({key: old.get(key) for key in old}, content)

    def test_a_map_made_at_once_equals_one_that_grew(self) -> None:
        content = {f"k{number}": number for number in range(5000)}
        made, grown = Map.of(dict(content)), Map()
        for key, value in content.items():
            grown = grown.put(key, value)
        for found in (made, grown):
            self.assertEqual({key: found.get(key) for key in found}, content)
            self.assertIsNone(found.get("missing"))
            self.assertNotIn("missing", found)

    def test_deleting_what_is_not_there_gives_the_same_map(self) -> None:
        found = Map().put("a", 1)
        self.assertIs(found.delete("b"), found)


class TableTest(unittest.TestCase):
    def assert_equal(self, table: Table, model: dict[str, dict[str, Any]], id_field: str, chance: random.Random) -> None:
        expected = ordered(model, id_field)
        self.assertEqual(list(table.items()), expected)
        self.assertEqual((len(table), table.page()), (len(model), expected))
        for _ in range(6):
            offset, limit = chance.randrange(len(model) + 5), chance.choice((0, 1, 7, 50, 10_000))
            self.assertEqual(table.page(offset, limit), expected[offset : offset + limit], (offset, limit))
        for bucket in table.buckets:
            self.assertTrue(bucket.records)

    def run_operations(self, seed: int, id_field: str) -> None:
        chance, table, model = random.Random(seed), Table(id_field), dict[str, dict[str, Any]]()
        grows = chance.choice((0.5, 0.65, 0.9))
        for step in range(900):
            key = f"k{chance.randrange(700)}"
            if chance.random() > grows:
                model.pop(key, None)
                table = table.delete(key)
            else:
                # Few moments and few ids: many records stand at the same place but for their key.
                model[key] = record(chance.randrange(20) if chance.random() < 0.7 else step, f"i{chance.randrange(3)}", step)
                table = table.put(key, model[key])
            self.assertEqual(table.get(key), model.get(key))
            if step % 90 == 0:
                self.assert_equal(table, model, id_field, chance)
        self.assert_equal(table, model, id_field, chance)
        for key in list(model):
            table = table.delete(key)
        self.assertEqual((len(table), table.page(), table.buckets), (0, [], ()))

    def test_it_lists_by_time_then_id_then_key_whatever_is_done_to_it(self) -> None:
        for seed in SEEDS:
            for id_field in ("", "ident"):
                with self.subTest(seed=seed, id_field=id_field):
                    self.run_operations(seed, id_field)

    def test_older_tables_and_their_bytes_stay_as_they_were(self) -> None:
        chance, table = random.Random(7), Table("ident")
        versions = []
        for step in range(600):
            if step % 20 == 0:
                versions.append((table, list(table.items()), encoded(table)))
            key = f"k{chance.randrange(300)}"
            table = table.put(key, record(chance.randrange(50), key, step)) if chance.random() < 0.7 else table.delete(key)
        for old, items, parts in versions:
            self.assertEqual((list(old.items()), encoded(old)), (items, parts))
            self.assertEqual([old.get(key) for key, _ in items], [each for _, each in items])

    def test_a_change_makes_two_buckets_anew_at_most_and_keeps_the_bytes_of_the_others(self) -> None:
        chance = random.Random(3)
        table = Table.of("ident", {f"k{n}": record(n, f"k{n}") for n in range(2500)})
        kept = 0
        for step in range(300):
            before = {id(bucket): bucket.encoded() for bucket in table.buckets}
            key = f"k{chance.randrange(3000)}"
            old = table.get(key)
            table = table.put(key, record(3000 + step, key) if old is None else {**old, "value": step})
            fresh = [bucket for bucket in table.buckets if id(bucket) not in before]
            self.assertLessEqual(len(fresh), 2)
            for bucket in table.buckets:
                if id(bucket) in before:
                    self.assertIs(bucket.encoded(), before[id(bucket)])
                    kept += 1
        self.assertGreater(kept, 300 * 40)

    def test_its_bytes_are_those_of_its_records_however_it_came_to_them(self) -> None:
        for seed in SEEDS:
            chance, table, seen = random.Random(seed), Table.of("", {f"k{n}": record(n, "") for n in range(300)}), 0
            for step in range(600):
                key = f"k{chance.randrange(500)}"
                table = table.delete(key) if chance.random() < 0.4 else table.put(key, record(chance.randrange(600), "ä", step))
                # Not after each change: several of them may come to a bucket before it is encoded.
                if chance.random() < 0.3:
                    lines = [f"{json.dumps(key)}: {json.dumps(each, ensure_ascii=False)}".encode() for key, each in table.items()]
                    self.assertEqual(b",\n".join(encoded(table)), b",\n".join(lines))
                    seen += 1
            self.assertGreater(seen, 100)

    def test_a_change_of_one_record_encodes_no_other(self) -> None:
        table = Table.of("", {f"k{n}": record(n, "") for n in range(400)})
        encoded(table)
        put = [table.put(key, record(moment, "", 1)) for key, moment in (("k7", 7), ("new", 5), ("last", 900))]
        for changed in (*put, table.delete("k8")):
            with mock.patch.object(secure_mcp_gateway.store.table, "_encode", wraps=json.dumps) as encode:
                encoded(changed)
            self.assertLessEqual(encode.call_count, 2)

    def test_the_bytes_of_a_bucket_that_somebody_else_wrote_are_taken_apart_only_where_each_record_has_its_line(self) -> None:
        line = b'"k%d": {"created_at": "%d", "value": 0}'
        for separator in (b",\n", b" ,\n", b", \n", b"\n, "):
            bucket = Table("").read_bucket(separator.join(line % (number, number) for number in range(3)))
            table = Table("").with_buckets((bucket,))[0]
            changed = table.put("k1", {"created_at": "1", "value": 1})
            self.assertEqual(json.loads(b"{" + b",".join(encoded(changed)) + b"}"), dict(changed.items()))
            self.assertEqual(changed.get("k1"), {"created_at": "1", "value": 1})

    def test_there_are_about_as_many_buckets_as_each_holds_records(self) -> None:
        made = Table.of("", {f"k{n}": record(n, "") for n in range(10_000)})
        self.assertEqual(len(made.buckets), 100)
        grown = Table("")
        for number in range(3000):
            grown = grown.put(f"k{number}", record(number, ""))
        self.assertLess(len(grown.buckets), 16 + 4 * 3000**0.5)
        self.assertLessEqual(max(len(bucket.records) for bucket in grown.buckets), 56)
        chance = random.Random(5)
        for number in chance.sample(range(10_000), 9_900):
            made = made.delete(f"k{number}")
        self.assertLessEqual(len(made.buckets), 16 + 4 * 10)

    def test_a_table_made_of_other_buckets_holds_exactly_their_records(self) -> None:
        chance = random.Random(11)
        for changes in (1, 3, 200):
            base = Table.of("", {f"k{n}": record(n, "") for n in range(400)})
            other = base
            for step in range(changes):
                key = f"k{chance.randrange(600)}"
                other = other.delete(key) if chance.random() < 0.4 else other.put(key, record(chance.randrange(500), "", step))
            made, gone, come = base.with_buckets(other.buckets)
            self.assertEqual(list(made.items()), list(other.items()))
            self.assertEqual((len(made), [made.get(key) for key, _ in other.items()]), (len(other), [each for _, each in other.items()]))
            expected = {key: each for key, each in base.items() if key not in gone}
            self.assertEqual({**expected, **come}, dict(other.items()))
