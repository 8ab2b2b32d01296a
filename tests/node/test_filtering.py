"""Filters of lists: what may be written, where a mistake stands, and that SQL and Python find the same."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, String, Table, create_engine, select

from exchange.errors import Malformed
from node.filtering.match import bounds, match
from node.filtering.parse import LONGEST, parse_filter
from node.filtering.terms import EVERYTHING, And, Comparison, Filter, FilterField, Kind, Not, Or, Present
from node.store.filters import condition
from tests.refusals import refused

FIELDS = {
    "index": FilterField(kind=Kind.NUMBER),
    "at": FilterField(kind=Kind.TIME),
    "kind": FilterField(kind=Kind.CHOICE, choices={"DISCLOSURE": 4, "REFUSAL": 7}),
    "code": FilterField(kind=Kind.TEXT),
    "subject": FilterField(kind=Kind.DIGEST),
    "urgent": FilterField(kind=Kind.FLAG),
    "audience": FilterField(kind=Kind.TEXTS),
}
DIGEST = "ab" * 32


def compare(field: str, operator: Any, value: Any, *, beginning: bool = False) -> Comparison:
    return Comparison(field=field, operator=operator, value=value, beginning=beginning)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", EVERYTHING),
        ("   ", EVERYTHING),
        ("index = 4", compare("index", "=", 4)),
        ("index>=4", compare("index", ">=", 4)),
        ("index = 9223372036854775807", compare("index", "=", 2**63 - 1)),
        ("kind = disclosure", compare("kind", "=", 4)),
        ("kind != REFUSAL", compare("kind", "!=", 7)),
        ("code = KEY_*", compare("code", "=", "KEY_", beginning=True)),
        ('code = "KEY_*"', compare("code", "=", "KEY_*")),
        (r'code = "say \"so\" \\ now"', compare("code", "=", r'say "so" \ now')),
        ("code = AND", compare("code", "=", "AND")),
        ("code:*", Present(field="code")),
        (f"subject = {DIGEST.upper()}", compare("subject", "=", bytes.fromhex(DIGEST))),
        ("urgent = true", compare("urgent", "=", value=True)),
        ("at >= 1970-01-02", compare("at", ">=", 86_400_000)),
        ("at < 1970-01-01T00:00:01+00:00", compare("at", "<", 1000)),
        ('at < "1970-01-01T01:00:01+01:00"', compare("at", "<", 1000)),
        ("audience:spiffe://kh.alerts.example/agency/gdi", compare("audience", "=", "spiffe://kh.alerts.example/agency/gdi")),
        ("audience : spiffe://kh.*", compare("audience", "=", "spiffe://kh.", beginning=True)),
        ("NOT index = 1", Not(part=compare("index", "=", 1))),
        ("NOT(index = 1)", Not(part=compare("index", "=", 1))),
        ("index = 1 AND index = 2 AND index = 3", And(parts=tuple(compare("index", "=", n) for n in (1, 2, 3)))),
        (
            "(index = 1 OR index = 2) AND NOT code:*",
            And(parts=(Or(parts=(compare("index", "=", 1), compare("index", "=", 2))), Not(part=Present(field="code")))),
        ),
    ],
)
def test_what_may_be_written(text: str, wanted: Filter) -> None:
    assert parse_filter(text, FIELDS) == wanted


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("name = SECRET", 1, "there is no such field; the fields are at, audience"),
        ("index", 6, "an operator must stand here"),
        ("index =", 8, "a value must stand here"),
        ("index = x4", 9, "a number"),
        ("index = 04", 9, "a number"),
        ("index = -1", 9, "a number"),
        ("index = 9223372036854775808", 9, "a number"),
        ("index = 1 SECRET", 11, "AND, OR or the end"),
        ("index = 1 AND", 14, "the name of a field"),
        ("index = 1 AND index = 2 OR index = 3", 25, "need parentheses"),
        ("index = 1 OR index = 2 AND index = 3", 24, "need parentheses"),
        ("(index = 1", 11, "a closing parenthesis"),
        ("index = 1)", 10, "AND, OR or the end"),
        ("()", 2, "the name of a field"),
        ("-index = 1", 1, "there is no such field"),
        ("NOT NOT index = 1", 5, "the name of a field"),
        ("kind = SECRET", 8, "one of DISCLOSURE, REFUSAL"),
        ("kind < REFUSAL", 6, "no order"),
        ("code > A", 6, "no order"),
        ("code = SE*CRET", 8, "only at the end"),
        ('code = "SECRET', 8, "a value must stand here"),
        (r'code = "SEC\RET"', 8, "a value must stand here"),
        ("code:SECRET", 5, "one value"),
        ("audience = SECRET", 10, "several values"),
        ("subject = abcd", 11, "64 hex digits"),
        ("urgent = yes", 10, "true or false"),
        ("at > 2027-13-01", 6, "a day"),
        ("at > 2027-01-01T10:00", 6, "a day"),
        ("at > SECRET", 6, "a day"),
        ("upper(code) = A", 1, "there is no such field"),
        ("index.count = 1", 1, "there is no such field"),
        ("(" * 30 + "index = 1" + ")" * 30, 18, "16 deep"),
        (" AND ".join(["index = 1"] * 65), 903, "more than 64 comparisons"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_without_what_was_written(text: str, at: int, says: str) -> None:
    with pytest.raises(Malformed) as wrong:
        parse_filter(text, FIELDS)
    assert wrong.value.code == "FILTER"
    assert str(wrong.value).startswith(f"character {at}: ")
    assert says in str(wrong.value)
    assert "SECRET" not in str(wrong.value)


def test_a_filter_has_an_end() -> None:
    parse_filter("code = " + "A" * (LONGEST - 7), FIELDS)
    with refused(Malformed, "FILTER"):
        parse_filter("code = " + "A" * (LONGEST - 6), FIELDS)


@given(st.text(alphabet='index=code:*<>!()" \\ANDORT12é', max_size=60))
def test_no_text_is_anything_but_read_or_refused(text: str) -> None:
    read = None
    with suppress(Malformed):
        read = parse_filter(text, FIELDS)
    if read is None:
        with refused(Malformed, "FILTER"):
            parse_filter(text, FIELDS)


TABLE = Table(
    "synthetic",
    MetaData(),
    Column("index", Integer, primary_key=True),
    Column("at", BigInteger),
    Column("kind", Integer),
    Column("code", String),
    Column("subject", LargeBinary),
    Column("urgent", Boolean),
)
COLUMNS = dict(TABLE.c.items())
ROWS = [
    {"index": n, "at": n * 1000, "kind": (4, 7)[n % 2], "code": code, "subject": subject, "urgent": n % 3 == 0}
    for n, (code, subject) in enumerate(
        (code, subject) for code in ("", "A", "a", "AB", "KEY_A", "KEY%A", 'q"q') for subject in (b"", bytes(32), bytes.fromhex(DIGEST))
    )
]

COMPARISONS = st.one_of(
    st.builds("index {} {}".format, st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), st.integers(0, 25)),
    st.builds("at {} 1970-01-01T00:00:{:02d}Z".format, st.sampled_from(("<", ">=", "=")), st.integers(0, 25)),
    st.builds("kind {} {}".format, st.sampled_from(("=", "!=")), st.sampled_from(("DISCLOSURE", "REFUSAL"))),
    st.builds("code {} {}".format, st.sampled_from(("=", "!=")), st.sampled_from(("A", "A*", "a*", "KEY_*", "KEY%*", '"q\\"q"', '""'))),
    st.builds("subject {} {}".format, st.sampled_from(("=", "!=")), st.sampled_from((DIGEST, "00" * 32))),
    st.builds("urgent = {}".format, st.sampled_from(("true", "false"))),
    st.sampled_from(("code:*", "subject:*", "urgent:*", "index:*")),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner), st.builds("({} OR {})".format, inner, inner), st.builds("NOT ({})".format, inner)
    ),
    max_leaves=8,
)


@given(FILTERS)
def test_sql_and_python_find_the_same(text: str) -> None:
    wanted = parse_filter(text, FIELDS)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        connection.execute(TABLE.insert(), ROWS)
        found = set(connection.execute(select(TABLE.c.index).where(condition(wanted, COLUMNS))).scalars())
    engine.dispose()
    assert found == {row["index"] for row in ROWS if match(wanted, row)}


def test_what_was_written_is_only_ever_a_bound_parameter() -> None:
    wanted = parse_filter("""code = "x' OR 1=1 --" OR code = y';--* OR index = 77777""", FIELDS)
    compiled = select(TABLE).where(condition(wanted, COLUMNS)).compile()
    assert "1=1" not in str(compiled)
    assert "--" not in str(compiled)
    assert "77777" not in str(compiled)
    assert {"x' OR 1=1 --", "y';--", 77777} <= set(compiled.params.values())


