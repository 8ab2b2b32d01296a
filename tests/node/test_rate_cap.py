"""A clause's cap on releases a day: counted from the log, in the transaction of the release."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exchange.v1 import agreement_pb2, desk_service_pb2
from node.operations import preview
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.store import log_uses
from node.workers.sequencer import Sequencer
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.recalls import replaced
from tests.rig import draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
BORDER_CLAUSE = "gb-kh-travelalert-border"


def capped(cap: int) -> agreement_pb2.Agreement:
    return with_clause(agreement(), BORDER_CLAUSE, rate_cap_per_day=cap)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", capped(2))
        yield made


def codes(answer: desk_service_pb2.PublishedAlert) -> list[str]:
    return [problem.code for problem in answer.problems]


def test_a_release_above_the_cap_is_refused_and_told_when_the_next_may_go(two: Federation) -> None:
    gb = two["gb"]
    assert not codes(gb.publish(draft(KH_BORDER)))
    two.clock.pass_(HOUR)
    assert not codes(gb.publish(draft(KH_BORDER)))
    (problem,) = gb.publish(draft(KH_BORDER)).problems
    assert problem.code == "CONDITION_RATE_CAP"
    assert "2026-05-29 20:26:40 UTC" in problem.remedy  # a day after the first
    assert ("refusal", gb.person("liaison"), "", "CONDITION_RATE_CAP") in gb.journal()
    assert gb.outbound(two["kh"]).size == 2
    two.clock.pass_(23 * HOUR - 1)
    assert codes(gb.publish(draft(KH_BORDER))) == ["CONDITION_RATE_CAP"]
    two.clock.pass_(1)
    assert not codes(gb.publish(draft(KH_BORDER)))
    assert codes(gb.publish(draft(KH_BORDER))) == ["CONDITION_RATE_CAP"]


def test_a_correction_goes_even_so_and_counts(two: Federation) -> None:
    gb = two["gb"]
    first = gb.publish(draft(KH_BORDER)).manifest_digest
    assert not codes(gb.publish(draft(KH_BORDER)))
    answer = replaced(gb, first)
    assert not codes(answer.replacement)
    assert not list(answer.not_admitted)
    two.clock.pass_(DAY - 1)
    assert codes(gb.publish(draft(KH_BORDER))) == ["CONDITION_RATE_CAP"]
    two.clock.pass_(1)
    assert not codes(gb.publish(draft(KH_BORDER)))


def test_another_clause_is_not_counted(two: Federation) -> None:
    gb = two["gb"]
    for _ in range(3):
        assert not codes(gb.publish(draft(KH_POLICE)))
    assert not codes(gb.publish(draft(KH_BORDER)))


def test_the_preview_says_what_is_left(two: Federation) -> None:
    gb = two["gb"]
    for left in (2, 1):
        (shown,) = preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER)).recipients
        assert (shown.rate_cap_per_day, shown.rate_left, list(shown.denied)) == (2, left, [])
        gb.publish(draft(KH_BORDER))
    (shown,) = preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER)).recipients
    assert [problem.code for problem in shown.denied] == ["CONDITION_RATE_CAP"]
    (other,) = preview.preview(gb.ports, gb.person("liaison"), draft(KH_POLICE)).recipients
    assert (other.rate_cap_per_day, other.rate_left, list(other.denied)) == (0, 0, [])


def test_one_transaction_does_not_exceed_the_cap(two: Federation) -> None:
    gb = two["gb"]
    ready = [prepare(gb.ports, gb.person("liaison"), draft(KH_BORDER), "synthetic reason") for _ in range(4)]
    assert [codes(answer) for answer in sequence(gb.ports, ready)] == [[], [], ["CONDITION_RATE_CAP"], ["CONDITION_RATE_CAP"]]


def test_releases_at_once_do_not_exceed_the_cap_together(two: Federation) -> None:
    gb = two["gb"]
    sequencer = Sequencer(gb.ports)
    sequencer.start()

    def release(name: str) -> list[str]:
        ready = prepare(gb.ports, gb.person(name), draft(KH_BORDER), "synthetic reason")
        return codes(sequencer.submit([ready]).result()[0])

    try:
        with ThreadPoolExecutor(8) as together:
            answers = list(together.map(release, ["liaison", "second"] * 8))
    finally:
        sequencer.stop()
    assert sorted(answers) == [[]] * 2 + [["CONDITION_RATE_CAP"]] * 14
    assert gb.outbound(two["kh"]).size == 2


def test_what_was_released_before_a_restart_counts(two: Federation) -> None:
    gb = two["gb"]
    for _ in range(2):
        gb.publish(draft(KH_BORDER))
    gb.restart()
    assert codes(gb.publish(draft(KH_BORDER))) == ["CONDITION_RATE_CAP"]


def test_more_than_a_day_allows_is_told_so(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as one:
        wanted = capped(1)
        wanted.agencies.add(agency="spiffe://kh.alerts.example/agency/second-border", agency_class=BORDER)
        wanted.agencies.sort(key=lambda item: item.agency)
        one.connect("gb", "kh", wanted)
        # To both by one entry: a release, however many agencies read it.
        assert not codes(one["gb"].publish(draft(KH_BORDER, "spiffe://kh.alerts.example/agency/second-border")))


def test_a_clause_without_a_cap_asks_the_store_nothing(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the log was read")

    monkeypatch.setattr(log_uses, "ask", asked)
    assert not codes(two["gb"].publish(draft(KH_POLICE)))
    with pytest.raises(AssertionError, match="the log was read"):
        two["gb"].publish(draft(KH_BORDER))


def test_only_the_last_day_of_the_log_is_read(two: Federation) -> None:
    gb = two["gb"]
    for _ in range(5):
        gb.publish(draft(KH_BORDER))
        two.clock.pass_(DAY // 2)
    with gb.ports.store.read() as tx:
        log = gb.outbound(two["kh"])
        digest = next(iter(gb.ports.known.agreements))
        since = two.clock.time - DAY
        assert [use.index for use in log_uses.entries_under(tx, log, digest, since)] == [3, 4]
        assert [use.index for use in log_uses.entries_under(tx, log, digest)] == [0, 1, 2, 3, 4]
        assert log_uses.entries_under(tx, log, bytes(32)) == []
