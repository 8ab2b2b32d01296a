from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import Malformed, Unverified
from exchange.tlog.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint, parse_checkpoint_text, sign_checkpoint
from exchange.tlog.merkle import EMPTY_ROOT, leaf_hash
from exchange.tlog.note import CosignatureVerifier, NoteVerifier, sign_cosignature, sign_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = "gb.example/disclosures/kh.example/1"
OTHER_ORIGIN = "gb.example/disclosures/th.example/1"
LOG = NoteVerifier(name=ORIGIN, public_key=PUBLIC)
OTHER_LOG = NoteVerifier(name=OTHER_ORIGIN, public_key=PUBLIC)
ROOT = leaf_hash(b"entry")
ROOT64 = b64encode(ROOT).decode()
CHECKPOINT = Checkpoint(origin=ORIGIN, size=7, root=ROOT)
NOTE = sign_checkpoint(CHECKPOINT, PUBLIC, KEY.sign)


def test_text_is_three_lines() -> None:
    assert CHECKPOINT.text() == f"{ORIGIN}\n7\n{ROOT64}\n".encode()
    assert Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT).text().split(b"\n")[1] == b"0"


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)]), min_size=1),
    st.integers(0, MAX_SIZE),
    st.binary(min_size=32, max_size=32),
)
def test_a_text_is_read_as_it_was_written(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    assert parse_checkpoint_text(checkpoint.text()) == checkpoint


@given(st.integers(0, len(CHECKPOINT.text()) - 1), st.integers(0, 255))
def test_no_two_texts_read_the_same(at: int, byte: int) -> None:
    text = CHECKPOINT.text()
    changed = bytes([*text[:at], byte, *text[at + 1 :]])
    try:
        checkpoint = parse_checkpoint_text(changed)
    except Malformed as error:
        assert error.code == "CHECKPOINT_MALFORMED"  # noqa: PT017 - both outcomes are asserted
    else:
        assert checkpoint.text() == changed


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 7, ROOT),
        ("two\nlines", 7, ROOT),
        ("bell\x07", 7, ROOT),
        ("lone\ud800", 7, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, MAX_SIZE + 1, ROOT),
        (ORIGIN, 7, b""),
        (ORIGIN, 7, ROOT[:31]),
        (ORIGIN, 7, ROOT + b"\0"),
    ],
    ids=range(9),
)
def test_a_checkpoint_of_impossible_parts_is_refused(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(Malformed) as error:
        Checkpoint(origin=origin, size=size, root=root)
    assert error.value.code == "CHECKPOINT_MALFORMED"


BAD_TEXTS = [
    "",
    f"{ORIGIN}\n7\n{ROOT64}",
    f"{ORIGIN}\n7\n",
    f"\n7\n{ROOT64}\n",
    f"\n{ORIGIN}\n7\n{ROOT64}\n",
    f"{ORIGIN}\n\n7\n{ROOT64}\n",
    f"{ORIGIN}\n\n{ROOT64}\n",
    f"{ORIGIN}\n07\n{ROOT64}\n",
    f"{ORIGIN}\n00\n{ROOT64}\n",
    f"{ORIGIN}\n+7\n{ROOT64}\n",
    f"{ORIGIN}\n-7\n{ROOT64}\n",
    f"{ORIGIN}\n-0\n{ROOT64}\n",
    f"{ORIGIN}\n 7\n{ROOT64}\n",
    f"{ORIGIN}\n7 \n{ROOT64}\n",
    f"{ORIGIN}\n1_0\n{ROOT64}\n",
    f"{ORIGIN}\n٧\n{ROOT64}\n",
    f"{ORIGIN}\n0x7\n{ROOT64}\n",
    f"{ORIGIN}\n7\r\n{ROOT64}\n",
    f"{ORIGIN}\n{MAX_SIZE + 1}\n{ROOT64}\n",
    f"{ORIGIN}\n1{'0' * 5000}\n{ROOT64}\n",
    f"{ORIGIN}\n7\n{ROOT64} \n",
    f"{ORIGIN}\n7\n{ROOT64[:-1]}\n",
    f"{ORIGIN}\n7\n{ROOT64}=\n",
    f"{ORIGIN}\n7\n{ROOT64[:-2]}{chr(ord(ROOT64[-2]) + 1)}=\n",
    f"{ORIGIN}\n7\n{b64encode(ROOT[:31]).decode()}\n",
    f"{ORIGIN}\n7\n{b64encode(ROOT + b'0').decode()}\n",
    f"{ORIGIN}\n7\n{ROOT64.translate(str.maketrans('+/', '-_'))[:-1]}_\n",
    f"{ORIGIN}\n7\n{ROOT64}\n\n",
    f"{ORIGIN}\n7\n{ROOT64}\n\nextension\n",
    f"{ORIGIN}\n7\n{ROOT64}\nextension",
    f"{ORIGIN}\n7\n{ROOT64}\ntab\t\n",
]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
@pytest.mark.parametrize("extensions", [False, True])
def test_a_text_that_is_no_checkpoint_is_refused(text: str, extensions: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(Malformed) as error:
        parse_checkpoint_text(text.encode(), extensions=extensions)
    assert error.value.code == "CHECKPOINT_MALFORMED"


def test_extension_lines_are_refused_unless_they_are_allowed() -> None:
    text = CHECKPOINT.text() + b"one\nand another\n"
    assert parse_checkpoint_text(text, extensions=True) == CHECKPOINT
    with pytest.raises(Malformed) as error:
        parse_checkpoint_text(text)
    assert error.value.code == "CHECKPOINT_MALFORMED"


def test_a_signed_checkpoint_is_opened() -> None:
    assert open_checkpoint(NOTE, [LOG]) == CHECKPOINT
    assert open_checkpoint(NOTE, [OTHER_LOG, LOG], ORIGIN) == CHECKPOINT


def test_a_log_whose_origin_is_no_key_name_signs_nothing() -> None:
    with pytest.raises(Malformed) as error:
        sign_checkpoint(Checkpoint(origin="two words", size=7, root=ROOT), PUBLIC, KEY.sign)
    assert error.value.code == "VKEY_MALFORMED"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        CHECKPOINT.text(),
        NOTE[:-1],
        sign_note(b"signed, but no checkpoint\n", ORIGIN, PUBLIC, KEY.sign),
        sign_note(CHECKPOINT.text() + b"extension\n", ORIGIN, PUBLIC, KEY.sign),
    ],
    ids=range(5),
)
def test_a_note_that_is_no_checkpoint_is_refused(note: bytes) -> None:
    with pytest.raises(Malformed) as error:
        open_checkpoint(note, [LOG])
    assert error.value.code == "CHECKPOINT_MALFORMED"


