"""Release, second half: everything queued gets its place in the logs in one durable transaction. Log before you tell.

Called by one thread only, the sequencer, so that nothing has to be locked when alerts are released.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from exchange.disclosure import encode_entry
from exchange.errors import ExchangeError
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.intake.problems import error
from node.operations.caps import Caps
from node.operations.contents import purpose_of_entry
from node.operations.duplicates import came_meanwhile
from node.operations.emergency import note_emergencies
from node.operations.reach import lineage_obstacle
from node.operations.release import NotReleased, Prepared
from node.operations.sign import own_log
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.logs import LogRow
from node.store.recalls import note_untold
from node.store.subjects import index_alert
from node.store.transaction import Transaction

NOT_ALONE = "NOT_RELEASED_ALONE"
"""The code of whatever belongs to a release that was refused, or that was made before."""


@dataclass(slots=True)
class _Growth:
    """What one transaction appends to one log."""

    log: LogRow
    rows: list[dict[str, Any]] = field(default_factory=list)
    released: list[tuple[str, bool]] = field(default_factory=list)
    """Who released each row, and whether as urgent."""
    disclosed_at: int = 0
    control_size: int = 0


def sequence(ports: Ports, waiting: Sequence[Prepared | NotReleased]) -> list[desk_service_pb2.PublishedAlert]:
    """Store all that is `waiting`, in order, and answer each. The same request id again answers as the first time.

    When this returns, everything answered without problems is durable; partners are woken, and deliveries may leave.
    Raises `StoreFailed`; then nothing of it was stored.
    """
    now = ports.clock.now_ms()
    grown: dict[str, _Growth] = {}
    answers: list[desk_service_pb2.PublishedAlert] = []
    fresh: dict[bytes, desk_service_pb2.PublishedAlert] = {}
    with ports.store.write() as tx:
        released = _Released(ports, tx)
        caps = Caps(ports.known, tx, now)
        repeated = alerts.by_requests(tx, [item.request_id for item in waiting if isinstance(item, Prepared)])
        whose = {request_id: row.originator for request_id, row in repeated.items()}
        for item in waiting:
            if isinstance(item, NotReleased):
                answers.append(_refused(ports, tx, now, item))
            elif whose.get(item.request_id, item.alert["originator"]) != item.alert["originator"]:
                answers.append(_problem(item, "REQUEST_ID_TAKEN", "another agency has used this request's id", "ask anew: --again"))
            elif item.request_id in repeated:
                answers.append(_again(tx, item, repeated[item.request_id]))
            elif item.request_id in fresh:
                answers.append(fresh[item.request_id])
            elif item.only_with and item.only_with not in fresh:
                answers.append(_problem(item, NOT_ALONE, "what it belongs to was not released", "see there"))
            else:
                obstacle = _obstacle(ports, tx, released, item, now) or caps.obstacle(
                    (each.entry for each in item.entries), replacing=bool(item.supersedes)
                )
                answer = _turned_back(ports, tx, now, item, obstacle) if obstacle else _append(ports, tx, grown, item, released, now)
                if not answer.problems:
                    fresh[item.request_id] = answer
                    whose[item.request_id] = item.alert["originator"]
                    released.add(item, now)
                    caps.add(each.entry for each in item.entries)
                    if item.despite:
                        ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, item.officer, item.despite)
                    note_emergencies(ports, tx, item, answer, now)
                answers.append(answer)
        released.store()
        for growth in grown.values():
            frontier = growth.log.frontier.extend(row["leaf"] for row in growth.rows)
            logs.grow(tx, growth.log, frontier, growth.rows, disclosed_at=growth.disclosed_at, control_size=growth.control_size)
        for growth in grown.values():
            for officer, urgent, index, count in _runs(growth):
                event = Event(
                    code="RELEASED",
                    counterparty=growth.log.name.recipient,
                    origin=growth.log.name.origin,
                    index=index,
                    count=count,
                    urgent=urgent,
                )
                ports.journal.record(tx, now, Kind.JOURNAL_KIND_DISCLOSURE, officer, [event])
    # The commit point: from here on the entries are durable, and only now may anybody be woken to send them.
    for partner in grown:
        ports.signals.notify(partner)
    return answers


class _Released:
    """What one call has released so far: its rows go into the store together, or as soon as something must be asked of them."""

    def __init__(self, ports: Ports, tx: Transaction) -> None:
        self._ports = ports
        self._tx = tx
        self._next_id = alerts.next_id(tx)
        self._rows: list[dict[str, Any]] = []
        self._items: list[Prepared] = []

    def reference(self, item: Prepared) -> int:
        """The row id that an item has or will have."""
        return item.existing or self._next_id

    def add(self, item: Prepared, now: int) -> None:
        """Take an item whose entries have their places, and do what follows from it."""
        if not item.existing:
            self._rows.append({"id": self._next_id, **item.alert})
            self._ports.subjects.add(self._next_id, item.person)
            self._next_id += 1
            self._items.append(item)
        if item.consequence is not None:
            self.store()
            item.consequence.take_effect(self._ports, self._tx, now)

    def store(self) -> None:
        """Put what was taken into the store, with its relations."""
        if self._rows:
            alerts.insert_alerts(self._tx, self._rows)
            tokens = [item.tokens for item in self._items]
            index_alert(self._tx, {row["id"]: token for row, token in zip(self._rows, tokens, strict=True)})
        _note_relations(self._ports, self._tx, self._items)
        self._rows, self._items = [], []


def _obstacle(ports: Ports, tx: Transaction, released: _Released, item: Prepared, now: int) -> desk_service_pb2.Problem | None:
    """Why an item can't be released, as the store and what this call has released before stand now."""
    if item.person and not item.supersedes and ports.duplicates_refuse and ports.subjects.find(ports.store, item.person) - item.compared:
        released.store()
        if problem := came_meanwhile(ports, tx, item.person, item.compared, now):
            return problem
    if not item.supersedes and item.consequence is None:
        return None
    released.store()
    problem = lineage_obstacle(tx, item.supersedes, item.alert["originator"]) if item.supersedes else None
    if problem is None and item.consequence is not None:
        problem = item.consequence.obstacle(ports, tx)
    return problem


