"""The steps of the form for NGOs by themselves: dates as people know them, and what a program wrote before."""

from datetime import date

import pytest

from exchange.v1.tip_pb2 import PREMISES_TYPE_BEACH, SuspectDescription, Tip
from node.console.tell_date import DateInvalid, read_day, split_day
from node.console.tell_steps import STEPS, fill, says_all

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        (("", "", ""), ""),
        (("", "", "2026"), "2026"),
        (("", "5", "2026"), "2026-05"),
        (("7", "05", "2025"), "2025-05-07"),
        (("២", "៥", "២០២៦"), "2026-05-02"),
        (("", "", "2569"), "2026"),
        (("2", "6", "2026"), "2026-06-02"),
    ],
)
def test_a_date_is_as_much_as_somebody_knows(parts: tuple[str, str, str], written: str) -> None:
    assert read_day(*parts, TODAY) == written
    assert read_day(*(split_day(written) or ("x", "x", "x")), TODAY) == written


@pytest.mark.parametrize(
    "parts",
    [
        ("1", "", "2026"),
        ("", "5", ""),
        ("3", "6", "2026"),
        ("", "13", "2026"),
        ("", "", "1899"),
        ("", "", "26"),
        ("", "", "x"),
        ("", "", "²⁰²⁶"),
    ],
)
def test_a_date_that_cannot_have_been_is_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(DateInvalid):
        read_day(*parts, TODAY)


def test_what_the_form_does_not_ask_for_stays_as_a_program_wrote_it() -> None:
    tip = Tip(observed="2026-05~")
    tip.place.area.code, tip.place.area.country = "KH-17", "KHM"
    first = tip.suspects.add(apparent_age="60")
    first.names_as_heard.add(family="EXAMPLE")
    first.apparent_nationalities.add(country="XXA")
    tip.suspects.append(SuspectDescription(apparent_age="20"))
    for step in STEPS:
        tip, problems = fill(step, tip, step.show(tip), "en", TODAY)
        assert not problems
    assert (tip.observed, tip.place.area.code, tip.place.area.country) == ("2026-05~", "KH-17", "KHM")
    assert [one.apparent_age for one in tip.suspects] == ["60", "20"]
    assert tip.suspects[0].names_as_heard[0].family == "EXAMPLE"
    assert tip.suspects[0].apparent_nationalities[0].country == "XXA"
    changed, _ = fill(STEPS[1], tip, {"premises": "BEACH", "year": "2025"}, "en", TODAY)
    assert (changed.observed, changed.place.premises) == ("2025", PREMISES_TYPE_BEACH)


def test_what_these_steps_cannot_show_is_noticed() -> None:
    tip = Tip(language="km", reporter_organisation="Hotline", anonymous=True, observed="2026-05")
    tip.suspects.add(apparent_age="60")
    assert says_all(tip, TODAY)
    for change in ("suspects", "observed", "code"):
        other = Tip.FromString(tip.SerializeToString())
        if change == "suspects":
            other.suspects.add(apparent_age="20")
        elif change == "observed":
            other.observed = "2026-05~"
        else:
            other.place.area.code = "KH-17"
        assert not says_all(other, TODAY)
