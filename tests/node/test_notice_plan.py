"""When an office is reminded, when that is escalated, and how long a failed delivery waits: times alone."""

import pytest

from node.notify.plan import AT_TERM, DAY, MINUTE, REMINDER, NoticePlan, Term, escalates_at, retry_after, round_at

HOUR = 60 * MINUTE
NOW = 1_800_000_000_000
PLAN = NoticePlan(remind_before=HOUR, escalate_after=2 * HOUR)


def rounds(term: Term, *moments: int) -> list[int | None]:
    return [round_at(PLAN, term, NOW + moment) for moment in moments]


def test_what_has_a_term_is_told_before_at_and_after_it() -> None:
    term = Term(raised_at=NOW - DAY, due_at=NOW)
    assert rounds(term, -HOUR - 1, -HOUR, -1) == [None, REMINDER, REMINDER]
    assert rounds(term, 0, 2 * HOUR - 1) == [AT_TERM, AT_TERM]
    assert rounds(term, 2 * HOUR, 30 * DAY) == [1, 1]
    assert escalates_at(PLAN, term) == NOW + 2 * HOUR


def test_what_has_none_is_told_at_once_and_escalated_from_when_it_was_raised() -> None:
    assert rounds(Term(raised_at=NOW), 0, 2 * HOUR - 1, 2 * HOUR) == [AT_TERM, AT_TERM, 1]


def test_a_thing_may_have_times_of_its_own() -> None:
    term = Term(raised_at=NOW - DAY, due_at=NOW, remind_at=NOW - 7 * HOUR, escalate_at=NOW + 5 * HOUR)
    assert rounds(term, -7 * HOUR - 1, -7 * HOUR, 0, 5 * HOUR - 1, 5 * HOUR) == [None, REMINDER, AT_TERM, AT_TERM, 1]
    assert escalates_at(PLAN, Term(raised_at=NOW, due_at=NOW, escalate_at=NOW - HOUR)) == NOW  # never before its term


def test_what_must_not_rest_is_escalated_again_each_day_and_no_oftener() -> None:
    term = Term(raised_at=NOW - DAY, due_at=NOW, insistent=True)
    first = 2 * HOUR
    assert rounds(term, first, first + DAY - 1, first + DAY, first + 9 * DAY) == [1, 1, 2, 10]
    slow = NoticePlan(remind_before=HOUR, escalate_after=3 * DAY)
    assert [round_at(slow, term, NOW + days * DAY) for days in (3, 5, 6, 9)] == [1, 1, 2, 3]


@pytest.mark.parametrize(("attempts", "longest"), [(0, 30_000), (1, 60_000), (2, 120_000), (7, HOUR), (500, HOUR)])
def test_a_failed_delivery_waits_longer_each_time_up_to_an_hour_and_never_quite_the_same(attempts: int, longest: int) -> None:
    assert retry_after(attempts, 0.0) == longest
    assert retry_after(attempts, 1.0) == longest // 2
    assert longest // 2 < retry_after(attempts, 0.5) < longest
