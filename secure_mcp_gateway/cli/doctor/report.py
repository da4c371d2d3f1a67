"""The findings for people: a line or two for each, the command that mends it or what to do below it."""

from __future__ import annotations

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding
from secure_mcp_gateway.cli.output import marked
from secure_mcp_gateway.cli.table import clean, record_lines
from secure_mcp_gateway.repository.names import counted


def lines(found: list[Finding], width: int | None) -> list[str]:
    """``width`` None: lines may be as long as they are. What is to be typed is never broken."""
    levels, areas = max(len(each.level) for each in found), max(len(each.area) for each in found)
    made: list[str] = []
    for each in found:
        first, *more = record_lines({f"{each.level:<{levels}}  {each.area:<{areas}}": each.text}, width)
        made += [marked(first, each.level), *more]
        if each.fix and not each.fix.isprintable():
            made.append(f"{' ' * levels}  to do: what --format json says; it cannot be typed as it would be shown here")
        elif each.fix:
            made.append(f"{' ' * levels}  fix: {clean(each.fix)}")
        elif each.advice:
            made += [f"{' ' * levels}  {line}" for line in _wrapped(f"to do: {clean(each.advice)}", width, levels + 2)]
    return made


def _wrapped(text: str, width: int | None, indent: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, max(width - indent, 40), break_long_words=False, break_on_hyphens=False) if width else [text]


def summary(found: list[Finding]) -> str:
    count = {level: sum(each.level == level for each in found) for level in (PROBLEM, WARNING, OK)}
    return f"{counted(count[PROBLEM], 'problem')}, {counted(count[WARNING], 'warning')}, {count[OK]} in order"