def _turned_back(
    ports: Ports, tx: Transaction, now: int, item: Prepared, problem: desk_service_pb2.Problem
) -> desk_service_pb2.PublishedAlert:
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, item.officer, [Event(code=problem.code)])
    return desk_service_pb2.PublishedAlert(request_id=item.request_id, problems=[problem])


def _append(
    ports: Ports, tx: Transaction, grown: dict[str, _Growth], item: Prepared, released: _Released, now: int
) -> desk_service_pb2.PublishedAlert:
    placed: list[tuple[_Growth, dict[str, Any]]] = []
    disclosures = []
    waiting: list[str] = []
    for prepared in item.entries:
        growth = grown.get(prepared.partner) or _growth(ports, tx, prepared.partner)
        grown[prepared.partner] = growth
        if growth.log.state != "open" and item.control:
            waiting.append(prepared.partner)
            continue
        if growth.log.state != "open":
            return _problem(item, "LOG_STOPPED", "the log towards this partner is stopped", "see: exchange partner show")
        entry = disclosure_pb2.Entry()
        entry.CopyFrom(prepared.entry)
        entry.disclosed_at = max(growth.disclosed_at, now)
        try:
            data = encode_entry(entry, prepared.partner)
        except ExchangeError as refused:
            return _problem(item, refused.code, str(refused), "choose fewer recipients")
        index = growth.log.size + len(growth.rows) + sum(1 for other, _ in placed if other is growth)
        origin = growth.log.name.origin
        row = {
            "log_id": growth.log.id,
            "idx": index,
            "entry": data,
            "leaf": leaf_hash(data),
            "alert_ref": released.reference(item),
            "sealed": item.data_key.seal(purpose_of_entry(item.alert["alert_id"], origin), prepared.record),
        }
        placed.append((growth, row))
        disclosures.append(
            desk_service_pb2.LoggedDisclosure(origin=origin, index=index, audience=entry.audience, fields=entry.fields, clause=entry.clause)
        )
    for growth, row in placed:
        growth.rows.append(row)
        growth.released.append((item.officer, item.urgent))
        growth.disclosed_at = max(growth.disclosed_at, now)
        if item.control:
            growth.control_size = growth.log.size + len(growth.rows)
    for partner in waiting:
        note_untold(tx, item.alert["digest"], partner)
    return desk_service_pb2.PublishedAlert(
        request_id=item.request_id, alert_id=item.alert["alert_id"], manifest_digest=item.alert["digest"], disclosures=disclosures
    )


