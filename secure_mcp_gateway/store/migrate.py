"""Files of other makes: documents of Enkrypt's gateway (2.1 and 2.2 lines) in the shape of ours."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.store.document import Document


def document_of_older(content: dict[str, Any], now: str) -> Document:
    raise NotImplementedError


def server_from_enkrypt(server: dict[str, Any]) -> dict[str, Any]:
    raise NotImplementedError
