"""Many disclosures in one file: B1 and B2, and each of them as strictly as in a file of its own."""

from typing import Any

import pytest

from exchange import evidence_bundle
from exchange.disclosure import encode_entry
from exchange.encoding import encode
from exchange.errors import Malformed, Unverified
from exchange.evidence_bundle import CAP_BUNDLE, verify_bundle, write_bundle
from exchange.receipt import issue
from exchange.signing import statement_digest
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import inclusion_proof, leaf_hash
from exchange.v1 import evidence_pb2
from tests.attacks import MANGLES, Mangle, attack
from tests.builders import delivery, entry, note, permit, receipt, sealed, signed_permit, world
from tests.countries import POLICE, agency, agreement, changed, countersigned, key, node, pins
from tests.proofs import anchor, bundle, bundle_file, policy
from tests.refusals import refused

PINS = pins("gb", "kh")


def show(content: evidence_pb2.EvidenceBundle) -> Any:
    return verify_bundle(bundle_file(content), PINS)


def with_range(**changes: Any) -> evidence_pb2.EvidenceBundle:
    return bundle(ranges=[changed(bundle().ranges[0], **changes)])


def with_second(**changes: Any) -> evidence_pb2.EvidenceBundle:
    first, second = bundle().ranges[0].disclosures
    return with_range(disclosures=[first, changed(second, **changes)])


def test_each_disclosure_is_proved() -> None:
    first, second = show(bundle())
    assert (first.index, first.level, first.manifest) == (1, evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, None)
    assert (second.index, second.level, second.entry) == (2, evidence_pb2.EVIDENCE_LEVEL_DATA, world().entry)
    assert second.view
    assert write_bundle(bundle()) == bundle_file(bundle())


def test_a_policy_asks_of_each() -> None:
    seen = with_range(anchors=[anchor(witnesses=("kh", "vn"))])
    assert all(one.witnessed_at for one in verify_bundle(bundle_file(seen), PINS, policy("kh", "vn")))
    with refused(Unverified, "EVIDENCE_WITNESSED"):
        verify_bundle(bundle_file(bundle()), PINS, policy("kh", "vn"))


def test_what_was_passed_on_finds_its_originator_and_its_permit() -> None:
    signer, originator = key("vn", "criminal-police"), agency("vn", POLICE)
    first = sealed(originator=originator, signer=signer)
    leave = signed_permit(permit(first, "gb", "kh", entry(first).fields, originator=originator), signer)

    told = delivery(first, entry(first, permit_digest=statement_digest(leave)))
    entries = [*world().entries[:2], told.entry]
    disclosure = evidence_pb2.BundledDisclosure(
        level=evidence_pb2.EVIDENCE_LEVEL_DATA,
        entry=told.entry,
        index=2,
        inclusion_proof=inclusion_proof([leaf_hash(one) for one in entries], 2, 3),
        openings=told.openings,
    )
    content = bundle(
        nodes=[evidence_pb2.NodeChain(descriptors=node(country).chain) for country in ("gb", "kh", "vn")],
        statements=sorted([first.statement, leave, countersigned(agreement())], key=statement_digest),
        ranges=[evidence_pb2.ReceiptedRange(receipt=receipt(entries), checkpoint=note(entries), disclosures=[disclosure])],
    )
    (proved,) = verify_bundle(bundle_file(content), pins("gb", "kh", "vn"))
    assert proved.manifest is not None
    assert proved.manifest.originator == originator
    with refused(Unverified, "EVIDENCE_MANIFEST"):
        show(changed(content, nodes=content.nodes[:2]))


# B1


@pytest.mark.rule("B1")
@MANGLES
@attack("bundle", "BUNDLE_MALFORMED", because="NOT_CANONICAL")
def test_a_bundle_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    line, body = bundle_file(bundle()).split(b"\n", 1)
    verify_bundle(line + b"\n" + mangle(body), PINS)


