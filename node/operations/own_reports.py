"""What an agency itself has reported on an alert that it was told of: to be seen before it reports again, by whoever of it works then.

The person who reported is not among it: that record is for auditors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.v1.hit_report_pb2 import HitReport
from node.operations.access import note_access
from node.operations.held_content import held_content
from node.operations.inbox import DESK
from node.operations.inside import standing_of
from node.operations.inside_reports import HIT_REPORT, report_of
from node.operations.officers import agency_of, require
from node.operations.summaries import reports_on
from node.ports import Ports
from node.store import alerts, inside
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OwnReport:
    """One report. No repr: it is about a person."""

    digest: bytes
    """Of the report as it was sent abroad; empty for one that was kept for the desk that told the agency."""
    at: int
    """Unix milliseconds."""
    content: HitReport | None
    """None once it was erased."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reported:
    """What a further report would stand beside."""

    reports: Sequence[OwnReport]
    """Oldest first."""
    withdrawn: bool
    """Whether the alert was withdrawn."""


def own_reports(ports: Ports, person: str, reference: str) -> Reported:
    """The reports of the caller's agency on an alert that it was told of. Raises `NotFound` as `alerts.find`."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, told=agency)
        flags = standing_of(tx, row, agency, ports.clock.now_ms()).flags
        answers = [one for one in reports_on(tx, row, outbound=True) if (one.originator, one.alert_type) == (agency, HIT_REPORT)]
        kept = [report_of(ports, tx, row, one) for one in inside.reports_of(tx, [row.id]) if one.agency == agency]
        found = [OwnReport(digest=one.digest, at=one.issued_at, content=_content(ports, tx, one)) for one in answers]
    found += [OwnReport(digest=b"", at=one.reported_at, content=one.content if one.HasField("content") else None) for one in kept]
    # As whoever lists them by themselves is recorded (`get_alert`, `list_distributions`).
    opened = [Event(code="ALERT", subject=one.digest) for one in answers]
    opened += [Event(code="DISTRIBUTIONS", subject=row.digest)] if kept else []
    if opened:
        note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, *opened)
    return Reported(reports=sorted(found, key=lambda one: one.at), withdrawn="WITHDRAWN" in flags)


def _content(ports: Ports, tx: Transaction, report: AlertRow) -> HitReport | None:
    if report.wrapped_key is None or report.sealed is None:
        return None
    return HitReport.FromString(b"".join(opening.fragment for opening in held_content(ports, tx, report).openings))
