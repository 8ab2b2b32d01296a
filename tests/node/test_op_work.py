"""The work list: what needs a person now, for whom, in which order; and what is done is gone."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.journal import SALT_SIZE
from exchange.v1 import control_pb2, hit_report_pb2, offending_pb2
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.journal_pb2 import JournalPersonal
from node.operations import work
from node.operations.officers import NotPermitted
from node.operations.work_item import LANDED_MS
from node.store.errors import StoreFailed
from node.store.journal import PERSONAL
from tests import builders
from tests.countries import BORDER, DAY, HOUR, NOW, POLICE, agency, agreement, changed, with_clause
from tests.federation import Federation, federation
from tests.recalls import LIFTING, RESTRICTION, attested, corrected, recalled, replaced, shown, status
from tests.refusals import refused
from tests.rig import Office, draft
from tests.worklists import ACKNOWLEDGEMENT, DEPARTS, LANDS, LANDS_NEXT, kinds, listed, office_pair, told

KH_BORDER, KH_POLICE, GB_POLICE = agency("kh", BORDER), agency("kh", POLICE), agency("gb", POLICE)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    yield made
    made.close()


def with_deadlines(acknowledge_by: int, feed_back_by: int = 0) -> bytes:
    deadlines = offending_pb2.Deadlines(acknowledge_by=acknowledge_by, feed_back_by=feed_back_by)
    return encode(changed(builders.alert(), deadlines=deadlines))


# What came in


def test_an_alert_that_nobody_answered_says_when_it_lands_there_and_what_to_type(two: Federation) -> None:
    digest = told(two)
    (item,) = listed(two["kh"], "border")
    assert item.kind == messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE
    assert (item.reference, item.counterparty, item.detail) == (digest, GB_POLICE, "TravelAlert")
    assert (item.due_at, item.lands_at, item.zone) == (LANDS, LANDS, "Asia/Bangkok")
    assert (item.departs_at, item.departs_zone) == (DEPARTS, "Europe/London")
    assert (item.overdue, item.escalated, item.later) == (False, False, False)
    assert item.command == f"exchange inbox show {digest.hex()[:12]}"
    two.clock.time = LANDS
    assert listed(two["kh"], "border")[0].overdue
    two.clock.time = LANDS + 2 * HOUR
    assert listed(two["kh"], "border")[0].escalated


def test_a_desk_waits_for_the_landing_in_its_own_country(two: Federation) -> None:
    kh = two["kh"]
    for country, lands, zone in (("KHM", LANDS_NEXT, "Asia/Phnom_Penh"), ("VNM", LANDS, "Asia/Bangkok")):
        kh.ports = replace(kh.ports, country=country)
        digest = told(two)
        (item,) = [one for one in listed(kh, "border") if one.reference == digest]
        assert (item.lands_at, item.zone, item.due_at) == (lands, zone, lands)
        (line,) = [one for one in kh.received("border") if one.manifest_digest == digest]
        assert line.arrives_at == lands


def test_when_he_has_landed_it_is_the_next_landing_that_counts(two: Federation) -> None:
    told(two)
    for moment, lands, zone in (
        (LANDS + LANDED_MS - 1, LANDS, "Asia/Bangkok"),
        (LANDS + LANDED_MS, LANDS_NEXT, "Asia/Phnom_Penh"),
        (LANDS_NEXT + LANDED_MS, LANDS, "Asia/Bangkok"),
    ):
        two.clock.time = moment
        (item,) = listed(two["kh"], "border")
        assert (item.lands_at, item.zone, item.due_at, item.departs_at) == (lands, zone, LANDS, 0)


def test_who_was_not_told_the_itinerary_is_not_told_when_he_lands(tmp_path: Path) -> None:
    itinerary = 11
    agreed = agreement()
    (police,) = [one for one in agreed.clauses if one.id == "gb-kh-travelalert-police"]
    assert itinerary in police.permitted
    fewer = with_clause(agreed, police.id, permitted=[number for number in police.permitted if number != itinerary])
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", fewer)
        told(two, KH_BORDER, KH_POLICE)
        (item,) = listed(two["kh"], "border")
        assert item.lands_at == LANDS
        (item,) = listed(two["kh"], "police")
        assert (item.kind, item.lands_at, item.due_at, item.zone) == (messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE, 0, 0, "")


def test_it_is_gone_when_it_is_reported_on_and_for_another_agency_it_never_was(two: Federation) -> None:
    digest = told(two)
    assert kinds(two["kh"], "police") == []
    two["kh"].report(digest.hex())
    assert kinds(two["kh"], "border", everything=True) == []


def test_that_somebody_else_came_settles_nothing_of_an_alert(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two, alert=with_deadlines(NOW + HOUR, NOW + DAY))
    namesake = hit_report_pb2.HitReport(
        outcome=hit_report_pb2.HIT_OUTCOME_NOT_THIS_PERSON, desk={"unit": "Example desk", "channel": "+855 23 000 000"}
    )
    assert not kh.report(digest.hex(), report=namesake).problems
    assert kinds(kh, "border") == ["ALERT_TO_ACKNOWLEDGE"]
    acknowledged(kh, digest)
    assert kinds(kh, "border") == ["ALERT_TO_REPORT"]
    kh.report(digest.hex())
    assert kinds(kh, "border", everything=True) == []


def test_an_answer_of_another_agency_is_not_ours(two: Federation) -> None:
    digest = told(two, KH_BORDER, KH_POLICE)
    two["kh"].report(digest.hex(), "police")
    assert (kinds(two["kh"], "border"), kinds(two["kh"], "police")) == (["ALERT_TO_ACKNOWLEDGE"], [])


def test_what_has_a_term_of_its_own_is_due_by_then(two: Federation) -> None:
    told(two, alert=with_deadlines(NOW + HOUR))
    assert listed(two["kh"], "border")[0].due_at == NOW + HOUR


_ids = itertools.count(1)


def acknowledged(office: Office, digest: bytes) -> None:
    """The border agency says that it has read it."""
    alert = Acknowledgement(manifest_digest=digest, read_at=NOW, desk={"unit": "Example desk", "channel": "+855 23 000 000"})
    answer = office.publish(
        draft(
            GB_POLICE,
            request_id=b"acknowle" + next(_ids).to_bytes(8, "big"),
            alert_type=ACKNOWLEDGEMENT,
            alert=encode(alert),
            in_reply_to=digest,
            thread=digest,
        ),
        "border",
    )
    assert not answer.problems, answer.problems


def test_what_is_acknowledged_comes_back_only_for_the_report_that_was_asked_for(two: Federation) -> None:
    plain, asked = told(two), told(two, alert=with_deadlines(NOW + HOUR, NOW + DAY))
    acknowledged(two["kh"], plain)
    acknowledged(two["kh"], asked)
    (item,) = listed(two["kh"], "border")
    assert (item.kind, item.reference, item.due_at) == (messages.WORK_KIND_ALERT_TO_REPORT, asked, NOW + DAY)
    assert item.command == f"exchange inbox report {asked.hex()[:12]}"
    two["kh"].report(asked.hex())
    assert kinds(two["kh"], "border") == []


def test_an_alert_that_expired_or_was_replaced_waits_no_more(two: Federation) -> None:
    first = told(two, not_after=NOW + DAY)
    two.clock.pass_(DAY)
    assert kinds(two["kh"], "border") == []
    two.clock.pass_(-DAY)
    second = replaced(two["gb"], first).replacement.manifest_digest
    two.pump()
    assert [item.reference for item in listed(two["kh"], "border")] == [second]


def test_a_report_that_came_waits_until_somebody_of_the_agency_opens_it(two: Federation) -> None:
    gb = two["gb"]
    digest = told(two)
    report = two["kh"].report(digest.hex()).manifest_digest
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.counterparty) == (messages.WORK_KIND_REPORT_TO_READ, report, KH_BORDER)
    assert kinds(gb, "both") == []  # of another agency
    gb.received("liaison")  # to have seen it in a list is not to have read it
    assert kinds(gb, "second") == ["REPORT_TO_READ"]
    shown(gb, report, "second")
    assert kinds(gb, "liaison", everything=True) == []


def test_a_restriction_waits_until_it_is_read_and_again_after_the_next(two: Federation) -> None:
    kh, gb = two["kh"], two["gb"]
    digest = told(two)
    recalled(gb, digest, RESTRICTION)
    two.clock.pass_(HOUR)
    two.pump()
    (item,) = listed(kh, "border")
    assert (item.kind, item.reference, item.detail) == (messages.WORK_KIND_RECALL_TO_READ, digest, "RESTRICTED")
    two.clock.pass_(HOUR)
    shown(kh, digest)
    assert (kinds(kh, "border"), kinds(kh, "border", everything=True)) == ([], ["RECALL_TO_READ"])
    two.clock.pass_(HOUR)
    recalled(gb, digest, LIFTING)
    two.pump()
    assert kinds(kh, "border") == ["ALERT_TO_ACKNOWLEDGE"]
    two.clock.pass_(HOUR)
    recalled(gb, digest, RESTRICTION)
    two.pump()
    assert kinds(kh, "border") == ["RECALL_TO_READ"]


def test_an_alert_of_several_manifests_is_recalled_and_attested_once_on_the_list(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = told(two)
    second = replaced(gb, first).replacement.manifest_digest
    two.pump()
    recalled(gb, first, RESTRICTION)
    two.pump()
    assert [(item.kind, item.reference) for item in listed(kh, "border")] == [(messages.WORK_KIND_RECALL_TO_READ, second)]
    shown(kh, second)
    assert kinds(kh, "border") == []
    recalled(gb, first)
    two.pump()
    (item,) = listed(kh, "border", everything=True)
    assert (item.kind, item.reference) == (messages.WORK_KIND_ATTESTATION_TO_GIVE, second)
    attested(kh, second)
    assert kinds(kh, "border", everything=True) == []


def test_what_another_agency_has_opened_still_waits_for_ours(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two, KH_BORDER, KH_POLICE)
    recalled(two["gb"], digest, RESTRICTION)
    two.pump()
    two.clock.pass_(HOUR)
    shown(kh, digest, "police")
    assert (kinds(kh, "border"), kinds(kh, "police")) == (["RECALL_TO_READ"], [])


def test_a_refusal_that_came_waits_like_a_report_and_an_acknowledgement_does_not(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    acknowledged(kh, digest)
    two.pump()
    assert kinds(gb, "liaison", everything=True) == []
    refusal = control_pb2.Refusal(manifest_digest=digest, reason=control_pb2.REFUSAL_REASON_NO_LEGAL_BASIS)
    wanted = draft(request_id=b"refusal         ", alert_type="exchange.v1.Refusal", alert=encode(refusal), not_after=0)
    published = kh.publish(wanted, "border")
    assert not published.problems, published.problems
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.counterparty) == (messages.WORK_KIND_REFUSAL_TO_READ, published.manifest_digest, KH_BORDER)
    assert kinds(kh, "border", everything=True) == []  # a refusal is an answer
    shown(gb, published.manifest_digest, "liaison")
    assert kinds(gb, "liaison") == []


def test_a_correction_with_its_new_values_is_read_as_the_new_alert(two: Federation) -> None:
    digest = told(two)
    new = corrected(two["gb"], digest, wrong=[10]).replacement.manifest_digest
    two.pump()
    assert [(one.kind, one.reference) for one in listed(two["kh"], "border", everything=True)] == [
        (messages.WORK_KIND_ALERT_TO_ACKNOWLEDGE, new)
    ]


def test_a_correction_without_its_new_values_is_read_as_disputed(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=NOW + HOUR))
        digest = told(two)
        two.clock.pass_(2 * HOUR)
        corrected(two["gb"], digest, wrong=[3])
        two.pump()
        (item,) = listed(two["kh"], "border")
        assert (item.kind, item.detail) == (messages.WORK_KIND_RECALL_TO_READ, "DISPUTED")


# After a withdrawal


def test_an_attestation_is_on_the_list_of_who_owes_it_and_of_who_waits_for_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two, KH_BORDER, KH_POLICE)
    recalled(gb, digest)
    two.pump()
    due = NOW + 7 * DAY
    for name in ("border", "police"):
        (item,) = listed(kh, name)
        assert (item.kind, item.due_at, item.detail) == (messages.WORK_KIND_ATTESTATION_TO_GIVE, due, "WRONG_PERSON")
    assert kinds(gb, "liaison") == []
    assert kinds(gb, "liaison", everything=True) == ["ATTESTATION_TO_COME"] * 2
    two.clock.time = NOW + 7 * DAY // 2
    assert {item.counterparty for item in listed(gb, "liaison")} == {KH_BORDER, KH_POLICE}
    attested(kh, digest)
    two.pump()
    assert (kinds(kh, "border"), kinds(kh, "police")) == ([], ["ATTESTATION_TO_GIVE"])
    (item,) = listed(gb, "liaison")
    assert (item.counterparty, item.overdue, item.escalated) == (KH_POLICE, False, False)
    two.clock.time = due
    assert listed(gb, "liaison")[0].overdue
    two.clock.time = due + 7 * DAY
    assert listed(gb, "liaison")[0].escalated
    assert kinds(gb, "both", everything=True) == []  # another agency's alert
    attested(kh, digest, "police")
    two.pump()
    assert kinds(gb, "liaison", everything=True) == kinds(kh, "police", everything=True) == []


# What the agency released


def test_what_a_receipt_excepted_waits_until_somebody_looks_what_became_of_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    two.clock.pass_(40 * 60_000)
    kh.ports = replace(kh.ports, training=not kh.ports.training)  # it refuses what is training, or what is not
    digest = gb.publish(draft(KH_BORDER)).manifest_digest
    status(gb, digest)  # too early to know
    two.clock.pass_(HOUR)
    two.pump()
    (item,) = listed(gb, "liaison")
    assert (item.kind, item.reference, item.detail) == (messages.WORK_KIND_REFUSAL_TO_READ, digest, "TRAINING_MISMATCH")
    assert (item.counterparty, item.command) == (kh.domain, f"exchange alert status {digest.hex()[:12]}")
    assert kinds(gb, "both") == []
    status(gb, digest)
    assert kinds(gb, "liaison") == []


def test_a_look_before_a_receipt_excepted_it_counts_for_nothing_though_another_was_excepted_earlier(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kh.ports = replace(kh.ports, training=not kh.ports.training)
    earlier = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    status(gb, earlier)
    two.clock.pass_(HOUR)
    later = gb.publish(draft(KH_BORDER)).manifest_digest
    status(gb, later)  # too early to know
    two.clock.pass_(HOUR)
    two.pump()
    assert [item.reference for item in listed(gb, "liaison")] == [later]


# Who may, and what is recorded


def test_an_auditor_and_a_stranger_have_no_work(two: Federation) -> None:
    with refused(NotPermitted, "ROLE_MISSING"):
        listed(two["gb"], "auditor")
    with refused(NotPermitted, "OFFICER_UNKNOWN"):
        listed(two["gb"], "stranger")
    liaison = two["gb"].person("liaison")
    homeless = replace(two["gb"].ports.officers[liaison], agency=None)
    two["gb"].ports = replace(two["gb"].ports, officers={liaison: homeless})
    with refused(NotPermitted, "AGENCY_MISSING"):
        listed(two["gb"], "liaison")


def test_whoever_looks_is_recorded_first_with_what_was_shown(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    listed(kh, "border")
    assert kh.journal()[-1][0::3] == ("consultation", "WORK")
    assert kh.journal()[-1][1] == kh.person("border")
    with kh.ports.store.read() as tx:
        last = kh.ports.journal.edge(tx).frontier.size - 1
        detail = kh.ports.journal.detail(tx, last, PERSONAL)
    assert detail is not None
    assert list(JournalPersonal.FromString(detail[SALT_SIZE:]).results) == [digest]


def test_a_failure_to_record_shows_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    told(two)

    def fail(*_: object, **__: object) -> None:
        raise StoreFailed("STORE_FULL", "synthetic")

    monkeypatch.setattr(work, "note_access", fail)
    with refused(StoreFailed, "STORE_FULL"):
        listed(two["kh"], "border")
