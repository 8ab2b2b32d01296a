"""What this node holds from one partner, asked once for a whole batch, and grown as the batch is taken in."""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet

from exchange.disclosure import Content, Disclosure
from exchange.recipient import Held
from exchange.v1 import disclosure_pb2
from exchange.v1.control_pb2 import Withdrawal
from exchange.values import node_of
from node.store import alerts, logs, recalls
from node.store.log_uses import entries_under
from node.store.logs import LogRow
from node.store.transaction import Transaction


class BatchHoldings:
    """`exchange.disclosure.Holdings` over the store, inside the transaction that keeps the batch."""

    def __init__(self, tx: Transaction, log: LogRow, contents: Sequence[Content]) -> None:
        self._tx = tx
        self._log = log
        manifests = [content.signed.manifest for content in contents]
        self._in_use = {key: row.digest for key, row in alerts.by_alert_ids(tx, {manifest.alert_id for manifest in manifests}).items()}
        self._successors: dict[bytes, list[Held]] = {}
        for earlier, later, originator in alerts.successors_of(tx, {d for manifest in manifests for d in manifest.supersedes}):
            held = Held(digest=later, originator=originator, supersedes=alerts.superseded_by(tx, later))
            self._successors.setdefault(earlier, []).append(held)
        # What is not held at all is known at once, for the whole batch; that is nearly everything.
        digests = {content.signed.entry.manifest_digest for content in contents}
        self._rows = alerts.by_digests(tx, digests)
        self._fields: dict[bytes, frozenset[int]] = {digest: frozenset() for digest in digests - self._rows.keys()}
        self._withdrawn = recalls.withdrawn_by(tx, digests | {digest for manifest in manifests for digest in manifest.supersedes})
        # What this batch itself brings, and what it names and does not bring.
        self._brought: dict[bytes, str] = {}
        self._missed: set[bytes] = set()
        self._under: dict[bytes, set[bytes]] = {}
        self._brought_under: dict[bytes, set[bytes]] = {}

    def fields_of(self, manifest_digest: bytes) -> frozenset[int]:
        """Fields already disclosed of that manifest."""
        if manifest_digest not in self._fields:
            # This log and its predecessors, and no other partner's: required fields are counted over these.
            sender = self._log.name.sender
            inbound = {log.id for log in logs.all_logs(self._tx) if not log.outbound and log.name.sender == sender}
            found: set[int] = set()
            for log_id, entry in logs.entries_of_alert(self._tx, self._rows[manifest_digest].id):
                if log_id in inbound:
                    found.update(disclosure_pb2.Entry.FromString(entry.entry).fields)
            self._fields[manifest_digest] = frozenset(found)
        return self._fields[manifest_digest]

    def in_use(self, originator: str, alert_id: bytes) -> bytes | None:
        """Digest of the manifest in use for that alert."""
        return self._in_use.get((originator, alert_id))

    def successors_of(self, manifest_digest: bytes) -> Iterable[Held]:
        """Manifests held that supersede that one."""
        return self._successors.get(manifest_digest, ())

    def referent(self, manifest_digest: bytes) -> str | None:
        """Originator of a manifest that one of the two logs discloses; "" if it never came."""
        if manifest_digest in self._brought:
            return self._brought[manifest_digest]
        row = alerts.by_digests(self._tx, {manifest_digest}).get(manifest_digest)
        if row is None:
            return self._never_came(manifest_digest)
        names = {log.id: log.name for log in logs.all_logs(self._tx)}
        parties = {self._log.name.sender, self._log.name.recipient}
        between = {log_id for log_id, name in names.items() if {name.sender, name.recipient} == parties}
        told = any(log_id in between for log_id, _ in logs.entries_of_alert(self._tx, row.id))
        return row.originator if told or manifest_digest in self._missed or self._named_alone(between, manifest_digest) else None

    def told_under(self, agreement_digest: bytes) -> AbstractSet[bytes]:
        """Manifests already disclosed under that agreement."""
        if agreement_digest not in self._under:
            sender = self._log.name.sender
            inbound = [log for log in logs.all_logs(self._tx) if not log.outbound and log.name.sender == sender]
            told = (one for log in inbound for one in entries_under(self._tx, log, agreement_digest) if one.kept)
            self._under[agreement_digest] = {one.entry.manifest_digest for one in told}
        return self._under[agreement_digest] | self._brought_under.get(agreement_digest, set())

    def withdrawn_by(self, manifest_digest: bytes) -> Collection[str]:
        """Originators of the withdrawals of that manifest."""
        return self._withdrawn.get(manifest_digest, ())

    def miss(self, digest: bytes) -> None:
        """Take note of a manifest that the batch names and does not bring."""
        self._missed.add(digest)

    def add(self, disclosure: Disclosure) -> None:
        """Take in what the batch has just disclosed, so that the next delivery is judged with it."""
        digest, manifest = disclosure.manifest.digest, disclosure.manifest.value
        self._brought[digest] = manifest.originator
        self._brought_under.setdefault(disclosure.entry.agreement_digest, set()).add(digest)
        if isinstance(disclosure.alert, Withdrawal):
            about = disclosure.alert.manifest_digest
            self._withdrawn[about] = (*self._withdrawn.get(about, ()), manifest.originator)
        self._in_use.setdefault((manifest.originator, manifest.alert_id), digest)
        self._fields[digest] = self._fields.get(digest, frozenset()) | frozenset(disclosure.entry.fields)
        for earlier in manifest.supersedes:
            held = Held(digest=digest, originator=manifest.originator, supersedes=frozenset(manifest.supersedes))
            self._successors.setdefault(earlier, []).append(held)

    def _named_alone(self, log_ids: Collection[int], manifest_digest: bytes) -> bool:
        """Whether an entry of these logs names it apart from its alert: of ours, adopted after a restored backup; of theirs, excepted."""
        entries = (row.entry for _, row in logs.entries_without_alert(self._tx, log_ids))
        return any(disclosure_pb2.Entry.FromString(entry).manifest_digest == manifest_digest for entry in entries)

    def _never_came(self, manifest_digest: bytes) -> str | None:
        lost = recalls.find_unheld(self._tx, {manifest_digest}).get(manifest_digest)
        if lost:
            # Of what we ourselves disclosed, and lost with a database, we are the originator: no partner recalls that.
            return str(node_of(self._log.name.recipient))
        return "" if lost is not None or manifest_digest in self._missed else None
