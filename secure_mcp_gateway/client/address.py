"""Which server is asked, and with which key."""

from __future__ import annotations

import os
import stat

from secure_mcp_gateway.errors import InvalidRequest

_LONGEST_KEY = 4096
_USUAL_PORTS = {"http": 80, "https": 443}
_API = "/api/v1"
_FORM = "give it as https://HOST:PORT"
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class ClientFiles:
    """The certificate to show, and its key, which may stand in the same file; ``_field`` says which flag or variable names each."""

    __slots__ = ("certificate", "certificate_field", "key", "key_field")

    def __init__(self, certificate: str, certificate_field: str, key: str, key_field: str) -> None:
        self.certificate = certificate
        self.certificate_field = certificate_field
        self.key = key
        self.key_field = key_field


class Server:
    """``base`` is the path that goes before those of the API, mostly empty; ``source`` says where the key is from."""

    __slots__ = ("base", "ca_file", "client", "host", "key", "port", "scheme", "source")

    def __init__(self, scheme: str, host: str, port: int, base: str = "") -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.base = base
        self.ca_file: str | None = None
        self.client: ClientFiles | None = None
        self.key = self.source = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.base}"

    def is_loopback(self) -> bool:
        """By its name: what stands in the clear does not leave the machine."""
        from ipaddress import ip_address

        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


def server_at(url: str, field: str) -> Server:
    """``InvalidRequest`` names the field. The URL is not repeated: what is wrong with it may be that a key stands in it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise InvalidRequest(f"{field} is no URL", _FORM) from None
    if scheme not in _USUAL_PORTS or not host or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidRequest(f"{field} is no http or https URL", _FORM)
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidRequest(f"{field} holds more than a host, a port and a path", "the key goes into $SECURE_MCP_GATEWAY_API_KEY")
    base = parts.path.rstrip("/")
    # What requests of one's own go to is taken for the server too.
    base = base[: -len(_API)] if base.endswith(_API) else base
    return Server(scheme, host, _USUAL_PORTS[scheme] if port is None else port, base)


def checked_key(text: str, field: str) -> str:
    """Without the blanks around it; ``InvalidRequest`` for what can be no key and would be another header line."""
    key = text.strip()
    if not key:
        raise InvalidRequest(f"{field} is empty", "it must hold an API key")
    if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidRequest(f"{field} holds no API key", "one is a single word of letters, digits, - and _")
    return key


def key_in_file(path: str, field: str) -> str:
    """Out of a file that nobody else can read; ``InvalidRequest`` names the field."""
    try:
        text = _read_private(path, field)
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field} holds no API key", "it must be one line of text", private=path) from None
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "it is no valid path"
        raise InvalidRequest(f"{field} cannot be read: {reason}", private=path) from None
    return checked_key(text, field)


def _read_private(path: str, field: str) -> str:
    """A FIFO or a device is neither waited for nor read."""
    descriptor = os.open(path, _READ)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidRequest(f"{field} is not a regular file", "write the key to one", private=path)
        if os.name != "nt":
            require_private(found, field, path)
        return _decoded(os.read(descriptor, _LONGEST_KEY + 8), field, path)
    finally:
        os.close(descriptor)


def _decoded(data: bytes, field: str, path: str) -> str:
    """Without the byte order mark that editors on Windows put before UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidRequest(f"{field} is UTF-16 text", "save it as UTF-8", private=path)
    return data.decode("utf-8-sig")


def require_private(found: os.stat_result, field: str, path: str) -> None:
    """``InvalidRequest`` names the field."""
    if found.st_uid != os.geteuid():
        raise InvalidRequest(f"{field} belongs to another user", "copy it to a file of your own", private=path)
    if found.st_mode & 0o077:
        from secure_mcp_gateway.shell import quote

        raise InvalidRequest(f"{field} can be read by others (mode {found.st_mode & 0o777:04o})", f"chmod 600 {quote(path)}", private=path)
