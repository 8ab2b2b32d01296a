"""One alert against everything that was logged of it: content, commitments, authorisation, agreement, inboxes, answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from exchange.agreement import Denied, Request, decide_under
from exchange.directory import check_key
from exchange.disclosure import commit_authorisation, open_view
from exchange.errors import ExchangeError, NotFound, Unverified
from exchange.manifest import decode_manifest
from exchange.profile import alert_type
from exchange.signing import open_statement, statement_digest
from exchange.v1 import disclosure_pb2, manifest_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId
from node.operations.contents import SALT, purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.findings import Findings
from node.operations.standing import state_held
from node.ports import Known
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.errors import StoreFailed
from node.store.logs import EntryRow, LogRow
from node.store.recalls import all_untold
from node.store.strays import answered_by
from node.store.transaction import Transaction
from node.store.vault import DataKey, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logged:
    log: LogRow
    row: EntryRow
    entry: disclosure_pb2.Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChecker:
    """Checks alerts, one at a time."""

    vault: Vault
    known: Known
    findings: Findings

    def check(self, tx: Transaction, alert: AlertRow, by_id: Mapping[int, LogRow]) -> None:
        """Check one alert; `by_id` are all logs, as they stand in the same snapshot."""
        self.findings.counts["alerts originated" if alert.own else "alerts received"] += 1
        logged = [
            _Logged(log=by_id[log_id], row=row, entry=disclosure_pb2.Entry.FromString(row.entry))
            for log_id, row in logs.entries_of_alert(tx, alert.id)
        ]
        waiting = any(control == alert.digest for control, _ in all_untold(tx)) if not logged else False
        if not waiting and not any(one.log.outbound == alert.own for one in logged):
            self.findings.error("ALERT_WITHOUT_ENTRY", f"alert {_short(alert)} stands in no log")
        # What a recall said that was lost with a database is not known any more; then the safe reading stands.
        if alert.state != state_held(tx, alert) and not (alert.own and alert.state == "disputed"):
            self.findings.error("STATE_MISMATCH", f"alert {_short(alert)} stands otherwise than what is held of it says")
        self._check_twice(tx, logged)
        self._check_inboxes(tx, alert, logged)
        if not waiting:
            self._check_answers(tx, alert, logged)
        if alert.state != "erased":
            self._check_content(tx, alert, logged)
        elif alert.sealed is not None or alert.wrapped_key is not None or any(one.row.sealed is not None for one in logged):
            self.findings.error("CONTENT_UNREADABLE", f"alert {_short(alert)} is called erased, but something of it is still here")

    def _check_twice(self, tx: Transaction, logged: list[_Logged]) -> None:
        seen = set()
        for one in logged:
            what = (one.log.id, tuple(one.entry.fields), tuple(one.entry.audience), one.entry.purpose)
            if logs.exception_codes(tx, one.log.id, one.row.idx, one.row.idx + 1):
                continue  # an exception is repaired by logging the same again
            if what in seen:
                self._wrong(one, "DISCLOSED_TWICE", "the same fields of the same alert were disclosed to the same agencies before")
            seen.add(what)

    def _check_inboxes(self, tx: Transaction, alert: AlertRow, logged: list[_Logged]) -> None:
        audiences = {agency for one in logged if not one.log.outbound for agency in one.entry.audience}
        if alerts.inboxes_of(tx, alert.id) != audiences:
            self.findings.error("INBOX_MISMATCH", f"alert {_short(alert)} is not in exactly the inboxes of its audiences")

    def _check_answers(self, tx: Transaction, alert: AlertRow, logged: list[_Logged]) -> None:
        ours = [one for one in logged if one.log.outbound == alert.own]
        # The first entry says what an alert answers; later ones only add to its audience or its fields.
        said = {(one.entry.in_reply_to, alert.own) for one in ours[:1] if one.entry.in_reply_to}
        if answered_by(tx, alert.digest) != said:
            self.findings.error("ANSWER_MISMATCH", f"alert {_short(alert)} answers another alert in the log than in the store")

    def _check_content(self, tx: Transaction, alert: AlertRow, logged: list[_Logged]) -> None:
        try:
            data_key = self.vault.unwrap(tx, alert.period, alert.wrapped_key)
            content = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
        except NotFound:
            tell = self.findings.error if alert.wrapped_key is None else self.findings.warning
            tell("CONTENT_ERASED", f"alert {_short(alert)}: its key was destroyed")
            return
        except StoreFailed:
            self.findings.error("CONTENT_UNREADABLE", f"alert {_short(alert)} does not open")
            return
        manifest = self._check_manifest(alert, content.manifest)
        if manifest is None:
            return
        if alert.own:
            self._check_openings(alert, manifest, content)
        for one in logged:
            if one.log.outbound:
                self._check_authorisation(alert, data_key, one)
            else:
                self._check_given(alert, manifest, data_key, one)
            self._check_agreed(alert, manifest, one)

    def _check_manifest(self, alert: AlertRow, statement: statement_pb2.Statement) -> manifest_pb2.Manifest | None:
        nodes = {self.known.own.trust_domain: self.known.own, **self.known.nodes()}
        originator = nodes.get(PartyId.parse(alert.originator).trust_domain)
        try:
            manifest = decode_manifest(statement.payload)
            if statement_digest(statement) != alert.digest:
                raise Unverified("MANIFEST_DIGEST")
            if originator is None:
                raise Unverified("ORIGINATOR_UNKNOWN")
            (key,) = open_statement(statement, "manifest", originator)
            check_key(key, manifest.originator, manifest.issued_at)
        except ExchangeError as refused:
            if refused.code == "KEY_REVOKED":
                self.findings.warning("MANIFEST_UNCONFIRMED", f"alert {_short(alert)}: its key was revoked before it was issued")
                return manifest
            self.findings.error("MANIFEST_UNVERIFIED", f"alert {_short(alert)}: its manifest does not hold: {refused.code}")
            return None
        said = (manifest.alert_id, manifest.alert_type, manifest.originator, manifest.issued_at, manifest.not_after, manifest.training)
        if said != (alert.alert_id, alert.alert_type, alert.originator, alert.issued_at, alert.not_after, alert.training):
            self.findings.error("ROW_MISMATCH", f"alert {_short(alert)}: its row is not what its manifest says")
        return manifest

    def _check_openings(self, alert: AlertRow, manifest: manifest_pb2.Manifest, content: disclosure_pb2.Delivery) -> None:
        kind = alert_type(manifest.alert_type)
        try:
            open_view(content.openings, disclosure_pb2.Entry(fields=kind.numbers), manifest, kind)
        except ExchangeError as refused:
            self.findings.error("OPENINGS_MISMATCH", f"alert {_short(alert)} does not open its manifest: {refused.code}")
        self.findings.counts["openings"] += len(content.openings)

    def _check_authorisation(self, alert: AlertRow, data_key: DataKey, one: _Logged) -> None:
        try:
            sealed = data_key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.row.sealed or b"")
        except StoreFailed:
            self._wrong(one, "CONTENT_UNREADABLE", "the authorisation record does not open")
            return
        salt, record = sealed[:SALT], sealed[SALT:]
        if commit_authorisation(salt, record) != one.entry.authorisation or json.loads(record)["at"] > one.entry.disclosed_at:
            self._wrong(one, "AUTHORISATION_MISMATCH", "the authorisation record is not the one that the entry commits to, or too late")
        self.findings.counts["authorisations"] += 1

    def _check_given(self, alert: AlertRow, manifest: manifest_pb2.Manifest, data_key: DataKey, one: _Logged) -> None:
        try:
            given = unpack_content(data_key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.row.sealed or b""))
            open_view(given.openings, one.entry, manifest, alert_type(manifest.alert_type))
        except StoreFailed:
            self._wrong(one, "CONTENT_UNREADABLE", "the openings do not decrypt")
        except ExchangeError as refused:
            self._wrong(one, "OPENINGS_MISMATCH", f"the openings are not exactly those of the entry: {refused.code}")
        else:
            self.findings.counts["openings"] += len(given.openings)

    def _check_agreed(self, alert: AlertRow, manifest: manifest_pb2.Manifest, one: _Logged) -> None:
        kind, entry = alert_type(alert.alert_type), one.entry
        if kind.control:
            return
        agreed = self.known.agreements.get(entry.agreement_digest)
        clause = agreed.clauses.get(entry.clause) if agreed else None
        if agreed is None or clause is None:
            self.findings.warning(
                "AGREEMENT_UNKNOWN", "the agreement of this entry is not known any more", origin=one.log.name.origin, index=one.row.idx
            )
            return
        fields = frozenset(entry.fields)
        for agency in entry.audience:
            decision = decide_under(
                agreed,
                entry.clause,
                Request(
                    sender=one.log.name.sender,
                    recipient=one.log.name.recipient,
                    agency=agency,
                    alert_type=alert.alert_type,
                    purpose=entry.purpose,
                    fields=frozenset(kind.numbers),
                    at=entry.disclosed_at,
                    unticked=frozenset(kind.numbers) - fields,
                    granted=fields & frozenset(clause.on_request) if entry.on_request_ground else frozenset(),
                    # Required fields may have gone with an earlier entry.
                    disclosed=frozenset(clause.required),
                    grace=CLOCK_SKEW_MS,
                ),
            )
            if isinstance(decision, Denied) or decision.fields != tuple(entry.fields):
                self._wrong(one, "NOT_AGREED", "the clause does not allow every field to every agency that the entry names")
        if entry.purpose not in manifest.handling.permitted_purposes:
            self._wrong(one, "NOT_AGREED", "the originator does not permit the purpose")

    def _wrong(self, one: _Logged, code: str, message: str) -> None:
        self.findings.error(code, message, origin=one.log.name.origin, index=one.row.idx)


def _short(alert: AlertRow) -> str:
    return alert.digest.hex()[:16]
