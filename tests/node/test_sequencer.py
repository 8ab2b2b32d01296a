"""The sequencer makes ready what is published: together where that changes nothing, each for itself where it would."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2, handling_pb2
from node.operations.officers import NotPermitted
from node.operations.release import NotReleased, Prepared, prepare, prepare_all
from node.store.errors import StoreFailed
from node.workers import sequencer
from node.workers.sequencer import Sequencer
from tests import builders
from tests.countries import BORDER, POLICE, TRAVEL, agency, agreement, changed, domain
from tests.federation import federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
PATIENCE_SECONDS = 30


@pytest.fixture
def gb(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made["gb"]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool, int]]:
    """Person, reason, urgency and number of drafts of each call that made ready."""
    calls: list[tuple[str, str, bool, int]] = []
    really = sequencer.prepare_all

    def noted(ports: Any, person: str, drafts: Sequence[Any], reason: str, *, urgent: bool) -> Any:
        calls.append((person, reason, urgent, len(drafts)))
        return really(ports, person, drafts, reason, urgent=urgent)

    monkeypatch.setattr(sequencer, "prepare_all", noted)
    return calls


def message(*drafts: desk_service_pb2.Draft, reason: str = "synthetic", urgent: bool = False) -> desk_service_pb2.PublishAlertsRequest:
    return desk_service_pb2.PublishAlertsRequest(drafts=drafts, reason=reason, urgent=urgent)


def run(queued: Sequencer) -> None:
    """Do all that is queued, in one go, and end."""
    queued.start()
    queued.stop()


def test_messages_of_one_person_are_made_ready_together_and_answered_apart(gb: Office, prepared: list[Any]) -> None:
    queued, liaison = Sequencer(gb.ports), gb.person("liaison")
    wanted = [draft(KH_BORDER), draft(KH_POLICE), draft(KH_BORDER, request_id=b"short")]
    first, second = queued.publish(liaison, message(wanted[0], wanted[1])), queued.publish(liaison, message(wanted[2]))
    run(queued)
    assert prepared == [(liaison, "synthetic", False, 3)]
    assert [answer.request_id for answer in first.result(0)] == [one.request_id for one in wanted[:2]]
    assert [[problem.code for problem in answer.problems] for answer in first.result(0)] == [[], []]
    assert [problem.code for problem in second.result(0)[0].problems] == ["REQUEST_ID"]


@pytest.mark.parametrize("change", [{"reason": "another"}, {"urgent": True}])
def test_what_differs_for_the_record_is_made_ready_apart(gb: Office, prepared: list[Any], change: dict[str, Any]) -> None:
    queued, liaison = Sequencer(gb.ports), gb.person("liaison")
    queued.publish(liaison, message(draft(KH_BORDER)))
    queued.publish(liaison, message(draft(KH_BORDER), **change))
    run(queued)
    assert [(reason, urgent, size) for _, reason, urgent, size in prepared] == [
        ("synthetic", False, 1),
        (change.get("reason", "synthetic"), change.get("urgent", False), 1),
    ]


def test_who_may_not_release_spoils_nobody_elses(gb: Office) -> None:
    queued = Sequencer(gb.ports)
    turned_away = queued.publish(gb.person("auditor"), message(draft(KH_BORDER)))
    released = queued.publish(gb.person("liaison"), message(draft(KH_BORDER)))
    ready = queued.submit([prepare(gb.ports, gb.person("liaison"), draft(KH_POLICE), "synthetic")])
    run(queued)
    with refused(NotPermitted, "ROLE_MISSING"):
        turned_away.result(0)
    for future in (released, ready):
        (answer,) = future.result(0)
        assert not answer.problems


def test_a_group_takes_no_more_than_fills_a_batch(gb: Office, prepared: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "_AT_ONCE", 2)
    queued, liaison = Sequencer(gb.ports), gb.person("liaison")
    futures = [queued.publish(liaison, message(draft(KH_BORDER))) for _ in range(5)]
    run(queued)
    assert [size for *_, size in prepared] == [2, 2, 1]
    assert all(not future.result(0)[0].problems for future in futures)


def test_a_store_that_fails_is_told_to_each(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise StoreFailed("STORE_FULL", "the disk is full")

    monkeypatch.setattr(sequencer, "sequence", fails)
    queued = Sequencer(gb.ports)
    items = [NotReleased(request_id=bytes(16), officer=gb.person("liaison"), problems=())]
    futures = [queued.submit(items), queued.publish(gb.person("liaison"), message(draft(KH_BORDER)))]
    run(queued)
    for future in futures:
        with refused(StoreFailed, "STORE_FULL"):
            future.result(0)


def test_drafts_of_one_message_are_decided_as_each_would_be_alone(gb: Office) -> None:
    liaison = gb.person("liaison")

    def outcome(item: Prepared | NotReleased) -> Any:
        if isinstance(item, NotReleased):
            return sorted(problem.code for problem in item.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR)
        return [
            (entry.partner, list(entry.entry.audience), list(entry.entry.fields), entry.entry.on_request_ground) for entry in item.entries
        ]

    route = (domain("kh"), BORDER, TRAVEL)
    border = next(c for c in agreement("gb", "kh").clauses if (c.recipient, c.audience, c.alert_type) == route and c.on_request)
    grant = desk_service_pb2.OnRequestGrant(recipient=KH_BORDER, field=border.on_request[0], ground=1)
    drafts = [
        draft(KH_BORDER),
        draft(KH_POLICE),
        draft(KH_BORDER, unticked=border.permitted[:1]),
        draft(KH_BORDER, on_request=[grant]),
        draft(KH_BORDER, purpose=handling_pb2.PURPOSE_PROSECUTION),
        draft(KH_BORDER, handling=changed(builders.handling(), permitted_purposes=[handling_pb2.PURPOSE_DETECTION])),
        draft(KH_BORDER, KH_POLICE),
        draft(KH_BORDER),
    ]
    together = [outcome(item) for item in prepare_all(gb.ports, liaison, drafts, "synthetic")]
    assert together == [outcome(prepare(gb.ports, liaison, one, "synthetic")) for one in drafts]
    assert together[0] == together[-1]
    assert len({str(one) for one in together}) == len(drafts) - 2  # the last is as the first, and both purposes fail alike
