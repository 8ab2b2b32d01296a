"""A passenger list against the alerts in force: proposals for an officer, recorded before they are shown; the rest is forgotten.

Nothing acts on a proposal. Of the list nothing is kept, neither in the store nor in a log: the journal says that somebody screened a
service with so many travellers, and, sealed, which alerts came up.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.matching.edifact import is_interchange
from node.matching.manifest import PassengerList
from node.matching.passenger_csv import read_passenger_csv
from node.matching.paxlst import read_paxlst
from node.matching.proposals import Proposal, Reason
from node.matching.proposals import screen as propose
from node.matching.rule_words import RAREST
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.operations.summaries import own_summary, received_summaries
from node.operations.watchlist import Watchlists
from node.ports import Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

PROPOSALS_AT_MOST: Final = 200
"""In one answer; a list that raises more was not read as it was meant."""
_REASON_AT_MOST: Final = 500

MisHit = tuple[bytes, str, str]
"""Digest of an alert's manifest; issuer and number of the document that a passenger travels on."""
Suppressed = Callable[[Ports, Transaction, Iterable[MisHit]], set[MisHit]]
"""Which of these were found to be somebody else. By document alone: a namesake may share name and birth with the person sought."""

_ITS_DOCUMENT: Final = frozenset({"DOCUMENT_SAME", "DOCUMENT_SAME_NUMBER"})
_FORMATS: Final = {"PAXLST": desk_service_pb2.MANIFEST_FORMAT_PAXLST, "CSV": desk_service_pb2.MANIFEST_FORMAT_CSV}


def none_suppressed(_ports: Ports, _tx: Transaction, _hits: Iterable[MisHit]) -> set[MisHit]:
    """Where nobody remembers mis-hits."""
    return set()


def screen(
    ports: Ports,
    person: str,
    request: desk_service_pb2.ScreenPassengersRequest,
    watchlists: Watchlists,
    suppressed: Suppressed = none_suppressed,
) -> desk_service_pb2.ScreenPassengersResponse:
    """Compare a list with the alerts in force that the caller's agency was given or originated.

    Raises `NotPermitted` as `require`, `Malformed` (SCREEN_REASON, MANIFEST_FORMAT) and `ManifestInvalid` with the codes of the parsers.
    """
    agency = agency_of(require(ports, person, DESK))
    if not request.reason.strip() or len(request.reason) > _REASON_AT_MOST:
        raise Malformed("SCREEN_REASON", f"say why, for your auditors, in at most {_REASON_AT_MOST} characters")
    listed = _read(request, ports.clock.now())
    with watchlists.of(agency).current(ports) as index:
        total = len(index)
        found = [proposal for passenger in listed.passengers for proposal in propose(index, passenger)]
    found.sort(key=lambda proposal: (-proposal.points, proposal.passenger.place))
    with ports.store.read() as tx:
        rows = alerts.by_ids(tx, {proposal.subject.reference for proposal in found})
        kept = _without_mis_hits(ports, tx, found, rows, suppressed)
        shown = kept[:PROPOSALS_AT_MOST]
        summaries = _summaries(ports, tx, agency, [rows[proposal.subject.reference] for proposal in shown])
    digests = list(dict.fromkeys(rows[proposal.subject.reference].digest for proposal in shown))
    query = f"{listed.kind} {listed.service or '-'}: {len(listed.passengers)} travellers, {total} alerts"
    event = Event(code="SCREENED", justification=request.reason.strip(), personal=JournalPersonal(query=query, results=digests))
    note_access(ports, Kind.JOURNAL_KIND_COMBINATION, person, event)
    return desk_service_pb2.ScreenPassengersResponse(
        format=_FORMATS[listed.kind],
        service=listed.service,
        passengers=len(listed.passengers),
        alerts=total,
        proposals=[_proposal(proposal, summaries[proposal.subject.reference]) for proposal in shown],
        left_off=len(kept) - len(shown),
        known_mis_hits=len(found) - len(kept),
        warnings=[desk_service_pb2.ScreeningWarning(place=w.place, code=w.code, message=w.message) for w in listed.warnings],
    )


def _read(request: desk_service_pb2.ScreenPassengersRequest, now: datetime) -> PassengerList:
    today = now.astimezone(UTC).date()
    match request.format:
        case desk_service_pb2.MANIFEST_FORMAT_PAXLST:
            return read_paxlst(request.manifest, today)
        case desk_service_pb2.MANIFEST_FORMAT_CSV:
            return read_passenger_csv(request.manifest, today)
        case desk_service_pb2.MANIFEST_FORMAT_UNSPECIFIED:
            return read_paxlst(request.manifest, today) if is_interchange(request.manifest) else read_passenger_csv(request.manifest, today)
        case _:
            raise Malformed("MANIFEST_FORMAT", "a passenger list is PAXLST or CSV")


def _without_mis_hits(
    ports: Ports, tx: Transaction, found: list[Proposal], rows: dict[int, AlertRow], suppressed: Suppressed
) -> list[Proposal]:
    """Leave out who travels on a document that an officer has already looked at for this alert.

    Not whoever travels on a document that the alert itself names: a slip of one desk would hide the person sought from all others.
    """
    hits = {
        place: _hits(proposal, rows[proposal.subject.reference].digest)
        for place, proposal in enumerate(found)
        if _ITS_DOCUMENT.isdisjoint(reason.rule for reason in proposal.reasons)
    }
    known = suppressed(ports, tx, {hit for places in hits.values() for hit in places}) if found else set()
    return [proposal for place, proposal in enumerate(found) if known.isdisjoint(hits.get(place, ()))]


def _hits(proposal: Proposal, digest: bytes) -> set[MisHit]:
    return {(digest, document.issuer, document.number) for document in proposal.passenger.documents}


def _summaries(ports: Ports, tx: Transaction, agency: str, rows: list[AlertRow]) -> dict[int, desk_service_pb2.AlertSummary]:
    now = ports.clock.now_ms()
    came = [row for row in rows if not row.own]
    received = {row.id: summary for row, summary in zip(came, received_summaries(ports, tx, came, agency), strict=True)}
    return {row.id: own_summary(row, now) for row in rows if row.own} | received


def _proposal(proposal: Proposal, alert: desk_service_pb2.AlertSummary) -> desk_service_pb2.ScreeningProposal:
    passenger = proposal.passenger
    document = passenger.documents[0] if passenger.documents else None
    return desk_service_pb2.ScreeningProposal(
        alert=alert,
        alias=proposal.alias.label,
        alias_text=proposal.alias.text,
        place=passenger.place,
        family_name=passenger.family,
        given_names=passenger.given,
        native_name=passenger.native,
        birth_date=passenger.birth.text if passenger.birth else "",
        document_number=document.number if document else "",
        document_issuer=document.issuer if document else "",
        reasons=[_reason(reason) for reason in proposal.reasons],
        points_tenths=round(proposal.points * 10),
        needed_tenths=round(proposal.needed * 10),
        one_stranger_in=min(proposal.one_stranger_in, RAREST),
    )


def _reason(reason: Reason) -> desk_service_pb2.ScreeningReason:
    tenths = round(reason.points * 10)
    return desk_service_pb2.ScreeningReason(rule=reason.rule, tenths=tenths, told=reason.told, shown=reason.shown, bearers=reason.count)
