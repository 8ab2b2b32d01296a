"""Erasing tips: the keys of what was told and of how the reporter can be reached are destroyed; that there was a tip stays.

As with alerts (`node.operations.erase`): the intent is journalled with the destruction in the tables, then the database's journal is
emptied, and only then the deed is journalled. `finish` goes on wherever a crash left off.
"""

from collections.abc import Sequence
from typing import Final

from exchange.errors import Refused
from exchange.v1.desk_service_pb2 import EraseTipRequest, EraseTipResponse
from node.operations.destroyed import attest_destroyed
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.operations.tip_content import summary_of
from node.operations.tip_desk import find
from node.ports import Ports
from node.store import tips
from node.store.journal import Event, Kind
from node.store.tips import DESTROYED, ERASED, HELD, TipRow
from node.store.transaction import Transaction

AT_ONCE: Final = 256
_ERASURE: Final = Kind.JOURNAL_KIND_ERASURE


def erase_tip(ports: Ports, person: str, request: EraseTipRequest) -> EraseTipResponse:
    """Erase a tip of the caller's desk before its limit, or the reporter's contact details alone.

    Raises `NotPermitted` as `require`, `NotFound` (TIP_UNKNOWN), `Refused` (REASON_MISSING), `StoreFailed` (STORE_LOCKED: destroyed, and
    finished by the next run).
    """
    agency = agency_of(require(ports, person, DESK))
    if not request.reason.strip():
        raise Refused("REASON_MISSING", "say why: --reason")
    with ports.store.write() as tx:
        row = find(tx, agency, request.tip)
        destroy(ports, tx, row, person, content=not request.contact_alone, justification=request.reason.strip())
    finish(ports)
    with ports.store.read() as tx:
        return EraseTipResponse(tip=summary_of(find(tx, agency, request.tip), ports.clock.now_ms()))


def run_due(ports: Ports, actor: str) -> int:
    """Erase tips and drafts whose limit has passed; `actor` is a person or this trust domain. Returns how many."""
    finish(ports)
    with ports.store.read() as tx:
        waiting = tips.tips_past(tx, ports.clock.now_ms(), AT_ONCE)
    if not waiting:
        return 0
    with ports.store.write() as tx:
        past = tips.tips_past(tx, ports.clock.now_ms(), AT_ONCE)
        for row in past:
            destroy(ports, tx, row, actor, content=True, justification="the limit of its retention has passed")
    finish(ports)
    return len(past)


def destroy(ports: Ports, tx: Transaction, row: TipRow, actor: str, *, content: bool, justification: str = "") -> None:
    """Destroy what is held of a tip: the contact details, and with `content` what was told. Journalled as intended; `tx` must write."""
    values: dict[str, str | None] = {}
    codes = []
    if content and row.content == HELD:
        values |= {"wrapped_key": None, "sealed": None, "content": DESTROYED}
        codes.append("TIP_INTENDED")
    if row.contact == HELD:
        values |= {"contact_key": None, "contact_sealed": None, "contact": DESTROYED}
        codes.append("TIP_CONTACT_INTENDED")
    if codes:
        tips.change_tip(tx, row.id, values)
        events = [Event(code=code, subject=row.digest or b"", justification=justification) for code in codes]
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, actor, events)


def finish(ports: Ports) -> None:
    """Finish all that was destroyed in the tables. Raises `StoreFailed` (STORE_LOCKED): the next call goes on from there."""

    def attest(tx: Transaction, waiting: Sequence[TipRow]) -> None:
        for row in waiting:
            _attest(ports, tx, row)

    attest_destroyed(ports, lambda tx: tips.half_erased(tx, AT_ONCE), attest)


def _attest(ports: Ports, tx: Transaction, row: TipRow) -> None:
    gone = [name for name in ("content", "contact") if getattr(row, name) == DESTROYED]
    codes = {"content": "TIP_DONE", "contact": "TIP_CONTACT_DONE"}
    tips.change_tip(tx, row.id, dict.fromkeys(gone, ERASED))
    events = [Event(code=codes[name], subject=row.digest or b"") for name in gone]
    ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, ports.trust_domain, events)
