import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.encoding import CAP_STATEMENT
from exchange.errors import Malformed, Unverified
from exchange.signing import (
    PublicKey,
    add_signature,
    key_id_of,
    open_statement,
    pae,
    sign_statement,
    statement_digest,
    statement_type,
    verify_signature,
)
from exchange.v1 import directory_pb2, statement_pb2
from tests.countries import LabelledKey, ed25519_key, p256_key
from tests.refusals import refused

ED25519, P256 = directory_pb2.SUITE_ED25519, directory_pb2.SUITE_ECDSA_P256_SHA256
STATEMENT_USE, AGREEMENT_USE = directory_pb2.KEY_USE_STATEMENT, directory_pb2.KEY_USE_AGREEMENT
# RFC 8410 section 4: the DER of an Ed25519 SubjectPublicKeyInfo is this, then the 32 bytes of the key.
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
PAYLOAD = b"hello world"
MANIFEST_TYPE = "application/vnd.alert-exchange.manifest.v1+protobuf"
# By hand: the type is 51 bytes long.
MESSAGE = b"DSSEv1 51 application/vnd.alert-exchange.manifest.v1+protobuf 11 hello world"

ONE, TWO, CURVE = ed25519_key("one"), ed25519_key("two"), p256_key("three")


class Ring(dict[bytes, PublicKey]):
    def find(self, key_id: bytes) -> PublicKey | None:
        return self.get(key_id)


def public(key: LabelledKey, use: int = STATEMENT_USE) -> PublicKey:
    return PublicKey(
        key_id=key.key_id, use=use, suite=key.suite, spki=key.spki, speaks_for=frozenset({"spiffe://a.b/node"}), not_before=0, not_after=1
    )


def ring(*keys: LabelledKey, use: int = STATEMENT_USE) -> Ring:
    return Ring({key.key_id: public(key, use) for key in keys})


def test_pae_is_that_of_dsse() -> None:
    # The example of the DSSE protocol page.
    assert pae("http://example.com/HelloWorld", PAYLOAD) == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("é", b"\0\xff") == b"DSSEv1 2 \xc3\xa9 2 \x00\xff"  # lengths are of bytes


def test_key_id_is_the_hash_of_the_spki() -> None:
    # RFC 8032 section 7.1, test 1.
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    spki = ed25519.Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == ED25519_SPKI + raw
    assert key_id_of(spki) == hashlib.sha256(ED25519_SPKI + raw).digest()


def test_a_statement_says_its_type_and_is_signed_over_the_pae() -> None:
    statement = sign_statement("manifest", PAYLOAD, [ONE])
    assert (statement.type, statement.payload) == (statement_type("manifest"), PAYLOAD) == (MANIFEST_TYPE, PAYLOAD)
    (signature,) = statement.signatures
    assert signature.key_id == ONE.key_id
    ed25519.Ed25519PublicKey.from_public_bytes(ONE.spki[12:]).verify(signature.signature, MESSAGE)
    assert open_statement(statement, "manifest", ring(ONE)) == (public(ONE),)


def test_the_digest_leaves_the_signatures_out() -> None:
    expected = hashlib.sha256(MESSAGE).digest()
    assert statement_digest(sign_statement("manifest", PAYLOAD, [ONE])) == expected
    assert statement_digest(sign_statement("manifest", PAYLOAD, [])) == expected


def test_two_signers_in_whichever_order_make_one_statement() -> None:
    both = sign_statement("agreement", PAYLOAD, [ONE, TWO])
    assert both == sign_statement("agreement", PAYLOAD, [TWO, ONE])
    assert both == add_signature(sign_statement("agreement", PAYLOAD, [ONE]), TWO)
    assert both == add_signature(sign_statement("agreement", PAYLOAD, [TWO]), ONE)
    ids = sorted([ONE.key_id, TWO.key_id])
    assert [signature.key_id for signature in both.signatures] == ids
    assert [key.key_id for key in open_statement(both, "agreement", ring(ONE, TWO, use=AGREEMENT_USE), signers=2)] == ids


