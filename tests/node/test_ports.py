from datetime import UTC, datetime, timedelta

import airportsdata
import pytest

from node.intake.ports import LocalTimeInvalid, PortInvalid, find_ports, local_time, port


def test_a_known_airport_has_name_country_and_zone() -> None:
    known = port("KTI")
    assert (known.code, known.name, known.country, known.zone) == (
        "KTI",
        "Techo International Airport",
        "KHM",
        "Asia/Phnom_Penh",
    )
    assert known.notices == ()


def test_every_airport_of_the_table_has_a_country_and_a_zone_that_we_know() -> None:
    known = [port(code) for code in airportsdata.load("IATA")]
    assert len(known) > 7000
    assert all(each.country for each in known)
    for zone in {each.zone for each in known if each.zone}:
        assert local_time("2026-06-01T12:00", zone).notices == ()


def test_an_unknown_airport_is_kept_with_a_notice() -> None:
    unknown = port("QQQ")
    assert (unknown.code, unknown.name, unknown.country, unknown.zone) == ("QQQ", None, None, None)
    assert [notice.code for notice in unknown.notices] == ["PORT_UNKNOWN"]


@pytest.mark.parametrize(("code", "country"), [("KHKOS", "KHM"), ("VN SGN", "VNM"), ("GB2X9", "GBR"), ("XKPRN", "RKS")])
def test_other_ports_are_un_locodes_with_a_notice(code: str, country: str) -> None:
    other = port(code)
    assert (other.code, other.country, other.name, other.zone) == (code.replace(" ", ""), country, None, None)
    assert [notice.code for notice in other.notices] == ["PORT_UNLISTED"]


@pytest.mark.parametrize("code", ["", "kti", "KT", "KTI ", "KTIX", "KHKO1", "KHKO0", "K1KOS", "KH-KOS", "KTI\n", "КТI"])
def test_what_is_neither_is_refused(code: str) -> None:
    with pytest.raises(PortInvalid, match="IATA") as caught:
        port(code)
    assert caught.value.code == "PORT_SYNTAX"


def test_a_un_locode_of_no_country_is_refused() -> None:
    with pytest.raises(PortInvalid) as caught:
        port("QQABC")
    assert caught.value.code == "PORT_COUNTRY"


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-03-14T22:05", "Asia/Phnom_Penh", datetime(2026, 3, 14, 15, 5, tzinfo=UTC)),
        ("2026-07-01T09:30", "Europe/London", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01T09:30", "Europe/London", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2026-12-01T09:30", "Asia/Kolkata", datetime(2026, 12, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_one_instant(text: str, zone: str, instant: datetime) -> None:
    read = local_time(text, zone)
    assert read.at == instant
    assert read.at.isoformat().startswith(text)
    assert read.notices == ()


@pytest.mark.parametrize("text", ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-29T01:59"])
def test_a_time_that_the_clocks_skip_is_refused(text: str) -> None:
    with pytest.raises(LocalTimeInvalid, match="go forward") as caught:
        local_time(text, "Europe/London")
    assert caught.value.code == "LOCAL_TIME_SKIPPED"


@pytest.mark.parametrize("text", ["2026-03-29T00:59", "2026-03-29T02:00", "2026-10-25T00:59", "2026-10-25T02:00"])
def test_the_minutes_beside_a_change_of_clocks_are_plain(text: str) -> None:
    assert local_time(text, "Europe/London").notices == ()


def test_a_time_that_the_clocks_show_twice_is_flagged_and_read_as_the_first() -> None:
    read = local_time("2026-10-25T01:30", "Europe/London")
    assert read.at.utcoffset() == timedelta(hours=1)
    assert [notice.code for notice in read.notices] == ["LOCAL_TIME_TWICE"]


@pytest.mark.parametrize(
    ("text", "zone", "code"),
    [
        ("2026-03-14", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
        ("2026-03-14 22:05", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
        ("2026-03-14T22:05Z", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
        ("2026-03-14T22:05+07:00", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
        ("2026-03-14T22:05\n", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
        ("2569-03-14T22:05", "", "LOCAL_TIME_ZONE"),
        ("2026-03-14T22:05", "+07:00", "LOCAL_TIME_ZONE"),
        ("2026-03-14T22:05", "Asia/Phnom Penh", "LOCAL_TIME_ZONE"),
        ("2026-03-14T22:05", "Asia", "LOCAL_TIME_ZONE"),
        ("2026-03-14T22:05", "../../etc/passwd", "LOCAL_TIME_ZONE"),
        ("2026-03-14T22:05", "\ud800", "LOCAL_TIME_ZONE"),
        ("2026-02-29T22:05", "Asia/Phnom_Penh", "LOCAL_TIME_NO_SUCH_DAY"),
        ("2026-13-01T22:05", "Asia/Phnom_Penh", "LOCAL_TIME_NO_SUCH_DAY"),
        ("2026-03-14T24:00", "Asia/Phnom_Penh", "LOCAL_TIME_SYNTAX"),
    ],
)
def test_what_is_no_local_time_is_refused(text: str, zone: str, code: str) -> None:
    with pytest.raises(LocalTimeInvalid) as caught:
        local_time(text, zone)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("said", "code"),
    [("Heathrow", "LHR"), ("phnom penh", "KTI"), ("Đà Nẵng", "DAD"), ("kti", "KTI"), ("Siem Reap", "SAI"), ("singapore changi", "SIN")],
)
def test_a_port_is_found_by_name_city_or_code(said: str, code: str) -> None:
    assert find_ports(said)[0].code == code


@pytest.mark.parametrize("said", ["", "ab", "  ", "no such place anywhere", "<script>"])
def test_what_names_no_port_finds_none(said: str) -> None:
    assert find_ports(said) == []


def test_of_many_ports_the_closest_are_told() -> None:
    assert {port.code for port in find_ports("bangkok", 2)} == {"BKK", "DMK"}
    assert len(find_ports("london", 3)) == 3


@pytest.mark.parametrize(
    ("said", "codes"), [("London", ["LHR", "LGW"]), ("Bangkok", ["BKK", "DMK"]), ("Ho Chi Minh", ["SGN"]), ("Paris", ["CDG", "ORY"])]
)
def test_a_city_stands_for_its_main_airports_the_largest_first(said: str, codes: list[str]) -> None:
    assert [port.code for port in find_ports(said)][:2] == codes


def test_a_city_whose_clocks_others_keep_finds_only_its_own_airports_if_it_has_one() -> None:
    assert {port.code for port in find_ports("Bangkok")} == {"BKK", "DMK"}
    assert "KOS" in {port.code for port in find_ports("Phnom Penh")}, "nothing is called so in the table but the clocks"
