"""Keys and certificates as PEM files: who may read them, how an example is marked, and nothing overwritten by accident.

A private key is PKCS#8 PEM (RFC 5958, RFC 7468) in a file of mode 0600 in a directory of mode 0700. RFC 7468 section 2
lets text stand before the first BEGIN line, which is where an example says that it is one.
"""

import os
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from exchange.errors import Conflict, Malformed, Refused

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

EXAMPLE_MARK: Final = "EXAMPLE — never use in production"


def private_key_pem(key: PrivateKey, *, mark: str = "") -> bytes:
    """PKCS#8 PEM of a private key, after one line of `mark` if there is one."""
    return _marked(mark) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: x509.Certificate, *, mark: str = "") -> bytes:
    """PEM of a certificate, after one line of `mark` if there is one."""
    return _marked(mark) + certificate.public_bytes(Encoding.PEM)


def make_private_directory(path: Path) -> None:
    """Make a directory that only its owner enters; an existing one is closed to others."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def write_private(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file of mode 0600, whole or not at all; raises `Conflict` (FILE_EXISTS) unless `overwrite`."""
    _write(path, content, mode=0o600, overwrite=overwrite)


def write_public(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file of mode 0644, whole or not at all; raises `Conflict` (FILE_EXISTS) unless `overwrite`."""
    _write(path, content, mode=0o644, overwrite=overwrite)


def read_private_key(path: Path) -> PrivateKey:
    """Read a key of a kind that the protocol knows: Ed25519, or ECDSA on P-256.

    Raises `Refused` (KEY_FILE_MODE) when others than its owner could read the file, `Malformed` (KEY_FILE) when it
    holds no such key.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise Refused("KEY_FILE_MODE", "a private key file can be read by others than its owner: chmod 600")
        content = file.read()
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError):
        raise Malformed("KEY_FILE", "a private key file is not unencrypted PKCS#8 PEM") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise Malformed("KEY_FILE", "a private key file holds a key that is neither Ed25519 nor P-256")


def read_certificate(path: Path) -> x509.Certificate:
    """Read one PEM certificate; raises `Malformed` (CERTIFICATE_FILE)."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise Malformed("CERTIFICATE_FILE", "a certificate file is not a PEM certificate") from None


def _marked(mark: str) -> bytes:
    return f"{mark}\n".encode() if mark else b""


def _write(path: Path, content: bytes, *, mode: int, overwrite: bool) -> None:
    # Written aside and then named: a crash leaves no half key, and link() refuses an existing name where rename() would
    # not.
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            aside.replace(path)
        else:
            path.hardlink_to(aside)
    except FileExistsError:
        raise Conflict("FILE_EXISTS", "a key or certificate file is there already and is not overwritten") from None
    finally:
        aside.unlink(missing_ok=True)
