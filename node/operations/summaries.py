"""One line for each alert in a list, with the flags that a person must see before acting on it."""

from collections.abc import Iterable, Sequence

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.inside import standing_of
from node.operations.standing import standing_for
from node.ports import Ports
from node.store import alerts, inside, logs
from node.store.alerts import AlertRow
from node.store.emergencies import told_in_emergency
from node.store.inside import ReportRow
from node.store.landings import landings_for
from node.store.logs import LogRow
from node.store.transaction import Transaction
from node.store.unanswered import NO_REPORTS

_REFUSAL = "exchange.v1.Refusal"
_OVER = frozenset({"SUPERSEDED", "WITHDRAWN"})
"""Flags of what nobody acts upon any more."""
CONFIRMED_FOR_MS = 5 * 60 * 1000
"""How long an `alive` confirms what is in force (PROTOCOL.md, section 5)."""


def own_summary(alert: AlertRow, now: int) -> desk_service_pb2.AlertSummary:
    """An alert that this country originated."""
    flags = [] if alert.state == "active" else [alert.state.upper()]
    return _summary(alert, [*flags, *_expired(alert, now)])


def received_summary(ports: Ports, tx: Transaction, alert: AlertRow, agency: str) -> desk_service_pb2.AlertSummary:
    """One of `received_summaries`."""
    (summary,) = received_summaries(ports, tx, [alert], agency)
    return summary


def received_summaries(ports: Ports, tx: Transaction, rows: Sequence[AlertRow], agency: str) -> list[desk_service_pb2.AlertSummary]:
    """Alerts that came for `agency`. Flags: of their life, and CONFLICT, NOT_CONFIRMED, UNCONFIRMED, EMERGENCY, REPORT_WAITING.

    A few questions for all of them, and none is opened: a list is long.
    """
    now = ports.clock.now_ms()
    ids, digests = [row.id for row in rows], [row.digest for row in rows]
    lands = landings_for(tx, ids, agency)
    mirrors = {log.id: log for log in logs.all_logs(tx) if not log.outbound}
    telling = logs.logs_telling(tx, ids)
    told_inside = inside.told_among(tx, ids, agency)
    urgent = told_in_emergency(tx, digests)
    answered = {
        answer.answered for answer in alerts.answers_among(tx, digests) if answer.originator == agency and is_report(answer.alert_type)
    }
    reports: dict[int, list[ReportRow]] = {}
    for report in inside.reports_of(tx, ids):
        reports.setdefault(report.alert_ref, []).append(report)
    conflicts, thieves = Conflicts(tx), _Thieves(ports)
    found = []
    for alert in rows:
        # Whoever was told of it from abroad alone needs no look at the distributions.
        standing = standing_of(tx, alert, agency, now) if alert.id in told_inside else standing_for(tx, alert, agency)
        said = reports.get(alert.id, ())
        flags = [*standing.flags, *_expired(alert, now)]
        if conflicts.concern(alert):
            flags.append("CONFLICT")
        _, confirmed = confirmation([mirrors[log] for log in telling.get(alert.id, ()) if log in mirrors], now)
        if not confirmed:
            flags.append("NOT_CONFIRMED")
        if thieves.may_have_signed(tx, alert):
            flags.append("UNCONFIRMED")
        if alert.digest in urgent:
            flags.append("EMERGENCY")
        if any(report.desk == agency and report.waits for report in said):
            flags.append("REPORT_WAITING")
        summary = _summary(alert, flags)
        summary.received_at = alert.recorded_at
        # `alert.arrives_at` may follow from what another agency was told. Of an alert that is over none is told: beside the newest
        # there would be two truths of where he lands.
        summary.arrives_at = 0 if _OVER & set(flags) else lands.get(alert.id, 0)
        summary.answered = alert.digest in answered or any(report.agency == agency for report in said)
        found.append(summary)
    return found


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
    return [one for one in answers if is_report(one.alert_type)]


def is_report(name: str) -> bool:
    """Whether an alert of that type says what became of the one that it answers."""
    return name == _REFUSAL or not (name in NO_REPORTS or alert_types()[name].control)


def _expired(alert: AlertRow, now: int) -> list[str]:
    return ["EXPIRED"] if alert.not_after and now >= alert.not_after else []


class _Thieves:
    """Whose manifests came at or after the moment since which their key is known as compromised (PROTOCOL.md, section 7)."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._nodes = ports.known.nodes()
        self._since = {
            name: min((key.compromised_since for key in node.keys.values() if key.compromised_since), default=0)
            for name, node in self._nodes.items()
        }

    def may_have_signed(self, tx: Transaction, alert: AlertRow) -> bool:
        # Few keys are ever stolen: an alert is opened to see its key's id only where one is, and only what came since.
        first = self._since.get(PartyId.parse(alert.originator).trust_domain, 0)
        if not first or alert.recorded_at < first or alert.sealed is None or alert.wrapped_key is None:
            return False
        data_key = self._ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
        manifest = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed)).manifest
        key = self._nodes[PartyId.parse(alert.originator).trust_domain].find(manifest.signatures[0].key_id)
        return key is not None and 0 < key.compromised_since <= alert.recorded_at


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
