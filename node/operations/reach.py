"""Who was ever told of an alert, as the logs say it: whoever a recall must reach, also after every agreement has ended.

An alert goes on under several manifests, each of which supersedes all before it: its *lineage*. Whoever holds it because another country
passed it on is reached through that country (`node.operations.onward_reach`), which is among the holders here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.intake.problems import error
from node.store import alerts, logs, recalls
from node.store.alerts import AlertRow
from node.store.logs import LogRow
from node.store.transaction import Transaction

Holders = Mapping[str, frozenset[str]]
"""Partner (trust domain) to the agencies there that were told any field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One entry of ours that names a manifest."""

    log: LogRow
    index: int
    entry: disclosure_pb2.Entry
    exception: int
    """ExceptionCode of the partner's receipt, 0 while there is none."""


def lineage(tx: Transaction, alert: AlertRow) -> list[AlertRow]:
    """Every manifest of the same alert that is here, oldest first; the last is in use, unless it was recalled."""
    newest = alert
    while later := _successor(tx, newest):
        newest = later
    earlier = alerts.by_digests(tx, alerts.superseded_by(tx, newest.digest))
    before = [row for row in earlier.values() if (row.originator, row.own) == (newest.originator, newest.own)]
    return [*sorted(before, key=lambda row: row.id), newest]


def first_of(tx: Transaction, digest: bytes) -> bytes:
    """The digest of the first manifest of the alert that a manifest belongs to, so far as it is known here."""
    row = alerts.by_digests(tx, {digest}).get(digest)
    return lineage(tx, row)[0].digest if row else digest


def tellings(tx: Transaction, alert: AlertRow) -> list[Telling]:
    """Every entry of ours that names this manifest, in the order of their logs; also those adopted after a restored backup."""
    ours = {log.id: log for log in logs.all_logs(tx) if log.outbound}
    told = [(log_id, row) for log_id, row in logs.entries_of_alert(tx, alert.id) if log_id in ours]
    told += [(log_id, row) for log_id, row in logs.entries_without_alert(tx, ours.keys())]
    found = []
    for log_id, row in told:
        entry = disclosure_pb2.Entry.FromString(row.entry)
        if entry.manifest_digest == alert.digest:
            exception = logs.exception_codes(tx, log_id, row.idx, row.idx + 1).get(row.idx, 0)
            found.append(Telling(log=ours[log_id], index=row.idx, entry=entry, exception=exception))
    return found


def holders(tx: Transaction, alert: AlertRow) -> Holders:
    """Everybody who was told any field of one manifest of ours. Sent and not receipted counts, and so does an excepted delivery."""
    return audiences(tellings(tx, alert))


def audiences(told: Sequence[Telling]) -> dict[str, frozenset[str]]:
    """The agencies of some entries, by partner."""
    found: dict[str, frozenset[str]] = {}
    for one in told:
        partner = one.log.name.recipient
        found[partner] = found.get(partner, frozenset()) | frozenset(one.entry.audience)
    return found


def lineage_obstacle(tx: Transaction, supersedes: Sequence[bytes], originator: str) -> desk_service_pb2.Problem | None:
    """Why a manifest of `originator` cannot take the place of these: of two that would, the first holds, and a recall holds for good."""
    held = alerts.by_digests(tx, supersedes)
    if any((row.own, row.originator) != (True, originator) for row in held.values()):
        return error("SUPERSEDES_OTHERS", "supersedes", "only your agency's own alerts can be replaced", "name one of yours")
    if recalls.withdrawn_by(tx, supersedes):
        return withdrawn()
    if {digest for _, digest, by in alerts.successors_of(tx, supersedes) if by == originator} - set(supersedes):
        remedy = "see what holds now (exchange alert list), and replace that"
        return error("ALREADY_SUPERSEDED", "supersedes", "another alert took this one's place already", remedy)
    return None


def withdrawn() -> desk_service_pb2.Problem:
    """The problem of whatever would tell more of a withdrawn alert."""
    return error(
        "ALERT_WITHDRAWN", "alert", "this alert was withdrawn, and does not come back", "publish a new alert if there is new ground"
    )


def _successor(tx: Transaction, alert: AlertRow) -> AlertRow | None:
    later = [digest for _, digest, originator in alerts.successors_of(tx, {alert.digest}) if originator == alert.originator]
    known = [row for row in alerts.by_digests(tx, later).values() if row.own == alert.own]
    # Each of these supersedes all before it, so the newest has the longest list; a rival of the same length came later.
    return max(known, key=lambda row: (len(alerts.superseded_by(tx, row.digest)), -row.id), default=None)
