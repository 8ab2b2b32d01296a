"""What an originator said of an alert since, who has attested its purge, and what a desk is to do, for people."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from node.cli.output import heading, note, table
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import (
        AcknowledgementStatus,
        AttestationStatus,
        FieldChange,
        GetAlertStatusResponse,
        GetInboxAlertResponse,
        RecallNotice,
    )

ADVICE: Final = {
    "WITHDRAWN": "Withdrawn: do not act on it. Remove every copy, take it off your lists, then attest: exchange inbox attest.",
    "RESTRICTED": "Restricted: do not act on it until the restriction is lifted.",
    "REPLACED": "Replaced: read the alert in its place, which says what changed.",
    "ERASED": "Erased: only the record that it was told is left.",
}
"""What to do, by why the content is not shown."""
WITHDRAWN_INSIDE: Final = (
    "Withdrawn: do not act on it. Remove every copy, take it off your lists, then say so: exchange distribution confirm-purge."
)
"""The same for an agency that a desk of its own country had told."""
DISPUTED_INSIDE: Final = (
    "Disputed: do not act on it. Your desk reads otherwise since, and nothing lets it tell you by itself; ask your desk."
)
DISPUTED: Final = "Disputed: do not act on it. Fields were wrong or out of date, no agreement gives you the new values; ask the originator."

DISPUTED_UNSAID: Final = "Disputed: do not act on it. What its originator said of it since has not come to you; ask the originator."


def advice(answer: "GetInboxAlertResponse") -> str:
    """What the desk is to do with an alert; empty if nothing is to be said."""
    blocked = document(answer)["blocked"]
    if blocked == "WITHDRAWN" and "PURGE_OWED" in answer.summary.flags:
        return WITHDRAWN_INSIDE
    if blocked:
        text = ADVICE.get(blocked, "")
        return f"{text} ({short(answer.replaced_by)})" if blocked == "REPLACED" else text
    if "DISPUTED" not in answer.summary.flags:
        return ""
    if all(document(one)["kind"] != "CORRECTION" for one in answer.recalls) and answer.disclosures:
        return DISPUTED_UNSAID
    return DISPUTED_INSIDE if answer.distributions and not answer.disclosures else DISPUTED


def draw_life(console: "Console", answer: "GetAlertStatusResponse") -> None:
    """Print who read an alert, what its originator said of it since, and who still owes something for it."""
    draw_acknowledgements(console, answer.acknowledgements)
    draw_recalls(console, answer.summary.alert_type, answer.recalls)
    draw_attestations(console, answer.attestations)
    waiting_note(console, answer.waiting)


def draw_acknowledgements(console: "Console", read: "Sequence[AcknowledgementStatus]") -> None:
    """Print which agencies say that a person there has read it. Whether somebody opened it who does not say so, nobody here can know."""
    if not read:
        return
    console.print(heading("Read by a person, as the agency says"))
    rows = [
        (party_name(one.agency), time_cell(one.read_at), time_cell(one.acknowledged_at), time_cell(one.action_decided_by)) for one in read
    ]
    console.print(table(("agency", "!opened (UTC)", "!acknowledged (UTC)", "!action decided by (UTC)"), rows))


def draw_recalls(console: "Console", alert_type: str, recalls: "Sequence[RecallNotice]") -> None:
    """Print what the originator said of an alert since it was told, if anything."""
    if not recalls:
        return
    console.print(heading("What the originator said since"))
    rows = [
        (
            words(document(one)["kind"]),
            words(one.reason) if one.reason else "–",
            time_cell(one.recorded_at),
            ", ".join(_names(alert_type, one.wrong_fields)) or "–",
            short(one.replaced_by) or "–",
        )
        for one in recalls
    ]
    console.print(table(("what", "why", "!recorded (UTC)", "wrong fields", "!replaced by"), rows))


def draw_attestations(console: "Console", attestations: "Sequence[AttestationStatus]") -> None:
    """Print who has attested a purge and who still owes it."""
    if not attestations:
        return
    console.print(heading("Attestations of the purge"))
    rows = [
        (
            party_name(one.agency) + (f" (by way of {one.via})" if one.via else ""),
            short(one.manifest_digest),
            words(document(one)["stage"]),
            time_cell(one.attest_by),
            time_cell(one.attested_at),
            str(one.copies_removed) if one.attested_at else "–",
            ", ".join(map(words, one.exceptions)) or "–",
        )
        for one in attestations
    ]
    columns = ("agency", "!manifest", "stage", "!due (UTC)", "!attested (UTC)", "copies", "kept because of")
    console.print(table(columns, rows, right=("copies",)))


def draw_changes(console: "Console", answer: "GetInboxAlertResponse") -> None:
    """Print what differs from the alert whose place this one took."""
    if not answer.changes:
        return
    console.print(heading(f"What changed since {short(answer.replaces)}"))
    rows = [(change["label"], "\n".join(change["before"]), "\n".join(change["now"])) for change in changed(answer)]
    console.print(table(("field", "before", "now"), rows))
    console.print()


def changed(answer: "GetInboxAlertResponse") -> Iterator[dict[str, Any]]:
    """Each field that differs, with its lines before and now."""
    for one in answer.changes:
        before = _lines(answer.summary.alert_type, one, one.before, told=one.told_before)
        now = _lines(answer.summary.alert_type, one, one.now, told=one.told_now)
        yield {"field": before[0], "label": before[1], "before": list(before[2]), "now": list(now[2])}


def attest_note(answer: "GetInboxAlertResponse") -> str:
    """By when an attestation is owed; empty if none is."""
    return time_text(answer.attest_by) if answer.attest_by else ""


def judicial_use(answer: "GetInboxAlertResponse") -> str:
    """Whether the alert may be used in court, and by whose leave."""
    from exchange.v1 import handling_pb2

    if answer.judicial_leave:
        return f"allowed by {short(answer.judicial_leave)} until {time_text(answer.judicial_leave_until)}"
    if answer.handling.judicial_use == handling_pb2.JUDICIAL_USE_ALLOWED:
        return "allowed"
    asking = answer.handling.judicial_use == handling_pb2.JUDICIAL_USE_ASK
    return "not allowed without leave: exchange onward request ALERT --judicial" if asking else "not allowed"


def waiting_note(console: "Console", waiting: Sequence[str]) -> None:
    """Print whom a recall has not reached yet."""
    if waiting:
        console.print(note(f"\nNot told yet, because the log is stopped: {', '.join(waiting)}"))


def _lines(alert_type: str, one: "FieldChange", fragment: bytes, *, told: bool) -> tuple[str, str, tuple[str, ...]]:
    from node.reading import read_view

    readings = read_view(alert_type, fragment, () if told else (one.field,))
    return next((reading.name, reading.label, reading.lines) for reading in readings if reading.number == one.field)


def _names(alert_type: str, numbers: Iterable[int]) -> list[str]:
    from exchange.profile import alert_types

    known = alert_types().get(alert_type)
    names = {field.number: field.name for field in known.fields} if known else {}
    return [names.get(number, str(number)) for number in numbers]
