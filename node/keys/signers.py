"""Open a private key by its URI, wherever it lives, as something that signs."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.errors import Refused
from node.keys.files import PrivateKey, read_private_key


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSigner:
    """A key that was read from a file; `exchange.signing.Signer`."""

    key_id: bytes
    spki: bytes
    """SubjectPublicKeyInfo, DER: what a descriptor publishes."""
    private_key: PrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign under the key's own suite: Ed25519, or ECDSA P-256 with SHA-256 as raw r‖s; 64 bytes."""
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private_key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private_key.sign(data)


def open_signer(uri: str) -> FileSigner:
    """Open `file:<absolute path>`.

    Raises `Refused`: KEY_URI (a kind of key store that this version cannot open), KEY_FILE_MODE; `Malformed` (KEY_FILE);
    `OSError` when there is no such file.
    """
    scheme, _, rest = uri.partition(":")
    if scheme != "file":
        raise Refused("KEY_URI", "this version opens keys in files only, file:…")
    return file_signer(Path(rest))


def file_signer(path: Path) -> FileSigner:
    """Read a signing key from a PEM file; raises as `node.keys.files.read_private_key`."""
    key = read_private_key(path)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return FileSigner(key_id=hashlib.sha256(spki).digest(), spki=spki, private_key=key)
