"""The inputs that many rows share: what names a thing, and which page of a list."""

from __future__ import annotations

from secure_mcp_gateway.operations import schemas
from secure_mcp_gateway.params import (
    ADMIN_KEYS,
    API_KEYS,
    BOOLEAN,
    CONFIGS,
    FILE,
    INTEGER,
    NAME,
    PATH,
    PROJECTS,
    QUERY,
    SECRET,
    SERVERS,
    STRING,
    USERS,
    Param,
)

CONFIG = Param(
    "config_identifier",
    NAME,
    "The config's name or id.",
    place=PATH,
    flags=("config-name", "config-id"),
    example="default_config",
    completes=CONFIGS,
)
PROJECT = Param(
    "project_identifier",
    NAME,
    "The project's name or id.",
    place=PATH,
    flags=("project-name", "project-id"),
    example="default_project",
    completes=PROJECTS,
)
USER = Param(
    "user_identifier",
    NAME,
    "The user's e-mail address or id.",
    place=PATH,
    flags=("email", "user-id"),
    example="ada@example.com",
    completes=USERS,
)
SERVER = Param("server_name", NAME, "The server's name in its config.", place=PATH, example="echo_server", completes=SERVERS)
API_KEY = Param("api_key", SECRET, "The key's public id, or its secret.", place=PATH, example="key_0123456789abcdef", completes=API_KEYS)
ADMIN_KEY = Param(
    "admin_key",
    SECRET,
    "The admin key's public id, its name, or its secret.",
    place=PATH,
    example="adm_0123456789abcdef",
    completes=ADMIN_KEYS,
)

SEARCH_TERM = Param(
    "search_term",
    STRING,
    "A part of the name; upper and lower case are the same.",
    required=True,
    schema=schemas.SEARCH_TERM,
    example="default",
)
_MOST = 10**15
LIMIT = Param(
    "limit", INTEGER, "At most so many entries; all of them where it is not given.", place=QUERY, minimum=0, maximum=_MOST, example=50
)
OFFSET = Param("offset", INTEGER, "Leave out so many entries at the beginning.", place=QUERY, minimum=0, maximum=_MOST, example=0)
PAGED = (LIMIT, OFFSET)

DRY_RUN = Param("dry_run", BOOLEAN, "Check everything and change nothing.", example=False)
OVERWRITE = Param("overwrite", BOOLEAN, "Write over a file that is not an earlier export.", example=False)
EXPIRES_IN_DAYS = Param("expires_in_days", INTEGER, "The key stops working after so many days.", minimum=1, maximum=3650, example=90)


def new_name(name: str, help: str, example: str) -> Param:
    """Of a config, a project or an admin key."""
    return Param(name, NAME, help, required=True, schema=schemas.NEW_NAME, example=example)


def new_email(name: str, help: str, example: str) -> Param:
    return Param(name, NAME, help, required=True, schema=schemas.NEW_EMAIL, example=example)


def new_server_name(name: str, help: str, example: str, *, required: bool) -> Param:
    return Param(name, NAME, help, required=required, schema=schemas.NEW_SERVER_NAME, example=example)


def output_file(help: str, example: str, default: str | None = None) -> Param:
    return Param("output_file", FILE, help, example=example, default=default)
