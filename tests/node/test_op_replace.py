"""Updates, corrections and supplements: what takes an alert's place, who learns what was wrong, who is told more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import cut, encode
from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.operations.officers import NotPermitted
from tests import builders
from tests.countries import BORDER, HOUR, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation, same_log
from tests.recalls import codes, corrected, flags, other_alert, own_flags, replaced, shown, supplemented
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
ITINERARY, APPEARANCE, RISK_LEVEL, REFERENCE = 11, 6, 24, 9
"""Fields of a travel alert; the border agency is given the second and third only on request, the police the fourth."""


@pytest.fixture
def ending(tmp_path: Path) -> Iterator[Federation]:
    """Three countries, of which gb's agreement with vn ends after an hour."""
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        made.connect("gb", "vn", agreement("gb", "vn", valid_until=made.clock.now_ms() + HOUR))
        yield made


def published(office: Office, *recipients: str, **changes: Any) -> bytes:
    return office.publish(draft(*recipients, **changes)).manifest_digest


def differences(seen: desk_service_pb2.GetInboxAlertResponse) -> dict[int, tuple[bytes, bytes]]:
    return {one.field: (one.before, one.now) for one in seen.changes}


# Update


def test_an_update_takes_the_alerts_place_and_the_desk_reads_what_changed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = published(gb, KH_BORDER, KH_POLICE)
    two.pump()
    answer = replaced(gb, first)
    assert not codes(answer.replacement)
    assert not (answer.corrections)
    assert not (answer.not_admitted)
    assert not (answer.waiting)
    two.pump()
    second = answer.replacement.manifest_digest
    assert [alert.manifest_digest for alert in kh.received()] == [second, first], "the new flight first"
    for name in ("border", "police"):
        seen = shown(kh, second, name)
        before, now = (cut(encode(alert))[ITINERARY] for alert in (builders.alert(), other_alert()))
        assert differences(seen) == {ITINERARY: (before, now)}
        assert (seen.replaces, seen.blocked) == (first, desk_service_pb2.BLOCKED_UNSPECIFIED)
        old = shown(kh, first, name)
        assert (old.blocked, old.view, old.replaced_by) == (desk_service_pb2.BLOCKED_REPLACED, b"", second)
        assert not old.confirmed_now
    assert flags(kh, first) == own_flags(gb, first) == ["SUPERSEDED"]
    assert flags(kh, second) == own_flags(gb, second) == []
    assert gb.fsck() == kh.fsck() == []
    assert same_log(gb, kh)


