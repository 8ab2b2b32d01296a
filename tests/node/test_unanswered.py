"""What an agency still has to answer: however much there is, who lands next and what is newest are among it."""

from collections.abc import Collection

from node.store.tables import landings
from node.store.unanswered import Unanswered, unanswered
from tests.countries import BORDER, DAY, NOW, agency
from tests.federation import Federation
from tests.rig import draft

TRAVEL_ALERT = "exchange.v1.TravelAlert"
US = agency("kh", BORDER)


def open_at(
    two: Federation, *, limit: int = 9, now: int = NOW, types: Collection[str] = (TRAVEL_ALERT,), who: str = US
) -> list[Unanswered]:
    with two["kh"].ports.store.read() as tx:
        return unanswered(tx, who, types, since=NOW, now=now, limit=limit)


def test_who_lands_next_stands_first_and_the_newest_after_it(two: Federation) -> None:
    rows = []
    for _ in range(4):
        assert not two["gb"].publish(draft(US)).problems
        two.pump()
        (newest,) = {one.alert_ref for one in open_at(two)} - set(rows)
        rows.append(newest)
    with two["kh"].ports.store.write() as tx:
        for row, lands_at in zip(rows, (NOW + 2 * DAY, NOW + DAY, NOW - DAY, NOW - DAY), strict=True):
            tx.execute(landings.update().where(landings.c.alert_ref == row).values(lands_at=lands_at))
    assert [one.alert_ref for one in open_at(two)] == [rows[1], rows[0], rows[3], rows[2]]
    assert [one.alert_ref for one in open_at(two, limit=1)] == [rows[1], rows[3]]
    assert open_at(two, types={"exchange.v1.HitReport"}) == open_at(two, who=agency("gb", BORDER)) == []
    assert open_at(two, now=NOW + 400 * DAY) == []


def test_a_withdrawn_alert_is_not_to_be_answered(two: Federation) -> None:
    assert not two["gb"].publish(draft(US)).problems
    two.pump()
    (one,) = open_at(two)
    with two["kh"].ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = 'withdrawn' WHERE id = ?", (one.alert_ref,))
    assert open_at(two) == []
