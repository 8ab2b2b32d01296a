"""Drafts: what officers have typed so far, kept for the console between one page and the next, and never sent by itself.

A draft is an alert file (`node.intake.alert_file`) that may be half-filled or wrong, the reason for its release, and what the command line
is told besides the file: the alert whose place it takes, and others of which its author knows. Only its author changes it; other liaison
officers of the same agency may read it. `read_draft` reads it by the very intake of `exchange alert publish`, so the console and the
command line cannot differ. It is erased when it is discarded (which whoever releases it does), and 30 days after it was last changed.

    content = DraftContent(document={"type": "TravelAlert"})
    held = draft_box.create(ports, person, content)
    held = draft_box.change(ports, person, held.id, held.version, lambda content: …)
    read = draft_box.read_draft(ports, person, held.id)     # read.draft, read.reason, read.problems, read.held
    draft_box.discard(ports, person, held.id)               # once it was released or submitted
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Final

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.profile import alert_types
from exchange.v1.desk_service_pb2 import Draft, KeepDraftRequest, KeepDraftResponse, Problem
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.alert_file import LoadedAlert, alert_type_called, load_alert_file
from node.intake.plain_document import Plain, read_document
from node.operations.access import note_access
from node.operations.arrivals import landing
from node.operations.destroyed import attest_destroyed
from node.operations.officers import LIAISON, agency_of, require, turned_away
from node.ports import Ports
from node.store import drafts
from node.store.drafts import DraftRow
from node.store.envelope import DAY_MS
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

KEPT_MS: Final = 30 * DAY_MS
"""After the last change."""
DRAFTS_AT_MOST: Final = 200
"""Of one agency at one time."""
BYTES_AT_MOST: Final = 256 * 1024
"""Of one draft: far above what any alert may carry."""
ERASED_AT_ONCE: Final = 256
_KEY: Final = "drafts"
_PURPOSE: Final = b"draft\0"
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaces:
    """The alert whose place a draft is to take: what the command line is told besides the file."""

    alert: str
    """Digest of the manifest that was in use when the draft was begun, in hex."""
    correction: str = ""
    """Why it was wrong: the name of a CorrectionReason without its prefix. Empty for an update, without fault."""
    wrong: tuple[str, ...] = ()
    """Names of the fields that were wrong; none means those that differ."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DraftContent:
    """What was typed. It has no repr: personal data must not reach a log by way of a traceback."""

    document: dict[str, Plain] = field(default_factory=dict)
    """As an alert file: `type`, `language`, `recipients`, `purpose`, `handling`, `not_after`, `leave_out`, `on_request`, `alert`, …"""
    reason: str = ""
    """Why it is released, for the authorisation record: what the command line takes as `--reason`."""
    replaces: Replaces | None = None
    """None for an alert of its own."""
    despite: tuple[str, ...] = ()
    """Other alerts about the same person of which the author knows: what the command line takes as `--despite-duplicate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """One draft, without what was typed."""

    id: bytes
    alert_type: str
    """Full name; empty as long as none was chosen."""
    author: str
    mine: bool
    """Whether the caller is its author."""
    version: int
    saved_at: int
    erase_by: int
    lineage: bytes | None
    """Of a draft that was submitted and taken back: what ties it to that submission."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HeldDraft:
    """One draft, opened."""

    summary: DraftSummary
    content: DraftContent

    @property
    def id(self) -> bytes:
        """16 bytes."""
        return self.summary.id

    @property
    def version(self) -> int:
        """To be named by whoever changes it."""
        return self.summary.version


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadDraft:
    """One draft as the operations take it: checked, previewed, released or submitted."""

    held: HeldDraft
    draft: Draft
    """Its `request_id` follows from the draft's id and what was typed, so that a release repeated is not a second one."""
    reason: str
    problems: tuple[Problem, ...]
    """What is wrong with the file itself; what the node finds besides, `preview.check` and `preview.preview` tell."""


