"""Recalls of what was passed on reach the third country, and a race with them has one outcome at all three nodes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from exchange.v1.control_pb2 import PURGE_EXCEPTION_PASSED_ON
from node.operations import reached
from node.operations.onward_release import release_onward
from node.operations.recover import recover_log
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from tests.countries import BORDER, DAY, agency
from tests.federation import Federation, Stream
from tests.onward import (
    FIELDS,
    KH_BORDER,
    KH_POLICE,
    VN_POLICE,
    asked,
    decided,
    fsck,
    permitted,
    released,
    settle,
    state,
    three,
)
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    codes,
    corrected,
    flags,
    other_alert,
    own_flags,
    recalled,
    replaced,
    request_id,
    shown,
    stages,
    status,
    told_waiting,
)
from tests.rig import draft

pytestmark = pytest.mark.slow

BLOCKED = ["WITHDRAWN", "ATTESTATION_OWED"]


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


@pytest.fixture
def told(federated: Federation) -> bytes:
    """What gb told kh, which may pass it on to vn."""
    digest = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    return digest


def passed_on(federated: Federation, told: bytes) -> bytes:
    request = permitted(federated, told)
    assert not codes(released(federated["kh"], request).released)
    settle(federated)
    assert flags(federated["vn"], told) == []
    return request


# Recalls


def test_a_withdrawal_reaches_the_third_country_and_everybody_attests(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    found = reached.get_reach(gb.ports, gb.person("liaison"), told.hex()).reached
    assert [(one.agency, one.via) for one in found] == [(KH_BORDER, ""), ("spiffe://vn.alerts.example/node", "kh.alerts.example")]
    assert set(found[1].fields) <= set(FIELDS)
    recalled(gb, told)
    settle(federated)
    assert flags(kh, told) == flags(vn, told) == BLOCKED
    assert not shown(vn, told).view
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}
    assert codes(attested(kh, told).attestations[0]) == {"PASSED_ON"}
    settle(federated)
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}, "nothing was said"
    assert not codes(attested(vn, told).attestations[0])
    settle(federated)
    assert own_flags(gb, told) == ["WITHDRAWN"]
    assert stages(gb, told)["node"] == "OWED", "the holder has not said so yet"
    assert "ERASED" in flags(vn, told)
    answer = attested(kh, told)
    assert [codes(one) for one in answer.attestations] == [set(), set()]
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "ATTESTED"}
    (third,) = [one for one in status(gb, told).attestations if one.via]
    assert (third.via, third.copies_removed, third.local_lists_updated) == ("kh.alerts.example", 2, True)
    assert "ERASED" in flags(kh, told)
    assert codes(attested(kh, told).attestations[0]) == {"NOTHING_TO_ATTEST"}
    assert federated["gb"].alarms() | kh.alarms() | vn.alarms() == set()
    assert fsck(federated) == []


def test_who_passed_on_names_the_exception_and_attests_again_once_the_third_country_has(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    recalled(gb, told)
    settle(federated)
    assert not codes(attested(kh, told, exceptions=[PURGE_EXCEPTION_PASSED_ON]).attestations[0])
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "OWED"}
    assert [list(one.exceptions) for one in status(gb, told).attestations] == [["PASSED_ON"], []]
    assert "ERASED" not in flags(kh, told)
    attested(vn, told)
    settle(federated)
    assert codes(attested(kh, told, exceptions=[PURGE_EXCEPTION_PASSED_ON]).attestations[0]) == {"EXCEPTION_UNFOUNDED"}
    attested(kh, told)
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "ATTESTED"}
    assert not status(gb, told).attestations[0].exceptions
    assert "ERASED" in flags(kh, told)
    assert fsck(federated) == []


def test_an_agency_that_did_not_pass_it_on_answers_for_itself_alone(federated: Federation) -> None:
    gb, kh = federated["gb"], federated["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    settle(federated)
    passed_on(federated, told)
    recalled(gb, told)
    settle(federated)
    assert not codes(attested(kh, told, "police").attestations[0])
    settle(federated)
    assert stages(gb, told) == {"immigration": "OWED", "anti-trafficking": "ATTESTED", "node": "OWED"}


def test_a_recall_is_forwarded_under_a_permit_that_has_expired(federated: Federation, told: bytes) -> None:
    passed_on(federated, told)
    federated.clock.pass_(5 * DAY)
    recalled(federated["gb"], told)
    settle(federated)
    assert "WITHDRAWN" in flags(federated["vn"], told)
    assert fsck(federated) == []


def test_a_restriction_and_its_lifting_reach_the_third_country(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    recalled(gb, told, RESTRICTION)
    settle(federated)
    assert flags(kh, told) == flags(vn, told) == ["RESTRICTED"]
    recalled(gb, told, LIFTING)
    settle(federated)
    assert flags(kh, told) == flags(vn, told) == []
    assert fsck(federated) == []


def test_a_correction_reads_as_disputed_in_the_third_country_without_new_values(federated: Federation, told: bytes) -> None:
    gb, vn = federated["gb"], federated["vn"]
    passed_on(federated, told)
    second = corrected(gb, told).replacement.manifest_digest
    settle(federated)
    assert flags(vn, told) == ["DISPUTED"]
    assert flags(vn, second) == []
    assert [one.kind for one in shown(vn, told).recalls] == [desk_service_pb2.RECALL_KIND_CORRECTION]
    assert fsck(federated) == []


def test_an_update_without_fault_reaches_the_third_country_as_out_of_date(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = passed_on(federated, told)
    answer = replaced(gb, told, other_alert())
    settle(federated)
    assert flags(kh, told) == ["SUPERSEDED"]
    assert flags(vn, told) == ["DISPUTED"]
    assert [one.reason for one in shown(vn, told).recalls] == ["OUT_OF_DATE"]
    assert flags(kh, answer.replacement.manifest_digest) == []
    assert codes(released(kh, request).released) == {"ALERT_NOT_IN_FORCE"}
    assert fsck(federated) == []


def test_an_update_tells_nobody_who_has_no_leave(federated: Federation, told: bytes) -> None:
    answer = replaced(federated["gb"], told, other_alert())
    assert not answer.corrections


# Races


def test_withdrawn_while_it_is_queued_the_content_stays_back_and_nothing_is_owed(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    recalled(gb, told)
    settle(federated)
    federated.heal()
    settle(federated)
    assert flags(kh, told) == BLOCKED
    assert flags(vn, told) == [], "it never came"
    assert vn.fsck() == []
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}
    answer = attested(kh, told)
    assert [codes(one) for one in answer.attestations] == [set(), set()]
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "ATTESTED"}
    assert not vn.alarms()
    assert fsck(federated) == []


def test_a_recall_is_taken_of_what_its_sender_withheld_and_the_originator_told(federated: Federation) -> None:
    """vn has it from gb, and of kh only an entry without its content: kh's word of the withdrawal is about what their log names."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    told = gb.publish(draft(KH_BORDER, VN_POLICE)).manifest_digest
    settle(federated)
    request = permitted(federated, told)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    recalled(gb, told)
    settle(federated)
    federated.heal()
    settle(federated)
    assert kh.outbound(vn).size == 2
    assert "WITHDRAWN" in flags(vn, told, "police")
    assert vn.alarms() == set()
    assert fsck(federated) == []