@pytest.mark.rule("B1")
def test_a_bundle_without_its_line_is_no_bundle() -> None:
    with refused(Malformed, "BUNDLE_MALFORMED"):
        evidence_bundle.verify_bundle(encode(bundle()), PINS)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    "wrong",
    [
        bundle(version=2),
        bundle(ranges=[]),
        with_range(disclosures=[]),
        with_range(disclosures=bundle().ranges[0].disclosures[::-1]),
        with_range(disclosures=[bundle().ranges[0].disclosures[1]] * 2),
        bundle(nodes=bundle().nodes[::-1]),
        bundle(nodes=[bundle().nodes[0]] * 2),
        bundle(statements=bundle().statements[::-1]),
        bundle(ranges=[bundle().ranges[0]] * 2),
        bundle(nodes=[evidence_pb2.NodeChain()]),
        bundle(nodes=[evidence_pb2.NodeChain(descriptors=[changed(node("gb").chain[0], payload=b"\xff")])]),
        with_range(receipt=changed(world().receipt, payload=b"\xff")),
        with_range(receipt=changed(world().receipt, payload=b"")),
        with_second(entry=b"\xff"),
    ],
)
@attack("bundle", "BUNDLE_MALFORMED")
def test_a_bundle_is_out_of_order(wrong: evidence_pb2.EvidenceBundle) -> None:
    show(wrong)


@pytest.mark.rule("B1")
@attack("bundle", "BUNDLE_MALFORMED", because="ORIGIN_MALFORMED")
def test_a_bundle_holds_a_receipt_of_no_log() -> None:

    show(with_range(receipt=issue(Checkpoint(origin="another log", size=4, root=bytes(32)), 0, 1, (), key("kh", "receipt"))))


@pytest.mark.rule("B1")
def test_a_bundle_has_a_cap() -> None:

    with refused(Malformed, "BUNDLE_MALFORMED"):
        evidence_bundle.verify_bundle(b"alert-exchange/v1 evidence-bundle\n" + bytes(CAP_BUNDLE + 1), PINS)


# B2, and what each disclosure lacks


@pytest.mark.rule("B2")
@pytest.mark.parametrize(
    "wrong",
    [
        bundle(nodes=[*bundle().nodes, evidence_pb2.NodeChain(descriptors=node("vn").chain)]),
        bundle(statements=sorted([*bundle().statements, world().receipt], key=statement_digest)),
    ],
)
@attack("bundle", "BUNDLE_NOT_NAMED")
def test_a_bundle_carries_what_nothing_in_it_names(wrong: evidence_pb2.EvidenceBundle) -> None:
    show(wrong)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (bundle(nodes=bundle().nodes[:1]), "EVIDENCE_NOT_PINNED"),
        (bundle(statements=()), "EVIDENCE_LEVEL"),
        (with_second(openings=()), "EVIDENCE_LEVEL"),
        (with_second(index=3), "EVIDENCE_INCLUSION"),
        (with_second(level=evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY), "EVIDENCE_LEVEL"),
        (with_second(level=evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS), "EVIDENCE_LEVEL"),
        (with_range(checkpoint=note(world().entries[:3])), "EVIDENCE_CHECKPOINT"),
        (with_range(receipt=receipt(world().entries, signer=key("gb", "receipt"))), "EVIDENCE_RECEIPT"),
    ],
)
def test_one_disclosure_that_does_not_hold_spoils_the_file(wrong: evidence_pb2.EvidenceBundle, code: str) -> None:
    with refused(Unverified, code):
        show(wrong)


def test_a_manifest_that_is_none_is_told_as_in_a_file_of_its_own() -> None:

    broken = changed(world().sealed.statement, payload=b"\xff")
    told = encode_entry(changed(world().entry, manifest_digest=statement_digest(broken)), "kh.alerts.example")
    entries = [told]
    disclosure = evidence_pb2.BundledDisclosure(
        level=evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS, entry=told, index=0, inclusion_proof=inclusion_proof([leaf_hash(told)], 0, 1)
    )
    content = bundle(
        statements=sorted([broken, countersigned(agreement())], key=statement_digest),
        ranges=[evidence_pb2.ReceiptedRange(receipt=receipt(entries), checkpoint=note(entries), disclosures=[disclosure])],
    )
    with refused(Unverified, "EVIDENCE_MANIFEST"):
        show(content)
