"""What was distributed inside the country: nobody was told a field that the desk was not told, and the journal tells of each.

What is found has the code DISTRIBUTION_MISMATCH.
"""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import DecodeError

from exchange.v1 import disclosure_pb2
from node.operations.findings import Findings, Step
from node.store import inside, logs, scan_inside
from node.store.engine import Store
from node.store.inside import DistributionRow
from node.store.transaction import Transaction

_CODE: Final = "DISTRIBUTION_MISMATCH"
_PAGE: Final = 256
_NAMED: Final = 100


def check_inside(store: Store, findings: Findings) -> Iterator[Step]:
    """Check every distribution against the logs and the journal. What is wrong is added to `findings`."""
    with store.read() as tx:
        newest = inside.newest_distribution(tx)
        for number in scan_inside.distributions_of_nothing(tx, _NAMED):
            findings.error(_CODE, f"distribution {number} is of an alert that did not come from abroad")
        for digest, _, surplus in scan_inside.uneven_distributions(tx, _NAMED):
            more = "more" if surplus > 0 else "fewer"
            findings.error(_CODE, f"of alert {digest.hex()[:16]} the journal tells {more} distributions than there are")
    after = 0
    while after < newest:
        yield Step("distributions", "", after, newest)
        with store.read() as tx:
            rows = inside.page_all(tx, after, _PAGE)
            for row in rows:
                if not row.fields or not set(row.fields) | set(row.desk_fields) <= _told(tx, row):
                    findings.error(_CODE, f"distribution {row.id} holds a field that the desk was not told")
        findings.counts["distributions"] += len(rows)
        after = rows[-1].id if rows else newest


def _told(tx: Transaction, row: DistributionRow) -> set[int]:
    """The fields that the mirrors say the desk was told of the alert; what was erased since was told too."""
    mirrors = {log.id for log in logs.all_logs(tx) if not log.outbound}
    found: set[int] = set()
    for log_id, entry_row in logs.entries_of_alert(tx, row.alert_ref):
        try:
            entry = disclosure_pb2.Entry.FromString(entry_row.entry)
        except (DecodeError, TypeError):
            continue  # said by the pass over the entries
        if log_id in mirrors and row.desk in entry.audience:
            found.update(entry.fields)
    return found
