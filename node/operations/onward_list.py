"""Requests to pass on, those of the caller's agency and those to it, and what became of each."""

import re

from exchange.errors import ExchangeError, NotFound
from exchange.v1 import desk_service_pb2, handling_pb2, permit_pb2, statement_pb2
from exchange.values import PartyId
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.operations.onward_reach import onward_notices, third_countries
from node.operations.outbox import disclosures_of
from node.operations.owing import of_third_parties, status
from node.operations.permitted import verified_permit
from node.ports import Ports
from node.store import alerts, onward
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.onward import RequestRow
from node.store.transaction import Transaction

_AT_MOST = 500
_REFERENCE = re.compile(r"[0-9a-f]{8,64}")


def list_onward(ports: Ports, person: str) -> desk_service_pb2.ListOnwardResponse:
    """Requests of the caller's agency and to it, newest first, 500 at most."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        found = [_summary(ports, tx, asked) for asked in onward.requests_of(tx, agency, _AT_MOST)]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="ONWARD"))
    return desk_service_pb2.ListOnwardResponse(onward=found)


def get_onward(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetOnwardResponse:
    """One request, the permit, what was passed on under it and what the third country attested. Raises `NotFound` (ONWARD_UNKNOWN)."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        asked = _find(tx, agency, reference)
        summary = _summary(ports, tx, asked)
        row = alerts.by_digests(tx, {asked.manifest}).get(asked.manifest)
        permit = onward.find_permit(tx, summary.permit_digest) if summary.permit_digest else None
        disclosures = disclosures_of(ports, tx, row, []) if row is not None and asked.own and not asked.judicial else []
        domain = _third(asked)
        attestations = [
            status(one)
            for one in (of_third_parties(ports, tx, row) if row is not None and domain else ())
            if PartyId.parse(one.agency).trust_domain == domain
        ]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="ONWARD", subject=asked.request))
    return desk_service_pb2.GetOnwardResponse(
        summary=summary,
        disclosures=[one for one in disclosures if domain and one.disclosure.origin.split("/")[2] == domain],
        attestations=attestations,
        permit=permit.SerializeToString() if permit else b"",
    )


def asked_of(tx: Transaction, agency: str, reference: str) -> RequestRow:
    """The request to `agency` whose digest begins so. Raises `NotFound` (ONWARD_UNKNOWN)."""
    return _find(tx, agency, reference, own=False)


def asked_by(tx: Transaction, agency: str, reference: str) -> RequestRow:
    """The request of `agency` whose digest begins so. Raises `NotFound` (ONWARD_UNKNOWN)."""
    return _find(tx, agency, reference, own=True)


def permit_of(ports: Ports, tx: Transaction, asked: RequestRow, row: AlertRow | None) -> tuple[bytes, permit_pb2.Permit] | None:
    """Digest and content of the permit that came with the decision on a request of ours, if it verifies; or that we gave."""
    decided = onward.decision_on(tx, asked.request, row.originator) if row is not None else None
    if row is None or decided is None or not decided.permit:
        return None
    statement = onward.find_permit(tx, decided.permit)
    try:
        if row.own:
            return (decided.permit, _content(statement)) if statement else None
        permit = verified_permit(ports.known, statement, row)
    except ExchangeError:
        return None
    return permit.digest, permit.value


def _content(statement: statement_pb2.Statement) -> permit_pb2.Permit:
    return permit_pb2.Permit.FromString(statement.payload)


def _find(tx: Transaction, agency: str, reference: str, *, own: bool | None = None) -> RequestRow:
    wanted = reference.lower()
    found: list[RequestRow] = []
    if _REFERENCE.fullmatch(wanted):
        found = [one for one in onward.requests_of(tx, agency, 2, prefix=wanted) if own in {None, one.own}]
    if len(found) != 1:
        message = "there is no such request of your agency or to it, or more than one begins like this: see `exchange onward list`"
        raise NotFound("ONWARD_UNKNOWN", message)
    return found[0]


def _third(asked: RequestRow) -> str:
    return PartyId.parse(asked.third_party).trust_domain if asked.third_party and not asked.judicial else ""


def _summary(ports: Ports, tx: Transaction, asked: RequestRow) -> desk_service_pb2.OnwardSummary:
    row = alerts.by_digests(tx, {asked.manifest}).get(asked.manifest)
    decided = onward.decision_on(tx, asked.request, row.originator) if row is not None else None
    permit = permit_of(ports, tx, asked, row)
    passed_on_at = _passed_on_at(tx, asked, row, permit[0] if permit else b"")
    now = ports.clock.now_ms()
    state = desk_service_pb2.ONWARD_STATE_ASKED
    if passed_on_at:
        state = desk_service_pb2.ONWARD_STATE_PASSED_ON
    elif decided is not None and not decided.granted:
        state = desk_service_pb2.ONWARD_STATE_DENIED
    elif decided is not None:
        until = permit[1].expires_at if permit else decided.until
        state = desk_service_pb2.ONWARD_STATE_GRANTED if now < until else desk_service_pb2.ONWARD_STATE_EXPIRED
    return desk_service_pb2.OnwardSummary(
        request_digest=asked.request,
        manifest_digest=asked.manifest,
        own=asked.own,
        asker=asked.asker,
        third_party=asked.third_party,
        fields=list(asked.fields),
        # As it was received: a purpose that a later version added is shown as such.
        purpose=handling_pb2.Purpose.ValueType(asked.purpose),
        until=asked.until,
        judicial_use=asked.judicial,
        state=state,
        asked_at=asked.recorded_at,
        decision_digest=decided.decision if decided else b"",
        decided_at=decided.recorded_at if decided else 0,
        permit_digest=permit[0] if permit else b"",
        granted_fields=permit[1].fields if permit else [],
        granted_until=permit[1].expires_at if permit else decided.until if decided else 0,
        passed_on_at=passed_on_at,
        alert_type=row.alert_type if row else "",
    )


def _passed_on_at(tx: Transaction, asked: RequestRow, row: AlertRow | None, permit: bytes) -> int:
    """When it was first passed on: by our own log, or as the holder says."""
    if row is None or not permit or asked.judicial:
        return 0
    if asked.own:
        told = [one for third in third_countries(tx, row.digest) for one in third.told if one.entry.permit_digest == permit]
        return min((one.entry.disclosed_at for one in told), default=0)
    return min((one.passed_on_at for one in onward_notices(tx, row) if one.permit == permit), default=0)
