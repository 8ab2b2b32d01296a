from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import Conflict, Malformed, Unverified
from exchange.receipt import OpenedReceipt, excepted, issue, open_receipt, open_receipt_of
from exchange.signing import sign_statement, statement_digest
from exchange.v1 import receipt_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.builders import checkpoint, receipt, world
from tests.countries import DAY, NOW, changed, compromised, descriptor, key, known, node, with_key
from tests.refusals import refused

ENTRIES = world().entries
TEXT = checkpoint(ENTRIES).text()
KEY = key("kh", "receipt")
EXPIRED, SCHEMA = receipt_pb2.EXCEPTION_CODE_EXPIRED, receipt_pb2.EXCEPTION_CODE_SCHEMA


def opened(statement: statement_pb2.Statement, receipted_size: int = 0, now: int = NOW) -> OpenedReceipt:
    """As gb opens what kh sent, whose newest checkpoints are those of the last two entries."""
    signed = {size: checkpoint(ENTRIES[:size]).text() for size in (2, 4)}
    return open_receipt(statement, node("kh"), signed.get, receipted_size, now)


def test_a_receipt_names_the_checkpoint_without_its_signatures() -> None:
    statement = issue(checkpoint(ENTRIES), 2, NOW, [(2, EXPIRED), (3, SCHEMA)], KEY)
    # By hand: checkpoint, previous_size, received_at, two exceptions {index, code}.
    sizes = b"\x10\x02" + b"\x18" + _varint(NOW)
    by_hand = b"\x0a" + bytes([len(TEXT)]) + TEXT + sizes + b"\x22\x04\x08\x02\x10\x0c" + b"\x22\x04\x08\x03\x10\x10"
    assert statement.payload == by_hand
    assert TEXT.endswith(b"=\n")
    assert TEXT.count(b"\n") == 3
    good = opened(statement, receipted_size=2)
    assert good.receipt.value == receipt_pb2.Receipt.FromString(by_hand)
    assert good.receipt.digest == statement_digest(statement)
    assert (good.checkpoint, good.alarms) == (checkpoint(ENTRIES), ())


def _varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_receipts_tile_the_log() -> None:
    first = opened(receipt(ENTRIES[:2]))
    assert opened(receipt(ENTRIES, previous_size=first.checkpoint.size), receipted_size=2).checkpoint.size == 4
    for receipted_size in (0, 1, 3):
        with refused(Conflict, "RECEIPT_TILES"):
            opened(receipt(ENTRIES, previous_size=2), receipted_size=receipted_size)


def test_an_excepted_index_is_told() -> None:
    value = opened(receipt(ENTRIES, exceptions=[(1, EXPIRED), (3, SCHEMA)])).receipt.value
    assert [excepted(value, index) for index in range(4)] == [0, EXPIRED, 0, SCHEMA]


@pytest.mark.parametrize(
    "exceptions",
    [[(4, EXPIRED)], [(1, EXPIRED)], [(3, EXPIRED), (2, EXPIRED)], [(3, EXPIRED), (3, SCHEMA)], [(2, 0)]],
    ids=["beyond the end", "before the beginning", "descending", "twice", "without a code"],
)
def test_exceptions_ascend_in_range(exceptions: list[tuple[int, int]]) -> None:
    with refused(Malformed, "RECEIPT_TILES"):
        opened(receipt(ENTRIES, previous_size=2, exceptions=exceptions), receipted_size=2)


@pytest.mark.parametrize("previous_size", [4, 5])
def test_a_receipt_covers_something(previous_size: int) -> None:
    with refused(Malformed, "RECEIPT_TILES"):
        open_receipt_of(receipt(ENTRIES, previous_size=previous_size), node("kh"))


def test_only_what_i_signed_can_be_receipted() -> None:
    for entries in (ENTRIES[:3], [*ENTRIES[:3], b"another"]):
        with refused(Conflict, "RECEIPT_CHECKPOINT"):
            opened(receipt(entries))


@pytest.mark.parametrize(
    ("now", "alarms"),
    [
        (NOW - CLOCK_SKEW_MS - 1, ("RECEIPT_CLOCK",)),
        (NOW - CLOCK_SKEW_MS, ()),
        (NOW + CLOCK_SKEW_MS, ()),
        (NOW + CLOCK_SKEW_MS + 1, ("RECEIPT_CLOCK",)),
    ],
)
def test_clocks_apart_keep_the_receipt_and_raise_an_alarm(now: int, alarms: tuple[str, ...]) -> None:
    assert opened(receipt(ENTRIES), now=now).alarms == alarms


@pytest.mark.parametrize("signer", [key("gb", "receipt"), key("kh", "log"), key("kh", "node")])
def test_a_receipt_is_signed_by_the_recipients_receipt_key(signer: Any) -> None:
    with refused(Unverified, "RECEIPT_KEY"):
        opened(receipt(ENTRIES, signer=signer))


def test_the_key_is_judged_when_it_was_received() -> None:
    kh = known(with_key(descriptor("kh"), KEY, **compromised(NOW - DAY)))
    assert open_receipt_of(receipt(ENTRIES, received_at=NOW - DAY - 1), kh)
    with refused(Unverified, "RECEIPT_KEY"):
        open_receipt_of(receipt(ENTRIES, received_at=NOW - DAY), kh)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        receipt(ENTRIES).payload + b"\x28\x01",
        encode(receipt_pb2.Receipt(checkpoint=TEXT[:-1], received_at=NOW)),
        encode(receipt_pb2.Receipt(checkpoint=TEXT + b"extension\n", received_at=NOW)),
        encode(receipt_pb2.Receipt(received_at=NOW)),
    ],
    ids=["not protobuf", "an unknown field", "no final line feed", "an extension", "no checkpoint"],
)
def test_a_signed_receipt_of_another_form_is_malformed(payload: bytes) -> None:
    with refused(Malformed, "RECEIPT_MALFORMED"):
        opened(sign_statement("receipt", payload, [KEY]))


def test_an_unsigned_receipt_is_not_read() -> None:
    with refused(Unverified, "RECEIPT_KEY"):
        opened(changed(receipt(ENTRIES), payload=b"\xff"))
