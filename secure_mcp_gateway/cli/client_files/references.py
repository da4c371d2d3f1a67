"""Variables that a client's values name, as the gateway writes them: ``${env:NAME}``."""

from __future__ import annotations

import re

from secure_mcp_gateway.cli.client_files.clients import ANY, BRACES, DOLLAR, ENV, INPUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.client_files.clients import Client

_REFERENCE = re.compile(r"\$\{([^{}]{1,300})\}|\$([A-Za-z_][A-Za-z0-9_]{0,200})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULTED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):-.*", re.DOTALL)
_OURS = re.compile(r"\$\{(env|file):([^{}]+)\}")
_SCHEMES = re.compile(r"(?i)(Bearer|Basic|Token)[ ]+")


class References:
    """What the values of one file name: ``inputs`` the variables in the place of what a user is asked for, by the input's id."""

    def __init__(self, client: Client) -> None:
        self.inputs: dict[str, str] = {}
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._client = client
        # The inputs by the variables in their place.
        self._identifiers: dict[str, str] = {}

    def ours(self, text: str, place: str) -> str:
        """The value with all of its references as the gateway writes them; what is none of them stays."""
        return _REFERENCE.sub(lambda found: self._one(found, place), text) if "$" in text else text

    def _one(self, found: re.Match[str], place: str) -> str:
        inner, plain, ways = found[1], found[2], self._client.references
        if plain is not None:
            if self._client is ANY:
                self.warnings.append(f"{place} stays as it is; if ${plain} is a variable to Gemini CLI, say so with --client gemini")
            return f"${{env:{plain}}}" if DOLLAR in ways else found[0]
        kind, _, rest = inner.partition(":")
        if kind in ("env", "file") and rest and not rest.startswith("-"):
            return self._ours_already(found[0], kind, rest, place)
        if kind == "input" and INPUT in ways:
            return self._input(rest, place)
        if BRACES in ways and _NAME.fullmatch(inner):
            return f"${{env:{inner}}}"
        defaulted = _DEFAULTED.fullmatch(inner) if BRACES in ways else None
        if defaulted:
            self.warnings.append(f"{place}: {defaulted[1]} has a default, which is left out: it must be set for the gateway")
            return f"${{env:{defaulted[1]}}}"
        if ways:
            self.warnings.append(f"{place} names a variable of {self._client.title} that the gateway does not know: it stays as it is")
        return found[0]

    def _ours_already(self, text: str, kind: str, rest: str, place: str) -> str:
        if ENV not in self._client.references:
            self.warnings.append(f"{place} is plain text to {self._client.title}; the gateway takes it for a reference")
        if kind == "env" and not _NAME.fullmatch(rest):
            self.problems.append(f"{place} names a variable that cannot be one: letters, digits and _ are allowed")
        return text

    def _input(self, identifier: str, place: str) -> str:
        name = re.sub(r"[^A-Za-z0-9]+", "_", identifier).strip("_").upper()
        name = f"_{name}" if name[:1].isdigit() else name or "INPUT"
        if self._identifiers.setdefault(name, identifier) != identifier:
            self.problems.append(f"{place}: two inputs would both be the variable {name}: rename one of them")
        self.inputs.setdefault(identifier, name)
        return f"${{env:{name}}}"


def needed(texts: list[str]) -> tuple[list[str], list[str]]:
    """(variables, files) that these values take from the gateway's machine, each once."""
    found = [match.groups() for text in texts for match in _OURS.finditer(text)]
    return tuple(list(dict.fromkeys(name for kind, name in found if kind == wanted)) for wanted in ("env", "file"))  # type: ignore[return-value]


def without_references(text: str) -> str:
    """What of the value stands in the file itself, without the word that says how a header authenticates."""
    return _SCHEMES.sub("", _OURS.sub("", text)).strip()
