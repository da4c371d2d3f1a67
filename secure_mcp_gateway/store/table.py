"""Immutable containers of the document: a change makes a new one and copies about √N entries, never all of them."""

from __future__ import annotations

import json
from binascii import crc32
from bisect import bisect_right

from secure_mcp_gateway.params import decode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Record = dict[str, Any]
    Order = tuple[str, str, str]

SEPARATOR = b",\n\n"
_SMALLEST_BUCKET = 16
_encode = json.JSONEncoder(ensure_ascii=False).encode


class Map:
    """An immutable hash map in about √N shards."""

    __slots__ = ("_count", "_mask", "_shards")

    def __init__(self, shards: tuple[dict[str, Any], ...] = ({},), count: int = 0) -> None:
        self._shards = shards
        self._mask = len(shards) - 1
        self._count = count

    @classmethod
    def of(cls, entries: dict[str, Any]) -> Map:
        number = 1
        while number * number * 4 < len(entries):
            number *= 2
        if number == 1:
            return cls((entries,), len(entries))
        shards: tuple[dict[str, Any], ...] = tuple({} for _ in range(number))
        for key, value in entries.items():
            shards[hash(key) & (number - 1)][key] = value
        return cls(shards, len(entries))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: str) -> bool:
        return key in self._shards[hash(key) & self._mask]

    def __iter__(self) -> Iterator[str]:
        for shard in self._shards:
            yield from shard

    def get(self, key: str) -> Any:
        return self._shards[hash(key) & self._mask].get(key)

    def put(self, key: str, value: Any) -> Map:
        at = hash(key) & self._mask
        shard = dict(self._shards[at])
        shard[key] = value
        grown = len(shard) - len(self._shards[at])
        return self._with(at, shard, self._count + grown)

    def delete(self, key: str) -> Map:
        at = hash(key) & self._mask
        if key not in self._shards[at]:
            return self
        shard = dict(self._shards[at])
        del shard[key]
        return self._with(at, shard, self._count - 1)

    def _with(self, at: int, shard: dict[str, Any], count: int) -> Map:
        shards = (*self._shards[:at], shard, *self._shards[at + 1 :])
        if count > 16 * len(shards) * len(shards):
            return Map.of({key: value for each in shards for key, value in each.items()})
        return Map(shards, count)


class Bucket:
    """Neighbouring records of a table; their encoded bytes are made once and kept.

    ``former`` is the bucket that this one came from: what both hold is not encoded anew.
    """

    __slots__ = ("_encoded", "_former", "_sum", "first", "last", "records")

    def __init__(
        self, records: dict[str, Record], first: Order, last: Order, encoded: bytes | None = None, former: Bucket | None = None
    ) -> None:
        self.records = records
        self.first = first
        self.last = last
        self._encoded = encoded
        self._sum = b""
        self._former: Bucket | None = former._former if former is not None and former._encoded is None else former

    def encoded(self) -> bytes:
        """The records as members of a JSON object, one a line."""
        if self._encoded is None:
            former = self._former
            old, lines = (former.records, former._lines()) if former is not None else ({}, {})
            self._encoded = b",\n".join(
                [
                    lines[key] if key in lines and old[key] is record else f"{_encode(key)}: {_encode(record)}".encode()
                    for key, record in self.records.items()
                ]
            )
            self._former = None
        return self._encoded

    def sum(self) -> bytes:
        self._sum = self._sum or sum_of(self.encoded())
        return self._sum

    def _lines(self) -> dict[str, bytes]:
        """The line of each record; none where the bytes, written by somebody else, cannot be told apart so simply."""
        lines = self._encoded.split(b",\n") if self._encoded is not None else []
        return dict(zip(self.records, lines)) if len(lines) == len(self.records) else {}


def sum_of(data: bytes) -> bytes:
    """That these bytes are those that were written, short of a chance in four thousand million; no proof against intent."""
    return crc32(data).to_bytes(4, "big")


def sum_of_table(sums: list[bytes]) -> str:
    """Of those of its buckets."""
    return sum_of(b"".join(sums)).hex()


