"""What a second officer is shown of a submission at which they looked before, or at the one in whose place it stands: what is otherwise.

What they looked at is kept sealed, the newest for each person and lineage, and besides it the last that read otherwise: whoever loads the
page again is shown the same difference again. It goes with the last submission or draft of the lineage (`node.store.looks`).
"""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Final

from exchange.encoding import cut, encode
from exchange.v1.desk_service_pb2 import (
    VISIBILITY_FORBIDDEN,
    VISIBILITY_SHOWN,
    VISIBILITY_SHOWN_NOT_KNOWN,
    GetSubmissionResponse,
    Problem,
    RecipientChange,
    RecipientPreview,
    SinceLook,
    VisibilityChange,
)
from node.operations.changes import changes
from node.ports import Ports
from node.store.envelope import SealingKey
from node.store.journal import Event, Kind
from node.store.looks import LookRow, look_of, put_look

PARTS: Final = (
    "alert_type",
    "purpose",
    "handling",
    "not_after",
    "originator",
    "supersedes",
    "in_reply_to",
    "thread",
    "despite",
    "on_request",
)
"""Of a draft, besides its alert and to whom it goes."""
_PURPOSE: Final = b"look\0"


def note_look(ports: Ports, key: SealingKey, person: str, lineage: bytes, shown: GetSubmissionResponse, event: Event) -> SinceLook | None:
    """Journal that a person looks, and keep at what; what is otherwise than when they looked before, None if they never did."""
    now, purpose = ports.clock.now_ms(), _PURPOSE + lineage + person.encode()
    content = encode(_kept(shown))
    row = LookRow(lineage=lineage, person=person, digest=sha256(content).digest(), looked_at=now, sealed=key.seal(purpose, content))
    with ports.store.write() as tx:
        last = look_of(tx, lineage, person)
        if last is not None and last.digest == row.digest:
            row = replace(row, before_at=last.before_at, before_sealed=last.before_sealed)
        elif last is not None:
            row = replace(row, before_at=last.looked_at, before_sealed=last.sealed)
        put_look(tx, row)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_CONSULTATION, person, [event])
    if row.before_sealed is not None:
        return _since(row.before_at, GetSubmissionResponse.FromString(key.open(purpose, row.before_sealed)), shown)
    return SinceLook(looked_at=last.looked_at) if last is not None else None


def _kept(shown: GetSubmissionResponse) -> GetSubmissionResponse:
    """What the person reads, without what is only of this request or of this moment."""
    kept = GetSubmissionResponse()
    kept.CopyFrom(shown)
    kept.ClearField("submission")
    for one in (kept.draft, kept.supplement, kept.onward):
        one.ClearField("request_id")
    for name in ("draft", "supplement", "onward"):
        if not shown.HasField(name):
            kept.ClearField(name)
    kept.preview.ClearField("problems")
    kept.preview.ClearField("preview_digest")
    for recipient in kept.preview.recipients:
        recipient.ClearField("rate_left")
        recipient.ClearField("view")  # it is in the alert
        codes = [Problem(code=one.code) for one in recipient.denied]
        del recipient.denied[:]
        recipient.denied.extend(codes)
    return kept


def _since(at: int, before: GetSubmissionResponse, now: GetSubmissionResponse) -> SinceLook:
    same_type = before.draft.alert_type == now.draft.alert_type
    fields = changes(cut(before.draft.alert), cut(now.draft.alert)) if same_type else []
    for one in fields:
        one.told_before = one.told_now = True  # to the officer: a field without a value reads "not known"
    since = SinceLook(
        looked_at=at,
        fields=fields,
        recipients=_recipients(before, now, frozenset(one.field for one in fields)),
        parts=[name for name in PARTS if getattr(before.draft, name) != getattr(now.draft, name)],
        draft=before.draft,
        reason=before.reason,
    )
    since.draft.ClearField("alert")
    if before.reason != now.reason:
        since.parts.append("reason")
    return since


def _recipients(before: GetSubmissionResponse, now: GetSubmissionResponse, changed: frozenset[int]) -> Iterator[RecipientChange]:
    were, are = _told(before), _told(now)
    for recipient in dict.fromkeys((*are, *were)):
        was, is_ = were.get(recipient), are.get(recipient)
        fields = list(_visibilities(was, is_, changed)) if was and is_ else []
        found = RecipientChange(
            recipient=recipient,
            told_before=was is not None,
            told_now=is_ is not None,
            clause_before=was.clause if was else "",
            clause_now=is_.clause if is_ else "",
            agreement_before=was.agreement_digest if was else b"",
            agreement_now=is_.agreement_digest if is_ else b"",
            fields=fields,
        )
        decided = (found.clause_before, found.agreement_before) != (found.clause_now, found.agreement_now)
        if fields or decided:
            yield found


def _told(shown: GetSubmissionResponse) -> dict[str, RecipientPreview]:
    return {one.recipient: one for one in shown.preview.recipients if not one.denied}


def _visibilities(was: RecipientPreview, is_: RecipientPreview, changed: frozenset[int]) -> Iterator[VisibilityChange]:
    before, now = ({one.field: one for one in side.fields} for side in (was, is_))
    for number in sorted(before.keys() | now.keys()):
        seen = [side[number].visibility if number in side else VISIBILITY_FORBIDDEN for side in (before, now)]
        if number in changed:
            # That it has a value now, or none any more, is said of the field, once and not for each recipient.
            seen = [VISIBILITY_SHOWN if one == VISIBILITY_SHOWN_NOT_KNOWN else one for one in seen]
        if seen[0] != seen[1]:
            yield VisibilityChange(field=number, name=(now.get(number) or before[number]).name, before=seen[0], now=seen[1])
