"""A policy pack for a training node: an example's text, signed by an example issuer whose key stays in the node's directory."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from exchange.errors import Refused
from exchange.tlog.note import NoteVerifier, sign_note
from node.keys.files import EXAMPLE_MARK, private_key_pem, write_private, write_public
from node.policy.pack import read_pack

PACK_FILE: Final = "transfers.note"


def check_example_policy(text: bytes, country: str) -> None:
    """Raise `Malformed` (POLICY_MALFORMED) unless it is a pack, and `Refused` (POLICY_COUNTRY) unless it is that country's."""
    if read_pack(text).country != country:
        raise Refused("POLICY_COUNTRY", "the policy pack is another country's than this node's")


def write_example_policy(text: bytes, directory: Path, trust_domain: str) -> str:
    """Sign the pack by a fresh key and write both; returns the verifier key for `policy.key`. A real pack comes signed by its authority.

    Raises `Conflict` (FILE_EXISTS).
    """
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    name = f"{trust_domain}/policy"
    write_private(directory / "keys/policy.key", private_key_pem(key, mark=EXAMPLE_MARK))
    write_public(directory / PACK_FILE, sign_note(text, name, public, key.sign))
    return NoteVerifier(name=name, public_key=public).vkey
