"""Renew what lives shortest: the node's TLS certificate, issued by the node authority of the same directory."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.errors import Malformed, NotFound
from node.keys.files import EXAMPLE_MARK, certificate_pem, private_key_pem, read_certificate, read_private_key, write_private, write_public
from node.keys.issue import NODE_LEAF_MAX_DAYS, Authority, issue_node_leaf, new_tls_key
from node.tls import party_of


def renew_node_leaf(directory: Path, *, now: datetime) -> x509.Certificate:
    """Replace `tls/node.key` and `tls/node.pem` below `directory` by a fresh key and a certificate of seven days.

    A node that reads between the two replacements finds a pair that does not match, and keeps what it has until both are there. Raises
    `NotFound` (AUTHORITY_OFFLINE) when the authority's key is not in the directory, and what reading the files raises.
    """
    if not (directory / "node-ca.key").exists():
        raise NotFound("AUTHORITY_OFFLINE", "the node authority's key is not here: renew where it is kept, and copy tls/node.* over")
    key = read_private_key(directory / "node-ca.key")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed("KEY_FILE", "the node authority's key is not on P-256")
    old = read_certificate(directory / "tls/node.pem")
    party = party_of(old)
    authority = Authority(trust_domain=party.trust_domain, certificate=read_certificate(directory / "node-ca.pem"), key=key)
    fresh = new_tls_key()
    name = str(old.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    certificate = issue_node_leaf(authority, fresh.public_key(), name=name, now=now, days=NODE_LEAF_MAX_DAYS)
    mark = EXAMPLE_MARK if "EXAMPLE" in name else ""
    write_private(directory / "tls/node.key.new", private_key_pem(fresh, mark=mark), overwrite=True)
    write_public(directory / "tls/node.pem.new", certificate_pem(certificate, mark=mark), overwrite=True)
    for suffix in ("key", "pem"):
        (directory / f"tls/node.{suffix}.new").replace(directory / f"tls/node.{suffix}")
    return certificate
