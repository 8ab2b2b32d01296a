"""What this node holds of an alert, ready to be disclosed: of its own all of it; of a received one what was opened for its agencies."""

from exchange.v1 import disclosure_pb2, manifest_pb2
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.ports import Ports
from node.store import logs
from node.store.alerts import AlertRow
from node.store.transaction import Transaction
from node.store.vault import DataKey


def held_content(ports: Ports, tx: Transaction, alert: AlertRow) -> disclosure_pb2.Delivery:
    """The manifest statement with every opening that is here, ascending; a Delivery without an entry. Raises `NotFound` (ERASED)."""
    data_key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
    content = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
    if not alert.own:
        content.openings.extend(_given(tx, alert, data_key))
    return content


def _given(tx: Transaction, alert: AlertRow, data_key: DataKey) -> list[manifest_pb2.Opening]:
    mirrors = {log.id: log for log in logs.all_logs(tx) if not log.outbound}
    found: dict[int, manifest_pb2.Opening] = {}
    for log_id, row in logs.entries_of_alert(tx, alert.id):
        if log_id in mirrors and row.sealed is not None:
            sealed = data_key.open(purpose_of_entry(alert.alert_id, mirrors[log_id].name.origin), row.sealed)
            found |= {opening.field: opening for opening in unpack_content(sealed).openings}
    return [found[number] for number in sorted(found)]
