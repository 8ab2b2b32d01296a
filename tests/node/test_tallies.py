"""Disclosures that are counted once say what counting them one by one says, and nothing that was not counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.documents import iso_time
from node.filtering.parse import parse_filter
from node.operations.audit_counts import count_disclosures
from node.operations.disclosure_scan import DISCLOSURE_FIELDS
from node.operations.tallies import DAY_MS, Tallies
from tests.countries import BORDER, HOUR, NOW, agency
from tests.federation import Federation
from tests.node.audit_office import told
from tests.rig import draft

DAY = NOW // DAY_MS * DAY_MS
LOOK = "index >= 0"
"""What a tally cannot say has the entries looked at."""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


@pytest.mark.parametrize(("zone", "ahead"), [("UTC", 0), ("Asia/Phnom_Penh", 7)])
def test_what_is_counted_once_is_what_is_counted_one_by_one(two: Federation, zone: str, ahead: int) -> None:
    gb, tallies = two["gb"], Tallies(zone)
    today = NOW - (NOW + ahead * HOUR) % DAY_MS
    person, days = gb.person("auditor"), {"today": iso_time(today), "tomorrow": iso_time(today + DAY_MS)}
    assert tallies.count(gb.ports, parse_filter(f'at >= "{days["today"]}"', DISCLOSURE_FIELDS)) is not None
    found = set()
    for text in (
        LOOK.replace("index", "at"),
        "direction = INBOUND",
        "alert_type = TravelAlert",
        'at >= "{today}" AND at < "{tomorrow}"',
        'at < "{today}" OR direction = OUTBOUND',
        "NOT alert_type = HitReport",
        'clause = "nothing of the kind"',
    ):
        wanted = text.format(**days) if "{" in text else text
        known = count_disclosures(gb.ports, person, "" if "at >= 0" in wanted else wanted, tallies)
        looked = count_disclosures(gb.ports, person, LOOK if "at >= 0" in wanted else f"({wanted}) AND {LOOK}", Tallies(zone))
        assert (known.by_day, known.by_way, known.by_row) == (looked.by_day, looked.by_way, looked.by_row), wanted
        assert known.whole
        found.add(sum(known.by_way.values()))
    assert {0, 5} < found
    assert len(found) > 3


def test_what_comes_later_is_counted_too(two: Federation) -> None:
    gb, tallies = two["gb"], Tallies()

    def number() -> int:
        return sum(count_disclosures(gb.ports, gb.person("auditor"), "", tallies).by_way.values())

    before = number()
    assert not gb.publish(draft(agency("kh", BORDER))).problems
    assert number() == before + 1 == number()


@pytest.mark.parametrize(
    "text",
    ['at >= "{moment}"', 'at <= "{day}"', "at:*", 'NOT at > "{day}"', f"manifest = {'00' * 32}", "state = RECEIPTED", 'audience:"spiffe*"'],
)
def test_a_tally_says_nothing_of_what_it_has_not_counted(two: Federation, text: str) -> None:
    moments = {"moment": iso_time(DAY + 1), "day": iso_time(DAY)}
    wanted = parse_filter(text.format(**moments), DISCLOSURE_FIELDS)
    assert Tallies().count(two["gb"].ports, wanted) is None
