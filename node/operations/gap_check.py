"""What should be here and is not: receipts, entries, authorisations, agreements, anchors, and what the journal should say.

And what should not be here any more: content past the limit of its retention.

What is found has one of these codes: ENTRY_MISSING, RECEIPT_OVERDUE, RECEIPT_PENDING, RECEIPT_NOT_GIVEN, EXCEPTED, WITHHELD,
AUTHORISATION_MISSING, NOT_AGREED, AGREEMENT_UNKNOWN, ANCHOR_OVERDUE, CHECKPOINT_OVERDUE, NOT_JOURNALLED, JOURNAL_BEYOND_LOG,
LOG_MISSING, PAST_LIMIT, and LOG_ROW.
"""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import DecodeError

from exchange.journal import is_journal_origin, journal_origin
from exchange.v1 import disclosure_pb2, journal_pb2, receipt_pb2
from node.operations.entry_check import check_entries
from node.operations.findings import ACTION, PRIORITY, Findings, Step
from node.operations.log_check import LogView
from node.operations.records import Records, views_of
from node.store.retention import count_past
from node.store.scan_gaps import entry_at, excepted_after, holes, unauthorised
from node.store.scan_journal import BEFORE_ALL, event_at, journals, newest_anchor, origins_named, ranges_after
from node.store.transaction import Transaction
from node.store.witnesses import newest_checkpoint

RECEIPT_DUE_MS: Final = 3_600_000
"""A receipt takes seconds while a stream is up. After an hour without one somebody has to ask the partner."""
ANCHOR_DUE_MS: Final = 5 * 60_000
"""Logs are anchored each minute; the fifth one missed is no accident."""
ERASURE_DUE_MS: Final = 60 * 60_000
"""What is past its limit is looked for each minute, and erased in batches. After an hour nobody does."""

_JOURNALLED: Final = (journal_pb2.JOURNAL_KIND_DISCLOSURE, journal_pb2.JOURNAL_KIND_COLLECTION, journal_pb2.JOURNAL_KIND_LOG)
_LAPSES: Final = {"NOT_AGREED", "AGREEMENT_UNKNOWN"}
_PAGE: Final = 256
_NAMED: Final = 200


def check_gaps(records: Records, now: int, findings: Findings, origin: str = "") -> Iterator[Step]:
    """Look for what is missing at `now` (Unix milliseconds) in one log, or with "" everywhere. Adds it to `findings`."""
    views = views_of(records, findings)
    for view in views:
        if origin not in {"", view.log.name.origin}:
            continue
        yield Step("gaps", view.log.name.origin, 0, view.log.size)
        with records.store.read() as tx:
            _check_entries(tx, view, findings)
            _check_receipts(tx, view, now, findings)
            _check_anchor(tx, view, now, findings)
            _check_journalled(tx, view, findings)
        yield from _check_agreements(records, view, findings)
    if not origin:
        held = {view.log.name.origin for view in views}
        with records.store.read() as tx:
            _check_checkpoint(tx, records.known.own.trust_domain, now, findings)
            _check_limits(tx, now, findings)
            for named in origins_named(tx):
                if named not in held and not is_journal_origin(named):
                    findings.error("LOG_MISSING", "the journal speaks of a log that is not here", origin=named)


def _check_entries(tx: Transaction, view: LogView, findings: Findings) -> None:
    log, origin = view.log, view.log.name.origin
    findings.counts["logs"] += 1
    for index in holes(tx, log.id, log.size, _NAMED):
        findings.error("ENTRY_MISSING", "the log has a gap", origin=origin, index=index)
    if log.outbound:
        for index in unauthorised(tx, log.id, _NAMED):
            message = "no record says who authorised this disclosure, and why"
            findings.error("AUTHORISATION_MISSING", message, origin=origin, index=index, grade=PRIORITY)


def _check_receipts(tx: Transaction, view: LogView, now: int, findings: Findings) -> None:
    log, origin = view.log, view.log.name.origin
    waiting = log.size - view.receipted
    if waiting > 0 and not log.outbound:
        message = "entries of the partner's are held here and were not receipted"
        findings.error("RECEIPT_NOT_GIVEN", message, origin=origin, index=view.receipted, count=waiting, grade=PRIORITY)
    elif waiting > 0 and log.state != "ended":
        age = now - _disclosed_at(tx, log.id, view.receipted)
        if age > RECEIPT_DUE_MS:
            message = f"disclosed {age // 60_000} minutes ago and not receipted: ask the partner"
            findings.error("RECEIPT_OVERDUE", message, origin=origin, index=view.receipted, count=waiting, grade=PRIORITY)
        else:
            findings.warning("RECEIPT_PENDING", "not receipted yet", origin=origin, index=view.receipted, count=waiting)
    last = -1
    while page := excepted_after(tx, log.id, last, _PAGE):
        last = page[-1].idx
        for one in page:
            name = _exception_name(one.code)
            if one.code == receipt_pb2.EXCEPTION_CODE_WITHHELD:
                findings.warning("WITHHELD", "logged, and its content withheld", origin=origin, index=one.idx)
            elif not one.repaired and log.outbound:
                message = f"the recipient did not take it ({name}), and nothing was disclosed in its place"
                findings.warning("EXCEPTED", message, origin=origin, index=one.idx, grade=ACTION)


