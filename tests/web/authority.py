"""A certificate authority for tests, through the openssl command: of a server, and of clients."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from typing import NamedTuple

OPENSSL = shutil.which("openssl") or ""
NO_OPENSSL = "there is no openssl command to make certificates with"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

# Clients of Python 3.13 and later ask for what RFC 5280 §4.2.1 asks for.
_SIGNS = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
_LEAF = "basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=IP:127.0.0.1\n"


class Pair(NamedTuple):
    certificate: str
    key: str


class Authority:
    """``certificate`` signs what ``issue`` makes; all files lie in ``folder``."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = name
        self.certificate, self.key = self._paths(name)
        _run("req", "-x509", *_KEY, "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}", *_SIGNS)

    def issue(self, name: str, use: str = "clientAuth") -> Pair:
        """``use`` is what the certificate may be used for (RFC 5280 §4.2.1.12)."""
        pair = self._paths(f"{self._name}-{name}")
        request = f"{pair.certificate}.request"
        extensions = f"{pair.certificate}.extensions"
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"{_LEAF}extendedKeyUsage={use}\n")
        _run("req", "-new", *_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        signing = ("-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-extfile", extensions)
        _run("x509", "-req", "-in", request, *signing, "-out", pair.certificate, "-days", "2")
        return pair

    def _paths(self, name: str) -> Pair:
        return Pair(os.path.join(self._folder, f"{name}.crt"), os.path.join(self._folder, f"{name}.key"))


def client_context(server_ca: str, pair: Pair | None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server_ca)
    if pair is not None:
        context.load_cert_chain(*pair)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def _run(*words: str) -> None:
    subprocess.run([OPENSSL, *words], check=True, capture_output=True, timeout=30)
