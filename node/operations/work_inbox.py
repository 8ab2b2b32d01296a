"""What came in for an agency and needs somebody: alerts to answer, answers to read, recalls to read, purges to attest."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.notify.plan import Term
from node.operations.arrivals import Stop, landings, next_stops, stops
from node.operations.contents import purpose_of_entry, unpack_content
from node.operations.inbox import DESK, Given, given_of
from node.operations.inside import standing_of
from node.operations.owing import attestation_term
from node.operations.reach import lineage
from node.operations.standing import Standing, standing_for
from node.operations.work_item import LANDED_MS, Viewer, WorkItem
from node.ports import Ports
from node.store import alerts, work
from node.store.alerts import AlertRow
from node.store.recalls import RecallKind
from node.store.transaction import Transaction
from node.store.unanswered import ACKNOWLEDGEMENT, unanswered

_REFUSAL: Final = "exchange.v1.Refusal"
ANSWERS: Final = frozenset(
    {"exchange.v1.HitReport", "exchange.v1.InformationResponse", "exchange.v1.OnwardDecision", "exchange.v1.OnwardNotice", _REFUSAL}
)
"""What answers something of ours and is to be read, not answered."""
NEITHER: Final = frozenset({ACKNOWLEDGEMENT, "exchange.v1.TipStatus"})
"""What is shown with what it is about, and asks for nothing."""
ASKED_ELSEWHERE: Final = frozenset({"exchange.v1.InformationRequest", "exchange.v1.OnwardRequest"})
"""Types that a source of their own gathers with their own clock."""
_OVER: Final = frozenset({"ERASED", "SUPERSEDED", "WITHDRAWN"})
"""Flags of what nobody acts upon any more."""


@cache
def reported_on() -> frozenset[str]:
    """Types of alerts that a desk reports back on."""
    return frozenset(name for name, kind in alert_types().items() if not kind.control) - ANSWERS - NEITHER - ASKED_ELSEWHERE


def awaits_answer(summary: desk_service_pb2.AlertSummary) -> bool:
    """Whether an alert that came in still waits for the agency's answer: nothing does that is an answer itself, or is over."""
    answerable = summary.alert_type in reported_on() | ASKED_ELSEWHERE
    return answerable and not summary.answered and not _OVER & set(summary.flags)


def alerts_to_answer(ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Alerts in force that the agency has neither acknowledged nor reported on; those acknowledged come back for their report."""
    if not viewer.may(*DESK):
        return
    found = unanswered(tx, viewer.agency, reported_on(), since=now - LANDED_MS, now=now, limit=viewer.at_most)
    rows = alerts.by_ids(tx, [one.alert_ref for one in found])
    given = given_of(tx, rows, viewer.agency)
    for one in found:
        row = rows[one.alert_ref]
        told = _told(ports, tx, row, given[row.id])
        here, departures = landings(told, ports.country), stops(told, "departure")
        lands, departs = next_stops(here, departures, now - LANDED_MS, now)
        deadlines = getattr(told, "deadlines", None)
        acknowledge_by, feed_back_by = (deadlines.acknowledge_by, deadlines.feed_back_by) if deadlines else (0, 0)
        if one.acknowledged and not feed_back_by:
            continue
        # `row.arrives_at` may follow from what another agency was told; this agency's own fragments may not say where he lands.
        first = here[0].at if here else 0
        terms = [feed_back_by] if one.acknowledged else [moment for moment in (acknowledge_by, first) if moment]
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_ALERT_TO_REPORT if one.acknowledged else desk_service_pb2.WORK_KIND_ALERT_TO_ACKNOWLEDGE,
            reference=row.digest,
            counterparty=row.originator,
            term=Term(raised_at=row.recorded_at, due_at=min(terms, default=None), remind_at=_reminder(ports, terms, first, departures)),
            lands_at=lands.at if lands else None,
            zone=lands.zone if lands else "",
            departs_at=departs.at if departs else None,
            departs_zone=departs.zone if departs else "",
            detail=row.alert_type.rpartition(".")[2],
            command=f"exchange inbox {'report' if one.acknowledged else 'show'} {row.digest.hex()[:12]}",
        )


def answers_to_read(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Reports and refusals that came in and that nobody of the agency has opened."""
    if not viewer.may(*DESK):
        return
    for row in alerts.by_ids(tx, work.unopened(tx, viewer.agency, ANSWERS, viewer.at_most)).values():
        refusal = row.alert_type == _REFUSAL
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_REFUSAL_TO_READ if refusal else desk_service_pb2.WORK_KIND_REPORT_TO_READ,
            reference=row.digest,
            counterparty=row.originator,
            term=Term(raised_at=row.recorded_at),
            detail=row.alert_type.rpartition(".")[2],
            command=f"exchange inbox show {row.digest.hex()[:12]}",
        )


