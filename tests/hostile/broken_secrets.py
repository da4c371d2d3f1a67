"""Variants of the product that tell a secret: each breaks one promise in this process for good."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any, Callable

from secure_mcp_gateway import errors
from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations import operation
from secure_mcp_gateway.repository import admin_keys, api_keys, configs, key_secrets, names, projects, users
from secure_mcp_gateway.store import audit
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response


def logs_the_header() -> None:
    """Writes each request's Authorization field to standard error."""
    plain = ManagementApp.__call__

    def logging(self: ManagementApp, request: Request) -> Response:
        print("authorization:", request.header("authorization"), file=sys.stderr, flush=True)
        return plain(self, request)

    ManagementApp.__call__ = logging  # type: ignore[method-assign]


def audits_secrets() -> None:
    """Takes a secret that names a key for a name."""
    operation._may_be_named = lambda param, value: True
    audit.masked = audit._safe_name = lambda value: value
    plain = audit.AuditEntry.line

    def line(self: Any, result: str, generation: Any, resolved: dict[str, str], is_secret: Callable[[str], bool]) -> Any:
        return plain(self, result, generation, resolved, lambda text: False)

    audit.AuditEntry.line = line  # type: ignore[method-assign]


def keeps_plain_keys() -> None:
    """Stores a key as it is, beside its digest."""
    plain = key_secrets.fresh_key

    def keeping(call: Any, prefix: str, days: Any) -> Any:
        secret, fields = plain(call, prefix, days)
        return secret, {**fields, "note": secret}

    api_keys.fresh_key = admin_keys.fresh_key = keeping


def keeps_keys_in_hexadecimal() -> None:
    """Stores a key in another spelling."""
    plain = key_secrets.fresh_key

    def keeping(call: Any, prefix: str, days: Any) -> Any:
        secret, fields = plain(call, prefix, days)
        return secret, {**fields, "note": secret.encode().hex()}

    api_keys.fresh_key = admin_keys.fresh_key = keeping


def quotes_everything() -> None:
    """Says again whatever was typed in another thing's place."""
    errors.masked = lambda text: text
    for module in (names, configs, projects, users):
        module.quoted = repr  # type: ignore[attr-defined]


def leaves_a_copy() -> None:
    """Writes each new key to a temporary file for a moment."""
    plain = key_secrets.fresh_key

    def copying(call: Any, prefix: str, days: Any) -> Any:
        made = plain(call, prefix, days)
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(made[0])
        os.rename(file.name, file.name + ".old")
        return made

    api_keys.fresh_key = admin_keys.fresh_key = copying