def test_a_withdrawal_that_comes_first_refuses_the_release(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    recalled(gb, told)
    settle(federated)
    before = kh.outbound(vn).size
    assert codes(released(kh, request).released) == {"ALERT_NOT_IN_FORCE"}
    assert kh.outbound(vn).size == before
    assert stages(gb, told) == {"immigration": "OWED"}


def test_a_withdrawal_that_comes_while_the_release_is_prepared_refuses_it(federated: Federation, told: bytes) -> None:
    """What was decided before it came is asked again in the transaction that would log it."""
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told)
    recalled(gb, told)

    def late(items: Sequence[Prepared | NotReleased]) -> list[desk_service_pb2.PublishedAlert]:
        Stream(gb, kh).run()
        return sequence(kh.ports, items)

    wanted = desk_service_pb2.ReleaseOnwardRequest(request_id=request_id(), request=request.hex(), reason="synthetic reason")
    answer = release_onward(kh.ports, kh.person("both"), wanted, late)
    assert codes(answer.released) == {"ALERT_NOT_IN_FORCE"}
    assert not answer.HasField("notice"), "the originator is told of nothing that did not happen"


def test_withdrawn_after_it_was_sent_and_before_the_notice_came(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    assert not codes(released(kh, request).released)
    Stream(kh, vn).run()
    assert flags(vn, told) == []
    recalled(gb, told)
    assert stages(gb, told) == {"immigration": "OWED"}
    settle(federated)
    assert flags(kh, told) == flags(vn, told) == BLOCKED
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}
    assert fsck(federated) == []