def recalls_to_read(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Alerts restricted, disputed or in doubt; once somebody of the agency has opened them since, they need nobody for now."""
    if not viewer.may(*DESK):
        return
    opened = dict(work.recalled(tx, viewer.agency, viewer.at_most))
    rows = alerts.by_ids(tx, list(opened)).values()
    standings = {row.id: standing_for(tx, row, viewer.agency) for row in rows}
    told = {key: max([one.doubted_at] + [recall.recorded_at for recall in one.recalls[-1:]]) for key, one in standings.items()}
    blocked = {key for key, one in standings.items() if one.state in {"restricted", "disputed"} and told[key]}
    for row in _newest_only(tx, [row for row in rows if row.id in blocked]):
        since = told[row.id]
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_RECALL_TO_READ,
            reference=row.digest,
            counterparty=row.originator,
            term=Term(raised_at=since),
            detail=standings[row.id].state.upper(),
            later=opened[row.id] >= since,
            command=f"exchange inbox show {row.digest.hex()[:12]}",
        )


def attestations_to_give(_ports: Ports, tx: Transaction, viewer: Viewer, _now: int) -> Iterable[WorkItem]:
    """Withdrawn alerts whose purge the agency has still to attest."""
    if not viewer.may(*DESK):
        return
    for row in _newest_only(tx, list(alerts.by_ids(tx, work.purges_owed(tx, viewer.agency, viewer.at_most)).values())):
        yield from _owed(row, standing_for(tx, row, viewer.agency), "inbox attest")


def purges_to_confirm(_ports: Ports, tx: Transaction, viewer: Viewer, now: int) -> Iterable[WorkItem]:
    """Withdrawn alerts that a desk of this country told the agency of, and whose purge it has still to confirm to that desk."""
    if not viewer.may(*DESK):
        return
    for row in _newest_only(tx, list(alerts.by_ids(tx, work.purges_inside(tx, viewer.agency, viewer.at_most)).values())):
        standing = standing_of(tx, row, viewer.agency, now)
        if standing.inside:
            yield from _owed(row, standing, "distribution confirm-purge")


def _owed(row: AlertRow, standing: Standing, verb: str) -> Iterable[WorkItem]:
    withdrawals = [one for one in standing.recalls if one.kind is RecallKind.WITHDRAWAL]
    if standing.owes_attestation and withdrawals:
        yield WorkItem(
            kind=desk_service_pb2.WORK_KIND_ATTESTATION_TO_GIVE,
            reference=row.digest,
            counterparty=row.originator,
            term=attestation_term(withdrawals[0]),
            detail=withdrawals[0].reason,
            command=f"exchange {verb} {row.digest.hex()[:12]}",
        )


def _newest_only(tx: Transaction, rows: Sequence[AlertRow]) -> Iterable[AlertRow]:
    """Of each alert the newest manifest among these: whoever reads or attests that one has done with those before it."""
    among = {row.id for row in rows}
    for row in rows:
        line = [one.id for one in lineage(tx, row)]
        later = line[line.index(row.id) + 1 :] if row.id in line else []
        if among.isdisjoint(later):
            yield row


def _reminder(ports: Ports, terms: Sequence[int], first_landing: int, departures: Sequence[Stop]) -> int | None:
    """When to remind of an alert whose term is the landing: at the first departure, if that is earlier than the plan's reminder."""
    if not departures or min(terms, default=0) != first_landing:
        return None
    return min(departures[0].at, first_landing - ports.notices.remind_before)


def _told(ports: Ports, tx: Transaction, row: AlertRow, given: Sequence[Given]) -> Any:
    """Of an alert the fields that carry a clock, so far as the agency was told them; None for a type without any."""
    kind = alert_types()[row.alert_type]
    wanted = _clock_fields(row.alert_type)
    if not wanted or row.wrapped_key is None:
        return None
    data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    fragments: dict[int, bytes] = {}
    for one in given:
        if one.row.sealed is not None:
            content = unpack_content(data_key.open(purpose_of_entry(row.alert_id, one.log.name.origin), one.row.sealed))
            fragments |= {opening.field: opening.fragment for opening in content.openings if opening.field in wanted}
    return kind.message.FromString(b"".join(fragments[number] for number in sorted(fragments)))


@cache
def _clock_fields(alert_type: str) -> frozenset[int]:
    kind = alert_types()[alert_type]
    names = {"deadlines", "itinerary"} if kind.message is TravelAlert else {"deadlines"}
    return frozenset(field.number for field in kind.fields if field.name in names)
