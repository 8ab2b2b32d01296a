from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.tlog.note import (
    MAX_NOTE_BYTES,
    MAX_TIMESTAMP,
    CosignatureVerifier,
    NoteSignature,
    NoteVerifier,
    check_note_text,
    cosigned_at,
    open_note,
    sign_cosignature,
    sign_note,
    split_note,
)

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = NoteVerifier(name="gb.example/log", public_key=LOG_KEY.public_key().public_bytes_raw())
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
WITNESS = CosignatureVerifier(name="kh.example/witness", public_key=WITNESS_KEY.public_key().public_bytes_raw())
TEXT = b"one line\n\nand, after a blank one, another\n"
NOTE = sign_note(TEXT, LOG.name, LOG.public_key, LOG_KEY.sign)
SIGNATURE_LINE = NOTE[len(TEXT) + 1 :]
TIMESTAMP = 1_790_000_000

BAD_NAMES = ["", "two words", "a+b", "tab\t", "line\n", "thin\N{THIN SPACE}space", "bell\x07", "lone\ud800"]
BAD_TEXTS = [
    b"",
    b"no final newline",
    b"carriage return\r\n",
    b"tab\t\n",
    b"zero\0\n",
    b"unit separator\x1f\n",
    b"not UTF-8 \xff\n",
    b"surrogate \xed\xa0\x80\n",
    b"overlong \xc0\xaf\n",
    b"a" * MAX_NOTE_BYTES + b"\n",
]


def assert_refused(error: pytest.ExceptionInfo[ExchangeError], code: str) -> None:
    assert error.value.code == code


def cosignature_line() -> bytes:
    return sign_cosignature(TEXT, WITNESS.name, WITNESS.public_key, TIMESTAMP, WITNESS_KEY.sign).line()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)])))
def test_what_is_signed_is_what_is_opened(line: str) -> None:
    text = f"{line}\n\n— not a signature\n{line}\n".encode()
    note = sign_note(text, LOG.name, LOG.public_key, LOG_KEY.sign)
    opened = open_note(note, [LOG])
    assert (opened.text, opened.verified) == (text, (LOG,))
    assert split_note(note) == (text, list(opened.signatures))


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_a_note_with_one_byte_changed_is_refused(at: int, change: int) -> None:
    changed = bytes([*NOTE[:at], NOTE[at] ^ change, *NOTE[at + 1 :]])
    with pytest.raises((Malformed, Unverified)):
        open_note(changed, [LOG])


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda junk: TEXT + b"\n" + junk + b"\n"))
def test_junk_is_refused_as_malformed_or_unsigned(junk: bytes) -> None:
    with pytest.raises(ExchangeError) as error:
        open_note(junk, [LOG])
    assert error.value.code in {"NOTE_MALFORMED", "NOTE_UNSIGNED"}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_text_that_no_note_may_have_is_refused_before_it_is_signed(text: bytes) -> None:
    def sign(_: bytes) -> bytes:
        raise AssertionError("signed")

    for refused in (
        lambda: check_note_text(text),
        lambda: split_note(text),
        lambda: sign_note(text, LOG.name, LOG.public_key, sign),
        lambda: sign_cosignature(text, WITNESS.name, WITNESS.public_key, TIMESTAMP, sign),
    ):
        with pytest.raises(Malformed) as error:
            refused()
        assert_refused(error, "NOTE_MALFORMED")


def test_text_may_have_blank_lines_and_any_script() -> None:
    check_note_text("កម្ពុជា\n\n\x7f\x85\n\n".encode())
    check_note_text(b"a" * (MAX_NOTE_BYTES - 1) + b"\n")


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_name_that_no_key_may_have_is_refused(name: str) -> None:
    with pytest.raises(Malformed) as error:
        NoteVerifier(name=name, public_key=LOG.public_key)
    assert_refused(error, "VKEY_MALFORMED")
    with pytest.raises(Malformed) as error:
        NoteSignature(name=name, key_id=bytes(4), signature=bytes(64))
    assert_refused(error, "NOTE_MALFORMED")


@pytest.mark.parametrize("public_key", [b"", LOG.public_key[:31], LOG.public_key + b"\0"])
def test_a_key_of_another_length_is_refused(public_key: bytes) -> None:
    with pytest.raises(Malformed) as error:
        NoteVerifier(name=LOG.name, public_key=public_key)
    assert_refused(error, "VKEY_MALFORMED")


