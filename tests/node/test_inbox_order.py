"""The order of an inbox: who lands next first, then the newest; each alert once, whatever changes while somebody reads on."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2
from node.operations import erase
from node.operations.fsck import check_store
from node.operations.inbox import list_inbox
from node.operations.inbox_order import read_place
from node.operations.work_item import LANDED_MS
from node.store.landings import _LANDING, _REST_OF, landings_for, page_landing, page_rest
from node.store.plain import ask
from node.store.tables import alerts, inbox, landings
from tests.countries import BORDER, NGO, NOW, POLICE, agency
from tests.federation import Federation, federation
from tests.rig import Office, draft

HOUR = 3_600_000
KH_BORDER = agency("kh", BORDER)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        for _ in range(8):
            made["gb"].publish(draft(agency("kh", BORDER)))
        made.pump()
        yield made


@pytest.fixture
def kh(two: Federation) -> Iterator[Office]:
    """The office, as it was once more after each test."""
    office = two["kh"]
    with office.ports.store.read() as tx:
        before = [dict(row) for row in tx.execute(landings.select()).mappings()]
    states = list(with_rows(office))
    yield office
    with office.ports.store.write() as tx:
        tx.execute(landings.delete())
        tx.execute(landings.insert(), before)
        for row, state in states:
            tx.execute(alerts.update().where(alerts.c.id == row).values(state=state))


def with_rows(office: Office) -> list[tuple[int, str]]:
    with office.ports.store.read() as tx:
        query = alerts.select().join(inbox, inbox.c.alert_ref == alerts.c.id).where(inbox.c.agency == KH_BORDER).order_by(alerts.c.id)
        return [(row.id, row.state) for row in tx.execute(query)]


def land(office: Office, moments: dict[int, int]) -> None:
    with office.ports.store.write() as tx:
        tx.execute(landings.delete())
        for row, moment in moments.items():
            tx.execute(landings.insert().values(alert_ref=row, agency=KH_BORDER, lands_at=moment))


def state(office: Office, row: int, now: str) -> None:
    with office.ports.store.write() as tx:
        tx.execute(alerts.update().where(alerts.c.id == row).values(state=now))


def pages(office: Office, size: int, between: Callable[[], None] = lambda: None) -> list[list[int]]:
    """The rows of each page."""
    with office.ports.store.read() as tx:
        rows = {bytes(row.digest): row.id for row in tx.execute(alerts.select())}
    found, token = [], ""
    while True:
        asked = desk_service_pb2.ListInboxRequest(page_size=size, page_token=token)
        answer = list_inbox(office.ports, office.person("border"), asked)
        found.append([rows[one.manifest_digest] for one in answer.alerts])
        token = answer.next_page_token
        if not token:
            return found
        between()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 50])
def test_who_lands_next_stands_first_and_then_the_newest(kh: Office, size: int) -> None:
    a, b, c, d, e, f, g, h = (row for row, _ in with_rows(kh))
    # b landed just now, f long ago; d and g land at one moment; the others have no landing.
    land(kh, {a: NOW + 9 * HOUR, b: NOW - LANDED_MS, d: NOW + HOUR, f: NOW - LANDED_MS - 1, g: NOW + HOUR})
    found = pages(kh, size)
    assert [row for page in found for row in page] == [b, g, d, a, h, f, e, c]
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert found[-1]


def test_what_nobody_acts_upon_stands_behind_however_soon_he_lands(kh: Office) -> None:
    a, b, c, *_ = (row for row, _ in with_rows(kh))
    land(kh, {a: NOW + HOUR, b: NOW + 2 * HOUR, c: NOW + 3 * HOUR})
    state(kh, a, "withdrawn")
    state(kh, c, "restricted")
    (found,) = pages(kh, 50)
    assert found[:2] == [b, c]
    assert found[-1] == a
    for over in ("withdrawn", "superseded"):
        state(kh, a, over)
        told = {one.manifest_digest: one.arrives_at for one in kh.received("border")}
        assert sorted(told.values())[-3:] == [0, NOW + 2 * HOUR, NOW + 3 * HOUR], "and nobody waits for its landing"


def test_each_alert_stands_on_one_page_though_time_passes_and_some_are_taken_back(two: Federation, kh: Office) -> None:
    rows = [row for row, _ in with_rows(kh)]
    land(kh, {row: NOW + place * HOUR for place, row in enumerate(rows[:6], 1)})
    clock = two["kh"].clock
    began = clock.time
    turns = iter(rows[3:6])

    def between() -> None:
        clock.pass_(2 * HOUR)
        row = next(turns, None)
        if row:
            state(kh, row, "withdrawn")

    found = [row for page in pages(kh, 2, between) for row in page]
    clock.time = began
    assert sorted(set(found)) == rows


def test_a_token_of_another_list_or_out_of_bounds_is_refused() -> None:
    for said in (
        "inbox 1",
        "inbox 0 0 1",
        "inbox 5 4 1",
        "inbox 5 5 0",
        "inbox 5 5 x",
        "outbox 5 5 5",
        "inbox 5 5 5 5",
        f"inbox 5 5 {2**63}",
    ):
        with pytest.raises(Malformed, match="page token") as error:
            read_place(urlsafe_b64encode(said.encode()).decode(), NOW)
        assert error.value.code == "PAGE_TOKEN"


def test_another_agency_has_nothing_of_it(kh: Office) -> None:
    with kh.ports.store.read() as tx:
        assert page_landing(tx, agency("kh", POLICE), (1, 2**63 - 1), 50) == []
        assert page_rest(tx, agency("kh", POLICE), 1, 2**63 - 1, 50) == []


def test_a_landing_is_kept_for_whom_was_told_the_journey_and_goes_with_the_content(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(agency("kh", BORDER), agency("kh", NGO)))
        made.pump()
        office = made["kh"]
        row = next(row for row, _ in with_rows(office))
        assert of(office, row, KH_BORDER)
        assert not of(office, row, agency("kh", NGO))
        erase.intend(office.ports, office.domain, [row])
        assert erase.finish(office.ports) == 1
        assert not of(office, row, KH_BORDER)
        (left,) = office.received("border")
        assert (left.arrives_at, "ERASED" in left.flags) == (0, True)
        assert codes(office) == []
        with office.ports.store.write() as tx:
            tx.execute(landings.insert().values(alert_ref=row, agency=KH_BORDER, lands_at=NOW))
        assert codes(office) == ["ERASURE_INCOMPLETE"]


def codes(office: Office) -> list[str]:
    ports = office.ports
    return [one.code for one in check_store(ports.store, ports.vault, ports.high_water, ports.known).found]


def of(office: Office, row: int, who: str) -> dict[int, int]:
    with office.ports.store.read() as tx:
        return landings_for(tx, [row], who)


def test_a_long_inbox_is_read_by_its_indexes(kh: Office) -> None:
    questions = [(_LANDING, (KH_BORDER, 1, 1, 1, 50)), *((text, (KH_BORDER, 1, 1, 50)) for text in _REST_OF)]
    with kh.ports.store.read() as tx:
        plans = [[row[3] for row in ask(tx, f"EXPLAIN QUERY PLAN {text}", values)] for text, values in questions]
    assert "landings_by_time (agency=? AND lands_at>?)" in plans[0][0]
    assert [step for plan in plans for step in plan if step.startswith("SCAN") or step == "USE TEMP B-TREE FOR ORDER BY"] == []
