"""Evidence brings what this node's journal says of the log and of the receipt, once witnesses have cosigned it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.evidence import VerifiedEvidence, verify_evidence
from exchange.evidence_bundle import verify_bundle
from exchange.log import raw_key
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.note import split_note
from exchange.tlog.policy import Policy
from exchange.v1 import desk_service_pb2, evidence_pb2
from exchange.witness import cosign
from node.operations.evidence import export_evidence
from node.operations.evidence_bundle import export_bundle
from node.operations.witnesses import sign_journal_checkpoint
from node.ports import WitnessPlan
from node.store.witnesses import add_cosignature
from tests.builders import log_name
from tests.countries import BORDER, HOUR, POLICE, agency, domain, key, pins
from tests.federation import Federation, federation
from tests.proofs import policy
from tests.rig import Office, draft

ORIGIN = log_name().origin
CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh twice, under one receipt; then once more."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
        made.pump()
        yield made


def checkpoint(office: Office, *witnesses: str) -> int:
    """The journal as it stands, cosigned by the witnesses of these countries; returns its size."""
    note = sign_journal_checkpoint(office.ports)
    signed = parse_checkpoint_text(split_note(note)[0])
    for country in witnesses:
        signer = key(country, "witness")
        line = cosign(note, domain(country), raw_key(signer.spki), office.clock.time // 1000, signer.sign)
        with office.ports.store.write() as tx:
            add_cosignature(tx, signed.origin, signed.size, line)
    return signed.size


def exported(office: Office, rule: Policy | None = None) -> VerifiedEvidence:
    return verify_evidence(export_evidence(office.ports, office.person("auditor"), ORIGIN, 0, CONTENTLESS), pins("gb", "kh"), rule)


def test_nothing_is_anchored_before_witnesses_have_seen_it(two: Federation) -> None:
    assert exported(two["gb"]).anchors == ()
    checkpoint(two["gb"])
    assert exported(two["gb"]).anchors == ()


def test_the_sender_anchors_its_log_and_the_receipt_the_recipient_its_mirror(two: Federation) -> None:
    seen = two.clock.time // 1000 * 1000
    for office, witness, receipts in ((two["gb"], "kh", [False, True]), (two["kh"], "gb", [False])):
        checkpoint(office, witness)
        two.clock.pass_(HOUR)
        checkpoint(office, witness)  # a later one is not needed: the first says more
        proved = exported(office, policy(witness))
        assert [one.receipt for one in proved.anchors] == receipts
        assert {one.journal for one in proved.anchors} == {f"{office.domain}/journal/1"}
        assert proved.witnessed_at == seen + (0 if office is two["gb"] else HOUR)
        request = desk_service_pb2.ExportBundleRequest(partner=two["kh" if office is two["gb"] else "gb"].domain)
        bundle = export_bundle(office.ports, office.person("auditor"), request).data
        assert all(one.witnessed_at for one in verify_bundle(bundle, pins("gb", "kh"), policy(witness)))


def test_a_log_that_grew_before_it_was_anchored_is_proved_by_consistency(two: Federation) -> None:
    two["gb"].publish(draft(agency("kh", BORDER)))
    two.pump()
    checkpoint(two["gb"], "kh")
    assert [one.receipt for one in exported(two["gb"], policy("kh")).anchors] == [False, True]


def test_the_first_checkpoint_that_the_nodes_own_policy_accepts_is_taken(two: Federation) -> None:
    gb = two["gb"]
    gb.ports = replace(gb.ports, witnessing=WitnessPlan(policy=policy("kh", "vn")))
    checkpoint(gb, "kh")
    assert exported(gb).anchors == ()
    gb.publish(draft(agency("kh", BORDER)))
    two.clock.pass_(HOUR)
    checkpoint(gb, "kh", "vn")
    assert exported(gb, policy("kh", "vn")).witnessed_at == two.clock.time // 1000 * 1000