def test_an_update_may_go_to_others_as_well(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = published(gb, KH_BORDER)
    answer = replaced(gb, first, to=[KH_POLICE])
    two.pump()
    second = answer.replacement.manifest_digest
    assert flags(kh, second, "police") == flags(kh, second) == []
    assert not shown(kh, second, "police").changes


def test_a_third_manifest_supersedes_both_before_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = published(gb, KH_BORDER)
    second = replaced(gb, first).replacement.manifest_digest
    third = replaced(gb, first, builders.alert()).replacement.manifest_digest  # any manifest names the alert
    two.pump()
    assert [flags(kh, one) for one in (first, second, third)] == [["SUPERSEDED"], ["SUPERSEDED"], []]
    assert shown(kh, first).replaced_by == shown(kh, second).replaced_by == third
    assert shown(kh, third).replaces == second


def test_an_update_that_nobody_is_admitted_to_any_more_says_that_it_is_out_of_date(ending: Federation) -> None:
    gb, kh, vn = ending["gb"], ending["kh"], ending["vn"]
    first = published(gb, KH_BORDER, VN_BORDER)
    ending.pump()
    ending.clock.pass_(2 * HOUR)
    answer = replaced(gb, first)
    assert list(answer.not_admitted) == [VN_BORDER]
    assert len(answer.corrections) == 1
    ending.pump()
    seen = shown(vn, first)
    assert flags(vn, first) == ["DISPUTED"]
    (said,) = seen.recalls
    assert (said.kind, said.reason) == (desk_service_pb2.RECALL_KIND_CORRECTION, "OUT_OF_DATE")
    assert list(said.wrong_fields) == [ITINERARY]
    assert said.replaced_by == answer.replacement.manifest_digest
    assert seen.view == shown(vn, first).view != b"", "what it holds, and no new value"
    assert not seen.confirmed_now
    assert len([alert for alert in vn.received() if alert.alert_type.endswith("TravelAlert")]) == 1
    assert flags(kh, first) == ["SUPERSEDED"]
    assert gb.fsck() == kh.fsck() == vn.fsck() == []


# Correction


def test_a_correction_names_what_was_wrong_to_everybody_and_gives_new_values_to_whom_a_clause_admits(ending: Federation) -> None:
    gb, kh, vn = ending["gb"], ending["kh"], ending["vn"]
    first = published(gb, KH_BORDER, VN_BORDER)
    ending.pump()
    ending.clock.pass_(2 * HOUR)
    born = builders.alert()
    born.birth.date = "1962-04"
    answer = corrected(gb, first, born, wrong=[3])
    ending.pump()
    second = answer.replacement.manifest_digest
    (correction,) = answer.corrections
    assert {agency_ for one in correction.disclosures for agency_ in one.audience} == {KH_BORDER, VN_BORDER}
    assert flags(kh, first) == ["SUPERSEDED"]
    assert differences(shown(kh, second)).keys() == {3}
    assert [(one.reason, list(one.wrong_fields), one.replaced_by) for one in shown(kh, first).recalls] == [("FACTUAL_ERROR", [3], second)]
    assert flags(vn, first) == ["DISPUTED"]
    assert [list(one.wrong_fields) for one in shown(vn, first).recalls] == [[3]]
    assert ("alteration", gb.person("liaison"), first.hex(), "CORRECTED") in gb.journal()
    assert gb.fsck() == kh.fsck() == vn.fsck() == []


def test_a_second_correction_does_not_repeat_the_first(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = published(gb, KH_BORDER)
    two.pump()
    second = corrected(gb, first).replacement.manifest_digest
    two.pump()
    answer = corrected(gb, second, builders.alert())
    assert len(answer.corrections) == 1
    two.pump()
    assert [flags(kh, one) for one in (first, second, answer.replacement.manifest_digest)] == [["SUPERSEDED"], ["SUPERSEDED"], []]


def test_a_correction_that_no_clause_lets_go_to_anybody_disputes_what_was_told(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb, kh = two["gb"], two["kh"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        first = published(gb, KH_BORDER)
        two.pump()
        two.clock.pass_(2 * HOUR)
        answer = corrected(gb, first)
        assert not answer.HasField("replacement")
        assert list(answer.not_admitted) == [KH_BORDER]
        two.pump()
        assert flags(kh, first) == own_flags(gb, first) == ["DISPUTED"]
        assert [one.replaced_by for one in shown(kh, first).recalls] == [b""]
        assert codes(corrected(gb, first).replacement) == {"NOTHING_CHANGED"}, "all is said"
        assert gb.fsck() == kh.fsck() == []


def test_an_agency_that_was_not_given_the_successor_reads_disputed_where_another_reads_replaced(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb, kh = two["gb"], two["kh"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        first = published(gb, KH_BORDER, KH_POLICE)
        two.pump()
        without = [clause for clause in agreement().clauses if clause.id != "gb-kh-travelalert-police"]
        later = agreement(valid_from=two.clock.now_ms(), proposed_at=two.clock.now_ms())
        del later.clauses[:]
        later.clauses.extend(without)
        two.connect("gb", "kh", later)
        two.clock.pass_(2 * HOUR)
        answer = corrected(gb, first)
        assert list(answer.not_admitted) == [KH_POLICE]
        two.pump()
        assert flags(kh, first) == ["SUPERSEDED"]
        assert flags(kh, first, "police") == ["DISPUTED"]
        assert shown(kh, first, "police").view
        assert gb.fsck() == kh.fsck() == []


def test_a_correction_says_what_was_wrong(two: Federation) -> None:
    gb = two["gb"]
    first = published(gb, KH_BORDER)
    assert codes(corrected(gb, first, builders.alert()).replacement) == {"NOTHING_CHANGED"}
    assert codes(corrected(gb, first, wrong=[63]).replacement) == {"FIELD_UNKNOWN"}
    assert codes(replaced(gb, first, to=["spiffe://vn.alerts.example/agency/x"]).replacement) == {"PARTNER_UNKNOWN"}
    assert own_flags(gb, first) == []


@pytest.mark.parametrize("name", ["border", "auditor", "administrator"])
def test_who_does_not_release_replaces_and_supplements_nothing(two: Federation, name: str) -> None:
    gb = two["gb"]
    first = published(gb, KH_BORDER)
    with refused(NotPermitted, "ROLE_MISSING"):
        replaced(gb, first, name=name)
    with refused(NotPermitted, "ROLE_MISSING"):
        supplemented(gb, first, KH_BORDER, APPEARANCE, name=name)


def test_what_was_given_on_request_is_given_again_in_its_corrected_form(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = published(gb, KH_BORDER)
    supplemented(gb, first, KH_BORDER, APPEARANCE)
    two.pump()
    taller = builders.alert()
    taller.appearance.height_cm = 191
    answer = corrected(gb, first, taller)
    assert not codes(answer.replacement)
    two.pump()
    assert differences(shown(kh, answer.replacement.manifest_digest)).keys() == {APPEARANCE}
    assert gb.fsck() == kh.fsck() == []


# Supplement


def test_a_supplement_opens_only_the_new_fields_of_the_same_manifest(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    before = shown(kh, told)
    assert APPEARANCE in before.undisclosed
    answer = supplemented(gb, told, KH_BORDER, APPEARANCE, RISK_LEVEL)
    assert not codes(answer)
    assert [list(one.fields) for one in answer.disclosures] == [[APPEARANCE, RISK_LEVEL]]
    assert answer.manifest_digest == told
    two.pump()
    seen = shown(kh, told)
    assert set(before.undisclosed) - set(seen.undisclosed) == {APPEARANCE, RISK_LEVEL}
    assert len(seen.disclosures) == 2
    with gb.ports.store.read() as tx:
        (data,) = tx.exec_driver_sql("SELECT entry FROM entries ORDER BY idx DESC LIMIT 1").one()
    entry = disclosure_pb2.Entry.FromString(data)
    assert entry.on_request_ground == disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION
    assert gb.fsck() == kh.fsck() == []
    assert same_log(gb, kh)


def test_the_same_fields_are_told_once(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    first = supplemented(gb, told, KH_BORDER, APPEARANCE)
    again = supplemented(gb, told, KH_BORDER, APPEARANCE)
    assert [(one.origin, one.index) for one in again.disclosures] == [(one.origin, one.index) for one in first.disclosures]
    assert gb.outbound(kh).size == 2


def test_what_the_officer_had_left_out_can_follow_without_a_ground(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER, unticked=[ITINERARY])
    answer = supplemented(gb, told, KH_BORDER, ITINERARY, ground=None)
    assert not codes(answer)
    two.pump()
    assert ITINERARY not in shown(kh, told).undisclosed
    assert gb.fsck() == kh.fsck() == []


def test_a_supplement_is_refused_with_the_reason(two: Federation) -> None:
    gb = two["gb"]
    told = published(gb, KH_BORDER)
    assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE, ground=None)) == {"GROUND_MISSING"}
    assert codes(supplemented(gb, told, KH_BORDER, REFERENCE)) == {"FIELDS_NOT_AGREED"}
    assert codes(supplemented(gb, told, KH_BORDER, 63)) == {"FIELD_UNKNOWN"}
    assert codes(supplemented(gb, told, KH_BORDER)) == {"FIELD_UNKNOWN"}
    assert codes(supplemented(gb, told, KH_POLICE, REFERENCE)) == {"AGENCY_NOT_TOLD"}
    assert codes(supplemented(gb, told, "nobody", APPEARANCE)) == {"AGENCY_NOT_TOLD"}
    assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE, reason="")) == {"REASON_MISSING"}
    second = replaced(gb, told).replacement.manifest_digest
    assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE)) == {"ALREADY_SUPERSEDED"}
    assert not codes(supplemented(gb, second, KH_BORDER, APPEARANCE))
    with refused(NotFound, "ALERT_NOT_FOUND"):
        supplemented(gb, bytes(32), KH_BORDER, APPEARANCE)


def test_a_supplement_needs_an_agreement_in_force(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb = two["gb"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        told = published(gb, KH_BORDER)
        two.clock.pass_(2 * HOUR)
        assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE)) == {"AGREEMENT_EXPIRED"}


def test_a_supplement_keeps_to_the_conditions_of_its_clause(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb = two["gb"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        told = published(gb, KH_BORDER)
        later = agreement(valid_from=two.clock.now_ms() + HOUR, proposed_at=two.clock.now_ms())
        two.connect("gb", "kh", with_clause(later, "gb-kh-travelalert-border", approvals=1))
        two.clock.pass_(2 * HOUR)
        assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE)) == {"CONDITION_APPROVALS"}
