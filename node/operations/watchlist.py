"""The persons of the alerts that one agency may be screened against: in memory, in this process, and nowhere else.

Brought up to date before each use: what ended, was withdrawn, restricted or replaced, or has expired is dropped; what came, or of which
more was told, is read from the store. So the first use after a start reads all of them, and any later one what has changed.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from exchange.errors import Malformed
from exchange.profile import AlertType, alert_type
from exchange.v1 import disclosure_pb2, people_pb2, travel_pb2
from node.intake.edtf import EdtfInvalid, PartialDate, read_edtf
from node.matching.index import Index
from node.matching.people import ALIASES_AT_MOST, Alias, Document, Subject, aliases_of
from node.matching.services import Service, crossings, day_of, service_number
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.inside import standing_of
from node.operations.standing import standing_for
from node.ports import Ports
from node.store import alerts, inside, logs, watch
from node.store.alerts import AlertRow
from node.store.logs import EntryRow
from node.store.transaction import Transaction

_AT_ONCE: Final = 400
_NAME, _NAMES = "primary_name", "names"
_TOLD: Final = (_NAME, _NAMES, "birth", "sex", "nationalities", "documents")
_ITINERARY: Final = "itinerary"
_SEXES: Final = {people_pb2.SEX_MALE: "M", people_pb2.SEX_FEMALE: "F"}


class Watchlist:
    """One agency's; whoever uses it has it alone."""

    def __init__(self, agency: str) -> None:
        self._agency = agency
        self._lock = threading.Lock()
        self._index = Index()
        self._silent: set[int] = set()
        """Alerts that tell of no person; not read again until more of them is told."""
        self._sizes: dict[int, int] = {}
        self._distributed: dict[int, int] = {}
        """How many distributions of an alert hold for the agency: with another number it knows more of it, or less."""

    @contextmanager
    def current(self, ports: Ports) -> Iterator[Index]:
        """The index as the store has it now."""
        with self._lock:
            self._update(ports)
            yield self._index

    def _update(self, ports: Ports) -> None:
        with ports.store.read() as tx:
            mirrors = {log.id: log for log in logs.all_logs(tx) if not log.outbound}
            wanted = self._in_force(tx, ports.clock.now_ms())
            more = watch.told_since(tx, {log_id: self._sizes.get(log_id, 0) for log_id in mirrors}) if self._sizes else set()
            inside_now = inside.counts_for(tx, self._agency, ports.clock.now_ms())
            more |= {reference for reference, count in inside_now.items() if self._distributed.get(reference, count) != count}
            held = self._index.subjects.keys() | self._silent
            for reference in held - wanted:
                self._index.remove(reference)
            self._silent &= wanted
            missing = sorted((wanted - held) | (wanted & more))
            for start in range(0, len(missing), _AT_ONCE):
                self._read(ports, tx, missing[start : start + _AT_ONCE], {log_id: log.name.origin for log_id, log in mirrors.items()})
            # Only now: whatever was logged meanwhile is asked for again.
            self._sizes = {log_id: log.size for log_id, log in mirrors.items()}
            self._distributed = inside_now

    def _in_force(self, tx: Transaction, now: int) -> set[int]:
        """To this agency what was corrected without it is disputed, whatever others were told in its place."""
        elsewhere = alerts.by_ids(tx, watch.replaced_elsewhere(tx, self._agency, now))
        disputed = {row.id for row in elsewhere.values() if standing_for(tx, row, self._agency).state == "disputed"}
        told_inside = alerts.by_ids(tx, watch.distributed_to(tx, self._agency, now)).values()
        shown = {row.id for row in told_inside if standing_of(tx, row, self._agency, now).state in {"active", "disputed"}}
        return watch.in_force(tx, self._agency, now) | disputed | shown

    def _read(self, ports: Ports, tx: Transaction, references: list[int], origins: Mapping[int, str]) -> None:
        rows = alerts.by_ids(tx, references)
        told = watch.entries_about(tx, [reference for reference, row in rows.items() if not row.own])
        for reference, row in rows.items():
            subject = _subject(row, _fragments(ports, tx, row, told.get(reference, ()), self._agency, origins))
            self._silent.discard(reference)
            self._index.remove(reference)
            if subject is None:
                self._silent.add(reference)
            else:
                self._index.add(subject)


