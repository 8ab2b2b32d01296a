"""Receipts: with them two countries hold the same hash, signed by both (PROTOCOL.md, section 4).

A receipt says: I hold every entry below its size; and for each index since the previous size that is not excepted, the manifest and
exactly the openings that the entry names. An exception proves logging, never delivery. The sender's checks:

R1  RECEIPT_KEY         signed by a receipt key of the recipient, in force at received_at and not known as compromised now
R2  RECEIPT_CHECKPOINT  the text equals a checkpoint that I signed
R3  RECEIPT_TILES       it begins where the last one ended; exceptions ascend and lie in its range (failure ends the stream, alarm)
R4  RECEIPT_CLOCK       received_at is within the skew of now (else it is kept, with an alarm)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from google.protobuf.message import DecodeError

from exchange.directory import KnownNode, check_key
from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, Unverified
from exchange.signing import PublicKey, Signer, Verified, open_statement, sign_statement, statement_digest
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.v1 import receipt_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, node_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReceipt:
    """A receipt that the sender may rely on."""

    receipt: Verified[receipt_pb2.Receipt]
    checkpoint: Checkpoint
    alarms: tuple[str, ...]
    """Codes of what did not refuse the receipt but must be looked at."""


def issue(
    checkpoint: Checkpoint, previous_size: int, received_at: int, exceptions: Sequence[tuple[int, int]], signer: Signer
) -> statement_pb2.Statement:
    """Sign a receipt up to `checkpoint`; `exceptions` are (index, ExceptionCode), ascending. Only after all of it is durable."""
    receipt = receipt_pb2.Receipt(
        checkpoint=checkpoint.text(),
        previous_size=previous_size,
        received_at=received_at,
        exceptions=[
            receipt_pb2.DeliveryException(index=index, code=receipt_pb2.ExceptionCode.ValueType(code)) for index, code in exceptions
        ],
    )
    return sign_statement("receipt", encode(receipt), [signer])


def open_receipt_of(statement: statement_pb2.Statement, recipient: KnownNode) -> OpenedReceipt:
    """Run R1, and check the form that needs no knowledge of the log: what a stranger can check too.

    Raises `Unverified` (RECEIPT_KEY) and `Malformed` (RECEIPT_MALFORMED, RECEIPT_TILES).
    """
    keys: tuple[PublicKey, ...] = ()
    try:
        keys = open_statement(statement, "receipt", recipient)
        received_at = receipt_pb2.Receipt.FromString(statement.payload).received_at
        check_key(keys[0], str(node_of(recipient.trust_domain)), received_at)
    except DecodeError as error:
        raise Malformed("RECEIPT_MALFORMED", "the receipt is not a protobuf message") from error
    except ExchangeError as error:
        raise Unverified("RECEIPT_KEY", f"the receipt's signature does not hold: {error.code}") from error  # R1
    try:
        receipt = decode(receipt_pb2.Receipt, statement.payload, CAP_STATEMENT)
        checkpoint = parse_checkpoint_text(receipt.checkpoint)
    except ExchangeError as error:
        raise Malformed("RECEIPT_MALFORMED", f"the receipt does not hold: {error.code}") from error
    indexes = [exception.index for exception in receipt.exceptions]
    in_range = all(receipt.previous_size <= index < checkpoint.size for index in indexes)
    if not in_range or any(a >= b for a, b in pairwise(indexes)) or any(not exception.code for exception in receipt.exceptions):
        raise Malformed("RECEIPT_TILES", "exceptions ascend, lie in the receipt's range, and each bears a code")  # R3
    if receipt.previous_size >= checkpoint.size:
        raise Malformed("RECEIPT_TILES", "a receipt covers at least one entry")  # R3
    return OpenedReceipt(
        receipt=Verified(value=receipt, digest=statement_digest(statement), statement=statement, keys=keys),
        checkpoint=checkpoint,
        alarms=(),
    )


def open_receipt(
    statement: statement_pb2.Statement,
    recipient: KnownNode,
    signed_text: Callable[[int], bytes | None],
    receipted_size: int,
    now: int,
) -> OpenedReceipt:
    """Run R1 to R4 as the log's owner. `signed_text(size)` is the text of the checkpoint that I signed at that size, or None.

    Raises as `open_receipt_of`; `Conflict` (RECEIPT_CHECKPOINT, RECEIPT_TILES).
    """
    opened = open_receipt_of(statement, recipient)
    receipt = opened.receipt.value
    if opened.receipt.keys[0].compromised_since:
        # Whoever stole it dates its receipts as he likes, and nobody else has said yet when this one came.
        raise Unverified("RECEIPT_KEY", "the receipt's key is known to be in other hands")  # R1
    if signed_text(opened.checkpoint.size) != receipt.checkpoint:
        raise Conflict("RECEIPT_CHECKPOINT", "the receipt is for a checkpoint that this node did not sign")  # R2
    if receipt.previous_size != receipted_size:
        raise Conflict("RECEIPT_TILES", "the receipt does not begin where the last one ended")  # R3
    alarms: list[str] = []
    if abs(receipt.received_at - now) > CLOCK_SKEW_MS:
        alarms.append("RECEIPT_CLOCK")  # R4
    return OpenedReceipt(receipt=opened.receipt, checkpoint=opened.checkpoint, alarms=tuple(alarms))


def excepted(receipt: receipt_pb2.Receipt, index: int) -> int:
    """The ExceptionCode under which the receipt excepts that index, or 0."""
    return next((exception.code for exception in receipt.exceptions if exception.index == index), 0)