def test_withdrawn_while_the_third_country_is_cut_off(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    federated.cut("kh", "vn")
    recalled(gb, told)
    settle(federated)
    assert flags(vn, told) == []
    assert codes(attested(kh, told).attestations[0]) == {"PASSED_ON"}
    federated.heal()
    settle(federated)
    assert flags(vn, told) == BLOCKED
    assert told_waiting(kh) == 0
    assert fsck(federated) == []


def test_granted_and_withdrawn_crossing(federated: Federation, told: bytes) -> None:
    """Whichever the originator's own node logs first holds."""
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    recalled(gb, told)
    assert codes(decided(gb, request).published) == {"ALERT_WITHDRAWN"}
    assert not codes(decided(gb, request, grant=False).published)
    settle(federated)
    assert state(kh, request, "border") == "DENIED"


def test_what_was_withdrawn_does_not_come_back_by_a_replay(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    index = kh.outbound(vn).size - 1
    recalled(gb, told)
    settle(federated)
    kh.log_again(vn, index)
    settle(federated)
    assert flags(vn, told) == BLOCKED
    assert not shown(vn, told).view
    assert vn.fsck() == []


def test_what_was_withdrawn_does_not_come_back_by_a_second_holder(tmp_path: Path) -> None:
    """th did not hear of the withdrawal yet, and passes on what it holds: nobody there reads it again."""
    federated = three(tmp_path, "th")
    gb, kh, vn, th = (federated[country] for country in ("gb", "kh", "vn", "th"))
    told = gb.publish(draft(KH_BORDER, agency("th", BORDER))).manifest_digest
    settle(federated)
    passed_on(federated, told)
    request = permitted(federated, told, holder="th")
    federated.cut("gb", "th")
    recalled(gb, told)
    settle(federated)
    assert flags(vn, told) == BLOCKED
    assert not codes(released(th, request).released)
    settle(federated)
    assert flags(vn, told) == BLOCKED
    assert vn.alarms() == {"WITHDRAWN"}
    federated.heal()
    settle(federated)
    assert flags(th, told) == BLOCKED
    assert stages(gb, told)["node"] == "OWED"
    attested(vn, told)
    settle(federated)
    attested(kh, told)
    attested(th, told)
    settle(federated)
    assert {(one.agency.rpartition("/")[2], one.via[:2], one.stage) for one in status(gb, told).attestations} == {
        ("immigration", "", desk_service_pb2.ATTESTATION_STAGE_ATTESTED),
        ("border-office", "", desk_service_pb2.ATTESTATION_STAGE_ATTESTED),
        ("node", "kh", desk_service_pb2.ATTESTATION_STAGE_ATTESTED),
        ("node", "th", desk_service_pb2.ATTESTATION_STAGE_ATTESTED),
    }
    assert fsck(federated) == []
    federated.close()


def test_two_holders_forward_one_withdrawal_and_both_are_answered(tmp_path: Path) -> None:
    federated = three(tmp_path, "th")
    gb, kh, vn, th = (federated[country] for country in ("gb", "kh", "vn", "th"))
    told = gb.publish(draft(KH_BORDER, agency("th", BORDER))).manifest_digest
    settle(federated)
    passed_on(federated, told)
    assert not codes(released(th, permitted(federated, told, holder="th")).released)
    settle(federated)
    recalled(gb, told)
    settle(federated)
    assert flags(vn, told) == BLOCKED
    attested(vn, told)
    settle(federated)
    attested(kh, told)
    attested(th, told)
    settle(federated)
    assert set(stages(gb, told).values()) == {"ATTESTED"}
    assert fsck(federated) == []
    federated.close()


@pytest.mark.parametrize("when", ["before the recall", "after the recall"])
def test_a_restored_holder_still_forwards(federated: Federation, told: bytes, tmp_path: Path, when: str) -> None:
    """Its database is from before it passed the alert on: what it told vn it learns from vn, and the recall goes on from there."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    backup = kh.backup(tmp_path / "backup")
    assert not codes(released(kh, request).released)
    settle(federated)
    if when == "after the recall":
        federated.cut("kh", "vn")
        recalled(gb, told)
        settle(federated)
        federated.heal()
    kh.restore(backup)
    if when == "before the recall":
        recalled(gb, told)
    federated.cut("kh", "gb")
    recover_log(kh.ports, kh.person("administrator"), kh.outbound(vn).name.origin, lambda *a: federated.fetch("kh", *a))
    federated.heal()
    recover_log(kh.ports, kh.person("administrator"), kh.outbound(gb).name.origin, lambda *a: federated.fetch("kh", *a))
    settle(federated)
    assert flags(vn, told) == BLOCKED
    assert codes(attested(kh, told).attestations[0]) == {"PASSED_ON"}
    attested(vn, told)
    settle(federated)
    attested(kh, told)
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "ATTESTED"}


def test_the_recall_comes_before_the_restored_holder_knows_again_whom_it_told(federated: Federation, told: bytes, tmp_path: Path) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    backup = kh.backup(tmp_path / "backup")
    assert not codes(released(kh, request).released)
    settle(federated)
    kh.restore(backup)
    recalled(gb, told)
    Stream(gb, kh).run()
    assert told_waiting(kh) == 0
    recover_log(kh.ports, kh.person("administrator"), kh.outbound(vn).name.origin, lambda *a: federated.fetch("kh", *a))
    assert told_waiting(kh) == 1
    Stream(kh, vn).run()
    assert flags(vn, told) == BLOCKED
