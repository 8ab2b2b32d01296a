"""Withdrawal, restriction and purge: everybody who was told is reached, and what was withdrawn does not come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.evidence import verify_evidence
from exchange.v1 import desk_service_pb2, evidence_pb2
from node.operations import evidence, reached
from node.operations.officers import NotPermitted
from tests import builders
from tests.countries import (
    BORDER,
    DAY,
    HOUR,
    POLICE,
    agency,
    agreement,
    changed,
    compromised,
    descriptor,
    key,
    known,
    node_id,
    pins,
    with_key,
)
from tests.federation import Federation, federation, same_log
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    codes,
    flags,
    own_flags,
    recalled,
    replaced,
    request_id,
    shown,
    stages,
    supplemented,
)
from tests.refusals import refused
from tests.rig import draft

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
GB_POLICE = agency("gb", POLICE)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        made.connect("gb", "vn")
        yield made


# Withdrawal


def test_a_withdrawal_reaches_everybody_who_was_told_and_blocks_what_they_hold(three: Federation) -> None:
    gb, kh, vn = three["gb"], three["kh"], three["vn"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE, VN_BORDER)).manifest_digest
    three.pump()
    assert shown(kh, told).view
    answer = recalled(gb, told)
    assert not codes(answer.controls[0])
    assert not answer.waiting
    assert {tuple(one.audience) for one in answer.controls[0].disclosures} == {(KH_POLICE, KH_BORDER), (VN_BORDER,)}
    three.pump()
    for office, name in ((kh, "border"), (kh, "police"), (vn, "border")):
        seen = shown(office, told, name)
        assert seen.blocked == desk_service_pb2.BLOCKED_WITHDRAWN
        assert (seen.view, list(seen.undisclosed), seen.confirmed_now) == (b"", [], False)
        assert [one.reason for one in seen.recalls] == ["WRONG_PERSON"]
        assert seen.attest_by == three.clock.now_ms() + 7 * DAY
        assert flags(office, told, name) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert own_flags(gb, told) == ["WITHDRAWN"]
    assert gb.fsck() == kh.fsck() == vn.fsck() == []
    assert same_log(gb, kh)


def test_a_withdrawal_needs_no_agreement_any_more(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb, kh = two["gb"], two["kh"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        told = gb.publish(draft(KH_BORDER)).manifest_digest
        two.pump()
        two.clock.pass_(2 * HOUR)
        recalled(gb, told)
        two.pump()
        assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
        attested(kh, told)
        two.pump()
        assert stages(gb, told) == {"immigration": "ATTESTED"}
        assert gb.fsck() == kh.fsck() == []


def ended_agreement(directory: Path) -> Federation:
    """Three countries, of which gb's agreement with vn ends after an hour."""
    three = Federation(directory, "gb", "kh", "vn")
    three.connect("gb", "kh")
    three.connect("gb", "vn", agreement("gb", "vn", valid_until=three.clock.now_ms() + HOUR))
    return three


def test_every_manifest_of_the_alert_is_withdrawn_from_whoever_was_told_of_it(tmp_path: Path) -> None:
    three = ended_agreement(tmp_path)
    gb, kh, vn = three["gb"], three["kh"], three["vn"]
    first = gb.publish(draft(KH_BORDER, VN_BORDER)).manifest_digest
    three.pump()
    three.clock.pass_(2 * HOUR)
    second = replaced(gb, first).replacement.manifest_digest
    three.pump()
    assert flags(vn, first) == ["DISPUTED"]
    assert flags(kh, first) == ["SUPERSEDED"]
    assert flags(vn, second) == []
    answer = recalled(gb, first)  # any manifest names the alert
    assert len(answer.controls) == 2
    three.pump()
    assert flags(kh, first) == flags(kh, second) == flags(vn, first) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert own_flags(gb, first) == own_flags(gb, second) == ["WITHDRAWN"]
    attested(kh, first)
    attested(vn, first)
    three.pump()
    assert set(stages(gb, second).values()) == {"ATTESTED"}
    assert gb.fsck() == kh.fsck() == vn.fsck() == []
    three.close()


def test_a_recall_overtakes_nothing_and_is_held_back_by_nothing(two: Federation) -> None:
    """It goes before the window that holds ordinary alerts back."""
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    recalled(gb, told)
    assert gb.outbound(kh).control_size == gb.outbound(kh).size == 2


@pytest.mark.parametrize("name", ["border", "police", "auditor", "administrator"])
def test_who_does_not_release_recalls_nothing(two: Federation, name: str) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    with refused(NotPermitted, "ROLE_MISSING"):
        recalled(gb, told, name=name)
    assert own_flags(gb, told) == []


def test_another_agency_recalls_nothing_of_ours(two: Federation) -> None:
    told = two["gb"].publish(draft(KH_BORDER)).manifest_digest
    with refused(NotFound, "ALERT_NOT_FOUND"):
        recalled(two["gb"], told, name="both")


def test_no_reason_no_recall(two: Federation) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    assert codes(recalled(gb, told, reason=" ").controls[0]) == {"REASON_MISSING"}
    assert codes(recalled(gb, told, withdrawal_reason=None).controls[0]) == {"REASON_CODE"}
    assert codes(recalled(gb, told, desk_service_pb2.RECALL_KIND_CORRECTION).controls[0]) == {"REASON_CODE"}
    assert codes(recalled(gb, told, request_id=b"short").controls[0]) == {"REQUEST_ID"}
    assert codes(recalled(gb, told, attest_within_days=91).controls[0]) == {"ATTEST_WITHIN"}
    assert own_flags(gb, told) == []
    assert ("refusal", gb.person("liaison"), "", "REASON_MISSING") in gb.journal()


