"""A check of this node's records: its logs and journal recomputed to what was signed, and everything stored against them.

Works on any store that is open here, of a running node or of a stopped one, in chunks of bounded memory, one pass after another: tree,
signatures, checkpoints, entries, contents, journal. The codes of what is found stand in the modules of the passes; here: LOG_ROW,
ALERT_TWICE, ENTRY_WITHOUT_LOG, TREE_NODE_SURPLUS, INBOX_MISMATCH, ANSWER_MISMATCH, SUPERSESSION_MISMATCH, PERIOD_KEY_UNREADABLE,
RECALL_MISMATCH, ONWARD_MISMATCH, DISTRIBUTION_MISMATCH (`node.operations.inside_check`), ERASURE_NOT_RECORDED,
ERASURE_INCOMPLETE, ERASURE_UNDER_WAY. Those of tips stand in `node.operations.tip_check`.
"""

from collections.abc import Iterator, Sequence

from node.operations.alert_check import check_alerts
from node.operations.checkpoint_check import check_checkpoints
from node.operations.entry_check import check_entries
from node.operations.findings import Findings, Step
from node.operations.inside_check import check_inside
from node.operations.journal_check import Anchors, check_journal_entries, check_journal_trees
from node.operations.log_check import check_log
from node.operations.recall_check import unfounded_doubts
from node.operations.records import Records, views_of
from node.operations.tip_check import wrong_tips
from node.ports import Known
from node.store import strays
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.store.high_water import HighWater
from node.store.nodes import journal_log
from node.store.retention import unfinished
from node.store.scan import nodes_of_nobody
from node.store.scan_journal import journals
from node.store.scan_onward import onward_of_nobody
from node.store.scan_recalls import said_by_nobody
from node.store.transaction import Transaction
from node.store.vault import Vault

_STRAYS = 100


def check_store(store: Store, vault: Vault, high_water: HighWater, known: Known) -> Findings:
    """Check everything. Changes nothing; what is wrong is in the findings, and only a store that fails raises (`StoreFailed`)."""
    findings = Findings()
    for _ in check_everything(Records(store=store, vault=vault, high_water=high_water, known=known), findings):
        pass
    return findings


def verify_logs(records: Records, findings: Findings, origin: str = "") -> Iterator[Step]:
    """Recompute the log `origin`, or with "" every log and the journal, to every signed checkpoint and receipt."""
    views = views_of(records, findings)
    for view in views:
        if origin in {"", view.log.name.origin}:
            anchors = Anchors(view.log.name.origin, findings)
            yield from check_log(records.store, records.high_water, records.known, view, findings, anchors)
    if not origin:
        yield from check_journal_trees(records.store, records.high_water, records.known, findings)
        yield from check_checkpoints(records.store, records.known, findings)


def check_everything(records: Records, findings: Findings, origin: str = "") -> Iterator[Step]:
    """The same, and each entry, alert and detail against what was logged of it. With an `origin`, that log and its entries only."""
    yield from verify_logs(records, findings, origin)
    quiet = Findings()  # what is wrong with the rows of the logs was said
    views = views_of(records, quiet)
    for view in views:
        if origin in {"", view.log.name.origin}:
            yield from check_entries(records.store, records.known, view, findings)
    if origin:
        return
    yield from check_alerts(records.store, records.vault, records.known, {view.log.id: view.log for view in views}, findings)
    yield from check_inside(records.store, findings)
    by_origin = {view.log.name.origin: view.log for view in views}
    yield from check_journal_entries(records.store, records.vault, records.known, by_origin, findings)
    with records.store.read() as tx:
        _check_strays(tx, records.vault, [view.log.id for view in views], findings)


def _check_strays(tx: Transaction, vault: Vault, log_ids: Sequence[int], findings: Findings) -> None:
    for origin, index in strays.duplicate_alerts(tx, _STRAYS):
        findings.error("ALERT_TWICE", "two rows hold one alert", origin=origin, index=index)
    for answer in strays.stray_answers(tx, _STRAYS):
        findings.error("ANSWER_MISMATCH", f"an answer that is no alert here: {answer.hex()[:16]}")
    for later in strays.stray_supersessions(tx, _STRAYS):
        findings.error("SUPERSESSION_MISMATCH", f"an alert that is not here supersedes another: {later.hex()[:16]}")
    for digest in onward_of_nobody(tx, _STRAYS):
        findings.error("ONWARD_MISMATCH", f"something is noted of passing on that no alert here says: {digest.hex()[:16]}")
    for control in said_by_nobody(tx, _STRAYS):
        findings.error("RECALL_MISMATCH", f"a recall or an attestation is noted that is no alert here: {control.hex()[:16]}")
    for origin, index in unfounded_doubts(tx):
        findings.error("RECALL_MISMATCH", "an alert is noted as in doubt that no entry speaks of so", origin=origin, index=index)
    for _ in strays.stray_inboxes(tx, _STRAYS):
        findings.error("INBOX_MISMATCH", "an inbox holds an alert that is not here")
    for digest in strays.erased_in_silence(tx, _STRAYS):
        findings.error("ERASURE_NOT_RECORDED", f"alert {digest.hex()[:16]} was erased, and the journal does not say so")
    for reference in strays.indexed_though_erased(tx, _STRAYS):
        findings.error("ERASURE_INCOMPLETE", f"the subject index still holds alert row {reference}, which was erased or is not here")
    for reference in strays.landings_though_erased(tx, _STRAYS):
        findings.error("ERASURE_INCOMPLETE", f"the landing of alert row {reference} is still noted, which was erased or is not here")
    for code, message in wrong_tips(tx, vault):
        findings.error(code, message)
    if unfinished(tx, 1):
        findings.warning("ERASURE_UNDER_WAY", "an erasure is intended and not done: the next run of retention finishes it")
    for table, index in strays.rows_of_no_log(tx, log_ids, _STRAYS):
        findings.error("ENTRY_WITHOUT_LOG", f"a row of {table} belongs to no log", index=index)
    _check_keys_and_nodes(tx, vault, log_ids, findings)


def _check_keys_and_nodes(tx: Transaction, vault: Vault, log_ids: Sequence[int], findings: Findings) -> None:
    trees = [*log_ids, *(journal_log(record.generation) for record in journals(tx))]
    for _, level, index in nodes_of_nobody(tx, trees, _STRAYS):
        findings.error("TREE_NODE_SURPLUS", f"a node is stored of a tree that is not here: level {level}, node {index}")
    for period in strays.periods(tx):
        try:
            vault.stored_key(tx, period)
        except StoreFailed:
            findings.error("PERIOD_KEY_UNREADABLE", f"the key {period!a} does not open")
