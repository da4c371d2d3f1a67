"""The README's table of operations, made from the table itself: ``python3 -m tests.readme_reference`` prints it."""

from __future__ import annotations

from secure_mcp_gateway.operations import MODULES, for_noun
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.params import COMMAND_LINE, PATH, Param

TITLES = {
    "config": "Configs, servers and settings",
    "project": "Projects",
    "user": "Users and API keys",
    "admin-key": "Admin keys",
    "system": "System",
    "whoami": "Who am I",
    "apply": "A whole setup as one document",
}


def reference() -> str:
    return "\n".join(_section(noun) for noun in MODULES)


def _section(noun: str) -> str:
    head = f"**{TITLES[noun]}**\n\n| command | request | inputs |\n| --- | --- | --- |\n"
    return head + "".join(_row(operation) for operation in for_noun(noun))


def _row(operation: Operation) -> str:
    path = operation.path.replace("/api/v1", "").replace("_identifier}", "}")
    inputs = ", ".join(_input(param) for param in operation.params if param.place != PATH)
    return f"| `{operation.name}` | `{operation.method} {path}` | {inputs} |\n"


def _input(param: Param) -> str:
    if param.place == COMMAND_LINE:
        return f"`--{param.flags[0]}` on the command line"
    names = [*param.names, param.file] if param.file else list(param.names)
    if param.file_flag != param.file.replace("_", "-"):
        return f"{_ways(names)} (`--{param.file_flag}` on the command line)"
    return _ways(names) + ("" if param.required else "?")


def _ways(names: list[str]) -> str:
    return " \\| ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(reference())
