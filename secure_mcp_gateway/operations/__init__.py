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
}
_ORDER_OF_DOCS = ("configs", "servers", "projects", "users", "api_keys", "whoami", "system", "admin_keys", "settings")


def all_operations() -> tuple[Operation, ...]:
    """In the order of the docs."""
    return tuple(row for module in _ORDER_OF_DOCS for row in _rows(module))


def for_noun(noun: str) -> tuple[Operation, ...]:
    """``KeyError`` for what is no noun."""
    return tuple(row for module in MODULES[noun] for row in _rows(module))


def _rows(module: str) -> tuple[Operation, ...]:
    from importlib import import_module

    rows: tuple[Operation, ...] = import_module(f"{__name__}.{module}").OPERATIONS
    return rows