def _growth(ports: Ports, tx: Transaction, partner: str) -> _Growth:
    log = own_log(ports, tx, partner)
    return _Growth(log, disclosed_at=log.last_disclosed_at, control_size=log.control_size)


def _runs(growth: _Growth) -> Iterator[tuple[str, bool, int, int]]:
    """(officer, urgent, first index, count) for each run of entries that one officer released, as urgent or not."""
    index = growth.log.size
    for (officer, urgent), run in groupby(growth.released):
        count = len(list(run))
        yield officer, urgent, index, count
        index += count


def _note_relations(ports: Ports, tx: Transaction, released: Sequence[Prepared]) -> None:
    alerts.note_answers(tx, [(item.in_reply_to, item.alert["digest"]) for item in released if item.in_reply_to], outbound=True)
    for item in released:
        if item.supersedes:
            pairs = [(earlier, item.alert["digest"]) for earlier in item.supersedes]
            alerts.note_supersessions(tx, pairs, item.alert["originator"])
            events = [Event(code="SUPERSEDED", subject=earlier) for earlier in item.supersedes]
            ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_ALTERATION, item.officer, events)


def _refused(ports: Ports, tx: Transaction, now: int, item: NotReleased) -> desk_service_pb2.PublishedAlert:
    codes = sorted({problem.code for problem in item.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR})
    ports.journal.record(tx, now, Kind.JOURNAL_KIND_REFUSAL, item.officer, [Event(code=code) for code in codes])
    return desk_service_pb2.PublishedAlert(request_id=item.request_id, problems=item.problems)


def _again(tx: Transaction, item: Prepared, alert: AlertRow) -> desk_service_pb2.PublishedAlert:
    """The first answer; but not that something is out which was taken back since."""
    if alert.state == "withdrawn":
        message = "this was released before, and withdrawn since: nobody is told of it now"
        return _problem(item, "ALERT_WITHDRAWN", message, "if there is new ground: --again")
    return answer_again(tx, item.request_id, alert)


def answer_again(tx: Transaction, request_id: bytes, alert: AlertRow) -> desk_service_pb2.PublishedAlert:
    """The answer to a request that was released before."""
    names = {log.id: log.name.origin for log in logs.all_logs(tx)}
    disclosures = []
    for log_id, row in logs.entries_of_alert(tx, alert.id):
        entry = disclosure_pb2.Entry.FromString(row.entry)
        disclosures.append(
            desk_service_pb2.LoggedDisclosure(
                origin=names[log_id], index=row.idx, audience=entry.audience, fields=entry.fields, clause=entry.clause
            )
        )
    return desk_service_pb2.PublishedAlert(
        request_id=request_id, alert_id=alert.alert_id, manifest_digest=alert.digest, disclosures=disclosures
    )


def _problem(item: Prepared, code: str, message: str, remedy: str) -> desk_service_pb2.PublishedAlert:
    return desk_service_pb2.PublishedAlert(request_id=item.request_id, problems=[error(code, "recipients", message, remedy)])
