"""What is answered without a key: health, the API's description, and the pages with their files."""

from __future__ import annotations

import json
from functools import cache

from secure_mcp_gateway import __version__
from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.api.pages.assets import Asset, accepts_gzip, our_assets
from secure_mcp_gateway.errors import NotFound
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.web.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.store import Store
    from secure_mcp_gateway.web.request import Request

# Nothing from elsewhere, nothing inline; text that holds markup cannot become markup, not even by a mistake in a script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_NOSNIFF = ("X-Content-Type-Options", "nosniff")
_CHECKED = ("Cache-Control", "no-cache")
_FOR_PAGES = [
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    _CHECKED,
]
_FOR_FILES = [("Cache-Control", "public, max-age=31536000, immutable")]
_PAGES = {"/": "console.html", "/docs": "docs.html", "/redoc": "redoc.html"}
_DESCRIPTION = "/openapi.json"
PUBLIC_METHODS = ("GET", "HEAD", "OPTIONS")


def public_page(request: Request, store: Store) -> Response | None:
    """The answer to a GET that needs no key; None for every other path. ``Unavailable`` where the store cannot be read."""
    path = without_slash(request.raw_path)
    if path == "/health":
        return _health(store)
    if path == _DESCRIPTION:
        return _sent(_description(), request, [_CHECKED])
    if path in _PAGES:
        return _sent(our_assets().pages[_PAGES[path]], request, _FOR_PAGES)
    if path.startswith("/assets/"):
        return _sent(_file(path), request, _FOR_FILES)
    return None


def is_public(raw_path: str) -> bool:
    path = without_slash(raw_path)
    return path in _PAGES or path in ("/health", _DESCRIPTION) or path in our_assets().files


def without_slash(raw_path: str) -> str:
    return raw_path[:-1] if len(raw_path) > 1 and raw_path.endswith("/") else raw_path


def _sent(asset: Asset, request: Request, headers: list[tuple[str, str]]) -> Response:
    whole = [("Content-Type", asset.media_type), _NOSNIFF, ("Vary", "Accept-Encoding"), *headers]
    if accepts_gzip(request.header("accept-encoding")):
        return Response(200, asset.packed, [*whole, ("Content-Encoding", "gzip")])
    return Response(200, asset.content, whole)


def _file(path: str) -> Asset:
    found = our_assets().files.get(path)
    if found is None:
        raise NotFound("there is no such file", "load the page again: its files have other names since the last update")
    return found


def _health(store: Store) -> Response:
    generation = store.snapshot().generation
    data = {"status": "ok", "version": __version__}
    answer = {"message": "Healthy", "data": data, "timestamp": now_text()}
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("ETag", f'"{generation}"')]
    return Response(200, json.dumps(answer).encode(), headers)


@cache
def _description() -> Asset:
    return Asset(json.dumps(openapi_document(), ensure_ascii=False).encode(), "application/json")
