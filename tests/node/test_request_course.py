"""The course of a question by itself: closed states, one order, and nothing against the rules that changes anything."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.clocks import HOUR, ClockState
from node.request_course import BACK_DATING, SETTLED, Breach, Course, Deed, Happening, RequestState, Side, advance, begin, run

START = 1_800_000_000_000
ASKER, ASKED, STRANGER = Side.ASKER, Side.ASKED, Side.STRANGER
CLOSES = {
    Deed.ANSWERED: (RequestState.ANSWERED, Breach.ANSWERED),
    Deed.REFUSED: (RequestState.REFUSED, Breach.REFUSED),
    Deed.WITHDRAWN: (RequestState.WITHDRAWN, Breach.WITHDRAWN),
    Deed.REPLACED: (RequestState.REPLACED, Breach.REPLACED),
}


def one(deed: Deed, side: Side, hour: float = 1, *, reason: str = "", place: int = 0, read: float | None = None) -> Happening:
    at = START + int(hour * HOUR)
    read_at = at if read is None else START + int(read * HOUR)
    return Happening(deed=deed, side=side, party=side.value, at=at, place=place, reason=reason, read_at=read_at)


def course_of(*happenings: Happening, pending: str = "", delivered: bool = True) -> tuple[Course, list[Breach | None]]:
    course, judged = run(begin(delivered=delivered, pending=pending), happenings)
    return course, [item.breach for item in judged]


def due(course: Course, hour: float = 0) -> float | None:
    clock = course.clock(started_at=START, term=8 * HOUR, now=START + int(hour * HOUR))
    return None if clock is None or clock.due_at is None else (clock.due_at - START) / HOUR


happening = st.builds(
    one, st.sampled_from(Deed), st.sampled_from(Side), st.integers(0, 30), place=st.integers(0, 50), reason=st.sampled_from(["", "A", "B"])
)
happenings = st.lists(happening, max_size=12, unique_by=lambda item: (item.side, item.place))


@given(happenings, st.sampled_from(["", "A"]), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_arrive_does_not_matter(said: list[Happening], pending: str, delivered: bool, random: object) -> None:  # noqa: FBT001  hypothesis gives it
    mixed = list(said)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # a random.Random
    assert run(begin(delivered=delivered, pending=pending), said) == run(begin(delivered=delivered, pending=pending), mixed)


@given(happenings)
def test_what_breaks_a_rule_is_as_if_it_had_never_been_said(said: list[Happening]) -> None:
    course, judged = run(begin(), said)
    assert run(begin(), [item.happening for item in judged if item.breach is None])[0] == course
    assert len(judged) == len(said)


@given(happenings)
def test_a_settled_question_changes_only_by_a_withdrawal_of_its_asker(said: list[Happening]) -> None:
    course = begin()
    for item in said:
        after = advance(course, item)
        if isinstance(after, Breach):
            continue
        if course.settled and after != course:
            assert (item.deed, item.side) == (Deed.WITHDRAWN, ASKER)
            assert after.settled_at == course.settled_at
        course = after
    assert course.settled is (course.state in SETTLED)


@given(happenings)
def test_only_the_agency_asked_settles_by_a_reply_and_only_the_asker_takes_back(said: list[Happening]) -> None:
    _, judged = run(begin(), said)
    for item in judged:
        wrong = item.happening.deed in {Deed.ANSWERED, Deed.REFUSED} and item.happening.side is not ASKED
        wrong |= item.happening.deed in {Deed.WITHDRAWN, Deed.REPLACED} and item.happening.side is not ASKER
        wrong |= item.happening.side is STRANGER and item.happening.deed is not Deed.RECEIPTED
        if wrong:
            assert item.breach is not None


@given(happenings, st.integers(0, 60))
def test_a_clock_stands_still_exactly_while_a_side_holds_it(said: list[Happening], later: int) -> None:
    course, _ = run(begin(), said)
    now = max([START, *(item.at for item in said)]) + later * HOUR
    clock = course.clock(started_at=START, term=10_000 * HOUR, now=now)
    if course.reached in {RequestState.WITHDRAWN, RequestState.REPLACED}:
        assert clock is None
        return
    assert clock is not None
    expected = ClockState.MET if course.settled else ClockState.STOPPED if course.pending else ClockState.RUNNING
    assert clock.state is expected


@pytest.mark.parametrize("first", CLOSES)
@pytest.mark.parametrize("second", [Deed.ANSWERED, Deed.REFUSED, Deed.SUSPENDED])
def test_each_end_has_its_own_code_for_what_comes_after_it(first: Deed, second: Deed) -> None:
    side = ASKED if first in {Deed.ANSWERED, Deed.REFUSED} else ASKER
    course, breach = course_of(one(first, side), one(second, ASKED, 2))
    assert (course.state, breach) == (CLOSES[first][0], [None, CLOSES[first][1]])


def test_the_states_before_an_end() -> None:
    assert course_of()[0].state is RequestState.SENT
    assert course_of(delivered=False)[0].state is RequestState.NOT_DELIVERED
    assert course_of(one(Deed.RECEIPTED, ASKED))[0].state is RequestState.RECEIPTED
    assert course_of(pending="A")[0].state is RequestState.SENT, "before it has arrived there is nothing to hold"
    assert course_of(one(Deed.RECEIPTED, ASKED), pending="A")[0].state is RequestState.SUSPENDED
    assert course_of(one(Deed.ACKNOWLEDGED, ASKED))[0].state is RequestState.ACKNOWLEDGED, "it was read, though no receipt came"
    late = (one(Deed.ACKNOWLEDGED, ASKED), one(Deed.RECEIPTED, ASKED, 2))
    assert course_of(*late)[0].state is RequestState.ACKNOWLEDGED
    assert course_of(one(Deed.SUSPENDED, ASKED))[0].state is RequestState.SUSPENDED


def test_a_clock_stands_still_from_when_it_was_stopped_until_it_was_started() -> None:
    stop, start = one(Deed.SUSPENDED, ASKED, 2, reason="A"), one(Deed.ACKNOWLEDGED, ASKED, 5, place=1)
    course, _ = course_of(stop)
    assert due(course, 3) is None
    assert course.clock(started_at=START, term=8 * HOUR, now=START + 3 * HOUR).reason == "A"  # type: ignore[union-attr]
    assert due(course_of(stop, start)[0], 6) == 11


def test_two_sides_hold_a_clock_each_for_itself_and_what_overlaps_counts_once() -> None:
    said = [
        one(Deed.SUSPENDED, ASKED, 2),
        one(Deed.SUSPENDED, ASKER, 3, place=1),
        one(Deed.ACKNOWLEDGED, ASKED, 4, place=2),
        one(Deed.ACKNOWLEDGED, ASKER, 6, place=3),
    ]
    course, _ = course_of(*said[:3])
    assert set(course.pending) == {ASKER}
    assert due(course_of(*said)[0], 7) == 12


def test_a_second_suspension_says_another_reason_and_does_not_begin_anew() -> None:
    said: Sequence[Happening] = (
        one(Deed.SUSPENDED, ASKED, 2, reason="A"),
        one(Deed.SUSPENDED, ASKED, 4, place=1, reason="B"),
        one(Deed.ACKNOWLEDGED, ASKED, 5, place=2),
    )
    assert course_of(*said[:2])[0].pending[ASKED].reason == "B"
    assert due(course_of(*said)[0], 6) == 11


def test_what_was_stopped_from_the_start_runs_once_the_asker_says_so() -> None:
    course, _ = course_of(one(Deed.ACKNOWLEDGED, ASKER, 5), pending="A")
    assert due(course, 6) == 13
    assert course_of(one(Deed.ACKNOWLEDGED, ASKER, 5))[1] == [Breach.NOT_SUSPENDED]


def test_an_acknowledgement_after_the_end_changes_nothing() -> None:
    settled, _ = course_of(one(Deed.ANSWERED, ASKED))
    course, breach = course_of(one(Deed.ANSWERED, ASKED), one(Deed.ACKNOWLEDGED, ASKED, 2, place=1))
    assert (course, breach) == (settled, [None, None])


@pytest.mark.parametrize(("read", "counts"), [(2, 2), (2 - 1 / 60, 2 - 1 / 60), (1, 2), (3, 2), (0, 2)])
def test_nothing_counts_from_long_before_it_was_logged_nor_from_after(read: float, counts: float) -> None:
    said = one(Deed.SUSPENDED, ASKED, 2, read=read)
    assert said.counts_from == START + int(counts * HOUR)
    assert said.at - said.counts_from <= BACK_DATING


def test_of_one_moment_the_asker_counts_first_then_what_was_logged_first() -> None:
    answer, withdrawal = one(Deed.ANSWERED, ASKED), one(Deed.WITHDRAWN, ASKER, place=9)
    assert course_of(answer, withdrawal)[1] == [None, Breach.WITHDRAWN]
    stop, start = one(Deed.SUSPENDED, ASKED, place=1), one(Deed.ACKNOWLEDGED, ASKED, place=2)
    assert not course_of(start, stop)[0].pending


def test_a_reply_that_names_something_else_counts_for_nothing() -> None:
    wrong = Happening(deed=Deed.ANSWERED, side=ASKED, party="x", at=START, names_it=False)
    assert course_of(wrong) == (begin(), [Breach.OTHER])


def test_a_clock_that_has_not_started_or_matters_no_more_is_none() -> None:
    assert begin().clock(started_at=None, term=1, now=START) is None
    for ended in (one(Deed.WITHDRAWN, ASKER), one(Deed.REPLACED, ASKER)):
        assert due(course_of(ended)[0]) is None
    assert due(begin(delivered=False)) is None
    assert begin().clock(started_at=START, term=HOUR, now=START - 5).state is ClockState.RUNNING  # type: ignore[union-attr]
