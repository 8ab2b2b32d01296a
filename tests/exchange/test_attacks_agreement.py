"""Attacks on agreements themselves: who signed, for whom, in which form."""

import pytest

from exchange.agreement import Agreed, check_agreement, open_agreement, open_proposal, propose
from exchange.directory import KnownNode
from exchange.encoding import encode
from exchange.signing import add_signature, sign_statement
from exchange.v1 import agreement_pb2, statement_pb2
from tests.attacks import MANGLES, Mangle, attack
from tests.countries import (
    HOUR,
    NOW,
    POLICE,
    PROPOSED,
    agency,
    agreed,
    agreement,
    changed,
    compromised,
    countersigned,
    descriptor,
    domain,
    key,
    known,
    node,
    with_clause,
    with_key,
)

BOTH = (node("gb"), node("kh"))
CLAUSE = "gb-kh-travelalert-police"


def accept(statement: statement_pb2.Statement, gb: KnownNode = BOTH[0]) -> Agreed:
    return open_agreement(statement, [gb, BOTH[1]])


def signed(payload: bytes) -> statement_pb2.Statement:
    return sign_statement("agreement", payload, [key("gb", "agreement"), key("kh", "agreement")])


def test_without_an_attack_the_agreement_is_accepted() -> None:
    assert accept(countersigned(agreement())).digest == agreed().digest == accept(signed(encode(agreement()))).digest


@attack("agreement", "SIGNATURE_COUNT")
def test_an_agreement_is_not_countersigned() -> None:
    accept(propose(agreement(), key("gb", "agreement")))


@attack("agreement", "KEY_UNKNOWN")
def test_an_agreement_is_countersigned_by_a_third_country() -> None:
    accept(add_signature(propose(agreement(), key("gb", "agreement")), key("vn", "agreement")))


@attack("agreement", "SIGNERS")
def test_one_country_signs_for_both_with_two_keys() -> None:
    two_keys = changed(descriptor("gb"))
    two_keys.keys.append(changed(two_keys.keys[0], public_key=key("gb", "agreement-2").spki))
    statement = sign_statement("agreement", encode(agreement()), [key("gb", "agreement"), key("gb", "agreement-2")])
    accept(statement, known(two_keys))


@attack("agreement", "AGREEMENT_PARTIES")
def test_an_agreement_is_between_others() -> None:
    accept(countersigned(agreement("gb", "vn")))


@attack("agreement", "PROPOSER_NOT_A_PARTY")
def test_a_proposal_comes_from_somebody_who_is_no_party() -> None:
    open_proposal(propose(agreement("gb", "kh"), key("vn", "agreement")), node("vn"))


@attack("agreement", "KEY_NOT_FOR_PARTY")
def test_an_agreement_is_signed_by_a_key_that_speaks_for_an_agency_only() -> None:
    accept(countersigned(agreement()), known(with_key(descriptor("gb"), key("gb", "agreement"), speaks_for=[agency("gb", POLICE)])))


@attack("agreement", "KEY_EARLY")
def test_an_agreement_was_proposed_before_the_key_was_in_force() -> None:
    accept(countersigned(agreement()), known(with_key(descriptor("gb"), key("gb", "agreement"), not_before=PROPOSED + 1)))


@attack("agreement", "KEY_COMPROMISED")
def test_a_stolen_agreement_key_back_dates() -> None:
    accept(countersigned(agreement()), known(with_key(descriptor("gb"), key("gb", "agreement"), **compromised(NOW - HOUR))))


@MANGLES
@attack("agreement", "NOT_CANONICAL")
def test_an_agreement_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    accept(signed(mangle(encode(agreement()))))


@pytest.mark.parametrize(
    "malformed",
    [
        agreement(version=2),
        agreement(valid_until=NOW, valid_from=NOW),
        agreement(instrument=""),
        agreement(agencies=reversed(agreement().agencies)),
        agreement(agencies=[agreement_pb2.ClassifiedAgency(agency=agency("vn", POLICE), agency_class=POLICE)]),
        agreement(clauses=reversed(agreement().clauses)),
    ],
    ids=["version", "never in force", "no instrument", "agencies descend", "a stranger's agency", "clauses descend"],
)
@attack("agreement", "AGREEMENT_MALFORMED")
def test_an_agreement_has_no_such_form(malformed: agreement_pb2.Agreement) -> None:
    accept(countersigned(malformed))


@pytest.mark.parametrize(
    "changes",
    [
        {"required": [1], "permitted": [1]},
        {"required": [2, 1], "permitted": ()},
        {"permitted": [65]},
        {"purposes": ()},
        {"maximum_retention_days": 0},
        {"audience": 0},
        {"onward": 0},
        {"alert_type": "exchange.v1.Withdrawal"},
        {"recipient": domain("vn")},
    ],
    ids=",".join,
)
@attack("clause", "AGREEMENT_MALFORMED")
def test_a_clause_has_no_such_form(changes: dict[str, object]) -> None:
    check_agreement(with_clause(agreement(), CLAUSE, **changes))
