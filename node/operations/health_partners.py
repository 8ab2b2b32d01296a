"""Each partner: whether it is there, what waits for it, and what ends; and the logs and agreements that lead to it."""

from collections.abc import Collection, Iterable

from exchange.v1 import desk_service_pb2 as messages
from node.operations.health import SOON_MS, act, good, look
from node.operations.health_node import not_followed
from node.operations.key_windows import KeyReport
from node.operations.waiting import LogState, Waiting
from node.ports import Partner, Ports
from node.store.requests import STARTS_A_CLOCK


def partners(ports: Ports, waiting: Waiting, offered: Collection[str], report: KeyReport, now: int) -> Iterable[messages.HealthCheck]:
    """Every partner, by trust domain; `offered` are those that proposed an agreement that can be accepted."""
    keys = {one.trust_domain: one for one in report.partners}
    receipts = {one.partner: one.receipted_at for one in waiting.logs}
    for name, partner in sorted(ports.known.partners.items()):
        yield _connection(ports, name, partner, receipts.get(name, 0))
        if now >= partner.node.descriptor.next_update:
            yield look("PARTNER_DESCRIPTOR_LATE", name, at=partner.node.descriptor.next_update)
        if ends := not_followed(keys[name], now):
            yield look("PARTNER_KEY_ENDS", name, count=len(ends), at=ends[0].not_after)
        if name in offered:
            yield look("AGREEMENT_OFFERED", name)
        yield from _agreements(ports, name, now)


def deliveries(waiting: Waiting) -> Iterable[messages.HealthCheck]:
    """What did not arrive yet, or cannot."""
    for log in waiting.logs:
        yield from _delivery(log)
    for partner, count in sorted(waiting.recalls.items()):
        yield act("RECALL_WAITS", partner, count=count)
    for partner, count in sorted(waiting.statements.items()):
        yield look("STATEMENT_WAITS", partner, count=count)
    for channel in waiting.channels:
        if channel.given_up:
            yield act("NOTICES_UNDELIVERED", channel.name, count=channel.given_up, at=channel.last_at)


def _connection(ports: Ports, name: str, partner: Partner, receipted_at: int) -> messages.HealthCheck:
    if partner.suspended:
        return look("PARTNER_SUSPENDED", name)
    if all(ports.streams.is_up(name, direction) for direction in ("inbound", "outbound")):
        return good("PARTNER_GOOD", name)
    return look("PARTNER_AWAY", name, at=receipted_at)


def _agreements(ports: Ports, name: str, now: int) -> Iterable[messages.HealthCheck]:
    ends = [
        one.agreement.valid_until
        for one in ports.known.agreements.values()
        if name in one.parties and not one.agreement.emergency and one.agreement.valid_from <= now < one.valid_until
    ]
    if not ends:
        yield look("AGREEMENT_NONE", name)
    elif max(ends) - now < SOON_MS:
        yield look("AGREEMENT_ENDS", name, at=max(ends))


def _delivery(log: LogState) -> Iterable[messages.HealthCheck]:
    if log.stopped:
        yield act("LOG_STOPPED", log.origin)
    if log.waits and log.attempts:
        tell = act if log.attempts >= STARTS_A_CLOCK else look
        yield tell("DELIVERY_WAITS", log.partner, count=log.waits, at=log.tried_at)
