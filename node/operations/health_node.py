"""The machine and what it signs with: clock, disks, records, certificates, keys."""

from collections.abc import Iterable
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.journal_pb2 import JOURNAL_KIND_REVIEW
from node.operations.health import DAY, SOON_MS, act, good, look
from node.operations.key_windows import KeyReport, KeyWindow, NodeKeys
from node.ports import Ports
from node.store.journal_queries import newest_of
from node.store.transaction import Transaction
from node.surroundings import CertificateState

ROOM_LOW_MIB: Final = 2048
ROOM_NONE_MIB: Final = 512
CHECKED_MS: Final = 30 * DAY
_LOOKED_THROUGH: Final = 10_000
"""Entries of the journal: a check of all records is looked for among the newest."""
_FULL_CHECK: Final = "STORE"


def machine(ports: Ports, tx: Transaction, now: int) -> Iterable[messages.HealthCheck]:
    """Clock, disks, records."""
    edge = ports.journal.edge(tx)
    yield act("CLOCK_BEHIND", at=edge.last_at) if now < edge.last_at else good("CLOCK_GOOD")
    room = ports.surroundings.room()
    low = {name: free for name, free in room.items() if free < ROOM_LOW_MIB}
    for name, free in low.items():
        yield (act if free < ROOM_NONE_MIB else look)("ROOM_LOW", name, count=free)
    if room and not low:
        yield good("ROOM_GOOD", count=min(room.values()))
    size = edge.frontier.size
    checked = newest_of(tx, edge.generation, JOURNAL_KIND_REVIEW, _FULL_CHECK, size - _LOOKED_THROUGH)
    yield good("RECORDS_CHECKED", at=checked) if checked > now - CHECKED_MS else look("RECORDS_NOT_CHECKED")
    for name in ports.store.copies():
        yield look("COPIES_LEFT", name)


def credentials(report: KeyReport, now: int) -> Iterable[messages.HealthCheck]:
    """Certificates, keys in use, and this node's descriptor."""
    yield from _certificates(report, now)
    yield from _keys(report, now)
    due = report.own.next_update
    if now >= due:
        yield act("DESCRIPTOR_LATE", at=due)
    else:
        yield look("DESCRIPTOR_DUE", at=due) if due - now < SOON_MS / 2 else good("DESCRIPTOR_GOOD", at=due)


def certificate_ends_soon(one: CertificateState, now: int) -> bool:
    """Whether it is time to renew a certificate; of a short one, within the last third of its life."""
    return one.not_after - now < min(SOON_MS / 2, (one.not_after - one.not_before) * 0.3)


def key_ends_soon(one: KeyWindow, now: int) -> bool:
    """Whether it is time for another key."""
    return one.not_after - now < SOON_MS


def not_followed(node: NodeKeys, now: int) -> list[KeyWindow]:
    """The keys of a node that end soon, the first to end first, if no other key for the same follows them."""
    last: dict[tuple[str, str], KeyWindow] = {}
    for one in sorted(node.keys, key=lambda one: one.not_after):
        if not one.revoked and one.not_after > now:
            last[one.use, one.speaks_for] = one
    return sorted((one for one in last.values() if key_ends_soon(one, now)), key=lambda one: one.not_after)


def _certificates(report: KeyReport, now: int) -> Iterable[messages.HealthCheck]:
    fine = []
    for one in report.certificates:
        if not one.not_after:
            yield act("CERTIFICATE_UNREADABLE", one.name)
        elif now >= one.not_after:
            yield act("CERTIFICATE_ENDED", one.name, at=one.not_after)
        elif certificate_ends_soon(one, now):
            yield look("CERTIFICATE_ENDS", one.name, at=one.not_after)
        else:
            fine.append(one.not_after)
    if fine and len(fine) == len(report.certificates):
        yield good("CERTIFICATES_GOOD", at=min(fine))


def _keys(report: KeyReport, now: int) -> Iterable[messages.HealthCheck]:
    used = [one for one in report.own.keys if one.used]
    fine = []
    for one in used:
        if now >= one.not_after:
            yield act("KEY_ENDED", one.use, at=one.not_after)
        elif key_ends_soon(one, now):
            yield look("KEY_ENDS", one.use, at=one.not_after)
        else:
            fine.append(one.not_after)
    for use in report.undescribed:
        yield act("KEY_NOT_DESCRIBED", use)
    if fine and len(fine) == len(used) and not report.undescribed:
        yield good("KEYS_GOOD", at=min(fine))
