"""The hidden command that the shells' scripts call as somebody types: it reads, writes nothing, and never complains."""

from __future__ import annotations

import sys

from secure_mcp_gateway.cli.candidates import Completion, completion_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_mcp_gateway.cli.candidates import Candidate

# The kinds that the first line of an answer says: files of the shell's own, words, and one word that is to be gone on with.
_FILES, _WORDS, _OPEN = "files", "words", "open"
_LONGEST = 300
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn")


def complete(arguments: Sequence[str]) -> int:
    """``bash LINE PART``: the line up to the cursor, and what of it is to be replaced. ``words WORD...``: without quotes, the last
    one is the one that is typed."""
    try:
        answer = _for_bash(*arguments[1:]) if arguments[0] == "bash" else _for_words(arguments[1:])
        sys.stdout.write("".join(f"{line}\n" for line in answer))
    except Exception:
        # A store that is missing or damaged, a line that makes no sense yet: there is nothing to offer. It would be said into the
        # middle of what is being typed.
        pass
    return 0


def _for_words(words: Sequence[str]) -> list[str]:
    found = completion_at(list(words[:-1]), words[-1])
    if found.files:
        return [f"{_FILES}\t{found.prefix}"]
    return [_WORDS, *(f"{text}\t{_said(said)}" for text, said in _typeable(found))]


def _for_bash(line: str, part: str) -> list[str]:
    from secure_mcp_gateway.cli.shell_words import quoted, raw_words, unquoted

    *words, raw = raw_words(line)[1:]
    if not raw.endswith(part):
        return []
    # Readline replaces a part only of a word that holds a colon, "=" or an open quote: what stands before it must not come again.
    head, quote = unquoted(raw[: len(raw) - len(part)])
    found = completion_at([unquoted(word)[0] for word in words], unquoted(raw)[0])
    if found.files:
        return [_FILES]
    texts = [text for text, _ in _typeable(found) if text.startswith(head)]
    kind = _OPEN if len(texts) == 1 and texts[0].endswith("/") else _WORDS
    return [kind, *(quoted(text[len(head) :], quote) for text in texts)]


def _typeable(found: Completion) -> list[Candidate]:
    return [each for each in found.candidates if len(each[0]) <= _LONGEST and _is_typeable(each[0])]


def _is_typeable(text: str) -> bool:
    """Is it text for a line, and can it be said in the shell's encoding?"""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    if text.isprintable():
        return True
    from unicodedata import category

    return not any(category(char) in _UNSEEN for char in text)


def _said(text: str) -> str:
    return text[:_LONGEST] if text.isprintable() else ""