def create(ports: Ports, person: str, content: DraftContent) -> HeldDraft:
    """Keep a new draft of the caller. Raises `NotPermitted`, `Malformed` (DRAFT_TOO_LARGE), `Refused` (DRAFTS_TOO_MANY)."""
    row = prepared(ports, person, content)
    with ports.store.write() as tx:
        add(ports, tx, row)
    return HeldDraft(summary=_summary(row, person), content=content)


def prepared(ports: Ports, person: str, content: DraftContent, lineage: bytes | None = None) -> DraftRow:
    """The row of a new draft of the caller, for `add`. Raises `NotPermitted`, `Malformed` (DRAFT_TOO_LARGE)."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    row = DraftRow(
        id=ports.entropy(_ID_BYTES),
        author=person,
        agency=agency,
        alert_type="",
        version=1,
        saved_at=ports.clock.now_ms(),
        erase_by=0,
        useful_until=0,
        lineage=lineage,
        sealed=None,
    )
    return _sealed(ports, row, content)


def add(ports: Ports, tx: Transaction, row: DraftRow) -> None:
    """Keep what `prepared` made. Raises `Refused` (DRAFTS_TOO_MANY): then nothing of this step may stand."""
    if drafts.count_drafts(tx, row.agency) >= DRAFTS_AT_MOST:
        raise Refused("DRAFTS_TOO_MANY", f"your agency has {DRAFTS_AT_MOST} drafts: release some, or discard them")
    drafts.add_draft(tx, row)
    _journal(ports, tx, Kind.JOURNAL_KIND_COLLECTION, row.author, "DRAFT_SAVED", [row.id])


def keep(ports: Ports, person: str, request: KeepDraftRequest) -> KeepDraftResponse:
    """Keep an alert file as a new draft of the caller. Raises as `create`, and `Malformed` (DOCUMENT_…) for what is none."""
    require(ports, person, (LIAISON,))
    document = read_document(request.document, name="")
    if not isinstance(document, dict):
        raise Malformed("DOCUMENT_MAPPING", "the file is not a mapping of names to values: begin with `type: TravelAlert`")
    held = create(ports, person, DraftContent(document=document, reason=request.reason))
    return KeepDraftResponse(id=held.id, erase_by=held.summary.erase_by)


def change(
    ports: Ports,
    person: str,
    identifier: bytes,
    seen: int,
    edit: Callable[[DraftContent], DraftContent],
    unless: Callable[[DraftContent], bool] = lambda _content: False,
) -> HeldDraft:
    """Change the caller's draft, of which they saw the version `seen`; what changes nothing leaves it as it is.

    A later version is changed all the same where `unless` tells that what they are changing stands in it as they saw it.

    Raises `NotPermitted` (NOT_THE_AUTHOR, …), `NotFound` (DRAFT_NOT_FOUND), `Conflict` (DRAFT_CHANGED: it was changed since they saw it, as
    in another window), `Malformed` (DRAFT_TOO_LARGE).
    """
    row = _own(ports, person, identifier)
    before = _opened(ports, row)
    content = edit(before)
    if content == before:  # as when a person presses twice
        return HeldDraft(summary=_summary(row, person), content=before)
    if row.version != seen and not unless(before):
        raise _changed()
    opened = row.version
    row = _sealed(ports, replace(row, version=opened + 1), content)
    with ports.store.write() as tx:
        stood = drafts.put_draft(tx, row, opened)
        if stood:
            _journal(ports, tx, Kind.JOURNAL_KIND_COLLECTION, person, "DRAFT_SAVED", [row.id])
    if not stood:
        raise _changed()
    return HeldDraft(summary=_summary(row, person), content=content)


def try_out(ports: Ports, person: str, identifier: bytes, edit: Callable[[DraftContent], DraftContent]) -> DraftContent:
    """What the caller's draft would say after a change, of which nothing is kept: for who is typing it, and reads nothing but that.

    Raises `NotPermitted` (NOT_THE_AUTHOR, …), `NotFound` (DRAFT_NOT_FOUND).
    """
    return edit(_opened(ports, _own(ports, person, identifier)))


def get(ports: Ports, person: str, identifier: bytes) -> HeldDraft:
    """Open a draft of the caller's agency, which is journalled. Raises `NotPermitted`, `NotFound` (DRAFT_NOT_FOUND)."""
    row = _find(ports, agency_of(require(ports, person, (LIAISON,))), identifier)
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="DRAFT", subject=_named(identifier)))
    return HeldDraft(summary=_summary(row, person), content=_opened(ports, row))


