"""What was done as urgent, so that somebody looks at it afterwards; and the alarms that stand."""

from collections.abc import Iterator

from exchange.v1 import audit_service_pb2, disclosure_pb2
from node.filtering.terms import And, Comparison, Filter
from node.operations.access import note_access
from node.operations.accountability import accountabilities
from node.operations.disclosure_scan import Disclosure, scan_all
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store.directory import standing_alarms
from node.store.journal import Event, Kind

_AT_MOST = 5000
"""Uses of one answer: below what one message carries."""
_ENDLESS = 2**63 - 1
_RISKS = frozenset({disclosure_pb2.ON_REQUEST_GROUND_RISK_TO_CHILD, disclosure_pb2.ON_REQUEST_GROUND_OFFICER_SAFETY})


def list_urgent(ports: Ports, person: str, since: int, until: int) -> audit_service_pb2.ListUrgentResponse:
    """What was declared urgent, disclosed under an agreement for an emergency, or opened on request because somebody was at risk.

    From `since` up to `until`, Unix milliseconds; 0 for no end. Disclosures first, log by log, then the journal.
    """
    require(ports, person, (AUDITOR,))
    end = until or _ENDLESS
    within: Filter = And(
        parts=(Comparison(field="at", operator=">=", value=since), Comparison(field="at", operator="<", value=end)),
    )
    uses = [use for found in scan_all(ports, within) for one in found for use in _of_disclosure(one)]
    uses += _declared(ports, since, end)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="URGENT"))
    return audit_service_pb2.ListUrgentResponse(uses=uses[:_AT_MOST], left_out=max(len(uses) - _AT_MOST, 0))


def list_alarms(ports: Ports, person: str) -> audit_service_pb2.ListAlarmsResponse:
    """Every alarm that stands now, oldest first."""
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        found = standing_alarms(tx)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="ALARMS"))
    alarms = [audit_service_pb2.AlarmRecord(at=row.at, code=row.code, partner=row.partner, origin=row.origin) for row in found]
    return audit_service_pb2.ListAlarmsResponse(alarms=alarms)


def _of_disclosure(one: Disclosure) -> Iterator[audit_service_pb2.UrgentUse]:
    kinds = []
    if one.emergency:
        kinds.append(audit_service_pb2.URGENT_KIND_EMERGENCY_AGREEMENT)
    if one.entry.on_request_ground in _RISKS:
        kinds.append(audit_service_pb2.URGENT_KIND_RISK)
    for kind in kinds:
        yield audit_service_pb2.UrgentUse(
            kind=kind, origin=one.log.name.origin, index=one.row.idx, at=one.entry.disclosed_at, code=one.entry.clause
        )


def _declared(ports: Ports, since: int, until: int) -> Iterator[audit_service_pb2.UrgentUse]:
    for origin, row, record in accountabilities(ports, since, until):
        if record.urgent:
            kind = audit_service_pb2.URGENT_KIND_DECLARED
            yield audit_service_pb2.UrgentUse(kind=kind, origin=origin, index=row.idx, at=row.at, code=row.code)
