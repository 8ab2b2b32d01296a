from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from exchange.directory import KnownNode, advance, check_key, check_not_compromised, open_descriptor_chain, sign_descriptor
from exchange.encoding import encode
from exchange.errors import Conflict, Malformed, Refused, Unverified
from exchange.profile import alert_type
from exchange.signing import PublicKey, sign_statement, statement_digest
from exchange.v1 import agreement_pb2, directory_pb2, statement_pb2
from tests.countries import (
    BORDER,
    DAY,
    DESCRIBED,
    KEYS_FROM,
    KEYS_UNTIL,
    NOW,
    POLICE,
    TRAVEL,
    LabelledKey,
    agency,
    changed,
    compromised,
    described_key,
    descriptor,
    ed25519_key,
    key,
    known,
    node,
    node_id,
    p256_key,
    with_key,
)
from tests.refusals import refused

IDENTITY, NEXT = key("gb", "identity"), key("gb", "identity-2")
SUPERSEDED = {"revoked_at": NOW, "revocation_reason": directory_pb2.REVOCATION_REASON_SUPERSEDED}


def later(before: directory_pb2.NodeDescriptor, **changes: Any) -> directory_pb2.NodeDescriptor:
    """The next descriptor after that one."""
    return changed(before, **{"sequence": before.sequence + 1, "issued_at": before.issued_at + DAY} | changes)


def handed_over(before: directory_pb2.NodeDescriptor) -> directory_pb2.NodeDescriptor:
    """The next descriptor, which describes the announced identity key and announces another."""
    return later(
        before,
        keys=[*before.keys, described_key(NEXT, directory_pb2.KEY_USE_IDENTITY, node_id("gb"))],
        next_identity_key=ed25519_key("gb/identity-3").key_id,
    )


def chain(*signed: tuple[directory_pb2.NodeDescriptor, LabelledKey]) -> KnownNode:
    return open_descriptor_chain([sign_descriptor(described, signer) for described, signer in signed], IDENTITY.key_id)


def test_a_node_is_what_its_descriptor_says() -> None:
    described = descriptor("gb")
    statement = sign_descriptor(described, IDENTITY)
    gb = open_descriptor_chain([statement], IDENTITY.key_id)
    assert (gb.trust_domain, gb.descriptor, gb.digest, gb.chain) == (
        "gb.alerts.example",
        described,
        statement_digest(statement),
        (statement,),
    )
    assert gb.agencies[agency("gb", POLICE)] == POLICE
    assert gb.profiles[TRAVEL] == (alert_type(TRAVEL).digest,)
    assert [found.key_id for found in gb.log_keys()] == [key("gb", "log").key_id]
    assert gb.find(bytes(32)) is None
    border = key("gb", "border-force")
    assert gb.find(border.key_id) == PublicKey(
        key_id=border.key_id,
        use=directory_pb2.KEY_USE_STATEMENT,
        suite=directory_pb2.SUITE_ECDSA_P256_SHA256,
        spki=border.spki,
        speaks_for=frozenset({agency("gb", BORDER)}),
        not_before=KEYS_FROM,
        not_after=KEYS_UNTIL,
    )


# Keys and times


@pytest.mark.parametrize(
    ("changes", "at", "code"),
    [
        ({}, 99, "KEY_EARLY"),
        ({}, 100, ""),
        ({}, 199, ""),
        ({}, 200, "KEY_EXPIRED"),
        ({"revoked_at": 150}, 149, ""),
        ({"revoked_at": 150}, 150, "KEY_REVOKED"),
        ({"revoked_at": 150, "compromised_since": 120}, 119, ""),
        ({"revoked_at": 150, "compromised_since": 120}, 120, "KEY_REVOKED"),
        ({"speaks_for": frozenset({"spiffe://a.b/agency/other"})}, 150, "KEY_NOT_FOR_PARTY"),
    ],
)
def test_a_key_speaks_for_its_parties_in_its_time(changes: dict[str, Any], at: int, code: str) -> None:
    party = "spiffe://a.b/agency/one"
    speaking = PublicKey(key_id=b"", use=1, suite=1, spki=b"", speaks_for=frozenset({party}), not_before=100, not_after=200)
    if not code:
        check_key(replace(speaking, **changes), party, at)
        return
    with refused(Unverified, code):
        check_key(replace(speaking, **changes), party, at)


def test_what_a_stolen_key_signed_stands_only_if_it_was_held_before() -> None:
    good = node("gb").keys[key("gb", "log").key_id]
    check_not_compromised(good)
    check_not_compromised(replace(good, revoked_at=NOW))
    stolen = replace(good, revoked_at=NOW, compromised_since=NOW - DAY)
    check_not_compromised(stolen, NOW - DAY - 1)
    for held_since in (None, NOW - DAY, NOW):
        with refused(Unverified, "KEY_COMPROMISED"):
            check_not_compromised(stolen, held_since)