@pytest.mark.parametrize(
    ("note", "verifiers"),
    [
        (NOTE, []),
        (NOTE, [OTHER_LOG]),
        (NOTE, [LOG, LOG]),
        (NOTE.replace(b"\n7\n", b"\n8\n"), [LOG]),
    ],
    ids=["nobody trusted", "another log trusted", "ambiguous", "altered"],
)
def test_a_checkpoint_without_a_good_signature_is_refused(note: bytes, verifiers: list[NoteVerifier]) -> None:
    with pytest.raises(Unverified) as error:
        open_checkpoint(note, verifiers)
    assert error.value.code == "CHECKPOINT_SIGNATURE"


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(Unverified) as error:
        open_checkpoint(NOTE, [LOG, OTHER_LOG], OTHER_ORIGIN)
    assert error.value.code == "CHECKPOINT_ORIGIN"


@pytest.mark.parametrize("origin", [None, ORIGIN, OTHER_ORIGIN])
def test_a_log_cannot_sign_for_another(origin: str | None) -> None:
    borrowed = sign_note(CHECKPOINT.text(), OTHER_ORIGIN, PUBLIC, KEY.sign)
    with pytest.raises(Unverified) as error:
        open_checkpoint(borrowed, [LOG, OTHER_LOG], origin)
    assert error.value.code == "CHECKPOINT_ORIGIN"


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    witness = CosignatureVerifier(name="kh.example/witness", public_key=PUBLIC)
    cosignature = sign_cosignature(CHECKPOINT.text(), witness.name, PUBLIC, 1_790_000_000, KEY.sign).line()
    assert open_checkpoint(NOTE + cosignature, [LOG, witness]) == CHECKPOINT
    with pytest.raises(Unverified) as error:
        open_checkpoint(CHECKPOINT.text() + b"\n" + cosignature, [LOG, witness])
    assert error.value.code == "CHECKPOINT_ORIGIN"
