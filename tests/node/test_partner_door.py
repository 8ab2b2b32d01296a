"""Whom the door for partners admits, by what partners' own descriptors say."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exchange.directory import KnownNode, open_descriptor_chain, sign_descriptor
from exchange.errors import Unverified
from exchange.v1 import directory_pb2
from node.keys.files import read_certificate
from node.keys.next_descriptor import read_own
from node.keys.node_directory import example_plan, write_node_directory
from node.keys.signers import file_signer
from node.ports import Known, Partner
from node.rpc.identity import PartnerDoor
from node.tls import key_fingerprint

NOW = datetime.now(UTC)
COUNTRIES = ("GB", "KH", "TH")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("door")
    for number, country in enumerate(COUNTRIES):
        write_node_directory(example_plan(country), folder / country, now=NOW, vault_key=bytes(32), port=1443 + 2 * number)
    return folder


def node_of(place: Path, country: str) -> KnownNode:
    return read_own(place / country / "descriptor.pb")


def revoking(place: Path, country: str, *keys: bytes) -> KnownNode:
    """The node after its next descriptor, which revokes these TLS keys."""
    before = node_of(place, country)
    descriptor = directory_pb2.NodeDescriptor()
    descriptor.CopyFrom(before.descriptor)
    descriptor.sequence += 1
    for key in keys:
        descriptor.revoked_tls_keys.add(key_id=key)
    chain = [*before.chain, sign_descriptor(descriptor, file_signer(place / country / "keys/identity.key"))]
    return open_descriptor_chain(chain, before.chain[0].signatures[0].key_id)


def door(place: Path, *partners: KnownNode) -> PartnerDoor:
    known = Known(
        own=node_of(place, "GB"),
        partners={node.trust_domain: Partner(node=node, fingerprint=bytes(32), suspended=False) for node in partners},
        agreements={},
    )
    ports: Any = SimpleNamespace(known=known, clock=SimpleNamespace(now=lambda: NOW))
    return PartnerDoor(ports)


def call(place: Path, country: str) -> Any:
    """What gRPC tells of a call by that country's node."""
    leaf = (place / country / "tls/node.pem").read_bytes()
    shown = {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [leaf]}
    return SimpleNamespace(auth_context=lambda: shown, add_callback=lambda _: True)


def leaf_key(place: Path, country: str) -> bytes:
    return key_fingerprint(read_certificate(place / country / "tls/node.pem"))


def test_a_partner_revokes_its_own_key(place: Path) -> None:
    assert str(door(place, node_of(place, "KH")).admit(call(place, "KH")).party) == "spiffe://kh.alerts.example/node"
    with pytest.raises(Unverified) as refused:
        door(place, revoking(place, "KH", leaf_key(place, "KH"))).admit(call(place, "KH"))
    assert refused.value.code == "TLS_REVOKED"


def test_a_partner_revokes_nobody_elses_key(place: Path) -> None:
    authority = key_fingerprint(read_certificate(place / "KH/node-ca.pem"))
    hostile = revoking(place, "TH", leaf_key(place, "KH"), authority)
    assert str(door(place, node_of(place, "KH"), hostile).admit(call(place, "KH")).party) == "spiffe://kh.alerts.example/node"


def test_who_is_no_partner_is_not_admitted(place: Path) -> None:
    with pytest.raises(Unverified) as refused:
        door(place, node_of(place, "TH")).admit(call(place, "KH"))
    assert refused.value.code == "TLS_UNKNOWN_DOMAIN"
