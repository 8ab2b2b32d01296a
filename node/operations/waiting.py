"""What this node could not hand over yet: entries without a receipt, recalls, agreements, ends of logs, notices. Counts, never content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.operations.officers import ADMINISTRATOR, require
from node.ports import Ports
from node.store import logs, notices, recalls
from node.store.directory import AgreementRow, all_agreements
from node.store.logs import LogRow
from node.store.notices import NoticeRow
from node.store.requests import attempts_since
from node.store.successions import SuccessionRow, all_successions
from node.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The newest log towards one partner. Times are Unix milliseconds, 0 for never."""

    partner: str
    origin: str
    stopped: bool
    size: int
    receipted: int
    receipted_at: int
    attempts: int
    """That ended without a receipt, for all that waits now."""
    tried_at: int

    @property
    def waits(self) -> int:
        """Entries without a receipt."""
        return self.size - self.receipted


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One way by which the office is told."""

    name: str
    waits: int
    """Notices that are still tried."""
    given_up: int
    """Notices that are not."""
    attempts: int
    """The most that one of these took."""
    last_at: int
    """When one was given up last, or else is tried next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """All of it."""

    logs: Sequence[LogState]
    recalls: Mapping[str, int]
    """By partner."""
    statements: Mapping[str, int]
    """By partner."""
    channels: Sequence[ChannelState]


def list_waiting(ports: Ports, person: str) -> Waiting:
    """What waits, for an administrator. Raises `NotPermitted` (ROLE_MISSING)."""
    require(ports, person, (ADMINISTRATOR,))
    with ports.store.read() as tx:
        return waiting(ports, tx)


def waiting(ports: Ports, tx: Transaction) -> Waiting:
    """The same, for whoever has asked already whether it may be seen."""
    newest = [logs.newest_log(tx, partner, outbound=True) for partner in sorted(ports.known.partners)]
    statements: tuple[AgreementRow | SuccessionRow, ...] = (*all_agreements(tx), *all_successions(tx))
    return Waiting(
        logs=[_log(tx, log) for log in newest if log is not None],
        recalls=Counter(partner for _, partner in recalls.all_untold(tx)),
        statements=Counter(row.partner for row in statements if not row.delivered),
        channels=_channels(notices.all_notices(tx)),
    )


def _log(tx: Transaction, log: LogRow) -> LogState:
    receipt = logs.newest_receipt(tx, log.id)
    attempts, tried_at = attempts_since(tx, log.id, log.size)
    return LogState(
        partner=log.name.recipient,
        origin=log.name.origin,
        stopped=log.state == "stopped",
        size=log.size,
        receipted=receipt.size if receipt else 0,
        receipted_at=receipt.received_at if receipt else 0,
        attempts=attempts,
        tried_at=tried_at,
    )


def _channels(rows: Sequence[NoticeRow]) -> list[ChannelState]:
    found = []
    for name in sorted({row.channel for row in rows}):
        given_up = [row for row in rows if row.channel == name and row.given_up_at]
        waits = [row for row in rows if row.channel == name and row.waits]
        found.append(
            ChannelState(
                name=name,
                waits=len(waits),
                given_up=len(given_up),
                attempts=max((row.attempts for row in (*given_up, *waits)), default=0),
                last_at=max((row.given_up_at for row in given_up), default=0) or min((row.next_attempt_at for row in waits), default=0),
            )
        )
    return found
