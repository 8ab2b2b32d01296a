"""Set an alarm aside, once somebody has looked into it: it stands no longer, and stays with its evidence. A new cause raises it anew."""

import hashlib
import re

from exchange.errors import NotFound, Refused
from exchange.v1 import desk_service_pb2
from node.operations.officers import ADMINISTRATOR, require
from node.ports import Ports
from node.store.directory import AlarmRow, settle_alarm, standing_alarms
from node.store.journal import Event, Kind


def alarm_reference(row: AlarmRow) -> bytes:
    """How the work list names an alarm, 32 bytes."""
    return hashlib.sha256(f"{row.code} {row.partner} {row.origin}".encode()).digest()


def settle(ports: Ports, person: str, reference: str, reason: str) -> desk_service_pb2.SettleAlarmResponse:
    """Set the alarm aside whose reference begins like this, at least 8 hex digits.

    Raises `NotPermitted` (ROLE_MISSING), `Refused` (REASON_MISSING), `NotFound` (ALARM_REFERENCE, ALARM_NOT_FOUND, ALARM_AMBIGUOUS).
    """
    require(ports, person, (ADMINISTRATOR,))
    if not reason.strip():
        raise Refused("REASON_MISSING", "say what you found and did: --reason")
    if not re.fullmatch(r"[0-9a-fA-F]{8,64}", reference):
        raise NotFound("ALARM_REFERENCE", "give an alarm's reference from `exchange work list`, or at least its first 8 characters")
    with ports.store.write() as tx:
        found = [row for row in standing_alarms(tx) if alarm_reference(row).hex().startswith(reference.lower())]
        if len(found) != 1:
            code = "ALARM_AMBIGUOUS" if found else "ALARM_NOT_FOUND"
            raise NotFound(code, "more than one alarm begins like this" if found else "no alarm that stands has this reference")
        now, row = ports.clock.now_ms(), found[0]
        settle_alarm(tx, now, row)
        event = Event(
            code="ALARM_SETTLED",
            subject=alarm_reference(row),
            counterparty="" if row.partner == ports.trust_domain else row.partner,
            justification=reason.strip(),
        )
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_PARTNER, person, [event])
    return desk_service_pb2.SettleAlarmResponse(code=row.code, partner=row.partner, origin=row.origin)
