"""Justifications that one person gives again and again, found without showing anybody what they say or who it is.

They are compared inside the node, by their exact text once it is normalised: Unicode NFKC, case folded, runs of white space as one
space, no punctuation at the ends. What comes out is counts, commitments and places; `open_event` opens one of them for a purpose.
"""

import hashlib
import json
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from exchange.errors import ExchangeError, Malformed
from exchange.journal import open_journal_entry
from exchange.v1 import audit_service_pb2, disclosure_pb2
from node.operations.access import note_access
from node.operations.accountability import accountabilities
from node.operations.contents import SALT, purpose_of_entry
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store import logs
from node.store.disclosures import keys_by_id
from node.store.journal import Event, Kind
from node.store.logs import LogRow

_CHUNK = 500
_USES_SHOWN = 20
_REASONS_AT_MOST = 300
"""Of one answer, each with its places: below what one message carries."""
_ENDLESS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    person: str
    agency: str
    text: str
    at: int
    commitment: bytes
    origin: str
    index: int


@dataclass(slots=True)
class _Group:
    agency: str
    uses: list[_Use] = field(default_factory=list)


@dataclass(slots=True)
class _Compared:
    groups: dict[tuple[str, bytes], _Group] = field(default_factory=dict)
    compared: int = 0
    erased: int = 0

    def add(self, use: _Use | None) -> None:
        if use is None:
            self.erased += 1
            return
        self.compared += 1
        text = normalised(use.text)
        if text:
            # The digest, not the text: what is compared does not gather in memory.
            key = (use.person, hashlib.sha256(text.encode()).digest())
            self.groups.setdefault(key, _Group(use.agency)).uses.append(use)


def list_repeated_reasons(
    ports: Ports, person: str, request: audit_service_pb2.ListRepeatedReasonsRequest
) -> audit_service_pb2.ListRepeatedReasonsResponse:
    """Justifications that one person gave at least so often, the most frequent first. Raises `Malformed` (AT_LEAST).

    Of an alert that went to several recipients, its one record counts once.
    """
    require(ports, person, (AUDITOR,))
    if request.at_least < 2:
        raise Malformed("AT_LEAST", "a justification is repeated when it is given at least twice")
    since, until = getattr(request, "from"), request.until or _ENDLESS
    compared = _Compared()
    with ports.store.read() as tx:
        own = [log for log in logs.all_logs(tx) if log.outbound]
    seen: set[int] = set()
    for log in own:
        for use in _of_log(ports, log, since, until, seen):
            compared.add(use)
    for use in _of_journal(ports, since, until):
        compared.add(use)
    repeated = [(who, group) for (who, _), group in compared.groups.items() if len(group.uses) >= request.at_least]
    repeated.sort(key=lambda item: (-len(item[1].uses), item[1].uses[0].at))
    numbers: dict[str, int] = {}
    reasons = [_told(numbers.setdefault(who, len(numbers) + 1), group) for who, group in repeated[:_REASONS_AT_MOST]]
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="REASONS"))
    return audit_service_pb2.ListRepeatedReasonsResponse(
        reasons=reasons, compared=compared.compared, erased=compared.erased, left_out=len(repeated) - len(reasons)
    )


def normalised(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(string.punctuation + string.whitespace)


def _told(number: int, group: _Group) -> audit_service_pb2.RepeatedReason:
    uses = sorted(group.uses, key=lambda use: use.at)
    return audit_service_pb2.RepeatedReason(
        person=number,
        agency=group.agency,
        count=len(uses),
        first_at=uses[0].at,
        last_at=uses[-1].at,
        commitment=uses[-1].commitment,
        uses=[audit_service_pb2.ReasonUse(origin=use.origin, index=use.index) for use in reversed(uses[-_USES_SHOWN:])],
    )


def _of_log(ports: Ports, log: LogRow, since: int, until: int, seen: set[int]) -> Iterator[_Use | None]:
    for start in range(0, log.size, _CHUNK):
        with ports.store.read() as tx:
            rows = logs.entry_rows(tx, log.id, start, min(start + _CHUNK, log.size))
            keys = keys_by_id(tx, {row.alert_ref for row in rows if row.alert_ref is not None})
            for row in rows:
                entry = disclosure_pb2.Entry.FromString(row.entry)
                if entry.succession or not since <= entry.disclosed_at < until or row.alert_ref in seen:
                    continue
                if row.alert_ref is not None:
                    seen.add(row.alert_ref)
                key = keys.get(row.alert_ref) if row.alert_ref is not None else None
                if key is None or row.sealed is None:
                    yield None
                    continue
                try:
                    data_key = ports.vault.unwrap(tx, key.period, key.wrapped_key)
                    record = json.loads(data_key.open(purpose_of_entry(key.alert_id, log.name.origin), row.sealed)[SALT:])
                except ExchangeError:
                    yield None  # erased, or altered: `fsck` tells which
                    continue
                yield _Use(
                    person=record["officer"],
                    agency=record["agency"],
                    text=record["reason"],
                    at=entry.disclosed_at,
                    commitment=entry.authorisation,
                    origin=log.name.origin,
                    index=row.idx,
                )


def _of_journal(ports: Ports, since: int, until: int) -> Iterator[_Use]:
    for origin, row, record in accountabilities(ports, since, until):
        if record.justification:
            yield _Use(
                person=record.person,
                agency=row.party,
                text=record.justification,
                at=row.at,
                commitment=open_journal_entry(row.entry).accountability,
                origin=origin,
                index=row.idx,
            )
