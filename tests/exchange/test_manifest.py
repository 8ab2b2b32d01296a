import hashlib
from typing import Any

import pytest

from exchange.encoding import CAP_FRAGMENT, cut, encode
from exchange.errors import ExchangeError, Malformed
from exchange.manifest import Committer, _commit, check_manifest, decode_manifest, seal
from exchange.profile import alert_type
from exchange.signing import statement_digest
from exchange.v1 import disclosure_pb2, handling_pb2, manifest_pb2, tip_pb2
from tests.builders import alert, alert_id, envelope, salts, sealed, withdrawal
from tests.countries import ISSUED, NOW, POLICE, TRAVEL, agency, changed, key, node_id
from tests.refusals import refused

TRAVEL_TYPE = alert_type(TRAVEL)
TIP_TYPE = alert_type("exchange.v1.TipStatus")
COUNT = len(TRAVEL_TYPE.numbers)
POLICE_KEY = key("gb", "nca-ceop")


def test_a_slot_is_the_hash_that_the_page_says() -> None:
    identifier, profile, salt, fragment = bytes(range(16)), b"P" * 32, b"S" * 32, b"\x0a\x03abc"
    # "alert-exchange/v1 slot" NUL, id, profile, u16 258, salt, u32 5, fragment.
    by_hand = b"alert-exchange/v1 slot\x00" + identifier + profile + b"\x01\x02" + salt + b"\x00\x00\x00\x05" + fragment
    assert Committer(identifier, profile).slot(258, salt, fragment) == hashlib.sha256(by_hand).digest()


def test_one_manifest_commits_to_every_field() -> None:
    content = tip_pb2.TipStatus(state=tip_pb2.TIP_STATE_CLOSED)
    made = seal(TIP_TYPE, cut(encode(content)), envelope(), salts(2, 7), POLICE_KEY)
    start = b"alert-exchange/v1 slot\x00" + alert_id(1) + TIP_TYPE.digest
    absent = hashlib.sha256(start + b"\x00\x01" + salts(2, 7)[:32] + bytes(4)).digest()
    closed = hashlib.sha256(start + b"\x00\x02" + salts(2, 7)[32:] + b"\x00\x00\x00\x02" + b"\x10\x05").digest()
    assert list(made.manifest.slots) == [absent, closed]
    assert [(o.field, o.salt, o.fragment) for o in made.openings.values()] == [
        (1, salts(2, 7)[:32], b""),
        (2, salts(2, 7)[32:], b"\x10\x05"),
    ]
    assert made.digest == statement_digest(made.statement)
    assert decode_manifest(made.statement.payload) == made.manifest
    assert check_manifest(made.manifest) is TIP_TYPE


@pytest.mark.parametrize("size", [0, 1, 88, 89, 90, 127, 128, 16_383, 16_384, CAP_FRAGMENT])
@pytest.mark.parametrize("number", [1, 64])
def test_an_opening_is_joined_as_protobuf_encodes_it(number: int, size: int) -> None:
    salt, fragment = salts(1, 7), bytes(size)
    opening = manifest_pb2.Opening(field=number, salt=salt, fragment=fragment)
    slots, opened = _commit(Committer(alert_id(1), TIP_TYPE.digest), [number], {number: fragment} if size else {}, salt)
    assert slots == [Committer(alert_id(1), TIP_TYPE.digest).slot(number, salt, fragment)]
    assert opened == encode(disclosure_pb2.Delivery(openings=[opening]))


def test_the_openings_of_all_fields_join_to_the_alert() -> None:
    made = sealed()
    assert b"".join(opening.fragment for opening in made.openings.values()) == encode(alert())
    assert tuple(made.openings) == TRAVEL_TYPE.numbers
    assert made.opened == encode(disclosure_pb2.Delivery(openings=made.openings.values()))
    assert sum(not opening.fragment for opening in made.openings.values()) == COUNT - 22


def test_what_an_envelope_says_stands_in_the_manifest() -> None:
    manifest = sealed(counter=3, supersedes=[bytes(32)], training=True).manifest
    assert (manifest.version, manifest.alert_id, manifest.alert_type, manifest.profile) == (1, alert_id(3), TRAVEL, TRAVEL_TYPE.digest)
    assert (manifest.originator, manifest.issued_at, manifest.training) == (agency("gb", POLICE), ISSUED, True)
    assert list(manifest.supersedes) == [bytes(32)]


