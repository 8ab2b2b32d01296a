"""Attacks on passing on: vn relays to kh what the British police told it, and signs and logs correctly whatever it sends."""

import pytest

from exchange.directory import KnownNode
from exchange.disclosure import Disclosure, open_delivery
from exchange.encoding import encode
from exchange.log import extend, frontier_of
from exchange.manifest import Sealed
from exchange.signing import sign_statement, statement_digest
from exchange.v1 import disclosure_pb2, handling_pb2, permit_pb2, statement_pb2
from tests.attacks import GB_POLICE_KEY, MANGLES, Mangle, attack
from tests.builders import Memory, batch, control_entry, delivery, entry, log_name, permit, recipient, sealed, withdrawal, world
from tests.countries import (
    BORDER,
    DAY,
    HOUR,
    NOW,
    POLICE,
    agency,
    agency_name,
    changed,
    compromised,
    descriptor,
    domain,
    ed25519_key,
    key,
    known,
    node,
    node_id,
    with_key,
)

GB = node("gb")
ALERT = world().sealed
TOLD = entry(ALERT, sender="vn")
PERMIT = permit(ALERT, "vn", "kh", TOLD.fields)


def signed(leave: permit_pb2.Permit) -> statement_pb2.Statement:
    return sign_statement("permit", encode(leave), [GB_POLICE_KEY])


def relay(leave: statement_pb2.Statement, alert: Sealed = ALERT, told: disclosure_pb2.Entry = TOLD, gb: KnownNode = GB) -> Disclosure:
    """vn logs the alert towards kh under that permit; kh checks the stream and the delivery."""
    told = changed(told, permit_digest=statement_digest(leave))
    delivered = delivery(alert, told, attached=[leave])
    log, before = log_name("vn"), world().entries[:2]
    sent = batch([delivered], before, signer=key("vn", "log"), name=log)
    extend(log, frontier_of(before), sent, node("vn"), domain("kh"), NOW)
    nodes = {domain("gb"): gb, domain("kh"): node("kh"), domain("vn"): node("vn")}
    return open_delivery(delivered, recipient(sender="vn", nodes=nodes), Memory(referents={ALERT.digest: agency("gb", POLICE)}))


def recall(about: bytes, leave: permit_pb2.Permit, agency_class: int = POLICE) -> Disclosure:
    """vn forwards a recall by a British agency."""
    withdrawn = sealed(
        withdrawal(about), counter=6, originator=agency("gb", agency_class), signer=key("gb", agency_name("gb", agency_class))
    )
    return relay(signed(leave), withdrawn, control_entry(withdrawn, about))


def test_without_an_attack_it_is_passed_on() -> None:
    assert relay(signed(PERMIT)).manifest.value.originator == agency("gb", POLICE)


def test_a_recall_goes_through_even_under_an_expired_permit() -> None:
    assert recall(ALERT.digest, changed(PERMIT, expires_at=NOW - 1)).kind.control


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_MISSING")
def test_a_partner_passes_on_without_a_permit() -> None:
    delivered = delivery(ALERT, TOLD)
    open_delivery(delivered, recipient(sender="vn"), Memory())


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_MISSING")
def test_a_permit_is_attached_that_the_log_does_not_name() -> None:
    delivered = delivery(ALERT, changed(TOLD, permit_digest=bytes(32)), attached=[signed(PERMIT)])
    open_delivery(delivered, recipient(sender="vn"), Memory())


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_EXPIRED")
def test_a_permit_has_expired() -> None:
    relay(signed(changed(PERMIT, expires_at=NOW)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_EXPIRED")
def test_a_permit_is_not_yet_in_force() -> None:
    relay(signed(changed(PERMIT, issued_at=NOW + 1)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_MANIFEST")
def test_a_permit_is_for_another_manifest() -> None:
    relay(signed(permit(sealed(counter=2), "vn", "kh", TOLD.fields)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_PARTY")
def test_a_permit_is_for_another_holder() -> None:
    relay(signed(changed(PERMIT, holder=node_id("kh"))))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_PARTY")
def test_a_permit_is_for_another_third_party() -> None:
    relay(signed(changed(PERMIT, third_party=node_id("vn"))))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_NARROWER")
def test_a_permit_covers_fewer_fields() -> None:
    relay(signed(changed(PERMIT, fields=PERMIT.fields[1:])))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_NARROWER")
def test_a_permit_is_for_another_purpose() -> None:
    relay(signed(changed(PERMIT, purpose=handling_pb2.PURPOSE_PROSECUTION)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_ORIGINATOR")
def test_another_agency_of_the_originators_country_gives_leave() -> None:
    leave = changed(PERMIT, originator=agency("gb", BORDER))
    relay(sign_statement("permit", encode(leave), [key("gb", agency_name("gb", BORDER))]))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="KEY_NOT_FOR_PARTY")
def test_another_agency_signs_in_the_name_of_the_originator() -> None:
    relay(sign_statement("permit", encode(PERMIT), [key("gb", agency_name("gb", BORDER))]))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="KEY_UNKNOWN")
def test_the_holder_gives_itself_leave() -> None:
    relay(sign_statement("permit", encode(PERMIT), [key("vn", agency_name("vn", POLICE))]))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="SIGNATURE_INVALID")
def test_a_permit_is_widened_after_it_was_signed() -> None:
    wider = encode(changed(PERMIT, expires_at=NOW + 100 * DAY))
    relay(changed(signed(PERMIT), payload=wider))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="KEY_EARLY")
def test_a_permit_is_older_than_its_key() -> None:
    new = ed25519_key("gb/police-2")
    words = changed(descriptor("gb"))
    words.keys.append(changed(words.keys[6], public_key=new.spki, not_before=NOW, speaks_for=[agency("gb", POLICE)]))
    relay(sign_statement("permit", encode(PERMIT), [new]), gb=known(words))


@pytest.mark.rule("D2")
@attack("permit", "MANIFEST_UNVERIFIED", because="KEY_COMPROMISED")
def test_a_stolen_key_signs_alert_and_permit() -> None:
    relay(signed(PERMIT), gb=known(with_key(descriptor("gb"), GB_POLICE_KEY, **compromised(NOW - HOUR // 2))))


@pytest.mark.rule("D3")
@MANGLES
@attack("permit", "NOT_THE_ORIGINATOR", because="NOT_CANONICAL")
def test_a_permit_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    relay(sign_statement("permit", mangle(encode(PERMIT)), [GB_POLICE_KEY]))


@pytest.mark.rule("D3")
@pytest.mark.parametrize(
    "changes",
    [{"version": 2}, {"fields": [2, 1]}, {"holder": agency("vn", POLICE)}, {"manifest_digest": b""}, {"expires_at": 0}],
    ids=lambda changes: next(iter(changes)),
)
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_MALFORMED")
def test_a_permit_has_no_such_form(changes: dict[str, object]) -> None:
    relay(signed(changed(PERMIT, **changes)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_MANIFEST")
def test_a_recall_is_forwarded_under_a_permit_for_another_manifest() -> None:
    recall(ALERT.digest, changed(PERMIT, manifest_digest=bytes(32)))


@pytest.mark.rule("D3")
@attack("permit", "NOT_THE_ORIGINATOR", because="PERMIT_OTHER_ORIGINATOR")
def test_a_forwarded_recall_comes_from_another_agency() -> None:
    recall(ALERT.digest, PERMIT, BORDER)
