"""Every failure a caller can be told about.

Each class carries the ``error`` word of an API answer, its HTTP status and the exit code of the command line. Messages
are for people and say what to do next; programs go by the code.
"""

from __future__ import annotations

_MOST_LISTED = 1000


def masked(text: str) -> str:
    """The text without what has the form of a secret of ours: one typed in another thing's place must not be said again."""
    if "smg" not in text:
        return text
    import re

    return re.sub(r"smga?_[A-Za-z0-9_-]{20,}", "***", text)


def listed(problems: list[str]) -> str:
    """All of them at once; of a flood, which would take many times the memory of what it is about, the first."""
    more = len(problems) - _MOST_LISTED
    return "; ".join(problems[:_MOST_LISTED] + ([f"and {more} more"] if more > 0 else []))


class GatewayError(Exception):
    """``hint`` is the way out; ``private`` (a path, the place of a damage) is for the machine's own administrator only:
    it is shown on the command line and on standard error, never in an answer of the API."""

    code = "internal_error"
    status = 500
    exit_code = 1

    def __init__(self, message: str, hint: str = "", private: str = "") -> None:
        self.message, self.hint, self.private = masked(message), masked(hint), masked(private)
        super().__init__(self.message)

    @property
    def detail(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class InvalidRequest(GatewayError):
    code, status, exit_code = "invalid_request", 400, 2


class Unauthorized(GatewayError):
    code, status, exit_code = "unauthorized", 401, 5


class Forbidden(GatewayError):
    code, status, exit_code = "forbidden", 403, 5


class NotFound(GatewayError):
    code, status, exit_code = "not_found", 404, 3


class MethodNotAllowed(GatewayError):
    """``allow`` lists the methods that the path does take."""

    code, status, exit_code = "method_not_allowed", 405, 2

    def __init__(self, message: str, allow: tuple[str, ...]) -> None:
        super().__init__(message, "use one of " + ", ".join(allow))
        self.allow = allow


class RequestTimeout(GatewayError):
    code, status, exit_code = "timeout", 408, 6


class Conflict(GatewayError):
    code, status, exit_code = "conflict", 409, 4


class PreconditionFailed(GatewayError):
    code, status, exit_code = "precondition_failed", 412, 4


class TooLarge(GatewayError):
    code, status, exit_code = "too_large", 413, 2


class TargetTooLong(GatewayError):
    code, status, exit_code = "too_large", 414, 2


class HeadersTooLarge(GatewayError):
    code, status, exit_code = "too_large", 431, 2


class UnsupportedMediaType(GatewayError):
    code, status, exit_code = "unsupported_media_type", 415, 2


class ExpectationFailed(GatewayError):
    code, status, exit_code = "expectation_failed", 417, 2


class InternalError(GatewayError):
    """A fault of ours; the message holds the incident id under which the traceback was logged."""


class NotImplementedHere(GatewayError):
    code, status, exit_code = "not_implemented", 501, 2


class VersionNotSupported(GatewayError):
    code, status, exit_code = "http_version", 505, 2


class Unavailable(GatewayError):
    """The store is missing, damaged, unreadable or cannot be written."""

    code, status, exit_code = "unavailable", 503, 6


class StoreMissing(Unavailable):
    """There is no store at the path."""


class StoreBusy(Unavailable):
    """The writer's turn did not come in time."""


class StoreForbidden(Unavailable):
    """The store belongs to another user of the machine."""

    exit_code = 5


class StoreDamaged(Unavailable):
    """What stands in the store's file is no document of ours; ``private`` says where it breaks."""


class StoreForeign(StoreDamaged):
    """What stands there is sound, but nothing that this version can use as a store."""


class BackupInPlace(StoreForeign):
    """A backup stands in the store's place."""


class OutcomeUnknown(Unavailable):
    """The failure came after the new document was put in place: it may or may not survive a power cut."""


def fault_place(error: BaseException) -> str:
    """Where an unexpected one arose, without its own text, which may hold a secret."""
    import os
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {os.path.basename(frame.filename)}:{frame.lineno}"
