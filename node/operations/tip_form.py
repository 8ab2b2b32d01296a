"""The form in which people of an NGO write a tip: what its own program does by the tip line, one step at a time, each in the person's name.

A draft is the working copy: it stands sealed from the first step on, and whoever of the same NGO goes on with it reads it, recorded.
Once it is submitted nobody of the NGO reads it again: what comes back is the status alone. Contact details never come back.
"""

from dataclasses import dataclass, field
from typing import Final

from exchange.errors import Conflict
from exchange.v1.desk_service_pb2 import TipContact
from exchange.v1.tip_pb2 import Tip
from node.config import OfficerEntry
from node.intake.fill_in import fill_in
from node.intake.problems import refuses
from node.intake.value_checks import check_values
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require, turned_away
from node.operations.tip_content import open_tip, plan_of, read_reference, unknown
from node.operations.tip_line import FormRefused, TipAnswer, hand_in, keep, told_of
from node.ports import Ports
from node.store import tips
from node.store.journal import Event, Kind
from node.store.tips import HELD, TipRow
from node.store.transaction import Transaction
from node.tips.completeness import Completeness, completeness
from node.tips.form import TipForm, check_contact
from node.tips.plan import CallNow
from node.tips.states import DRAFT

LISTED_AT_MOST: Final = 50
ASKED_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TipDraft:
    """A tip that is being written. It has no repr: personal data must not reach a log by a traceback."""

    reference: str
    tip: Tip = field(repr=False)
    contact_held: bool
    """How the reporter can be reached is in escrow: it is not shown again, not even here."""
    complete: Completeness
    call_now: tuple[CallNow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTip:
    """One line of an NGO's list."""

    reference: str
    state: int
    """A number of `TipState`; 0 for a draft."""
    erased: bool
    at: int
    """When it was submitted; of a draft, when it was last saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTips:
    """What an NGO finds of its tips: whom to call, what is asked of it, and how each stands."""

    call_now: tuple[CallNow, ...]
    asked: tuple[tuple[str, int, int], ...]
    """(reference, `TipSafeguard`, Unix milliseconds), newest first, of what is not closed."""
    tips: tuple[OwnTip, ...]
    """Newest first."""
    older: int
    """Where to go on; 0 at the end."""


def is_ngo(ports: Ports, entry: OfficerEntry | None) -> bool:
    """Whether a person works for an NGO that tells this country what it saw. For what a page offers; `own_ngo` decides."""
    return bool(entry and ports.tips and set(DESK) & set(entry.roles) and str(entry.agency) in ports.tips.agencies)


def own_ngo(ports: Ports, person: str) -> str:
    """The NGO (SPIFFE ID) for which a person writes. Raises `NotPermitted` as `require`, and TIPS_NONE, NGO_UNKNOWN: all recorded."""
    agency = agency_of(require(ports, person, DESK))
    ngo = plan_of(ports, person).agencies.get(agency)
    if ngo is None:
        raise turned_away(ports, person, "NGO_UNKNOWN", "your agency is no organisation that stands in the node's plan for tips")
    return ngo


def own_tips(ports: Ports, person: str, before: int = 0) -> OwnTips:
    """The tips of the person's NGO by reference and state, from before the place `before`. Raises as `own_ngo`."""
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        rows = tips.newest_of(tx, ngo, before, LISTED_AT_MOST + 1)
        asked = tips.asked_of(tx, ngo, ASKED_AT_MOST)
    listed = rows[:LISTED_AT_MOST]
    return OwnTips(
        call_now=tuple(plan_of(ports, person).call_now(frozenset())),
        asked=tuple(asked),
        tips=tuple(
            OwnTip(reference=row.reference, state=row.state, erased=row.content != HELD, at=row.submitted_at or row.saved_at)
            for row in listed
        ),
        older=listed[-1].id if len(rows) > LISTED_AT_MOST else 0,
    )


def begin_tip(ports: Ports, person: str, tip_id: bytes, language: str) -> str:
    """Begin a tip under a UUID (16 bytes) that the page made, with its reference from now on; the same again is the same tip.

    Raises as `own_ngo`, `Refused` (TIP_DRAFTS), `NotFound` (ERASED).
    """
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        row = tips.tip_of(tx, ngo, tip_id)
    return row.reference if row else _keep(ports, ngo, person, tip_id, Tip(language=language), None).reference


def open_draft(ports: Ports, person: str, reference: str) -> TipDraft:
    """What stands in a draft, for whoever goes on writing it; recorded.

    Raises as `own_ngo`, `NotFound` (TIP_UNKNOWN, ERASED), `Conflict` (TIP_SUBMITTED).
    """
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        row = _own(tx, ngo, reference)
        if row.state != DRAFT:
            raise _submitted()
        tip = open_tip(ports, tx, row)
        told = told_of(ports, tx, plan_of(ports, person), row)
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="TIP"))
    return TipDraft(reference=row.reference, tip=tip, contact_held=row.contact == HELD, complete=completeness(tip), call_now=told.call_now)


def save_draft(ports: Ports, person: str, reference: str, tip: Tip, contact: TipContact | None) -> TipAnswer:
    """Save a draft, whole; a `contact` replaces what is in escrow, an empty one takes it out, and None leaves it.

    Raises as `open_draft`, and `FormRefused` (TIP_INVALID).
    """
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        row = _own(tx, ngo, reference)
    if row.state != DRAFT:
        raise _submitted()
    return _keep(ports, ngo, person, row.tip_id, tip, contact)


def submit_draft(ports: Ports, person: str, reference: str) -> TipAnswer:
    """Submit a draft, however much of it is missing: now a desk has it. Again changes nothing. Raises as `own_ngo`, `NotFound`."""
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        row = _own(tx, ngo, reference)
    return hand_in(ports, ngo, row.tip_id, person)


def own_status(ports: Ports, person: str, reference: str) -> TipAnswer:
    """What became of a tip of the person's NGO. Raises as `own_ngo`, `NotFound` (TIP_UNKNOWN)."""
    ngo = own_ngo(ports, person)
    with ports.store.read() as tx:
        return told_of(ports, tx, plan_of(ports, person), _own(tx, ngo, reference))


def _keep(ports: Ports, ngo: str, person: str, tip_id: bytes, tip: Tip, contact: TipContact | None) -> TipAnswer:
    whole = Tip()
    whole.CopyFrom(tip)
    whole.reporter_organisation = plan_of(ports, person).ngos[ngo]
    fill_in(whole)
    problems = (*check_values(whole, "tip"), *(check_contact(contact) if contact is not None else ()))
    if refuses(problems):
        raise FormRefused(problems)
    return keep(ports, ngo, tip_id, TipForm(tip=whole, contact=contact, problems=problems), person)


def _own(tx: Transaction, ngo: str, reference: str) -> TipRow:
    row = tips.tip_called(tx, read_reference(reference))
    if row is None or row.ngo != ngo:
        raise unknown()
    return row


def _submitted() -> Conflict:
    return Conflict("TIP_SUBMITTED", "this tip was submitted, and changes no more: send what you learned since as another tip")