class Watchlists:
    """Of every agency whose officers have screened since this process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[str, Watchlist] = {}

    def of(self, agency: str) -> Watchlist:
        """The one of that agency (SPIFFE ID)."""
        with self._lock:
            return self._lists.setdefault(agency, Watchlist(agency))


def _fragments(
    ports: Ports, tx: Transaction, row: AlertRow, told: Iterable[tuple[int, EntryRow]], agency: str, origins: Mapping[int, str]
) -> dict[int, bytes]:
    """What `agency` knows of an alert: all of its own, and of any other what it was given."""
    data_key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    if row.own:
        content = unpack_content(data_key.open(purpose_of_alert(row.alert_id), row.sealed or b""))
        return {opening.field: opening.fragment for opening in content.openings}
    now = ports.clock.now_ms()
    by_desk = [one for one in inside.of_agency(tx, row.id, agency) if one.live(now)]
    found: dict[int, bytes] = {}
    for log_id, entry in told:
        if log_id not in origins or not entry.sealed:
            continue
        audience = disclosure_pb2.Entry.FromString(entry.entry).audience
        distributed = {number for one in by_desk if one.desk in audience for number in one.fields}
        if agency in audience or distributed:
            content = unpack_content(data_key.open(purpose_of_entry(row.alert_id, origins[log_id]), entry.sealed))
            openings = [opening for opening in content.openings if agency in audience or opening.field in distributed]
            found |= {opening.field: opening.fragment for opening in openings}
    return found


def _subject(row: AlertRow, fragments: Mapping[int, bytes]) -> Subject | None:
    """The person of an alert; None if its type tells of none, or neither name nor document was told."""
    kind = _type_with_a_person(row.alert_type)
    if kind is None:
        return None
    numbers = sorted(field.number for field in kind.fields if field.name in {*_TOLD, _ITINERARY})
    alert: Any = kind.message.FromString(b"".join(fragments.get(number, b"") for number in numbers))
    aliases = list(_aliases(alert))[:ALIASES_AT_MOST]
    documents = tuple(Document(number=document.number, issuer=document.issuer) for document in alert.documents)
    if not aliases and not documents:
        return None
    return Subject(
        reference=row.id,
        aliases=tuple(aliases),
        birth=_birth(alert.birth.date),
        sex=_SEXES.get(alert.sex, ""),
        nationalities=frozenset(nationality.country for nationality in alert.nationalities),
        documents=documents,
        services=frozenset(_services(alert.itinerary)) if any(field.name == _ITINERARY for field in kind.fields) else frozenset(),
    )


def _type_with_a_person(name: str) -> AlertType | None:
    try:
        kind = alert_type(name)
    except Malformed:
        return None
    return kind if set(_TOLD) <= {field.name for field in kind.fields} else None


def _aliases(alert: Any) -> Iterator[Alias]:
    named = [(_NAME, alert.primary_name)] if alert.HasField(_NAME) else []
    named += [(f"{_NAMES}[{place}]", name) for place, name in enumerate(alert.names)]
    seen = set()
    for label, name in named:
        for alias in aliases_of(label, name.family, name.given, name.as_written):
            if alias.words not in seen:
                seen.add(alias.words)
                yield alias


def _services(itinerary: Iterable[travel_pb2.Leg]) -> Iterator[Service]:
    """Each crossing by the days of its departure and arrival, and once without a day: some lists name none."""
    for leg in itinerary:
        if number := service_number(leg.service_number, leg.carrier):
            yield Service(number, None)
            yield from crossings(number, [day_of(leg.departure.local), day_of(leg.arrival.local)])


def _birth(text: str) -> PartialDate | None:
    try:
        return read_edtf(text) if text else None
    except EdtfInvalid:
        return None  # a partner's schema rule is looser than the calendar; what is no date says nothing of a birth
