"""What an NGO does: save a tip at each step, submit it, ask what became of it. Saving the same again changes nothing.

It is told the status alone, whom to call now, and what a desk asks it to do for the child's safety. Never who works on it, and nothing
that another NGO told.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Final

from exchange.encoding import encode
from exchange.errors import Conflict, Malformed, Refused
from exchange.v1.desk_service_pb2 import Problem, TipContact
from exchange.v1.tip_pb2 import TIP_STATE_RECEIVED, Tip
from node.operations.officers import turned_away
from node.operations.tip_content import (
    REFERENCE_BYTES,
    SALT,
    TIP_TYPE,
    contact_purpose,
    content_purpose,
    digest_of,
    open_contact,
    open_content,
    plan_of,
    reference_of,
    unknown,
)
from node.operations.tip_erase import destroy
from node.ports import Ports
from node.store import tips
from node.store.envelope import DAY_MS, period_of
from node.store.journal import Event, Kind
from node.store.tips import HELD, TipRow
from node.store.transaction import Transaction
from node.store.vault import DataKey
from node.tips.completeness import Completeness, completeness
from node.tips.form import TipForm, read_form
from node.tips.plan import CallNow, TipPlan
from node.tips.routing import places_of, route
from node.tips.states import DRAFT

DRAFTS_AT_MOST: Final = 200
"""Of one NGO at once: whoever fills the store by a slip is told before it is full."""
LISTED_AT_MOST: Final = 100
_MINUTE: Final = 60_000


class FormRefused(Malformed):
    """What was sent can't be saved; `problems` say where, why and how to mend it, and never what stands there."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("TIP_INVALID", "something in the tip must be mended before it can be saved")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class TipAnswer:
    """What an NGO is told of one tip of its own."""

    tip_id: bytes
    reference: str
    state: int
    """A number of `TipState`; 0 for a draft."""
    erased: bool
    created: bool = False
    complete: Completeness | None = None
    """None where nothing was sent that could be scored."""
    call_now: tuple[CallNow, ...] = ()
    safeguards: tuple[tuple[int, int], ...] = ()
    """(`TipSafeguard`, Unix milliseconds)."""
    abroad: tuple[int, ...] = ()
    """What agencies abroad said: the states alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """Two fresh data keys, made outside any transaction, and the month under whose key they are wrapped."""

    period: str
    content: DataKey = field(repr=False)
    contact: DataKey = field(repr=False)


def save_tip(ports: Ports, ngo: str, tip_id: bytes, body: bytes) -> TipAnswer:
    """Save a tip under the UUID (16 bytes) that the NGO made; what was saved before is replaced, until it is submitted.

    Raises `NotPermitted` (TIPS_NONE, NGO_UNKNOWN), `FormRefused` (TIP_INVALID), `Conflict` (TIP_SUBMITTED: another content), `NotFound`
    (ERASED), `Refused` (TIP_DRAFTS).
    """
    plan = admit(ports, ngo)
    form = read_form(body, organisation=plan.ngos[ngo], today=ports.clock.now().astimezone(UTC).date())
    if form.refused:
        raise FormRefused(form.problems)
    return keep(ports, ngo, tip_id, form, ngo)


def keep(ports: Ports, ngo: str, tip_id: bytes, form: TipForm, actor: str) -> TipAnswer:
    """Save what was read and found good, in the name of `actor`: the NGO, or a person of it. Raises as `save_tip`, but for the form."""
    plan = plan_of(ports, actor)
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        held = tips.tip_of(tx, ngo, tip_id)
    period = held.period if held else period_of(now + (plan.draft_days + plan.keep_days) * DAY_MS, now)
    fresh = (ports.vault.new_data_key(ports.store, period) for _ in range(2))
    keys = _Keys(period=period, content=next(fresh), contact=next(fresh))
    with ports.store.write() as tx:
        row = tips.tip_of(tx, ngo, tip_id)
        created = row is None
        if row is None:
            row = _create(ports, tx, plan, ngo, tip_id, form, keys, now)
        elif row.period != period:
            raise Conflict("TIP_TWICE_AT_ONCE", "the same tip was made from two places at once: send it again")
        changed = _save_again(ports, tx, plan, row, form, now) or created
        changed |= _keep_contact(ports, tx, row, form, keys, actor)
        if changed:
            _journal(ports, tx, actor, Event(code="TIP_SAVED", subject=row.digest or b""))
    return replace(_answer(row), created=created, complete=completeness(form.tip), call_now=_call_now(plan, form.tip))


def submit_tip(ports: Ports, ngo: str, tip_id: bytes) -> TipAnswer:
    """Submit what was saved: from now on a desk has it, and it changes no more. Submitting again changes nothing.

    Raises `NotPermitted` (TIPS_NONE, NGO_UNKNOWN), `NotFound` (TIP_UNKNOWN, ERASED).
    """
    admit(ports, ngo)
    return hand_in(ports, ngo, tip_id, ngo)


def hand_in(ports: Ports, ngo: str, tip_id: bytes, actor: str) -> TipAnswer:
    """Submit it, in the name of `actor`: the NGO, or a person of it. Raises as `submit_tip`."""
    plan = plan_of(ports, actor)
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        row = _own(tx, ngo, tip_id)
        salted = open_content(ports, tx, row)
        tip = Tip.FromString(salted[SALT:])
        if row.state == DRAFT:
            found = route(tip, plan)
            row = replace(
                row,
                state=int(TIP_STATE_RECEIVED),
                agency=found.agency,
                because=",".join(found.reasons),
                danger=found.danger,
                submitted_at=now,
                look_by=now + (plan.danger_minutes if found.danger else plan.look_minutes) * _MINUTE,
                digest=digest_of(salted),
                erase_by=now + min(plan.keep_days, ports.retention.days(TIP_TYPE)) * DAY_MS,
            )
            names = ("state", "agency", "because", "danger", "submitted_at", "look_by", "digest", "erase_by")
            tips.change_tip(tx, row.id, {name: getattr(row, name) for name in names})
            _journal(ports, tx, actor, Event(code="TIP_RECEIVED", subject=row.digest or b"", counterparty=row.agency))
    return replace(_answer(row), complete=completeness(tip), call_now=_call_now(plan, tip))


def tip_status(ports: Ports, ngo: str, tip_id: bytes) -> TipAnswer:
    """What became of a tip. Raises `NotPermitted` (TIPS_NONE, NGO_UNKNOWN), `NotFound` (TIP_UNKNOWN)."""
    plan = admit(ports, ngo)
    with ports.store.read() as tx:
        return told_of(ports, tx, plan, _own(tx, ngo, tip_id))


def told_of(ports: Ports, tx: Transaction, plan: TipPlan, row: TipRow) -> TipAnswer:
    """What an NGO is told of a tip of its own."""
    tip = Tip.FromString(open_content(ports, tx, row)[SALT:]) if row.content == HELD else Tip()
    digest = row.digest or b""
    return replace(
        _answer(row),
        call_now=_call_now(plan, tip),
        safeguards=tuple(tips.safeguards_of(tx, digest)),
        abroad=tuple(one.state for one in tips.answers_about(tx, digest)),
    )


def list_own(ports: Ports, ngo: str, after: int) -> tuple[list[TipAnswer], int]:
    """Tips of one NGO, oldest first, from behind the place `after`; and the place to go on from, 0 at the end.

    Raises `NotPermitted` (TIPS_NONE, NGO_UNKNOWN).
    """
    admit(ports, ngo)
    with ports.store.read() as tx:
        rows = tips.tips_of(tx, ngo, after, LISTED_AT_MOST + 1)
    more = rows[LISTED_AT_MOST - 1].id if len(rows) > LISTED_AT_MOST else 0
    return [_answer(row) for row in rows[:LISTED_AT_MOST]], more


def admit(ports: Ports, ngo: str) -> TipPlan:
    """The plan in which an NGO (SPIFFE ID) stands. Raises `NotPermitted` (TIPS_NONE, NGO_UNKNOWN), recorded before."""
    plan = plan_of(ports, ngo)
    if ngo not in plan.ngos:
        raise turned_away(ports, ngo, "NGO_UNKNOWN", "this certificate is not in the node's plan for tips")
    return plan


def _create(ports: Ports, tx: Transaction, plan: TipPlan, ngo: str, tip_id: bytes, form: TipForm, keys: _Keys, now: int) -> TipRow:
    if tips.drafts_of(tx, ngo) >= DRAFTS_AT_MOST:
        raise Refused("TIP_DRAFTS", f"there are {DRAFTS_AT_MOST} drafts that were not submitted: submit them, or let them go")
    reference = reference_of(ports.entropy(REFERENCE_BYTES))
    while tips.tip_called(tx, reference):  # one of a million million: once in a very long while
        reference = reference_of(ports.entropy(REFERENCE_BYTES))
    row = TipRow(
        id=0,
        ngo=ngo,
        tip_id=tip_id,
        reference=reference,
        state=DRAFT,
        agency="",
        because="",
        danger=False,
        saved_at=now,
        submitted_at=0,
        look_by=0,
        looked_at=0,
        officer="",
        close_reason=0,
        digest=None,
        erase_by=now + plan.draft_days * DAY_MS,
        period=keys.period,
        wrapped_key=keys.content.wrapped,
        sealed=keys.content.seal(content_purpose(ngo, tip_id), ports.entropy(SALT) + encode(form.tip)),
        content=HELD,
        contact_key=None,
        contact_sealed=None,
        contact="",
    )
    tips.add_tip(tx, row)
    return _own(tx, ngo, tip_id)


def _save_again(ports: Ports, tx: Transaction, plan: TipPlan, row: TipRow, form: TipForm, now: int) -> bool:
    """Put what was sent in the place of what is held; false if it is the same."""
    salted = open_content(ports, tx, row)
    content = encode(form.tip)
    if salted[SALT:] == content:
        return False
    if row.state != DRAFT:
        raise Conflict("TIP_SUBMITTED", "this tip was submitted, and changes no more: send what you learned since as another tip")
    key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    sealed = key.seal(content_purpose(row.ngo, row.tip_id), salted[:SALT] + content)
    tips.change_tip(tx, row.id, {"sealed": sealed, "saved_at": now, "erase_by": now + plan.draft_days * DAY_MS})
    return True


def _keep_contact(ports: Ports, tx: Transaction, row: TipRow, form: TipForm, keys: _Keys, actor: str) -> bool:
    """Put the reporter's contact details into escrow, or take them out, also after the tip was submitted; false if nothing changes."""
    if form.contact is None:
        return False
    held = open_contact(ports, tx, row) if row.contact == HELD else TipContact()
    if held == form.contact:
        return False
    if not form.contact.ByteSize():
        destroy(ports, tx, row, actor, content=False)
        return True
    key = ports.vault.unwrap(tx, row.period, row.contact_key) if row.contact == HELD else keys.contact
    sealed = key.seal(contact_purpose(row.ngo, row.tip_id), encode(form.contact))
    tips.change_tip(tx, row.id, {"contact_key": key.wrapped, "contact_sealed": sealed, "contact": HELD})
    return True


def _own(tx: Transaction, ngo: str, tip_id: bytes) -> TipRow:
    row = tips.tip_of(tx, ngo, tip_id)
    if row is None:
        raise unknown()
    return row


def _answer(row: TipRow) -> TipAnswer:
    return TipAnswer(tip_id=row.tip_id, reference=row.reference, state=row.state, erased=row.content != HELD)


def _call_now(plan: TipPlan, tip: Tip) -> tuple[CallNow, ...]:
    return tuple(plan.call_now(frozenset(places_of(tip))))


def _journal(ports: Ports, tx: Transaction, actor: str, event: Event) -> None:
    ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_COLLECTION, actor, [event])
