"""What is answered without a key: health, the API's description, and plain pages that list the operations."""

from __future__ import annotations

import html
import json

from secure_mcp_gateway import __version__
from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.errors import NotFound
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.web.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.store import Store

_POLICY = ("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
_HTML = [("Content-Type", "text/html; charset=utf-8"), _POLICY, ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache")]
_JSON = [("Content-Type", "application/json"), ("Cache-Control", "no-cache")]
_PAGES = ("/", "/docs", "/redoc")
PUBLIC_METHODS = ("GET", "HEAD", "OPTIONS")
_made: dict[str, bytes] = {}


def public_page(raw_path: str, store: Store) -> Response | None:
    """The answer to a GET that needs no key; None for every other path. ``Unavailable`` where the store cannot be read."""
    path = without_slash(raw_path)
    if path == "/health":
        return _health(store)
    if path == "/openapi.json":
        return Response(200, _once(path), _JSON)
    if path in _PAGES:
        return Response(200, _once(path), _HTML)
    if path.startswith("/assets/"):
        raise NotFound("there is no such file")
    return None


def is_public(raw_path: str) -> bool:
    return without_slash(raw_path) in (*_PAGES, "/health", "/openapi.json")


def without_slash(raw_path: str) -> str:
    return raw_path[:-1] if len(raw_path) > 1 and raw_path.endswith("/") else raw_path


def _health(store: Store) -> Response:
    generation = store.snapshot().generation
    data = {"status": "ok", "version": __version__}
    answer = {"message": "Healthy", "data": data, "timestamp": now_text()}
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("ETag", f'"{generation}"')]
    return Response(200, json.dumps(answer).encode(), headers)


def _once(path: str) -> bytes:
    if path not in _made:
        text = json.dumps(openapi_document(), ensure_ascii=False) if path == "/openapi.json" else _page(path)
        _made[path] = text.encode()
    return _made[path]


def _page(path: str) -> str:
    rows = "" if path == "/" else "<table>" + "".join(_row(row.method, row.path, row.summary) for row in all_operations()) + "</table>"
    links = " ".join(f'<a href="{each}">{each}</a>' for each in ("/docs", "/redoc", "/openapi.json", "/health"))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Secure MCP Gateway</title>'
        f"<h1>Secure MCP Gateway {__version__}</h1><p>{links}</p>{rows}</html>"
    )


def _row(method: str, path: str, summary: str) -> str:
    return f"<tr><td>{method}</td><td>{html.escape(path)}</td><td>{html.escape(summary)}</td></tr>"
