"""A tip sealed and opened: its content under one key, how the reporter can be reached under another; and what it is called."""

import re
from hashlib import sha256
from typing import Final

from exchange.errors import NotFound
from exchange.v1.desk_service_pb2 import TipContact, TipSummary
from exchange.v1.tip_pb2 import Tip
from node.operations.officers import turned_away
from node.ports import Ports
from node.store.tips import HELD, TipRow
from node.store.transaction import Transaction
from node.tips.plan import TipPlan
from node.tips.states import State, is_late

SALT: Final = 32
TIP_TYPE: Final = Tip.DESCRIPTOR.full_name
REFERENCE_BYTES: Final = 5
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it is mistaken for something else when it is read out."""
_LENGTH: Final = 8
_REFERENCE: Final = re.compile(rf"[{_DIGITS}]{{{_LENGTH}}}")
_HEARD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


def plan_of(ports: Ports, person: str) -> TipPlan:
    """How this country takes tips in. Raises `NotPermitted` (TIPS_NONE) where it takes none."""
    if ports.tips is None:
        raise turned_away(ports, person, "TIPS_NONE", "this node takes no tips: see [tips] in its configuration")
    return ports.tips


def reference_of(entropy: bytes) -> str:
    """What people call a tip, from 5 random bytes: T-XXXX-XXXX."""
    number = int.from_bytes(entropy, "big")
    digits = "".join(_DIGITS[(number >> 5 * place) & 31] for place in range(8))
    return f"T-{digits[:4]}-{digits[4:]}"


def read_reference(text: str) -> str:
    """The reference as it is kept, from how somebody wrote it down. Raises `NotFound` (TIP_UNKNOWN)."""
    written = text.strip().upper()
    plain = written.removeprefix("T-").translate(_HEARD)
    if len(plain) > _LENGTH and plain == written.translate(_HEARD):
        plain = plain.removeprefix("T")  # which is a digit, too
    if not _REFERENCE.fullmatch(plain):
        raise unknown()
    return f"T-{plain[:4]}-{plain[4:]}"


def unknown() -> NotFound:
    """There is no such tip, or it is not for whoever asks: the two are not told apart."""
    return NotFound("TIP_UNKNOWN", "there is no such tip here, or it is not for you")


def digest_of(salted: bytes) -> bytes:
    """What commits to a tip as it was submitted: to its salt (32 random bytes) and its encoding."""
    return sha256(b"alert-exchange/v1 tip\0" + salted).digest()


def content_purpose(ngo: str, tip_id: bytes) -> bytes:
    """What the sealed content of a tip is bound to."""
    return b"tip\0" + tip_id + ngo.encode()


def contact_purpose(ngo: str, tip_id: bytes) -> bytes:
    """What the sealed contact details are bound to: they never open as content, nor at another tip."""
    return b"tip contact\0" + tip_id + ngo.encode()


def open_content(ports: Ports, tx: Transaction, row: TipRow) -> bytes:
    """Salt and encoding of a tip. Raises `NotFound` (ERASED), `StoreFailed` (VAULT_TAMPERED)."""
    if row.content != HELD:
        raise NotFound("ERASED", "this tip has been erased: only what became of it is left")
    key = ports.vault.unwrap(tx, row.period, row.wrapped_key)
    return key.open(content_purpose(row.ngo, row.tip_id), row.sealed or b"")


def open_tip(ports: Ports, tx: Transaction, row: TipRow) -> Tip:
    """A tip. Raises as `open_content`."""
    return Tip.FromString(open_content(ports, tx, row)[SALT:])


def open_contact(ports: Ports, tx: Transaction, row: TipRow) -> TipContact:
    """How the reporter can be reached. Raises `NotFound` (CONTACT_NONE), `StoreFailed` (VAULT_TAMPERED)."""
    if row.contact != HELD:
        raise NotFound("CONTACT_NONE", "no contact details are in escrow for this tip")
    key = ports.vault.unwrap(tx, row.period, row.contact_key)
    return TipContact.FromString(key.open(contact_purpose(row.ngo, row.tip_id), row.contact_sealed or b""))


def summary_of(row: TipRow, now: int) -> TipSummary:
    """A tip as a desk lists it."""
    return TipSummary(
        reference=row.reference,
        digest=row.digest or b"",
        state=State.ValueType(row.state),
        agency=row.agency,
        ngo=row.ngo,
        submitted_at=row.submitted_at,
        danger=row.danger,
        look_by=row.look_by,
        looked_at=row.looked_at,
        late=is_late(row.state, look_by=row.look_by, looked_at=row.looked_at, now=now),
        officer=row.officer,
        erased=row.content != HELD,
        erase_by=row.erase_by if row.content == HELD else 0,
    )
