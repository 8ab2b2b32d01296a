"""Attacks on who signed a manifest: keys, suites, signatures and statements."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from exchange.directory import KnownNode
from exchange.disclosure import Disclosure
from exchange.encoding import CAP_STATEMENT, encode
from exchange.recipient import Recipient
from exchange.signing import PublicKey, add_signature, open_statement, sign_statement
from exchange.v1 import directory_pb2, statement_pb2
from tests.attacks import GB_POLICE_KEY, attack, deliver, with_manifest, with_statement
from tests.builders import delivery, entry, recipient, sealed, world
from tests.countries import (
    AGREED_FROM,
    BORDER,
    HOUR,
    ISSUED,
    KEYS_FROM,
    KEYS_UNTIL,
    NGO,
    NOW,
    POLICE,
    LabelledKey,
    agency,
    agency_name,
    agreed,
    agreement,
    changed,
    compromised,
    countersigned,
    descriptor,
    domain,
    ed25519_key,
    key,
    known,
    node,
    p256_key,
    with_key,
)

BORDER_KEY = key("gb", agency_name("gb", BORDER))
SIGNERS = pytest.mark.parametrize(("agency_class", "signer"), [(POLICE, GB_POLICE_KEY), (BORDER, BORDER_KEY)], ids=["ed25519", "p256"])
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_ED25519 = 2**252 + 27742317777372353535851937790883648493


def signed_by(agency_class: int, signer: LabelledKey, **changes: Any) -> statement_pb2.Statement:
    """A manifest of that British agency under its own key; changes are those of the envelope."""
    return sealed(signer=signer, originator=agency("gb", agency_class), **changes).statement


def with_signature(statement: statement_pb2.Statement, signature: bytes, key_id: bytes | None = None) -> statement_pb2.Statement:
    (old,) = statement.signatures
    return changed(statement, signatures=[statement_pb2.Signature(key_id=key_id or old.key_id, signature=signature)])


def knowing(gb: KnownNode) -> Recipient:
    """A recipient that knows another descriptor of gb."""
    return recipient(sender=gb.trust_domain.partition(".")[0], nodes={domain("gb"): gb, domain("kh"): node("kh")})


def deliver_to(to: Recipient, **changes: Any) -> Disclosure:
    """Deliver the good alert, with other words in its envelope, to somebody who knows other keys."""
    other = sealed(**changes)
    return deliver(delivery(other, entry(other)), to)


@SIGNERS
def test_without_an_attack_either_suite_is_accepted(agency_class: int, signer: LabelledKey) -> None:
    statement = signed_by(agency_class, signer)
    assert deliver(with_statement(statement)).manifest.value.originator == agency("gb", agency_class)
    assert deliver_to(knowing(known(descriptor("gb")))).entry == world().entry


# Suites and signatures


@pytest.mark.rule("D2")
@SIGNERS
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_COUNT")
def test_a_signature_is_stripped(agency_class: int, signer: LabelledKey) -> None:
    deliver(with_statement(changed(signed_by(agency_class, signer), signatures=())))


@pytest.mark.rule("D2")
@SIGNERS
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_signature_is_empty(agency_class: int, signer: LabelledKey) -> None:
    deliver(with_statement(with_signature(signed_by(agency_class, signer), b"")))


@pytest.mark.rule("D2")
@SIGNERS
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_signature_is_zeroed(agency_class: int, signer: LabelledKey) -> None:
    deliver(with_statement(with_signature(signed_by(agency_class, signer), bytes(64))))


@pytest.mark.rule("D2")
@SIGNERS
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_signature_is_that_of_another_manifest(agency_class: int, signer: LabelledKey) -> None:
    other = signed_by(agency_class, signer, issued_at=ISSUED - 1)
    deliver(with_statement(with_signature(signed_by(agency_class, signer), other.signatures[0].signature)))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_the_key_ids_of_two_suites_are_exchanged() -> None:
    statement = signed_by(POLICE, GB_POLICE_KEY)
    deliver(with_statement(with_signature(statement, statement.signatures[0].signature, BORDER_KEY.key_id)))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SUITE_UNKNOWN")
def test_an_ed25519_key_is_relabelled_as_p256() -> None:
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, suite=directory_pb2.SUITE_ECDSA_P256_SHA256))))


@attack("signature", "SUITE_UNKNOWN")
def test_a_p256_key_is_relabelled_as_ed25519() -> None:
    relabelled = dataclasses.replace(node("gb").keys[BORDER_KEY.key_id], suite=directory_pb2.SUITE_ED25519)
    open_statement(signed_by(BORDER, BORDER_KEY), "manifest", dataclasses.replace(node("gb"), keys={BORDER_KEY.key_id: relabelled}))


@pytest.mark.rule("D2")
@pytest.mark.parametrize("suite", [directory_pb2.SUITE_UNSPECIFIED, directory_pb2.SUITE_ED25519_ML_DSA_65, 99])
@attack("signature", "MANIFEST_UNVERIFIED", because="SUITE_UNKNOWN")
def test_a_key_is_of_a_suite_that_nobody_accepts_yet(suite: int) -> None:
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, suite=suite))))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_an_ecdsa_signature_is_in_der() -> None:
    statement = signed_by(BORDER, BORDER_KEY)
    raw = statement.signatures[0].signature
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    deliver(with_statement(with_signature(statement, der)))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_an_ecdsa_signature_counts_past_the_order_of_the_curve() -> None:
    statement = signed_by(BORDER, BORDER_KEY)
    raw = statement.signatures[0].signature
    past = int.from_bytes(raw[32:], "big") + ORDER_P256
    deliver(with_statement(with_signature(statement, raw[:32] + (past % 2**256).to_bytes(32, "big"))))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_an_ed25519_signature_counts_past_the_order_of_the_group() -> None:
    statement = signed_by(POLICE, GB_POLICE_KEY)
    raw = statement.signatures[0].signature
    past = int.from_bytes(raw[32:], "little") + ORDER_ED25519
    deliver(with_statement(with_signature(statement, raw[:32] + past.to_bytes(32, "little"))))


@pytest.mark.rule("D2")
@attack("signature", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_key_is_on_another_curve_than_its_suite() -> None:
    p384 = bytes.fromhex(
        "3076301006072a8648ce3d020106052b8104002203620004aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a54"
        "5e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
    )  # the base point of P-384
    gb = known(with_key(descriptor("gb"), BORDER_KEY, public_key=p384))
    statement = signed_by(BORDER, BORDER_KEY)
    fingerprint = next(key_id for key_id, known_key in gb.keys.items() if known_key.spki == p384)
    deliver(with_statement(with_signature(statement, bytes(31) + b"\x01" + bytes(31) + b"\x01", fingerprint)), knowing(gb))


@pytest.mark.rule("D2")
@attack("statement", "MANIFEST_UNVERIFIED", because="SIGNATURE_COUNT")
def test_a_second_agency_signs_as_well() -> None:
    deliver(with_statement(add_signature(signed_by(POLICE, GB_POLICE_KEY), BORDER_KEY)))


@pytest.mark.rule("D2")
@attack("statement", "MANIFEST_UNVERIFIED", because="STATEMENT_TYPE")
def test_a_permit_is_passed_for_a_manifest() -> None:
    deliver(with_statement(sign_statement("permit", encode(world().sealed.manifest), [GB_POLICE_KEY])))


@pytest.mark.rule("D2")
@attack("statement", "MANIFEST_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_signed_permit_is_relabelled_as_a_manifest() -> None:
    permit = sign_statement("permit", encode(world().sealed.manifest), [GB_POLICE_KEY])
    deliver(with_statement(changed(permit, type=world().sealed.statement.type)))


@attack("statement", "STATEMENT_TOO_LARGE")
def test_a_statement_is_too_large() -> None:
    open_statement(sign_statement("manifest", bytes(CAP_STATEMENT), [GB_POLICE_KEY]), "manifest", node("gb"))


@pytest.mark.parametrize("order", [[0, 0], [1, 0]], ids=["twice", "descending"])
@attack("statement", "SIGNATURE_ORDER")
def test_signatures_are_repeated_or_descend(order: Sequence[int]) -> None:
    statement = countersigned(agreement())
    signatures = [statement.signatures[place] for place in order]
    open_statement(changed(statement, signatures=signatures), "agreement", _Both(), signers=2)


class _Both:
    def find(self, key_id: bytes) -> PublicKey | None:
        return node("gb").find(key_id) or node("kh").find(key_id)


# Keys


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_UNKNOWN")
def test_a_manifest_is_signed_by_an_unknown_key() -> None:
    deliver(with_manifest(encode(world().sealed.manifest), ed25519_key("nobody's")))


@pytest.mark.rule("D2")
@pytest.mark.parametrize("name", ["agreement", "log", "receipt", "witness", "identity"])
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_USE")
def test_a_manifest_is_signed_by_a_key_of_another_use(name: str) -> None:
    deliver(with_manifest(encode(world().sealed.manifest), key("gb", name)))


@pytest.mark.rule("D2")
@pytest.mark.parametrize("name", [agency_name("gb", BORDER), agency_name("gb", NGO), "node"])
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_NOT_FOR_PARTY")
def test_a_manifest_is_signed_by_the_key_of_another_agency(name: str) -> None:
    deliver(with_manifest(encode(world().sealed.manifest), key("gb", name)))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_UNKNOWN")
def test_a_partner_signs_in_the_name_of_another_country() -> None:
    deliver(with_manifest(encode(changed(world().sealed.manifest, originator=agency("vn", POLICE)))))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED")
def test_a_manifest_comes_from_a_country_that_nobody_pinned() -> None:
    deliver(with_manifest(encode(changed(world().sealed.manifest, originator="spiffe://xx.alerts.example/agency/police"))))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED")
def test_a_manifest_is_rubbish() -> None:
    deliver(with_manifest(b"\xff\xff\xff"))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED")
def test_the_manifest_is_not_the_one_that_was_logged() -> None:
    deliver(changed(world().delivery, manifest=sealed(counter=2).statement))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_EARLY")
def test_a_key_signs_before_its_time() -> None:
    deliver_to(recipient(), issued_at=KEYS_FROM - 1)


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_EXPIRED")
def test_a_key_signs_after_its_time() -> None:
    deliver_to(recipient(), issued_at=KEYS_UNTIL, not_after=KEYS_UNTIL + HOUR)


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_REVOKED")
def test_a_revoked_key_signs_on() -> None:
    reason = directory_pb2.REVOCATION_REASON_SUPERSEDED
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, revoked_at=ISSUED, revocation_reason=reason))))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_REVOKED")
def test_a_stolen_key_signs_after_the_theft() -> None:
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(ISSUED - HOUR)))))


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_COMPROMISED")
def test_a_stolen_revoked_key_back_dates() -> None:
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(NOW - HOUR)))), issued_at=AGREED_FROM)


@pytest.mark.rule("D2")
@attack("key", "MANIFEST_UNVERIFIED", because="KEY_REVOKED")
def test_a_theft_that_is_found_later_does_not_revive_a_revoked_key() -> None:
    words = compromised(NOW - 1) | {"revoked_at": ISSUED - HOUR}
    deliver_to(knowing(known(with_key(descriptor("gb"), GB_POLICE_KEY, **words))))


@attack("key", "KEY_USE")
def test_an_agency_key_signs_an_agreement() -> None:
    signers = [GB_POLICE_KEY, key("kh", "agreement")]
    open_statement(sign_statement("agreement", encode(agreement()), signers), "agreement", _Both(), signers=2)


def test_the_made_up_keys_differ() -> None:
    assert len({agreed().digest, GB_POLICE_KEY.key_id, BORDER_KEY.key_id, p256_key("gb/other").key_id}) == 4
