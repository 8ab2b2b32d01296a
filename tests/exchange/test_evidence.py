from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import Malformed, Unverified
from exchange.evidence import CAP_EVIDENCE, VerifiedEvidence, verify_evidence
from exchange.signing import sign_statement, statement_digest
from exchange.v1 import disclosure_pb2, evidence_pb2, receipt_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.builders import (
    checkpoint,
    control_entry,
    delivery,
    entry,
    evidence,
    log_name,
    note,
    openings,
    permit,
    receipt,
    sealed,
    signed_permit,
    withdrawal,
    world,
)
from tests.countries import (
    AGREED_UNTIL,
    BORDER,
    DAY,
    HOUR,
    NOW,
    POLICE,
    agency,
    agreement,
    changed,
    clause,
    compromised,
    countersigned,
    descriptor,
    domain,
    key,
    known,
    node,
    node_id,
    pins,
    with_key,
)
from tests.refusals import refused

DATA, CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
ENTRY_ONLY, LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY
EXPIRED = receipt_pb2.EXCEPTION_CODE_EXPIRED
GOOD = world()
PINS = pins("gb", "kh")


def verified(file: evidence_pb2.EvidenceFile) -> VerifiedEvidence:
    return verify_evidence(encode(file), PINS)


def proof_of(delivered: disclosure_pb2.Delivery, level: int = DATA, **changes: Any) -> evidence_pb2.EvidenceFile:
    """Evidence of a delivery that stands third in a log of three."""
    return evidence([*GOOD.entries[:2], delivered.entry], 2, delivered, level, **changes)


def test_a_stranger_learns_who_told_whom_what_and_when() -> None:
    proved = verify_evidence(GOOD.evidence, PINS)
    expected = checkpoint(GOOD.entries)
    assert (proved.level, proved.log, proved.index, proved.entry) == (DATA, log_name(), 2, GOOD.entry)
    assert (proved.received_at, proved.size, proved.root, proved.exception) == (NOW, 4, expected.root, 0)
    assert (proved.agreement, proved.clause) == (agreement(), clause("gb", "kh", POLICE))
    assert proved.manifest == GOOD.sealed.manifest
    assert proved.kind is not None
    assert proved.kind.name == "exchange.v1.TravelAlert"
    assert proved.alert is not None
    assert proved.view == encode(proved.alert) == b"".join(o.fragment for o in openings(GOOD.sealed, GOOD.entry.fields))


def test_pins_may_name_other_nodes_too() -> None:
    assert verify_evidence(GOOD.evidence, pins("vn", "kh", "gb")).level == DATA


@pytest.mark.parametrize("size", range(1, 8))
def test_any_index_of_any_log_is_proved(size: int) -> None:
    for index in range(size):
        entries = [GOOD.delivery.entry if place == index else b"other %d" % place for place in range(size)]
        assert verified(evidence(entries, index, GOOD.delivery)).index == index


@pytest.mark.parametrize("level", [CONTENTLESS, ENTRY_ONLY])
def test_less_may_be_shown(level: int) -> None:
    proved = verified(evidence(GOOD.entries, 2, GOOD.delivery, level))
    assert (proved.level, proved.alert, proved.view) == (level, None, b"")
    assert (proved.manifest is None, proved.clause is None) == (level == ENTRY_ONLY, level == ENTRY_ONLY)


def test_an_exception_proves_logging_never_delivery() -> None:
    excepted = receipt(GOOD.entries, exceptions=[(2, EXPIRED)])
    proved = verified(evidence(GOOD.entries, 2, GOOD.delivery, LOGGED_ONLY, receipt=excepted))
    assert (proved.exception, proved.manifest, proved.alert) == (EXPIRED, None, None)
    for level in (DATA, CONTENTLESS, ENTRY_ONLY):
        with refused(Unverified, "EVIDENCE_LEVEL"):
            verified(evidence(GOOD.entries, 2, GOOD.delivery, level, receipt=excepted))
    with refused(Unverified, "EVIDENCE_LEVEL"):
        verified(evidence(GOOD.entries, 2, GOOD.delivery, LOGGED_ONLY))


