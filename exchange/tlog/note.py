"""Signed notes: a text and, below a blank line, one line for each signature (C2SP signed-note v1.0.0).

Keys are Ed25519 (signature type 0x01). Witnesses sign the same text with a time (C2SP tlog-cosignature, type 0x04).
A note is read strictly: what this module would not write is NOTE_MALFORMED. As the standard says, signatures by unknown
keys are ignored, a known key's signature that fails spoils the whole note, and what no known key signed is refused.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.errors import Malformed, Unverified

MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 100  # as in golang.org/x/mod/sumdb/note; the standard asks for at least 16
MAX_TIMESTAMP = (1 << 63) - 1  # C2SP tlog-cosignature

_KEY_NAME = re.compile(r"[^\x00-\x1f\s+\ud800-\udfff]+")
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line, not verified: the key's name, its 4-byte id and the signature.

    Raises Malformed NOTE_MALFORMED.
    """

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name) or len(self.key_id) != 4 or not self.signature:
            raise Malformed("NOTE_MALFORMED", "a signature line has a key name, a 4-byte key id and a signature")

    def line(self) -> bytes:
        """Return the line as it stands in a note, with its LF."""
        return f"— {self.name} {b64encode(self.key_id + self.signature).decode()}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVerifier:
    """A key that is trusted to sign notes: its name and the raw 32-byte Ed25519 public key.

    Raises Malformed VKEY_MALFORMED for a name that is empty or has a space, control character or plus, and for a key of
    another length.
    """

    name: str
    public_key: bytes
    signature_type: ClassVar[int] = 0x01

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name) or len(self.public_key) != 32:
            raise Malformed("VKEY_MALFORMED", "a note key has a name without space or plus and a key of 32 bytes")

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read `<name>+<key id in hex>+<base64 of type and key>`, exactly as `vkey` writes it.

        Raises Malformed VKEY_MALFORMED.
        """
        name, _, rest = vkey.partition("+")
        try:
            typed_key = b64decode(rest.partition("+")[2])
        except ValueError:
            raise Malformed("VKEY_MALFORMED", "a note key ends in base64") from None
        verifier = cls(name=name, public_key=typed_key[1:])
        if verifier.vkey != vkey:  # one comparison for key id, signature type, hex case and canonical base64
            raise Malformed("VKEY_MALFORMED", "a note key gives its own key id, signature type and key")
        return verifier

    @property
    def key_id(self) -> bytes:
        """The 4-byte key id: SHA-256(name ‖ LF ‖ signature type ‖ key)[:4]."""
        return sha256(self.name.encode() + b"\n" + self._typed_key()).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as one line of text, for configuration and descriptors."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(self._typed_key()).decode()}"

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check a signature (without key id) of a note's text; raises Unverified NOTE_SIGNATURE."""
        _verify_ed25519(self.public_key, signature, text)

    def _typed_key(self) -> bytes:
        return bytes([self.signature_type]) + self.public_key


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignatureVerifier(NoteVerifier):
    """A witness's key, which signs a checkpoint's text together with the time (C2SP tlog-cosignature, Ed25519)."""

    signature_type: ClassVar[int] = 0x04

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check a timestamped signature (without key id) of a note's text; raises Unverified NOTE_SIGNATURE."""
        timestamp = int.from_bytes(signature[:8], "big")
        if timestamp > MAX_TIMESTAMP:
            raise Unverified("NOTE_SIGNATURE", "a cosignature's time is below 2^63")
        _verify_ed25519(self.public_key, signature[8:], _cosigned(text, timestamp))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNote:
    """A note's text, whose `signatures` held for the keys in `verified`, pair by pair and in the note's order."""

    text: bytes
    verified: tuple[NoteVerifier, ...]
    signatures: tuple[NoteSignature, ...]


def check_note_text(text: bytes) -> None:
    """Check that this may be a note's text: UTF-8, at most 1 MiB, no control character but LF, ending in LF.

    Raises Malformed NOTE_MALFORMED.
    """
    if len(text) > MAX_NOTE_BYTES:
        raise Malformed("NOTE_MALFORMED", "a note is at most 1 MiB")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Malformed("NOTE_MALFORMED", "a note is UTF-8") from None
    if _CONTROL.search(text) or not text.endswith(b"\n"):
        raise Malformed("NOTE_MALFORMED", "a note has no control character but LF, and ends in LF")


