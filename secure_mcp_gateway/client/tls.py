"""TLS as the remote client speaks it: whose certificate is taken, and which one is shown. What is wrong with a file is said of its flag."""

from __future__ import annotations

import os
import ssl
import stat

from secure_mcp_gateway.client.address import require_private
from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from secure_mcp_gateway.client.address import ClientFiles, Server

# The second where the key is of another kind (RSA) than that of the certificate.
_MISMATCHES = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
_KEY, _LARGEST = b"PRIVATE KEY-----", 1024 * 1024


def tls_context(server: Server) -> ssl.SSLContext:
    """What the system trusts, or the server's one CA alone; names are checked."""
    context = _trusting(server.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.client is not None:
        _show(context, server.client)
    return context


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        if ca_file is not None:
            _require_regular(os.stat(ca_file))
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        hint = "it must be a PEM file with the certificate of a CA"
        raise _unusable("--ca-file", _why_no_certificate(error), hint, ca_file or "") from None


def _why_no_certificate(error: Exception) -> str:
    return "there is no certificate in it" if isinstance(error, ssl.SSLError) else reason_of(error)


def _show(context: ssl.SSLContext, client: ClientFiles) -> None:
    """To a server that asks for a certificate."""
    _require_certificate(client)
    _require_key(client)
    try:
        context.load_cert_chain(client.certificate, client.key, password=lambda: _refuse_passphrase(client))
    except (OSError, ValueError) as error:
        if getattr(error, "reason", "") in _MISMATCHES:
            said = f"it is not the key of the certificate in {client.certificate_field}"
            raise _unusable(client.key_field, said, "give the key that the certificate was made with", client.key) from None
        raise _without_key(client) from None


def _require_certificate(client: ClientFiles) -> None:
    try:
        _require_regular(os.stat(client.certificate))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=client.certificate)
    except (OSError, ValueError) as error:
        hint = "it must be a PEM file: -----BEGIN CERTIFICATE-----, and then those of the chain"
        raise _unusable(client.certificate_field, _why_no_certificate(error), hint, client.certificate) from None


def _require_key(client: ClientFiles) -> None:
    """For its user's eyes alone, as the file of an API key is."""
    try:
        found = os.stat(client.key)
        _require_regular(found)
        with open(client.key, "rb") as file:
            holds_key = _KEY in file.read(_LARGEST)
    except (OSError, ValueError) as error:
        raise _unusable(client.key_field, reason_of(error), "name the PEM file with the key", client.key) from None
    if not holds_key:
        # Before its mode is judged: a certificate alone is no secret.
        raise _without_key(client)
    if os.name != "nt":
        require_private(found, client.key_field, client.key)


def _without_key(client: ClientFiles) -> InvalidRequest:
    hint = "it must be a PEM file: -----BEGIN PRIVATE KEY-----"
    if client.key == client.certificate:
        hint = "name the file with the key: --client-key FILE"
    return _unusable(client.key_field, "there is no private key in it", hint, client.key)


def _refuse_passphrase(client: ClientFiles) -> NoReturn:
    """Else OpenSSL would ask for it, on whatever terminal there is."""
    from secure_mcp_gateway.shell import quote

    hint = f"take it off in a copy that only you can read: (umask 077; openssl pkey -in {quote(client.key)} -out client.key)"
    raise _unusable(client.key_field, "the key in it has a passphrase", hint, client.key)


def _require_regular(found: os.stat_result) -> None:
    """A FIFO would be waited for."""
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a regular file")


def _unusable(field: str, said: str, hint: str, path: str) -> InvalidRequest:
    return InvalidRequest(f"{field} cannot be used: {said}", hint, private=path)


def reason_of(error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    return os.strerror(code).lower() if code else str(error) or type(error).__name__
