"""A whole setup as one document: making the store so, and writing how it is."""

from __future__ import annotations

from secure_mcp_gateway.repository.desired_difference import CHANGE, CREATE, REMOVE, Difference
from secure_mcp_gateway.repository.desired_document import exported
from secure_mcp_gateway.repository.desired_setup import read_setup
from secure_mcp_gateway.repository.names import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft, Record

_MOST_NAMED = 5


def apply_desired(draft: Draft, call: Call, *, data: Any, prune: bool | None = None, dry_run: bool | None = None) -> Record:
    """All of it or nothing. What it does not name stays, unless ``prune``: then what is not in a section that is there goes, its API
    keys with it. Where nothing differs nothing is written; where it only adds there is no backup."""
    setup = read_setup(draft, call, data, bool(prune))
    difference = Difference(draft, setup, call.now)
    created, changed, removed = (difference.count(action) for action in (CREATE, CHANGE, REMOVE))
    draft.is_idle = not difference.changes
    if not changed and not removed:
        draft.safety_backup = None
    if not dry_run:
        difference.make(draft)
    keys = len(difference.gone["apikeys"])
    draft.names["changes"] = f"{created} created, {changed} changed, {removed} removed, {counted(keys, 'API key')} deleted"
    if removed:
        draft.names["removed"] = _named([each for each in difference.changes if each["action"] == REMOVE])
    return {
        "changes": difference.changes,
        "created": created,
        "changed": changed,
        "removed": removed,
        "api_keys_deleted": keys,
        "warnings": setup.warnings,
        "safety_backup": draft.safety_backup,
    }


def export_desired(draft: Draft, call: Call) -> Record:
    """Environment and headers of servers are in it, as they are part of them; no key of ours and no setting is."""
    return exported(draft)


def _named(changes: list[Record]) -> str:
    """For the audit, some of them: those first that take most API keys along."""
    first = sorted(changes, key=lambda each: -int(each["api_keys"]))[:_MOST_NAMED]
    rest = [f"{len(changes) - _MOST_NAMED} more"] if len(changes) > _MOST_NAMED else []
    return ", ".join([f"{each['kind']} {each['name']}" for each in first] + rest)
