"""Withdrawal, restriction and purge: everybody who was told is reached, and what was withdrawn does not come back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.evidence import verify_evidence
from exchange.v1 import control_pb2, desk_service_pb2, evidence_pb2
from node.operations import erase, evidence, reached
from node.operations.officers import NotPermitted
from node.operations.owing import attestations_owed
from node.operations.purge import purge_attested
from node.store.errors import StoreFailed
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
    status,
    supplemented,
)
from tests.refusals import refused
from tests.rig import draft

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
GB_POLICE = agency("gb", POLICE)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


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


# The purge


def test_content_is_erased_when_the_last_agency_has_attested(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "OWED", "anti-trafficking": "OWED"}
    assert not attested(kh, told).erased
    assert flags(kh, told) == ["WITHDRAWN"]
    assert flags(kh, told, "police") == ["WITHDRAWN", "ATTESTATION_OWED"]
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED", "anti-trafficking": "OWED"}
    assert list(attested(kh, told, "police").erased) == [told]
    seen = shown(kh, told)
    assert (seen.blocked, seen.view) == (desk_service_pb2.BLOCKED_ERASED, b"")
    assert flags(kh, told) == ["ERASED", "WITHDRAWN"]
    two.pump()
    found = {one.agency: one for one in status(gb, told).attestations}
    assert (found[KH_POLICE].copies_removed, found[KH_POLICE].local_lists_updated) == (2, True)
    with kh.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM alerts WHERE wrapped_key IS NOT NULL AND digest = ?", (told,)).scalar() == 0
        kept = "SELECT count(*) FROM entries JOIN alerts ON id = alert_ref WHERE entries.sealed IS NOT NULL AND digest = ?"
        assert tx.exec_driver_sql(kept, (told,)).scalar() == 0
    assert gb.fsck() == kh.fsck() == []


def test_a_request_id_of_another_agency_is_refused_and_never_answered_with_its_answer(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    attested(kh, told, request_id=b"the same 16 byte")
    (answer,) = attested(kh, told, "police", request_id=b"the same 16 byte").attestations
    assert (codes(answer), len(answer.disclosures)) == ({"REQUEST_ID_TAKEN"}, 0)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED", "anti-trafficking": "OWED"}


def test_what_an_agency_keeps_on_a_legal_ground_stays_blocked_and_the_originator_reads_why(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told_late = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told_late)
    two.pump()
    answer = attested(kh, told_late, exceptions=[control_pb2.PURGE_EXCEPTION_LEGAL_HOLD], local_lists_updated=False)
    assert not answer.erased
    assert shown(kh, told_late).blocked == desk_service_pb2.BLOCKED_WITHDRAWN
    two.pump()
    (one,) = status(gb, told_late).attestations
    assert (one.stage, list(one.exceptions)) == (desk_service_pb2.ATTESTATION_STAGE_ATTESTED, ["LEGAL_HOLD"])
    # The ground has gone: now it is purged, and said so again.
    assert list(attested(kh, told_late).erased) == [told_late]
    two.pump()
    assert not status(gb, told_late).attestations[0].exceptions
    assert codes(attested(kh, told_late).attestations[0]) == {"NOTHING_TO_ATTEST"}


def test_an_attestation_says_that_it_was_done_and_by_whom_it_is_owed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    assert codes(attested(kh, told).attestations[0]) == {"NOTHING_TO_ATTEST"}
    recalled(gb, told)
    two.pump()
    assert codes(attested(kh, told, local_lists_updated=False).attestations[0]) == {"LISTS_NOT_UPDATED"}
    assert codes(attested(kh, told, exceptions=[0]).attestations[0]) == {"EXCEPTION_UNKNOWN"}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        attested(kh, told, "police")
    for name in ("auditor", "administrator"):
        with refused(NotPermitted, "ROLE_MISSING"):
            attested(kh, told, name)
    asked = request_id()
    assert attested(kh, told, request_id=asked).attestations == attested(kh, told, request_id=asked).attestations
    assert kh.outbound(gb).size == 1


def test_a_purge_that_a_crash_interrupted_is_finished(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb, kh = two["gb"], two["kh"]
    again = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, again)
    two.pump()
    monkeypatch.setattr("node.operations.attest.purge_attested", lambda *_: [])
    attested(kh, again)
    kh.restart()
    assert shown(kh, again).blocked == desk_service_pb2.BLOCKED_WITHDRAWN
    assert purge_attested(kh.ports, kh.domain) == [again]
    assert purge_attested(kh.ports, kh.domain) == []
    assert kh.fsck() == []


def test_a_purge_that_a_reader_holds_up_goes_on_later_and_the_attestation_stands(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    real = kh.ports.store.empty_journal

    def held_up() -> None:
        raise StoreFailed("STORE_LOCKED", "a read that does not end")

    kh.ports.store.empty_journal = held_up  # type: ignore[method-assign]  # a reader that does not end
    answer = attested(kh, told)
    assert not codes(answer.attestations[0])
    assert [event[3] for event in kh.journal() if event[0] == "erasure"] == ["INTENDED"]
    kh.ports.store.empty_journal = real  # type: ignore[method-assign]  # it has gone
    assert erase.finish(kh.ports) == 1
    assert [event[3] for event in kh.journal() if event[0] == "erasure"] == ["INTENDED", "DONE"]
    assert kh.fsck() == []


def test_the_originator_sees_who_owes_by_when_and_how_urgently(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE, not_after=two.clock.now_ms() + 40 * DAY)).manifest_digest
    two.pump()
    recalled(gb, told, attest_within_days=4)
    two.pump()
    attested(kh, told, "police")
    two.pump()
    seen = [stages(gb, told)["immigration"]]
    for days in (2, 2, 4):
        two.clock.pass_(days * DAY)
        seen.append(stages(gb, told)["immigration"])
    assert seen == ["OWED", "REMINDER", "OVERDUE", "ESCALATED"]
    with gb.ports.store.read() as tx:
        (owed,) = attestations_owed(gb.ports, tx)
    assert (owed.agency, owed.manifest.digest, owed.attest_by) == (KH_BORDER, told, two.clock.now_ms() - 4 * DAY)
    attested(kh, told)
    two.pump()
    assert stages(gb, told)["immigration"] == "ATTESTED"
    with gb.ports.store.read() as tx:
        assert attestations_owed(gb.ports, tx) == []


def test_nobody_owes_what_their_receipt_says_was_never_held(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kept, kh.ports.acquaintance.known = kh.ports.known, replace(kh.ports.known, agreements={})
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    kh.ports.acquaintance.known = kept
    recalled(gb, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "NOT_HELD"}
    assert kh.alarms() == {"NOT_AGREED"}
    assert gb.fates(told) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert gb.fsck() == kh.fsck() == []


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
