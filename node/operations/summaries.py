"""One line for each alert in a list, with the flags that a person must see before acting on it."""

from collections.abc import Iterable

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2, disclosure_pb2, manifest_pb2, statement_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from exchange.values import PartyId
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.inside import standing_of
from node.ports import Known, Ports
from node.store import alerts, inside, logs
from node.store.alerts import AlertRow
from node.store.emergencies import told_in_emergency
from node.store.logs import LogRow
from node.store.transaction import Transaction
from node.store.work import NO_REPORTS

_REFUSAL = "exchange.v1.Refusal"
_ITINERARY = TravelAlert.DESCRIPTOR.fields_by_name["itinerary"].number
CONFIRMED_FOR_MS = 5 * 60 * 1000
"""How long an `alive` confirms what is in force (PROTOCOL.md, section 5)."""


def own_summary(alert: AlertRow, now: int) -> desk_service_pb2.AlertSummary:
    """An alert that this country originated."""
    flags = [] if alert.state == "active" else [alert.state.upper()]
    return _summary(alert, [*flags, *_expired(alert, now)])


def received_summary(ports: Ports, tx: Transaction, alert: AlertRow, agency: str, conflicts: "Conflicts") -> desk_service_pb2.AlertSummary:
    """An alert that came for `agency`. Flags: of its life, and CONFLICT, NOT_CONFIRMED, UNCONFIRMED, EMERGENCY, REPORT_WAITING."""
    now = ports.clock.now_ms()
    standing = standing_of(tx, alert, agency, now)
    reports = inside.reports_of(tx, [alert.id])
    flags = [*standing.flags, *_expired(alert, now)]
    if conflicts.concern(alert):
        flags.append("CONFLICT")
    _, confirmed = confirmation(logs_of(tx, alert), now)
    if not confirmed:
        flags.append("NOT_CONFIRMED")
    if alert.sealed is not None and alert.wrapped_key is not None and _signed_by_a_thief(ports, tx, alert):
        flags.append("UNCONFIRMED")
    if told_in_emergency(tx, alert.digest):
        flags.append("EMERGENCY")
    if any(report.desk == agency and report.waits for report in reports):
        flags.append("REPORT_WAITING")
    summary = _summary(alert, flags)
    summary.received_at = alert.recorded_at
    if not _knows_the_journey(tx, alert, agency):
        summary.arrives_at = 0  # it may follow from what another agency was told
    summary.answered = any(answer.originator == agency for answer in reports_on(tx, alert, outbound=True))
    summary.answered |= any(report.agency == agency for report in reports)
    return summary


def _knows_the_journey(tx: Transaction, alert: AlertRow, agency: str) -> bool:
    entries = (disclosure_pb2.Entry.FromString(row.entry) for _, row in logs.entries_of_alert(tx, alert.id))
    told = (entry.fields for entry in entries if agency in entry.audience)
    return any(_ITINERARY in fields for fields in (*told, *(one.fields for one in inside.of_agency(tx, alert.id, agency))))


def logs_of(tx: Transaction, alert: AlertRow) -> list[LogRow]:
    """The mirrors of partners' logs that disclose an alert."""
    by_id = {log.id: log for log in logs.all_logs(tx) if not log.outbound}
    return [by_id[log_id] for log_id in dict.fromkeys(log_id for log_id, _ in logs.entries_of_alert(tx, alert.id)) if log_id in by_id]


def confirmation(mirrors: Iterable[LogRow], now: int) -> tuple[int, bool]:
    """When it was last confirmed that what these logs disclose is in force (Unix milliseconds), and whether that counts as now."""
    confirmed = [log for log in mirrors if log.confirmed_at]
    at = max((log.confirmed_at for log in confirmed), default=0)
    return at, any(log.state == "open" and now - log.confirmed_at < CONFIRMED_FOR_MS for log in confirmed)


class Conflicts:
    """What the manifests that were not taken into use contradict."""

    def __init__(self, tx: Transaction) -> None:
        self._alerts: set[tuple[str, bytes]] = set()
        self._predecessors: dict[bytes, str] = {}
        for _, serialized in alerts.all_conflicts(tx):
            manifest = manifest_pb2.Manifest.FromString(statement_pb2.Statement.FromString(serialized).payload)
            self._alerts.add((manifest.originator, manifest.alert_id))
            self._predecessors |= dict.fromkeys(manifest.supersedes, manifest.originator)
        self._successors = {
            later
            for earlier, later, originator in alerts.successors_of(tx, self._predecessors)
            if self._predecessors[earlier] == originator
        }

    def concern(self, alert: AlertRow) -> bool:
        """Whether one of them is a rival of this alert."""
        return (alert.originator, alert.alert_id) in self._alerts or alert.digest in self._successors


def reports_on(tx: Transaction, alert: AlertRow, *, outbound: bool) -> list[AlertRow]:
    """What answered an alert: not that somebody read it or asks about it, nor that its purge was attested, nor a recall of ours."""
    answers = alerts.answers_to(tx, alert.digest, outbound=outbound)
    return [one for one in answers if one.alert_type == _REFUSAL or not _no_answer(one.alert_type)]


def _no_answer(name: str) -> bool:
    return name in NO_REPORTS or alert_types()[name].control


def _expired(alert: AlertRow, now: int) -> list[str]:
    return ["EXPIRED"] if alert.not_after and now >= alert.not_after else []


def _signed_by_a_thief(ports: Ports, tx: Transaction, alert: AlertRow) -> bool:
    """Whether the manifest came at or after the moment since which its key is known as compromised (PROTOCOL.md, section 7)."""
    data_key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
    manifest = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b"")).manifest
    since = _compromised_since(ports.known, alert.originator, manifest)
    return bool(since) and alert.recorded_at >= since


def _compromised_since(known: Known, originator: str, manifest: statement_pb2.Statement) -> int:
    node = known.nodes().get(PartyId.parse(originator).trust_domain)
    key = node.find(manifest.signatures[0].key_id) if node else None
    return key.compromised_since if key else 0


def _summary(alert: AlertRow, flags: list[str]) -> desk_service_pb2.AlertSummary:
    return desk_service_pb2.AlertSummary(
        alert_id=alert.alert_id,
        manifest_digest=alert.digest,
        alert_type=alert.alert_type,
        originator=alert.originator,
        issued_at=alert.issued_at,
        not_after=alert.not_after,
        training=alert.training,
        arrives_at=alert.arrives_at,
        flags=flags,
    )
