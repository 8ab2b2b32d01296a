"""Attacks on evidence files: somebody wants a stranger to believe in a disclosure that was not, or not so."""

from typing import Any

import pytest

from exchange.encoding import encode
from exchange.evidence import VerifiedEvidence, verify_evidence
from exchange.manifest import Sealed
from exchange.receipt import issue
from exchange.signing import sign_statement, statement_digest
from exchange.tlog.merkle import inclusion_proof, leaf_hash
from exchange.v1 import disclosure_pb2, evidence_pb2, handling_pb2, people_pb2, receipt_pb2
from tests.attacks import GB_POLICE_KEY, MANGLES, Mangle, attack, committed
from tests.builders import (
    alert,
    checkpoint,
    entry,
    evidence,
    handling,
    log_name,
    note,
    openings,
    receipt,
    sealed,
    world,
)
from tests.countries import (
    BORDER,
    DAY,
    KEYS_FROM,
    NOW,
    POLICE,
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
    pins,
    with_clause,
    with_key,
)

DATA, CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
ENTRY_ONLY, LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY
PINS = pins("gb", "kh", "vn")
ENTRIES = world().entries
GOOD = evidence(ENTRIES, 2, world().delivery)
EXCEPTED = receipt(ENTRIES, exceptions=[(2, receipt_pb2.EXCEPTION_CODE_SCHEMA)])


def show(**changes: Any) -> VerifiedEvidence:
    """The good file with other contents."""
    return verify_evidence(encode(changed(GOOD, **changes)), PINS)


def show_entry(told: disclosure_pb2.Entry, **changes: Any) -> VerifiedEvidence:
    """Evidence of another entry, whatever its form: gb logged it and kh receipted it."""
    entries = [*ENTRIES[:2], encode(told), ENTRIES[3]]
    return verify_evidence(encode(evidence(entries, 2, world().delivery, **changes)), PINS)


def show_alert(seal: Sealed, **changes: Any) -> VerifiedEvidence:
    """Evidence of another alert, which gb logged and kh receipted."""
    return show_entry(entry(seal, **changes), manifest=seal.statement, openings=openings(seal, entry(seal, **changes).fields))


def test_without_an_attack_each_level_is_believed() -> None:
    assert show().alert is not None
    assert show(level=CONTENTLESS, openings=()).manifest == world().sealed.manifest
    assert show(level=ENTRY_ONLY, manifest=None, openings=()).entry == world().entry
    assert show(level=LOGGED_ONLY, manifest=None, openings=(), receipt=EXCEPTED).exception == receipt_pb2.EXCEPTION_CODE_SCHEMA
    assert show_alert(sealed()).view == show().view


def test_an_entry_that_is_out_of_form_is_proved_as_logged_only() -> None:
    told = changed(world().entry, fields=[2, 1])
    entries = [*ENTRIES[:2], encode(told), ENTRIES[3]]
    excepted = receipt(entries, exceptions=[(2, receipt_pb2.EXCEPTION_CODE_DELIVERY_MALFORMED)])
    assert show_entry(told, level=LOGGED_ONLY, manifest=None, openings=(), receipt=excepted).exception


# The file, check E1


@pytest.mark.rule("E1")
@MANGLES
@attack("evidence", "EVIDENCE_MALFORMED", because="NOT_CANONICAL")
def test_a_file_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    verify_evidence(mangle(world().evidence), PINS)


@pytest.mark.rule("E1")
@attack("evidence", "EVIDENCE_MALFORMED", because="NOT_PROTOBUF")
def test_a_file_is_rubbish() -> None:
    verify_evidence(b"\xff\xff\xff", PINS)


@pytest.mark.rule("E1")
@attack("evidence", "EVIDENCE_MALFORMED")
def test_a_file_is_of_another_version() -> None:
    show(version=2)


@pytest.mark.rule("E1")
@attack("evidence", "EVIDENCE_MALFORMED")
def test_a_succession_is_shown_as_a_disclosure() -> None:
    show_entry(disclosure_pb2.Entry(succession=bytes(32)))


# Pins, check E2


@pytest.mark.rule("E2")
@pytest.mark.parametrize("given", [{}, pins("gb"), pins("kh"), pins("vn")], ids=["none", "sender only", "recipient only", "others"])
@attack("evidence", "EVIDENCE_NOT_PINNED")
def test_a_pin_is_missing(given: dict[str, bytes]) -> None:
    verify_evidence(world().evidence, given)


@pytest.mark.rule("E2")
@attack("evidence", "EVIDENCE_NOT_PINNED")
def test_a_pin_is_given_for_another_trust_domain() -> None:
    verify_evidence(world().evidence, {domain("gb"): PINS[domain("kh")], domain("kh"): PINS[domain("gb")]})


