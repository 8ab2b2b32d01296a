"""Renew a certificate, with a fresh key, under the authority of the same directory: the node's listeners', officers', NGOs'."""

from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.errors import Malformed, NotFound
from exchange.values import PartyId
from node.keys.files import EXAMPLE_MARK, certificate_pem, private_key_pem, read_certificate, read_private_key, write_private, write_public
from node.keys.issue import (
    NODE_LEAF_MAX_DAYS,
    Authority,
    issue_desk_leaf,
    issue_ngo_leaf,
    issue_node_leaf,
    issue_person_leaf,
    issue_tips_leaf,
    new_tls_key,
)
from node.tls import party_of

_LISTENERS: Final = ("node", "desk", "tips")
_AUTHORITIES: Final = {"node": "node-ca", "desk": "office-ca", "tips": "ngo-ca", "officers": "office-ca", "ngos": "ngo-ca"}


def renew_leaf(directory: Path, leaf: str, *, now: datetime) -> x509.Certificate:
    """Replace the key and the certificate of `leaf` below `directory`: `node`, `desk`, `tips`, `officers/NAME` or `ngos/NAME`.

    Who reads between the two replacements finds a pair that does not match; a node keeps what it has until both are there. Raises
    `NotFound` (CERTIFICATE_ABSENT; AUTHORITY_OFFLINE when the authority's key is not in the directory), and what reading the files raises.
    """
    stem = f"tls/{leaf}" if leaf in _LISTENERS else leaf
    kind = leaf if leaf in _LISTENERS else leaf.partition("/")[0]
    if kind not in _AUTHORITIES or ".." in leaf or not (directory / f"{stem}.pem").exists():
        raise NotFound("CERTIFICATE_ABSENT", "there is no such certificate here: node, desk, tips, officers/NAME or ngos/NAME")
    old = read_certificate(directory / f"{stem}.pem")
    party = party_of(old)
    authority = _authority(directory, _AUTHORITIES[kind], party.trust_domain)
    name = str(old.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    fresh = new_tls_key()
    certificate = _issue(kind, authority, fresh.public_key(), party=party, name=name, now=now)
    mark = EXAMPLE_MARK if "EXAMPLE" in name else ""
    write_private(directory / f"{stem}.key.new", private_key_pem(fresh, mark=mark), overwrite=True)
    write_public(directory / f"{stem}.pem.new", certificate_pem(certificate, mark=mark), overwrite=True)
    for suffix in ("key", "pem"):
        (directory / f"{stem}.{suffix}.new").replace(directory / f"{stem}.{suffix}")
    return certificate


def _authority(directory: Path, name: str, trust_domain: str) -> Authority:
    if not (directory / f"{name}.key").exists():
        raise NotFound("AUTHORITY_OFFLINE", f"the key of {name}.pem is not here: renew where it is kept, and copy key and certificate over")
    key = read_private_key(directory / f"{name}.key")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed("KEY_FILE", "an authority's key is not on P-256")
    return Authority(trust_domain=trust_domain, certificate=read_certificate(directory / f"{name}.pem"), key=key)


def _issue(
    kind: str, authority: Authority, public_key: ec.EllipticCurvePublicKey, *, party: PartyId, name: str, now: datetime
) -> x509.Certificate:
    if kind == "node":
        return issue_node_leaf(authority, public_key, name=name, now=now, days=NODE_LEAF_MAX_DAYS)
    if kind == "desk":
        return issue_desk_leaf(authority, public_key, name=name, now=now)
    if kind == "tips":
        return issue_tips_leaf(authority, public_key, name=name, now=now)
    issue = issue_ngo_leaf if kind == "ngos" else issue_person_leaf
    return issue(authority, party, public_key, name=name, now=now)
