"""A draft that is to take an alert's place: begins with all that the alert said, to everybody who was told, and changes from there."""

from exchange.encoding import encode
from exchange.manifest import decode_manifest
from exchange.profile import alert_type
from exchange.v1.control_pb2 import CorrectionReason
from exchange.v1.desk_service_pb2 import Draft, Problem, ReplaceAlertRequest
from node.intake.problems import error
from node.operations import draft_box
from node.operations.access import note_access
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.draft_box import DraftContent, HeldDraft, Replaces
from node.operations.drafted_again import typed_again
from node.operations.officers import LIAISON, agency_of, require
from node.operations.reach import lineage, lineage_obstacle, tellings
from node.ports import Ports
from node.store import alerts
from node.store.journal import Event, Kind


def begin_replacement(ports: Ports, person: str, reference: str, correction: str, wrong: tuple[str, ...] = ()) -> HeldDraft | Problem:
    """Keep a draft that corrects an alert of the caller's agency for that reason, or updates it for none; or why nothing can.

    Its content is opened for that, which is journalled. Raises `NotPermitted`, `NotFound` as `alerts.find` and where it was erased, and as
    `draft_box.create`.
    """
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, originator=agency)
        line = lineage(tx, row)
        if obstacle := lineage_obstacle(tx, [row.digest], agency):
            return obstacle
        told = [one for each in line for one in tellings(tx, each)]
        content = None
        if row.state != "erased":
            data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
            content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
    if content is None:
        return error("ERASED", "alert", "the content was erased", "publish a new alert if there is new ground")
    if not told:
        return error("NOBODY_TOLD", "alert", "nobody was ever told of this alert", "there is nobody to correct it for")
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="ALERT", subject=row.digest))
    kind = alert_type(row.alert_type)
    first, last = told[0].entry, told[-1].entry
    went = {number for one in told for number in one.entry.fields}
    as_sent = Draft(
        alert_type=kind.name,
        alert=encode(kind.message.FromString(b"".join(opening.fragment for opening in content.openings))),
        recipients=sorted({name for one in told for name in one.entry.audience}),
        purpose=last.purpose,
        not_after=row.not_after,
        handling=decode_manifest(content.manifest.payload).handling,
        thread=first.thread,
        in_reply_to=first.in_reply_to,
        supersedes=[row.digest],
        # What went to nobody goes to nobody now, unless its author says so.
        unticked=[one.number for one in kind.fields if one.number not in went],
    )
    replaces = Replaces(alert=row.digest.hex(), correction=correction, wrong=wrong)
    return draft_box.create(ports, person, DraftContent(document=typed_again(as_sent), replaces=replaces))


def replacement(draft: Draft, replaces: Replaces, reason: str) -> ReplaceAlertRequest:
    """What a draft asks of `replace_alert`: the same as `exchange alert correct` or `update`, written on the alert as it stood."""
    numbers = {one.name: one.number for one in alert_type(draft.alert_type).fields} if draft.alert_type else {}
    return ReplaceAlertRequest(
        alert=replaces.alert,
        draft=draft,
        correction_reason=CorrectionReason.Value(f"CORRECTION_REASON_{replaces.correction or 'UNSPECIFIED'}"),
        wrong_fields=sorted(numbers[name] for name in replaces.wrong if name in numbers),
        reason=reason,
        as_it_stands=True,
    )
