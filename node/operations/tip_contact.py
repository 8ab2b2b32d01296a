"""How a reporter can be reached: opened for a purpose and a reason, by whoever works on the tip, journalled before it is shown."""

from exchange.errors import NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import LIAISON, agency_of, require, turned_away
from node.operations.tip_content import open_contact
from node.operations.tip_desk import find
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.tips import HELD


def open_tip_contact(ports: Ports, person: str, request: messages.OpenTipContactRequest) -> messages.TipContact:
    """Open the escrow of one tip: for the officer who took it, or a liaison officer of the same desk.

    Raises `NotPermitted` as `require`, and CONTACT_NOT_YOURS (recorded); `NotFound` (TIP_UNKNOWN, CONTACT_NONE), `Refused`
    (PURPOSE_MISSING, REASON_MISSING), `StoreFailed`.
    """
    officer = require(ports, person, DESK)
    agency = agency_of(officer)
    if not request.purpose or request.purpose not in handling_pb2.Purpose.values():
        raise Refused("PURPOSE_MISSING", "contact details are opened only for a purpose: --purpose")
    if not request.reason.strip():
        raise Refused("REASON_MISSING", "contact details are opened only for a reason: --reason")
    with ports.store.read() as tx:
        row = find(tx, agency, request.tip)
    if LIAISON not in officer.roles and row.officer != person:
        raise turned_away(
            ports, person, "CONTACT_NOT_YOURS", "only the officer who took this tip, or a liaison officer of the desk, may open this"
        )
    if row.contact != HELD:
        raise NotFound("CONTACT_NONE", "no contact details are in escrow for this tip")
    purpose = handling_pb2.Purpose.Name(request.purpose).removeprefix("PURPOSE_")
    event = Event(code="TIP_CONTACT", subject=row.digest or b"", purpose=purpose, justification=request.reason.strip())
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, event)
    with ports.store.read() as tx:
        return open_contact(ports, tx, find(tx, agency, request.tip))
