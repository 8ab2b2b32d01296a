"""What differs in a submission since the officer looked at it, or at the one in whose place it stands, for people and for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from node.cli.output import heading, note, plain, table
from node.cli.recall_view import changed
from node.documents import document, enum_name
from node.short_words import party_name, short, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import Draft, GetSubmissionResponse


def since_data(answer: "GetSubmissionResponse") -> dict[str, Any] | None:
    """The same as plain data, the fields by their names and in words; None for who did not look before."""
    if not answer.HasField("since"):
        return None
    whole: dict[str, Any] = document(answer.since)
    fields = [{name: value for name, value in one.items() if name != "label"} for one in _fields(answer)]
    return {**whole, "fields": fields}


def draw_since(console: "Console", answer: "GetSubmissionResponse") -> None:
    """Print what differs, or that nothing does; nothing for who did not look before."""
    if not answer.HasField("since"):
        return
    rows = [(one["label"], "\n".join(one["before"]), "\n".join(one["now"])) for one in _fields(answer)]
    rows += list(_parts(answer)) + list(_recipients(answer))
    at = time_text(answer.since.looked_at)
    if not rows:
        console.print(note(f"Nothing has changed since you last looked on {at}."))
        return
    console.print(heading(f"Since you last looked on {at}"))
    console.print(table(("what", "before", "now"), rows))


def _fields(answer: "GetSubmissionResponse") -> Iterator[dict[str, Any]]:
    from exchange.v1 import desk_service_pb2

    summary = desk_service_pb2.AlertSummary(alert_type=answer.draft.alert_type)
    return changed(desk_service_pb2.GetInboxAlertResponse(summary=summary, changes=answer.since.fields))


def _parts(answer: "GetSubmissionResponse") -> Iterator[tuple[str, str, str]]:
    for part in answer.since.parts:
        if part == "reason":
            yield "reason", plain(answer.since.reason), plain(answer.reason)
        else:
            yield words(part), _text(answer.since.draft, part), _text(answer.draft, part)


def _text(draft: "Draft", part: str) -> str:
    value = time_text(draft.not_after) if part == "not_after" and draft.not_after else document(draft).get(part)
    return plain(str(value)) if value else "–"


def _recipients(answer: "GetSubmissionResponse") -> Iterator[tuple[str, str, str]]:
    from exchange.v1.desk_service_pb2 import Visibility

    for one in answer.since.recipients:
        before = [f"{plain(one.clause_before)} ({short(one.agreement_before)})" if one.told_before else "nothing would go"]
        now = [f"{plain(one.clause_now)} ({short(one.agreement_now)})" if one.told_now else "nothing would go"]
        for field in one.fields:
            for lines, seen in ((before, field.before), (now, field.now)):
                lines.append(f"{plain(field.name)}: {words(enum_name(Visibility.DESCRIPTOR, seen) or 'unknown')}")
        yield party_name(plain(one.recipient)), "\n".join(before), "\n".join(now)
