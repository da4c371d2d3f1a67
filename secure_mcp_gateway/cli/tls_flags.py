"""The TLS files that the flags of a server name, tried out before it serves; what is wrong is said of the flag and the file."""

from __future__ import annotations

import os

from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.web.tls import TlsFiles


def tls_files(values: dict[str, Any]) -> TlsFiles | None:
    """None where none are named."""
    from secure_mcp_gateway.web.tls import TlsFiles

    certificate, key, client_ca = (values.get(name) for name in ("tls_cert", "tls_key", "tls_client_ca"))
    if certificate is None and key is None:
        if client_ca is not None:
            raise InvalidRequest("--tls-client-ca needs TLS", "give --tls-cert and --tls-key too")
        return None
    if certificate is None or key is None:
        raise InvalidRequest("--tls-cert and --tls-key belong together", "give both")
    files = TlsFiles(os.path.abspath(certificate), os.path.abspath(key))
    reason = _refused(files)
    if reason is not None:
        raise _blamed(files, reason)
    return files if client_ca is None else _with_clients_of(os.path.abspath(client_ca), files)


def _with_clients_of(client_ca: str, files: TlsFiles) -> TlsFiles:
    files = files._replace(client_ca=client_ca)
    reason = _refused(files)
    if reason is not None:
        _require_readable("tls-client-ca", client_ca)
        hint = "it must be a PEM file with the certificate of the CA that signs the clients' certificates"
        raise InvalidRequest(f"--tls-client-ca cannot be used: {reason}", hint, private=client_ca)
    return files


def _refused(files: TlsFiles) -> OSError | ValueError | None:
    """Why they cannot be used."""
    from secure_mcp_gateway.web.tls import load_context

    try:
        load_context(files)
    except (OSError, ValueError) as error:
        return error
    return None


def _blamed(files: TlsFiles, reason: OSError | ValueError) -> InvalidRequest:
    """OpenSSL does not say which of the two files it means."""
    _require_readable("tls-cert", files.certificate)
    _require_readable("tls-key", files.key)
    if not _holds_certificate(files.certificate):
        hint = "it must be a PEM file: -----BEGIN CERTIFICATE-----, and then those of the chain"
        return InvalidRequest("--tls-cert cannot be used: there is no certificate in it", hint, private=files.certificate)
    # The second where the key is of another kind (RSA) than that of the certificate.
    if getattr(reason, "reason", "") in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
        hint = "give the key that the certificate was made with"
        return InvalidRequest("--tls-key cannot be used: it is not the key of the certificate in --tls-cert", hint, private=files.key)
    hint = "it must be a PEM file: -----BEGIN PRIVATE KEY-----"
    return InvalidRequest("--tls-key cannot be used: there is no private key in it, or one with a passphrase", hint, private=files.key)


def _require_readable(flag: str, path: str) -> None:
    if not os.path.exists(path):
        raise InvalidRequest(f"--{flag} cannot be used: there is no such file", "name a PEM file", private=path)
    if os.path.isdir(path):
        raise InvalidRequest(f"--{flag} cannot be used: it is a folder", "name a PEM file", private=path)
    if not os.access(path, os.R_OK):
        raise InvalidRequest(f"--{flag} cannot be used: this user may not read it", "let the server's user read it", private=path)


def _holds_certificate(path: str) -> bool:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cafile=path)
    except (OSError, ValueError):
        return False
    return True
