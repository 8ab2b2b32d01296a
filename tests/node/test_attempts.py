"""Where a failed attempt to deliver is noticed: at the end of a stream without a receipt, and by whoever misses a partner's stream."""

import queue
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from exchange.v1 import exchange_service_pb2 as messages
from exchange.values import PartyId
from node.operations import receive
from node.operations.attempts import APART, told_in_state
from node.rpc.exchange_service import ExchangeService
from node.store.requests import requests_of
from node.workers.supervisor import Supervisor
from tests.asking import asked, asking_agreement
from tests.countries import POLICE, agency, node_id
from tests.federation import Federation, federation
from tests.rig import Office


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", asking_agreement())
        yield made


def noted(two: Federation) -> int:
    log = two["gb"].outbound(two["kh"])
    with two["gb"].ports.store.read() as tx:
        return len(told_in_state(tx, log, 0))


class _Stream:
    """A stream of the partner `guest` to the door of `host`, without a network."""

    def __init__(self, host: Office, guest: Office) -> None:
        self.requests: queue.Queue[messages.SubscribeRequest | None] = queue.Queue()
        self.requests.put(messages.SubscribeRequest(hello=receive.hello(guest.ports, host.domain)))
        identity = SimpleNamespace(party=PartyId.parse(node_id(guest.country)))
        door: Any = SimpleNamespace(admit=lambda _context: identity, check=lambda _identity: None)
        context: Any = SimpleNamespace(is_active=lambda: True)
        self.answers: Any = ExchangeService(host.ports, door).Subscribe(iter(self.requests.get, None), context)

    def end(self) -> None:
        self.requests.put(None)
        self.answers.close()


def test_a_stream_that_ends_before_the_receipt_of_what_it_sent_was_an_attempt(two: Federation) -> None:
    asked(two["gb"])
    stream = _Stream(two["gb"], two["kh"])
    assert next(stream.answers).HasField("state")
    assert next(stream.answers).HasField("batch")
    assert noted(two) == 0
    stream.end()
    assert noted(two) == 1


def test_a_stream_that_ends_when_all_has_its_receipt_was_none(two: Federation) -> None:
    asked(two["gb"])
    two.pump()
    stream = _Stream(two["gb"], two["kh"])
    next(stream.answers)
    stream.end()
    assert noted(two) == 0


def test_a_partner_without_a_stream_is_missed_once_a_minute(two: Federation) -> None:
    gb = two["gb"]
    asked(gb)
    supervisor = Supervisor(gb.ports, lambda: pytest.fail("nobody is called"), lambda: None)
    look = supervisor._note_attempts
    look()
    assert noted(two) == 0, "partners are given a minute after a start"
    two.clock.pass_(60_000)
    look()
    assert noted(two) == 1
    two.clock.pass_(APART)
    look()
    look()
    assert noted(two) == 2


def test_questions_are_found_by_an_index_of_their_own(two: Federation) -> None:
    gb = two["gb"]
    digest = asked(gb)
    asked_of_the_store: list[tuple[str, Any]] = []
    with gb.ports.store.read() as tx:

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001  SQLAlchemy calls it
            asked_of_the_store.append((statement, parameters))

        event.listen(tx, "before_cursor_execute", note)
        assert [row.digest for row in requests_of(tx, agency("gb", POLICE), 10)] == [digest]
        event.remove(tx, "before_cursor_execute", note)
        plans = [tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", parameters).all() for one, parameters in asked_of_the_store]
    assert [step[-1] for plan in plans[:2] for step in plan if "alerts" in step[-1]] == [
        "SCAN alerts USING COVERING INDEX alerts_requests"
    ] * 2
