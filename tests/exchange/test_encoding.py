import time

import pytest
from google.protobuf.message import Message

from exchange.encoding import CAP_DELIVERY, cut, decode, encode, varint
from exchange.errors import Malformed
from exchange.v1 import disclosure_pb2, handling_pb2, manifest_pb2, people_pb2, travel_alert_pb2
from tests.refusals import refused

# Opening{field: 5, salt: "ab", fragment: "c"}: tag = number << 3 | wire type (0 varint, 2 length-delimited).
OPENING = bytes.fromhex("0805" + "12026162" + "1a0163")


def test_the_bytes_of_a_message_are_those_of_the_protobuf_encoding() -> None:
    opening = manifest_pb2.Opening(field=5, salt=b"ab", fragment=b"c")
    assert encode(opening) == OPENING
    assert decode(manifest_pb2.Opening, OPENING, len(OPENING)) == opening


@pytest.mark.parametrize("value", [1, 2, 0x7F, 0x80, 0x81, 0x3FFF, 0x4000, 65_536, 2**32, 2**63, 2**64 - 1])
def test_a_number_is_written_as_protobuf_writes_it(value: int) -> None:
    assert b"\x10" + varint(value) == encode(disclosure_pb2.Alive(size=value))


def test_zero_is_one_byte() -> None:
    assert varint(0) == b"\x00"


def test_packed_numbers_and_64_bits() -> None:
    # Handling{codes: [2, 3], retention_days: 300}; Alive{size: 2^63}.
    assert encode(
        handling_pb2.Handling(codes=[handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2], retention_days=300)
    ) == bytes.fromhex("0a020203" + "28ac02")
    assert encode(disclosure_pb2.Alive(size=1 << 63)) == bytes.fromhex("10" + "80" * 9 + "01")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (OPENING + b"\x1a\x01c", "NOT_CANONICAL"),  # the last field twice
        (OPENING[2:] + OPENING[:2], "NOT_CANONICAL"),  # reordered
        (b"\x88\x00\x05" + OPENING[2:], "NOT_CANONICAL"),  # an overlong tag
        (b"\x08\x85\x00" + OPENING[2:], "NOT_CANONICAL"),  # an overlong number
        (b"\x08\x05\x12\x82\x00ab\x1a\x01c", "NOT_CANONICAL"),  # an overlong length
        (OPENING + b"\x20\x01", "NOT_CANONICAL"),  # an unknown field
        (b"\x08\x00" + OPENING[2:], "NOT_CANONICAL"),  # a default that need not be written
        (b"\x12\x00", "NOT_CANONICAL"),
        (OPENING[:-1], "NOT_PROTOBUF"),
        (b"\x00\x00", "NOT_PROTOBUF"),
        (b"\x0b\x0c", "NOT_CANONICAL"),  # an unknown group
        (b"\x0f", "NOT_PROTOBUF"),
    ],
)
def test_anything_but_the_one_encoding_is_refused(data: bytes, code: str) -> None:
    with refused(Malformed, code):
        decode(manifest_pb2.Opening, data, 100)


def test_unknown_fields_are_found_in_nested_messages_too() -> None:
    nested = b"\x0a\x03\x7a\x01x"  # primary_name { 15: "x" }, which PersonName does not have
    with refused(Malformed, "NOT_CANONICAL"):
        decode(travel_alert_pb2.TravelAlert, nested, 100)


def test_text_is_utf_8() -> None:
    with refused(Malformed, "NOT_PROTOBUF"):
        decode(people_pb2.Text, b"\x0a\x01\xff", 100)


def test_size_is_checked_first() -> None:
    with refused(Malformed, "TOO_LARGE"):
        decode(manifest_pb2.Opening, b"\xff" * 9, 8)


@pytest.mark.parametrize("message_type", [manifest_pb2.Opening, manifest_pb2.Manifest, disclosure_pb2.Entry])
def test_nothing_is_an_empty_message(message_type: type[Message]) -> None:
    assert decode(message_type, b"", 0) == message_type()


def test_an_encoding_is_cut_into_the_runs_of_its_fields() -> None:
    assert cut(OPENING) == {1: b"\x08\x05", 2: b"\x12\x02ab", 3: b"\x1a\x01c"}
    assert cut(b"") == {}
    # A field's records stay together; fixed 64 and 32 bit records have their width; numbers above 15 take a longer tag.
    wide = b"\x09" + b"8" * 8 + b"\x15" + b"4" * 4
    repeated = b"\xfa\x01\x01x" + b"\xfa\x01\x01y"
    assert cut(wide + repeated) == {1: wide[:9], 2: wide[9:], 31: repeated}


@pytest.mark.parametrize(
    "data",
    [
        b"\x10\x01\x08\x01",  # 2 before 1
        b"\x08",  # a tag alone
        b"\x08\x80",  # an unfinished number
        b"\x88",  # an unfinished tag
        b"\x12\x02a",  # a shorter text than announced
        b"\x09\x01",  # half a fixed 64
        b"\x0d\x01",
        b"\x0b",  # groups
        b"\x0c",
        b"\x0e",  # no wire type at all
        b"\x0f",
        b"\x00\x01",  # no field number
        b"\x08" + b"\xff" * 10 + b"\x01",  # more than 64 bits
    ],
)
def test_what_cannot_be_cut_is_refused(data: bytes) -> None:
    with refused(Malformed, "NOT_CANONICAL"):
        cut(data)


def test_a_long_run_of_number_bytes_costs_no_time() -> None:
    begun = time.process_time()
    with refused(Malformed, "NOT_CANONICAL"):
        cut(b"\xff" * CAP_DELIVERY)
    assert time.process_time() - begun < 0.5  # it took over ten seconds while such numbers had no end
