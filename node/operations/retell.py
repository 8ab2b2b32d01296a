"""Recalls and attestations that a stopped log could not take are told as soon as it goes on: after a recovery, or in its successor."""

from dataclasses import dataclass

from exchange.disclosure import commit_authorisation
from exchange.errors import ExchangeError
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.operations.contents import SALT, Authorisation
from node.operations.control import addressed
from node.operations.reach import holders
from node.operations.recall import Release
from node.operations.release import Prepared, PreparedEntry
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.transaction import Transaction

_REASON = "The log was stopped when this was said."


def tell_waiting(ports: Ports, release: Release) -> int:
    """Tell partners whose log goes on again what they are still to be told; returns how many control alerts that were."""
    with ports.store.read() as tx:
        items = [
            item
            for control, partner in recalls.all_untold(tx)
            if _open(tx, partner) and (item := _prepared(ports, tx, control, partner)) is not None
        ]
    if items:
        release(items)
    return len(items)


def _open(tx: Transaction, partner: str) -> bool:
    log = logs.newest_log(tx, partner, outbound=True)
    return log is not None and log.state == "open"


def _prepared(ports: Ports, tx: Transaction, control: bytes, partner: str) -> Prepared | None:
    recall = recalls.recall_by(tx, control)
    referent = recall.referent if recall else recalls.attestation_by(tx, control)
    rows = alerts.by_digests(tx, {control, referent} if referent else set())
    row, about = rows.get(control), rows.get(referent or b"")
    if row is None or about is None:
        return None
    # A recall goes to everybody there who was told, an attestation to whoever recalled.
    told = holders(tx, about).get(partner, frozenset()) if recall else frozenset({about.originator})
    try:
        data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    except ExchangeError:
        return None  # erased meanwhile: there is nothing left to tell
    now = ports.clock.now_ms()
    node = row.originator
    record = Authorisation(officer=node, agency=row.originator, reason=_REASON, preview=control, at=now).record()
    entries = []
    for _, audience in addressed({partner: told}):
        salt = ports.entropy(SALT)
        entry = disclosure_pb2.Entry(
            manifest_digest=control,
            fields=alert_type(row.alert_type).numbers,
            audience=audience,
            thread=about.digest,
            in_reply_to=about.digest,
            authorisation=commit_authorisation(salt, record),
        )
        entries.append(PreparedEntry(partner=partner, entry=entry, record=salt + record))
    return Prepared(
        request_id=control[:8] + partner.encode().ljust(8, b"\0")[:8],
        officer=node,
        alert={"alert_id": row.alert_id, "digest": row.digest, "originator": row.originator},
        data_key=data_key,
        supersedes=(),
        in_reply_to=b"",
        entries=tuple(entries),
        existing=row.id,
        control=True,
        consequence=_Told(control=control, partner=partner),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The partner is told: nothing waits for it any more."""

    control: bytes
    partner: str

    def obstacle(self, _ports: Ports, _tx: Transaction) -> desk_service_pb2.Problem | None:
        """Nothing: if the log was stopped again, the partner waits on."""
        return None

    def take_effect(self, _ports: Ports, tx: Transaction, _now: int) -> None:
        """Clear what was noted, if the log took it."""
        if _open(tx, self.partner):
            recalls.clear_untold(tx, self.control, self.partner)
