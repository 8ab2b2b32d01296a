"""Erasure: keys and salts are destroyed, and every entry, root, proof and receipt stays (PROTOCOL.md, section 11).

Three steps, each durable before the next: the intent is journalled; what is to go is destroyed in the tables; the database's journal is
emptied, so that no older copy of a page is left in it, and the deed is journalled. `finish` goes on wherever a crash left off.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from exchange.journal import journal_origin
from node.operations.mis_hits import forget_erased
from node.ports import Ports
from node.store import alerts, retention
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS, period_of
from node.store.journal import PERSONAL, Event, Kind
from node.store.retention import ErasureRow
from node.store.subjects import forget
from node.store.transaction import Transaction

AT_ONCE = 256
"""Alerts in one transaction: releases wait no longer than for a batch of their own."""
_ERASURE = Kind.JOURNAL_KIND_ERASURE


def intend(ports: Ports, actor: str, references: Sequence[int], *, justification: str = "") -> int:
    """Journal that `actor` is about to erase these alerts, by row id; returns how many are left to erase.

    What is erased, held or under way already is passed over.
    """
    with ports.store.write() as tx:
        rows = alerts.by_ids(tx, references)
        held = {hold.alert_ref for hold in retention.holds_of(tx, rows.keys())}
        under_way = {row.alert_ref for row in retention.unfinished(tx, 2**31)}
        wanted = [row for row in rows.values() if row.state != "erased" and row.id not in held | under_way]
        now = ports.clock.now_ms()
        retention.intend(tx, now, references=[row.id for row in wanted])
        events = [Event(code="INTENDED", subject=row.digest, justification=justification) for row in wanted]
        ports.journal.record(tx, now, _ERASURE, actor, events)
    return len(wanted)


def intend_periods(ports: Ports, actor: str) -> list[str]:
    """Journal that the keys of the months are about to be destroyed that are over and wrap nothing that is still here."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        idle = retention.idle_periods(tx, period_of(now - DAY_MS, now))
        under_way = {row.period for row in retention.unfinished(tx, 2**31)}
    wanted = [period for period in idle if period not in under_way]
    if wanted:
        with ports.store.write() as tx:
            retention.intend(tx, now, periods=wanted)
            ports.journal.record(tx, now, _ERASURE, actor, [Event(code="PERIOD_INTENDED", subject=_named(period)) for period in wanted])
    return wanted


def finish(ports: Ports) -> int:
    """Finish all that was intended, as after a crash; returns how many erasures are done with it.

    Raises `StoreFailed` (STORE_LOCKED) if a read keeps the database's journal from being emptied: what was destroyed is destroyed, and
    the next call goes on from there.
    """
    total = 0
    while waiting := destroy(ports):
        # Until here the write-ahead log may hold older copies of the pages from which the keys were deleted.
        ports.store.empty_journal()
        total += attest(ports, waiting)
    return total


def destroy(ports: Ports) -> list[int]:
    """Destroy keys, salts, fragments, authorisation records, index rows and personal details of what was intended, oldest first.

    Returns the erasures of which now nothing is left in the tables.
    """
    with ports.store.read() as tx:
        if not retention.unfinished(tx, 1):
            return []
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        waiting = retention.unfinished(tx, AT_ONCE)
        # What was destroyed before a crash is not destroyed again: the alert may have been told anew since.
        intended = [row for row in waiting if row.destroyed_at is None]
        _destroy_alerts(ports, tx, [row.alert_ref for row in intended if row.alert_ref is not None], now)
        for row in intended:
            if row.period is not None:
                ports.vault.destroy_period(tx, row.period, now)
        retention.destroyed(tx, [row.id for row in intended], now)
    return [row.id for row in waiting]


def attest(ports: Ports, destroyed: Collection[int]) -> int:
    """Journal that nothing of these erasures is left in this node's files; returns how many had not been attested yet."""
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        waiting = [row for row in retention.unfinished(tx, AT_ONCE) if row.id in destroyed and row.destroyed_at is not None]
        rows = alerts.by_ids(tx, {row.alert_ref for row in waiting if row.alert_ref is not None})
        retention.done(tx, [row.id for row in waiting], now)
        ports.journal.record(tx, now, _ERASURE, ports.trust_domain, [_done(row, rows) for row in waiting])
    return len(waiting)


def _done(row: ErasureRow, rows: Mapping[int, AlertRow]) -> Event:
    if row.alert_ref is None:
        return Event(code="PERIOD_DONE", subject=_named(row.period or ""))
    return Event(code="DONE", subject=rows[row.alert_ref].digest)


def expire_details(ports: Ports, actor: str) -> int:
    """Erase the oldest personal details of the journal that are past the national limit, at most `AT_ONCE`; returns how many."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        old = retention.personal_details_before(tx, now - ports.retention.default_days * DAY_MS, AT_ONCE)
    if not old:
        return 0
    generation = old[0][0]
    places = [index for of, index in old if of == generation]
    origin = journal_origin(ports.trust_domain, generation)
    intent = Event(code="INTENDED", origin=origin, index=places[0], count=places[-1] + 1 - places[0])
    _journal(ports, actor, intent)
    with ports.store.write() as tx:
        for index in places:
            ports.journal.erase_detail(tx, index, PERSONAL, generation=generation)
    ports.store.empty_journal()
    _journal(ports, ports.trust_domain, replace(intent, code="DONE"))
    return len(places)


def _journal(ports: Ports, actor: str, *events: Event) -> None:
    with ports.store.write() as tx:
        ports.journal.record(tx, ports.clock.now_ms(), _ERASURE, actor, events)


def _destroy_alerts(ports: Ports, tx: Transaction, references: Sequence[int], now: int) -> None:
    digests = [row.digest for row in alerts.by_ids(tx, references).values()]
    # A question goes with the last alert that it found; what an entry of the journal says of the alert itself goes at once.
    details = {*forget(tx, references), *retention.personal_details_about(tx, digests)}
    for generation, index in sorted(details):
        ports.journal.erase_detail(tx, index, PERSONAL, generation=generation)
    retention.destroy_alerts(tx, references, now)
    forget_erased(tx)


def _named(period: str) -> bytes:
    """What the journal calls the key of a month."""
    return sha256(b"alert-exchange/v1 period\0" + period.encode()).digest()