def test_the_same_request_again_recalls_nothing_twice(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    asked = request_id()
    assert recalled(gb, told, request_id=asked) == recalled(gb, told, request_id=asked)
    assert codes(recalled(gb, told).controls[0]) == {"ALERT_WITHDRAWN"}
    assert gb.outbound(kh).size == 2


def test_a_recall_is_not_recalled(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    recall = recalled(gb, told).controls[0].manifest_digest
    assert codes(recalled(gb, recall).controls[0]) == {"CONTROL_ALERT"}
    two.pump()
    assert shown(kh, recall).view


def test_whom_a_recall_reaches_can_be_seen_before(two: Federation) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    found = reached.get_reach(gb.ports, gb.person("liaison"), told.hex()).reached
    assert {one.agency for one in found} == {KH_BORDER, KH_POLICE}
    assert all(one.fields and one.disclosed_at == two.clock.now_ms() and not one.refused for one in found)
    assert gb.journal()[-1] == ("consultation", gb.person("liaison"), told.hex(), "REACH")
    with refused(NotFound, "ALERT_NOT_FOUND"):
        reached.get_reach(gb.ports, gb.person("both"), told.hex())


def test_it_stands_in_both_journals_with_the_reason_in_the_sealed_detail(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    attested(kh, told)
    two.pump()
    assert ("alteration", gb.person("liaison"), told.hex(), "WITHDRAWN") in gb.journal()
    assert ("alteration", GB_POLICE, told.hex(), "WITHDRAWN") in kh.journal()
    assert ("alteration", kh.person("border"), told.hex(), "ATTESTED") in kh.journal()
    assert ("alteration", KH_BORDER, told.hex(), "ATTESTED") in gb.journal()
    assert [event[3] for event in kh.journal() if event[0] == "erasure"] == ["INTENDED", "DONE"]


# Restriction


def test_a_restriction_blocks_until_it_is_lifted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    before = shown(kh, told).view
    recalled(gb, told, RESTRICTION)
    two.pump()
    seen = shown(kh, told)
    assert (seen.blocked, seen.view, seen.attest_by) == (desk_service_pb2.BLOCKED_RESTRICTED, b"", 0)
    assert flags(kh, told) == own_flags(gb, told) == ["RESTRICTED"]
    assert codes(supplemented(gb, told, KH_BORDER, 6)) == {"ALERT_RESTRICTED"}
    assert codes(recalled(gb, told, RESTRICTION).controls[0]) == {"ALERT_RESTRICTED"}
    recalled(gb, told, LIFTING)
    two.pump()
    assert shown(kh, told).view == before
    assert shown(kh, told).confirmed_now
    assert flags(kh, told) == own_flags(gb, told) == []
    assert codes(recalled(gb, told, LIFTING).controls[0]) == {"ALERT_NOT_RESTRICTED"}
    recalled(gb, told, RESTRICTION)
    recalled(gb, told)
    two.pump()
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert gb.fsck() == kh.fsck() == []


def test_what_was_replaced_while_it_was_restricted_reads_as_replaced_when_that_is_lifted(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    recalled(gb, told, RESTRICTION)
    second = replaced(gb, told).replacement.manifest_digest
    two.pump()
    assert (flags(kh, told), flags(kh, second)) == (["RESTRICTED"], [])
    assert (own_flags(gb, told), own_flags(gb, second)) == (["RESTRICTED"], [])


# Keys


def test_when_the_agencys_key_is_revoked_an_administrator_recalls_in_the_nodes_name(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    two.clock.pass_(HOUR)
    stolen = with_key(descriptor("gb"), key("gb", builders.agency_name("gb", POLICE)), **compromised(two.clock.now_ms() - 1))
    gb.own = known(descriptor("gb"), changed(stolen, sequence=2))
    gb.restart()
    two.clock.pass_(HOUR)
    assert codes(recalled(gb, told).controls[0]) == {"STATEMENT_KEY_REVOKED"}
    with refused(NotPermitted, "ROLE_MISSING"):
        recalled(gb, told, in_node_name=True)
    answer = recalled(gb, told, name="administrator", in_node_name=True)
    assert not codes(answer.controls[0])
    two.pump()
    assert flags(kh, told)[:2] == ["WITHDRAWN", "ATTESTATION_OWED"]
    (recall,) = [one for one in kh.received() if one.alert_type == "exchange.v1.Withdrawal"]
    assert recall.originator == node_id("gb")
    # A live withdrawal is issued again under a new key, as after a theft.
    assert not codes(recalled(gb, told, name="administrator", in_node_name=True).controls[0])
    two.pump()
    assert kh.fsck() == []


def test_that_somebody_was_told_of_a_withdrawal_and_attested_it_can_be_proved(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    attested(kh, told)
    two.pump()
    for sender, name, index, recipient in ((gb, "liaison", 1, kh), (kh, "both", 0, gb)):
        origin = sender.outbound(recipient).name.origin
        level = evidence_pb2.EVIDENCE_LEVEL_DATA
        data = evidence.export_evidence(sender.ports, sender.person(name), origin, index, level)
        proved = verify_evidence(data, pins("gb", "kh"))
        assert (proved.entry.in_reply_to, proved.agreement) == (told, None)
        assert proved.kind is not None
        assert proved.kind.control
