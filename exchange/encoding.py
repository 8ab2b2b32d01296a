"""Strict protobuf: what is decoded must be byte for byte what would be encoded (PROTOCOL.md, section 2).

Protobuf is not canonical, so nothing is ever re-encoded to check a signature or a hash. But one thing must have one encoding, or the
same content could hide behind many hashes; hence the comparison here, after the signature over the received bytes has held.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from exchange.errors import Malformed

CAP_ENTRY = 4 * 1024
CAP_MANIFEST = 8 * 1024
CAP_FRAGMENT = 64 * 1024
CAP_STATEMENT = 128 * 1024
CAP_DELIVERY = 448 * 1024
CAP_BATCH = 512 * 1024
CAP_BATCH_DELIVERIES = 64

AnyMessage = TypeVar("AnyMessage", bound=Message)

_VARINT, _LENGTH_DELIMITED = 0, 2
_FIXED = {1: 8, 5: 4}
"""Wire types of a fixed size, in bytes."""
_MORE = 0x80
"""A byte of a number from here on is not its last."""
_ONE_BYTE = tuple(bytes((value,)) for value in range(_MORE))


def encode(message: Message) -> bytes:
    """The one encoding of a message: deterministic, known fields only."""
    return message.SerializeToString(deterministic=True)


def decode(message_type: type[AnyMessage], data: bytes, cap: int) -> AnyMessage:
    """Decode `data` strictly. Raises `Malformed`: TOO_LARGE above `cap` bytes, NOT_PROTOBUF, NOT_CANONICAL."""
    if len(data) > cap:
        raise Malformed("TOO_LARGE", "the message is larger than the protocol allows")
    message = message_type()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise Malformed("NOT_PROTOBUF", "the bytes are not a protobuf message of this type") from None
    check_strict(message, data)
    return message


def check_strict(message: Message, data: bytes) -> None:
    """Raise `Malformed` (NOT_CANONICAL) unless `data`, from which `message` was decoded, is its one encoding; unknown fields leave it."""
    # They survive a round trip, so they are dropped first: then their bytes are missing from the comparison.
    message.DiscardUnknownFields()
    if encode(message) != data:
        raise Malformed("NOT_CANONICAL", "the bytes are not the one encoding of this message")


def cut(encoding: bytes) -> dict[int, bytes]:
    """Cut an encoding into its top-level fields: field number to the contiguous run of its records, in order.

    Raises `Malformed` (NOT_CANONICAL) when the numbers do not ascend or a record is broken (PROTOCOL.md, section 3).
    """
    runs: dict[int, bytes] = {}
    size = len(encoding)
    position = start = number = 0
    try:
        while position < size:
            record = position
            # A number of one byte is read here: nearly all are, and a call for each would cost more than all else.
            tag = encoding[position]
            position += 1
            if tag >= _MORE:
                tag, position = _varint(encoding, record)
            field, wire = tag >> 3, tag & 7
            if not field:
                raise Malformed("NOT_CANONICAL", "a record has no field number")
            if wire == _LENGTH_DELIMITED:
                length = encoding[position]
                position += 1
                if length >= _MORE:
                    length, position = _varint(encoding, position - 1)
                position += length
            elif wire == _VARINT:
                _, position = _varint(encoding, position)
            elif wire in _FIXED:
                position += _FIXED[wire]
            else:
                raise Malformed("NOT_CANONICAL", "a record has a wire type that the protocol does not use")
            if field != number:
                if field < number:
                    raise Malformed("NOT_CANONICAL", "the fields are not in ascending order")
                if number:
                    runs[number] = encoding[start:record]
                start, number = record, field
    except IndexError:
        raise Malformed("NOT_CANONICAL", "a record is cut short") from None
    if position != size:
        raise Malformed("NOT_CANONICAL", "a record is cut short")
    if number:
        runs[number] = encoding[start:]
    return runs


def varint(value: int) -> bytes:
    """The shortest encoding of a number that is not negative."""
    if value < _MORE:
        return _ONE_BYTE[value]
    written = bytearray()
    while value >= _MORE:
        written.append(value & 0x7F | _MORE)
        value >>= 7
    written.append(value)
    return bytes(written)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    first = data[position]
    if first < _MORE:
        return first, position + 1
    second = data[position + 1]
    if second < _MORE:  # as in the tags of the fields from 16 on
        return first + ((second - 1) << 7), position + 2
    value = 0
    for shift in range(0, 70, 7):  # 64 bits; without an end, a long run of such bytes would cost time in proportion to its square
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, position
    raise Malformed("NOT_CANONICAL", "a number is longer than 64 bits")
