"""TLS for the server's connections."""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple


class TlsFiles(NamedTuple):
    """Paths of PEM files: the certificate with its chain, and its private key."""

    certificate: str
    key: str


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises OSError (``ssl.SSLError`` is one) where the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # An end without close_notify is an end: lengths tell whether a request is whole. Else OpenSSL answers it with an alert,
    # also where it was the reaper who ended the receiving of an idle connection.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    # Without a password of ours OpenSSL would ask for one on the terminal and wait.
    context.load_cert_chain(files.certificate, files.key, password="")
    return context


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
