"""Attacks on who a node is: descriptor chains, and keys under which anybody could sign."""

import pytest

from exchange.directory import KnownNode, advance, open_descriptor_chain, sign_descriptor
from exchange.encoding import encode
from exchange.signing import PublicKey, Signer, sign_statement, verify_signature
from exchange.v1 import directory_pb2, statement_pb2
from tests.attacks import MANGLES, Mangle, attack
from tests.countries import (
    DESCRIBED,
    HOUR,
    KEYS_FROM,
    KEYS_UNTIL,
    NOW,
    POLICE,
    agency,
    agency_name,
    changed,
    compromised,
    descriptor,
    ed25519_key,
    key,
    known,
    node,
    p256_key,
    with_key,
)

IDENTITY, NEXT = key("gb", "identity"), key("gb", "identity-2")
FIRST = descriptor("gb")
SECOND = changed(FIRST, sequence=2)
STOLEN = with_key(SECOND, key("gb", "log"), **compromised(NOW - HOUR))


def chain(*descriptors: directory_pb2.NodeDescriptor, by: Signer = IDENTITY, pinned: bytes = IDENTITY.key_id) -> KnownNode:
    return open_descriptor_chain([sign_descriptor(described, by) for described in descriptors], pinned)


def signed(payload: bytes, by: Signer = IDENTITY) -> statement_pb2.Statement:
    return sign_statement("descriptor", payload, [by])


def announced(described: directory_pb2.NodeDescriptor) -> directory_pb2.NodeDescriptor:
    """The descriptor, with the announced identity key among its keys."""
    copy = changed(described)
    (identity,) = (k for k in copy.keys if k.use == directory_pb2.KEY_USE_IDENTITY)
    copy.keys.append(changed(identity, public_key=NEXT.spki))
    return copy


def test_without_an_attack_the_chain_is_accepted() -> None:
    statements = [sign_descriptor(FIRST, IDENTITY), sign_descriptor(announced(SECOND), NEXT)]
    assert advance(node("gb"), open_descriptor_chain(statements, IDENTITY.key_id)).descriptor.sequence == 2
    assert chain(FIRST, STOLEN).keys[key("gb", "log").key_id].compromised_since == NOW - HOUR


# The chain


@attack("descriptor", "DESCRIPTOR_CHAIN_EMPTY")
def test_there_is_no_descriptor() -> None:
    chain()


@attack("descriptor", "DESCRIPTOR_NOT_PINNED")
def test_a_descriptor_is_not_signed_by_the_pinned_key() -> None:
    chain(FIRST, pinned=key("vn", "identity").key_id)


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_descriptor_is_signed_by_an_identity_key_that_nobody_announced() -> None:
    thief = ed25519_key("gb/identity-3")
    copy = changed(SECOND)
    copy.keys.append(changed(copy.keys[4], public_key=thief.spki))
    open_descriptor_chain([sign_descriptor(FIRST, IDENTITY), sign_descriptor(copy, thief)], IDENTITY.key_id)


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_replaced_identity_key_signs_again() -> None:
    second, third = announced(SECOND), announced(changed(FIRST, sequence=3))
    second.next_identity_key = ed25519_key("gb/identity-3").key_id
    statements = [sign_descriptor(FIRST, IDENTITY), sign_descriptor(second, NEXT), sign_descriptor(third, IDENTITY)]
    open_descriptor_chain(statements, IDENTITY.key_id)


@pytest.mark.parametrize("sequence", [0, 1])
@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_chain_does_not_rise(sequence: int) -> None:
    chain(FIRST, changed(FIRST, sequence=sequence))


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_chain_goes_over_to_another_country() -> None:
    copy = changed(descriptor("vn"), sequence=2)
    copy.keys.append(changed(copy.keys[4], public_key=IDENTITY.spki))
    chain(FIRST, copy)


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_key_vanishes() -> None:
    chain(FIRST, changed(SECOND, keys=[k for k in SECOND.keys if k.public_key != key("gb", "witness").spki]))


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_key_is_given_another_use() -> None:
    chain(FIRST, with_key(SECOND, key("gb", "receipt"), use=directory_pb2.KEY_USE_STATEMENT))


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_key_is_given_another_suite() -> None:
    chain(FIRST, with_key(SECOND, key("gb", "receipt"), suite=directory_pb2.SUITE_ECDSA_P256_SHA256))


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_revocation_is_undone() -> None:
    chain(FIRST, STOLEN, changed(FIRST, sequence=3))


