from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import ExchangeError, Malformed, Refused, Unverified
from exchange.signing import Verified, sign_statement, statement_digest
from exchange.succession import (
    check_successor,
    countersign_succession,
    open_succession,
    open_succession_proposal,
    propose_succession,
    successor_entry,
)
from exchange.v1 import disclosure_pb2, statement_pb2, succession_pb2
from tests.builders import checkpoint, log_name, note, world
from tests.countries import DAY, KEYS_FROM, NOW, changed, compromised, descriptor, key, known, node, with_key
from tests.refusals import refused

GB_KEY, KH_KEY = key("gb", "agreement"), key("kh", "agreement")


def good() -> succession_pb2.LogSuccession:
    """gb's log towards kh ends at four entries, because gb's log key was stolen."""
    return succession_pb2.LogSuccession(
        version=1,
        ended_origin=log_name().origin,
        successor_origin=log_name(generation=2).origin,
        last_checkpoint=checkpoint(world().entries).text(),
        reason=succession_pb2.SUCCESSION_REASON_KEY_COMPROMISE,
        agreed_at=NOW,
    )


def signed(content: succession_pb2.LogSuccession) -> statement_pb2.Statement:
    return sign_statement("log-succession", encode(content), [GB_KEY, KH_KEY])


def opened(statement: statement_pb2.Statement) -> Verified[succession_pb2.LogSuccession]:
    return open_succession(statement, [node("gb"), node("kh")])


def test_both_nodes_end_a_log_and_name_its_successor() -> None:
    both = countersign_succession(propose_succession(good(), GB_KEY), KH_KEY)
    assert both == countersign_succession(propose_succession(good(), KH_KEY), GB_KEY) == signed(good())
    found = opened(both)
    assert (found.value, found.digest) == (good(), statement_digest(both))
    assert successor_entry(found.digest) == disclosure_pb2.Entry(succession=found.digest)


def test_a_fork_keeps_both_checkpoints_as_proof() -> None:
    forked = changed(good(), reason=succession_pb2.SUCCESSION_REASON_FORK, conflicting_checkpoints=[note([b"one"]), note([b"another"])])
    assert opened(signed(forked)).value == forked


def test_one_signature_is_not_enough() -> None:
    with refused(Malformed, "SIGNATURE_COUNT"):
        opened(propose_succession(good(), GB_KEY))


def test_both_signers_are_the_nodes_of_the_log() -> None:
    with refused(Unverified, "SUCCESSION_PARTIES"):
        open_succession(sign_statement("log-succession", encode(good()), [GB_KEY, key("vn", "agreement")]), [node("gb"), node("vn")])
    second = key("gb", "second agreement key")
    own = descriptor("gb")
    gb = known(changed(own, keys=[*own.keys, changed(own.keys[0], public_key=second.spki)]))
    with refused(Unverified, "SIGNERS"):
        open_succession(sign_statement("log-succession", encode(good()), [GB_KEY, second]), [gb, node("kh")])
    with refused(Unverified, "KEY_UNKNOWN"):
        opened(sign_statement("log-succession", encode(good()), [GB_KEY, key("vn", "agreement")]))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"not_after": NOW}, "KEY_EXPIRED"),
        ({"not_before": NOW + 1}, "KEY_EARLY"),
        (compromised(NOW + DAY) | {"revoked_at": NOW + DAY}, "KEY_COMPROMISED"),
    ],
)
def test_keys_are_judged_when_it_was_agreed(changes: dict[str, Any], code: str) -> None:
    gb = known(with_key(descriptor("gb"), GB_KEY, **changes))
    with refused(Unverified, code):
        open_succession(signed(good()), [gb, node("kh")])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 2}, "SUCCESSION_MALFORMED"),
        ({"ended_origin": "nothing"}, "ORIGIN_MALFORMED"),
        ({"successor_origin": log_name().origin}, "SUCCESSION_MALFORMED"),
        ({"successor_origin": log_name("kh", "gb", 2).origin}, "SUCCESSION_MALFORMED"),
        ({"successor_origin": log_name("gb", "vn", 2).origin}, "SUCCESSION_MALFORMED"),
        ({"last_checkpoint": checkpoint(world().entries, log_name("kh", "gb")).text()}, "SUCCESSION_MALFORMED"),
        ({"last_checkpoint": b""}, "CHECKPOINT_MALFORMED"),
        ({"reason": None}, "SUCCESSION_MALFORMED"),
        ({"conflicting_checkpoints": [note([])] * 9}, "SUCCESSION_MALFORMED"),
    ],
)
def test_a_succession_has_one_form(changes: dict[str, Any], code: str) -> None:
    wrong = changed(good(), **changes)
    for act in (lambda: propose_succession(wrong, GB_KEY), lambda: opened(signed(wrong))):
        with pytest.raises(ExchangeError) as error:
            act()
        assert error.value.code == code


def test_a_succession_is_read_strictly() -> None:
    with refused(Malformed, "NOT_CANONICAL"):
        opened(sign_statement("log-succession", encode(good()) * 2, [GB_KEY, KH_KEY]))
    with refused(Unverified, "KEY_EARLY"):
        opened(signed(changed(good(), agreed_at=KEYS_FROM - 1)))


# Proposals


def test_the_owner_proposes_to_end_its_log() -> None:
    statement = propose_succession(good(), GB_KEY)
    proposed = open_succession_proposal(statement, node("gb"))
    assert (proposed.value, proposed.digest) == (good(), statement_digest(statement))
    with refused(Unverified, "SUCCESSION_SIGNERS"):
        open_succession_proposal(propose_succession(good(), KH_KEY), node("kh"))
    with refused(Malformed, "SIGNATURE_COUNT"):
        open_succession_proposal(signed(good()), node("gb"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"not_after": NOW}, "KEY_EXPIRED"), (compromised(NOW + DAY) | {"revoked_at": NOW + DAY}, "KEY_COMPROMISED")],
)
def test_a_proposal_needs_the_owners_key(changes: dict[str, Any], code: str) -> None:
    with refused(Unverified, code):
        open_succession_proposal(propose_succession(good(), GB_KEY), known(with_key(descriptor("gb"), GB_KEY, **changes)))


# Entry 0 of the successor


def first_delivery(**changes: Any) -> disclosure_pb2.Delivery:
    statement = signed(good())
    delivered = disclosure_pb2.Delivery(entry=encode(successor_entry(statement_digest(statement))), attached=[statement])
    return changed(delivered, **changes)


def check(delivered: disclosure_pb2.Delivery, generation: int = 2, index: int = 0) -> None:
    check_successor(delivered, log_name(generation=generation), index, [node("gb"), node("kh")])


def test_a_successor_begins_with_the_succession() -> None:
    check(first_delivery())
    for elsewhere in ({"generation": 3}, {"index": 1}):
        with refused(Refused, "NOT_AGREED"):
            check(first_delivery(), **elsewhere)


@pytest.mark.parametrize(
    "changes",
    [
        {"attached": None},
        {"attached": [signed(good()), signed(good())]},
        {"attached": [propose_succession(good(), GB_KEY)]},
        {"attached": [signed(changed(good(), agreed_at=NOW + 1))]},
        {"entry": encode(successor_entry(bytes(32)))},
        {"entry": first_delivery().entry + b"\x08"},
        {"entry": encode(changed(successor_entry(statement_digest(signed(good()))), disclosed_at=NOW))},
        {"manifest": world().sealed.statement},
        {"openings": world().delivery.openings},
    ],
)
def test_and_with_nothing_else(changes: dict[str, Any]) -> None:
    with refused(Refused, "NOT_AGREED"):
        check(first_delivery(**changes))
