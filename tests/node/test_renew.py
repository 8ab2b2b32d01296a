"""The node's certificate is renewed in place, by the authority that partners already know."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from exchange.errors import NotFound, Unverified
from node.keys.files import read_certificate, read_private_key
from node.keys.node_directory import example_plan, write_node_directory
from node.keys.renew import renew_leaf
from node.tls import Listener, RevocationList, party_of, verify_peer

THEN = datetime(2027, 1, 1, tzinfo=UTC)
LATER = THEN + timedelta(days=9)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_node_directory(example_plan("KH"), tmp_path / "kh", now=THEN, vault_key=bytes(32), port=1443)
    return tmp_path / "kh"


def test_a_renewed_certificate_is_believed_where_the_old_one_is_not(directory: Path) -> None:
    old = read_certificate(directory / "tls/node.pem")
    new = renew_leaf(directory, "node", now=LATER)
    trust = {"kh.alerts.example": [read_certificate(directory / "node-ca.pem")]}

    def believed(leaf: x509.Certificate) -> str:
        return str(verify_peer(leaf, trust=trust, now=LATER + timedelta(hours=1), listener=Listener.NODE, revoked=RevocationList()).party)

    assert believed(new) == "spiffe://kh.alerts.example/node"
    with pytest.raises(Unverified):
        believed(old)
    assert read_certificate(directory / "tls/node.pem") == new
    assert read_private_key(directory / "tls/node.key").public_key() == new.public_key()
    assert (directory / "tls/node.key").stat().st_mode & 0o777 == 0o600
    assert "EXAMPLE" in (directory / "tls/node.key").read_text()
    assert not list((directory / "tls").glob("*.new"))


def test_without_the_authority_nothing_is_replaced(directory: Path) -> None:
    before = (directory / "tls/node.pem").read_bytes()
    (directory / "node-ca.key").unlink()
    with pytest.raises(NotFound) as refused:
        renew_leaf(directory, "node", now=LATER)
    assert refused.value.code == "AUTHORITY_OFFLINE"
    assert (directory / "tls/node.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("leaf", "authority", "listener"),
    [
        ("desk", "office-ca", None),
        ("tips", "ngo-ca", None),
        ("officers/KEPT", "office-ca", Listener.DESK),
        ("ngos/KEPT", "ngo-ca", Listener.TIPS),
    ],
)
def test_whoever_has_a_certificate_has_it_renewed_under_the_same_authority(
    leaf: str, authority: str, listener: Listener | None, directory: Path
) -> None:
    if leaf.endswith("KEPT"):
        leaf = f"{leaf.partition('/')[0]}/{next((directory / leaf.partition('/')[0]).glob('*.pem')).stem}"
    stem = directory / (f"tls/{leaf}" if "/" not in leaf else leaf)
    old, root = read_certificate(stem.with_suffix(".pem")), read_certificate(directory / f"{authority}.pem")
    new = renew_leaf(directory, leaf, now=LATER)
    assert new == read_certificate(stem.with_suffix(".pem"))
    assert read_private_key(stem.with_suffix(".key")).public_key() == new.public_key() != old.public_key()
    assert party_of(new) == party_of(old)
    assert new.not_valid_after_utc - old.not_valid_after_utc == LATER - THEN
    new.verify_directly_issued_by(root)
    if listener:
        trust = {"kh.alerts.example": [root]}
        assert verify_peer(new, trust=trust, now=LATER + timedelta(hours=1), listener=listener, revoked=RevocationList())


@pytest.mark.parametrize("leaf", ["officers/nobody", "nonsense", "officers/../tls/node", "keys/log", ""])
def test_what_is_no_certificate_here_is_not_made(leaf: str, directory: Path) -> None:
    with pytest.raises(NotFound) as refused:
        renew_leaf(directory, leaf, now=LATER)
    assert refused.value.code == "CERTIFICATE_ABSENT"