# Chains


def test_a_chain_leads_from_the_pinned_key_to_the_newest() -> None:
    first = descriptor("gb")
    second = handed_over(first)
    third = later(second, endpoint="node.gb.alerts.example:9")
    newest = chain((first, IDENTITY), (second, NEXT), (third, NEXT))
    assert (newest.descriptor, len(newest.chain)) == (third, 3)
    assert newest.find(NEXT.key_id) is not None


def test_nothing_is_no_chain() -> None:
    with refused(Malformed, "DESCRIPTOR_CHAIN_EMPTY"):
        open_descriptor_chain([], IDENTITY.key_id)


def test_the_first_descriptor_is_signed_by_the_pinned_key() -> None:
    with refused(Unverified, "DESCRIPTOR_NOT_PINNED"):
        open_descriptor_chain([sign_descriptor(descriptor("gb"), IDENTITY)], key("kh", "identity").key_id)


def test_only_the_last_or_the_announced_identity_key_continues_a_chain() -> None:
    first = descriptor("gb")
    stranger = ed25519_key("stranger")
    strange = later(first, keys=[*first.keys, described_key(stranger, directory_pb2.KEY_USE_IDENTITY, node_id("gb"))])
    with refused(Unverified, "DESCRIPTOR_CHAIN_BROKEN"):
        chain((first, IDENTITY), (strange, stranger))
    second = handed_over(first)
    with refused(Unverified, "DESCRIPTOR_CHAIN_BROKEN"):  # once replaced, the first key is over
        chain((first, IDENTITY), (second, NEXT), (later(second), IDENTITY))


def successors() -> Sequence[tuple[str, directory_pb2.NodeDescriptor, directory_pb2.NodeDescriptor]]:
    first = descriptor("gb")
    police = key("gb", "nca-ceop")
    revoked, stolen = with_key(first, police, **SUPERSEDED), with_key(first, police, **compromised(NOW - DAY))
    return [
        ("same sequence", first, changed(first, endpoint="elsewhere:1")),
        ("a key dropped", first, later(first, keys=list(first.keys)[:-1])),
        ("another use", first, later(with_key(first, police, use=directory_pb2.KEY_USE_RECEIPT))),
        ("another suite", first, later(with_key(first, police, suite=directory_pb2.SUITE_ECDSA_P256_SHA256))),
        ("revocation taken back", revoked, later(first)),
        ("revocation put off", revoked, later(with_key(revoked, police, revoked_at=NOW + 1))),
        ("compromise taken back", stolen, later(with_key(first, police, **SUPERSEDED))),
        ("compromise put off", stolen, later(with_key(stolen, police, compromised_since=NOW - DAY + 1))),
    ]


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in successors()], ids=[case[0] for case in successors()])
def test_a_descriptor_takes_nothing_back(before: directory_pb2.NodeDescriptor, after: directory_pb2.NodeDescriptor) -> None:
    with refused(Unverified, "DESCRIPTOR_CHAIN_BROKEN"):
        known(before, after)


def test_another_node_does_not_continue_a_chain() -> None:
    taken = changed(descriptor("kh"), sequence=2, keys=[described_key(IDENTITY, directory_pb2.KEY_USE_IDENTITY, node_id("kh"))])
    with refused(Unverified, "DESCRIPTOR_CHAIN_BROKEN"):
        chain((descriptor("gb"), IDENTITY), (taken, IDENTITY))


def test_a_revocation_may_be_dated_back_and_a_compromise_added() -> None:
    first = descriptor("gb")
    police = key("gb", "nca-ceop")
    revoked = later(with_key(first, police, **SUPERSEDED))
    stolen = later(with_key(revoked, police, **compromised(NOW - DAY)))
    earlier = later(with_key(stolen, police, **compromised(NOW - 2 * DAY)))
    found = known(first, revoked, stolen, earlier).find(police.key_id)
    assert found is not None
    assert found.compromised_since == NOW - 2 * DAY