def test_an_entry_of_another_form_can_be_proved_as_logged_only() -> None:
    odd = encode(changed(GOOD.entry, audience=None))
    entries = [*GOOD.entries[:2], odd]
    delivered = changed(GOOD.delivery, entry=odd)
    excepted = receipt(entries, exceptions=[(2, receipt_pb2.EXCEPTION_CODE_DELIVERY_MALFORMED)])
    assert verified(evidence(entries, 2, delivered, LOGGED_ONLY, receipt=excepted)).exception
    for level in (DATA, CONTENTLESS, ENTRY_ONLY):
        with refused(Unverified, "EVIDENCE_LEVEL"):
            verified(evidence(entries, 2, delivered, level))


def test_a_level_holds_what_it_says() -> None:
    whole = evidence(GOOD.entries, 2, GOOD.delivery)
    for level in (0, CONTENTLESS, ENTRY_ONLY, LOGGED_ONLY):
        with refused(Unverified, "EVIDENCE_LEVEL"):
            verified(changed(whole, level=level))
    for missing in ("manifest", "openings"):
        with refused(Unverified, "EVIDENCE_LEVEL"):
            verified(changed(whole, **{missing: None}))


# Form


@pytest.mark.parametrize(
    "data", [b"\xff", GOOD.evidence + b"\x78\x01", b"", bytes(CAP_EVIDENCE + 1)], ids=["junk", "unknown field", "nothing", "too large"]
)
def test_what_is_no_evidence_file_is_malformed(data: bytes) -> None:
    with refused(Malformed, "EVIDENCE_MALFORMED"):
        verify_evidence(data, PINS)


@pytest.mark.parametrize("changes", [{"version": 2}, {"entry": b"\xff"}, {"entry": encode(disclosure_pb2.Entry(succession=bytes(32)))}])
def test_a_file_is_about_one_disclosure(changes: dict[str, Any]) -> None:
    with refused(Malformed, "EVIDENCE_MALFORMED"):
        verified(changed(evidence(GOOD.entries, 2, GOOD.delivery), **changes))


# Nodes


@pytest.mark.parametrize(
    "given",
    [
        {},
        pins("gb"),
        pins("kh"),
        pins("gb") | {domain("kh"): key("gb", "identity").key_id},
        {domain("gb"): key("kh", "identity").key_id, domain("kh"): key("gb", "identity").key_id},
    ],
)
def test_both_chains_lead_from_a_pin(given: dict[str, bytes]) -> None:
    with refused(Unverified, "EVIDENCE_NOT_PINNED"):
        verify_evidence(GOOD.evidence, given)


def test_a_node_that_moved_on_is_still_the_pinned_one() -> None:
    first = descriptor("gb")
    moved = known(first, changed(first, sequence=2, endpoint="elsewhere:1"))
    assert verified(evidence(GOOD.entries, 2, GOOD.delivery, sender_descriptors=moved.chain)).level == DATA


# Receipt, checkpoint, inclusion


@pytest.mark.parametrize(
    "wrong",
    [GOOD.sealed.statement, receipt(GOOD.entries, signer=key("gb", "receipt")), receipt(GOOD.entries, previous_size=4)],
)
def test_the_recipient_receipted_it(wrong: Any) -> None:
    with refused(Unverified, "EVIDENCE_RECEIPT"):
        verified(evidence(GOOD.entries, 2, GOOD.delivery, receipt=wrong))


@pytest.mark.parametrize(
    "wrong", [b"", note(GOOD.entries, signer=key("kh", "log")), note(GOOD.entries[:3]), note(GOOD.entries, log_name(generation=2))]
)
def test_the_sender_signed_the_same_checkpoint(wrong: bytes) -> None:
    with refused(Unverified, "EVIDENCE_CHECKPOINT"):
        verified(evidence(GOOD.entries, 2, GOOD.delivery, checkpoint=wrong))


