"""Events and disclosures of an auditor's list as a person reads them, as a script reads them, and as they go into a file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.context import ask
from node.cli.document import document, enum_name, iso_time
from node.cli.output import party_name, progress, short, state_text, time_cell, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.v1.audit_service_pb2 import DisclosureRecord, JournalEvent
    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

EVENT_COLUMNS: Final = ("!index", "!at (UTC)", "!what", "party", "with", "!log entries", "!subject", "details")
DISCLOSURE_COLUMNS: Final = ("log and index", "!disclosed (UTC)", "to", "type", "clause", "purpose", "state")
_PAGE: Final = 200
_WHAT_WIDTH: Final = 15

filter_option = click.option("--filter", "wanted", default="", metavar="FILTER", help="Such as: kind = DISCLOSURE AND at >= 2027-01-01")
limit_option = click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most.")


class Day(click.ParamType[int]):
    """A day, 2027-03-04: its first moment in UTC, in Unix milliseconds."""

    name = "day"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the day; fails as a usage error."""
        if isinstance(value, int):
            return value
        try:
            return int(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000
        except ValueError:
            self.fail("write a day as 2027-03-04", param, ctx)


def period_filter(since: int, until: int) -> str:
    """The filter of a time from `since` up to `until`, Unix milliseconds; 0 for no bound."""
    parts = [f'at {sign} "{iso_time(at)}"' for sign, at in ((">=", since), ("<", until)) if at]
    return " AND ".join(parts)


def both(*filters: str) -> str:
    """The filter for which all of these hold."""
    given = [part for part in filters if part]
    return " AND ".join(f"({part})" for part in given) if len(given) > 1 else "".join(given)


def list_events(
    audit: "AuditServiceStub", wanted: str, limit: int, *, newest: bool = False, origin: str = "", for_export: bool = False
) -> "tuple[list[JournalEvent], bool]":
    """Events for which the filter holds, at most `limit`; and whether there are more."""
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListEventsRequest(filter=wanted, order_by="newest" if newest else "", origin=origin, for_export=for_export)
    found: list[JournalEvent] = []
    with progress("events", limit) as step:
        while True:
            question.page_size = min(_PAGE, limit - len(found))
            answer = ask(audit.ListEvents, question)
            found += answer.events
            step(len(answer.events))
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                return found[:limit], bool(question.page_token)


def list_disclosures(
    audit: "AuditServiceStub", wanted: str, limit: int, *, newest: bool = False, for_export: bool = False
) -> "tuple[list[DisclosureRecord], bool]":
    """Disclosures for which the filter holds, at most `limit`; and whether there may be more."""
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListDisclosuresRequest(filter=wanted, order_by="newest" if newest else "", for_export=for_export)
    found: list[DisclosureRecord] = []
    with _scanning() as step:
        while True:
            question.page_size = min(_PAGE, limit - len(found))
            answer = ask(audit.ListDisclosures, question)
            found += answer.disclosures
            step(answer.scanned, answer.total)
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                return found[:limit], bool(question.page_token)


@contextmanager
def _scanning() -> "Iterator[Callable[[int, int], None]]":
    """Progress whose end is known only from the first answer."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        steps: list[Callable[[int], None]] = []

        def step(scanned: int, total: int) -> None:
            if not steps:
                steps.append(stack.enter_context(progress("entries looked at", total)))
            steps[0](scanned)

        yield step


def event_data(event: "JournalEvent") -> dict[str, Any]:
    """One event for scripts: the fields of the event, and those of its entry."""
    from exchange.v1.journal_pb2 import JournalEntry

    return {**document(event), "decoded": document(JournalEntry.FromString(event.entry))}


def event_row(event: "JournalEvent") -> tuple[str, ...]:
    """One event as a row below `EVENT_COLUMNS`."""
    from exchange.v1.journal_pb2 import JournalEntry, JournalKind

    entry = JournalEntry.FromString(event.entry)
    kept = [name for name, there in (("who", event.accountability_kept), ("personal", event.personal_kept)) if there]
    erased = [
        f"{name} erased"
        for name, committed, there in (
            ("who", entry.accountability, event.accountability_kept),
            ("personal", entry.personal, event.personal_kept),
        )
        if committed and not there
    ]
    return (
        str(event.index),
        time_cell(entry.at),
        _on_lines(words(enum_name(JournalKind.DESCRIPTOR, entry.kind)), entry.code),
        short_party(entry.party),
        short_party(entry.counterparty) or "–",
        place(entry.origin, entry.index, entry.count),
        short(entry.subject) or "–",
        ", ".join((*kept, *erased)) or "–",
    )


def disclosure_data(record: "DisclosureRecord") -> dict[str, Any]:
    """One disclosure for scripts: the fields of the record, and those of its entry."""
    from exchange.v1.disclosure_pb2 import Entry

    return {**document(record), "decoded": document(Entry.FromString(record.entry))}


def disclosure_row(record: "DisclosureRecord") -> tuple[str, ...]:
    """One disclosure as a row below `DISCLOSURE_COLUMNS`."""
    from exchange.v1.disclosure_pb2 import Entry
    from exchange.v1.handling_pb2 import Purpose

    entry, data = Entry.FromString(record.entry), document(record)
    return (
        f"{record.origin}#{record.index}",
        time_cell(entry.disclosed_at),
        "\n".join(map(party_name, entry.audience)) or "–",
        record.alert_type.rpartition(".")[2] or "–",
        entry.clause or "–",
        words(enum_name(Purpose.DESCRIPTOR, entry.purpose)),
        state_text(data["state"], data["exception"], data["withheld"]),
    )


def heads(columns: Sequence[str]) -> list[str]:
    """Heads of columns without their marks for the terminal."""
    return [column.removeprefix("!") for column in columns]


def short_party(party: str) -> str:
    """A party in few words: `gdi (kh)` for an agency, `node (kh)` for a node or its trust domain."""
    if party.startswith("spiffe://") and not party.endswith("/node"):
        return party_name(party)
    label = party.removeprefix("spiffe://").split(".", maxsplit=1)[0]
    return f"node ({label})" if label else ""


def _on_lines(kind: str, code: str) -> str:
    """On one line where there is room: a code is never cut, since people search for it."""
    return f"{kind} {code}" if len(kind) + len(code) < _WHAT_WIDTH else f"{kind}\n{code}"


def place(origin: str, index: int, count: int) -> str:
    """A range of a log in few characters, for a table: `gb>kh/1 #4-5`; `–` for none."""
    if not origin:
        return "–"
    owner, kind, *rest = origin.split("/")
    label = owner.split(".", maxsplit=1)[0]
    log = f"{label}>{rest[0].split('.', maxsplit=1)[0]}/{rest[1]}" if kind == "disclosures" else f"journal/{rest[0]}"
    if not count:
        return log
    return f"{log} #{index}" + (f"-{index + count - 1}" if count > 1 else "")
