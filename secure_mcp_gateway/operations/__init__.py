"""The table of everything that the product can do; a noun's rows are loaded when they are asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.operations.operation import Operation

# Each noun of the command line with the modules that hold its rows.
MODULES: dict[str, tuple[str, ...]] = {
    "config": ("configs", "servers", "settings"),
    "project": ("projects",),
    "user": ("users", "api_keys"),
    "admin-key": ("admin_keys",),
    "system": ("system",),
    "whoami": ("whoami",),
    "apply": ("apply",),
}
# The modules in the order in which people read about them, each with what the docs call it and say of it.
_SECTIONS: tuple[tuple[str, str, str], ...] = (
    ("configs", "Configs", "Named sets of MCP servers. A project has one, and all its users reach the servers in it."),
    ("servers", "Servers", "The MCP servers of a config: how each is started or reached, which tools are allowed, what is inspected."),
    ("projects", "Projects", "Groups of users that share one config."),
    ("users", "Users", "People and agents, known by their e-mail addresses."),
    ("api_keys", "API keys", "The secrets that users' clients come with, each for one user in one project. A secret is shown once."),
    ("whoami", "System", "Who calls, and the store as a whole: health, audit, backup, restore."),
    ("system", "System", ""),
    ("apply", "System", ""),
    ("admin_keys", "Admin keys", "The secrets that may do everything, each with a name. One always works."),
    ("settings", "Settings", "What the gateway is told once: telemetry, and the key for Enkrypt's guardrails."),
)


def sections() -> tuple[tuple[str, str, tuple[Operation, ...]], ...]:
    """(name, description, rows) in the order of the docs; a name that comes twice is one section."""
    return tuple((name, description, _rows(module)) for module, name, description in _SECTIONS)


def all_operations() -> tuple[Operation, ...]:
    """In the order of the docs."""
    return tuple(row for module, _, _ in _SECTIONS for row in _rows(module))


def for_noun(noun: str) -> tuple[Operation, ...]:
    """``KeyError`` for what is no noun."""
    return tuple(row for module in MODULES[noun] for row in _rows(module))


def by_name(name: str) -> Operation:
    """The row of a command; ``KeyError`` for what is none."""
    rows = {row.name: row for row in for_noun(name.partition(" ")[0])}
    return rows[name]


def _rows(module: str) -> tuple[Operation, ...]:
    from importlib import import_module

    rows: tuple[Operation, ...] = import_module(f"{__name__}.{module}").OPERATIONS
    return rows
