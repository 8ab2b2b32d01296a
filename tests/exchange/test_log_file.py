"""A country's copy of a log as a file: read strictly, compared with the other's."""

import io
from typing import Any

import pytest

from exchange.contradiction import verify_contradiction
from exchange.errors import Malformed, Unverified
from exchange.log_file import LOG_LINE, Flaw, LogCopy, pick_entries, read_log_file
from exchange.reconcile import Code, Difference, compare_copies, contradiction_of, contradiction_of_note
from exchange.v1 import log_file_pb2
from tests.builders import log_name, note, receipt, world
from tests.countries import NOW, domain, key, node, pins
from tests.proofs import log_file, rewritten
from tests.refusals import refused

PINS = pins("gb", "kh")
TRUE = list(world().entries)
LONG = [*TRUE, *(bytes([place]) for place in range(5))]


def read(data: bytes) -> tuple[LogCopy, list[Flaw]]:
    return read_log_file(io.BytesIO(data).read, PINS)


def copy(holder: str = "gb", entries: Any = None, **changes: Any) -> LogCopy:
    return read(log_file(holder, entries, **changes))[0]


def codes(data: bytes) -> list[tuple[str, int]]:
    return [(flaw.code, flaw.index) for flaw in read(data)[1]]


def differences(one: LogCopy, other: LogCopy) -> list[tuple[Code, int, int]]:
    return [(found.code, found.index, found.count) for found in compare_copies(one, other)]


def record(part: log_file_pb2.LogFilePart) -> bytes:
    data = part.SerializeToString(deterministic=True)
    return len(data).to_bytes(4, "big") + data


def test_a_copy_is_read_whole() -> None:
    held, flaws = read(log_file())
    assert not flaws
    assert (held.log, held.holder, held.written_at, len(held.leaves)) == (log_name(), domain("gb"), NOW, 4)
    assert [(one.previous_size, one.size, one.received_at) for one in held.receipts] == [(0, 4, NOW)]
    assert held.notes == [note(TRUE), note(TRUE)]
    assert pick_entries(io.BytesIO(log_file()).read, {0, 3, 9}) == {0: TRUE[0], 3: TRUE[3]}
    assert not copy("kh", []).leaves


HEADER, ENTRIES, RECEIPTS = (
    log_file_pb2.LogFilePart(header=log_file_pb2.LogFileHeader(version=1, origin=log_name().origin, holder=domain("gb"), size=1)),
    log_file_pb2.LogFilePart(entries=[b"x"]),
    log_file_pb2.LogFilePart(receipts=[log_file_pb2.LogFileReceipt(receipt=receipt(TRUE))]),
)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        log_file()[1:],
        LOG_LINE,
        LOG_LINE + b"\0\0\0",
        LOG_LINE + b"\0\0\0\1",
        LOG_LINE + b"\xff\xff\xff\xff",
        LOG_LINE + b"\0\0\0\1\xff",
        LOG_LINE + record(ENTRIES),
        log_file(version=2),
        log_file(size=5),
        log_file(origin="no log"),
        log_file(holder="gb", sender_descriptors=node("kh").chain),
        log_file(recipient_descriptors=node("gb").chain),
        log_file() + record(HEADER),
        log_file() + record(ENTRIES),
        log_file() + record(log_file_pb2.LogFilePart()),
        log_file() + record(log_file_pb2.LogFilePart(entries=[b"x"], receipts=RECEIPTS.receipts)),
        log_file(entries=[bytes(5000)]),
        log_file()[:-1],
    ],
)
def test_what_cannot_be_read_is_refused(wrong: bytes) -> None:
    with refused(Malformed, "LOG_FILE_MALFORMED"):
        read(wrong)


def test_the_holder_is_one_of_the_two() -> None:
    with refused(Malformed, "LOG_FILE_MALFORMED"):
        read(log_file("vn"))


def test_a_copy_is_of_pinned_countries() -> None:
    with refused(Unverified, "EVIDENCE_NOT_PINNED"):
        read_log_file(io.BytesIO(log_file()).read, pins("gb"))


def test_what_does_not_hold_in_a_copy_is_named_and_the_rest_is_read() -> None:
    assert codes(log_file(entries=rewritten(1), receipts=[(receipt(TRUE), note(TRUE))], checkpoint=note(TRUE))) == [
        ("RECEIPT_ROOT", 3),
        ("CHECKPOINT_UNVERIFIED", 3),
    ]
    assert codes(log_file(receipts=[(receipt(TRUE, signer=key("gb", "receipt")), b"")])) == [("RECEIPT_UNVERIFIED", -1)]
    assert codes(log_file(receipts=[(receipt(TRUE, 2), b"")])) == [("RECEIPT_TILES", 3)]
    assert codes(log_file(receipts=[(receipt(TRUE), note(TRUE[:2]))])) == [("CHECKPOINT_UNVERIFIED", 3)]
    assert codes(log_file(receipts=[(receipt(TRUE), b"no note")])) == [("CHECKPOINT_UNVERIFIED", 3)]
    # Beyond the copy's end nothing can be computed: the comparison says so.
    assert codes(log_file(entries=TRUE[:2], receipts=[(receipt(TRUE), note(TRUE))])) == []


