"""Attacks on evidence of what was passed on: vn told kh what the British police had told vn, all signed and logged correctly."""

from typing import Any

import pytest

from exchange.encoding import encode
from exchange.evidence import VerifiedEvidence, verify_evidence
from exchange.receipt import issue
from exchange.signing import Signer, sign_statement, statement_digest
from exchange.v1 import handling_pb2, permit_pb2
from tests.attacks import GB_POLICE_KEY, attack
from tests.builders import checkpoint, delivery, entry, evidence, log_name, note, permit, world
from tests.countries import (
    BORDER,
    HOUR,
    NOW,
    agency,
    agency_name,
    agreement,
    changed,
    compromised,
    countersigned,
    descriptor,
    key,
    known,
    node,
    node_id,
    pins,
    with_key,
)

PINS = pins("gb", "kh", "vn")
TOLD = entry(world().sealed, sender="vn")
PERMIT = permit(world().sealed, "vn", "kh", TOLD.fields)


def show(leave: permit_pb2.Permit = PERMIT, signer: Signer = GB_POLICE_KEY, **changes: Any) -> VerifiedEvidence:
    """Evidence of the relayed alert under that permit, with other contents of the file."""
    statement = sign_statement("permit", encode(leave), [signer])
    told = changed(TOLD, permit_digest=statement_digest(statement))
    name = log_name("vn")
    log = [*world().entries[:2], encode(told)]
    relayed: dict[str, Any] = {
        "receipt": issue(checkpoint(log, name), 0, NOW, (), key("kh", "receipt")),
        "checkpoint": note(log, name, key("vn", "log")),
        "sender_descriptors": node("vn").chain,
        "agreement": countersigned(agreement("vn", "kh"), "vn", "kh"),
        "permit": statement,
        "originator_descriptors": node("gb").chain,
    }
    return verify_evidence(encode(evidence(log, 2, delivery(world().sealed, told), **relayed | changes)), PINS)


def test_without_an_attack_what_was_passed_on_is_believed() -> None:
    assert show().log == log_name("vn")


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="STATEMENT_TYPE")
def test_the_permit_is_missing() -> None:
    show(permit=None)


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT")
def test_the_permit_is_not_the_one_that_was_logged() -> None:
    show(permit=sign_statement("permit", encode(changed(PERMIT, expires_at=NOW + HOUR)), [GB_POLICE_KEY]))


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="PERMIT_EXPIRED")
def test_the_permit_had_expired() -> None:
    show(changed(PERMIT, expires_at=NOW))


@pytest.mark.rule("E10")
@pytest.mark.parametrize(
    "changes", [{"fields": PERMIT.fields[1:]}, {"purpose": handling_pb2.PURPOSE_PROSECUTION}], ids=["fields", "purpose"]
)
@attack("evidence", "EVIDENCE_PERMIT", because="PERMIT_NARROWER")
def test_the_permit_covers_less_than_was_passed_on(changes: dict[str, object]) -> None:
    show(changed(PERMIT, **changes))


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="PERMIT_OTHER_MANIFEST")
def test_the_permit_is_for_another_manifest() -> None:
    show(changed(PERMIT, manifest_digest=bytes(32)))


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="PERMIT_OTHER_PARTY")
def test_the_permit_is_for_another_holder() -> None:
    show(changed(PERMIT, holder=node_id("kh")))


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="PERMIT_OTHER_ORIGINATOR")
def test_the_permit_is_that_of_another_agency() -> None:
    show(changed(PERMIT, originator=agency("gb", BORDER)), key("gb", agency_name("gb", BORDER)))


@pytest.mark.rule("E10")
@attack("evidence", "EVIDENCE_PERMIT", because="KEY_UNKNOWN")
def test_the_holder_gave_itself_leave() -> None:
    show(signer=key("vn", "node"))


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="EVIDENCE_NOT_PINNED")
def test_the_originators_descriptors_are_missing() -> None:
    show(originator_descriptors=())


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="KEY_COMPROMISED")
def test_the_originators_key_was_stolen_before_the_receipt() -> None:
    show(originator_descriptors=known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(NOW))).chain)
