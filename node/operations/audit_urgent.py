"""What was done as urgent, so that somebody looks at it afterwards; and the alarms that stand."""

from collections.abc import Iterator

from exchange.journal import SALT_SIZE, journal_origin
from exchange.v1 import audit_service_pb2, disclosure_pb2
from exchange.v1.journal_pb2 import JournalAccountability
from node.filtering.terms import And, Comparison, Filter
from node.operations.access import note_access
from node.operations.disclosure_scan import Disclosure, scan_all
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store.directory import all_alarms
from node.store.journal import ACCOUNTABILITY, Event, Kind
from node.store.journal_queries import detailed

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
    return audit_service_pb2.ListUrgentResponse(uses=uses)


def list_alarms(ports: Ports, person: str) -> audit_service_pb2.ListAlarmsResponse:
    """Every alarm that stands now, oldest first."""
    require(ports, person, (AUDITOR,))
    with ports.store.read() as tx:
        found = all_alarms(tx)
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
    with ports.store.read() as tx:
        generation = ports.journal.edge(tx).generation
        origin = journal_origin(ports.trust_domain, generation)
        for index in detailed(tx, generation, ACCOUNTABILITY, since, until):
            salted = ports.journal.detail(tx, index, ACCOUNTABILITY, generation=generation)
            if salted and JournalAccountability.FromString(salted[SALT_SIZE:]).urgent:
                (row,) = ports.journal.rows(tx, index, index + 1, generation=generation)
                yield audit_service_pb2.UrgentUse(
                    kind=audit_service_pb2.URGENT_KIND_DECLARED, origin=origin, index=index, at=row.at, code=row.code
                )
