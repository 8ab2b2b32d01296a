"""Attacks on what is told: values, salts, presence, openings, fragments, encodings and the manifest that commits to them."""

import pytest

from exchange.encoding import CAP_FRAGMENT, CAP_MANIFEST, encode
from exchange.profile import alert_type
from exchange.signing import sign_statement
from exchange.v1 import disclosure_pb2, handling_pb2, manifest_pb2, offending_pb2, people_pb2
from tests.attacks import GB_POLICE_KEY, MANGLES, Mangle, attack, committed, deliver, varint, with_entry, with_manifest
from tests.builders import alert, delivery, entry, openings, sealed, world
from tests.countries import HIT, POLICE, TRAVEL, agency, changed

NAME, NAMES, BIRTH, SEX, REFERENCE, LEGS, RETURN = 1, 2, 3, 4, 9, 11, 13
FIELDS = tuple(world().entry.fields)


def opened(**changes: manifest_pb2.Opening) -> disclosure_pb2.Delivery:
    """The good delivery, with other openings in place of those named `f<number>`."""
    return changed(world().delivery, openings=[changes.get(f"f{o.field}", o) for o in world().delivery.openings])


def opening(number: int) -> manifest_pb2.Opening:
    return openings(world().sealed, [number])[0]


def tell(fragments: dict[int, bytes], salts: dict[int, bytes] | None = None) -> disclosure_pb2.Delivery:
    """A delivery of what a hostile originator commits to."""
    hostile = committed(fragments, salts)
    return delivery(hostile, entry(hostile))


def fragment(number: int) -> bytes:
    return world().sealed.openings[number].fragment


def forged(**changes: object) -> disclosure_pb2.Delivery:
    """The good delivery with a manifest that says otherwise, correctly signed."""
    return with_manifest(encode(changed(world().sealed.manifest, **changes)))


def test_without_an_attack_the_delivery_is_accepted() -> None:
    assert tuple(o.field for o in deliver(world().delivery).openings) == FIELDS
    assert deliver(tell({})).view == deliver(world().delivery).view
    assert deliver(with_manifest(encode(world().sealed.manifest))).manifest.digest == world().sealed.digest
    assert deliver(with_entry(world().entry)).entry == world().entry


# Commitments, check D6


@pytest.mark.rule("D6")
@pytest.mark.parametrize("place", range(0, len(fragment(NAME)), 7))
@attack("commitments", "COMMITMENT_MISMATCH")
def test_a_value_is_altered(place: int) -> None:
    altered = bytearray(fragment(NAME))
    altered[place] ^= 1
    deliver(opened(f1=changed(opening(NAME), fragment=bytes(altered))))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_a_salt_is_altered() -> None:
    deliver(opened(f1=changed(opening(NAME), salt=bytes(32))))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_what_is_present_is_opened_as_absent() -> None:
    deliver(opened(f3=changed(opening(BIRTH), fragment=b"")))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_what_is_absent_is_opened_as_present() -> None:
    assert not fragment(RETURN)
    deliver(opened(f13=changed(opening(RETURN), fragment=b"\x6a\x00")))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_two_fields_are_swapped() -> None:
    birth, sex = opening(BIRTH), opening(SEX)
    deliver(opened(f3=changed(sex, field=BIRTH), f4=changed(birth, field=SEX)))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_an_opening_comes_from_another_manifest() -> None:
    other = sealed(changed(alert(), sex=people_pb2.SEX_FEMALE), counter=2)
    deliver(opened(f4=openings(other, [SEX])[0]))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_a_commitment_is_moved_to_another_field() -> None:
    slots = list(world().sealed.manifest.slots)
    slots[BIRTH - 1], slots[SEX - 1] = slots[SEX - 1], slots[BIRTH - 1]
    deliver(forged(slots=slots))


@pytest.mark.rule("D6")
@attack("commitments", "COMMITMENT_MISMATCH")
def test_commitments_are_reused_under_another_alert_id() -> None:
    deliver(forged(alert_id=sealed(counter=2).manifest.alert_id))


# Openings, check D5


@pytest.mark.rule("D5")
@attack("openings", "OPENINGS_MISMATCH")
def test_an_opening_is_dropped() -> None:
    deliver(changed(world().delivery, openings=world().delivery.openings[1:]))


@pytest.mark.rule("D5")
@attack("openings", "OPENINGS_MISMATCH")
def test_an_opening_is_smuggled_in_that_the_log_does_not_name() -> None:
    assert REFERENCE not in FIELDS
    deliver(changed(world().delivery, openings=openings(world().sealed, sorted({*FIELDS, REFERENCE}))))


@pytest.mark.rule("D5")
@attack("openings", "OPENINGS_MISMATCH")
def test_an_opening_comes_twice() -> None:
    deliver(changed(world().delivery, openings=[opening(NAME), *world().delivery.openings]))


@pytest.mark.rule("D5")
@attack("openings", "OPENINGS_MISMATCH")
def test_openings_are_reordered() -> None:
    deliver(changed(world().delivery, openings=reversed(world().delivery.openings)))