@pytest.mark.parametrize("word", ["revoked_at", "compromised_since"])
@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_revocation_is_put_off(word: str) -> None:
    words = compromised(NOW - HOUR)
    chain(FIRST, STOLEN, with_key(changed(FIRST, sequence=3), key("gb", "log"), **words | {word: words[word] + 1}))


@attack("descriptor", "DESCRIPTOR_CHAIN_BROKEN")
def test_a_theft_becomes_an_ordinary_revocation() -> None:
    words = {"revoked_at": NOW - 1, "revocation_reason": directory_pb2.REVOCATION_REASON_SUPERSEDED}
    chain(FIRST, STOLEN, with_key(changed(FIRST, sequence=3), key("gb", "log"), **words))


# What is already known


@attack("descriptor", "DESCRIPTOR_ROLLBACK")
def test_a_descriptor_is_rolled_back() -> None:
    advance(chain(FIRST, STOLEN), node("gb"))


@attack("descriptor", "DESCRIPTOR_EQUIVOCATION")
def test_two_descriptors_bear_one_sequence() -> None:
    advance(node("gb"), known(changed(FIRST, endpoint="elsewhere:1")))


@attack("descriptor", "DESCRIPTOR_EQUIVOCATION")
def test_a_rival_chain_grows_longer() -> None:
    advance(chain(FIRST, STOLEN), chain(FIRST, SECOND, changed(STOLEN, sequence=3)))


@attack("descriptor", "DESCRIPTOR_OTHER_NODE")
def test_a_descriptor_is_offered_in_anothers_place() -> None:
    advance(node("gb"), node("vn"))


# Signatures and form


@MANGLES
@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="NOT_CANONICAL")
def test_a_descriptor_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    open_descriptor_chain([signed(mangle(encode(FIRST)))], IDENTITY.key_id)


@attack("descriptor", "DESCRIPTOR_MALFORMED")
def test_a_descriptor_is_rubbish() -> None:
    open_descriptor_chain([signed(b"\xff\xff\xff")], IDENTITY.key_id)


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="KEY_USE")
def test_an_online_key_signs_a_descriptor() -> None:
    chain(FIRST, by=key("gb", "agreement"), pinned=key("gb", "agreement").key_id)


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="SIGNATURE_INVALID")
def test_a_descriptor_is_altered_after_it_was_signed() -> None:
    altered = changed(sign_descriptor(FIRST, IDENTITY), payload=encode(changed(FIRST, endpoint="elsewhere:1")))
    open_descriptor_chain([altered], IDENTITY.key_id)


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="SIGNATURE_COUNT")
def test_a_descriptor_is_not_signed() -> None:
    open_descriptor_chain([changed(sign_descriptor(FIRST, IDENTITY), signatures=())], IDENTITY.key_id)


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="KEY_EARLY")
def test_an_identity_key_signs_before_its_time() -> None:
    chain(changed(FIRST, issued_at=KEYS_FROM - 1))


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="KEY_EXPIRED")
def test_an_identity_key_signs_after_its_time() -> None:
    chain(changed(FIRST, issued_at=KEYS_UNTIL))


@attack("descriptor", "DESCRIPTOR_UNVERIFIED", because="KEY_COMPROMISED")
def test_a_stolen_identity_key_back_dates() -> None:
    chain(with_key(FIRST, IDENTITY, **compromised(DESCRIBED + HOUR)))


