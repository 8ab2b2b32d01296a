"""What was destroyed in the tables is attested only when no older copy of it is left in the database's journal."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from node.ports import Ports
from node.store.transaction import Transaction

Row = TypeVar("Row")


def attest_destroyed(
    ports: Ports, destroyed: Callable[[Transaction], Sequence[Row]], attest: Callable[[Transaction, Sequence[Row]], None]
) -> None:
    """Attest all that was destroyed, so much at once as `destroyed` finds; `attest` lets the rows go, and journals that.

    Raises `StoreFailed` (STORE_LOCKED): the next call goes on from there.
    """
    while True:
        with ports.store.read() as tx:
            gone = destroyed(tx)
        if not gone:
            return
        # Until here the write-ahead log may hold older copies of the pages.
        ports.store.empty_journal()
        with ports.store.write() as tx:
            attest(tx, gone)
