"""What a thing may be called, and how it is found by its name or id."""

from __future__ import annotations

import re

from secure_mcp_gateway.errors import InvalidRequest, NotFound
from secure_mcp_gateway.store.document import email_key, normalised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document

LONGEST_NAME = 100
LONGEST_EMAIL = 254
SECRET_PREFIXES = ("smg_", "smga_")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Cs")
_MOST_COMPARED = 1000

# Each table with the index of its names, the field that holds the name, and how the lack of a thing is said.
_NAMED = {
    "mcp_configs": ("config_names", "mcp_config_name", "no config is called {}", "list the configs to see what they are called"),
    "projects": ("project_names", "project_name", "no project is called {}", "list the projects to see what they are called"),
    "users": ("user_emails", "email", "no user has the e-mail address {}", "list the users to see their addresses"),
}

NOUNS = {"mcp_configs": "config", "projects": "project", "users": "user"}


def check_name(text: str, field: str) -> str:
    """The name in NFC, as it is stored; for configs, projects and admin keys."""
    name = normalised(text)
    problem = _name_problem(name)
    if problem:
        raise InvalidRequest(f"{field} {problem}", f"take 1 to {LONGEST_NAME} visible characters")
    return name


def check_server_name(text: str, field: str = "server_name") -> str:
    problem = server_name_problem(text, field)
    if problem:
        raise InvalidRequest(problem)
    return text


def server_name_problem(text: str, field: str) -> str:
    if _SERVER_NAME.fullmatch(text):
        return ""
    return f"{field} must be 1 to 64 of the characters A-Z a-z 0-9 _ . - and begin with a letter or digit"


def check_email(text: str, field: str) -> str:
    """The address in NFC, as it is stored."""
    email = normalised(text)
    problem = _email_problem(email)
    if problem:
        raise InvalidRequest(f"{field} {problem}", "give one address such as name@example.com")
    return email


def unfit_names(document: Document) -> Iterator[tuple[str, str, str, str]]:
    """(table, key, name, problem) of what nothing could be called today: it came with a restore, which takes old names as they are,
    or from an editor."""
    for table, (_, field, _, _) in _NAMED.items():
        problem_of = _email_problem if table == "users" else _name_problem
        for key, record in document.table(table).items():
            problem = problem_of(record[field])
            if problem:
                yield table, key, record[field], problem


def searchable(text: str) -> str:
    return normalised(text).casefold()


def check_search_term(text: str) -> str:
    """The term as it is compared: casefolded."""
    if not text:
        raise InvalidRequest("search_term must not be empty", "give a part of the name that you look for")
    return searchable(text)


def looks_like_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def quoted(text: str) -> str:
    """The text for a message, shortened; never a secret that was typed in a name's place."""
    if text.startswith(SECRET_PREFIXES):
        return "'***'"
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "...")


def quoted_list(names: list[str]) -> str:
    """At most ten of the names, and how many more there are."""
    rest = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(quoted(name) for name in names[:10]) + rest


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def key_of(document: Document, table: str, identifier: str) -> str | None:
    """The key of the record with this id or name; an id wins."""
    if identifier in document.table(table):
        return identifier
    if looks_like_uuid(identifier) and identifier.lower() in document.table(table):
        return identifier.lower()
    return key_by_name(document, table, identifier)


def key_by_name(document: Document, table: str, name: str) -> str | None:
    """The key of the record that has this name. Names that came with a restore may not be NFC, so the exact one is tried first."""
    index = _NAMED[table][0]
    for each in (name, normalised(name)):
        found = document.found(index, email_key(each) if table == "users" else each)
        if found is not None:
            return found
    return None


def seen_key_of(document: Document, call: Call, table: str, own: str | None, identifier: str) -> str | None:
    """The key of the record with this id or name; for a user's key only of ``own``, the one that it may see."""
    return key_of(document, table, identifier) if call.caller.is_admin else own_key_of(document, table, own, identifier)


def own_key_of(document: Document, table: str, own: str | None, identifier: str) -> str | None:
    """``own`` where the identifier names its record. Nothing else is looked at: the time must not tell what else there is."""
    record = document.get(table, own) if own is not None else None
    if own is None or record is None:
        return None
    if identifier == own or (looks_like_uuid(identifier) and identifier.lower() == own):
        return own
    name, asked = record[_NAMED[table][1]], (identifier, normalised(identifier))
    return own if name in asked or (table == "users" and email_key(name) in map(email_key, asked)) else None


def no_such(document: Document, call: Call, table: str, identifier: str) -> NotFound:
    """The same for what is not there and for what the caller may not see."""
    _, field, message, hint = _NAMED[table]
    if looks_like_uuid(identifier):
        message = f"no {message.split()[1]} has the id {{}}"
    if not call.caller.is_admin:
        return NotFound(message.format(quoted(identifier)), "a user's key sees its own project alone")
    near = _near_name(document, table, field, identifier)
    return NotFound(message.format(quoted(identifier)), f"did you mean {quoted(near)}?" if near else hint)


def _near_name(document: Document, table: str, field: str, identifier: str) -> str:
    records = document.table(table)
    return nearest(identifier, [record[field] for _, record in records.items()]) if len(records) <= _MOST_COMPARED else ""


def nearest(name: str, names: list[str]) -> str:
    """The one of the names that is most like it; nothing where none is, or where they are too many to compare."""
    if len(names) > _MOST_COMPARED:
        return ""
    from difflib import get_close_matches

    # The addresses of one domain are all alike.
    cutoff = 0.85 if "@" in name else 0.6
    return next(iter(get_close_matches(name[:LONGEST_EMAIL], names, n=1, cutoff=cutoff)), "")


def _name_problem(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"must have 1 to {LONGEST_NAME} characters, not {len(name)}"
    if name != name.strip():
        return "must not begin or end with a blank"
    if _has_unseen(name):
        return "must not hold control, format, line-separator or surrogate characters"
    if name in (".", ".."):
        return "must not be . or .."
    return "must not look like an id (a UUID)" if looks_like_uuid(name) else ""


def _has_unseen(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    from unicodedata import category

    return any(category(character) in _UNSEEN for character in text)


def _email_problem(email: str) -> str:
    if len(email) > LONGEST_EMAIL:
        return f"must have at most {LONGEST_EMAIL} characters, not {len(email)}"
    if any(character.isspace() for character in email) or _has_unseen(email):
        return "must not hold blanks or control characters"
    local, at, domain = email.partition("@")
    if not (local and at) or "@" in domain:
        return "must have one @ with a name before it"
    labels = domain.split(".")
    return "" if len(labels) > 1 and all(labels) else "must have a dotted domain behind the @"
