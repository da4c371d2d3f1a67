"""TLS for the server's connections."""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple


class TlsFiles(NamedTuple):
    """Paths of PEM files: the certificate with its chain, its private key, and the CA whose clients alone are let in (None: all are)."""

    certificate: str
    key: str
    client_ca: str | None = None


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises OSError (``ssl.SSLError`` is one) or ValueError where the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # An end without close_notify is an end: lengths tell whether a request is whole. Else OpenSSL answers it with an alert,
    # also where it was the reaper who ended the receiving of an idle connection.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    # Without a password of ours OpenSSL would ask for one on the terminal and wait.
    context.load_cert_chain(files.certificate, files.key, password="")
    if files.client_ca is not None:
        _require_clients_of(files.client_ca, context)
    return context


def _require_clients_of(path: str, context: ssl.SSLContext) -> None:
    """A client without a certificate of this CA does not get past the handshake."""
    context.load_verify_locations(cafile=path)
    if not context.cert_store_stats()["x509_ca"]:
        raise ValueError("there is no CA's certificate in it")
    context.verify_mode = ssl.CERT_REQUIRED


def wrap(context: ssl.SSLContext, plain: socket.socket) -> ssl.SSLSocket:
    """No byte is exchanged yet: the handshake is for the connection's own thread."""
    return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)


def say_goodbye(secured: ssl.SSLSocket) -> None:
    """Send close_notify without waiting for the peer's."""
    try:
        secured.settimeout(0)
        secured.unwrap()
    except (OSError, ValueError):  # mostly SSLWantReadError: the peer's own is not awaited
        pass