def test_two_copies_of_one_log_are_equal() -> None:
    assert differences(copy("gb"), copy("kh")) == []
    assert contradiction_of(copy("gb"), copy("kh")) is None


@pytest.mark.parametrize("index", range(9))
def test_each_kind_of_difference_is_named(index: int) -> None:
    sender = copy("gb", LONG)
    other = [b"another" if place == index else entry for place, entry in enumerate(LONG)]
    assert differences(sender, copy("kh", other, receipts=[(receipt(LONG), b"")])) == [(Code.DIFFERENT_CONTENT, index, 1)]
    without = [*LONG[:index], *LONG[index + 1 :]]
    beyond = [(Code.RECEIPT_WITHOUT_ENTRY, 8, 1)]
    assert differences(sender, copy("kh", without, receipts=[(receipt(LONG), b"")])) == [(Code.NOT_RECEIVED, index, 1), *beyond]
    assert differences(copy("gb", without, receipts=[(receipt(LONG), b"")]), copy("kh", LONG)) == [(Code.NOT_DISCLOSED, index, 1), *beyond]


def test_runs_are_one_difference_and_order_is_another() -> None:
    def kept(entries: Any) -> dict[str, Any]:
        return {"entries": entries, "receipts": []}

    sender = copy(**kept(LONG))
    assert differences(sender, copy("kh", **kept(LONG[:3]))) == [(Code.NOT_RECEIVED, 3, 6), (Code.RECEIPT_MISSING, 0, 3)]
    assert differences(copy(**kept(LONG[:3])), copy("kh", **kept(LONG)))[0] == (Code.NOT_DISCLOSED, 3, 6)
    assert differences(sender, copy("kh", **kept([*LONG[:2], LONG[3], LONG[2], *LONG[4:]])))[0] == (Code.OUT_OF_ORDER, 2, 1)
    two = [LONG[0], b"x", b"y", *LONG[3:]]
    assert differences(sender, copy("kh", **kept(two)))[:2] == [(Code.DIFFERENT_CONTENT, 1, 1), (Code.DIFFERENT_CONTENT, 2, 1)]
    shifted = [*LONG[:2], *LONG[3:7], b"x", LONG[8]]
    assert differences(sender, copy("kh", **kept(shifted)))[:2] == [(Code.NOT_RECEIVED, 2, 1), (Code.NOT_DISCLOSED, 6, 1)]
    assert compare_copies(sender, copy("kh", **kept(LONG[:3])))[0] == Difference(
        code=Code.NOT_RECEIVED, index=3, count=6, sender_leaf=sender.leaves[3]
    )


def test_receipts_are_compared() -> None:
    def held(*receipts: Any) -> dict[str, Any]:
        return {"receipts": [(one, b"") for one in receipts]}

    first, second, whole = receipt(TRUE[:2]), receipt(TRUE, 2), receipt(TRUE)
    assert differences(copy(**held(first, second)), copy("kh", **held(first, second))) == []
    assert differences(copy(**held(first)), copy("kh", **held(first, second))) == [(Code.RECEIPT_MISSING, 2, 2)]
    assert differences(copy(**held(first, second)), copy("kh", **held())) == [(Code.RECEIPT_MISSING, 0, 2), (Code.RECEIPT_MISSING, 2, 2)]
    assert differences(copy(**held(first)), copy("kh", **held(first))) == [(Code.RECEIPT_MISSING, 2, 2)]
    assert differences(copy(**held(first, second)), copy("kh", **held(whole))) == [
        (Code.RECEIPT_DIFFERS, 0, 2),
        (Code.RECEIPT_DIFFERS, 2, 2),
    ]
    for one, other in ((first, second), (second, first)):
        assert differences(copy(**held(one)), copy("kh", **held(other))) == [(Code.RECEIPT_MISSING, 0, 2), (Code.RECEIPT_MISSING, 2, 2)]


@pytest.mark.parametrize("size", [4, 6, 3])
def test_two_copies_show_that_the_owner_signed_two_histories(size: int) -> None:
    honest, own = copy("kh", LONG[:5]), copy("gb", [LONG[0], b"another", *LONG[2:size]])
    for one, other in ((own, honest), (honest, own)):
        shown = contradiction_of(one, other)
        assert shown is not None
        assert verify_contradiction(shown, PINS).trust_domain == domain("gb")
    assert contradiction_of(copy("gb", LONG), honest) is None
    assert contradiction_of(copy("gb", rewritten(), receipts=[], checkpoint=None), honest) is None


def test_a_note_and_a_copy_show_it_too() -> None:
    own = copy("gb", rewritten(1, 6))
    shown = contradiction_of_note(note(TRUE), own)
    assert shown is not None
    assert verify_contradiction(shown, PINS).first.size == 4
    assert contradiction_of_note(note(TRUE), copy("gb", [*TRUE, b"more"])) is None
    assert contradiction_of_note(note([*LONG, b"more"]), own) is None
