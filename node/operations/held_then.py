"""What the recipient of one entry held when it came, read from the logs: so that D8 and D10 can be asked again long afterwards."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet

from exchange.recipient import Held
from exchange.v1 import disclosure_pb2
from node.store import alerts, logs, recalls
from node.store.log_uses import entries_under
from node.store.logs import LogRow
from node.store.recalls import RecallKind
from node.store.transaction import Transaction


class HeldThen:
    """`exchange.disclosure.Holdings` for one entry of a log, whichever of the two countries asks; what came after it does not count."""

    def __init__(self, tx: Transaction, log: LogRow, index: int) -> None:
        self._tx = tx
        self._log = log
        self._index = index
        every = logs.all_logs(tx)
        route, parties = (log.name.sender, log.name.recipient), {log.name.sender, log.name.recipient}
        self._same_way = {one.id: one for one in every if (one.name.sender, one.name.recipient) == route}
        self._between = {one.id for one in every if {one.name.sender, one.name.recipient} == parties}

    def fields_of(self, manifest_digest: bytes) -> frozenset[int]:
        """Fields of that manifest disclosed before, excepted deliveries not counted."""
        before = [(log_id, row) for log_id, row in self._entries_of(manifest_digest) if self._before(log_id, row.idx)]
        excepted: dict[int, dict[int, int]] = {}
        found: set[int] = set()
        for log_id, row in before:
            if log_id not in excepted:
                excepted[log_id] = logs.exception_codes(self._tx, log_id, 0, self._same_way[log_id].size)
            if row.idx not in excepted[log_id]:
                found.update(disclosure_pb2.Entry.FromString(row.entry).fields)
        return frozenset(found)

    def in_use(self, originator: str, alert_id: bytes) -> bytes | None:
        """Digest of the manifest in use for that alert; one that contradicted it was never stored as an alert."""
        row = alerts.by_alert_ids(self._tx, {alert_id}).get((originator, alert_id))
        return row.digest if row else None

    def successors_of(self, manifest_digest: bytes) -> Iterable[Held]:
        """Manifests that supersede that one, and came before."""
        return [
            Held(digest=later, originator=originator, supersedes=alerts.superseded_by(self._tx, later))
            for _, later, originator in alerts.successors_of(self._tx, {manifest_digest})
            if self._came_before(later)
        ]

    def referent(self, manifest_digest: bytes) -> str | None:
        """Originator of a manifest that one of the logs between the two nodes discloses; "" if it never came."""
        row = alerts.by_digests(self._tx, {manifest_digest}).get(manifest_digest)
        if row is not None:
            told = any(log_id in self._between for log_id, _ in logs.entries_of_alert(self._tx, row.id))
            return row.originator if told else None
        return "" if recalls.find_unheld(self._tx, {manifest_digest}) else None

    def told_under(self, agreement_digest: bytes) -> AbstractSet[bytes]:
        """Manifests disclosed under that agreement before."""
        return {
            use.entry.manifest_digest
            for log in self._same_way.values()
            for use in entries_under(self._tx, log, agreement_digest)
            if use.kept and self._before(log.id, use.index)
        }

    def withdrawn_by(self, manifest_digest: bytes) -> Collection[str]:
        """Originators of the withdrawals about that manifest that came before."""
        return [
            one.originator
            for one in recalls.recalls_of(self._tx, {manifest_digest})
            if one.kind == RecallKind.WITHDRAWAL and self._came_before(one.control)
        ]

    def _came_before(self, digest: bytes) -> bool:
        return any(self._before(log_id, row.idx) for log_id, row in self._entries_of(digest))

    def _entries_of(self, digest: bytes) -> list[tuple[int, logs.EntryRow]]:
        row = alerts.by_digests(self._tx, {digest}).get(digest)
        return logs.entries_of_alert(self._tx, row.id) if row else []

    def _before(self, log_id: int, index: int) -> bool:
        log = self._same_way.get(log_id)
        return log is not None and (log.name.generation, index) < (self._log.name.generation, self._index)