@pytest.mark.parametrize(("key_id", "signature"), [(bytes(3), bytes(64)), (bytes(5), bytes(64)), (bytes(4), b"")])
def test_a_signature_line_without_its_parts_is_refused(key_id: bytes, signature: bytes) -> None:
    with pytest.raises(Malformed) as error:
        NoteSignature(name=LOG.name, key_id=key_id, signature=signature)
    assert_refused(error, "NOTE_MALFORMED")


def test_vkeys_are_read_as_they_are_written() -> None:
    assert NoteVerifier.from_vkey(LOG.vkey) == LOG
    assert CosignatureVerifier.from_vkey(WITNESS.vkey) == WITNESS


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        LOG.name,
        f"{LOG.name}+{LOG.key_id.hex()}",
        f"{LOG.name}+{LOG.key_id.hex()}+",
        f"{LOG.name}+{LOG.key_id.hex()}+A",
        f"{LOG.name}+{LOG.key_id.hex()}+É",
        f"{LOG.name}+{LOG.key_id.hex().upper()}+{LOG.vkey.rpartition('+')[2]}",
        f"other{LOG.vkey}",
        f"{LOG.vkey}\n",
        WITNESS.vkey,
    ],
)
def test_a_vkey_that_is_not_as_written_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed) as error:
        NoteVerifier.from_vkey(vkey)
    assert_refused(error, "VKEY_MALFORMED")


def test_one_key_has_another_id_for_each_use() -> None:
    assert CosignatureVerifier(name=LOG.name, public_key=LOG.public_key).key_id != LOG.key_id


def test_a_key_of_no_curve_point_refuses_instead_of_failing() -> None:
    nonsense = NoteVerifier(name=LOG.name, public_key=b"\xff" * 32)
    note = sign_note(TEXT, nonsense.name, nonsense.public_key, LOG_KEY.sign)
    with pytest.raises(Unverified) as error:
        open_note(note, [nonsense])
    assert_refused(error, "NOTE_SIGNATURE")


def encoded(raw: bytes) -> str:
    return b64encode(raw).decode()


RAW = LOG.key_id + LOG_KEY.sign(TEXT)
OTHER_BASE64 = encoded(RAW)[:-2] + chr(ord(encoded(RAW)[-2]) + 1) + "="  # the same bytes, trailing bits not zero


@pytest.mark.parametrize(
    "block",
    [
        "",
        f"— {LOG.name} {encoded(RAW)}",
        f"- {LOG.name} {encoded(RAW)}\n",
        f"{LOG.name} {encoded(RAW)}\n",
        f"—  {LOG.name} {encoded(RAW)}\n",
        f"— {LOG.name}  {encoded(RAW)}\n",
        f"— {LOG.name} {encoded(RAW)} \n",
        f"— {LOG.name} {encoded(RAW)}=\n",
        f"— {LOG.name} {OTHER_BASE64}\n",
        f"— {LOG.name} {encoded(RAW).rstrip('=')}\n",
        f"— {LOG.name} {encoded(RAW[:4])}\n",
        f"— {LOG.name} {encoded(RAW[:3])}\n",
        f"— {LOG.name} é\n",
        f"— {LOG.name}\n",
        f"— {encoded(RAW)}\n",
        "— \n",
        f"— two words {encoded(RAW)}\n",
        f"— a+b {encoded(RAW)}\n",
        f"— {LOG.name} {encoded(RAW)}\njunk\n",
        f"\n\n— {LOG.name} {encoded(RAW)}\n\n",
    ],
)
def test_a_malformed_signature_block_is_refused(block: str) -> None:
    with pytest.raises(Malformed) as error:
        split_note(TEXT + b"\n" + block.encode())
    assert_refused(error, "NOTE_MALFORMED")


@pytest.mark.parametrize("text", [b"", b"\n", b"text\n"])
def test_a_signature_without_the_blank_line_above_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed) as error:
        split_note(text + SIGNATURE_LINE)
    assert_refused(error, "NOTE_MALFORMED")


def test_a_note_has_at_most_a_hundred_signatures() -> None:
    assert len(split_note(TEXT + b"\n" + SIGNATURE_LINE * 100)[1]) == 100
    with pytest.raises(Malformed) as error:
        split_note(TEXT + b"\n" + SIGNATURE_LINE * 101)
    assert_refused(error, "NOTE_MALFORMED")


