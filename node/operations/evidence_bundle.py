"""Proof of many disclosures in one file: of one, of an alert and all that came of it, of some alerts, of a time with one partner."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError, Malformed, NotFound, Refused
from exchange.evidence_bundle import CAP_BUNDLE, verify_bundle, write_bundle
from exchange.signing import statement_digest
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import desk_service_pb2, disclosure_pb2, evidence_pb2, statement_pb2
from node.config import OfficerEntry
from node.operations.access import note_access
from node.operations.evidence import find_entry
from node.operations.evidence_anchor import anchors_of
from node.operations.officers import AUDITOR, LIAISON, NotPermitted, agency_of, require, turned_away
from node.operations.proof import DATA, LOGGED_ONLY, PROVERS, Contents, check_may_have, countries, covering_receipt, pins_of
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.logs import EntryRow, LogRow
from node.store.nodes import StoredHashes
from node.store.scopes import about, entries_about, entries_between
from node.store.transaction import Transaction

AT_MOST = 20_000
"""Disclosures in one bundle."""

_LEFT_OUT_AT_ONCE = 1000

Place = tuple[LogRow, EntryRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A bundle's file, how many disclosures it proves, and what within its scope it does not prove."""

    data: bytes
    disclosures: int
    left_out: Sequence[desk_service_pb2.LeftOut]


def export_bundle(ports: Ports, person: str, request: desk_service_pb2.ExportBundleRequest) -> Exported:
    """An evidence bundle of what the request names, verified before it is given out; the export is journalled first.

    With content only for the agency concerned. What cannot be proved, or is not the caller's, is left out and named. Raises `Malformed`
    (SCOPE), `NotFound` (SCOPE_EMPTY, LOG_UNKNOWN, ENTRY_UNKNOWN, PARTNER_UNKNOWN, and as `alerts.find`), `Refused` (SCOPE_TOO_LARGE),
    `NotPermitted` (EVIDENCE_NOT_YOURS), and as `verify_bundle`.
    """
    officer = require(ports, person, PROVERS)
    scopes = [bool(request.origin), bool(request.alert), bool(request.digests), bool(request.partner)]
    if sum(scopes) != 1 or any(len(digest) != 32 for digest in request.digests):
        raise Malformed("SCOPE", "name exactly one: a log and an index, an alert, digests of manifests, or a partner")
    with ports.store.read() as tx:
        places = list(islice(_places(tx, officer, request), AT_MOST + 1))
        if len(places) > AT_MOST:
            raise Refused("SCOPE_TOO_LARGE", "more than 20,000 disclosures: choose a shorter period, or fewer alerts")
        gathered = _Gatherer(ports, tx, officer, content=request.content)
        for log, rows in groupby(places, key=lambda place: place[0]):
            gathered.take(log, [row for _, row in rows])
    if not gathered.proved:
        refusal = gathered.refusal or NotFound("SCOPE_EMPTY", "nothing of this was disclosed or received here")
        if isinstance(refusal, NotPermitted):
            raise turned_away(ports, person, refusal.code, str(refusal))
        raise refusal
    data = write_bundle(gathered.bundle())
    if len(data) > CAP_BUNDLE:
        raise Refused("SCOPE_TOO_LARGE", "the file would be larger than 64 MiB: choose a shorter period, or fewer alerts")
    verify_bundle(data, pins_of(ports.known))
    note_access(ports, Kind.JOURNAL_KIND_EXPORT, person, *_events(gathered.proved))
    return Exported(data=data, disclosures=len(gathered.proved), left_out=gathered.left_out)


def summary(exported: Exported) -> Iterator[desk_service_pb2.ExportBundleResponse]:
    """What is told after the file: how much it proves, and what is left out, in as many messages as that takes."""
    for start in range(0, len(exported.left_out), _LEFT_OUT_AT_ONCE):
        yield desk_service_pb2.ExportBundleResponse(left_out=exported.left_out[start : start + _LEFT_OUT_AT_ONCE])
    yield desk_service_pb2.ExportBundleResponse(disclosures=exported.disclosures)


def _places(tx: Transaction, officer: OfficerEntry, request: desk_service_pb2.ExportBundleRequest) -> Iterator[Place]:
    by_id = {log.id: log for log in logs.all_logs(tx)}
    if request.origin:
        yield find_entry(tx, request.origin, request.index)
    elif request.partner:
        with_partner = [log for log in by_id.values() if request.partner in {log.name.sender, log.name.recipient}]
        if not with_partner:
            raise NotFound("PARTNER_UNKNOWN", "there is no log with this partner: see `exchange log list`")
        for log in sorted(with_partner, key=lambda log: log.name.origin):
            yield from ((log, row) for row in entries_between(tx, log, getattr(request, "from"), request.until))
    else:
        start = set(request.digests) or {_named(tx, officer, request.alert).digest}
        found = [(by_id[log_id], row) for log_id, row in entries_about(tx, about(tx, start))]
        yield from sorted(found, key=lambda place: (place[0].name.origin, place[1].idx))


def _named(tx: Transaction, officer: OfficerEntry, text: str) -> AlertRow:
    """The alert of that id or digest, among those that the person may know of."""
    if AUDITOR in officer.roles:
        return alerts.find(tx, text, anywhere=True)
    agency = agency_of(officer)
    if LIAISON in officer.roles:
        try:
            return alerts.find(tx, text, originator=agency)
        except NotFound as error:
            if error.code != "ALERT_NOT_FOUND":
                raise
    return alerts.find(tx, text, inbox_of=agency)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proved:
    log: LogRow
    disclosure: evidence_pb2.BundledDisclosure


