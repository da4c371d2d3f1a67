"""Text as it can be pasted into a shell: bash, zsh and fish read the same in it, and evaluate nothing of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def quote(text: str) -> str:
    """Unlike ``shlex.quote`` also for fish, to which a backslash means something in single quotes, and for words that begin with ``=``,
    which zsh takes for a command to look up, or are ``%self``, which fish takes for a process."""
    import re

    if re.fullmatch(r"[A-Za-z0-9_@+:,./-][A-Za-z0-9_@%+=:,./-]*", text):
        return text
    return re.sub(r"""(\\+)|('+)""", lambda found: f"""'"{found[0].replace(chr(92), chr(92) * 2)}"'""", text).join("''")


def join(words: Iterable[str]) -> str:
    return " ".join(map(quote, words))
