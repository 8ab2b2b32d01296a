"""Evidence that journals anchor and witnesses saw: E11, and under an auditor's policy E12."""

from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import Unverified
from exchange.evidence import VerifiedEvidence, verify_evidence
from exchange.receipt import issue
from exchange.tlog.note import NoteVerifier
from exchange.tlog.policy import Policy
from exchange.v1 import evidence_pb2, journal_pb2
from tests.attacks import attack
from tests.builders import checkpoint, evidence, log_name, note, receipt, world
from tests.countries import DAY, HOUR, NOW, changed, compromised, descriptor, domain, key, known, pins, with_key
from tests.proofs import OVERSIGHT, WITNESSED, anchor, journal_entry, later_anchor, policy, receipt_entry
from tests.refusals import refused

PINS = pins("gb", "kh")
GOOD = evidence(world().entries, 2, world().delivery)
GROWN = [*world().entries, *world().entries[:3]]
THREE = policy("kh", "vn", OVERSIGHT, quorum="2")
SEEN = WITNESSED * 1000


def show(*anchors: evidence_pb2.Anchor, policy: Policy | None = None, **changes: Any) -> VerifiedEvidence:
    return verify_evidence(encode(changed(GOOD, anchors=anchors, **changes)), PINS, policy)


def stolen(country: str, name: str, since: int) -> Any:
    """The descriptors of a country that says since when a key was in other hands."""
    return known(with_key(descriptor(country), key(country, name), **compromised(since) | {"revoked_at": since})).chain


# E11


def test_an_anchor_of_either_journal_is_told() -> None:
    proved = show(anchor("gb"), anchor("kh"), later_anchor(GROWN), anchor("gb", receipt_entry("gb")))
    assert [(one.journal, one.index, one.receipt, one.witnessed_at) for one in proved.anchors] == [
        (f"{domain('gb')}/journal/1", 5, False, 0),
        (f"{domain('kh')}/journal/1", 5, False, 0),
        (f"{domain('gb')}/journal/1", 5, False, 0),
        (f"{domain('gb')}/journal/1", 5, True, 0),
    ]
    assert proved.witnessed_at == 0


@pytest.mark.rule("E11")
@attack("anchor", "EVIDENCE_ANCHOR")
def test_there_are_too_many_anchors() -> None:
    show(*[anchor()] * 5)


@pytest.mark.rule("E11")
@pytest.mark.parametrize(
    "wrong",
    [
        anchor("vn", journal_entry("vn")),
        anchor(entry=journal_entry("gb", origin=log_name("kh", "gb").origin)),
        anchor(entry=journal_entry("gb", count=3)),
        anchor(entry=journal_entry("gb", root=bytes(32))),
        anchor(entry=journal_entry("gb", kind=journal_pb2.JOURNAL_KIND_DISCLOSURE, code="RELEASED", root=None)),
        anchor(entry=receipt_entry("gb", subject=bytes(32))),
        anchor(entry=receipt_entry("gb"), consistency_proof=[bytes(32)]),
        anchor(consistency_proof=[bytes(32)]),
        anchor(index=4),
        anchor(inclusion_proof=[]),
        anchor(checkpoint=b"no note"),
        anchor(checkpoint=note(world().entries)),
        anchor(signer=key("kh", "log")),
        anchor(entry=journal_entry("gb", code="RELEASED")),
        later_anchor(GROWN, consistency_proof=[]),
        later_anchor(GROWN[::-1]),
    ],
)
@attack("anchor", "EVIDENCE_ANCHOR")
def test_an_anchor_does_not_hold(wrong: evidence_pb2.Anchor) -> None:
    show(wrong)


@pytest.mark.rule("E11")
@attack("anchor", "EVIDENCE_ANCHOR", because="CHECKPOINT_SIGNATURE")
def test_a_stolen_key_signed_the_journal_and_nobody_saw_when() -> None:
    chain = stolen("kh", "log", NOW + HOUR)
    show(anchor("kh"), recipient_descriptors=chain)


# E12


def test_the_witnesses_say_by_when_it_stood() -> None:
    seen = ("kh", "vn", OVERSIGHT)
    assert show(anchor(witnesses=seen), policy=THREE).witnessed_at == SEEN + 1000
    assert show(anchor(witnesses=seen), policy=policy(OVERSIGHT)).witnessed_at == SEEN + 2000
    assert show(anchor(), anchor("kh", witnesses=(*seen, "gb")), policy=THREE).witnessed_at == SEEN + 2000
    later, earlier = anchor(witnesses=seen, at=WITNESSED + 60), anchor("kh", witnesses=("vn", OVERSIGHT))
    assert show(later, earlier, policy=THREE).witnessed_at == SEEN + 1000
    assert [one.refusal for one in show(anchor(), earlier, policy=THREE).anchors] == ["POLICY_QUORUM", ""]


