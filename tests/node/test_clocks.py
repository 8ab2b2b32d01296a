from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.v1.information_pb2 import ACCESS_KIND_DIRECT, ACCESS_KIND_INDIRECT, URGENCY_NORMAL, URGENCY_URGENT, InformationRequest
from node.clocks import DAY, HOUR, Clock, ClockState, Pause, run_clock, start_of, term_of

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
