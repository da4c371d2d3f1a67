"""What may stand at one place of a command line: words, flags, and the values of flags."""

from __future__ import annotations

from secure_mcp_gateway.cli.arguments import FORMATS, WITH_VALUE, flags_of, split_words
from secure_mcp_gateway.cli.commands import HELP, find_command, is_complete, nouns, verbs
from secure_mcp_gateway.params import BOOLEAN, FILE, MAPPING, OBJECT, STRINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.commands import Command
    from secure_mcp_gateway.params import Param

    # Each with what it is, which some shells show; or no text.
    Candidate = tuple[str, str]

_REDIRECTIONS = {">", ">>", "<", "2>", "2>>", "&>"}


class Completion:
    """``candidates`` begin with what is typed already. ``files`` says that a file may come instead, as the shell completes them, behind
    the ``prefix`` (``--flag=``) of what is typed."""

    __slots__ = ("candidates", "files", "prefix")

    def __init__(self, candidates: list[Candidate], files: bool = False, prefix: str = "") -> None:
        self.candidates = candidates
        self.files = files
        self.prefix = prefix


def completion_at(words: list[str], current: str) -> Completion:
    """Behind these words (without the program's), where ``current`` is typed of the next one. Words are without quotes."""
    before = words[-1] if words else ""
    flag, equals, typed = current.partition("=")
    if equals and flag.startswith("--"):
        return _value_completion(words, flag, typed, f"{flag}=")
    if before in _REDIRECTIONS:
        return Completion([], files=True)
    param = _param_of(words, before)
    if before in WITH_VALUE or (param is not None and param.kind != BOOLEAN):
        return _value_completion(words, before, current, "")
    values = _value_completion(words, before, current, "").candidates if param is not None else []
    return Completion(values + [each for each in _word_candidates(words, current) if each[0].startswith(current)])


def _word_candidates(words: list[str], current: str) -> list[Candidate]:
    named, _ = split_words(words, is_complete)
    if current.startswith("-"):
        return _flags(words)
    if named[:1] == [HELP]:
        return _helped(named[1:])
    if not named:
        return _nouns()
    if find_command(named) is None:
        return list(verbs(named[0]))
    return [] if current else _flags(words)


def _nouns() -> list[Candidate]:
    from secure_mcp_gateway.cli.topics import NOUNS

    return [(noun, NOUNS.get(noun, "")) for noun in nouns()]


def _helped(named: list[str]) -> list[Candidate]:
    """What there is help on: topics, nouns, their verbs."""
    from secure_mcp_gateway.cli.topics import MANUAL, TOPICS

    if not named:
        topics = [(topic, "Topic") for topic in TOPICS] + [(MANUAL, "All of it, as a manual page")]
        return topics + [each for each in _nouns() if each[0] != HELP]
    if named[0] in nouns() and find_command(named) is None:
        return list(verbs(named[0]))
    return []


def _flags(words: list[str]) -> list[Candidate]:
    """Those that may still be given: most of them once, and one alone of those that give the same thing."""
    given = given_texts(words)
    found = []
    for param in _params(words):
        flags = flags_of(param)
        if param.kind == STRINGS or not any(flag in given for flag in flags):
            found += [(f"--{flag}", param.help) for flag in flags]
    return found + [(flag, said) for flag, said in _global_flags() if flag[2:] not in given]


def _global_flags() -> list[Candidate]:
    from secure_mcp_gateway.cli.help import GLOBAL_FLAGS

    return [(flag.partition(" ")[0], said) for flag, said in GLOBAL_FLAGS]


def _params(words: list[str]) -> tuple[Param, ...]:
    named, _ = split_words(words, is_complete)
    command: Command | None = find_command(named)
    return command.params if command is not None else ()


def _param_of(words: list[str], flag: str) -> Param | None:
    """None for what is no flag of the command."""
    return next((param for param in _params(words) if flag.startswith("--") and flag[2:] in flags_of(param)), None)


def _value_completion(words: list[str], flag: str, typed: str, prefix: str) -> Completion:
    param = _param_of(words, flag)
    if param is None:
        takes_file = flag in WITH_VALUE and flag not in ("--format", "--server")
        values = [(each, "") for each in FORMATS] if flag == "--format" else []
    else:
        takes_file = param.kind == FILE or flag[2:] == param.file_flag
        values = [] if takes_file else _values(words, param, flag, typed)
    if not prefix:
        # By itself it would be taken for a flag.
        values = [each for each in values if not each[0].startswith("-")]
    return Completion([(prefix + text, said) for text, said in values if text.startswith(typed)], takes_file, prefix)


def _values(words: list[str], param: Param, flag: str, typed: str) -> list[Candidate]:
    if param.kind == BOOLEAN:
        return [("true", ""), ("false", "")]
    if param.kind in (MAPPING, OBJECT):
        return _files_behind_at(typed)
    if param.completes:
        from secure_mcp_gateway.cli.stored_names import stored_names

        return stored_names(param.completes, flag.endswith("-id"), typed, given_texts(words), _params(words))
    return [(str(each), "") for each in param.schema.get("enum", ())]


def given_texts(words: list[str]) -> dict[str, str]:
    """By the flags (without dashes) that stand in the words; what follows a switch is none of its, and does no harm."""
    found = {}
    for word, following in zip(words, [*words[1:], ""]):
        if word.startswith("--"):
            flag, equals, text = word[2:].partition("=")
            found[flag] = text if equals else following
    return found


def _files_behind_at(typed: str) -> list[Candidate]:
    """No shell completes a file behind ``@``. It is opened by the name as it stands, without ``~`` and the like."""
    if not typed.startswith("@"):
        return []
    import os

    folder = os.path.dirname(typed[1:])
    with os.scandir(folder or ".") as entries:
        found = [(os.path.join(folder, entry.name), entry.is_dir()) for entry in entries]
    return sorted((f"@{path}/" if is_folder else f"@{path}", "") for path, is_folder in found)
