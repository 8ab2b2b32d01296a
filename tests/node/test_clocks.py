from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.v1.information_pb2 import ACCESS_KIND_DIRECT, ACCESS_KIND_INDIRECT, URGENCY_NORMAL, URGENCY_URGENT, InformationRequest
from exchange.v1.travel_alert_pb2 import TravelAlert
from exchange.v1.travel_pb2 import Leg, LocalTime
from node.clocks import DAY, HOUR, Clock, ClockState, Moment, Pause, run_clock, start_of, term_of, travel_clocks

START = 1_800_000_000_000


@pytest.mark.parametrize(
    ("urgency", "access", "term"),
    [
        (URGENCY_URGENT, ACCESS_KIND_DIRECT, 8 * HOUR),
        (URGENCY_URGENT, ACCESS_KIND_INDIRECT, 3 * DAY),
        (URGENCY_URGENT, None, 3 * DAY),
        (URGENCY_NORMAL, ACCESS_KIND_DIRECT, 7 * DAY),
        (None, None, 7 * DAY),
    ],
)
def test_the_terms_are_those_of_the_directive(urgency: int | None, access: int | None, term: int) -> None:
    request = InformationRequest(urgency=urgency, access=access)  # type: ignore[arg-type]  # None leaves the field out
    assert term_of(request) == term
    assert term_of(request, agreed_hours=4) == 4 * HOUR
    assert term_of(request, agreed_hours=1000) == term


def test_the_clock_starts_at_the_receipt_or_at_the_third_attempt_whichever_comes_first() -> None:
    assert start_of(None, []) is None
    assert start_of(None, [1, 2]) is None
    assert start_of(None, [5, 1, 3]) == 5
    assert start_of(4, [5, 1, 3]) == 4
    assert start_of(9, [5, 1, 3, 7]) == 5
    assert start_of(9, [5, 1]) == 9


def clock(now: int, *pauses: Pause, met_at: int | None = None) -> Clock:
    met = None if met_at is None else START + met_at
    return run_clock(started_at=START, term=10 * HOUR, pauses=pauses, met_at=met, now=START + now)


def pause(since: int, until: int | None) -> Pause:
    return Pause(since=START + since, until=None if until is None else START + until, reason="COURT_ORDER_NEEDED")


def test_a_clock_runs_out_at_its_term_and_not_before() -> None:
    assert clock(10 * HOUR - 1).state is ClockState.RUNNING
    assert clock(10 * HOUR).state is ClockState.OVERDUE
    assert clock(0).due_at == START + 10 * HOUR


def test_an_answer_in_time_and_one_that_is_late() -> None:
    assert clock(99 * HOUR, met_at=10 * HOUR).state is ClockState.MET
    assert clock(99 * HOUR, met_at=10 * HOUR + 1).state is ClockState.MET_LATE


def test_a_judicial_authorisation_stops_it_with_its_reason_and_nobody_knows_until_when() -> None:
    stopped = clock(50 * HOUR, pause(2 * HOUR, None))
    assert (stopped.state, stopped.due_at, stopped.reason) == (ClockState.STOPPED, None, "COURT_ORDER_NEEDED")
    again = clock(50 * HOUR, pause(2 * HOUR, 49 * HOUR))
    assert (again.state, again.due_at) == (ClockState.RUNNING, START + 57 * HOUR)


def test_a_pause_after_the_term_does_not_mend_it() -> None:
    assert clock(12 * HOUR, pause(11 * HOUR, 12 * HOUR)).state is ClockState.OVERDUE
    assert clock(12 * HOUR, met_at=10 * HOUR + 1).state is ClockState.MET_LATE


def test_a_pause_that_began_after_the_term_leaves_it_overdue() -> None:
    late = clock(20 * HOUR, pause(11 * HOUR, None))
    assert (late.state, late.due_at) == (ClockState.OVERDUE, START + 10 * HOUR)


def test_pauses_that_overlap_count_once_and_before_the_start_not_at_all() -> None:
    assert clock(5 * HOUR, pause(HOUR, 3 * HOUR), pause(2 * HOUR, 4 * HOUR)).due_at == START + 13 * HOUR
    assert clock(5 * HOUR, pause(-9 * HOUR, 0)).due_at == START + 10 * HOUR


@given(st.lists(st.integers(0, 30 * HOUR), max_size=8), st.integers(0, 40 * HOUR))
def test_the_time_that_ran_is_never_more_than_the_term_while_it_is_not_overdue(edges: list[int], now: int) -> None:
    marks = sorted(set(edges))
    pauses = [pause(a, b) for a, b in list(pairwise(marks))[::2]]
    # Reckoned minute by minute would be slow: reckon over the edges instead.
    points = sorted({0, now, *(mark for mark in marks if mark <= now)})
    ran = sum(b - a for a, b in pairwise(points) if not any(p.since - START <= a < (p.until or 0) - START for p in pauses))
    state = clock(now, *pauses).state
    assert (state is ClockState.OVERDUE) == (ran >= 10 * HOUR)


# Journeys


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def leg(departure: str = "", arrival: str = "", *, start: str = "LHR", end: str = "BKK", zones: tuple[str, str] = ("", "")) -> Leg:
    made = Leg(departure_port={"code": start}, arrival_port={"code": end})
    if departure:
        made.departure.CopyFrom(LocalTime(local=departure, zone=zones[0] or "Europe/London"))
    if arrival:
        made.arrival.CopyFrom(LocalTime(local=arrival, zone=zones[1] or "Asia/Bangkok"))
    return made