@pytest.mark.rule("E2")
@attack("evidence", "EVIDENCE_NOT_PINNED")
def test_descriptors_are_missing() -> None:
    show(sender_descriptors=())


# Receipts, check E3


@pytest.mark.rule("E3")
@attack("evidence", "EVIDENCE_RECEIPT", because="RECEIPT_KEY")
def test_the_sender_receipts_its_own_entries() -> None:
    show(receipt=receipt(ENTRIES, signer=key("gb", "receipt")))


@pytest.mark.rule("E3")
@attack("evidence", "EVIDENCE_RECEIPT", because="RECEIPT_KEY")
def test_a_receipt_is_dated_out_of_its_keys_time() -> None:
    show(receipt=receipt(ENTRIES, received_at=KEYS_FROM - 1))


@pytest.mark.rule("E3")
@attack("evidence", "EVIDENCE_RECEIPT", because="RECEIPT_KEY")
def test_there_is_no_receipt() -> None:
    show(receipt=None)


# Checkpoints, check E4


@pytest.mark.rule("E4")
@attack("evidence", "EVIDENCE_CHECKPOINT", because="CHECKPOINT_SIGNATURE")
def test_the_recipient_signs_the_senders_checkpoint() -> None:
    show(checkpoint=note(ENTRIES, signer=key("kh", "log")))


@pytest.mark.rule("E4")
@attack("evidence", "EVIDENCE_CHECKPOINT")
def test_the_checkpoint_is_not_the_one_in_the_receipt() -> None:
    show(checkpoint=note(ENTRIES[:3]))


@pytest.mark.rule("E4")
@attack("evidence", "EVIDENCE_CHECKPOINT")
def test_the_receipt_is_for_a_fork() -> None:
    show(receipt=receipt([*ENTRIES[:3], b"another entry"]))


@pytest.mark.rule("E4")
@attack("evidence", "EVIDENCE_CHECKPOINT")
def test_the_receipt_is_of_the_log_towards_another() -> None:
    elsewhere = log_name("gb", "vn")
    show(
        receipt=issue(checkpoint(ENTRIES, elsewhere), 0, NOW, (), key("kh", "receipt")),
        checkpoint=note(ENTRIES, elsewhere),
    )


# Inclusion, check E5


@pytest.mark.rule("E5")
@attack("evidence", "EVIDENCE_INCLUSION", because="INCLUSION_INVALID")
def test_the_index_is_another() -> None:
    show(index=1)


@pytest.mark.rule("E5")
@pytest.mark.parametrize("index", [4, 2**64 - 1])
@attack("evidence", "EVIDENCE_INCLUSION")
def test_the_index_is_beyond_the_receipt(index: int) -> None:
    show(index=index)


@pytest.mark.rule("E5")
@attack("evidence", "EVIDENCE_INCLUSION")
def test_the_receipt_begins_after_the_index() -> None:
    show(receipt=receipt(ENTRIES, previous_size=3))


@pytest.mark.rule("E5")
@attack("evidence", "EVIDENCE_INCLUSION", because="INCLUSION_INVALID")
def test_the_entry_is_not_in_the_log() -> None:
    show(entry=encode(changed(world().entry, audience=[agency("kh", BORDER)])))


@pytest.mark.rule("E5")
@attack("evidence", "EVIDENCE_INCLUSION", because="INCLUSION_INVALID")
def test_the_proof_is_that_of_another_entry() -> None:
    show(inclusion_proof=inclusion_proof([leaf_hash(e) for e in ENTRIES], 3, 4))


# Levels, check E6


@pytest.mark.rule("E6")
@attack("evidence", "EVIDENCE_LEVEL")
def test_a_receipt_covers_an_excepted_index() -> None:
    show(receipt=EXCEPTED)


@pytest.mark.rule("E6")
@pytest.mark.parametrize("level", [0, CONTENTLESS, ENTRY_ONLY, LOGGED_ONLY, 5])
@attack("evidence", "EVIDENCE_LEVEL")
def test_a_level_is_not_what_the_file_holds(level: int) -> None:
    show(level=level)


@pytest.mark.rule("E6")
@attack("evidence", "EVIDENCE_LEVEL")
def test_data_are_claimed_and_kept_back() -> None:
    show(openings=())


@pytest.mark.rule("E6")
@pytest.mark.parametrize(
    "changes", [{"fields": [70_000]}, {"fields": [2, 1]}, {"audience": ()}, {"authorisation": b""}], ids=lambda changes: next(iter(changes))
)
@attack("evidence", "EVIDENCE_LEVEL", because="ENTRY_MALFORMED")
def test_an_entry_is_out_of_form_and_not_excepted(changes: dict[str, object]) -> None:
    show_entry(changed(world().entry, **changes))


