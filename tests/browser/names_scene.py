"""Names that are hard to set: as long as an older store may hold, without a place to break, from right to left, of signs that join."""

from __future__ import annotations

from typing import Any

from secure_mcp_gateway.store.document import Draft

LONG = "Incident-response-and-customer-data-of-all-regions-" * 5
NAMES = (
    LONG,
    "The archive of the support team, with everything that was ever asked and answered, by year, by region and by product line, read only",
    "قسم البحث والتطوير (المشروع الثاني) 2026",
    "צוות התמיכה",
    "👩🏽‍🚀👨‍👩‍👧‍👦 Rocket 🚀 é̂̃ ﷽",
    "研究開発部門の共有プロジェクト",
)
EMAIL = f"{'a-very-long-mailbox-of-somebody' * 2}@{'department.' * 16}example.com"
_TEXT = "Reads and writes what the whole company keeps. " * 12
_PLACE = "https://gateway.example.com/" + "a-path-without-an-end/" * 20


def rename(draft: Draft) -> None:
    """Gives such names to configs, projects and users of a store, and to servers and tools."""
    for table, field in (("mcp_configs", "mcp_config_name"), ("projects", "project_name")):
        for (key, record), name in zip(list(draft.table(table).items()), NAMES):
            draft.put(table, key, {**record, field: name})
    (key, record), *_ = draft.table("users").items()
    draft.put("users", key, {**record, "email": EMAIL})
    for key, record in list(draft.table("mcp_configs").items())[:2]:
        draft.put("mcp_configs", key, {**record, "mcp_config": [_server(), *record["mcp_config"]]})


def _server() -> dict[str, Any]:
    tools = dict.fromkeys((*NAMES, *(f"tool_{number}" for number in range(150))), "")
    config = {"url": _PLACE, "headers": {"X-Name": LONG}}
    policies = {f"{kind}_guardrails_policy": {"enabled": True, "policy_name": LONG} for kind in ("input", "output", "tool")}
    return {"server_name": "s" * 64, "description": _TEXT, "config": config, "tools": tools, "denied_tools": [LONG], **policies}
