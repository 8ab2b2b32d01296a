"""The pieces of a comparison: how the longest equal beginning is found, and how grave a difference is."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.reconcile import MEANING, RECEIPT_DUE_MS, Code, Difference, Grade, equal_prefix, grade


@given(size=st.integers(0, 100_000), data=st.data())
def test_the_longest_equal_beginning_is_found_by_few_questions(size: int, data: st.DataObject) -> None:
    longest = data.draw(st.integers(0, size))
    asked: list[int] = []

    def equal(wanted: int) -> bool:
        asked.append(wanted)
        return wanted <= longest

    assert equal_prefix(size, equal) == longest
    assert len(asked) <= size.bit_length() + 1
    assert 0 not in asked


def test_what_may_be_in_transit_is_an_observation_until_it_is_overdue() -> None:
    for code in Code:
        late, early = (grade(Difference(code=code, index=0), 1000, 1000 + RECEIPT_DUE_MS + more) for more in (1, 0))
        if code in {Code.NOT_RECEIVED, Code.RECEIPT_MISSING}:
            assert (late, early) == (Grade.PRIORITY, Grade.OBSERVATION)
        else:
            assert (late, early) == (Grade.CRITICAL, Grade.CRITICAL)
    assert grade(Difference(code=Code.RECEIPT_MISSING, index=0, received_at=5000), 1, 5000) is Grade.OBSERVATION


def test_every_difference_has_a_sentence() -> None:
    assert set(MEANING) == set(Code)