@pytest.mark.rule("E12")
@pytest.mark.parametrize(
    ("anchors", "rule"),
    [
        ((), THREE),
        ((anchor(),), THREE),
        ((anchor(witnesses=("kh",)),), THREE),
        ((anchor("kh", witnesses=("kh", "vn")),), THREE),
        ((anchor(witnesses=("kh", "vn")),), policy()),
        ((anchor(witnesses=("kh", "gb", OVERSIGHT)),), policy("gb", "kh", quorum="all")),
    ],
)
@attack("witnesses", "EVIDENCE_WITNESSED")
def test_not_enough_witnesses_of_the_auditors_own(anchors: tuple[evidence_pb2.Anchor, ...], rule: Policy) -> None:
    show(*anchors, policy=rule)


def test_logs_that_a_policy_lists_are_the_only_ones() -> None:
    ours = NoteVerifier(name=f"{domain('gb')}/journal/1", public_key=key("gb", "log").spki[-32:]).vkey
    other = NoteVerifier(name=f"{domain('gb')}/journal/1", public_key=key("gb", "receipt").spki[-32:]).vkey
    seen = anchor(witnesses=("kh", "vn"))
    file = encode(changed(GOOD, anchors=[seen]))
    # The second verifier's policies list no logs.
    from exchange import evidence as treaty

    assert treaty.verify_evidence(file, PINS, policy("kh", "vn", logs=[ours])).witnessed_at == SEEN + 1000
    with refused(Unverified, "EVIDENCE_WITNESSED"):
        treaty.verify_evidence(file, PINS, policy("kh", "vn", logs=[other]))


@pytest.mark.rule("E12")
def test_a_receipt_by_a_key_that_was_stolen_later_is_judged_by_the_witnesses_time() -> None:
    def with_stolen(since: int, *anchors: evidence_pb2.Anchor) -> VerifiedEvidence:
        return show(*anchors, policy=THREE, recipient_descriptors=stolen("kh", "receipt", since))

    named = anchor("gb", receipt_entry("gb"), witnesses=("vn", OVERSIGHT))
    assert with_stolen(SEEN + 1001, named).witnessed_at == SEEN + 1000
    # Whoever stole it later dates his receipt as he likes; that the log stood then does not say that the receipt did.
    for since, anchors in ((SEEN + 1000, (named,)), (SEEN + 2000, (anchor(witnesses=("kh", "vn")),))):
        with refused(Unverified, "EVIDENCE_WITNESSED"):
            with_stolen(since, *anchors)


@pytest.mark.rule("E12")
def test_a_checkpoint_by_a_log_key_that_was_stolen_before_anybody_saw_it_proves_nothing() -> None:
    seen = anchor("kh", journal_entry("kh"), witnesses=("vn", OVERSIGHT))
    for since, holds in ((SEEN + 1001, True), (SEEN + 1000, False)):
        chain = stolen("gb", "log", since)
        assert show(seen, sender_descriptors=chain).level == 1
        if holds:
            assert show(seen, sender_descriptors=chain, policy=THREE).level == 1
            continue
        with refused(Unverified, "EVIDENCE_WITNESSED"):
            show(seen, sender_descriptors=chain, policy=THREE)


def test_statements_by_stolen_keys_are_judged_by_the_witnesses_time_too() -> None:
    seen = anchor(witnesses=("kh", "vn"))
    back_dated = issue(checkpoint(world().entries), 0, NOW - DAY, (), key("kh", "receipt"))
    for since, code in ((SEEN + 1001, ""), (SEEN + 1000, "EVIDENCE_MANIFEST")):
        changes = {"sender_descriptors": stolen("gb", "nca-ceop", since), "receipt": back_dated}
        # Without witnesses the date that the recipient chose is believed.
        assert show(seen, **changes).received_at == NOW - DAY
        if not code:
            assert show(seen, policy=THREE, **changes).manifest is not None
            continue
        with refused(Unverified, code):
            show(seen, policy=THREE, **changes)


def test_a_journal_signed_before_its_key_was_stolen_counts_if_witnesses_saw_it_then() -> None:
    seen = anchor("kh", witnesses=("vn", OVERSIGHT))
    for since, holds in ((SEEN + 1001, True), (SEEN + 1000, False)):
        chain = stolen("kh", "log", since)
        if holds:
            assert show(seen, policy=THREE, recipient_descriptors=chain).witnessed_at
            continue
        with refused(Unverified, "EVIDENCE_ANCHOR"):
            show(seen, policy=THREE, recipient_descriptors=chain)


def test_an_exception_is_anchored_as_well() -> None:
    excepted = receipt(world().entries, exceptions=[(2, 16)])
    proved = show(
        anchor("gb", receipt_entry("gb", excepted), witnesses=("vn", OVERSIGHT)),
        policy=THREE,
        level=evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY,
        manifest=None,
        openings=(),
        receipt=excepted,
    )
    assert proved.anchors[0].receipt