def list_drafts(ports: Ports, person: str) -> list[DraftSummary]:
    """Those of the caller's agency, last saved first; nothing of them is opened. Raises `NotPermitted`."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        return [_summary(row, person) for row in drafts.drafts_of(tx, agency)]


def journey(ports: Ports, agency: str, identifier: bytes) -> tuple[TravelAlert, Sequence[str]]:
    """The legs that a draft of that agency names so far, and whom it is for: for a list. Raises `NotFound` (DRAFT_NOT_FOUND)."""
    row = _find(ports, agency, identifier)
    content = _opened(ports, row)
    alert, recipients = content.document.get("alert"), content.document.get("recipients")
    legs = alert.get("itinerary") if isinstance(alert, dict) else None
    if row.alert_type != TravelAlert.DESCRIPTOR.full_name or not legs:
        return TravelAlert(), ()
    # Nothing else of it is read: a list has many.
    read = read_content(ports, DraftContent(document={"type": content.document["type"], "alert": {"itinerary": legs}}))
    return TravelAlert.FromString(read.draft.alert), [str(one) for one in recipients] if isinstance(recipients, list) else ()


def read_draft(ports: Ports, person: str, identifier: bytes) -> ReadDraft:
    """Open a draft of the caller's agency and read it as `exchange alert publish` reads a file. Raises as `get`."""
    held = get(ports, person, identifier)
    return read_held(ports, held)


def read_held(ports: Ports, held: HeldDraft) -> ReadDraft:
    """The same of one that is open already."""
    loaded = read_content(ports, held.content)
    typed = _as_file(held.content).encode()
    if held.content.replaces:
        typed += json.dumps(asdict(held.content.replaces)).encode()
    loaded.draft.request_id = sha256(b"alert-exchange/v1 draft request\0" + held.id + typed).digest()[:_ID_BYTES]
    return ReadDraft(held=held, draft=loaded.draft, reason=held.content.reason, problems=loaded.problems)


def read_content(ports: Ports, content: DraftContent) -> LoadedAlert:
    """Read what was typed as an alert file, whether it is kept or not; the request id is left open."""
    loaded = load_alert_file(_as_file(content), name="draft.json", today=ports.clock.now().date())
    loaded.draft.despite.extend(content.despite)
    if content.replaces:
        loaded.draft.supersedes[:] = [bytes.fromhex(content.replaces.alert)]
    return loaded


def discard(ports: Ports, person: str, identifier: bytes) -> None:
    """Destroy the caller's draft: released, submitted or not wanted any more. `finish_erasure` attests it, at the latest a minute later.

    Raises `NotPermitted` (NOT_THE_AUTHOR, …), `NotFound` (DRAFT_NOT_FOUND).
    """
    row = _own(ports, person, identifier)
    with ports.store.write() as tx:
        _destroy(ports, tx, person, [row])