@pytest.mark.rule("D5")
@attack("openings", "OPENINGS_MISMATCH")
def test_an_originator_uses_one_salt_twice() -> None:
    deliver(tell({}, {NAME: bytes(32), NAMES: bytes(32)}))


@pytest.mark.rule("D5")
@pytest.mark.parametrize("size", [0, 31, 33])
@attack("openings", "OPENINGS_MISMATCH")
def test_an_originator_uses_a_salt_of_another_length(size: int) -> None:
    deliver(tell({}, {NAME: bytes(size)}))


# Fragments, check D7, all of which a hostile originator correctly commits to


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="FRAGMENT_MALFORMED")
def test_a_fragment_carries_a_forbidden_field_behind_its_own() -> None:
    assert REFERENCE not in FIELDS
    deliver(tell({8: fragment(8) + fragment(REFERENCE)}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="FRAGMENT_MALFORMED")
def test_a_fragment_holds_another_field_in_place_of_its_own() -> None:
    deliver(tell({BIRTH: fragment(SEX), SEX: b""}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="FRAGMENT_MALFORMED")
def test_a_field_is_spread_over_two_fragments() -> None:
    deliver(tell({BIRTH: b"", NAMES: fragment(NAMES) + fragment(BIRTH)}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="FRAGMENT_MALFORMED")
def test_a_record_is_cut_in_two_between_fragments() -> None:
    deliver(tell({NAMES: fragment(NAMES)[:-4], BIRTH: fragment(NAMES)[-4:] + fragment(BIRTH)}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_fields_descend_within_a_fragment() -> None:
    deliver(tell({SEX: fragment(SEX) + fragment(BIRTH)}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_fragment_is_cut_short() -> None:
    deliver(tell({34: b"\x92\x02\x7f"}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_singular_field_has_two_records_that_readers_may_choose_from() -> None:
    deliver(tell({SEX: b"\x20\x02" + fragment(SEX)}))


@pytest.mark.rule("D7")
@pytest.mark.parametrize("run", [b"\x20\x81\x00", b"\xa0\x00\x01", b"\x20\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00"])
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_fragment_is_encoded_overlong(run: bytes) -> None:
    deliver(tell({SEX: run}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_fragment_hides_an_unknown_field_in_a_nested_message() -> None:
    name = encode(alert().primary_name) + varint(2000 << 3) + b"\x01"
    deliver(tell({NAME: b"\x0a" + varint(len(name)) + name}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_PROTOBUF")
def test_a_fragment_is_a_text_that_is_not_utf_8() -> None:
    deliver(tell({NAME: b"\x0a\x03\x0a\x01\xff"}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_fragment_is_a_group() -> None:
    deliver(tell({SEX: b"\x23\x24"}))


@pytest.mark.rule("D7")
@attack("fragments", "FRAGMENT_MALFORMED", because="NOT_CANONICAL")
def test_a_fragment_is_a_number_without_end() -> None:
    deliver(tell({SEX: b"\x20" + b"\x80" * (CAP_FRAGMENT - 1)}))


# Manifests, check D4


@pytest.mark.rule("D4")
@attack("manifest", "PROFILE_UNKNOWN", because="PROFILE_UNKNOWN")
def test_the_manifest_is_of_another_profile() -> None:
    deliver(forged(profile=alert_type(HIT).digest))


@pytest.mark.rule("D4")
@attack("manifest", "PROFILE_UNKNOWN", because="ALERT_TYPE_UNKNOWN")
def test_the_manifest_is_of_a_type_that_is_no_alert() -> None:
    deliver(forged(alert_type="exchange.v1.PersonName"))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="SLOT_COUNT")
def test_commitments_are_truncated() -> None:
    deliver(forged(slots=world().sealed.manifest.slots[:-1]))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="SLOT_COUNT")
def test_there_is_a_commitment_too_many() -> None:
    deliver(forged(slots=[*world().sealed.manifest.slots, bytes(32)]))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="SLOT_COUNT")
def test_a_commitment_that_is_not_opened_is_empty() -> None:
    deliver(forged(slots=[b"" if place + 1 == REFERENCE else slot for place, slot in enumerate(world().sealed.manifest.slots)]))


@pytest.mark.rule("D4")
@MANGLES
@attack("manifest", "MANIFEST_MALFORMED", because="NOT_CANONICAL")
def test_a_manifest_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    deliver(with_manifest(mangle(encode(world().sealed.manifest))))


@pytest.mark.rule("D4")
@pytest.mark.parametrize("version", [0, 2])
@attack("manifest", "MANIFEST_MALFORMED", because="MANIFEST_MALFORMED")
def test_a_manifest_is_of_another_version(version: int) -> None:
    deliver(forged(version=version))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="ALERT_ID")
def test_an_alert_id_is_no_uuid_of_version_7() -> None:
    deliver(forged(alert_id=bytes(16)))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="MANIFEST_MALFORMED")
def test_an_alert_lives_for_ever() -> None:
    deliver(forged(not_after=0))


@pytest.mark.rule("D4")
@pytest.mark.parametrize("digests", [[bytes([n]) * 32 for n in range(33)], [bytes(32), bytes(32)], [bytes(31)]])
@attack("manifest", "MANIFEST_MALFORMED", because="MANIFEST_MALFORMED")
def test_superseded_manifests_are_too_many_or_not_digests(digests: list[bytes]) -> None:
    deliver(forged(supersedes=digests))


@pytest.mark.rule("D4")
@attack("manifest", "MANIFEST_MALFORMED", because="HANDLING_MALFORMED")
def test_purposes_are_said_twice() -> None:
    purpose = handling_pb2.PURPOSE_PREVENTION
    deliver(forged(handling=handling_pb2.Handling(permitted_purposes=[purpose, purpose])))


# Entries and sizes, check D1


@pytest.mark.rule("D1")
@MANGLES
@attack("entry", "DELIVERY_MALFORMED", because="NOT_CANONICAL")
def test_an_entry_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    deliver(changed(world().delivery, entry=mangle(world().delivery.entry)))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="NOT_PROTOBUF")
def test_an_entry_is_rubbish() -> None:
    deliver(changed(world().delivery, entry=b"\xff\xff\xff"))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_fields_descend() -> None:
    deliver(with_entry(changed(world().entry, fields=FIELDS[::-1])))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_field_is_named_twice() -> None:
    deliver(with_entry(changed(world().entry, fields=[NAME, *FIELDS])))


@pytest.mark.rule("D1")
@pytest.mark.parametrize("number", [0, 65, 70_000])
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_field_is_out_of_range(number: int) -> None:
    deliver(with_entry(changed(world().entry, fields=sorted([number, *FIELDS]))))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_another_recipients_delivery() -> None:
    deliver(with_entry(changed(world().entry, audience=[agency("vn", POLICE)])))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_delivery_is_for_nobody() -> None:
    deliver(with_entry(changed(world().entry, audience=())))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_delivery_is_for_an_officer_past_his_agency() -> None:
    deliver(with_entry(changed(world().entry, audience=["spiffe://kh.alerts.example/officer/one"])))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_succession_hides_a_disclosure() -> None:
    deliver(with_entry(changed(world().entry, succession=bytes(32))))


@pytest.mark.rule("D1")
@attack("entry", "DELIVERY_MALFORMED", because="ENTRY_MALFORMED")
def test_a_disclosure_commits_to_no_authorisation() -> None:
    deliver(with_entry(changed(world().entry, authorisation=b"")))


@pytest.mark.rule("D1")
@attack("delivery", "DELIVERY_MALFORMED")
def test_a_withheld_delivery_carries_content_all_the_same() -> None:
    deliver(changed(world().delivery, withheld=disclosure_pb2.WITHHELD_CODE_WITHDRAWN))


@pytest.mark.rule("D1")
@attack("delivery", "DELIVERY_MALFORMED")
def test_a_fragment_is_too_large() -> None:
    deliver(opened(f1=changed(opening(NAME), fragment=bytes(CAP_FRAGMENT + 1))))


@pytest.mark.rule("D1")
@attack("delivery", "DELIVERY_MALFORMED")
def test_a_manifest_is_too_large() -> None:
    deliver(with_manifest(bytes(CAP_MANIFEST + 1)))


@pytest.mark.rule("D1")
@attack("delivery", "DELIVERY_MALFORMED")
def test_a_delivery_is_too_large() -> None:
    attached = [sign_statement("permit", bytes(120_000), [GB_POLICE_KEY])] * 4
    deliver(changed(world().delivery, attached=attached))


@attack("delivery", "WITHHELD")
def test_a_withheld_delivery_is_shown_to_nobody() -> None:
    deliver(disclosure_pb2.Delivery(entry=world().delivery.entry, withheld=disclosure_pb2.WITHHELD_CODE_EXPIRED))


# The rules, check D11 of the alert type, under commitments and signatures that hold


@pytest.mark.rule("D11")
@pytest.mark.parametrize(
    "broken",
    [
        {"birth": people_pb2.Birth(date="about 1961")},
        {"nationalities": [people_pb2.Nationality(country="uk")]},
        {"risk_narrative": [people_pb2.Text(language="en", text="x" * 1001)]},
        {"cautions": [offending_pb2.CAUTION_ARMED] * 17},
    ],
    ids=lambda broken: next(iter(broken)),
)
@attack("schema", "SCHEMA")
def test_a_rule_of_the_alert_type_is_broken(broken: dict[str, object]) -> None:
    hostile = sealed(changed(alert(), **broken))
    deliver(delivery(hostile, entry(hostile)))


def test_the_same_alert_without_the_broken_rule_is_accepted() -> None:
    good = sealed(changed(alert(), birth=people_pb2.Birth(date="1961-01-01"), cautions=[offending_pb2.CAUTION_ARMED] * 16))
    assert deliver(delivery(good, entry(good))).kind.name == TRAVEL