def test_the_log_leads_from_sender_to_recipient() -> None:
    swapped = evidence(GOOD.entries, 2, GOOD.delivery, sender_descriptors=node("kh").chain, recipient_descriptors=node("gb").chain)
    with refused(Unverified, "EVIDENCE_RECEIPT"):
        verified(swapped)
    other = log_name("gb", "vn")
    elsewhere = checkpoint(GOOD.entries, other)
    receipted = changed(receipt_pb2.Receipt.FromString(receipt(GOOD.entries).payload), checkpoint=elsewhere.text())
    with refused(Unverified, "EVIDENCE_CHECKPOINT"):
        verified(
            evidence(
                GOOD.entries,
                2,
                GOOD.delivery,
                receipt=sign_statement("receipt", encode(receipted), [key("kh", "receipt")]),
                checkpoint=note(GOOD.entries, other),
            )
        )


def test_the_receipt_is_the_one_whose_range_holds_the_index() -> None:
    tiled = receipt(GOOD.entries, previous_size=2)
    assert verified(evidence(GOOD.entries, 2, GOOD.delivery, receipt=tiled)).index == 2
    with refused(Unverified, "EVIDENCE_INCLUSION"):
        verified(evidence(GOOD.entries, 2, GOOD.delivery, receipt=receipt(GOOD.entries, previous_size=3)))


@pytest.mark.parametrize("changes", [{"index": 3}, {"index": 4}, {"inclusion_proof": None}, {"inclusion_proof": [bytes(31)]}])
def test_the_entry_is_at_its_index(changes: dict[str, Any]) -> None:
    with refused(Unverified, "EVIDENCE_INCLUSION"):
        verified(changed(evidence(GOOD.entries, 2, GOOD.delivery), **changes))


# Content


def test_the_manifest_is_the_one_that_the_entry_names() -> None:
    for wrong in (sealed(counter=11).statement, GOOD.receipt, changed(GOOD.sealed.statement, payload=b"\xff")):
        with refused(Unverified, "EVIDENCE_MANIFEST"):
            verified(evidence(GOOD.entries, 2, GOOD.delivery, manifest=wrong))


def test_what_a_stolen_key_signed_stands_if_it_was_receipted_before() -> None:
    def with_stolen(since: int) -> evidence_pb2.EvidenceFile:
        stolen = known(with_key(descriptor("gb"), key("gb", "nca-ceop"), **compromised(since) | {"revoked_at": since}))
        return evidence(GOOD.entries, 2, GOOD.delivery, sender_descriptors=stolen.chain)

    assert verified(with_stolen(NOW + 1)).level == DATA
    for since in (NOW, NOW - HOUR + 1):
        with refused(Unverified, "EVIDENCE_MANIFEST"):
            verified(with_stolen(since))


def test_the_openings_are_exactly_those_of_the_entry() -> None:
    for wrong in (GOOD.entry.fields[1:], [*GOOD.entry.fields, 12], GOOD.entry.fields[::-1]):
        with refused(Unverified, "EVIDENCE_OPENINGS"):
            verified(evidence(GOOD.entries, 2, GOOD.delivery, openings=openings(GOOD.sealed, wrong)))


def test_the_agreement_is_the_one_that_the_entry_names() -> None:
    another = countersigned(changed(agreement(), instrument="Another"))
    for wrong in (another, None, countersigned(agreement("gb", "vn"), "gb", "vn")):
        with refused(Unverified, "EVIDENCE_AGREEMENT"):
            verified(evidence(GOOD.entries, 2, GOOD.delivery, agreement=wrong))


@pytest.mark.parametrize(
    "changes",
    [
        {"clause": "another"},
        {"clause": "gb-kh-travelalert-border"},
        {"audience": [agency("kh", BORDER)]},
        {"fields": [1, 9]},
        {"purpose": 4},
    ],
)
def test_the_clause_allows_exactly_what_was_disclosed(changes: dict[str, Any]) -> None:
    made = sealed()
    with refused(Unverified, "EVIDENCE_AGREEMENT"):
        verified(proof_of(delivery(made, entry(made, **changes))))


