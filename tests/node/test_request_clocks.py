"""The clocks of questions between two offices: stopped and started again, started by attempts; and what is put before a person."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.v1 import acknowledgement_pb2, control_pb2, desk_service_pb2, disclosure_pb2, information_pb2
from node.clocks import ClockState
from node.operations import acknowledge, attempts, deliver, outbox, receive, requests
from node.operations.request_clocks import OpenRequest, open_requests
from node.store.requests import attempts_above
from tests import asking
from tests.asking import (
    COURT,
    DESK,
    GB,
    KH,
    PROSECUTOR,
    READ,
    acknowledged,
    answered,
    asked,
    asking_agreement,
    both,
    case,
    cases,
    drafted,
    one,
    state,
    states,
    suspended,
    turned_down,
)
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, changed
from tests.federation import Federation, Stream, federation
from tests.recalls import codes, replaced, request_id, shown, status
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER = agency("kh", BORDER)
NORMAL = information_pb2.URGENCY_NORMAL


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", asking_agreement())
        yield made


# Stopping the clock


def test_the_agency_asked_stops_the_clock_and_starts_it_again(two: Federation) -> None:
    digest = asked(two["gb"])
    two.pump()
    two.clock.pass_(HOUR)
    assert not codes(suspended(two["kh"], digest))
    found = both(two, digest)
    assert states(two, digest) == ("SUSPENDED", "STOPPED")
    assert (found.stopped_because, found.due_at) == ("COURT_ORDER_NEEDED", 0)
    two.clock.pass_(30 * HOUR)
    assert states(two, digest) == ("SUSPENDED", "STOPPED")
    assert not codes(suspended(two["kh"], digest, 0))
    found = both(two, digest)
    assert states(two, digest) == ("ACKNOWLEDGED", "RUNNING")
    assert found.due_at == found.started_at + 38 * HOUR
    two.clock.pass_(7 * HOUR)
    assert states(two, digest) == ("ACKNOWLEDGED", "OVERDUE")


def test_a_pending_authorisation_of_the_asker_stops_it_from_the_start_until_the_asker_says_otherwise(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb, authorisation_pending=PROSECUTOR)
    assert states(two, digest) == ("SUSPENDED", "STOPPED")
    two.clock.pass_(5 * HOUR)
    suspended(kh, digest)
    suspended(kh, digest, 0)
    assert states(two, digest) == ("SUSPENDED", "STOPPED"), "what the asker holds, the asked agency does not start"
    assert codes(suspended(kh, digest, 0)) == {"REQUEST_NOT_SUSPENDED"}
    assert not codes(suspended(gb, digest, 0, "liaison"))
    found = both(two, digest)
    assert states(two, digest) == ("ACKNOWLEDGED", "RUNNING")
    assert found.due_at == found.started_at + 13 * HOUR
    assert codes(suspended(gb, digest, 0, "liaison")) == {"REQUEST_NOT_SUSPENDED"}


def test_the_asker_starts_the_clock_of_those_agencies_that_still_have_to_answer(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb, KH, KH_BORDER, authorisation_pending=PROSECUTOR)
    two.pump()
    turned_down(kh, digest)
    two.pump()
    assert [list(one.audience) for one in suspended(gb, digest, 0, "liaison").disclosures] == [[KH_BORDER]]
    two.pump()
    assert state(kh, digest, "border") == ("RECEIPTED", "RUNNING")
    assert state(kh, digest) == ("REFUSED", "MET")
    assert codes(suspended(gb, digest, 0, "liaison")) == {"REQUEST_NOT_SUSPENDED"}
    assert not codes(suspended(gb, digest, COURT, "liaison"))


def test_what_one_agency_was_told_starts_no_other_agencys_clock(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb, KH, KH_BORDER, authorisation_pending=PROSECUTOR)
    two.pump()
    said = acknowledgement_pb2.Acknowledgement(manifest_digest=digest, read_at=two.clock.now_ms(), desk=asking.DESK)
    assert not codes(gb.publish(drafted(READ, said, KH_BORDER, in_reply_to=digest)))
    two.pump()
    suspended_, receipted = desk_service_pb2.REQUEST_STATE_SUSPENDED, desk_service_pb2.REQUEST_STATE_RECEIPTED
    assert {one.asked: one.state for one in cases(gb, digest)} == {KH: suspended_, KH_BORDER: receipted}
    assert [case(kh, digest, name).state for name in ("police", "border")] == [suspended_, receipted]


def test_an_acknowledgement_does_not_start_a_clock_by_mistake(two: Federation) -> None:
    digest = asked(two["gb"])
    two.pump()
    suspended(two["kh"], digest)
    assert codes(acknowledged(two["kh"], digest)) == {"REQUEST_SUSPENDED"}


def test_a_suspension_that_no_clause_would_tell_is_refused(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        content = asking_agreement()
        for one in content.clauses:
            if one.alert_type == READ:
                one.permitted.remove(5)
        two.connect("gb", "kh", content)
        digest = asked(two["gb"])
        two.pump()
        assert codes(suspended(two["kh"], digest)) == {"SUSPENSION_NOT_AGREED"}
        assert not codes(acknowledged(two["kh"], digest))
        assert states(two, digest) == ("ACKNOWLEDGED", "RUNNING")


def test_a_suspension_counts_from_when_it_was_logged_if_it_says_that_it_was_read_long_before(two: Federation) -> None:
    kh = two["kh"]
    digest = asked(two["gb"])
    two.pump()
    start = two.clock.now_ms()
    two.clock.pass_(7 * HOUR)
    said = acknowledgement_pb2.Acknowledgement(manifest_digest=digest, read_at=start, desk=asking.DESK, authorisation_pending=COURT)
    kh.publish(drafted(READ, said, GB, in_reply_to=digest))
    two.clock.pass_(10 * HOUR)
    suspended(kh, digest, 0)
    assert both(two, digest).due_at == start + 18 * HOUR


# Attempts


def test_a_clock_starts_by_the_third_attempt_while_the_partner_is_away_and_both_ends_say_so(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    logged = two.clock.now_ms()
    for minutes in range(120):
        attempts.note_waiting(gb.ports)
        two.clock.pass_(60_000)
        assert (state(gb, digest) == ("SENT", "RUNNING")) is (minutes >= 20)
    found = case(gb, digest)
    assert (found.started_at, found.started_by_attempts) == (logged + 20 * 60_000, True)
    gb.restart()
    assert case(gb, digest) == found
    two.clock.pass_(DAY)
    assert state(gb, digest) == ("SENT", "OVERDUE")
    found = both(two, digest)
    assert (found.started_at, found.started_by_attempts) == (logged + 20 * 60_000, True)
    assert states(two, digest) == ("RECEIPTED", "OVERDUE")
    assert gb.fsck() == kh.fsck() == []


def test_a_stream_that_ends_without_a_receipt_is_an_attempt_and_one_that_breaks_often_is_one(two: Federation) -> None:
    gb = two["gb"]
    digest = asked(gb)
    for _ in range(3):
        for _ in range(3):
            assert Stream(gb, two["kh"]).send() is not None
            attempts.note_failed(gb.ports, two["kh"].domain)
        two.clock.pass_(attempts.APART)
    assert case(gb, digest).started_at == two.clock.now_ms() - attempts.APART


def test_attempts_are_noted_only_while_something_waits_and_three_times_at_most(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    asked(gb)
    two.pump()

    def noted() -> int:
        with gb.ports.store.read() as tx:
            return len(attempts.told_in_state(tx, gb.outbound(kh), 0))

    def wait(times: int) -> int:
        for _ in range(times):
            attempts.note_waiting(gb.ports)
            two.clock.pass_(attempts.APART)
        return noted()

    assert wait(2) == 0
    asked(gb)
    assert wait(9) == 3
    asked(gb)
    assert wait(1) == 4
    gb.ports.streams.set(kh.domain, "outbound", up=True)
    assert wait(3) == 4
    gb.ports.streams.set(kh.domain, "outbound", up=False)
    gb.ports.acquaintance.known = changed_suspension(gb)
    assert wait(3) == 4


def changed_suspension(office: Office) -> Any:

    known = office.ports.known
    return replace(known, partners={name: replace(partner, suspended=True) for name, partner in known.partners.items()})


def told(two: Federation, *attempts_: tuple[int, int]) -> desk_service_pb2.RequestCase:
    """A question as it stands abroad after a stream whose State told these attempts (time, size)."""
    digest = asked(two["gb"])
    stream = Stream(two["gb"], two["kh"])
    mirror = two["kh"].mirror(two["gb"])
    with two["kh"].ports.store.write() as tx:
        attempts.take_told(
            tx, mirror, changed(stream.state, attempts=[disclosure_pb2.DeliveryAttempt(at=at, size=size) for at, size in attempts_])
        )
    two.clock.pass_(HOUR)
    stream.run()
    return case(two["kh"], digest)


def test_what_a_sender_says_of_attempts_starts_no_clock_before_it_was_logged(two: Federation) -> None:
    now = two.clock.now_ms()
    found = told(two, *((now - DAY + n, 1) for n in range(3)))
    assert (found.started_at, found.started_by_attempts) == (now + HOUR, False)
    found = told(two, *((now + HOUR + n, 2) for n in range(3)))
    assert (found.started_at, found.started_by_attempts) == (now + HOUR + 2, True), "what it says of its own time counts"


def test_what_a_sender_says_of_attempts_is_kept_within_bounds(two: Federation) -> None:
    now = two.clock.now_ms()
    told(two, (7, 2**64 - 1), (8, 0), (-(2**63), 1), *((now + n, 1) for n in range(2 * attempts.IN_STATE)))
    assert kh_attempts(two) < attempts.IN_STATE


def kh_attempts(two: Federation) -> int:
    mirror = two["kh"].mirror(two["gb"])
    with two["kh"].ports.store.read() as tx:
        return len(attempts_above(tx, mirror.id, 0, 10_000))


def test_a_batch_that_never_left_is_told_again_with_its_attempts(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    asked(gb)
    for _ in range(3):
        attempts.note_failed(gb.ports, kh.domain)
        two.clock.pass_(attempts.APART)
    told, _ = deliver.answer_hello(gb.ports, gb.knows(kh), disclosure_pb2.Hello(time=two.clock.now_ms()))
    assert [one.size for one in told.attempts] == [1, 1, 1]
    two.pump()
    told, _ = deliver.answer_hello(gb.ports, gb.knows(kh), receive.hello(kh.ports, gb.domain))
    assert not told.attempts


# Acknowledgements, lists


def test_receipted_opened_and_acknowledged_are_three_things(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH, KH_BORDER)).manifest_digest
    two.pump()
    two.clock.pass_(HOUR)
    shown(kh, alert, "police")
    two.pump()
    assert not status(gb, alert).acknowledgements, "that somebody opened it is known there alone"
    two.clock.pass_(HOUR)
    decide_by = two.clock.now_ms() + HOUR
    said = acknowledged(kh, alert, action_decided_by=decide_by)
    assert not codes(said)
    two.pump()
    seen = status(gb, alert)
    (read,) = seen.acknowledgements
    now = two.clock.now_ms()
    assert (read.agency, read.read_at, read.acknowledged_at, read.action_decided_by) == (KH, now - HOUR, now, decide_by)
    names = {desk_service_pb2.DisclosureState.Name(one.state) for one in seen.disclosures}
    assert names == {"DISCLOSURE_STATE_RECEIPTED"}, "to read is not to report"
    assert {one.receipted_at for one in seen.disclosures} == {now - 2 * HOUR}
    assert not next(one for one in kh.received("police") if one.manifest_digest == alert).answered
    assert outbox.get_status(gb.ports, gb.person("auditor"), alert.hex()).acknowledgements == seen.acknowledgements


def test_what_nobody_of_the_agency_has_opened_is_not_acknowledged(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH, KH_BORDER)).manifest_digest
    two.pump()
    shown(kh, alert, "border")
    wanted = desk_service_pb2.AcknowledgeAlertRequest(request_id=request_id(), alert=alert.hex(), desk=DESK, reason="synthetic reason")
    assert codes(acknowledge.acknowledge(kh.ports, kh.person("police"), wanted, one(kh))) == {"NOT_OPENED"}


def test_what_cannot_be_acknowledged(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()
    assert codes(acknowledged(kh, alert, action_decided_by=two.clock.now_ms())) == {"DECIDE_BY_OVER"}
    read = acknowledged(kh, alert).manifest_digest
    two.pump()
    assert codes(acknowledged(gb, read)) == {"ACKNOWLEDGED_ITSELF"}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        acknowledged(kh, alert, "border")


def test_the_agency_asked_sees_when_it_opened_a_question(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    two.pump()
    assert cases(kh, digest)[0].opened_at == 0
    two.clock.pass_(HOUR)
    shown(kh, digest, "police")
    assert (cases(kh, digest)[0].opened_at, cases(gb, digest)[0].opened_at) == (two.clock.now_ms(), 0)


def listed(office: Office, *, everything: bool = False) -> list[bytes]:
    found = requests.list_requests(office.ports, office.person("police"), desk_service_pb2.ListRequestsRequest(all=everything))
    return [one.manifest_digest for one in found.requests]


def test_a_list_shows_what_is_open_what_is_due_first_first(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    week = asked(gb, urgency=NORMAL)
    hours, stopped, settled = asked(gb), asked(gb, authorisation_pending=COURT), asked(gb)
    back = asked(kh, GB)
    two.pump()
    answered(kh, settled)
    two.pump()
    for office in (gb, kh):
        assert set(listed(office)) == {week, hours, stopped, back}
        assert listed(office)[2:] == [week, stopped]
        assert listed(office, everything=True)[-1] == settled
    assert [code for _, who, _, code in kh.journal() if who == kh.person("police")][-1] == "REQUESTS"


def waiting(office: Office, name: int = POLICE) -> list[OpenRequest]:
    with office.ports.store.read() as tx:
        return open_requests(office.ports, tx, agency(office.country, name), office.clock.now_ms())


def test_what_needs_a_person_waits_for_an_answer_or_is_overdue(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    week, hours = asked(gb, urgency=NORMAL), asked(gb)
    two.pump()
    assert [(one.digest, one.own, one.counterparty) for one in waiting(kh)] == [(hours, False, GB), (week, False, GB)]
    assert waiting(gb) == waiting(kh, BORDER) == []
    two.clock.pass_(9 * HOUR)
    (late,) = waiting(gb)
    assert (late.digest, late.own, late.counterparty, late.urgent) == (hours, True, KH, True)
    assert late.clock is not None
    assert (late.clock.state, late.due_at) == (ClockState.OVERDUE, two.clock.now_ms() - HOUR)
    suspended(kh, week)
    turned_down(kh, hours)
    two.pump()
    assert waiting(gb) == []
    assert [(one.digest, one.due_at) for one in waiting(kh)] == [(week, 0)]
    two.clock.pass_(20 * DAY)
    assert waiting(kh) == []


def test_a_refusal_of_an_ordinary_alert_asks_for_no_request(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()
    refusal = control_pb2.Refusal(manifest_digest=alert, reason=control_pb2.REFUSAL_REASON_NOT_NECESSARY)
    wanted = desk_service_pb2.Draft(request_id=request_id(), alert_type="exchange.v1.Refusal", alert=encode(refusal), in_reply_to=alert)
    assert not codes(kh.publish(wanted, "police"))
    assert replaced(gb, alert).replacement.manifest_digest
