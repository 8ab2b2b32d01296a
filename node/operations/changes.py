"""What differs between an alert and the one whose place it took, as one agency was told both: never two truths side by side."""

from collections.abc import Mapping

from exchange.v1.desk_service_pb2 import FieldChange
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.transaction import Transaction

_GONE = frozenset({"withdrawn", "erased"})


def predecessor_given(tx: Transaction, alert: AlertRow, agency: str) -> AlertRow | None:
    """The newest alert whose place this one took and that the agency was given too, if its content is still here."""
    earlier = alerts.by_digests(tx, alerts.superseded_by(tx, alert.digest)).values()
    given = [
        row for row in earlier if row.originator == alert.originator and row.state not in _GONE and agency in alerts.told_of(tx, row.id)
    ]
    return max(given, key=lambda row: row.id, default=None)


def changes(before: Mapping[int, bytes], now: Mapping[int, bytes]) -> list[FieldChange]:
    """Each field that reads otherwise than before; `before` and `now` hold the fragments of the fields that were told."""
    return [
        FieldChange(
            field=number, told_before=number in before, told_now=number in now, before=before.get(number, b""), now=now.get(number, b"")
        )
        for number in sorted(before.keys() | now.keys())
        if (number in before, before.get(number, b"")) != (number in now, now.get(number, b""))
    ]
