"""One stream of releases: answers in order, a few messages under way, and an end whichever side ends it."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2
from node.rpc.publishing import publish
from node.store.errors import StoreFailed
from tests.refusals import refused

Answers = list[desk_service_pb2.PublishedAlert]
PATIENCE_SECONDS = 30
"""For what must come about, on a machine that does much else."""


def request(*ids: int) -> desk_service_pb2.PublishAlertsRequest:
    drafts = [desk_service_pb2.Draft(request_id=bytes([number])) for number in ids]
    return desk_service_pb2.PublishAlertsRequest(drafts=drafts, reason="synthetic")


def answered(request: desk_service_pb2.PublishAlertsRequest) -> Answers:
    return [desk_service_pb2.PublishedAlert(request_id=draft.request_id) for draft in request.drafts]


def at_once(request: desk_service_pb2.PublishAlertsRequest) -> Future[Answers]:
    future: Future[Answers] = Future()
    future.set_result(answered(request))
    return future


def ids(responses: Iterator[desk_service_pb2.PublishAlertsResponse]) -> list[list[int]]:
    return [[alert.request_id[0] for alert in response.alerts] for response in responses]


def test_each_message_is_answered_in_order() -> None:
    asked = iter([request(1, 2), request(), request(3)])
    assert ids(publish(asked, at_once, lambda: True)) == [[1, 2], [], [3]]


def test_answers_come_while_the_caller_still_waits_to_send() -> None:
    arrived: list[list[int]] = []

    def asking() -> Iterator[desk_service_pb2.PublishAlertsRequest]:
        for number in range(1, 4):
            assert len(arrived) == number - 1
            yield request(number)
            answer_seen.acquire()

    answer_seen = threading.Semaphore(0)
    for response in publish(asking(), at_once, lambda: True):
        arrived.append([alert.request_id[0] for alert in response.alerts])
        answer_seen.release()
    assert arrived == [[1], [2], [3]]


def test_no_more_than_a_few_drafts_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.rpc.publishing.AHEAD", 8)
    messages = 3  # of 2 drafts, of none, which counts as one, and of 5
    submitted: list[Future[Answers]] = []
    full, more = threading.Event(), threading.Event()

    def submit(_request: object) -> Future[Answers]:
        submitted.append(Future())
        if len(submitted) == messages:
            full.set()
        if len(submitted) > messages:
            more.set()
        return submitted[-1]

    asked = [request(1, 2), request(), request(*range(5)), request(6), request(*range(20))]
    responses = publish(iter(asked), submit, lambda: True)
    first: list[object] = []
    reader = threading.Thread(target=lambda: first.append(next(responses)))
    reader.start()
    assert full.wait(PATIENCE_SECONDS)
    assert not more.wait(0.2)
    submitted[0].set_result([])
    reader.join(PATIENCE_SECONDS)
    second = threading.Thread(target=lambda: first.append(next(responses)))
    second.start()
    assert more.wait(PATIENCE_SECONDS)
    submitted[1].set_result([])
    second.join(PATIENCE_SECONDS)
    assert len(first) == 2
    for number in range(2, len(asked)):
        reader = threading.Thread(target=lambda: first.append(next(responses)))
        reader.start()
        while len(submitted) <= number:
            assert reader.is_alive()
        submitted[number].set_result([])
        reader.join(PATIENCE_SECONDS)
    assert len(first) == len(asked)


def test_what_a_message_raises_comes_after_the_answers_before_it() -> None:
    def asking() -> Iterator[desk_service_pb2.PublishAlertsRequest]:
        yield request(1)
        raise Malformed("BROKEN", "the stream broke")

    responses = publish(asking(), at_once, lambda: True)
    assert [alert.request_id for alert in next(responses).alerts] == [b"\x01"]
    with refused(Malformed, "BROKEN"):
        next(responses)


def test_a_store_that_fails_is_told_to_whoever_waits() -> None:
    def submit(_request: object) -> Future[Answers]:
        future: Future[Answers] = Future()
        future.set_exception(StoreFailed("STORE_FULL", "the disk is full"))
        return future

    with refused(StoreFailed, "STORE_FULL"):
        next(publish(iter([request(1)]), submit, lambda: True))


def test_a_caller_that_went_away_does_not_keep_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.rpc.publishing.AHEAD", 4)
    monkeypatch.setattr("node.rpc.publishing._LOOK_AGAIN_SECONDS", 0.01)
    before = set(threading.enumerate())
    responses = publish(iter([request(number) for number in range(9)]), at_once, lambda: False)
    next(responses)
    responses.close()  # type: ignore[attr-defined]  # a generator, as gRPC closes it
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