def _check_anchor(tx: Transaction, view: LogView, now: int, findings: Findings) -> None:
    log = view.log
    at, size = newest_anchor(tx, log.name.origin, journal_pb2.JOURNAL_KIND_ANCHOR)
    if size >= log.size:
        return
    since = max(at, _disclosed_at(tx, log.id, size))
    if now - since > ANCHOR_DUE_MS:
        message = "the journal has not anchored these entries: is the node's witnessing worker running?"
        findings.error("ANCHOR_OVERDUE", message, origin=log.name.origin, index=size, count=log.size - size, grade=PRIORITY)


def _check_checkpoint(tx: Transaction, trust_domain: str, now: int, findings: Findings) -> None:
    """The journal's newest kept checkpoint covers what was recorded until a few minutes ago, if it was ever signed for witnesses at all."""
    newest = journals(tx)[-1]
    origin = journal_origin(trust_domain, newest.generation)
    kept = newest_checkpoint(tx, origin)
    if kept is None or kept.size >= newest.size:
        return
    since = max(kept.at, event_at(tx, newest.generation, kept.size) or 0)
    if now - since > ANCHOR_DUE_MS:
        message = "no checkpoint was signed over these events: is the node's witnessing worker running?"
        count = newest.size - kept.size
        findings.error("CHECKPOINT_OVERDUE", message, origin=origin, index=kept.size, count=count, grade=PRIORITY)


def _check_limits(tx: Transaction, now: int, findings: Findings) -> None:
    """Nothing is kept past its limit but what a legal hold keeps, which is counted."""
    past, held = count_past(tx, now - ERASURE_DUE_MS)
    findings.counts["alerts held past their limit"] += held
    if past:
        message = (
            f"alerts whose content is kept past the limit of its retention: {past}. See `exchange retention due`; an administrator erases "
            "them by `exchange retention run`, and looks why the node's retention worker did not"
        )
        findings.error("PAST_LIMIT", message, grade=PRIORITY)


def _check_journalled(tx: Transaction, view: LogView, findings: Findings) -> None:
    """Compare the ranges that the journal says were disclosed or collected with the entries of the log."""
    log, origin = view.log, view.log.name.origin
    covered = 0
    last = BEFORE_ALL
    while page := ranges_after(tx, origin, _JOURNALLED, last, _PAGE):
        last = page[-1]
        for one in page:
            if one.first > covered:
                _not_journalled(findings, origin, covered, min(one.first, log.size))
            covered = max(covered, one.first + one.count)
    _not_journalled(findings, origin, covered, log.size)
    if covered > log.size:
        message = "the journal records entries that are not here"
        findings.error("JOURNAL_BEYOND_LOG", message, origin=origin, index=log.size, count=covered - log.size)


def _not_journalled(findings: Findings, origin: str, start: int, end: int) -> None:
    if start < end:
        message = "the journal does not say that these were disclosed or collected"
        findings.error("NOT_JOURNALLED", message, origin=origin, index=start, count=end - start, grade=PRIORITY)


def _check_agreements(records: Records, view: LogView, findings: Findings) -> Iterator[Step]:
    apart = Findings()
    for step in check_entries(records.store, records.known, view, apart):
        yield Step("gaps", step.origin, step.done, step.total)
    findings.counts["entries read"] += apart.counts["entries read"]
    for one in apart.found:
        if one.code in _LAPSES:
            tell = findings.error if one.code == "NOT_AGREED" else findings.warning
            tell(one.code, one.message, origin=one.origin, index=one.index, grade=one.grade)


def _disclosed_at(tx: Transaction, log_id: int, index: int) -> int:
    try:
        return disclosure_pb2.Entry.FromString(entry_at(tx, log_id, index)).disclosed_at
    except (DecodeError, TypeError):
        return 0


def _exception_name(code: int) -> str:
    known = code in receipt_pb2.ExceptionCode.values()
    return receipt_pb2.ExceptionCode.Name(receipt_pb2.ExceptionCode.ValueType(code)).removeprefix("EXCEPTION_CODE_") if known else str(code)
