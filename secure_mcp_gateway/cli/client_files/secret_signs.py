"""What looks like a secret: by its name, or by its own shape. Nothing here ever says one."""

from __future__ import annotations

import re

from secure_mcp_gateway.cli.client_files.references import without_references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Whole words of a name; the first ones also with others run into them, as in PGPASSWORD.
_NAME = re.compile(
    r"(?:^|[_-])(?:[a-z0-9]*(?:passw(?:or)?d|tokens?|secrets?|apikey)"
    r"|(?:api|access|auth|private|secret|signing|encryption|account|service)?_?keys?|(?:db|pg|my|smtp|mail|redis|user|admin|root)?_?pass"
    r"|passphrase|pwd|pat|jwt|credentials?|creds?|authorization|auth|bearer|cookie|dsn|connection_?string|database_url|db_url)(?:$|[_-])",
    re.IGNORECASE,
)
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET = re.compile(
    r"(?i)(true|false|yes|no|on|off|none|null|\d{1,6}|/[\w./-]*|~/.*|\./.*|[\w.-]*\.(json|pem|txt|ya?ml|key|crt|env)|<[^>]*>)?"
)
_SHAPES = re.compile(
    r"(?:\b|_)(?:sk|rk|pk)[-_][A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}"
    r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bsmga?_[\w-]{20,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\b(?:ntn|secret|lin_api|dop_v1|shpat|SG|whsec)[_.-][\w.-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
# As connection strings have it: ``Password=...;``.
_SPELLED = re.compile(r"(?:^|[;,&\s])(?:password|pwd|passwd|secret|token)=[^;,&\s]{3,}", re.IGNORECASE)
_FLAG = re.compile(r"--?([A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z][\w-]*)[=:](.+)", re.DOTALL)
_LONGEST = 4096


def is_secret(name: str, value: str) -> bool:
    """``name`` is the variable's, the header's or the flag's, or empty."""
    text = without_references(value[:_LONGEST])
    if not text or _NO_SECRET.fullmatch(text):
        return False
    return is_secret_name(name) or has_shape(text) or _SPELLED.search(text) is not None or ("://" in text and in_url(text) != "")


def is_secret_name(name: str) -> bool:
    return _NAME.search(_NEW_WORD.sub("_", name[:200])) is not None


def has_shape(text: str) -> bool:
    """Well-known beginnings, and long random text: letters of both cases and digits mixed, in no words."""
    text = text[:_LONGEST]
    return _SHAPES.search(text) is not None or any(_is_random(found[0]) for found in _RANDOM.finditer(text))


def secret_args(args: list[str]) -> Iterator[int]:
    """The positions of arguments that hold a secret: ``--token=X``, ``--token X``, ``Name: X``, or by their own shape."""
    before = ""
    for at, arg in enumerate(args):
        flag, pair = _FLAG.fullmatch(arg[:_LONGEST]), _PAIR.fullmatch(arg[:_LONGEST])
        name, value = (flag[1], flag[2] or "") if flag else (pair[1], pair[2]) if pair and "://" not in arg else (before, arg)
        if is_secret(name, value) or ("://" in arg and in_url(arg)):
            yield at
        before = flag[1] if flag and flag[2] is None else ""


def in_url(url: str) -> str:
    """Where in a URL a secret stands: ``password``, the name of a query's field, ``path``; nothing where there is none."""
    from urllib.parse import parse_qsl, urlsplit

    try:
        parts = urlsplit(url[:_LONGEST])
        fields = parse_qsl(parts.query, keep_blank_values=True)
        password = parts.password or ""
    except ValueError:
        return ""
    if without_references(password):
        return "password"
    name = next((name for name, value in fields if is_secret(name, value)), "")
    return name or ("path" if any(has_shape(without_references(part)) for part in parts.path.split("/")) else "")


def _is_random(text: str) -> bool:
    if "/" in text and not text.endswith("="):
        return False
    classes = (re.search("[a-z]", text), re.search("[A-Z]", text), re.search("[0-9]", text))
    digits = sum(character.isdigit() for character in text)
    if all(classes):
        return digits >= 2 and not re.search("[A-Za-z]{16}", text)
    return digits * 6 >= len(text) and len(text) >= 32 and bool(classes[0] or classes[1]) and text.count("-") < 3
