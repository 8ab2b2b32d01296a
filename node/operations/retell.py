"""What waits is told as soon as a log takes it: recalls, attestations and refusals of ours, and recalls that we forward.

Another country's recall of what we passed on is forwarded as it came, under the permit by which we passed it on, expired or not
(PROTOCOL.md, section 8).
"""

from dataclasses import dataclass

from exchange.disclosure import commit_authorisation
from exchange.errors import ExchangeError
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.values import node_of
from node.operations.attest import answered_to
from node.operations.contents import SALT, Authorisation
from node.operations.control import addressed
from node.operations.inbox import given_to
from node.operations.onward_reach import onward_tellings
from node.operations.reach import Telling, audiences, tellings
from node.operations.recall import Release
from node.operations.release import Prepared, PreparedEntry
from node.ports import Ports
from node.store import alerts, logs, recalls
from node.store.recalls import RecallRow
from node.store.transaction import Transaction

_REASON = "The log was stopped when this was said."
_FORWARDED = "The originator recalled what was passed on."


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
    referent = recall.referent if recall else recalls.attestation_by(tx, control) or alerts.answered_by(tx, control)
    rows = alerts.by_digests(tx, {control, referent} if referent else set())
    row, about = rows.get(control), rows.get(referent or b"")
    if row is None or referent is None:
        return None
    told = _told(tx, recall, partner) if recall else []
    permit = told[0].entry.permit_digest if told and not row.own else b""
    audience_there = audiences(told).get(partner, frozenset())
    if recall is None and about is not None:  # an attestation or a refusal goes to whoever originated it, and to whoever had passed it on
        audience_there = answered_to(ports.known, about, given_to(tx, about, row.originator)).get(partner, frozenset())
    if not audience_there:
        return None
    try:
        data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    except ExchangeError:
        return None  # erased meanwhile: there is nothing left to tell
    now = ports.clock.now_ms()
    node = row.originator if row.own else str(node_of(ports.trust_domain))
    why = _REASON if row.own else _FORWARDED
    record = Authorisation(officer=node, agency=node, reason=why, preview=control, at=now).record()
    entries = []
    for _, audience in addressed({partner: audience_there}):
        salt = ports.entropy(SALT)
        entry = disclosure_pb2.Entry(
            manifest_digest=control,
            fields=alert_type(row.alert_type).numbers,
            audience=audience,
            thread=referent,
            in_reply_to=referent,
            permit_digest=permit,
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


def _told(tx: Transaction, recall: RecallRow, partner: str) -> list[Telling]:
    """Our entries towards a partner that name what was recalled."""
    about = alerts.by_digests(tx, {recall.referent}).get(recall.referent)
    told = tellings(tx, about) if recall.own and about is not None else onward_tellings(tx, recall.referent)
    return [one for one in told if one.log.name.recipient == partner]


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
