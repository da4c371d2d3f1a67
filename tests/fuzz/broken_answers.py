"""Variants of the product whose answers are not those of its OpenAPI document, each in one way: it breaks this process for good."""

from __future__ import annotations

import json
from typing import Any

from secure_mcp_gateway.api import access, app
from secure_mcp_gateway.errors import Conflict
from secure_mcp_gateway.repository.call import ADMIN, Caller
from secure_mcp_gateway.store.document import Draft


def takes_any_json() -> None:
    """A body that is no object is not refused."""
    app.read_body = lambda body: json.loads(body) if body else {}


def another_status() -> None:
    Conflict.status = 418


def another_shape() -> None:
    """Each answer has a field that the document does not know."""
    encode = app.encode_json
    app.encode_json = lambda answer: encode({**answer, "debug": True})


def lets_everyone_in() -> None:
    def caller(document: Any, request: Any, now: str) -> Caller:
        try:
            return access.bearer_caller(document, request, now)
        except access.Unauthorized:
            return Caller(ADMIN, "adm_0000000000000000", "anyone")

    app.bearer_caller = caller


def keeps_what_is_deleted() -> None:
    Draft.delete = lambda self, table, key: None  # type: ignore[method-assign]


def takes_any_field() -> None:
    app.Inputs._refuse_unknown = lambda self, where, given, places: None  # type: ignore[method-assign]