def test_the_originator_permitted_the_purpose() -> None:
    made = sealed(handling=None)
    with refused(Unverified, "EVIDENCE_AGREEMENT"):
        verified(proof_of(delivery(made, entry(made))))


def test_required_fields_may_have_gone_with_an_earlier_entry() -> None:
    made = sealed()
    assert verified(proof_of(delivery(made, entry(made, fields=[2, 3])))).level == DATA


def test_what_was_on_request_needs_its_ground() -> None:
    made = sealed()
    asked = entry(made, fields=[1, 9], on_request_ground=disclosure_pb2.ON_REQUEST_GROUND_IDENTIFICATION)
    assert verified(proof_of(delivery(made, asked))).level == DATA


def test_the_agreement_is_judged_when_it_was_received() -> None:
    late = receipt(GOOD.entries, received_at=AGREED_UNTIL + CLOCK_SKEW_MS)
    longer = descriptor("kh")
    for described in longer.keys:
        described.not_after = AGREED_UNTIL + DAY
    own = descriptor("gb")
    for described in own.keys:
        described.not_after = AGREED_UNTIL + DAY
    file = evidence(
        GOOD.entries,
        2,
        GOOD.delivery,
        receipt=late,
        sender_descriptors=known(own).chain,
        recipient_descriptors=known(longer).chain,
    )
    with refused(Unverified, "EVIDENCE_AGREEMENT"):
        verified(file)
    in_time = receipt(GOOD.entries, received_at=AGREED_UNTIL + CLOCK_SKEW_MS - 1)
    assert verified(changed(file, receipt=in_time)).level == DATA


def test_a_control_alert_needs_no_agreement() -> None:
    recall = sealed(withdrawal(GOOD.sealed.digest), counter=5)
    delivered = delivery(recall, control_entry(recall, GOOD.sealed.digest))
    proved = verified(proof_of(delivered, agreement=None))
    assert (proved.agreement, proved.clause) == (None, None)
    assert proved.alert == withdrawal(GOOD.sealed.digest)


# Passed on: gb sends to kh what vn originated


def passed_on(control: bool = False, **changes: Any) -> evidence_pb2.EvidenceFile:  # noqa: FBT001, FBT002 - a case of the builder
    signer, originator = key("vn", "criminal-police"), agency("vn", POLICE)
    first = sealed(originator=originator, signer=signer)
    leave = signed_permit(permit(first, "gb", "kh", entry(first).fields, originator=originator), signer)
    if control:
        recall = sealed(withdrawal(first.digest), counter=5, originator=node_id("vn"), signer=key("vn", "node"))
        delivered = delivery(recall, control_entry(recall, first.digest, permit_digest=statement_digest(leave)))
    else:
        delivered = delivery(first, entry(first, permit_digest=statement_digest(leave)))
    return changed(proof_of(delivered), **{"permit": leave, "originator_descriptors": node("vn").chain} | changes)


@pytest.mark.parametrize("control", [False, True])
def test_what_was_passed_on_carries_permit_and_originator(control: bool) -> None:  # noqa: FBT001 - a parameter of the test
    proved = verify_evidence(encode(passed_on(control)), pins("gb", "kh", "vn"))
    assert proved.manifest is not None
    assert proved.manifest.originator == (node_id("vn") if control else agency("vn", POLICE))
    with refused(Unverified, "EVIDENCE_MANIFEST"):
        verify_evidence(encode(passed_on(control)), PINS)


def test_the_permit_is_the_one_that_the_entry_names_and_covers_it() -> None:
    three = pins("gb", "kh", "vn")
    signer, originator = key("vn", "criminal-police"), agency("vn", POLICE)
    first = sealed(originator=originator, signer=signer)
    another = signed_permit(permit(first, "gb", "kh", range(1, 35), originator=originator), signer)
    narrow = signed_permit(permit(first, "gb", "kh", [1], originator=originator), signer)
    for wrong in (None, another, narrow):
        with refused(Unverified, "EVIDENCE_PERMIT"):
            verify_evidence(encode(passed_on(permit=wrong)), three)