# One descriptor


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (sign_statement("receipt", encode(descriptor("gb")), [IDENTITY]), "STATEMENT_TYPE"),
        (sign_descriptor(descriptor("gb"), key("gb", "log")), "KEY_USE"),
        (sign_descriptor(descriptor("gb"), ed25519_key("stranger")), "KEY_UNKNOWN"),
        (sign_statement("descriptor", encode(descriptor("gb")) + encode(descriptor("gb")), [IDENTITY]), "NOT_CANONICAL"),
        (sign_descriptor(descriptor("gb", trust_domain="GB"), IDENTITY), "PARTY_MALFORMED"),
        (sign_descriptor(descriptor("gb", trust_domain="fr.alerts.example"), IDENTITY), "KEY_NOT_FOR_PARTY"),
        (sign_descriptor(descriptor("gb", issued_at=KEYS_FROM - 1), IDENTITY), "KEY_EARLY"),
        (sign_descriptor(with_key(descriptor("gb"), IDENTITY, **SUPERSEDED, not_after=DESCRIBED), IDENTITY), "KEY_EXPIRED"),
        (sign_descriptor(with_key(descriptor("gb"), IDENTITY, **compromised(NOW - DAY)), IDENTITY), "KEY_COMPROMISED"),
    ],
)
def test_a_descriptor_is_signed_by_an_identity_key_that_it_describes(statement: statement_pb2.Statement, reason: str) -> None:
    with refused(Unverified, "DESCRIPTOR_UNVERIFIED") as error:
        open_descriptor_chain([statement], IDENTITY.key_id)
    assert reason in str(error.value)


def test_junk_is_no_descriptor() -> None:
    with refused(Malformed, "DESCRIPTOR_MALFORMED"):
        open_descriptor_chain([sign_statement("descriptor", b"\xff", [IDENTITY])], IDENTITY.key_id)


def with_more_keys(*more: directory_pb2.DescribedKey) -> directory_pb2.NodeDescriptor:
    first = descriptor("gb")
    return changed(first, keys=[*first.keys, *more])


def understanding(digest: bytes) -> directory_pb2.UnderstoodType:
    return directory_pb2.UnderstoodType(alert_type=TRAVEL, profiles=[digest])


@pytest.mark.parametrize(
    "wrong",
    [
        descriptor("gb", version=2),
        descriptor("gb", node_ca=None),
        descriptor("gb", next_identity_key=bytes(31)),
        descriptor("gb", understands=[understanding(bytes(31))]),
        descriptor(
            "gb", agencies=[directory_pb2.DescribedAgency(agency=agency("kh", POLICE), agency_class=agreement_pb2.AGENCY_CLASS_POLICE)]
        ),
        descriptor("gb", agencies=[directory_pb2.DescribedAgency(agency=agency("gb", POLICE))]),
        descriptor("gb", agencies=[descriptor("gb").agencies[0]] * 2),
        descriptor("gb", understands=[understanding(bytes(32)), understanding(bytes(32))]),
        descriptor("gb", agencies=[directory_pb2.DescribedAgency(agency=node_id("gb"), agency_class=agreement_pb2.AGENCY_CLASS_POLICE)]),
        with_more_keys(descriptor("gb").keys[0]),
        with_more_keys(described_key(ed25519_key("x"), directory_pb2.KEY_USE_STATEMENT, agency("kh", POLICE))),
        with_more_keys(described_key(p256_key("x"), directory_pb2.KEY_USE_LOG, node_id("gb"))),
        with_more_keys(described_key(p256_key("x"), directory_pb2.KEY_USE_WITNESS, node_id("gb"))),
        with_key(descriptor("gb"), key("gb", "log"), revoked_at=NOW),
        with_key(descriptor("gb"), key("gb", "log"), revocation_reason=directory_pb2.REVOCATION_REASON_CESSATION),
        with_key(descriptor("gb"), key("gb", "log"), **SUPERSEDED, compromised_since=NOW),
        with_key(descriptor("gb"), key("gb", "log"), **compromised(0)),
    ],
)
def test_a_descriptor_keeps_the_rules_of_its_form(wrong: directory_pb2.NodeDescriptor) -> None:
    with refused(Malformed, "DESCRIPTOR_MALFORMED"):
        known(wrong)


# What a partner believes from one day to the next


def test_a_node_advances_along_its_chain_only() -> None:
    first = descriptor("gb")
    second, rival = later(first), later(first, endpoint="elsewhere:1")
    held = known(first, second)
    assert advance(held, known(first, second)) == held
    newest = known(first, second, later(second))
    assert advance(held, newest) is newest
    with refused(Refused, "DESCRIPTOR_ROLLBACK"):
        advance(held, known(first))
    with refused(Refused, "DESCRIPTOR_OTHER_NODE"):
        advance(held, node("kh"))
    with refused(Conflict, "DESCRIPTOR_EQUIVOCATION"):
        advance(held, known(first, rival))


def test_a_replaced_identity_key_grows_no_rival_chain() -> None:
    first = descriptor("gb")
    held = chain((first, IDENTITY), (handed_over(first), NEXT))
    # Whoever stole the first key repeats what the second descriptor says, with a higher sequence.
    forged = chain((first, IDENTITY), (changed(handed_over(first), sequence=99, endpoint="thief:1"), IDENTITY))
    with refused(Conflict, "DESCRIPTOR_EQUIVOCATION"):
        advance(held, forged)