class Table:
    """Records by key, listed by ``created_at``, then id (``id_field`` of the record, or the key where it is empty), then key.

    A record is never changed in place: ``put`` takes the new one.
    """

    __slots__ = ("_id_field", "_records", "buckets")

    def __init__(self, id_field: str = "", buckets: tuple[Bucket, ...] = (), records: Map | None = None) -> None:
        self._id_field = id_field
        self.buckets = buckets
        self._records = Map() if records is None else records

    @classmethod
    def of(cls, id_field: str, records: dict[str, Record]) -> Table:
        """A table of many records at once, whatever their order."""
        table = cls(id_field)
        keys = sorted(records, key=lambda key: table._order(key, records[key]))
        size = max(_SMALLEST_BUCKET, int(len(keys) ** 0.5))
        chunks = [{key: records[key] for key in keys[at : at + size]} for at in range(0, len(keys), size)]
        return cls(id_field, tuple(table._bucket(chunk) for chunk in chunks), Map.of(dict(records)))

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def get(self, key: str) -> Record | None:
        record: Record | None = self._records.get(key)
        return record

    def encoded(self) -> list[bytes]:
        """Each bucket's bytes."""
        return [bucket.encoded() for bucket in self.buckets]

    def sum(self) -> str:
        return sum_of_table([bucket.sum() for bucket in self.buckets])

    def items(self) -> Iterator[tuple[str, Record]]:
        for bucket in self.buckets:
            yield from bucket.records.items()

    def page(self, offset: int = 0, limit: int | None = None) -> list[tuple[str, Record]]:
        """``limit`` records from the ``offset``-th on; whole buckets are skipped, not walked."""
        found: list[tuple[str, Record]] = []
        wanted = len(self) if limit is None else limit
        for bucket in self.buckets:
            if offset >= len(bucket.records):
                offset -= len(bucket.records)
                continue
            if len(found) >= wanted:
                break
            found.extend(list(bucket.records.items())[offset : offset + wanted - len(found)])
            offset = 0
        return found

    def put(self, key: str, record: Record) -> Table:
        old = self.get(key)
        order = self._order(key, record)
        if old is not None and self._order(key, old) != order:
            return self.delete(key).put(key, record)
        at = self._position(order)
        changed = self._placed(at, key, record, order)
        if at < 0:
            at = 0
        return self._with(at, changed, self._records.put(key, record))

    def delete(self, key: str) -> Table:
        old = self.get(key)
        if old is None:
            return self
        at = self._position(self._order(key, old))
        rest = dict(self.buckets[at].records)
        del rest[key]
        changed = (self._bucket(rest, self.buckets[at]),) if rest else ()
        return self._with(at, changed, self._records.delete(key))

    def with_buckets(self, buckets: tuple[Bucket, ...]) -> tuple[Table, dict[str, Record], dict[str, Record]]:
        """The table that these buckets make, with the records that left and those that came since this one."""
        kept = {id(bucket) for bucket in buckets} & {id(bucket) for bucket in self.buckets}
        gone = {key: record for each in self.buckets if id(each) not in kept for key, record in each.records.items()}
        come = {key: record for each in buckets if id(each) not in kept for key, record in each.records.items()}
        if len(gone) + len(come) > 64 + len(self) // 8:
            records = Map.of({key: record for each in buckets for key, record in each.records.items()})
        else:
            records = self._records
            for key in gone.keys() - come.keys():
                records = records.delete(key)
            for key, record in come.items():
                records = records.put(key, record)
        return Table(self._id_field, buckets, records), gone, come

    def read_bucket(self, encoded: bytes) -> Bucket:
        """``ValueError`` where the bytes are not one record a line, in order, or could not be written again as they are."""
        records = decode_json("{" + encoded.decode() + "}")
        if not records or encoded.count(b"\n") + 1 != len(records):
            raise ValueError("a bucket holds one record a line, each key once")
        if b"\\u" in encoded:
            _encode(records).encode()
        orders = [self._order(key, record) for key, record in records.items()]
        if orders != sorted(orders):
            raise ValueError("a bucket holds its records in order")
        return Bucket(records, orders[0], orders[-1], encoded)

    def _bucket(self, records: dict[str, Record], former: Bucket | None = None) -> Bucket:
        keys = list(records)
        return Bucket(records, self._order(keys[0], records[keys[0]]), self._order(keys[-1], records[keys[-1]]), former=former)

    def _order(self, key: str, record: Record) -> Order:
        # The key comes last: two records of one moment may share an id where somebody edited the file.
        return record["created_at"], record[self._id_field] if self._id_field else key, key

    def _position(self, order: Order) -> int:
        """The bucket that holds, or would hold, what stands at this place; -1 in an empty table."""
        if not self.buckets or order >= self.buckets[-1].first:
            return len(self.buckets) - 1
        return max(0, bisect_right([bucket.first for bucket in self.buckets], order) - 1)

    def _placed(self, at: int, key: str, record: Record, order: Order) -> tuple[Bucket, ...]:
        """The bucket at ``at`` with the record in its place: two of them where it was full."""
        if at < 0:
            return (self._bucket({key: record}),)
        bucket = self.buckets[at]
        full = len(bucket.records) >= max(_SMALLEST_BUCKET, int(len(self) ** 0.5))
        if order > bucket.last:
            if full:
                return (bucket, self._bucket({key: record}))
            return (self._bucket({**bucket.records, key: record}, bucket),)
        records = {**bucket.records, key: record}
        if key in bucket.records:
            return (self._bucket(records, bucket),)
        keys = sorted(records, key=lambda each: self._order(each, records[each]))
        halves = (keys[: len(keys) // 2], keys[len(keys) // 2 :]) if full else (keys,)
        return tuple(self._bucket({each: records[each] for each in half}, bucket) for half in halves)

    def _with(self, at: int, changed: Iterable[Bucket], records: Map) -> Table:
        buckets = (*self.buckets[:at], *changed, *self.buckets[at + 1 :])
        if len(buckets) > _SMALLEST_BUCKET + 4 * int(len(records) ** 0.5):
            return Table.of(self._id_field, {key: record for bucket in buckets for key, record in bucket.records.items()})
        return Table(self._id_field, buckets, records)


class Unread:
    """A table as it stands in the file, its bytes known by their sum to be what was written; taken apart when it is first asked for."""

    __slots__ = ("_pieces", "_read", "_sum", "_table")

    def __init__(self, pieces: list[bytes], found: str, read: Callable[[list[bytes]], Table]) -> None:
        self._pieces = pieces
        self._sum = found
        self._read = read
        self._table: Table | None = None

    @property
    def is_read(self) -> bool:
        return self._table is not None

    def table(self) -> Table:
        """Always the same one, but for threads that ask at the same moment."""
        if self._table is None:
            self._table = self._read(self._pieces)
        return self._table

    def encoded(self) -> list[bytes]:
        return self._pieces

    def sum(self) -> str:
        return self._sum
