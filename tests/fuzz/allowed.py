"""Where schemathesis is wrong about us: what it takes for a fault, by name, and why it is none. Nothing else is let through."""

from __future__ import annotations

import re

# What a request that fits its schema is refused for all the same: words of the refusal, and why the schema does not say it.
RULES = {
    r"must not (begin or end with a blank|hold control|hold blanks)": "Unicode's categories, in the rules of names",
    r"^(server_url|url) must be an http or https URL with a host": "what makes a host and a port",
    r"^headers goes with a URL|^(args|env) goes with a command": "what goes with a command or with a URL alone, as the server has one",
    r"^tools\..* (is a restriction that cannot be kept|has no meaning) here": "what would restrict a tool, by the words of a field's name",
    r"^data(\.| is|\[| must| holds)|^this cannot be (restored|imported|applied)": "whole documents, judged by their own checks",
    r"^(input_file|output_file|policy_file|\w+_policy_file) ": "files: whether one is there, and what is in it",
    r"^the store has generation": "If-Match: at which generation the store is",
}
# Taken for a thing that was deleted, or made, and is none: words of the answer's body there.
NO_THINGS = {
    # DELETE empties a list, which stays.
    "GET /api/v1/configs/{config_identifier}/servers": '"data":[]',
    "GET /api/v1/projects/{project_identifier}/users": '"data":[]',
    "GET /api/v1/users/{user_identifier}/api-keys": '"data":[]',
    # A new project has none.
    "GET /api/v1/projects/{project_identifier}/config": "has no config assigned",
    # Not what was made, but what else the body names.
    "POST /api/v1/projects/{project_identifier}/users": "no user has the ",
}
# Which other methods a path takes because it is an identifier, too: "A literal segment wins over an identifier only for the methods it
# defines", so Allow names those as well, which stand under the other template in the document.
ALLOW = {
    "/api/v1/configs/copy": "DELETE, GET, HEAD, OPTIONS, POST",
    "/api/v1/configs/import": "DELETE, GET, HEAD, OPTIONS, POST",
    "/api/v1/configs/search": "DELETE, GET, HEAD, OPTIONS, POST",
    "/api/v1/projects/search": "DELETE, GET, HEAD, OPTIONS, POST",
    "/api/v1/users/search": "DELETE, GET, HEAD, OPTIONS, POST, PUT",
    "/api/v1/api-keys/rotate": "DELETE, GET, HEAD, OPTIONS, POST",
}


def rule_of(status: int, detail: str) -> str:
    """The rule that this refusal names, or nothing."""
    if status not in (400, 412):
        return ""
    return next((rule for rule in RULES if re.search(rule, detail)), "")