def test_unknown_keys_are_ignored_even_under_a_known_name_or_id() -> None:
    same_name = NoteSignature(name=LOG.name, key_id=bytes(4), signature=bytes(64))
    same_id = NoteSignature(name="xx.example/log", key_id=LOG.key_id, signature=b"?")
    note = TEXT + b"\n" + same_name.line() + SIGNATURE_LINE + same_id.line()
    assert open_note(note, [LOG]).verified == (LOG,)
    with pytest.raises(Unverified) as error:
        open_note(TEXT + b"\n" + same_name.line() + same_id.line(), [LOG])
    assert_refused(error, "NOTE_UNSIGNED")


def test_one_known_signature_that_fails_spoils_the_note() -> None:
    forged = NoteSignature(name=WITNESS.name, key_id=WITNESS.key_id, signature=bytes(72))
    with pytest.raises(Unverified) as error:
        open_note(NOTE + forged.line(), [LOG, WITNESS])
    assert_refused(error, "NOTE_SIGNATURE")


def test_a_key_that_signed_twice_counts_once_by_its_first() -> None:
    forged = NoteSignature(name=LOG.name, key_id=LOG.key_id, signature=bytes(64))
    opened = open_note(NOTE + SIGNATURE_LINE + forged.line(), [LOG])
    assert opened.verified == (LOG,)
    assert [signature.line() for signature in opened.signatures] == [SIGNATURE_LINE]
    with pytest.raises(Unverified) as error:
        open_note(TEXT + b"\n" + forged.line() + SIGNATURE_LINE, [LOG])
    assert_refused(error, "NOTE_SIGNATURE")


def test_trusting_nobody_opens_nothing() -> None:
    with pytest.raises(Unverified) as error:
        open_note(NOTE, [])
    assert_refused(error, "NOTE_UNSIGNED")


def test_two_trusted_keys_of_one_name_and_id_are_refused_only_where_one_signed() -> None:
    with pytest.raises(Unverified) as error:
        open_note(NOTE, [LOG, LOG])
    assert_refused(error, "NOTE_KEY_AMBIGUOUS")
    assert open_note(NOTE, [WITNESS, LOG, WITNESS]).verified == (LOG,)


def test_a_cosignature_is_verified_with_its_time() -> None:
    opened = open_note(NOTE + cosignature_line(), [WITNESS, LOG])
    assert opened.verified == (LOG, WITNESS)
    assert cosigned_at(opened.signatures[1]) == TIMESTAMP


@pytest.mark.parametrize("timestamp", [TIMESTAMP - 1, TIMESTAMP + 1, MAX_TIMESTAMP + 1])
def test_a_cosignature_with_another_time_is_refused(timestamp: int) -> None:
    signature = sign_cosignature(TEXT, WITNESS.name, WITNESS.public_key, TIMESTAMP, WITNESS_KEY.sign)
    moved = replace(signature, signature=timestamp.to_bytes(8, "big") + signature.signature[8:])
    with pytest.raises(Unverified) as error:
        open_note(NOTE + moved.line(), [WITNESS])
    assert_refused(error, "NOTE_SIGNATURE")


def test_a_cosignature_correctly_made_for_too_late_a_time_is_refused() -> None:
    late = MAX_TIMESTAMP + 1
    made = WITNESS_KEY.sign(b"cosignature/v1\ntime %d\n" % late + TEXT)
    with pytest.raises(Unverified) as error:
        WITNESS.verify(TEXT, late.to_bytes(8, "big") + made)
    assert_refused(error, "NOTE_SIGNATURE")


@pytest.mark.parametrize("timestamp", [-1, MAX_TIMESTAMP + 1])
def test_no_cosignature_is_made_for_an_impossible_time(timestamp: int) -> None:
    with pytest.raises(Malformed) as error:
        sign_cosignature(TEXT, WITNESS.name, WITNESS.public_key, timestamp, WITNESS_KEY.sign)
    assert_refused(error, "NOTE_MALFORMED")


def test_a_plain_signature_is_no_cosignature_nor_the_other_way_round() -> None:
    plain = sign_note(TEXT, WITNESS.name, WITNESS.public_key, WITNESS_KEY.sign)
    with pytest.raises(Unverified) as error:
        open_note(plain, [WITNESS])
    assert_refused(error, "NOTE_UNSIGNED")
    signature = split_note(plain)[1][0].signature
    with pytest.raises(Unverified) as error:
        WITNESS.verify(TEXT, signature)
    assert_refused(error, "NOTE_SIGNATURE")