# Manifests, check E7


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST")
def test_the_manifest_in_evidence_is_not_the_one_that_was_logged() -> None:
    show(manifest=sealed(counter=2).statement)


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="KEY_NOT_FOR_PARTY")
def test_another_agency_signed_the_manifest() -> None:
    show_alert(sealed(signer=key("gb", agency_name("gb", BORDER))))


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="KEY_UNKNOWN")
def test_an_unknown_key_signed_the_manifest() -> None:
    show_alert(sealed(signer=ed25519_key("nobody's")))


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="KEY_COMPROMISED")
def test_a_stolen_key_back_dated_the_manifest_after_the_theft() -> None:
    stolen = known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(NOW)))
    show(sender_descriptors=stolen.chain)


def test_a_manifest_stands_that_was_receipted_before_the_theft() -> None:
    stolen = known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(NOW + 1) | {"revoked_at": NOW + 1}))
    assert show(sender_descriptors=stolen.chain).alert is not None


@pytest.mark.rule("E7")
@attack("evidence", "EVIDENCE_MANIFEST", because="EVIDENCE_NOT_PINNED")
def test_the_originator_is_not_pinned() -> None:
    foreign = sealed(originator=agency("vn", POLICE), signer=key("vn", agency_name("vn", POLICE)))
    show_alert(foreign)


@pytest.mark.rule("E7")
@MANGLES
@attack("evidence", "EVIDENCE_MANIFEST", because="NOT_CANONICAL")
def test_a_manifest_in_evidence_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    statement = sign_statement("manifest", mangle(encode(world().sealed.manifest)), [GB_POLICE_KEY])
    show_entry(changed(world().entry, manifest_digest=statement_digest(statement)), manifest=statement)


# Openings, check E8


@pytest.mark.rule("E8")
@attack("evidence", "EVIDENCE_OPENINGS", because="COMMITMENT_MISMATCH")
def test_a_value_in_evidence_is_altered() -> None:
    first, *rest = GOOD.openings
    show(openings=[changed(first, fragment=b""), *rest])


@pytest.mark.rule("E8")
@attack("evidence", "EVIDENCE_OPENINGS", because="OPENINGS_MISMATCH")
def test_an_opening_in_evidence_is_dropped() -> None:
    show(openings=GOOD.openings[1:])


@pytest.mark.rule("E8")
@attack("evidence", "EVIDENCE_OPENINGS", because="OPENINGS_MISMATCH")
def test_an_opening_is_added_that_was_not_disclosed() -> None:
    show(openings=openings(world().sealed, sorted({*world().entry.fields, 9})))


@pytest.mark.rule("E8")
@attack("evidence", "EVIDENCE_OPENINGS", because="COMMITMENT_MISMATCH")
def test_openings_are_those_of_another_manifest() -> None:
    show(openings=openings(sealed(changed(alert(), sex=people_pb2.SEX_FEMALE), counter=2), world().entry.fields))


@pytest.mark.rule("E8")
@attack("evidence", "EVIDENCE_OPENINGS", because="FRAGMENT_MALFORMED")
def test_a_fragment_in_evidence_hides_another_field() -> None:
    good = sealed().openings
    show_alert(committed({8: good[8].fragment + good[9].fragment}))


# Agreements, check E9


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT", because="STATEMENT_TYPE")
def test_the_agreement_is_missing() -> None:
    show(agreement=None)


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT", because="SIGNATURE_COUNT")
def test_the_agreement_is_signed_by_one() -> None:
    show(agreement=sign_statement("agreement", encode(agreement()), [key("gb", "agreement")]))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_agreement_is_not_the_one_that_was_logged() -> None:
    show(agreement=countersigned(agreement(instrument="Another")))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_agreement_has_no_such_clause() -> None:
    show_entry(changed(world().entry, clause="gb-kh-travelalert-everybody"))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_clause_does_not_allow_the_fields() -> None:
    narrow = with_clause(agreement(), world().entry.clause, permitted=())
    show_entry(changed(world().entry, agreement_digest=agreed(narrow).digest), agreement=countersigned(narrow))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_clause_is_for_another_audience() -> None:
    show_entry(changed(world().entry, audience=[agency("kh", BORDER)]))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_agreement_had_ended() -> None:
    ended = agreement(valid_until=NOW - DAY)
    show_entry(changed(world().entry, agreement_digest=agreed(ended).digest), agreement=countersigned(ended))


@pytest.mark.rule("E9")
@attack("evidence", "EVIDENCE_AGREEMENT")
def test_the_originator_had_not_permitted_the_purpose() -> None:
    show_alert(sealed(handling=handling(permitted_purposes=[handling_pb2.PURPOSE_CHILD_SAFEGUARDING])))
