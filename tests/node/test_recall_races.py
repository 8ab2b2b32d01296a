"""Races between a recall and everything else: one outcome on both sides, whoever is first, or cut off."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from node.operations import succeed
from node.operations.control_drafts import prepare_all
from node.operations.release import Prepared
from node.operations.sequence import sequence
from tests import recalls
from tests.countries import BORDER, HOUR, POLICE, agency
from tests.federation import Federation, Stream, federation, same_log
from tests.recalls import (
    RESTRICTION,
    attested,
    codes,
    corrected,
    flags,
    own_flags,
    recalled,
    replaced,
    shown,
    stages,
    status,
    supplemented,
    told_waiting,
)
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
APPEARANCE = 6


def published(office: Office, *recipients: str) -> bytes:
    return office.publish(draft(*recipients)).manifest_digest


def sound(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    assert gb.fsck() == kh.fsck() == []
    assert same_log(gb, kh)


# Withdraw against report


@pytest.mark.parametrize("report_first", [True, False])
def test_a_withdrawal_and_a_report_that_cross_both_stand(two: Federation, *, report_first: bool) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    steps: list[Callable[[], object]] = [lambda: kh.report(told.hex()), lambda: recalled(gb, told)]
    for step in steps if report_first else reversed(steps):
        step()
    two.pump()
    assert own_flags(gb, told) == ["WITHDRAWN"]
    assert [desk_service_pb2.DisclosureState.Name(one.state) for one in status(gb, told).disclosures] == ["DISCLOSURE_STATE_REPORTED"]
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert next(one for one in kh.received() if one.manifest_digest == told).answered
    sound(two)


def test_what_happened_before_the_withdrawal_came_can_still_be_reported(two: Federation) -> None:
    """Whoever was refused entry by mistake must not be left without a trace."""
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told)
    two.pump()
    assert not codes(kh.report(told.hex()))
    attested(kh, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED"}
    assert status(gb, told).disclosures[0].reports
    sound(two)


# Correct against correct


def test_of_two_corrections_the_first_holds_and_the_second_is_told_so(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    queued: list[Prepared | object] = []

    def put_off(items: list[Prepared]) -> list[desk_service_pb2.PublishedAlert]:
        queued.append(items)
        return [desk_service_pb2.PublishedAlert(request_id=item.request_id) for item in items]

    keep, recalls.together = recalls.together, lambda _office: put_off  # type: ignore[assignment]  # both are prepared before either is released
    try:
        corrected(gb, told)
        corrected(gb, told, recalls.other_alert(sex=None), wrong=[4])
    finally:
        recalls.together = keep
    first, second = (sequence(gb.ports, items) for items in queued)  # type: ignore[arg-type]  # what `put_off` was given
    assert not any(codes(answer) for answer in first)
    assert codes(second[0]) == {"ALREADY_SUPERSEDED"}
    assert all(codes(answer) == {"NOT_RELEASED_ALONE"} for answer in second[1:])
    two.pump()
    holds = first[0].manifest_digest
    assert shown(kh, told).replaced_by == holds
    assert (flags(kh, told), flags(kh, holds)) == (["SUPERSEDED"], [])
    assert (own_flags(gb, told), own_flags(gb, holds)) == (["SUPERSEDED"], [])
    assert kh.alarms() == set()
    sound(two)


def test_two_drafts_that_supersede_the_same_alert_in_one_call_are_one_and_a_refusal(two: Federation) -> None:
    gb = two["gb"]
    told = published(gb, KH_BORDER)
    drafts = [draft(KH_BORDER, supersedes=[told]) for _ in range(2)]
    first, second = sequence(gb.ports, prepare_all(gb.ports, gb.person("liaison"), drafts, "synthetic"))
    assert (codes(first), codes(second)) == (set(), {"ALREADY_SUPERSEDED"})
    received = two["kh"].publish(draft(agency("gb", POLICE))).manifest_digest
    two.pump()
    assert codes(gb.publish(draft(KH_BORDER, supersedes=[received]))) == {"SUPERSEDES_OTHERS"}


# Withdraw against correct


def test_what_was_withdrawn_is_not_corrected_any_more(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told)
    assert codes(corrected(gb, told).replacement) == codes(replaced(gb, told).replacement) == {"ALERT_WITHDRAWN"}
    assert codes(gb.publish(draft(KH_BORDER, supersedes=[told]))) == {"ALERT_WITHDRAWN"}
    two.pump()
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    sound(two)


def test_a_withdrawal_that_was_prepared_before_a_correction_reaches_what_the_correction_told(
    two: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    late: list[bytes] = []
    real = recalls.together(gb)

    def overtaken(items: list[Prepared]) -> list[desk_service_pb2.PublishedAlert]:
        if not late:
            late.append(b"")
            monkeypatch.undo()
            late.append(replaced(gb, told, to=[KH_POLICE]).replacement.manifest_digest)
            two.pump()
        return real(items)

    monkeypatch.setattr(recalls, "together", lambda _office: overtaken)
    answer = recalled(gb, told)
    assert [codes(control) for control in answer.controls] == [set(), set()]
    two.pump()
    assert flags(kh, told) == flags(kh, late[1]) == flags(kh, late[1], "police") == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert own_flags(gb, told) == own_flags(gb, late[1]) == ["WITHDRAWN"]
    sound(two)


# Withdraw before delivery, and while cut off


def test_a_withdrawal_before_delivery_keeps_the_content_back_and_is_understood(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    recalled(gb, told)
    two.pump()
    assert gb.fates(told) == [("EXCEPTED", "WITHHELD", "WITHDRAWN")]
    assert {alert.alert_type.rpartition(".")[2] for alert in kh.received()} == {"Withdrawal"}
    assert kh.alarms() == gb.alarms() == set()
    assert stages(gb, told) == {"immigration": "NOT_HELD"}
    sound(two)


def test_a_withdrawal_that_comes_with_what_it_withdraws_takes_effect_at_once(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    stream = Stream(gb, kh)
    batch = stream.send()  # on its way
    assert batch is not None
    recalled(gb, told)
    receipt = stream.take(batch)
    assert receipt is not None
    assert flags(kh, told) == []
    stream.settle(receipt)
    two.pump()
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert stages(gb, told) == {"immigration": "OWED"}
    sound(two)


def test_one_batch_may_tell_and_restrict(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    recalled(gb, told, RESTRICTION)
    assert two.pump() == 1
    assert flags(kh, told) == ["RESTRICTED"]
    assert kh.alarms() == set()
    sound(two)


def test_what_was_corrected_before_delivery_goes_without_its_wrong_values(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    second = corrected(gb, told).replacement.manifest_digest
    two.pump()
    assert gb.fates(told) == [("EXCEPTED", "WITHHELD", "WITHDRAWN")]
    assert (flags(kh, second), shown(kh, second).replaces) == ([], b"")
    assert kh.alarms() == set()
    sound(two)


def test_what_comes_after_its_own_successor_reads_as_replaced(two: Federation) -> None:
    """As when the corrected alert's first delivery was held back, and a supplement to the old one is on its way."""
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    second = replaced(gb, told).replacement.manifest_digest
    kept = status(gb, told).disclosures[0].disclosure.index
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET not_after = 1 WHERE digest = ?", (told,))  # held back as expired
    two.pump()
    assert gb.fates(told) == [("EXCEPTED", "WITHHELD", "EXPIRED")]
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET not_after = (SELECT max(not_after) FROM alerts)")
    gb.log_again(kh, kept)
    two.pump()
    assert (flags(kh, told), flags(kh, second)) == (["SUPERSEDED"], [])
    assert shown(kh, told).replaced_by == second
    assert kh.fsck() == []