def test_a_control_alert_never_expires_and_may_come_from_the_node() -> None:
    recall = sealed(withdrawal(bytes(32)), originator=node_id("gb"))
    assert recall.manifest.not_after == 0
    with refused(Malformed, "MANIFEST_MALFORMED"):
        sealed(withdrawal(bytes(32)), not_after=NOW)


@pytest.mark.parametrize("length", [0, 32 * COUNT - 1, 32 * COUNT + 32])
def test_each_field_needs_its_salt(length: int) -> None:
    with refused(Malformed, "SALTS"):
        seal(TRAVEL_TYPE, cut(encode(alert())), envelope(), bytes(length), POLICE_KEY)


def test_a_field_has_a_size_limit() -> None:
    def sealed_with(size: int) -> None:
        seal(TIP_TYPE, {1: b"\x0a" + _varint(size) + bytes(size)}, envelope(), salts(2, 1), POLICE_KEY)

    sealed_with(CAP_FRAGMENT - 4)
    with refused(Malformed, "FRAGMENT_TOO_LARGE"):
        sealed_with(CAP_FRAGMENT - 3)


def _varint(size: int) -> bytes:
    return bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])


def test_a_manifest_has_a_size_limit() -> None:
    with refused(Malformed, "MANIFEST_TOO_LARGE"):
        sealed(originator="spiffe://gb.alerts.example/agency" + f"/{'x' * 128}" * 14, supersedes=_digests(32), handling=_crowded())


def _digests(count: int) -> list[bytes]:
    return [hashlib.sha256(bytes([number])).digest() for number in range(count)]


def _crowded() -> handling_pb2.Handling:
    return handling_pb2.Handling(permitted_purposes=[handling_pb2.Purpose.ValueType(number) for number in range(1, 4000)])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 2}, "MANIFEST_MALFORMED"),
        ({"originator": "gb"}, "PARTY_MALFORMED"),
        ({"originator": "spiffe://gb.alerts.example/officer/x"}, "MANIFEST_MALFORMED"),
        ({"alert_id": bytes(16)}, "ALERT_ID"),
        ({"supersedes": _digests(33)}, "MANIFEST_MALFORMED"),
        ({"supersedes": [bytes(32), bytes(32)]}, "MANIFEST_MALFORMED"),
        ({"supersedes": [bytes(31)]}, "MANIFEST_MALFORMED"),
        ({"handling": handling_pb2.Handling(permitted_purposes=[2, 1])}, "HANDLING_MALFORMED"),  # type: ignore[list-item]
        ({"alert_type": "exchange.v1.Text"}, "ALERT_TYPE_UNKNOWN"),
        ({"issued_at": 0}, "MANIFEST_MALFORMED"),
        ({"issued_at": -1}, "MANIFEST_MALFORMED"),
        ({"not_after": ISSUED}, "MANIFEST_MALFORMED"),
        ({"not_after": 0}, "MANIFEST_MALFORMED"),
        ({"profile": bytes(32)}, "PROFILE_UNKNOWN"),
        ({"alert_type": "exchange.v1.SubjectWarning"}, "PROFILE_UNKNOWN"),
        ({"slots": _digests(COUNT - 1)}, "SLOT_COUNT"),
        ({"slots": _digests(COUNT + 1)}, "SLOT_COUNT"),
        ({"slots": [*_digests(COUNT - 1), bytes(31)]}, "SLOT_COUNT"),
    ],
)
def test_a_manifest_has_one_form(changes: dict[str, Any], code: str) -> None:
    wrong = changed(sealed().manifest, **changes)
    with refused(Malformed, code):
        check_manifest(wrong)
    with refused(Malformed, code):
        decode_manifest(encode(wrong))


def test_supersedes_may_name_32() -> None:
    assert len(sealed(supersedes=_digests(32)).manifest.supersedes) == 32


def test_a_manifest_is_read_strictly() -> None:
    payload = sealed().statement.payload
    for wrong in (payload[:-1], payload + b"\x60\x01", payload + payload):
        with pytest.raises(ExchangeError) as error:
            decode_manifest(wrong)
        assert error.value.code in {"NOT_PROTOBUF", "NOT_CANONICAL"}
    assert decode_manifest(payload) == manifest_pb2.Manifest.FromString(payload)
