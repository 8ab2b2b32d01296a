"""Events and disclosures of an auditor's lists: as rows for people, as documents for scripts, and the filters that choose them."""

from collections.abc import Sequence
from typing import Any, Final

from exchange.v1.audit_service_pb2 import DisclosureRecord, JournalEvent
from exchange.v1.disclosure_pb2 import Entry
from exchange.v1.handling_pb2 import Purpose
from exchange.v1.journal_pb2 import JournalEntry, JournalKind
from node.documents import document, enum_name, iso_time, loosely
from node.short_words import party_name, short, state_text, time_cell, words

EVENT_COLUMNS: Final = ("!index", "!at (UTC)", "!what", "party", "with", "!log entries", "!subject", "details")
DISCLOSURE_COLUMNS: Final = ("log and index", "!disclosed (UTC)", "to", "type", "clause", "purpose", "state")
"""A mark before a head is for the terminal, where such a column is never broken."""
_WHAT_WIDTH: Final = 15


def period_filter(since: int, until: int) -> str:
    """The filter of a time from `since` up to `until`, Unix milliseconds; 0 for no bound."""
    parts = [f'at {sign} "{iso_time(at)}"' for sign, at in ((">=", since), ("<", until)) if at]
    return " AND ".join(parts)


def both(*filters: str) -> str:
    """The filter for which all of these hold."""
    given = [part for part in filters if part]
    return " AND ".join(f"({part})" for part in given) if len(given) > 1 else "".join(given)


def event_data(event: JournalEvent) -> dict[str, Any]:
    """One event for scripts: the fields of the event, and those of its entry."""
    return {**document(event), "decoded": document(JournalEntry.FromString(event.entry))}


def event_row(event: JournalEvent) -> tuple[str, ...]:
    """One event as a row below `EVENT_COLUMNS`."""
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


def disclosure_data(record: DisclosureRecord) -> dict[str, Any]:
    """One disclosure for scripts: the fields of the record, and those of its entry."""
    return {**document(record), "decoded": document(loosely(Entry, record.entry))}


def disclosure_row(record: DisclosureRecord) -> tuple[str, ...]:
    """One disclosure as a row below `DISCLOSURE_COLUMNS`."""
    entry, data = loosely(Entry, record.entry), document(record)
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