def test_whoever_was_cut_off_is_told_as_soon_as_there_is_a_way(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh", "vn") as three:
        gb, kh, vn = three["gb"], three["kh"], three["vn"]
        three.connect("gb", "kh")
        three.connect("gb", "vn")
        told = published(gb, KH_BORDER, VN_BORDER)
        three.pump()
        three.cut("gb", "kh")
        three.clock.pass_(HOUR)
        recalled(gb, told)
        three.pump()
        assert (flags(kh, told), flags(vn, told)) == ([], ["WITHDRAWN", "ATTESTATION_OWED"])
        assert not shown(kh, told).confirmed_now, "nobody acts on what is not confirmed"
        three.heal()
        three.pump()
        assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
        assert gb.fsck() == kh.fsck() == vn.fsck() == []


def test_a_partner_whose_log_is_stopped_is_told_in_its_successor(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    log = gb.outbound(kh)
    succeed.end_log(gb.ports, gb.person("administrator"), log.name.origin)
    answer = recalled(gb, told)
    assert list(answer.waiting) == list(status(gb, told).waiting) == [kh.domain]
    assert not codes(answer.controls[0])
    assert not answer.controls[0].disclosures
    assert own_flags(gb, told) == ["WITHDRAWN"]
    assert told_waiting(gb) == 0
    assert gb.fsck() == []
    two.carry()
    succeed.accept_end(kh.ports, kh.person("administrator"), log.name.origin)
    two.carry()
    assert told_waiting(gb) == 1
    assert told_waiting(gb) == 0
    assert list(status(gb, told).waiting) == []
    two.pump()
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert gb.fsck() == kh.fsck() == []


def test_a_suspended_partner_is_told_when_it_is_resumed(two: Federation) -> None:
    from node.operations import partners

    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    partners.suspend_partner(gb.ports, gb.person("administrator"), kh.domain, resume=False)
    assert not codes(recalled(gb, told).controls[0])
    two.pump()
    assert flags(kh, told) == []
    partners.suspend_partner(gb.ports, gb.person("administrator"), kh.domain, resume=True)
    two.pump()
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]


# Withdraw against supplement


def test_a_supplement_after_a_withdrawal_is_refused_also_if_it_was_prepared_before(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    prepared: list[list[Prepared]] = []
    keep, recalls.together = (
        recalls.together,
        lambda _office: lambda items: [prepared.append(items)] and [desk_service_pb2.PublishedAlert()],
    )  # type: ignore[assignment,func-returns-value]
    try:
        supplemented(gb, told, KH_BORDER, APPEARANCE)
    finally:
        recalls.together = keep
    recalled(gb, told)
    (answer,) = sequence(gb.ports, prepared[0])
    assert codes(answer) == codes(supplemented(gb, told, KH_BORDER, APPEARANCE)) == {"ALERT_WITHDRAWN"}
    two.pump()
    assert gb.outbound(kh).size == 2
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    sound(two)


def test_a_supplement_before_a_withdrawal_is_withdrawn_with_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    supplemented(gb, told, KH_BORDER, APPEARANCE)
    recalled(gb, told)
    two.pump()
    assert gb.fates(told)[1] == ("EXCEPTED", "WITHHELD", "WITHDRAWN")
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert stages(gb, told) == {"immigration": "OWED"}
    sound(two)
