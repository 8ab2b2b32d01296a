"""What is wrong with this node, or will be soon, from one end to the other, and in what order to mend it.

Without network: how partners, witnesses and servers answered is told as the workers recorded it. Of backups a node knows nothing.
"""

from collections.abc import Iterable
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from node.operations.agreements import to_accept
from node.operations.health import SOON_MS, act, good, look
from node.operations.health_node import credentials, machine
from node.operations.health_partners import deliveries, partners
from node.operations.key_windows import key_report
from node.operations.notices import UNDELIVERED
from node.operations.officers import ADMINISTRATOR, require
from node.operations.waiting import waiting
from node.operations.witnesses import asked_witnesses
from node.ports import Ports
from node.store import retention, sign_ins, tips
from node.store.directory import standing_alarms
from node.store.transaction import Transaction
from node.store.witnesses import all_witnesses

_TOLD_OTHERWISE: Final = frozenset({UNDELIVERED})
"""Alarms that a check of its own tells with more in it."""


def examine(ports: Ports, person: str) -> messages.ExamineNodeResponse:
    """Every check, what to do first standing first. Raises `NotPermitted` (ROLE_MISSING)."""
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    report = key_report(ports)
    with ports.store.read() as tx:
        waits = waiting(ports, tx)
        checks = [
            *machine(ports, tx, now),
            *credentials(report, now),
            *partners(ports, waits, [row.partner for row, _ in to_accept(tx, now)], report, now),
            *deliveries(waits),
            *_alarms(tx),
            *_witnesses(ports, tx, now),
            *_retention(tx, now),
            *_law(ports, now),
            *_office(ports, tx),
        ]
    return messages.ExamineNodeResponse(at=now, checks=sorted(checks, key=lambda one: one.verdict))


def _alarms(tx: Transaction) -> Iterable[messages.HealthCheck]:
    for row in standing_alarms(tx):
        if row.code not in _TOLD_OTHERWISE:
            yield act("ALARM", f"{row.code} {row.origin or row.partner}".strip(), at=row.at)


def _witnesses(ports: Ports, tx: Transaction, now: int) -> Iterable[messages.HealthCheck]:
    asked = asked_witnesses(ports)
    if not asked:
        yield look("WITNESSES_NONE")
        return
    answered = {row.name: row for row in all_witnesses(tx, ports.journal.origin(tx))}
    fresh = 0
    for witness in asked:
        at = answered[witness.name].at if witness.name in answered else 0
        if now - at >= ports.witnessing.stale_ms:
            yield look("WITNESS_SILENT", witness.name, at=at)
        else:
            fresh += 1
    if fresh == len(asked):
        yield good("WITNESSES_GOOD", count=fresh, at=max(row.at for row in answered.values()))


def _retention(tx: Transaction, now: int) -> Iterable[messages.HealthCheck]:
    past, _ = retention.count_past(tx, now)
    past += tips.count_past(tx, now)
    yield look("RETENTION_PAST", count=past) if past else good("RETENTION_GOOD")


def _law(ports: Ports, now: int) -> Iterable[messages.HealthCheck]:
    pack = ports.known.policy
    if pack is None:
        yield look("POLICY_NONE")
    elif pack.valid_until - now < SOON_MS:
        yield (look if now < pack.valid_until else act)("POLICY_ENDS", at=pack.valid_until)
    else:
        yield good("POLICY_GOOD", at=pack.valid_until)
    newest: dict[str, int] = {}
    for one in ports.known.assessments:
        newest[one.destination] = max(newest.get(one.destination, 0), one.review_by)
    for destination, review_by in sorted(newest.items()):
        if review_by - now < SOON_MS:
            yield look("ASSESSMENT_ENDS", destination, at=review_by)


def _office(ports: Ports, tx: Transaction) -> Iterable[messages.HealthCheck]:
    administrators = sum(ADMINISTRATOR in entry.roles for entry in ports.officers.values())
    yield look("ADMINISTRATOR_ALONE") if administrators < 2 else good("OFFICERS_GOOD", count=administrators)
    if sign_ins.count_passkeys(tx).keys() - ports.officers.keys():
        yield act("OFFICER_LEFT")
    yield good("NOTICES_GOOD") if ports.surroundings.notices else look("NOTICES_NONE")
