"""The register of mistakes, corrections and near misses, gathered from the journal, the logs and the alarms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exchange.v1.audit_service_pb2 import DisclosureRecord
from exchange.v1.disclosure_pb2 import Entry, WithheldCode
from exchange.v1.journal_pb2 import JOURNAL_KIND_ALARM, JOURNAL_KIND_REFUSAL, JournalEntry
from exchange.v1.receipt_pb2 import ExceptionCode
from node.documents import enum_name, iso_time, loosely
from node.reports.audit_lists import both, period_filter
from node.reports.audit_source import AuditSource

_ALTERATIONS = {
    "SUPERSEDED": "CORRECTED",
    "CORRECTED": "CORRECTED",
    "DISPUTED": "CORRECTED",
    "WITHDRAWN": "RECALLED",
    "RESTRICTED": "RECALLED",
    "MIS_HIT": "MISTAKEN",
}
"""What the register calls each alteration that says of something told that it was wrong, or may have been."""
_EVENTS = f"kind = REFUSAL OR kind = ALARM OR (kind = ALTERATION AND ({' OR '.join(f'code = {code}' for code in _ALTERATIONS)}))"
_DISCLOSURES = "exception:* OR withheld:* OR conflict = true OR correction = true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One line of the register."""

    grade: str
    """As findings are graded: CRITICAL, PRIORITY, ACTION, OBSERVATION."""
    at: int
    """Unix milliseconds."""
    kind: str
    code: str
    partner: str
    place: str
    """Log and index, or index in the journal."""

    def data(self) -> dict[str, Any]:
        """For scripts."""
        said = {"grade": self.grade, "at": iso_time(self.at), "kind": self.kind, "code": self.code}
        return {**said, "partner": self.partner, "place": self.place}


def read_register(source: AuditSource, since: int, until: int, limit: int) -> tuple[list[Mishap], bool]:
    """The register of a time (Unix milliseconds; 0 for no bound), oldest first, at most `limit` lines; and whether there are more."""
    period = period_filter(since, until)
    found: list[Mishap] = []
    events, more_events = source.events(both(period, _EVENTS), limit)
    for event in events:
        entry = JournalEntry.FromString(event.entry)
        kind = {JOURNAL_KIND_REFUSAL: "REFUSED", JOURNAL_KIND_ALARM: "ALARM"}.get(entry.kind) or _ALTERATIONS[entry.code]
        grade = "ACTION" if kind == "ALARM" else "OBSERVATION"
        place = f"{event.origin}#{event.index}"
        found.append(Mishap(grade=grade, at=entry.at, kind=kind, code=entry.code, partner=entry.counterparty, place=place))
    records, more_records = source.disclosures(both(period, _DISCLOSURES), limit)
    for record in records:
        found += _of_record(record)
    for alarm in source.alarms():
        if alarm.at >= since and (not until or alarm.at < until):
            found.append(
                Mishap(grade="ACTION", at=alarm.at, kind="STANDING_ALARM", code=alarm.code, partner=alarm.partner, place=alarm.origin)
            )
    found.sort(key=lambda item: item.at)
    return found[:limit], more_events or more_records or len(found) > limit


def _of_record(record: DisclosureRecord) -> Iterator[Mishap]:
    entry = loosely(Entry, record.entry)
    exception = enum_name(ExceptionCode.DESCRIPTOR, record.exception)
    withheld = enum_name(WithheldCode.DESCRIPTOR, record.withheld)
    sender, _, recipient = record.origin.split("/")[:3]
    partner = recipient if record.outbound else sender

    def mishap(grade: str, kind: str, code: str) -> Mishap:
        return Mishap(grade=grade, at=entry.disclosed_at, kind=kind, code=code, partner=partner, place=f"{record.origin}#{record.index}")

    if withheld:
        yield mishap("OBSERVATION", "WITHHELD", withheld)
    if exception:
        # What the recipient did not take is not known there: somebody has to tell it anew, or say why not.
        yield mishap("OBSERVATION" if exception == "WITHHELD" else "ACTION", "EXCEPTED", exception)
    if record.conflict:
        yield mishap("PRIORITY", "CONFLICT", "CONFLICT")
    if record.supersedes:
        yield mishap("OBSERVATION", "CORRECTION", "SUPERSEDES")
