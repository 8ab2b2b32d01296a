"""Attacks on receipts: what a recipient claims to hold."""

import pytest

from exchange.directory import KnownNode
from exchange.encoding import encode
from exchange.receipt import OpenedReceipt, issue, open_receipt
from exchange.signing import sign_statement
from exchange.tlog.checkpoint import Checkpoint
from exchange.v1 import receipt_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.attacks import MANGLES, Mangle, attack
from tests.builders import checkpoint, log_name, receipt, world
from tests.countries import (
    HOUR,
    KEYS_FROM,
    KEYS_UNTIL,
    NOW,
    POLICE,
    agency,
    agency_name,
    changed,
    compromised,
    descriptor,
    ed25519_key,
    key,
    known,
    node,
    with_key,
)

ENTRIES = world().entries
RECEIPT = receipt_pb2.Receipt.FromString(world().receipt.payload)


def take(statement: statement_pb2.Statement, *, receipted: int = 0, kh: KnownNode | None = None) -> OpenedReceipt:
    """What gb does with a receipt, when it has signed every checkpoint of its log and holds receipts up to `receipted`."""
    signed = {n: checkpoint(ENTRIES[:n]).text() for n in range(1, len(ENTRIES) + 1)}.get
    return open_receipt(statement, kh or node("kh"), signed, receipted, NOW)


def signed(payload: bytes) -> statement_pb2.Statement:
    return sign_statement("receipt", payload, [key("kh", "receipt")])


def excepting(*exceptions: tuple[int, int], previous: int = 0) -> statement_pb2.Statement:
    return receipt(ENTRIES, previous, exceptions)


def test_without_an_attack_the_receipt_is_accepted() -> None:
    assert take(world().receipt).alarms == ()
    assert take(excepting((1, 2), (3, 16), previous=1), receipted=1).checkpoint.size == len(ENTRIES)


# Keys, check R1


@pytest.mark.rule("R1")
@pytest.mark.parametrize("name", ["agreement", "log", "witness", "identity", agency_name("kh", POLICE)])
@attack("receipt", "RECEIPT_KEY", because="KEY_USE")
def test_a_receipt_is_signed_by_a_key_of_another_use(name: str) -> None:
    take(receipt(ENTRIES, signer=key("kh", name)))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_UNKNOWN")
def test_the_sender_writes_its_own_receipt() -> None:
    take(receipt(ENTRIES, signer=key("gb", "receipt")))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_UNKNOWN")
def test_a_receipt_is_signed_by_an_unknown_key() -> None:
    take(receipt(ENTRIES, signer=ed25519_key("nobody's")))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_EARLY")
def test_a_receipt_is_dated_before_its_key() -> None:
    take(receipt(ENTRIES, received_at=KEYS_FROM - 1))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_EXPIRED")
def test_a_receipt_is_dated_after_its_key() -> None:
    take(receipt(ENTRIES, received_at=KEYS_UNTIL))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_REVOKED")
def test_a_stolen_receipt_key_is_used() -> None:
    take(world().receipt, kh=known(with_key(descriptor("kh"), key("kh", "receipt"), **compromised(NOW - HOUR))))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="KEY_NOT_FOR_PARTY")
def test_a_receipt_key_speaks_for_an_agency_only() -> None:
    take(world().receipt, kh=known(with_key(descriptor("kh"), key("kh", "receipt"), speaks_for=[agency("kh", POLICE)])))


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY", because="SIGNATURE_INVALID")
def test_a_receipt_is_altered_after_it_was_signed() -> None:
    take(changed(world().receipt, payload=encode(changed(RECEIPT, received_at=NOW - 1))))


# Form


@MANGLES
@attack("receipt", "RECEIPT_MALFORMED", because="NOT_CANONICAL")
def test_a_receipt_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    take(signed(mangle(encode(RECEIPT))))


@attack("receipt", "RECEIPT_MALFORMED")
def test_a_receipt_is_rubbish() -> None:
    take(signed(b"\xff\xff\xff"))


@attack("receipt", "RECEIPT_MALFORMED", because="CHECKPOINT_MALFORMED")
def test_a_receipt_bears_a_signed_note_in_place_of_its_text() -> None:
    take(signed(encode(changed(RECEIPT, checkpoint=world().batch.checkpoint))))


# Checkpoints, check R2


@pytest.mark.rule("R2")
@attack("receipt", "RECEIPT_CHECKPOINT")
def test_a_receipt_is_for_another_root() -> None:
    take(receipt([*ENTRIES[:3], b"another entry"]))


@pytest.mark.rule("R2")
@attack("receipt", "RECEIPT_CHECKPOINT")
def test_a_receipt_is_for_a_size_that_was_never_signed() -> None:
    take(receipt([*ENTRIES, b"one more"]))


@pytest.mark.rule("R2")
@attack("receipt", "RECEIPT_CHECKPOINT")
def test_a_receipt_is_for_another_log() -> None:
    good = checkpoint(ENTRIES)
    other = Checkpoint(origin=log_name(generation=2).origin, size=good.size, root=good.root)
    take(issue(other, 0, NOW, (), key("kh", "receipt")))


# Tiling, check R3


@pytest.mark.rule("R3")
@attack("receipt", "RECEIPT_TILES")
def test_receipts_leave_a_gap() -> None:
    take(receipt(ENTRIES, previous_size=3), receipted=2)


@pytest.mark.rule("R3")
@attack("receipt", "RECEIPT_TILES")
def test_receipts_overlap() -> None:
    take(receipt(ENTRIES, previous_size=1), receipted=2)


@pytest.mark.rule("R3")
@attack("receipt", "RECEIPT_TILES")
def test_a_receipt_is_replayed() -> None:
    take(world().receipt, receipted=len(ENTRIES))


@pytest.mark.rule("R3")
@pytest.mark.parametrize("previous", [4, 5, 2**64 - 1])
@attack("receipt", "RECEIPT_TILES")
def test_a_receipt_covers_nothing(previous: int) -> None:
    take(receipt(ENTRIES, previous_size=previous), receipted=previous)


@pytest.mark.rule("R3")
@pytest.mark.parametrize("index", [0, 4, 2**64 - 1])
@attack("receipt", "RECEIPT_TILES")
def test_an_exception_is_out_of_range(index: int) -> None:
    take(excepting((index, 2), previous=1), receipted=1)


@pytest.mark.rule("R3")
@pytest.mark.parametrize("exceptions", [[(2, 2), (1, 2)], [(1, 2), (1, 3)]], ids=["descending", "twice"])
@attack("receipt", "RECEIPT_TILES")
def test_exceptions_descend_or_contradict_each_other(exceptions: list[tuple[int, int]]) -> None:
    take(excepting(*exceptions))


@pytest.mark.rule("R3")
@attack("receipt", "RECEIPT_TILES")
def test_an_exception_gives_no_reason() -> None:
    take(excepting((1, 0)))


# Clocks, check R4


@pytest.mark.rule("R4")
@pytest.mark.parametrize("late", [CLOCK_SKEW_MS + 1, -CLOCK_SKEW_MS - 1])
def test_a_receipt_of_another_time_raises_an_alarm(late: int) -> None:
    assert take(receipt(ENTRIES, received_at=NOW + late)).alarms == ("RECEIPT_CLOCK",)


@pytest.mark.rule("R1")
@attack("receipt", "RECEIPT_KEY")
def test_a_stolen_receipt_key_that_back_dates() -> None:
    stolen = known(with_key(descriptor("kh"), key("kh", "receipt"), **compromised(NOW - HOUR)))
    take(receipt(ENTRIES, received_at=NOW - 2 * HOUR), kh=stolen)