def erase_due(ports: Ports, actor: str) -> int:
    """Erase drafts whose limit has passed, at most `ERASED_AT_ONCE`; `actor` is a person or this trust domain. Returns how many."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        waiting = drafts.drafts_past(tx, now, ERASED_AT_ONCE)
    if waiting:
        with ports.store.write() as tx:
            waiting = drafts.drafts_past(tx, now, ERASED_AT_ONCE)
            _destroy(ports, tx, actor, waiting)
    finish_erasure(ports)
    return len(waiting)


def finish_erasure(ports: Ports) -> None:
    """Attest all that was destroyed. Raises `StoreFailed` (STORE_LOCKED): the next call goes on from there."""

    def attest(tx: Transaction, gone: Sequence[bytes]) -> None:
        drafts.remove_drafts(tx, gone)
        _journal(ports, tx, Kind.JOURNAL_KIND_ERASURE, ports.trust_domain, "DRAFT_DONE", gone)

    attest_destroyed(ports, lambda tx: drafts.destroyed_drafts(tx, ERASED_AT_ONCE), attest)


def _destroy(ports: Ports, tx: Transaction, actor: str, rows: Sequence[DraftRow]) -> None:
    for row in rows:
        drafts.destroy_draft(tx, row.id)
    _journal(ports, tx, Kind.JOURNAL_KIND_ERASURE, actor, "DRAFT_INTENDED", [row.id for row in rows])


def _own(ports: Ports, person: str, identifier: bytes) -> DraftRow:
    row = _find(ports, agency_of(require(ports, person, (LIAISON,))), identifier)
    if row.author != person:
        raise turned_away(ports, person, "NOT_THE_AUTHOR", "only who writes a draft changes or discards it")
    return row


def _find(ports: Ports, agency: str, identifier: bytes) -> DraftRow:
    with ports.store.read() as tx:
        row = drafts.draft_of(tx, identifier, agency)
    if row is None:
        raise NotFound(
            "DRAFT_NOT_FOUND", "your agency has no such draft: it was released, discarded, or erased 30 days after its last change"
        )
    return row


def _changed() -> Conflict:
    return Conflict("DRAFT_CHANGED", "the draft was changed since you saw it, perhaps in another window: look at it again")


def _sealed(ports: Ports, row: DraftRow, content: DraftContent) -> DraftRow:
    text = json.dumps(asdict(content), ensure_ascii=False).encode()
    if len(text) > BYTES_AT_MOST:
        raise Malformed("DRAFT_TOO_LARGE", "the draft is too large: no alert is")
    given = content.document.get("type")
    kind = alert_type_called(given) if isinstance(given, str) else None
    now = ports.clock.now_ms()
    sealed = ports.vault.lasting_key(ports.store, _KEY).seal(_PURPOSE + row.id, text)
    useful = _useful_until(ports, content)
    return replace(row, alert_type=kind.name if kind else "", saved_at=now, erase_by=now + KEPT_MS, useful_until=useful, sealed=sealed)


def _useful_until(ports: Ports, content: DraftContent) -> int:
    """When the traveller first lands, or the alert would expire, whatever comes first, as far as it is typed; 0 for neither."""
    draft = read_content(ports, content).draft
    kind = alert_types().get(draft.alert_type)
    lands = landing(kind.message.FromString(draft.alert)) if kind else 0
    return min((at for at in (lands, draft.not_after) if at > 0), default=0)


def _opened(ports: Ports, row: DraftRow) -> DraftContent:
    if row.sealed is None:  # the rows that are found hold something
        raise NotFound("DRAFT_NOT_FOUND", "the draft was erased")
    read = json.loads(ports.vault.lasting_key(ports.store, _KEY).open(_PURPOSE + row.id, row.sealed))
    replaces = read["replaces"]
    return DraftContent(
        document=read["document"],
        reason=read["reason"],
        replaces=Replaces(**{**replaces, "wrong": tuple(replaces["wrong"])}) if replaces else None,
        despite=tuple(read["despite"]),
    )


def _as_file(content: DraftContent) -> str:
    return json.dumps(content.document, ensure_ascii=False)


def _summary(row: DraftRow, person: str) -> DraftSummary:
    return DraftSummary(
        id=row.id,
        alert_type=row.alert_type,
        author=row.author,
        mine=row.author == person,
        version=row.version,
        saved_at=row.saved_at,
        erase_by=row.erase_by,
        lineage=row.lineage,
    )


def _journal(ports: Ports, tx: Transaction, kind: Kind.ValueType, actor: str, code: str, identifiers: Sequence[bytes]) -> None:
    events = [Event(code=code, subject=_named(identifier)) for identifier in identifiers]
    ports.journal.record(tx, ports.clock.now_ms(), kind, actor, events)


def _named(identifier: bytes) -> bytes:
    """What the journal calls a draft."""
    return sha256(b"alert-exchange/v1 draft\0" + identifier).digest()
