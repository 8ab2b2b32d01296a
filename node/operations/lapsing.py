"""What nobody decided: a submission that waits is erased after the time for which a draft is kept, so that none is kept for ever."""

from typing import Final

from node.operations.draft_box import KEPT_MS
from node.ports import Ports
from node.store import alerts
from node.store.journal import Event, Kind
from node.store.submissions import close_submission, count_before, submissions_before
from node.store.transaction import Transaction

AT_ONCE: Final = 256


def count_past(tx: Transaction, now: int) -> int:
    """How many waited too long by then."""
    return count_before(tx, now - KEPT_MS)


def lapse_due(ports: Ports, actor: str) -> int:
    """Erase what waits for approval too long, at most `AT_ONCE`; `actor` is a person or this trust domain. Returns how many.

    Raises `StoreFailed` (STORE_LOCKED): then it is erased, but the database's journal still holds it until the next run.
    """
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        if not count_past(tx, now):
            return 0
    with ports.store.write() as tx:
        gone = _lapse(ports, tx, actor, now)
    ports.store.empty_journal()
    return gone


def _lapse(ports: Ports, tx: Transaction, actor: str, now: int) -> int:
    late = submissions_before(tx, now - KEPT_MS, AT_ONCE)
    # After a crash between the release and its note a submission still reads as waiting: what was told did not lapse.
    told = alerts.by_requests(tx, [row.id for row in late])
    for row in late:
        close_submission(tx, row.id, "released" if row.id in told else "lapsed")
    lapsed = [Event(code="LAPSED", subject=row.preview) for row in late if row.id not in told]
    if lapsed:
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, actor, lapsed)
    return len(late)
