"""Disclosures in both directions, read from the signed entries themselves and matched against a filter.

A filter is matched against the bytes that were hashed and signed, not against columns copied from them: whoever altered a column
could otherwise steer a review past an entry, and the hot path would pay for the copies. Nor does a time narrow the search, since
only a partner's honesty puts a mirror's times in order; an index does, and so does which log it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from node.documents import loosely
from node.filtering.match import bounds, match, named
from node.filtering.terms import EVERYTHING, Filter, FilterField, Kind, Vocabulary
from node.operations.states import EntryState, entry_states
from node.ports import Ports
from node.store import logs
from node.store.disclosures import AlertFacts, conflicting, corrected_by, correcting, facts_by_id
from node.store.logs import LogRow, OpenRow
from node.store.transaction import Transaction

_CHUNK = 500
"""Entries that are read at once."""
AT_ONCE = 4000
"""Entries that one page looks at: a fraction of a second, also for a filter that nothing fits."""

_OUTBOUND, _INBOUND = 1, 2


def _choices(names: Mapping[str, int], prefix: str) -> FilterField:
    return FilterField(kind=Kind.CHOICE, choices={name.removeprefix(prefix): number for name, number in names.items() if number})


DISCLOSURE_FIELDS: Vocabulary = {
    "origin": FilterField(kind=Kind.TEXT),
    "partner": FilterField(kind=Kind.TEXT),
    "direction": FilterField(kind=Kind.CHOICE, choices={"OUTBOUND": _OUTBOUND, "INBOUND": _INBOUND}),
    "index": FilterField(kind=Kind.NUMBER),
    "at": FilterField(kind=Kind.TIME),
    "audience": FilterField(kind=Kind.TEXTS),
    "clause": FilterField(kind=Kind.TEXT),
    "agreement": FilterField(kind=Kind.DIGEST),
    "purpose": _choices(dict(handling_pb2.Purpose.items()), "PURPOSE_"),
    "ground": _choices(dict(disclosure_pb2.OnRequestGround.items()), "ON_REQUEST_GROUND_"),
    "field": FilterField(kind=Kind.TEXTS),
    "manifest": FilterField(kind=Kind.DIGEST),
    "state": _choices(dict(desk_service_pb2.DisclosureState.items()), "DISCLOSURE_STATE_"),
    "exception": _choices(dict(receipt_pb2.ExceptionCode.items()), "EXCEPTION_CODE_"),
    "withheld": _choices(dict(disclosure_pb2.WithheldCode.items()), "WITHHELD_CODE_"),
    "alert_type": FilterField(kind=Kind.TEXT),
    "alert_state": FilterField(kind=Kind.TEXT),
    "originator": FilterField(kind=Kind.TEXT),
    "correction": FilterField(kind=Kind.FLAG),
    "conflict": FilterField(kind=Kind.FLAG),
    "emergency": FilterField(kind=Kind.FLAG),
}
"""What a filter of disclosures may name. `field` is a number or a name; `alert_type` the short name, such as TravelAlert."""

Position = tuple[int, int]
"""(log id, index): going up, the first entry still to be looked at; going down, the one after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One entry of a disclosure log with what this node knows of it; no content."""

    log: LogRow
    row: OpenRow
    entry: disclosure_pb2.Entry
    state: EntryState
    alert: AlertFacts | None
    supersedes: Sequence[bytes]
    conflict: bool
    emergency: bool
    instrument: str

    @property
    def field_names(self) -> list[str]:
        """Names of the disclosed fields in the entry's order; empty where the alert type is not known here."""
        names = _names(self.alert.alert_type) if self.alert else {}
        return [names[number] for number in self.entry.fields if number in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPage:
    """What one look found, where the next begins (None: nothing is left), and how much of how many entries it looked at."""

    found: list[Disclosure]
    following: Position | None
    scanned: int
    total: int


def scan_page(
    ports: Ports, tx: Transaction, wanted: Filter, limit: int, position: Position | None = None, *, newest: bool = False
) -> ScannedPage:
    """At most `limit` disclosures for which the filter holds, log by log, among the next `AT_ONCE` entries from `position` on."""
    candidates = [log for log in logs.all_logs(tx) if match(wanted, of_log(log)) is not False]
    ranges = [(log, *_range(log, wanted)) for log in (reversed(candidates) if newest else candidates)]
    total = sum(max(end - start, 0) for _, start, end in ranges)
    found: list[Disclosure] = []
    scanned = 0
    for log, first, last in ranges:
        start, end = first, last
        if position is not None:
            if log.id != position[0] and (log.id > position[0]) == newest:
                continue
            if log.id == position[0]:
                start, end = (start, min(end, position[1])) if newest else (max(start, position[1]), end)
        while start < end:
            if scanned >= AT_ONCE:
                return ScannedPage(found=found, following=(log.id, end if newest else start), scanned=scanned, total=total)
            step = min(_CHUNK, AT_ONCE - scanned)
            low, high = (max(end - step, start), end) if newest else (start, min(start + step, end))
            fitting = list(read_disclosures(ports, tx, log, low, high, wanted))
            for one in reversed(fitting) if newest else fitting:
                found.append(one)
                if len(found) == limit:
                    index = one.row.idx
                    scanned += high - index if newest else index + 1 - low
                    return ScannedPage(found=found, following=(log.id, index if newest else index + 1), scanned=scanned, total=total)
            scanned += high - low
            start, end = (start, low) if newest else (high, end)
    return ScannedPage(found=found, following=None, scanned=scanned, total=total)


def scan_all(ports: Ports, wanted: Filter) -> Iterator[list[Disclosure]]:
    """All disclosures for which the filter holds, in lists, each read in a transaction of its own."""
    position: Position | None = None
    while True:
        with ports.store.read() as tx:
            page = scan_page(ports, tx, wanted, AT_ONCE, position)
        yield page.found
        position = page.following
        if position is None:
            return


def read_disclosures(ports: Ports, tx: Transaction, log: LogRow, start: int, end: int, wanted: Filter = EVERYTHING) -> Iterator[Disclosure]:
    """The entries of a log from `start` up to `end` for which the filter holds, successions left out."""
    entries: dict[int, disclosure_pb2.Entry] = {}
    rows: list[OpenRow] = []
    open_questions: set[int] = set()
    its_log, asked = of_log(log), named(wanted)
    of_entry = [(name, _OF_ENTRY[name]) for name in sorted(asked & _OF_ENTRY.keys())]
    of_fate = [(name, _OF_FATE[name]) for name in sorted(asked & _OF_FATE.keys())]
    # What asks nothing of the entries themselves is as open for each as for their log.
    by_log = None if of_entry else (match(wanted, its_log),)

    def said(index: int, entry: disclosure_pb2.Entry) -> dict[str, Any]:
        return its_log | {name: value(index, entry) for name, value in of_entry}

    noted = _noted(tx, log, start, end) if asked <= _NOTED | its_log.keys() and match(wanted, its_log | _NOT_NOTED) is False else None
    for row in logs.open_rows(tx, log.id, start, end) if noted is None else logs.open_rows_among(tx, log.id, noted):
        entry = loosely(disclosure_pb2.Entry, row.entry)
        # What the entry itself rules out costs no further look; of most filters that is nearly everything.
        holds = not entry.succession and (by_log[0] if by_log else match(wanted, said(row.idx, entry)))
        if holds is False:
            continue
        rows.append(row)
        entries[row.idx] = entry
        if holds is None:
            open_questions.add(row.idx)
    if not rows:
        return
    states = entry_states(ports, tx, log, rows)
    alerts = facts_by_id(tx, {row.alert_ref for row in rows if row.alert_ref is not None})
    corrected = corrected_by(tx, [alert.digest for alert in alerts.values()])
    contradicting = conflicting(tx, log.id, start, end)
    agreements = ports.known.agreements
    for row in rows:
        entry = entries[row.idx]
        alert = alerts.get(row.alert_ref) if row.alert_ref is not None else None
        agreed = agreements.get(entry.agreement_digest)
        one = Disclosure(
            log=log,
            row=row,
            entry=entry,
            state=states[row.idx],
            alert=alert,
            supersedes=corrected.get(alert.digest, ()) if alert else (),
            conflict=row.idx in contradicting,
            emergency=bool(agreed and agreed.agreement.emergency),
            instrument=agreed.agreement.instrument if agreed else "",
        )
        if row.idx not in open_questions or match(wanted, said(row.idx, entry) | {name: value(one) for name, value in of_fate}):
            yield one


def _noted(tx: Transaction, log: LogRow, start: int, end: int) -> set[int]:
    """The few entries of which something of `_NOTED` may be said."""
    codes = logs.exception_codes(tx, log.id, start, end).keys() | logs.withheld_codes(tx, log.id, start, end).keys()
    return codes | conflicting(tx, log.id, start, end) | correcting(tx, log.id, start, end)


def partner_of(log: LogRow) -> str:
    """The trust domain at the other end of a log."""
    return log.name.recipient if log.outbound else log.name.sender


def short_type(full_name: str) -> str:
    """TravelAlert for exchange.v1.TravelAlert."""
    return full_name.rpartition(".")[2]


def of_log(log: LogRow) -> dict[str, Any]:
    """What is alike for all entries of a log, for a filter."""
    return {"origin": log.name.origin, "partner": partner_of(log), "direction": _OUTBOUND if log.outbound else _INBOUND}


def _range(log: LogRow, wanted: Filter) -> tuple[int, int]:
    low, high = bounds(wanted, "index")
    return low, min(high + 1, log.size)


_OF_ENTRY: Mapping[str, Callable[[int, disclosure_pb2.Entry], Any]] = {
    "index": lambda index, _: index,
    "at": lambda _, entry: entry.disclosed_at,
    "audience": lambda _, entry: tuple(entry.audience),
    "clause": lambda _, entry: entry.clause,
    "agreement": lambda _, entry: entry.agreement_digest,
    "purpose": lambda _, entry: entry.purpose,
    "ground": lambda _, entry: entry.on_request_ground,
    "manifest": lambda _, entry: entry.manifest_digest,
}
"""What the signed entry says by itself."""
_OF_FATE: Mapping[str, Callable[[Disclosure], Any]] = {
    "field": lambda one: [*map(str, one.entry.fields), *one.field_names],
    "state": lambda one: one.state.state,
    "exception": lambda one: one.state.exception,
    "withheld": lambda one: one.state.withheld,
    "alert_type": lambda one: short_type(one.alert.alert_type) if one.alert else "",
    "alert_state": lambda one: one.alert.state if one.alert else "",
    "originator": lambda one: one.alert.originator if one.alert else "",
    "correction": lambda one: bool(one.supersedes),
    "conflict": lambda one: one.conflict,
    "emergency": lambda one: one.emergency,
}
"""What this node knows of it besides."""
_NOT_NOTED: dict[str, Any] = {"exception": 0, "withheld": 0, "conflict": False, "correction": False}
_NOTED = _NOT_NOTED.keys()
"""What is said of few entries, each time in a table of its own: where a filter asks for nothing else, only those few are looked at."""


@cache
def _names(full_name: str) -> dict[int, str]:
    kind = alert_types().get(full_name)
    return {field.number: field.name for field in kind.fields} if kind else {}