def test_everything_is_everything_in_sql_too() -> None:
    assert str(condition(EVERYTHING, COLUMNS).compile()) in {"1 = 1", "true"}


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("index = 1 AND code = A", {"index": 1}, None),
        ("index = 1 AND code = A", {"index": 2}, False),
        ("index = 1 OR code = A", {"index": 1}, True),
        ("index = 1 OR code = A", {"index": 2}, None),
        ("NOT code = A", {}, None),
        ("NOT index = 1", {"index": 1}, False),
        ("", {}, True),
        ("audience:b", {"audience": ["a", "b"]}, True),
        ("audience:b*", {"audience": ["a", "bc"]}, True),
        ("audience:b", {"audience": ["a", "bc"]}, False),
        ("audience:*", {"audience": []}, False),
    ],
)
def test_what_is_not_known_yet_decides_nothing(text: str, known: dict[str, Any], *, expected: bool | None) -> None:
    assert match(parse_filter(text, FIELDS), known) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 2**63 - 1)),
        ("index >= 3 AND index < 9", (3, 8)),
        ("index > 3 AND (index <= 9 AND code = A)", (4, 9)),
        ("index = 5", (5, 5)),
        ("index != 5", (0, 2**63 - 1)),
        ("index = 5 OR index = 7", (0, 2**63 - 1)),
        ("NOT index = 5", (0, 2**63 - 1)),
        ("at > 1970-01-02", (0, 2**63 - 1)),
    ],
)
def test_bounds_are_only_what_every_match_must_keep(text: str, expected: tuple[int, int]) -> None:
    assert bounds(parse_filter(text, FIELDS), "index") == expected
