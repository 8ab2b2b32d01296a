"""Compare this node's copies of the logs with a partner's, over the network: one hash a log, and on a difference down to the first entry.

Equal logs cost no question beside the one for all heads, however long they are. The partner's answers are hostile input: its leaf hashes
must lead to the root that it claimed, and its receipts must be signed.
"""

from collections.abc import Iterator

from exchange.errors import ExchangeError, NotFound
from exchange.log import LogName
from exchange.tlog.checkpoint import MAX_SIZE
from exchange.tlog.merkle import EMPTY_ROOT
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import exchange_service_pb2
from node.operations.log_walk import LogWalk, SharedLogs, wrong_answer
from node.operations.officers import ADMINISTRATOR, AUDITOR, require
from node.ports import Ports
from node.store import logs
from node.store.directory import raise_alarm
from node.store.journal import Event, Kind
from node.store.logs import LogRow

_HEADS_AT_MOST = 1000


def reconcile(ports: Ports, person: str, request: messages.ReconcileRequest, partner: SharedLogs) -> Iterator[messages.ReconcileResponse]:
    """Compare every log with the partner of the request; says how far it is, and at last what differs.

    What breaks a proof raises the alarm LOGS_DIFFER. The review is journalled before the last message. Raises `NotFound` (PARTNER_UNKNOWN),
    `Malformed` (RECONCILE_ANSWER: what the partner says is not what was asked), and what asking the partner raises.
    """
    require(ports, person, (AUDITOR, ADMINISTRATOR))
    if request.partner not in ports.known.partners:
        raise NotFound("PARTNER_UNKNOWN", "this trust domain is not a partner: see `exchange partner list`")
    # A log may grow meanwhile. Read in this order, the sender's copy is never the older of the two.
    mirrors = _logs_with(ports, request.partner, outbound=False)
    heads = _heads(ports, request.partner, partner.log_heads())
    ours = {log.name.origin: log for log in (*mirrors, *_logs_with(ports, request.partner, outbound=True))}
    finished = messages.ReconcileResponse(finished=True)
    alarms: dict[str, bytes] = {}
    now = ports.clock.now_ms()
    for origin in sorted({*ours, *heads}):
        walk = LogWalk(ports=ports, partner=partner, name=LogName.parse(origin), ours=ours.get(origin), head=heads.get(origin))
        for fetched in walk.run():
            yield messages.ReconcileResponse(progress_origin=origin, progress=fetched)
        finished.logs.append(walk.summary())
        for told in walk.told(now):
            if told.disclosed_at and not getattr(request, "from") <= told.disclosed_at < (request.until or MAX_SIZE):
                continue
            finished.differences.append(told)
            if told.grade == messages.FINDING_GRADE_CRITICAL:
                alarms.setdefault(origin, told.contradiction)
    with ports.store.write() as tx:
        event = Event(code="RECONCILIATION", counterparty=request.partner)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_REVIEW, person, [event])
        for origin, evidence in alarms.items():
            raise_alarm(tx, now, "LOGS_DIFFER", partner=request.partner, origin=origin, evidence=evidence or None)
    yield finished


def _logs_with(ports: Ports, partner: str, *, outbound: bool) -> list[LogRow]:
    with ports.store.read() as tx:
        return [log for log in logs.all_logs(tx) if log.outbound == outbound and partner in {log.name.sender, log.name.recipient}]


def _heads(ports: Ports, partner: str, answer: exchange_service_pb2.GetLogHeadsResponse) -> dict[str, exchange_service_pb2.LogHead]:
    heads = {head.origin: head for head in answer.heads}
    for head in heads.values():
        try:
            name = LogName.parse(head.origin)
        except ExchangeError:
            raise wrong_answer() from None
        if {name.sender, name.recipient} != {ports.trust_domain, partner} or len(head.root) != len(EMPTY_ROOT) or head.size > MAX_SIZE:
            raise wrong_answer()
        if not head.size and head.root != EMPTY_ROOT:
            raise wrong_answer()
    if len(heads) != len(answer.heads) or len(heads) > _HEADS_AT_MOST:
        raise wrong_answer()
    return heads
