"""Lists a page at a time."""

from __future__ import annotations

from secure_mcp_gateway.repository.call import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from secure_mcp_gateway.store.document import Document, Record

    T = TypeVar("T")


def table_page(document: Document, table: str, limit: int | None, offset: int | None, view: Callable[[str, Record], Any]) -> Listing:
    """A page of a whole table; only its records are walked and viewed."""
    records = document.table(table)
    return Listing([view(key, record) for key, record in records.page(offset or 0, limit)], len(records))


def page(items: Sequence[T], limit: int | None, offset: int | None, view: Callable[[T], Any]) -> Listing:
    """A page of what was collected already; only its items are viewed."""
    start = offset or 0
    end = len(items) if limit is None else start + limit
    return Listing([view(item) for item in items[start:end]], len(items))