@pytest.mark.parametrize(
    "malformed",
    [
        changed(FIRST, version=2),
        changed(FIRST, node_ca=()),
        changed(FIRST, next_identity_key=b"short"),
        changed(FIRST, keys=[*FIRST.keys, FIRST.keys[0]]),
        with_key(FIRST, key("gb", "receipt"), speaks_for=[agency("vn", POLICE)]),
        with_key(FIRST, key("gb", "receipt"), revoked_at=NOW),
        with_key(FIRST, key("gb", "receipt"), compromised_since=NOW),
        changed(FIRST, agencies=[directory_pb2.DescribedAgency(agency=agency("vn", POLICE), agency_class=POLICE)]),
        changed(FIRST, agencies=[directory_pb2.DescribedAgency(agency=agency("gb", POLICE))]),
        changed(FIRST, understands=[directory_pb2.UnderstoodType(profiles=[b"short"])]),
    ],
    ids=["version", "no CA", "next key", "key twice", "foreign party", "no reason", "theft", "foreign agency", "no class", "profile"],
)
@attack("descriptor", "DESCRIPTOR_MALFORMED")
def test_a_descriptor_has_no_such_form(malformed: directory_pb2.NodeDescriptor) -> None:
    chain(malformed)


# Keys


PRIME = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, PRIME) % PRIME
SPKI = bytes.fromhex("302a300506032b6570032100")


def square_root(square: int) -> int | None:
    """The square root modulo the prime, if there is one (RFC 8032 section 5.1.3)."""
    root = pow(square, (PRIME + 3) // 8, PRIME)
    candidates = (root, root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME)
    return next((candidate for candidate in candidates if candidate * candidate % PRIME == square % PRIME), None)


def small_orders() -> list[int]:
    """The y of every point whose order divides 8: 1, -1, 0 (orders 1, 2, 4) and those of order 8.

    A point of order 8 doubles to one with y = 0. So x^2 = -y^2, and the curve -x^2 + y^2 = 1 + d x^2 y^2 becomes d y^4 + 2 y^2 - 1 = 0.
    """
    root = square_root(1 + CURVE_D)
    assert root is not None
    squares = [(sign * root - 1) * pow(CURVE_D, -1, PRIME) for sign in (1, -1)]
    of_order_8 = [y for y in map(square_root, squares) if y is not None]
    return [0, 1, PRIME - 1, *of_order_8, *(PRIME - y for y in of_order_8)]


def small_order_keys() -> list[bytes]:
    """Every 32 bytes that decode to a point of small order: canonical, past the prime, and with either sign."""
    below = [y + past for y in small_orders() for past in (0, PRIME) if y + past < 2**255]
    return [(y | sign << 255).to_bytes(32, "little") for y in below for sign in (0, 1)]


def test_there_are_14_encodings_of_points_of_small_order() -> None:
    assert len(set(small_order_keys())) == 14


def test_the_library_would_accept_a_signature_that_nobody_made() -> None:
    identity = (1).to_bytes(32, "little")
    open_to_all = PublicKey(
        key_id=bytes(32),
        use=directory_pb2.KEY_USE_STATEMENT,
        suite=directory_pb2.SUITE_ED25519,
        spki=SPKI + identity,
        speaks_for=frozenset(),
        not_before=0,
        not_after=0,
    )
    verify_signature(open_to_all, identity + bytes(32), b"any message at all")


@pytest.mark.parametrize("raw", small_order_keys(), ids=bytes.hex)
@attack("key", "DESCRIPTOR_MALFORMED")
def test_a_key_is_of_small_order(raw: bytes) -> None:
    chain(with_key(FIRST, key("gb", "log"), public_key=SPKI + raw))


@pytest.mark.parametrize("spki", [b"", SPKI, SPKI + bytes(31), b"\x00" + SPKI + bytes([2] * 32), p256_key("gb/other").spki])
@attack("key", "DESCRIPTOR_MALFORMED")
def test_a_key_is_not_what_its_suite_says(spki: bytes) -> None:
    chain(with_key(FIRST, key("gb", agency_name("gb", POLICE)), public_key=spki))


@attack("key", "DESCRIPTOR_MALFORMED")
def test_a_log_key_is_of_another_suite_than_notes_have() -> None:
    chain(with_key(FIRST, key("gb", "log"), suite=directory_pb2.SUITE_ECDSA_P256_SHA256, public_key=p256_key("gb/other").spki))
