"""A store for desired documents to be applied to, and some documents."""

from __future__ import annotations

import copy
import json
from typing import Any

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository import configs
from secure_mcp_gateway.repository.desired import apply_desired, export_desired
from secure_mcp_gateway.store.document import Draft
from tests.repository.fakes import RuleTest

ENV_SECRET, HEADER_SECRET = "marked-token", "Bearer marked-header"
FILES = {"server_name": "files", "config": {"command": "run", "args": ["-a"], "env": {"TOKEN": ENV_SECRET}}, "tools": {"read": "Reads"}}
WEB = {"server_name": "web", "config": {"url": "https://x.example.com/mcp", "headers": {"Authorization": HEADER_SECRET}}}


def document(**sections: Any) -> dict[str, Any]:
    return {"kind": "secure-mcp-gateway/desired", "version": 1, **copy.deepcopy(sections)}


def whole() -> dict[str, Any]:
    return document(
        configs=[{"name": "tools", "servers": [FILES, WEB]}, {"name": "spare", "servers": []}],
        projects=[{"name": "research", "config": "tools", "users": ["ada@example.com", "bob@example.com"]}, {"name": "empty"}],
        users=["ada@example.com", {"email": "bob@example.com"}],
    )


class DesiredTest(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.draft.safety_backup = "/backups/b.json"

    def apply(self, data: Any, **values: Any) -> Any:
        """On a draft of its own, as each commit has; the content goes on."""
        self.draft = Draft(self.draft.sealed(self.draft.generation + 1))
        self.draft.safety_backup = "/backups/b.json"
        return self.run_rule(apply_desired, data=data, **values)

    def told(self, data: Any, **values: Any) -> list[str]:
        return [
            " ".join(filter(None, (each["action"], each["kind"], each["name"], *each["fields"], str(each["api_keys"] or ""))))
            for each in self.apply(data, **values)["changes"]
        ]

    def refusal(self, data: Any, **values: Any) -> str:
        return self.refused(InvalidRequest, apply_desired, data=data, **values)

    def exported(self) -> Any:
        return json.loads(json.dumps(self.run_rule(export_desired)))

    def servers_of(self, config: str = "tools") -> list[Any]:
        shown: list[Any] = self.run_rule(configs.get_config, config_identifier=config)["mcp_config"]
        return shown