def test_p256_signatures_are_raw() -> None:
    statement = sign_statement("manifest", PAYLOAD, [CURVE])
    assert len(statement.signatures[0].signature) == 64
    assert open_statement(statement, "manifest", ring(CURVE)) == (public(CURVE),)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("manifest", directory_pb2.KEY_USE_STATEMENT),
        ("permit", directory_pb2.KEY_USE_STATEMENT),
        ("agreement", directory_pb2.KEY_USE_AGREEMENT),
        ("log-succession", directory_pb2.KEY_USE_AGREEMENT),
        ("receipt", directory_pb2.KEY_USE_RECEIPT),
        ("alive", directory_pb2.KEY_USE_LOG),
        ("descriptor", directory_pb2.KEY_USE_IDENTITY),
    ],
)
def test_each_statement_has_one_key_use(name: str, use: int) -> None:
    statement = sign_statement(name, PAYLOAD, [ONE])
    for other in directory_pb2.KeyUse.values():
        if other == use:
            assert open_statement(statement, name, ring(ONE, use=use))
        else:
            with refused(Unverified, "KEY_USE"):
                open_statement(statement, name, ring(ONE, use=other))


def test_size_counts_with_and_without_signatures() -> None:
    with refused(Malformed, "STATEMENT_TOO_LARGE"):
        open_statement(sign_statement("manifest", bytes(CAP_STATEMENT), [ONE]), "manifest", ring(ONE))
    with refused(Malformed, "STATEMENT_TOO_LARGE"):
        open_statement(statement_pb2.Statement(type="x" * CAP_STATEMENT), "manifest", ring(ONE))
    envelope = sign_statement("manifest", bytes(CAP_STATEMENT - 1000), [ONE]).ByteSize() - (CAP_STATEMENT - 1000)
    largest = sign_statement("manifest", bytes(CAP_STATEMENT - envelope), [ONE])
    assert largest.ByteSize() == CAP_STATEMENT
    assert open_statement(largest, "manifest", ring(ONE))


def test_the_type_must_be_the_expected_one() -> None:
    with refused(Malformed, "STATEMENT_TYPE"):
        open_statement(sign_statement("permit", PAYLOAD, [ONE]), "manifest", ring(ONE))


@pytest.mark.parametrize("signers", [[], [ONE, TWO]])
def test_exactly_the_required_signers(signers: list[LabelledKey]) -> None:
    with refused(Malformed, "SIGNATURE_COUNT"):
        open_statement(sign_statement("manifest", PAYLOAD, signers), "manifest", ring(ONE, TWO))


def test_key_ids_ascend_without_duplicates() -> None:
    both = sign_statement("agreement", PAYLOAD, [ONE, TWO])
    first, second = both.signatures
    for pair in ([second, first], [first, first]):
        wrong = statement_pb2.Statement(type=both.type, payload=both.payload, signatures=pair)
        with refused(Malformed, "SIGNATURE_ORDER"):
            open_statement(wrong, "agreement", ring(ONE, TWO, use=AGREEMENT_USE), signers=2)


def test_an_unknown_key_signs_nothing() -> None:
    with refused(Unverified, "KEY_UNKNOWN"):
        open_statement(sign_statement("manifest", PAYLOAD, [ONE]), "manifest", ring(TWO))


@pytest.mark.parametrize("key", [ONE, CURVE])
def test_a_signature_holds_for_its_message_only(key: LabelledKey) -> None:
    signature = key.sign(MESSAGE)
    verify_signature(public(key), signature, MESSAGE)
    for wrong, message in [
        (signature, MESSAGE + b"!"),
        (signature[:-1], MESSAGE),
        (signature + b"\0", MESSAGE),
        (b"", MESSAGE),
        (bytes(64), MESSAGE),
        (b"\xff" * 64, MESSAGE),
    ]:
        with refused(Unverified, "SIGNATURE_INVALID"):
            verify_signature(public(key), wrong, message)


def test_the_suite_is_the_descriptors_word() -> None:
    for key, suite in [(ONE, P256), (CURVE, ED25519), (ONE, 0), (ONE, directory_pb2.SUITE_ED25519_ML_DSA_65), (ONE, 99)]:
        with refused(Unverified, "SUITE_UNKNOWN"):
            verify_signature(replace(public(key), suite=suite), key.sign(MESSAGE), MESSAGE)


def test_a_key_that_cannot_be_read_verifies_nothing() -> None:
    with refused(Unverified, "SUITE_UNKNOWN"):
        verify_signature(replace(public(ONE), spki=b"not DER"), ONE.sign(MESSAGE), MESSAGE)


def test_another_curve_is_not_p256() -> None:
    other = ec.derive_private_key(7, ec.SECP384R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with refused(Unverified, "SIGNATURE_INVALID"):
        verify_signature(replace(public(CURVE), spki=other), bytes(63) + b"\1", MESSAGE)
