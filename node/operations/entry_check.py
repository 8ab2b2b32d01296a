"""Each entry of one log: its form, the alert that it discloses, and the clause under which it did.

What is found has one of these codes: ENTRY_MALFORMED, DISCLOSED_AT_FALLS, ENTRY_WITHOUT_ALERT, ENTRY_OF_OTHER_ALERT, ADOPTED,
EXCEPTED_BUT_KEPT, RECALL_MISMATCH, NOT_AGREED, AGREEMENT_UNKNOWN.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exchange.agreement import Agreed, Parties, decide_entry
from exchange.disclosure import check_entry
from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError
from exchange.profile import AlertType, alert_types
from exchange.v1 import disclosure_pb2
from exchange.values import CLOCK_SKEW_MS
from node.operations.findings import PRIORITY, Findings, Step
from node.operations.log_check import LogView
from node.operations.recalled import says_of
from node.ports import Known
from node.store.doubts import is_noted
from node.store.engine import Store
from node.store.scan import Disclosed, disclosed_in
from node.store.strays import journalled
from node.store.transaction import Transaction

_CHUNK = 1024
_REMEMBERED = 4096


def check_entries(store: Store, known: Known, view: LogView, findings: Findings) -> Iterator[Step]:
    """Check every entry of a log; what is wrong is added to `findings`."""
    checker = _EntryChecker(view=view, agreements=known.agreements, findings=findings)
    size = view.log.size
    for start in range(0, size, _CHUNK):
        yield Step("entries", view.log.name.origin, start, size)
        with store.read() as tx:
            for row in disclosed_in(tx, view.log.id, start, min(start + _CHUNK, size)):
                checker.check(tx, row)
    yield Step("entries", view.log.name.origin, size, size)


@dataclass(slots=True, kw_only=True)
class _EntryChecker:
    view: LogView
    agreements: Mapping[bytes, Agreed]
    findings: Findings
    disclosed_at: int = 0
    decided: dict[tuple[object, ...], bool] = field(default_factory=dict)
    """What a clause allows apart from the time, by all that it depends on: a log asks the same few questions over and over."""

    def check(self, tx: Transaction, row: Disclosed) -> None:
        """Check one entry."""
        self.findings.counts["entries read"] += 1
        outbound = self.view.log.outbound
        try:
            entry = decode(disclosure_pb2.Entry, row.entry, CAP_ENTRY)
            check_entry(entry, self.view.log.name.recipient)
        except (ExchangeError, TypeError):
            # What a partner logged and we excepted may be anything at all.
            if outbound or row.exception is None:
                self._wrong("ENTRY_MALFORMED", "the entry breaks a rule of its form", row)
            elif row.alert_ref is not None or not row.bare:
                self._wrong("EXCEPTED_BUT_KEPT", "something of an excepted delivery was kept", row)
            return
        self._check_time(entry, row)
        if row.exception is not None and not outbound and (row.alert_ref is not None or not row.bare):
            self._wrong("EXCEPTED_BUT_KEPT", "something of an excepted delivery was kept", row)
        if row.alert_ref is None:
            self._without_alert(tx, entry, row)
        elif row.digest is None:
            self._wrong("ENTRY_WITHOUT_ALERT", "the entry refers to an alert that is not here", row)
        elif entry.manifest_digest != row.digest:
            self._wrong("ENTRY_OF_OTHER_ALERT", "the entry names another manifest than its alert's", row)
        else:
            self._check_agreed(entry, row)

    def _check_time(self, entry: disclosure_pb2.Entry, row: Disclosed) -> None:
        if entry.disclosed_at < self.disclosed_at and not entry.succession:
            tell = self.findings.error if self.view.log.outbound else self.findings.warning
            tell("DISCLOSED_AT_FALLS", "an entry bears an earlier time than the one before it", origin=self._origin, index=row.idx)
        self.disclosed_at = max(self.disclosed_at, entry.disclosed_at)

    def _without_alert(self, tx: Transaction, entry: disclosure_pb2.Entry, row: Disclosed) -> None:
        outbound = self.view.log.outbound
        if not row.bare:
            self._wrong("ENTRY_WITHOUT_ALERT", "something sealed stands beside an entry that refers to no alert", row)
        lost = says_of(entry) and journalled(tx, self._origin, row.idx, "ADOPTED" if outbound else "WITHHELD")
        if lost and not is_noted(tx, self.view.log.id, row.idx):
            self._wrong("RECALL_MISMATCH", "what this entry says of an alert never came, or is lost, and that is not noted", row)
        if (not outbound and row.exception is not None) or (row.idx == 0 and entry.succession):
            return
        if outbound and journalled(tx, self._origin, row.idx, "ADOPTED"):
            message = "adopted from the partner after a restored backup: the content is lost here"
            self.findings.warning("ADOPTED", message, origin=self._origin, index=row.idx)
        elif self.view.rolled_back:
            self.findings.warning("ENTRY_WITHOUT_ALERT", "the entry's alert was not kept", origin=self._origin, index=row.idx)
        else:
            self._wrong("ENTRY_WITHOUT_ALERT", "the entry's alert was not kept", row)

    def _check_agreed(self, entry: disclosure_pb2.Entry, row: Disclosed) -> None:
        kind = alert_types().get((row.alert_type or b"").decode("utf-8", "replace"))
        if kind is None or kind.control:
            return  # the pass over the contents compares the type with the manifest's
        agreed = self.agreements.get(entry.agreement_digest)
        if agreed is None or entry.clause not in agreed.clauses:
            message = "the agreement of this entry is not known any more"
            self.findings.warning("AGREEMENT_UNKNOWN", message, origin=self._origin, index=row.idx)
            return
        if not self._allows(agreed, entry, kind):
            message = "the clause does not allow every field to every agency that the entry names, or not at that time"
            self.findings.error("NOT_AGREED", message, origin=self._origin, index=row.idx, grade=PRIORITY)

    def _allows(self, agreed: Agreed, entry: disclosure_pb2.Entry, kind: AlertType) -> bool:
        content = agreed.agreement
        name = self.view.log.name
        parties = Parties(sender=name.sender, recipient=name.recipient)
        required = agreed.terms[entry.clause].required  # may have gone with an earlier entry
        if not content.valid_from <= entry.disclosed_at < content.valid_until:
            return decide_entry(agreed, entry, parties, kind, entry.disclosed_at, disclosed=required, grace=CLOCK_SKEW_MS) is None
        key = (agreed.digest, entry.clause, entry.purpose, bool(entry.on_request_ground), kind.name, *entry.fields, *entry.audience)
        if key not in self.decided:
            if len(self.decided) >= _REMEMBERED:
                self.decided.clear()
            self.decided[key] = decide_entry(agreed, entry, parties, kind, entry.disclosed_at, disclosed=required) is None
        return self.decided[key]

    @property
    def _origin(self) -> str:
        return self.view.log.name.origin

    def _wrong(self, code: str, message: str, row: Disclosed) -> None:
        self.findings.error(code, message, origin=self._origin, index=row.idx)
