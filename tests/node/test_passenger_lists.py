"""Passenger lists as airlines send them, and as somebody sends them who means ill: read, or refused by a code that echoes nothing."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.matching.edifact import segments_of
from node.matching.manifest import LARGEST, PASSENGERS_AT_MOST, ManifestInvalid, PassengerList
from node.matching.passenger_csv import COLUMNS, read_passenger_csv
from node.matching.paxlst import read_paxlst
from node.matching.services import Service, service_number

TODAY = date(2027, 3, 1)
SECRET = "ZQXWVSECRET"  # stands where a name would; no refusal may repeat it

TRAVELLERS = (
    "NAD+FL+++O?'BRIEN:JOHN PAUL:MR'ATT+2++M'DTM+329:610412'GEI+4+173'LOC+178+SYD'LOC+174+GBR'NAT+2+GBR'RFF+AVF:ABC123'"
    "DOC+P:110:111+L898902C36'DTM+36:310412'LOC+91+GBR'DOC+V+VISA99'LOC+91+KHM'"
    "NAD+FL+++NGUYEN:THI HUONG'ATT+2+F'DTM+329:19900100'NAT+2+VNM'DOC+I+0123456789'LOC+91+VNM'DOC+P+B1234567'LOC+91+VNM'"
    "NAD+FM+++SMITH'DTM+329:000000'"
)


def interchange(
    travellers: str = TRAVELLERS, *, una: str = "UNA:+.? '", syntax: str = "UNOA", head: str = "", end: str = "UNT+9+1'UNZ+1+1'"
) -> str:
    return (
        f"{head}{una}UNB+{syntax}:4+QF+KHM+270301:1045+1'UNG+PAXLST+A+B+270301:1045+1+UN+D:02B'UNH+1+PAXLST:D:02B:UN:IATA'BGM+745'"
        f"NAD+MS+++AIRLINE DESK'COM+61 2 9999:TE'TDT+20+QF123'LOC+125+SYD'DTM+189:2703011200:201'LOC+87+KTI'{travellers}CNT+42:3'{end}"
    )


def paxlst(text: str, charset: str = "ascii") -> PassengerList:
    return read_paxlst(text.encode(charset), TODAY)


def csv(text: str) -> PassengerList:
    return read_passenger_csv(text.encode(), TODAY)


def refused(read: Callable[[bytes, date], PassengerList], data: bytes) -> str:
    with pytest.raises(ManifestInvalid) as error:
        read(data, TODAY)
    assert SECRET not in str(error.value)
    return error.value.code


def codes(listed: PassengerList) -> list[tuple[int, str]]:
    return [(warned.place, warned.code) for warned in listed.warnings]


def test_a_list_of_an_airline_is_read_traveller_by_traveller() -> None:
    listed = paxlst(interchange())
    first, second, third = listed.passengers
    assert (listed.kind, listed.service) == ("PAXLST", "QF123")
    assert (first.place, first.family, first.given, first.sex, first.nationalities) == (1, "O'BRIEN", "JOHN PAUL MR", "M", ("GBR",))
    assert first.birth is not None
    assert first.birth.text == "1961-04-12"
    assert [(d.number, d.issuer) for d in first.documents] == [("L898902C36", "GBR")]
    assert second.birth is not None
    assert second.birth.text == "1990-01"  # 00 is an unknown day, never the first
    assert second.sex == "F"
    assert [(d.number, d.issuer) for d in second.documents] == [("0123456789", "VNM"), ("B1234567", "VNM")]
    assert (third.family, third.given, third.birth) == ("SMITH", "", None)


@pytest.mark.parametrize(
    ("voyage", "expected"),
    [
        ("TDT+20+QF123'LOC+125+SYD'DTM+189:2703011200:201'LOC+87+KTI'DTM+232:2703020010:201'", ["QF123 2027-03-01", "QF123 2027-03-02"]),
        ("TDT+20+QF0123'DTM+189:20270301:102'", ["QF123 2027-03-01"]),
        ("TDT+20+123+++QF'DTM+232:202703011200:203'", ["QF123 2027-03-01"]),
        ("TDT+20+QF1'DTM+232:270301:101'TDT+20+QF2'DTM+189:270302:101'", ["QF1 2027-03-01", "QF2 2027-03-02"]),
        ("TDT+20+QF123'DTM+189:991399:101'DTM+36:270301:101'", ["QF123 None"]),
        ("TDT+20+THE GOLDEN FERRY'DTM+189:270301:101'", []),
        ("DTM+189:270301:101'", []),
    ],
)
def test_the_flight_of_a_list_is_known_by_its_number_and_days(voyage: str, expected: list[str]) -> None:
    text = interchange().replace("TDT+20+QF123'LOC+125+SYD'DTM+189:2703011200:201'LOC+87+KTI'", voyage)
    for passenger in paxlst(text).passengers:
        assert [f"{one.number} {one.day}" for one in passenger.services] == expected


@pytest.mark.parametrize(
    ("text", "carrier", "number"),
    [
        ("QF 0123", "", "QF123"),
        ("qfa123", "", "QFA123"),
        ("QF123A", "", "QF123"),
        ("8Q-12", "", "8Q12"),
        ("123", "QF", "QF123"),
        ("123", "Example Airlines", ""),
        ("", "QF", ""),
        ("QF000", "", ""),
    ],
)
def test_a_service_is_known_by_carrier_and_number(text: str, carrier: str, number: str) -> None:
    assert service_number(text, carrier) == number


@pytest.mark.parametrize(
    "text",
    [
        interchange().replace("'", "'\r\n"),
        interchange().replace("'", "'\n"),
        "\n".join(interchange()[start : start + 63] for start in range(0, len(interchange()), 63)),
        interchange(head="QK HDQACXB\r\n.SYDACXS 010345\r\n"),
        interchange(una=""),
        interchange(una="UNA:+.? '\r\n"),
        interchange(end="UNT+9+1'UNE+1+1'UNZ+1+1'") + "\r\n\x03",
    ],
)
def test_line_ends_telex_heads_and_wraps_change_nothing(text: str) -> None:
    plain, other = paxlst(interchange()), paxlst(text)
    assert [(p.family, p.given, p.documents[0].number if p.documents else "") for p in plain.passengers] == [
        (p.family, p.given, p.documents[0].number if p.documents else "") for p in other.passengers
    ]


def test_a_service_string_gives_the_signs_another_meaning() -> None:
    swap = str.maketrans(":+?'", "|*!~")
    text = interchange(una="").translate(swap)
    listed = paxlst("UNA|*.! ~" + text)
    assert [p.family for p in listed.passengers] == ["O~BRIEN", "NGUYEN", "SMITH"]  # what was released is translated like the rest


def test_the_release_sign_takes_the_meaning_from_every_sign() -> None:
    listed = paxlst(interchange("NAD+FL+++A?+B?:C??D?'E:F'"))
    assert (listed.passengers[0].family, listed.passengers[0].given) == ("A+B:C?D'E", "F")


@pytest.mark.parametrize(
    ("syntax", "charset", "name"),
    [
        ("UNOC", "iso8859-1", "MÜLLER"),
        ("UNOD", "iso8859-2", "KOWALŁ"),
        ("UNOE", "iso8859-5", "ИВАНОВ"),
        ("UNOW", "utf-8", "Nguyễn"),
        ("UNOY", "utf-8", "សុខ"),
        ("UNOA", "utf-8", "MÜLLER"),
        ("UNOB", "iso8859-1", "MÜLLER"),
    ],
)
def test_every_character_set_of_the_syntax_is_read(syntax: str, charset: str, name: str) -> None:
    assert paxlst(interchange(f"NAD+FL+++{name}:X'", syntax=syntax), charset).passengers[0].family == name


def test_several_messages_are_one_list() -> None:
    text = interchange("NAD+FL+++ONE:A'", end="UNT+9+1'UNH+2+PAXLST:D:02B:UN:IATA'BGM+250'NAD+FM+++TWO:B'UNT+3+2'UNZ+2+1'")
    assert [(p.place, p.family) for p in paxlst(text).passengers] == [(1, "ONE"), (2, "TWO")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MANIFEST_EMPTY"),
        ("   \r\n", "MANIFEST_EMPTY"),
        (SECRET, "EDIFACT_BEGINNING"),
        (f"UNA:+.? '{SECRET}'", "EDIFACT_BEGINNING"),
        (interchange(una="UNA::.? '"), "EDIFACT_SIGNS"),
        (interchange(una="UNAa+.? '"), "EDIFACT_SIGNS"),
        ("UNA:+", "EDIFACT_SIGNS"),
        (interchange(syntax=SECRET[:4]), "EDIFACT_CHARSET"),
        (interchange().removesuffix("UNZ+1+1'") + SECRET, "EDIFACT_UNFINISHED"),
        (interchange("NAD" + "+" * 60 + SECRET + "'"), "EDIFACT_SEGMENTS"),
        (interchange("'" * 130_000), "EDIFACT_SEGMENTS"),
        (interchange().replace("PAXLST:D", f"{SECRET}:D"), "PAXLST_TYPE"),
        (interchange(end="UNZ+1+1'"), "PAXLST_MESSAGE"),
        (interchange(end="UNT+9+1'UNT+9+1'UNZ+1+1'"), "PAXLST_MESSAGE"),
        (interchange(f"NAD+FL+++{SECRET}:X'UNH+2+PAXLST:D'"), "PAXLST_MESSAGE"),
        ("UNB+UNOA:4+X'UNZ+0+1'", "PAXLST_MESSAGE"),
        (interchange(f"NAD+MS+++{SECRET}'"), "MANIFEST_NOBODY"),
        (interchange("NAD+FL+++A:B'" * (PASSENGERS_AT_MOST + 1)), "MANIFEST_PASSENGERS"),
        (interchange(f"NAD+FL+++{SECRET * 100_000}'"), "MANIFEST_TOO_LARGE"),
    ],
)
def test_what_is_no_list_is_refused_by_a_code(text: str, code: str) -> None:
    assert refused(read_paxlst, text.encode()) == code


def test_bytes_that_are_not_in_the_named_set_are_refused() -> None:
    assert refused(read_paxlst, interchange("NAD+FL+++MÜLLER:X'", syntax="UNOW").encode("iso8859-1")) == "EDIFACT_TEXT"


def test_what_cannot_be_used_of_one_traveller_is_left_aside_and_said() -> None:
    listed = paxlst(
        interchange(
            "NAD+FL+++A:B'DTM+329:991399'NAT+2+QQQ'DOC+P+X1234567'LOC+91+ZZ9'"
            "NAD+FL'DTM+329:18200101'NAD+FL+++C:D'NAD+FL+++" + "E" * 300 + "'DTM+329:20300101'"
        )
    )
    assert codes(listed) == [
        (1, "COUNTRY_UNKNOWN"),
        (1, "BIRTH_UNREADABLE"),
        (1, "COUNTRY_UNKNOWN"),
        (2, "BIRTH_IMPLAUSIBLE"),
        (2, "NAME_MISSING"),
        (3, "BIRTH_MISSING"),
        (4, "NAME_CUT"),
        (4, "BIRTH_IMPLAUSIBLE"),
    ]
    assert [p.birth for p in listed.passengers] == [None] * 4
    assert all(len(p.family) <= 200 for p in listed.passengers)


def test_two_digits_of_a_year_mean_the_latest_that_is_not_to_come() -> None:
    born = [p.birth.text for p in paxlst(interchange("".join(f"NAD+FL+++A:B'DTM+329:{day}'" for day in
            ("270301", "270302", "000229", "610000", "610400")))).passengers if p.birth]  # fmt: skip
    assert born == ["2027-03-01", "1927-03-02", "2000-02-29", "1961", "1961-04"]


def test_control_characters_of_a_name_do_not_reach_a_desk() -> None:
    assert paxlst(interchange("NAD+FL+++A\x1b[31mB\u202eC:D'"), "utf-8").passengers[0].family == "A[31mBC"


HEAD = ",".join(COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_list_is_read_whatever_a_spreadsheet_made_of_it(encoding: str, delimiter: str) -> None:
    text = f'{HEAD}\r\n"Müller",Hans,,1961-04,m,D,L898902C3,D,QF123,2027-03-01\r\n,,សុខ ដារ៉ា,196X,F,KHM,,,QF123,\r\n\r\n'.replace(
        ",", delimiter
    )
    listed = read_passenger_csv(text.encode(encoding), TODAY)
    first, second = listed.passengers
    assert (listed.kind, listed.service, listed.warnings) == ("CSV", "QF123", ())
    assert first.birth is not None
    assert (first.family, first.given, first.birth.text, first.sex, first.nationalities) == ("Müller", "Hans", "1961-04", "M", ("D",))
    assert (second.native, second.documents) == ("សុខ ដារ៉ា", ())
    assert (first.services, second.services) == ((Service("QF123", date(2027, 3, 1)),), (Service("QF123", None),))


def test_a_day_of_a_flight_that_is_none_is_left_aside_and_said() -> None:
    listed = csv("family_name,birth_date,service,service_date\nA,1961,QF123,2027-02-30\n")
    assert codes(listed) == [(1, "SERVICE_DATE_UNREADABLE")]
    assert listed.passengers[0].services == (Service("QF123", None),)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\n \n", "MANIFEST_EMPTY"),
        (f"family_name\n{SECRET}".encode("utf-16-le"), "CSV_TEXT"),
        ("family_name\nM\xfcller".encode("iso8859-1"), "CSV_TEXT"),
        (f"family_name,{SECRET}\nA,B".encode(), "CSV_COLUMN"),
        (b"family_name,family_name\nA,B", "CSV_COLUMNS"),
        (b"birth_date,sex\n1961,M", "CSV_COLUMNS"),
        (f"family_name,given_names\n{SECRET}".encode(), "CSV_LINE"),
        (f'family_name\n"{SECRET}'.encode(), "CSV_LINE"),
        (f"family_name\n{'A' * 3000}".encode(), "CSV_LINE"),
        (f'family_name\n"{"A" * 200_000}"'.encode(), "CSV_LINE"),
        (b"family_name\n", "MANIFEST_NOBODY"),
        (b"family_name\n" + b"A\n" * (PASSENGERS_AT_MOST + 1), "MANIFEST_PASSENGERS"),
        (b"family_name\n" + b"A" * LARGEST, "MANIFEST_TOO_LARGE"),
    ],
)
def test_what_is_no_csv_list_is_refused_by_a_code(data: bytes, code: str) -> None:
    assert refused(read_passenger_csv, data) == code


def test_a_list_says_nothing_of_anybody_in_its_repr() -> None:
    listed = csv(f"family_name\n{SECRET}")
    assert SECRET not in repr(listed) + repr(listed.passengers[0])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 700))
def test_no_damage_does_more_than_a_refusal(noise: bytes, place: int) -> None:
    whole = interchange().encode()
    for data in (noise, whole[:place] + noise + whole[place + len(noise) :], whole[:place]):
        for read in (read_paxlst, read_passenger_csv):
            try:
                read(data, TODAY)
            except ManifestInvalid as error:
                assert error.code.isupper()  # noqa: PT017  either outcome is right; any other exception is not


def test_a_list_without_release_signs_costs_no_more_than_its_length() -> None:
    assert len(segments_of(interchange("NAD+FL+++A:B'" * 20_000).encode())) > 20_000