def split_note(note: bytes) -> tuple[bytes, list[NoteSignature]]:
    """Part a note into its text (with final LF) and its signatures, verifying none. Raises Malformed NOTE_MALFORMED."""
    check_note_text(note)
    head, blank, block = note.rpartition(b"\n\n")
    if not blank or not block:
        raise Malformed("NOTE_MALFORMED", "a note has a blank line and then signatures")
    lines = block.splitlines(keepends=True)
    if len(lines) > MAX_SIGNATURES:
        raise Malformed("NOTE_MALFORMED", "a note has at most 100 signatures")
    return head + b"\n", [_parse_signature_line(line) for line in lines]


def sign_note(text: bytes, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a text and return the note.

    `public_key` is the raw Ed25519 key, 32 bytes, and `sign` returns its 64-byte signature of the bytes it is given.
    Raises Malformed NOTE_MALFORMED for the text, VKEY_MALFORMED for the name or key.
    """
    check_note_text(text)
    key_id = NoteVerifier(name=name, public_key=public_key).key_id
    return text + b"\n" + NoteSignature(name=name, key_id=key_id, signature=sign(text)).line()


def sign_cosignature(text: bytes, name: str, public_key: bytes, timestamp: int, sign: Callable[[bytes], bytes]) -> NoteSignature:
    """Cosign a checkpoint's text as of `timestamp`, in seconds since 1970; its line is appended to the note.

    The other arguments and the errors are those of `sign_note`.
    """
    check_note_text(text)
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise Malformed("NOTE_MALFORMED", "a cosignature's time is from 0 to below 2^63")
    key_id = CosignatureVerifier(name=name, public_key=public_key).key_id
    signature = timestamp.to_bytes(8, "big") + sign(_cosigned(text, timestamp))
    return NoteSignature(name=name, key_id=key_id, signature=signature)


def cosigned_at(signature: NoteSignature) -> int:
    """Return the time in a cosignature, in seconds since 1970.

    To be believed only of a signature in `OpenedNote.signatures`, beside a CosignatureVerifier.
    """
    return int.from_bytes(signature.signature[:8], "big")


def open_note(note: bytes, verifiers: Sequence[NoteVerifier]) -> OpenedNote:
    """Read a note and verify it against trusted keys.

    A key that signed twice counts once, by its first signature. Raises Malformed NOTE_MALFORMED; Unverified
    NOTE_SIGNATURE when a known key's signature fails, NOTE_KEY_AMBIGUOUS when two trusted keys share the name and id of
    one that signed, NOTE_UNSIGNED when no known key signed.
    """
    text, signatures = split_note(note)
    trusted: dict[tuple[str, bytes], list[NoteVerifier]] = {}
    for verifier in verifiers:
        trusted.setdefault((verifier.name, verifier.key_id), []).append(verifier)
    verified: dict[NoteVerifier, NoteSignature] = {}
    for signature in signatures:
        candidates = trusted.get((signature.name, signature.key_id), [])
        if len(candidates) > 1:
            raise Unverified("NOTE_KEY_AMBIGUOUS", "two trusted keys share a name and an id")
        for verifier in candidates:
            if verifier not in verified:
                verifier.verify(text, signature.signature)
                verified[verifier] = signature
    if not verified:
        raise Unverified("NOTE_UNSIGNED", "no trusted key signed this note")
    return OpenedNote(text=text, verified=tuple(verified), signatures=tuple(verified.values()))


def _parse_signature_line(line: bytes) -> NoteSignature:
    name, _, encoded = line.decode().removeprefix("— ").partition(" ")
    try:
        raw = b64decode(encoded)
    except ValueError:
        raise Malformed("NOTE_MALFORMED", "a signature line ends in base64") from None
    signature = NoteSignature(name=name, key_id=raw[:4], signature=raw[4:])
    if signature.line() != line:  # one comparison for dash, spaces and canonical base64
        raise Malformed("NOTE_MALFORMED", "a signature line is dash, key name and base64, each after one space")
    return signature


def _cosigned(text: bytes, timestamp: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % timestamp + text


def _verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        raise Unverified("NOTE_SIGNATURE", "a trusted key's signature does not hold") from None
