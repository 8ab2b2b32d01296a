"""How long an alert is kept: the shortest wins, reviews come before the limit, and a hold puts off erasure only."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.retention import DAY_MS, LONGEST_DAYS, Due, NationalRule, Term, due, erase_by, term
from tests.countries import NOW

DAYS = st.integers(1, LONGEST_DAYS)


def test_the_shortest_wins() -> None:
    assert erase_by(NOW, [180, 365], 1825) == NOW + 180 * DAY_MS
    assert erase_by(NOW, [180, 365], 30) == NOW + 30 * DAY_MS


def test_what_states_nothing_does_not_shorten_and_there_is_always_a_limit() -> None:
    assert erase_by(NOW, [0, 90, 0], 1825) == NOW + 90 * DAY_MS
    assert erase_by(NOW, [0], 1825) == erase_by(NOW, [], 1825) == NOW + 1825 * DAY_MS


@given(st.lists(DAYS | st.just(0)), DAYS)
def test_no_limit_is_ever_passed(stated: list[int], national: int) -> None:
    limit = erase_by(NOW, stated, national)
    assert NOW < limit <= NOW + national * DAY_MS
    assert all(limit <= NOW + days * DAY_MS for days in stated if days)


def test_a_national_rule_has_a_limit_for_each_type() -> None:
    rule = NationalRule(default_days=100, by_type={"exchange.v1.Tip": 7})
    assert (rule.days("exchange.v1.Tip"), rule.days("exchange.v1.TravelAlert")) == (7, 100)
    assert NationalRule().days("exchange.v1.Tip") == 1825


def test_reviews_come_every_year_until_the_limit() -> None:
    limit = NOW + 800 * DAY_MS
    first = term(NOW, limit, 365)
    assert first == Term(erase_by=limit, review_by=NOW + 365 * DAY_MS)
    assert first.next_at == first.review_by
    second = term(NOW, limit, 365, reviewed_at=first.review_by + DAY_MS)
    assert second.review_by == NOW + 731 * DAY_MS
    last = term(NOW, limit, 365, reviewed_at=second.review_by)
    assert (last.review_by, last.next_at) == (0, limit)


def test_what_goes_within_the_year_is_not_reviewed() -> None:
    assert term(NOW, NOW + 365 * DAY_MS, 365).review_by == 0


def test_what_is_due() -> None:
    kept = term(NOW, NOW + 10 * DAY_MS, 4)
    review, limit = kept.review_by, kept.erase_by
    assert [due(kept, at, held=False) for at in (NOW, review - 1, review, limit - 1, limit)] == [
        Due.NOTHING,
        Due.NOTHING,
        Due.REVIEW,
        Due.REVIEW,
        Due.ERASE,
    ]


def test_a_hold_puts_off_erasure_and_nothing_else() -> None:
    kept = term(NOW, NOW + 10 * DAY_MS, 4)
    assert due(kept, kept.review_by, held=True) is Due.REVIEW
    assert due(kept, kept.erase_by, held=True) is Due.HELD
    assert due(kept, kept.erase_by + 1000 * DAY_MS, held=True) is Due.HELD
