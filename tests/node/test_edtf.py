from datetime import date

import pytest
from edtf import parse_edtf
from edtf.parser.edtf_exceptions import EDTFParseException
from hypothesis import given, settings
from hypothesis import strategies as st

from node.intake.edtf import EDTF_PATTERN, EdtfInvalid, PartialDate, read_edtf


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "month", "day"),
    [
        ("1961", date(1961, 1, 1), date(1961, 12, 31), None, None),
        ("1961-04", date(1961, 4, 1), date(1961, 4, 30), 4, None),
        ("1961-04-12", date(1961, 4, 12), date(1961, 4, 12), 4, 12),
        ("196X", date(1960, 1, 1), date(1969, 12, 31), None, None),
        ("19XX", date(1900, 1, 1), date(1999, 12, 31), None, None),
        ("1961-XX", date(1961, 1, 1), date(1961, 12, 31), None, None),
        ("1961-XX-XX", date(1961, 1, 1), date(1961, 12, 31), None, None),
        ("1964-02-XX", date(1964, 2, 1), date(1964, 2, 29), 2, None),
        ("2000-02-29", date(2000, 2, 29), date(2000, 2, 29), 2, 29),
        ("9999-12-31", date(9999, 12, 31), date(9999, 12, 31), 12, 31),
    ],
)
def test_reads_what_is_known_and_bounds_what_is_not(text: str, earliest: date, latest: date, month: int | None, day: int | None) -> None:
    read = read_edtf(text)
    assert (read.text, read.earliest(), read.latest(), read.month, read.day) == (text, earliest, latest, month, day)


@pytest.mark.parametrize(
    ("text", "uncertain", "approximate"),
    [("1961-04", False, False), ("1961-04?", True, False), ("1961~", False, True), ("196X%", True, True)],
)
def test_qualifiers(text: str, uncertain: bool, approximate: bool) -> None:  # noqa: FBT001 -- two columns of a table
    read = read_edtf(text)
    assert (read.uncertain, read.approximate) == (uncertain, approximate)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "EDTF_SYNTAX"),
        ("about 1961", "EDTF_SPACE"),
        ("1961 ", "EDTF_SPACE"),
        ("1961\n", "EDTF_SPACE"),
        ("12/04/1961", "EDTF_ORDER"),
        ("12.04.1961", "EDTF_ORDER"),
        ("31/02/1970", "EDTF_NO_SUCH_DAY"),
        ("13/13/1970", "EDTF_NO_SUCH_DAY"),
        ("1961/1963", "EDTF_INTERVAL"),
        ("1961..", "EDTF_INTERVAL"),
        ("Y19610", "EDTF_YEAR"),
        ("-1961", "EDTF_YEAR"),
        ("[1961,1962]", "EDTF_SET"),
        ("1961-04-12T10:00", "EDTF_TIME"),
        ("1961-21", "EDTF_SEASON"),
        ("1961-34~", "EDTF_SEASON"),
        ("196x", "EDTF_UNKNOWN_DIGIT"),
        ("196u", "EDTF_UNKNOWN_DIGIT"),
        ("1961?-04", "EDTF_QUALIFIER"),
        ("1961?~", "EDTF_QUALIFIER"),
        ("1961-XX-12", "EDTF_LEVEL_2"),
        ("196X-04", "EDTF_LEVEL_2"),
        ("196X-XX-12", "EDTF_LEVEL_2"),
        ("19XX-XX", "EDTF_LEVEL_2"),
        ("1X61", "EDTF_LEVEL_2"),
        ("1961-13", "EDTF_RANGE"),
        ("1961-00", "EDTF_RANGE"),
        ("1961-04-32", "EDTF_RANGE"),
        ("1961-4-12", "EDTF_RANGE"),
        ("0961", "EDTF_RANGE"),
        ("XXXX", "EDTF_RANGE"),
        ("1961-02-30", "EDTF_NO_SUCH_DAY"),
        ("1900-02-29", "EDTF_NO_SUCH_DAY"),
        ("19610412", "EDTF_SYNTAX"),
        ("61-04-12", "EDTF_SYNTAX"),
        ("١٩٦١", "EDTF_SYNTAX"),
        ("2504-04-12 BE", "EDTF_SPACE"),
    ],
)
def test_refuses_the_rest_and_says_which_mistake_it_is(text: str, code: str) -> None:
    with pytest.raises(EdtfInvalid) as caught:
        read_edtf(text)
    assert caught.value.code == code


def test_neither_a_refusal_nor_a_repr_repeats_the_date() -> None:
    with pytest.raises(EdtfInvalid) as caught:
        read_edtf("1957-02-30")
    assert "1957" not in str(caught.value)
    assert "1957" not in repr(read_edtf("1957"))


def test_the_pattern_keeps_to_what_re2_knows() -> None:
    assert EDTF_PATTERN.startswith("^")
    assert EDTF_PATTERN.endswith("$")
    assert "(?" not in EDTF_PATTERN.replace("[?", "")
    assert "\\" not in EDTF_PATTERN


years = st.integers(1000, 9999).map(str)
numbers = st.integers(0, 45).map("{:02d}".format) | st.just("XX")
dates = st.one_of(
    years.flatmap(lambda year: st.sampled_from([year, year[:3] + "X", year[:2] + "XX"])),
    st.tuples(years, numbers).map("-".join),
    st.tuples(years, numbers, numbers).map("-".join),
    st.dates(min_value=date(1000, 1, 1)).map(str),
)
near_subset = st.tuples(dates, st.sampled_from(["", "?", "~", "%"])).map("".join)
noise = st.text("0123456789X-?~%/Y.", max_size=12)


def _ours(text: str) -> PartialDate | None:
    try:
        return read_edtf(text)
    except EdtfInvalid:
        return None


def _oracle(text: str) -> tuple[str, date, date] | None:
    try:
        parsed = parse_edtf(text)
    except EDTFParseException:
        return None
    try:
        return type(parsed).__name__, date(*parsed.lower_strict()[:3]), date(*parsed.upper_strict()[:3])
    except ValueError:  # the library lets 29 February 1900 through, which no calendar has
        return None


@pytest.mark.slow  # the reference library takes 7 ms a date
@settings(max_examples=300, deadline=None)
@given(near_subset)
def test_agrees_with_the_reference_library_on_what_looks_like_the_subset(text: str) -> None:
    ours, theirs = _ours(text), _oracle(text)
    if theirs is None or theirs[0] in {"Season", "Level2Season", "PartialUnspecified"}:  # no date; outside the subset
        assert ours is None
    else:
        assert ours is not None
        assert (ours.earliest(), ours.latest()) == theirs[1:]


@settings(max_examples=200, deadline=None)
@given(noise)
def test_accepts_nothing_that_the_reference_library_refuses(text: str) -> None:
    if (ours := _ours(text)) is not None:
        assert _oracle(text) is not None
        assert ours.earliest() <= ours.latest()
