"""When the travellers of an inbox land and depart: of what is shown of the list, and of what the agency itself was told."""

from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2
from node.operations.inbox import list_inbox
from node.operations.inbox_times import list_times
from tests.console_site import Browser
from tests.countries import BORDER, agency
from tests.federation import federation
from tests.rig import DAY, Office, draft


@pytest.fixture
def kh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as two:
        two.connect("gb", "kh")
        two["gb"].publish(draft(agency("kh", BORDER)))
        two.pump()
        yield two["kh"]


def listed(kh: Office, name: str = "border") -> list[desk_service_pb2.AlertSummary]:
    return list(list_inbox(kh.ports, kh.person(name), desk_service_pb2.ListInboxRequest()).alerts)


def test_the_next_landing_and_departure_have_the_zones_of_their_ports(kh: Office) -> None:
    (one,) = listed(kh)
    times = list_times(kh.ports, kh.person("border"), [one])[one.manifest_digest]
    assert times.lands is not None
    assert times.departs is not None
    assert (times.lands.zone, times.departs.zone) == ("Asia/Bangkok", "Europe/London")
    assert times.departs.at < times.lands.at == one.arrives_at
    assert (times.departs.port, times.lands.port, times.lands.service) == ("LHR", "BKK", "XX 17")
    kh.clock.pass_(3 * DAY)
    assert list_times(kh.ports, kh.person("border"), [one])[one.manifest_digest].departs is None


def test_rows_of_the_inbox_are_told_apart_by_port_and_service_without_a_name(kh: Office) -> None:
    page = Browser(kh).enter("border").get("/inbox").text
    assert "<dd>LHR XX 17, " in page
    assert "<dd>BKK, " in page
    assert "EXAMPLE" not in page


def test_what_may_not_be_shown_has_no_times(kh: Office) -> None:
    for flag in ("ERASED", "RESTRICTED", "SUPERSEDED", "WITHDRAWN"):
        (one,) = listed(kh)
        one.flags.append(flag)
        assert list_times(kh.ports, kh.person("border"), [one]) == {}


def test_an_agency_that_was_told_nothing_learns_no_time(kh: Office) -> None:
    assert listed(kh, "police") == []
    assert list_times(kh.ports, kh.person("police"), listed(kh, "border")) == {}
