"""Each alert against everything that was logged of it: content, commitments, authorisation, inboxes, answers, supersessions.

What is found has one of these codes: ALERT_WITHOUT_ENTRY, DISCLOSED_TWICE, ROW_MISMATCH, CONTENT_UNREADABLE, CONTENT_ERASED,
MANIFEST_UNVERIFIED, MANIFEST_UNCONFIRMED, OPENINGS_MISMATCH, AUTHORISATION_MISMATCH, CONFIRMATION_MISMATCH, NOT_AGREED,
INBOX_MISMATCH, ANSWER_MISMATCH, SUPERSESSION_MISMATCH, and those of `node.operations.recall_check` and `node.operations.onward_check`.
Each names the first entry of the alert, or the one that is concerned.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypedDict

from google.protobuf.message import DecodeError, Message

from exchange.directory import check_key
from exchange.disclosure import commit_authorisation, open_view
from exchange.errors import ExchangeError, NotFound, Unverified
from exchange.manifest import decode_manifest
from exchange.profile import alert_type
from exchange.signing import open_statement, statement_digest
from exchange.v1 import disclosure_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId
from node.confirmations import check_record
from node.operations.contents import SALT, purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.findings import CRITICAL, PRIORITY, Findings, Grade, Step
from node.operations.onward_check import permitted_so, says_so
from node.operations.recall_check import RecallPage, recall_page
from node.ports import Known
from node.store.alerts import AlertRow
from node.store.engine import Store
from node.store.envelope import SealingKey
from node.store.errors import StoreFailed
from node.store.logs import LogRow
from node.store.recalls import all_untold
from node.store.retention import erasures_of
from node.store.scan import (
    LoggedEntry,
    alerts_between,
    answers_between,
    entries_of_alerts,
    inboxes_between,
    last_of_page,
    supersessions_between,
)
from node.store.scan_onward import Said, onward_between
from node.store.strays import newest_alert
from node.store.transaction import Transaction
from node.store.vault import DataKey, Vault

_PAGE = 128


def check_alerts(store: Store, vault: Vault, known: Known, logs: Mapping[int, LogRow], findings: Findings) -> Iterator[Step]:
    """Check every alert that is stored now; `logs` are all logs by their id. What is wrong is added to `findings`."""
    checker = _AlertChecker(vault=vault, known=known, logs=logs, findings=findings)
    with store.read() as tx:
        newest = newest_alert(tx)
    after = 0
    while after < newest:
        yield Step("contents", "", after, newest)
        with store.read() as tx:
            last = last_of_page(tx, after, _PAGE)
            if not last:
                break
            checker.check_page(tx, after, last)
        after = last
    yield Step("contents", "", newest, newest)


@dataclass(frozen=True, slots=True)
class _Logged:
    """An entry of an alert, read."""

    log: LogRow
    idx: int
    entry: disclosure_pb2.Entry
    sealed: bytes | None
    excepted: bool


@dataclass(slots=True, kw_only=True)
class _AlertChecker:
    """Checks alerts, one at a time."""

    vault: Vault
    known: Known
    logs: Mapping[int, LogRow]
    findings: Findings
    periods: dict[str, SealingKey | None] = field(default_factory=dict)
    """The keys of this page, as the store has them."""
    recalls: RecallPage = field(default_factory=lambda: RecallPage(about={}, successors=set(), said={}))
    onward: Mapping[bytes, Said] = field(default_factory=dict)

    def check_page(self, tx: Transaction, after: int, last: int) -> None:
        """Check the alerts with row ids above `after` up to, and with, `last`."""
        self.periods.clear()
        inboxes = inboxes_between(tx, after, last)
        answers = answers_between(tx, after, last)
        supersessions = supersessions_between(tx, after, last)
        grouped = groupby(entries_of_alerts(tx, after, last), key=lambda row: row.alert_ref)
        waiting = next(grouped, None)
        self.recalls = recall_page(tx, after, last)
        self.onward = onward_between(tx, after, last)
        for alert in alerts_between(tx, after, last):
            while waiting is not None and waiting[0] < alert.id:
                waiting = next(grouped, None)  # of an alert that is not here: the pass over the entries says so
            logged: list[_Logged] = []
            if waiting is not None and waiting[0] == alert.id:
                logged = [one for row in waiting[1] if (one := self._read(row)) is not None]
            if not self.recalls.stands_so(alert):
                self._about(alert, logged, "STATE_MISMATCH", "stands otherwise than what is held of it says")
            self._check_relations(tx, alert, logged, inboxes.get(alert.id, set()), answers.get(alert.digest, set()))
            if alert.state != "erased":
                self._check_content(tx, alert, logged, supersessions.get(alert.digest, set()))
            elif alert.sealed is not None or alert.wrapped_key is not None or any(one.sealed is not None for one in logged):
                self._about(alert, logged, "CONTENT_UNREADABLE", "is called erased, but something of it is still here")

    def _read(self, row: LoggedEntry) -> _Logged | None:
        log = self.logs.get(row.log_id)
        try:
            entry = disclosure_pb2.Entry.FromString(row.entry)
        except (DecodeError, TypeError):
            return None  # said by the pass over the entries
        return None if log is None else _Logged(log, row.idx, entry, row.sealed, row.exception is not None)

    def _check_relations(
        self, tx: Transaction, alert: AlertRow, logged: Sequence[_Logged], inboxes: set[str], answers: set[tuple[bytes, bool]]
    ) -> None:
        self.findings.counts["alerts originated" if alert.own else "alerts received"] += 1
        ours = [one for one in logged if one.log.outbound == alert.own]
        waiting = not ours and any(control == alert.digest for control, _ in all_untold(tx))
        if not ours and not waiting:
            self._about(alert, logged, "ALERT_WITHOUT_ENTRY", "stands in no log")
        seen = set()
        for one in logged:
            what = (one.log.id, tuple(one.entry.fields), tuple(one.entry.audience), one.entry.purpose)
            if one.excepted:
                continue  # an exception is repaired by logging the same again
            if what in seen:
                self._wrong(one, "DISCLOSED_TWICE", "the same fields of the same alert were disclosed to the same agencies before")
            seen.add(what)
        if inboxes != {agency for one in logged if not one.log.outbound for agency in one.entry.audience}:
            self._about(alert, logged, "INBOX_MISMATCH", "is not in exactly the inboxes of its audiences")
        # The first entry says what an alert answers; later ones only add to its audience or its fields.
        if not waiting and answers != {(one.entry.in_reply_to, bool(alert.own)) for one in ours[:1] if one.entry.in_reply_to}:
            self._about(alert, logged, "ANSWER_MISMATCH", "answers another alert in the log than in the store")

    def _check_content(self, tx: Transaction, alert: AlertRow, logged: Sequence[_Logged], supersedes: set[tuple[bytes, str]]) -> None:
        try:
            data_key = self._data_key(tx, alert)
            content = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
        except NotFound:
            if alert.wrapped_key is None:
                self._about(alert, logged, "CONTENT_ERASED", "its key was destroyed")
            else:
                self.findings.warning("CONTENT_ERASED", f"alert {_short(alert)}: its period's key was destroyed", **_place(logged))
            return
        except (StoreFailed, DecodeError, TypeError):
            self._about(alert, logged, "CONTENT_UNREADABLE", "does not open")
            return
        manifest = self._check_manifest(alert, logged, content.manifest)
        if manifest is None:
            return
        if supersedes != {(earlier, manifest.originator) for earlier in manifest.supersedes}:
            self._about(alert, logged, "SUPERSESSION_MISMATCH", "supersedes other alerts in its manifest than in the store")
        if alert.own:
            self._check_openings(alert, logged, manifest, content)
        # What was told before an erasure is gone, though the alert was told again since.
        again = any(one.sealed is None for one in logged) and any(one.destroyed_at for one in erasures_of(tx, alert.id))
        for one in logged:
            if again and one.sealed is None:
                continue
            if one.log.outbound:
                self._check_authorisation(alert, data_key, one)
            else:
                self._check_given(alert, manifest, data_key, one)
            if not alert_type(manifest.alert_type).control and one.entry.purpose not in manifest.handling.permitted_purposes:
                self._wrong(one, "NOT_AGREED", "the originator does not permit the purpose", grade=PRIORITY)
            if not permitted_so(tx, self.known, one.log, one.entry, manifest):
                self._wrong(one, "PERMIT_MISMATCH", "was passed on without a permit that is here and covers it", grade=PRIORITY)

    def _data_key(self, tx: Transaction, alert: AlertRow) -> DataKey:
        if alert.period not in self.periods:
            self.periods[alert.period] = self.vault.stored_key(tx, alert.period)
        period_key = self.periods[alert.period]
        if period_key is None or alert.wrapped_key is None:
            raise NotFound("ERASED")
        return self.vault.unwrap_under(period_key, alert.wrapped_key)

    def _check_manifest(
        self, alert: AlertRow, logged: Sequence[_Logged], statement: statement_pb2.Statement
    ) -> manifest_pb2.Manifest | None:
        nodes = {self.known.own.trust_domain: self.known.own, **self.known.nodes()}
        try:
            manifest = decode_manifest(statement.payload)
            originator = nodes.get(PartyId.parse(manifest.originator).trust_domain)
            if statement_digest(statement) != alert.digest:
                raise Unverified("MANIFEST_DIGEST")
            if originator is None:
                raise Unverified("ORIGINATOR_UNKNOWN")
            (key,) = open_statement(statement, "manifest", originator)
            check_key(key, manifest.originator, manifest.issued_at)
        except ExchangeError as refused:
            if refused.code == "KEY_REVOKED":
                message = f"alert {_short(alert)}: its key was revoked before it was issued"
                self.findings.warning("MANIFEST_UNCONFIRMED", message, **_place(logged))
                return manifest
            self._about(alert, logged, "MANIFEST_UNVERIFIED", f"its manifest does not hold: {refused.code}")
            return None
        said = (manifest.alert_id, manifest.alert_type, manifest.originator, manifest.issued_at, manifest.not_after, manifest.training)
        if said != (alert.alert_id, alert.alert_type, alert.originator, alert.issued_at, alert.not_after, alert.training):
            self._about(alert, logged, "ROW_MISMATCH", "its row is not what its manifest says")
        if alert.own != (PartyId.parse(manifest.originator).trust_domain == self.known.own.trust_domain):
            self._about(alert, logged, "ROW_MISMATCH", "its row says of the wrong country that it originated it")
        return manifest

    def _check_openings(
        self, alert: AlertRow, logged: Sequence[_Logged], manifest: manifest_pb2.Manifest, content: disclosure_pb2.Delivery
    ) -> None:
        kind = alert_type(manifest.alert_type)
        try:
            *_, opened = open_view(content.openings, disclosure_pb2.Entry(fields=kind.numbers), manifest, kind)
        except ExchangeError as refused:
            self._about(alert, logged, "OPENINGS_MISMATCH", f"does not open its manifest: {refused.code}")
        else:
            self._check_said(alert, logged, opened)
        self.findings.counts["openings"] += len(content.openings)

    def _check_authorisation(self, alert: AlertRow, data_key: DataKey, one: _Logged) -> None:
        try:
            sealed = data_key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.sealed or b"")
        except (StoreFailed, TypeError):
            self._wrong(one, "CONTENT_UNREADABLE", "the authorisation record does not open")
            return
        salt, record = sealed[:SALT], sealed[SALT:]
        if commit_authorisation(salt, record) != one.entry.authorisation or json.loads(record)["at"] > one.entry.disclosed_at:
            self._wrong(one, "AUTHORISATION_MISMATCH", "the authorisation record is not the one that the entry commits to, or too late")
        else:
            try:
                if signed := check_record(json.loads(record), one.entry):
                    self.findings.counts["confirmations"] += len(signed)
            except ExchangeError:
                self._wrong(one, "CONFIRMATION_MISMATCH", "what a person signed with a passkey is not what was disclosed")
        self.findings.counts["authorisations"] += 1

    def _check_given(self, alert: AlertRow, manifest: manifest_pb2.Manifest, data_key: DataKey, one: _Logged) -> None:
        try:
            given = unpack_content(data_key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.sealed or b""))
            *_, opened = open_view(given.openings, one.entry, manifest, alert_type(manifest.alert_type))
        except (StoreFailed, DecodeError, TypeError):
            self._wrong(one, "CONTENT_UNREADABLE", "the openings do not decrypt")
        except ExchangeError as refused:
            self._wrong(one, "OPENINGS_MISMATCH", f"the openings are not exactly those of the entry: {refused.code}")
        else:
            self.findings.counts["openings"] += len(given.openings)
            self._check_said(alert, [one], opened)

    def _check_said(self, alert: AlertRow, logged: Sequence[_Logged], opened: Message) -> None:
        if not self.recalls.says_so(alert, opened):
            self._about(alert, logged, "RECALL_MISMATCH", "recalls, or attests, something else than the tables say")
        if not says_so(self.onward.get(alert.digest), alert, opened):
            self._about(alert, logged, "ONWARD_MISMATCH", "says something else of passing on than the tables")

    def _wrong(self, one: _Logged, code: str, message: str, *, grade: Grade = CRITICAL) -> None:
        self.findings.error(code, message, origin=one.log.name.origin, index=one.idx, grade=grade)

    def _about(self, alert: AlertRow, logged: Sequence[_Logged], code: str, message: str) -> None:
        self.findings.error(code, f"alert {_short(alert)} {message}", **_place(logged))


class _Place(TypedDict, total=False):
    origin: str
    index: int


def _place(logged: Sequence[_Logged]) -> _Place:
    return _Place(origin=logged[0].log.name.origin, index=logged[0].idx) if logged else _Place()


def _short(alert: AlertRow) -> str:
    return alert.digest.hex()[:16] if isinstance(alert.digest, bytes) else "without a digest"
