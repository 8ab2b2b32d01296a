"""Dates and times as people say them: what is clear is understood, what is not stays as it was said."""

from datetime import date

import pytest

from node.intake.edtf import EdtfInvalid, read_edtf
from node.intake.instants import read_instant
from node.intake.ports import local_time
from node.intake.spoken_dates import ENGLISH_MONTHS, spoken_date, spoken_end, spoken_instant, spoken_time


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1970", "1970"),
        (" 1970 ", "1970"),
        ("about 1970", "1970~"),
        ("ca. 1970?", "1970%"),
        ("1970?", "1970?"),
        ("~1961-04", "1961-04~"),
        ("the 1970s", "197X"),
        ("196x", "196X"),
        ("1961-04-XX", "1961-04-XX"),
        ("03/1985", "1985-03"),
        ("1985/3", "1985-03"),
        ("March 1985", "1985-03"),
        ("Sept. 1985", "1985-09"),
        ("12 April 1961", "1961-04-12"),
        ("12th of April 1961", "1961-04-12"),
        ("April 12, 1961", "1961-04-12"),
        ("12.4.1961", "1961-04-12"),
        ("04.05.1961", "1961-05-04"),
        ("13/04/1961", "1961-04-13"),
        ("04/13/1961", "1961-04-13"),
        ("04/04/1961", "1961-04-04"),
        ("1961/4/12", "1961-04-12"),
        ("พ.ศ. ๒๕๑๓", "1970"),
        ("BE 2513", "1970"),
        ("2513 B.E.", "1970"),
        ("ประมาณ ๑๙๗๐", "1970~"),
        ("khoảng 1970", "1970~"),
        ("between 1968 and 1972", "1970~"),
        ("1961–1963", "1962~"),
        ("from 1960 to 1969", "196X"),
    ],
)
def test_what_is_clear_is_understood(said: str, meant: str) -> None:
    assert spoken_date(said) == meant
    assert read_edtf(meant).text == meant


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "04/05/1961",
        "31.2.1961",
        "31/13/1961",
        "12/61",
        "April",
        "1961 to 1981",
        "1963 to 1961",
        "aged 56",
        "12 Foo 1961",
        "13/1985",
    ],
)
def test_what_is_not_stays_as_it_was_said(said: str) -> None:
    assert spoken_date(said) == said
    with pytest.raises(EdtfInvalid):
        read_edtf(said)


@pytest.mark.parametrize("said", ["aged 56", "age 56", "about 56 years old", "អាយុ ៥៦ ឆ្នាំ", "อายุ 56 ปี", "56 tuổi"])
def test_an_age_is_told_from_today(said: str) -> None:
    assert spoken_date(said, today=date(2026, 3, 1)) == "1970~"


def test_months_have_the_names_that_the_caller_gives() -> None:
    assert spoken_date("12 เมษายน 1961", {**ENGLISH_MONTHS, "เมษายน": 4}) == "1961-04-12"
    assert spoken_date("12 tháng 4 1961", {"tháng 4": 4}) == "1961-04-12"
    assert spoken_date("12 เมษายน 1961") == "12 เมษายน 1961"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("4 March 2027 21:30", "2027-03-04T21:30"),
        ("2027-03-04T21:30", "2027-03-04T21:30"),
        ("2027-03-04 21.30", "2027-03-04T21:30"),
        ("13/3/2027 9.05 pm", "2027-03-13T21:05"),
        ("March 4 2027, 12:05 am", "2027-03-04T00:05"),
        ("4 March 2027 21h30", "2027-03-04T21:30"),
    ],
)
def test_times_are_understood_with_their_day(said: str, meant: str) -> None:
    assert spoken_time(said) == meant
    assert local_time(meant, "Asia/Phnom_Penh")


@pytest.mark.parametrize(
    "said", ["", "21:30", "tomorrow 9:00", "2027-03 9:00", "2027-03-04 25:00", "2027-03-04 9:60", "4/3/2027 9:00", "13/3/2027 13:05 pm"]
)
def test_times_that_can_mean_several_stay(said: str) -> None:
    assert spoken_time(said) == said


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("5 March 2027 06:00", "2027-03-05T06:00+07:00"),
        ("31 March 2027", "2027-03-31T23:59+07:00"),
        ("2027-03-05T06:00", "2027-03-05T06:00+07:00"),
        ("2027-03-05 6:00 pm UTC", "2027-03-05T18:00+00:00"),
        ("2027-03-04T18:00Z", "2027-03-04T18:00Z"),
        ("2027-03-04T18:00+01:00", "2027-03-04T18:00+01:00"),
        ("tomorrow", "tomorrow"),
        ("4/3/2027", "4/3/2027"),
        ("", ""),
    ],
)
def test_a_point_in_time_is_by_the_clocks_of_a_place(said: str, meant: str) -> None:
    assert spoken_instant(said, "Asia/Phnom_Penh") == meant
    if meant != said:
        assert read_instant(meant)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("30", "P30D"),
        ("2 weeks", "P14D"),
        ("3 months", "P90D"),
        ("for 1 year", "P365D"),
        ("៣០ ថ្ងៃ", "P30D"),
        ("3 เดือน", "P90D"),
        ("P30D", "P30D"),
        ("31 March 2027", "2027-03-31T23:59+00:00"),
        ("9999 years", "9999 years"),
        ("3 moons", "3 moons"),
        ("0", "0"),
    ],
)
def test_how_long_is_a_number_of_days(said: str, meant: str) -> None:
    assert spoken_end(said, "Etc/UTC", ENGLISH_MONTHS, date(2026, 11, 30)) == meant


def test_a_day_alone_is_a_day() -> None:
    assert spoken_time("4 March 2027") == "2027-03-04"


def test_long_texts_are_not_looked_into() -> None:
    endless = "," * 60_000
    assert spoken_date(endless) == endless
    assert spoken_time(endless) == endless
    assert spoken_time(f"4 March 2027{' ' * 60}21:30") == f"4 March 2027{' ' * 60}21:30"
