"""The whole store against its logs: nothing lost, nothing twice, nobody told more than was agreed.

Works on any store that is open here, of a running node or of a stopped one, in pages of bounded memory. Beside the codes of
`node.operations.log_check`: ENTRY_WITHOUT_ALERT, ENTRY_OF_OTHER_ALERT, ADOPTED, EXCEPTED_BUT_KEPT, ALERT_WITHOUT_ENTRY, ALERT_TWICE,
DISCLOSED_TWICE, ROW_MISMATCH, CONTENT_UNREADABLE, CONTENT_ERASED, MANIFEST_UNVERIFIED, MANIFEST_UNCONFIRMED, OPENINGS_MISMATCH,
AUTHORISATION_MISMATCH, NOT_AGREED, AGREEMENT_UNKNOWN, INBOX_MISMATCH, ANSWER_MISMATCH, STATE_MISMATCH.
"""

from collections.abc import Mapping

from exchange.v1 import disclosure_pb2
from node.operations.alert_check import AlertChecker
from node.operations.findings import Findings
from node.operations.log_check import LogView, check_log
from node.ports import Known
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.engine import Store
from node.store.high_water import HighWater
from node.store.logs import EntryRow, LogRow
from node.store.strays import duplicate_alerts, journalled, newest_alert, stray_answers, stray_inboxes
from node.store.transaction import Transaction
from node.store.vault import Vault

_PAGE = 64
_STRAYS = 100


def check_store(store: Store, vault: Vault, high_water: HighWater, known: Known) -> Findings:
    """Check everything. Changes nothing; what is wrong is in the findings, and only a store that fails raises (`StoreFailed`)."""
    findings = Findings()
    with store.read() as tx:
        newest = newest_alert(tx)
        origins = [log.name.origin for log in logs.all_logs(tx)]
    views: dict[int, LogView] = {}
    for origin in origins:
        entries = _EntryChecker(findings)
        view = check_log(store, high_water, known, origin, findings, entries.visit)
        if view is not None:
            views[view.log.id] = view
    checker = AlertChecker(vault=vault, known=known, findings=findings)
    after = 0
    while after < newest:
        with store.read() as tx:
            by_id = {log.id: log for log in logs.all_logs(tx)}
            page = alerts.page_all(tx, after, _PAGE)
            for alert in page:
                checker.check(tx, alert, by_id)
        if not page:
            break
        after = page[-1].id
    with store.read() as tx:
        _check_strays(tx, findings)
    return findings


def _check_strays(tx: Transaction, findings: Findings) -> None:
    for _ in duplicate_alerts(tx, _STRAYS):
        findings.error("ALERT_TWICE", "two rows hold one alert")
    for answer in stray_answers(tx, _STRAYS):
        findings.error("ANSWER_MISMATCH", f"an answer that is no alert here: {answer.hex()[:16]}")
    for _ in stray_inboxes(tx, _STRAYS):
        findings.error("INBOX_MISMATCH", "an inbox holds an alert that is not here")


class _EntryChecker:
    """Each entry of one log against the alert that it discloses."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def visit(self, tx: Transaction, view: LogView, page: list[EntryRow], excepted: Mapping[int, int]) -> None:
        """Check one page of a log."""
        found = alerts.by_ids(tx, {row.alert_ref for row in page if row.alert_ref is not None})
        for row in page:
            if row.alert_ref is None:
                self._without_alert(tx, view, row, excepted)
            else:
                self._with_alert(view.log, row, found.get(row.alert_ref), excepted=row.idx in excepted)

    def _with_alert(self, log: LogRow, row: EntryRow, alert: AlertRow | None, *, excepted: bool) -> None:
        origin = log.name.origin
        if alert is None:
            self._findings.error("ENTRY_WITHOUT_ALERT", "the entry refers to an alert that is not here", origin=origin, index=row.idx)
        elif disclosure_pb2.Entry.FromString(row.entry).manifest_digest != alert.digest:
            self._findings.error("ENTRY_OF_OTHER_ALERT", "the entry names another manifest than its alert's", origin=origin, index=row.idx)
        if excepted and not log.outbound:
            self._findings.error("EXCEPTED_BUT_KEPT", "something of an excepted delivery was kept", origin=origin, index=row.idx)

    def _without_alert(self, tx: Transaction, view: LogView, row: EntryRow, excepted: Mapping[int, int]) -> None:
        log, origin = view.log, view.log.name.origin
        if not log.outbound and row.idx in excepted:
            return
        if row.idx == 0 and disclosure_pb2.Entry.FromString(row.entry).succession:
            return
        if log.outbound and journalled(tx, origin, row.idx, "ADOPTED"):
            message = "adopted from the partner after a restored backup: the content is lost here"
            self._findings.warning("ADOPTED", message, origin=origin, index=row.idx)
        else:
            tell = self._findings.warning if view.rolled_back else self._findings.error
            tell("ENTRY_WITHOUT_ALERT", "the entry's alert was not kept", origin=origin, index=row.idx)
