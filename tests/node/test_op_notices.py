"""Notices from end to end: what is due is told once a round, survives failures and crashes, and says nothing of whom it is about."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2 as messages
from node.notify.notice import NoticeKind
from node.notify.plan import MINUTE, NoticePlan
from node.operations import notices
from node.operations.notices import GIVE_UP_AFTER_MS, KEPT_MS, NOTICE_KINDS
from node.store.directory import raise_alarm
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.store.notices import all_notices
from node.workers.notices import Notifier
from tests import person
from tests.countries import BORDER, DAY, HOUR, NOW, POLICE, agency
from tests.federation import Federation
from tests.recalls import RESTRICTION, attested, recalled, shown
from tests.rig import Office
from tests.worklists import DEPARTS, LANDS, Way, office_pair, told, turn

pytestmark = pytest.mark.thorough

KH_BORDER = agency("kh", BORDER)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    for one in ("gb", "kh"):
        made[one].ports = replace(made[one].ports, notices=NoticePlan(remind_before=HOUR, escalate_after=2 * HOUR))
    yield made
    made.close()


# Rounds


def test_an_alert_is_told_at_departure_at_the_landing_and_to_the_chief_and_then_never_again(two: Federation) -> None:
    kh, way = two["kh"], Way()
    digest = told(two)
    for moment, wanted in (
        (DEPARTS - 1, []),
        (DEPARTS, [("acknowledge-due", False)]),
        (LANDS - 1, [("acknowledge-due", False)]),
        (LANDS, [("acknowledge-due", False)] * 2),
        (LANDS + 2 * HOUR, [*[("acknowledge-due", False)] * 2, ("acknowledge-due", True)]),
        (LANDS + 9 * DAY, [*[("acknowledge-due", False)] * 2, ("acknowledge-due", True)]),
    ):
        two.clock.time = moment
        turn(kh, way)
        turn(kh, way)
        assert way.told == wanted
    assert {notice.reference for notice in way.taken} == {digest[:8].hex()}
    assert {notice.due_at for notice in way.taken} == {LANDS}
    assert {notice.source for notice in way.taken} == {kh.domain}
    assert len({notice.id for notice in way.taken}) == 3


@pytest.mark.parametrize(
    ("acknowledge_by", "departure", "reminder"),
    [
        (LANDS - 4 * HOUR, "2026-05-29T21:40", LANDS - 5 * HOUR),  # the term is no landing
        (0, "2026-05-30T08:35", LANDS - HOUR),  # a flight of half an hour
        (0, "", LANDS - HOUR),
    ],
)
def test_where_the_departure_says_nothing_the_plan_does(two: Federation, acknowledge_by: int, departure: str, reminder: int) -> None:
    kh, way, alert = two["kh"], Way(), person.alert()
    alert.deadlines.acknowledge_by = acknowledge_by
    alert.itinerary[0].departure.local = departure
    if not departure:
        alert.itinerary[0].ClearField("departure")
    told(two, alert=encode(alert))
    for moment, wanted in ((reminder - 1, 0), (reminder, 1)):
        two.clock.time = moment
        turn(kh, way)
        assert len(way.taken) == wanted


def test_what_is_done_in_time_is_told_no_more(two: Federation) -> None:
    kh, way = two["kh"], Way()
    digest = told(two)
    two.clock.time = LANDS - HOUR
    turn(kh, way)
    kh.report(digest.hex())
    two.clock.time = LANDS + 2 * HOUR
    turn(kh, way)
    assert way.told == [("acknowledge-due", False)]


def test_rounds_that_passed_while_the_node_was_down_are_not_made_up_for(two: Federation) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS + 3 * HOUR
    kh.restart()
    turn(kh, way)
    assert way.told == [("acknowledge-due", True)]


def test_a_report_that_came_is_told_at_once_without_a_term(two: Federation) -> None:
    gb, kh, way = two["gb"], two["kh"], Way()
    report = kh.report(told(two).hex()).manifest_digest
    two.pump()
    turn(gb, way)
    (notice,) = way.taken
    assert (notice.kind, notice.reference, notice.due_at) == (NoticeKind.REPORT_CAME, report[:8].hex(), None)
    shown(gb, report, "liaison")
    two.clock.pass_(3 * HOUR)
    turn(gb, way)
    assert len(way.taken) == 1


def test_attestations_are_asked_for_daily_until_the_last_has_come(two: Federation) -> None:
    gb, kh, ours, theirs = two["gb"], two["kh"], Way(), Way()
    digest = told(two, KH_BORDER, agency("kh", POLICE))
    recalled(gb, digest)
    two.pump()
    for days in (1, 4, 7, 8, 14, 15, 16):
        two.clock.time = NOW + days * DAY
        turn(gb, ours)
        turn(kh, theirs)
    owed = [("attestation-owed", False)] * 2 + [("attestation-owed", True)] * 3
    assert theirs.told == owed
    assert ours.told == [(kind.replace("owed", "awaited"), escalated) for kind, escalated in owed]
    attested(kh, digest)
    two.pump()
    two.clock.pass_(DAY)
    turn(gb, ours)
    assert len(ours.taken) == 6  # the other agency's is still to come
    attested(kh, digest, "police")
    two.pump()
    two.clock.pass_(DAY)
    turn(gb, ours)
    turn(kh, theirs)
    assert (len(ours.taken), len(theirs.taken)) == (6, 5)


def test_one_thing_that_two_agencies_owe_is_one_notice_a_way(two: Federation) -> None:
    one, other = Way("one"), Way("other")
    told(two, KH_BORDER, agency("kh", POLICE))
    two.clock.time = LANDS
    turn(two["kh"], one, other)
    assert one.told == other.told == [("acknowledge-due", False)]
    assert one.taken[0].id != other.taken[0].id


def test_a_question_that_is_late_is_called_late() -> None:
    # Of what waits for one person, and for others, no office is told.
    untold = {0, messages.WORK_KIND_DRAFT_TO_FINISH, messages.WORK_KIND_HANDOVER_TO_TAKE, messages.WORK_KIND_LEAVE_TO_COME}
    untold |= {messages.WORK_KIND_AGREEMENT_TO_ACCEPT}
    assert {NOTICE_KINDS[kind] for kind in {*messages.WorkKind.values()} - untold} == set(NoticeKind) - {NoticeKind.ANSWER_OVERDUE}


# Failures


def test_a_delivery_that_fails_is_tried_again_later_under_the_same_id_and_never_after_success(two: Federation) -> None:
    kh, way = two["kh"], Way(fails=True)
    told(two)
    two.clock.time = LANDS
    turn(kh, way)
    turn(kh, way)  # not yet
    assert len(way.tried) == 1
    for seconds in (30, 60):
        two.clock.pass_(seconds * 1000)
        turn(kh, way)
    assert len(way.tried) == 3
    two.clock.pass_(119_000)
    turn(kh, way)
    assert len(way.tried) == 3
    way.fails = False
    two.clock.pass_(1_000)
    kh.restart()
    for _ in range(3):
        turn(kh, way)
        two.clock.pass_(60_000)
    assert len(way.tried) == 4
    assert len({notice.id for notice in way.tried}) == 1
    assert len(way.taken) == 1


def test_a_crash_after_the_delivery_delivers_the_same_notice_again(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(notices, "delivered", crash)
        with pytest.raises(KeyboardInterrupt):
            turn(kh, way)
    kh.restart()
    turn(kh, way)
    turn(kh, way)
    assert len(way.taken) == 2
    assert way.taken[0] == way.taken[1]


def test_nothing_leaves_that_is_not_stored_before(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS

    def full(_self: Store) -> None:
        raise StoreFailed("STORE_FULL", "synthetic")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", full)
        with pytest.raises(StoreFailed):
            turn(kh, way)
    assert not way.tried


def test_one_way_that_fails_holds_up_no_other_and_is_tried_once_a_turn(two: Federation) -> None:
    kh, good, bad = two["kh"], Way("good"), Way("bad", fails=True)
    for _ in range(3):
        told(two)
    two.clock.time = LANDS
    turn(kh, bad, good)
    assert (len(good.taken), len(bad.tried)) == (3, 1)


def test_what_is_never_taken_is_given_up_with_an_alarm_that_goes_when_the_way_works_again(two: Federation) -> None:
    kh, way, other = two["kh"], Way("mail", fails=True), Way("webhook-1")
    told(two)
    two.clock.time = LANDS
    turn(kh, way, other)
    two.clock.pass_(GIVE_UP_AFTER_MS - 1)
    kh.ports = replace(kh.ports, notices=NoticePlan(remind_before=HOUR, escalate_after=40 * DAY))  # the round stays the same
    turn(kh, way, other)
    assert kh.alarms() == set()
    two.clock.pass_(HOUR)
    turn(kh, way, other)
    assert kh.alarms() == {"NOTICE_UNDELIVERED"}
    assert [code for kind, *_, code in kh.journal() if kind == "alarm"] == ["NOTICE_UNDELIVERED"]
    tried = len(way.tried)
    two.clock.pass_(HOUR)
    turn(kh, way, other)
    fresh = way.tried[tried:]
    assert {notice.kind for notice in fresh} == {NoticeKind.ALARM}  # what was given up is not tried any more; the alarm itself is
    assert ("alarm", False) in other.told
    way.fails = False
    two.clock.pass_(HOUR)
    turn(kh, way, other)
    assert kh.alarms() == set()


def test_the_alarm_of_a_way_that_is_no_more_goes_with_it(two: Federation) -> None:
    kh = two["kh"]
    with kh.ports.store.write() as tx:
        raise_alarm(tx, NOW, "NOTICE_UNDELIVERED", partner=kh.domain, origin="webhook-0")
    turn(kh, Way("webhook-0", fails=True))
    assert kh.alarms() == {"NOTICE_UNDELIVERED"}
    turn(kh, Way("mail"))
    assert kh.alarms() == set()


def test_what_was_not_delivered_is_forgotten_once_it_is_done_and_what_was_a_month_later(two: Federation) -> None:
    kh, way = two["kh"], Way(fails=True)
    done = told(two)
    told(two)
    two.clock.time = LANDS
    turn(kh, way)
    assert len(rows(kh)) == 2
    kh.report(done.hex())
    two.clock.pass_(MINUTE)
    way.fails = False
    turn(kh, way)
    assert (len(rows(kh)), len(way.taken)) == (1, 1)
    two.clock.time = NOW + 20 * DAY  # it has expired
    turn(kh, way)
    assert len(rows(kh)) == 1
    two.clock.time = LANDS + MINUTE + KEPT_MS
    turn(kh, way)
    assert len(rows(kh)) == 1
    two.clock.pass_(1)
    turn(kh, way)
    assert rows(kh) == []


def rows(office: Office) -> list[str]:
    with office.ports.store.read() as tx:
        return [row.kind for row in all_notices(tx)]


def test_an_idle_office_writes_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS
    turn(kh, way)

    def fail(_self: Store) -> None:
        raise AssertionError("an idle turn writes")

    monkeypatch.setattr(Store, "write", fail)
    turn(kh, way)


def test_a_flood_leaves_in_parts_the_most_urgent_first(two: Federation) -> None:
    kh, way = two["kh"], Way()
    restricted = [told(two) for _ in range(23)][-1]
    recalled(two["gb"], restricted, RESTRICTION)
    two.pump()
    two.clock.time = LANDS  # by when the restriction has waited so long that it is escalated
    turn(kh, way)
    assert way.told == [("recall-came", True), *[("acknowledge-due", False)] * 19]
    turn(kh, way)
    assert way.told[20:] == [("acknowledge-due", False)] * 3
    turn(kh, way)
    assert len(way.taken) == 23


# The thread


def test_a_failure_of_the_store_ends_no_turn_for_good_and_logs_name_codes_alone(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS
    notifier = Notifier(kh.ports, [way], every_seconds=0.01)
    failures: list[Exception] = [StoreFailed("STORE_LOCKED", "synthetic"), RuntimeError("Thomas Specimen")]
    real = notices.raise_notices

    def sometimes(*arguments: Any) -> Any:
        if failures:
            raise failures.pop(0)
        notifier._stopping.set()
        return real(*arguments)

    monkeypatch.setattr(notices, "raise_notices", sometimes)
    with capture_logs() as logged:
        notifier.start()
        notifier._thread.join(10)
        notifier.stop()
    assert [(line["event"], line.get("code") or line.get("error")) for line in logged] == [
        ("notices failed", "STORE_LOCKED"),
        ("notices failed", "RuntimeError"),
    ]
    assert "Specimen" not in str(logged)


def test_a_notifier_that_is_stopping_sends_nothing_more(two: Federation) -> None:
    kh, way = two["kh"], Way()
    told(two)
    two.clock.time = LANDS
    notifier = Notifier(kh.ports, [way])
    notifier._stopping.set()
    notifier.turn()
    assert not way.tried


def test_a_failure_of_what_is_not_wanted_any_more_changes_nothing(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    two.clock.time = LANDS
    (outgoing,) = notices.raise_notices(kh.ports, ["way"])
    kh.report(digest.hex())
    assert notices.raise_notices(kh.ports, ["way"]) == []
    two.clock.pass_(2 * DAY)
    assert not notices.failed(kh.ports, outgoing, 0.0)
    assert (rows(kh), kh.alarms()) == ([], set())