class _Gatherer:
    """Puts a bundle together, what its disclosures share once."""

    def __init__(self, ports: Ports, tx: Transaction, officer: OfficerEntry, *, content: bool) -> None:
        self._ports = ports
        self._tx = tx
        self._officer = officer
        self._content = content
        self._contents = Contents(ports, tx)
        self._nodes: dict[str, Sequence[statement_pb2.Statement]] = {}
        self._statements: dict[bytes, statement_pb2.Statement] = {}
        self._ranges: dict[tuple[str, int], evidence_pb2.ReceiptedRange] = {}
        self.proved: list[_Proved] = []
        self.left_out: list[desk_service_pb2.LeftOut] = []
        self.refusal: ExchangeError | None = None

    def take(self, log: LogRow, rows: Sequence[EntryRow]) -> None:
        """Add the entries of one log that can be proved to the person; name the others."""
        found = alerts.by_ids(self._tx, {row.alert_ref for row in rows if row.alert_ref is not None})
        for row in rows:
            alert = found.get(row.alert_ref) if row.alert_ref is not None else None
            try:
                self._take(log, row, alert)
            except (NotFound, Refused, Malformed, NotPermitted) as error:
                self.refusal = self.refusal or error
                # Who may not look into a log is not told what else is in it.
                if not isinstance(error, NotPermitted) or {AUDITOR, LIAISON} & set(self._officer.roles):
                    self.left_out.append(desk_service_pb2.LeftOut(origin=log.name.origin, index=row.idx, code=error.code))

    def bundle(self) -> evidence_pb2.EvidenceBundle:
        """All that was taken."""
        return evidence_pb2.EvidenceBundle(
            version=1,
            nodes=[evidence_pb2.NodeChain(descriptors=chain) for _, chain in sorted(self._nodes.items())],
            statements=[statement for _, statement in sorted(self._statements.items())],
            ranges=[one for _, one in sorted(self._ranges.items(), key=lambda item: item[0])],
        )

    def _take(self, log: LogRow, row: EntryRow, alert: AlertRow | None) -> None:
        entry = _entry(row)
        if entry.succession:
            return
        excepted = bool(logs.exception_codes(self._tx, log.id, row.idx, row.idx + 1))
        level = LOGGED_ONLY if excepted else DATA if self._content else evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
        check_may_have(self._tx, self._officer, log, entry, alert, level)
        receipt = covering_receipt(self._tx, log, row.idx)
        sender, recipient = countries(self._ports.known, log)
        disclosure = evidence_pb2.BundledDisclosure(
            entry=row.entry,
            index=row.idx,
            inclusion_proof=prove_inclusion(StoredHashes(self._tx, log.id), row.idx, receipt.size),
        )
        disclosure.level = level if excepted else self._add_content(disclosure, log, row, entry, alert)
        self._nodes |= {node.trust_domain: node.chain for node in (sender, recipient)}
        key = (log.name.origin, receipt.size)
        if key not in self._ranges:
            self._ranges[key] = evidence_pb2.ReceiptedRange(
                receipt=statement_pb2.Statement.FromString(receipt.statement),
                checkpoint=receipt.checkpoint,
                anchors=anchors_of(self._ports, self._tx, log, receipt),
            )
        self._ranges[key].disclosures.append(disclosure)
        self.proved.append(_Proved(log=log, disclosure=disclosure))

    def _add_content(
        self, disclosure: evidence_pb2.BundledDisclosure, log: LogRow, row: EntryRow, entry: disclosure_pb2.Entry, alert: AlertRow | None
    ) -> evidence_pb2.EvidenceLevel.ValueType:
        if alert is None or alert.sealed is None or alert.wrapped_key is None:
            return evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY
        try:
            manifest = self._contents.manifest(alert)
            openings = self._contents.openings(log, row, entry, alert) if self._content else []
        except NotFound:  # the key of its period was destroyed
            return evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY
        self._statements[statement_digest(manifest)] = manifest
        agreement = self._contents.agreement(entry.agreement_digest)
        if agreement is not None:
            self._statements[entry.agreement_digest] = agreement
        permit = self._contents.permit(entry.permit_digest)
        if permit is not None:
            self._statements[entry.permit_digest] = permit
        originator = self._contents.originator(alert, log)
        if originator is not None:
            self._nodes[originator.trust_domain] = originator.chain
        disclosure.openings.extend(openings)
        return DATA if self._content else evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS


def _entry(row: EntryRow) -> disclosure_pb2.Entry:
    return decode(disclosure_pb2.Entry, row.entry, CAP_ENTRY)


def _events(proved: Iterable[_Proved]) -> Iterator[Event]:
    """One event for each run of disclosures of one log and level."""
    run: Event | None = None
    for one in proved:
        code = evidence_pb2.EvidenceLevel.Name(one.disclosure.level).removeprefix("EVIDENCE_LEVEL_")
        origin, index = one.log.name.origin, one.disclosure.index
        if run is not None and (run.code, run.origin, run.index + run.count) == (code, origin, index):
            run = Event(code=code, origin=origin, index=run.index, count=run.count + 1)
            continue
        if run is not None:
            yield run
        run = Event(code=code, origin=origin, index=index, count=1)
    if run is not None:
        yield run
