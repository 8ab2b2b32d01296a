"""A check of the tips that a store holds: what is held opens and is what was submitted, and the journal tells of what came and what went.

Codes: TIP_UNREADABLE, TIP_MISMATCH, TIP_NOT_RECORDED.
"""

from collections.abc import Iterator
from typing import Final

from exchange.errors import ExchangeError
from node.operations.tip_content import contact_purpose, content_purpose, digest_of
from node.store import tips
from node.store.tips import HELD, TipRow
from node.store.transaction import Transaction
from node.store.vault import Vault

_AT_ONCE: Final = 500


def wrong_tips(tx: Transaction, vault: Vault) -> Iterator[tuple[str, str]]:
    """(code, message) of whatever is wrong with a tip."""
    after = 0
    while rows := tips.page_tips(tx, after, _AT_ONCE):
        after = rows[-1].id
        for row in rows:
            yield from _of_content(tx, vault, row)
            yield from _of_contact(tx, vault, row)
    for digest in tips.unrecorded(tx, _AT_ONCE):
        yield "TIP_NOT_RECORDED", f"tip {digest.hex()[:16]} came or was erased, and the journal does not say so"
    for digest in tips.lost(tx, _AT_ONCE):
        yield "TIP_MISMATCH", f"tip {digest.hex()[:16]} came, as the journal says, and is not here"


def _of_content(tx: Transaction, vault: Vault, row: TipRow) -> Iterator[tuple[str, str]]:
    if row.content != HELD:
        if row.wrapped_key is not None or row.sealed is not None:
            yield "TIP_MISMATCH", f"the tip {row.reference} counts as erased, and something of it is here"
        return
    try:
        salted = vault.unwrap(tx, row.period, row.wrapped_key).open(content_purpose(row.ngo, row.tip_id), row.sealed or b"")
    except ExchangeError:
        yield "TIP_UNREADABLE", f"the tip {row.reference} does not open"
        return
    if row.state and row.digest != digest_of(salted):
        yield "TIP_MISMATCH", f"the tip {row.reference} is not the one that was submitted"


def _of_contact(tx: Transaction, vault: Vault, row: TipRow) -> Iterator[tuple[str, str]]:
    if row.contact != HELD:
        if row.contact_key is not None or row.contact_sealed is not None:
            yield "TIP_MISMATCH", f"the contact details of the tip {row.reference} count as erased, and something of them is here"
        return
    try:
        vault.unwrap(tx, row.period, row.contact_key).open(contact_purpose(row.ngo, row.tip_id), row.contact_sealed or b"")
    except ExchangeError:
        yield "TIP_UNREADABLE", f"the contact details of the tip {row.reference} do not open"
