"""Where schemathesis is wrong about us: what it takes for a fault, by name, and why it is none. Nothing else is let through."""

from __future__ import annotations

import re

# What a request that fits its schema is refused for all the same: words of the refusal, and why the schema does not say it.
RULES = {
    r"must have (1 to 100|at most 254) characters": "lengths count after NFC, in the rule of names",
    r"must not (begin or end with a blank|hold control|hold blanks|be \. or|look like an id)": "Unicode's categories, in the rule of names",
    r"^(server_command|server_url|url|api_key)\S* must ": "the rules of commands, URLs and foreign keys",
    r"server_command .*server_url|server_url .*server_command": "two fields of which a new server has one",
    r"(?s)^(args|env|headers|tools|denied_tools)\b.* must ": "the rules of a server's parts",
    r"^(input_|output_|tool_)?(guardrails_)?policy\S* (must|is)": "the fields of a policy, which may hold others",
    r"^(nothing to set|nothing to change|no policy|no change) is given|at least one of": "one of several fields, whichever it is",
    r"^confirm must be true": "the word that stands between a slip and a reset",
    r"^since must be an ISO 8601 time": "the forms of a time",
    r"^headers goes with a URL|^(args|env) go(es)? with a command": "parts that a server has with a URL or with a command alone",
    r"^data(\.| is|\[| must| holds)|^this cannot be (restored|imported)": "documents of three kinds, judged by their own checks",
    r"^(input_file|output_file|policy_file|\w+_policy_file) ": "files: whether one is there, and what is in it",
    r"^the store has generation|^If-Match": "If-Match: at which generation the store is",
    r"^the path .*UTF-8": "an identifier is text",
    r"^the target holds an encoded NUL": "NUL is taken nowhere in a target",
}
# Taken for a thing that was deleted, or made, and is none: words of the answer's body there.
NO_THINGS = {
    # DELETE empties a list, which stays.
    "/api/v1/configs/{config_identifier}/servers": '"data":[]',
    "/api/v1/projects/{project_identifier}/users": '"data":[]',
    "/api/v1/users/{user_identifier}/api-keys": '"data":[]',
    # A new project has none.
    "/api/v1/projects/{project_identifier}/config": "has no config assigned",
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
