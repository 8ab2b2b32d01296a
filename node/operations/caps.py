"""How often a clause may be used: its rate cap, and the one use of an agreement for an emergency, counted from the logs themselves.

Asked in the transaction that gives a release its place, by the one thread that does so: two releases at once cannot exceed a cap together.
A clause without a cap costs a look into what is known, and no question to the store.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from exchange.agreement import EMERGENCY_AT_MOST_MS, Agreed
from exchange.v1 import desk_service_pb2
from exchange.v1.disclosure_pb2 import Entry
from node.intake.problems import error
from node.ports import Known
from node.store import logs
from node.store.envelope import DAY_MS
from node.store.log_uses import entries_under
from node.store.transaction import Transaction

_Clause = tuple[bytes, str]
"""Digest of an agreement, and a clause of it."""


class Caps:
    """What one transaction releases under clauses that may be used only so often."""

    def __init__(self, known: Known, tx: Transaction, now: int) -> None:
        self._known = known
        self._tx = tx
        self._now = now
        self._times: dict[_Clause, list[int]] = {}

    def obstacle(self, entries: Iterable[Entry], *, replacing: bool = False) -> desk_service_pb2.Problem | None:
        """Why these entries, together, are more than a clause of theirs allows now; None if they are not.

        What takes another alert's place counts, and is not held back by a cap: it tells of nobody else, and a mistake must not stand
        because a day was busy.
        """
        for (agreement, clause), count in self._limited(entries).items():
            agreed = self._known.agreements[agreement]
            times = self._used(agreed, clause)
            if agreed.agreement.emergency:
                if times:
                    return emergency_used()
                continue
            cap = agreed.clauses[clause].rate_cap_per_day
            if len(times) + count > cap and not replacing:
                return _cap_reached(times, cap, count)
        return None

    def add(self, entries: Iterable[Entry]) -> None:
        """Take note of entries that get their places in this transaction."""
        for (agreement, clause), count in self._limited(entries).items():
            self._used(self._known.agreements[agreement], clause).extend([self._now] * count)

    def left(self, agreement: bytes, clause: str) -> int:
        """How many releases a capped clause still allows now."""
        agreed = self._known.agreements[agreement]
        return max(agreed.clauses[clause].rate_cap_per_day - len(self._used(agreed, clause)), 0)

    def _limited(self, entries: Iterable[Entry]) -> Counter[_Clause]:
        found: Counter[_Clause] = Counter()
        for entry in entries:
            agreed = self._known.agreements.get(entry.agreement_digest)
            if agreed is not None and is_limited(agreed, entry.clause):
                found[agreed.digest, entry.clause] += 1
        return found

    def _used(self, agreed: Agreed, clause: str) -> list[int]:
        """When the clause was used within its time, Unix milliseconds, ascending."""
        key = (agreed.digest, clause)
        if key not in self._times:
            # An agreement for an emergency lives no longer than that, but a clock may have been set back.
            within = 2 * EMERGENCY_AT_MOST_MS if agreed.agreement.emergency else DAY_MS
            ours = [log for log in logs.all_logs(self._tx) if log.outbound and log.name.recipient in agreed.parties]
            uses = (use.entry for log in ours for use in entries_under(self._tx, log, agreed.digest, self._now - within + 1))
            self._times[key] = sorted(use.disclosed_at for use in uses if use.clause == clause)
        return self._times[key]


def is_limited(agreed: Agreed, clause: str) -> bool:
    """Whether a clause may be used only so often."""
    found = agreed.clauses.get(clause)
    return agreed.agreement.emergency or (found is not None and found.rate_cap_per_day > 0)


def emergency_used() -> desk_service_pb2.Problem:
    """What a person reads who would use an agreement for an emergency a second time."""
    message = "this agreement is for an emergency, and one alert was told under it already"
    return error("EMERGENCY_USED", "recipients", message, "agree on another, or release under an ordinary agreement")


def _cap_reached(times: list[int], cap: int, count: int) -> desk_service_pb2.Problem:
    message = f"the clause allows {cap} releases a day, and {len(times)} were made in the last 24 hours"
    waiting_for = len(times) + count - cap
    if waiting_for > len(times):
        return error("CONDITION_RATE_CAP", "recipients", message, "choose fewer recipients: this alone is more than a day's releases")
    free = datetime.fromtimestamp((times[waiting_for - 1] + DAY_MS) / 1000, UTC)
    remedy = f"wait until {free:%Y-%m-%d %H:%M:%S} UTC, when the next may go; or release by another clause"
    return error("CONDITION_RATE_CAP", "recipients", message, remedy)