def journey(*legs: Leg) -> TravelAlert:
    return TravelAlert(itinerary=legs)


OUT = leg("2026-05-29T21:40", "2026-05-30T15:05")
ON = leg("2026-05-30T17:50", "2026-05-30T19:20", start="BKK", end="KTI", zones=("Asia/Bangkok", "Asia/Phnom_Penh"))


def clocks_at(alert: TravelAlert, now: str) -> list[tuple[str, str, str, str]]:
    return [(one.moment.value, one.port, one.local, one.zone) for one in travel_clocks(alert, ms(now))]


def test_the_next_leg_counts_in_the_ports_own_zones() -> None:
    alert = journey(OUT, ON)
    departure = ("departure", "LHR", "2026-05-29T21:40", "Europe/London")
    landing = ("arrival", "BKK", "2026-05-30T15:05", "Asia/Bangkok")
    assert clocks_at(alert, "2026-05-29T20:00Z") == [departure, landing]
    first, second = travel_clocks(alert, ms("2026-05-29T20:00Z"))
    assert (first.at, second.at) == (ms("2026-05-29T20:40Z"), ms("2026-05-30T08:05Z"))
    assert (first.until, second.until) == (first.at, second.at)
    assert clocks_at(alert, "2026-05-29T20:41Z") == [landing]
    assert clocks_at(alert, "2026-05-30T08:06Z") == [
        ("departure", "BKK", "2026-05-30T17:50", "Asia/Bangkok"),
        ("arrival", "KTI", "2026-05-30T19:20", "Asia/Phnom_Penh"),
    ]
    assert clocks_at(alert, "2026-05-30T13:00Z") == []


def test_legs_out_of_order_and_legs_without_times() -> None:
    assert clocks_at(journey(ON, leg(), OUT), "2026-05-29T20:41Z") == [("arrival", "BKK", "2026-05-30T15:05", "Asia/Bangkok")]
    assert travel_clocks(TravelAlert(), 0) == ()


def test_a_time_in_another_zone_is_shown_on_the_ports_clocks() -> None:
    alert = journey(leg(arrival="2026-05-30T08:05", zones=("", "UTC")))
    (landing,) = travel_clocks(alert, 0)
    assert (landing.at, landing.local, landing.zone) == (ms("2026-05-30T08:05Z"), "2026-05-30T15:05", "Asia/Bangkok")
    unknown = journey(leg(arrival="2026-05-30T08:05", end="KHKOS", zones=("", "Asia/Phnom_Penh")))
    (landing,) = travel_clocks(unknown, 0)
    assert (landing.port, landing.local, landing.zone) == ("KHKOS", "2026-05-30T08:05", "Asia/Phnom_Penh")
    for code in ("", "?"):
        (landing,) = travel_clocks(journey(leg(arrival="2026-05-30T08:05", end=code)), 0)
        assert (landing.port, landing.zone) == (code, "Asia/Bangkok")


def test_of_a_day_alone_the_whole_day_counts_where_the_port_is() -> None:
    (landing,) = travel_clocks(journey(leg(arrival="2026-05-30")), 0)
    assert (landing.at, landing.until) == (ms("2026-05-29T17:00Z"), ms("2026-05-30T17:00Z"))
    assert (landing.local, landing.zone) == ("2026-05-30", "Asia/Bangkok")
    assert clocks_at(journey(leg(arrival="2026-05-30")), "2026-05-30T16:59Z")
    assert not clocks_at(journey(leg(arrival="2026-05-30")), "2026-05-30T17:01Z")
    (short,) = travel_clocks(journey(leg("2026-03-29")), 0)
    assert short.until - short.at == 23 * HOUR, "the day on which the clocks go forward"


def test_a_time_that_clocks_show_twice_may_be_either_and_one_that_they_skip_is_not_lost() -> None:
    (twice,) = travel_clocks(journey(leg("2026-10-25T01:30")), 0)
    assert (twice.at, twice.until) == (ms("2026-10-25T00:30Z"), ms("2026-10-25T01:30Z"))
    assert not twice.over
    (skipped,) = travel_clocks(journey(leg("2026-03-29T01:30")), 0)
    assert (skipped.at, skipped.until) == (ms("2026-03-29T00:30Z"), ms("2026-03-29T01:30Z"))


def test_times_that_cannot_be_read_have_no_clock() -> None:
    for local, zone in (("2026-13-01T10:00", ""), ("2026-05-30T08:05", "Europe/Nowhere"), ("soon", "")):
        assert travel_clocks(journey(leg(local, zones=(zone, ""))), 0) == ()


def test_deadlines_stay_until_somebody_meets_them() -> None:
    alert = journey(OUT)
    alert.deadlines.acknowledge_by, alert.deadlines.feed_back_by = ms("2026-05-29T20:30Z"), ms("2026-05-31T00:00Z")
    found = travel_clocks(alert, ms("2026-05-29T20:31Z"))
    assert [(one.moment, one.over) for one in found] == [
        (Moment.ACKNOWLEDGE_BY, True),
        (Moment.DEPARTURE, False),
        (Moment.ARRIVAL, False),
        (Moment.FEED_BACK_BY, False),
    ]
    alert.deadlines.acknowledge_by = 0
    assert Moment.ACKNOWLEDGE_BY not in {one.moment for one in travel_clocks(alert, 0)}
