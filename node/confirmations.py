r"""What a person confirmed by a passkey, so that whoever opens the record can verify it again. Values in, values out.

What is confirmed is a text, JSON with sorted keys: which action, by whom, of what, as the page showed it. A passkey signs a challenge, and
the challenge is the digest of that text and of a ticket, which tells when the page was made and that it was this node's:

    challenge = H("alert-exchange/v1 confirmation\0" || u32 len || text || u32 len || ticket)

So the signature covers the text, and nobody who did not see its digest made it. On a training node whoever came in by a code alone has no
passkey; then the record says that none was shown.
"""

import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final

from exchange.errors import Unverified
from exchange.v1 import disclosure_pb2
from node.passkeys import Assertion, check_assertion

_CHALLENGE: Final = b"alert-exchange/v1 confirmation\0"
_MADE: Final = struct.Struct(">q")
_OF_PREVIEW: Final = frozenset({"approve", "release", "submit"})
"""Actions that confirm a preview, by its digest; the others say what is done in so many words."""
_OF_RECALL: Final = frozenset({"lift", "replace", "restrict", "withdraw"})
_REPLACE: Final = "replace"
"""Confirms a preview and whom it reaches: the new alert goes as that showed it, and what was wrong is told as a recall is."""
_OF_LEAVE: Final = frozenset({"deny", "grant"})
_TEXTS: Final = frozenset({"host", "origin"})
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Confirmation:
    """One confirmed text. No repr: it holds reasons in somebody's own words."""

    said: str
    ticket: bytes
    """Begins with the time at which the page was made, Unix milliseconds in 8 bytes."""
    shown: Assertion | None
    """None for whoever had no passkey: on a training node only."""

    def document(self) -> dict[str, Any]:
        """What is kept of it."""
        shown = self.shown
        kept = {item.name: _text(getattr(shown, item.name)) for item in fields(Assertion)} if shown else None
        return {"said": self.said, "ticket": _text(self.ticket), "passkey": kept}

    def encoded(self) -> bytes:
        """The same as JSON."""
        return _encoder.encode(self.document()).encode()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Confirmed:
    """What a confirmation says, once it was verified."""

    said: Mapping[str, Any]
    made_at: int
    """When the page was made that showed it, Unix milliseconds."""
    passkey: bytes
    """The name of the passkey that signed (see `passkey_name`); empty where none was shown."""

    @property
    def officer(self) -> str:
        """Whose confirmation it is (SPIFFE ID)."""
        return str(self.said.get("officer", ""))

    @property
    def action(self) -> str:
        """Of what."""
        return str(self.said.get("action", ""))


def say(action: str, officer: str, values: Mapping[str, Any]) -> str:
    """The text to confirm: the action, whose it is, and what it is about, as plain values."""
    return _encoder.encode({**values, "action": action, "officer": officer})


def challenge_of(said: str, ticket: bytes) -> bytes:
    """What a passkey signs to confirm that text."""
    parts = (said.encode(), ticket)
    return sha256(_CHALLENGE + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def passkey_name(public_key: bytes) -> bytes:
    """By what name the journal's PASSKEY_ADDED knows a passkey: the digest of its public key."""
    return sha256(public_key).digest()


def read_confirmation(encoded: bytes) -> Confirmation:
    """Undo `Confirmation.encoded`; nothing of it is verified. Raises `Unverified` (CONFIRMATION)."""
    try:
        return _of(json.loads(encoded))
    except ValueError:
        raise _unreadable() from None


def check_confirmation(kept: Confirmation) -> Confirmed:
    """What one kept confirmation says. Raises `Unverified` (CONFIRMATION) unless that passkey signed exactly this text."""
    try:
        values = json.loads(kept.said)
        (made_at,) = _MADE.unpack_from(kept.ticket)
    except (ValueError, struct.error):
        raise _unreadable() from None
    if not isinstance(values, dict):
        raise _unreadable()
    try:
        if kept.shown is not None:
            check_assertion(kept.shown, challenge_of(kept.said, kept.ticket))
    except Unverified:
        raise _wrong("the passkey did not sign this") from None
    return Confirmed(said=values, made_at=made_at, passkey=passkey_name(kept.shown.public_key) if kept.shown else b"")


def check_record(record: Mapping[str, Any], entry: disclosure_pb2.Entry) -> list[Confirmed]:
    """What the persons of an authorisation record confirmed, if its entry is what they confirmed. Raises `Unverified` (CONFIRMATION).

    A record without confirmations is of somebody who came with a certificate, as the command line does.
    """
    found = [check_confirmation(_of(document)) for document in record.get("confirmations", ())]
    concerned = {record["officer"], *record.get("approvers", ())}
    for one in found:
        if one.officer not in concerned:
            raise _wrong("it is of somebody who did not release or approve this")
        if one.officer == record["officer"] and one.said.get("reason") != record["reason"]:
            raise _wrong("it gives another reason than the record")
        if one.made_at > record["at"]:
            raise _wrong("it is younger than the record")
        if one.action in _OF_PREVIEW or (one.action == _REPLACE and entry.clause):
            _check_preview(one, record)
        else:
            check_subject(one.said, entry)
    if len({one.officer for one in found}) != len(found):
        raise _wrong("there are two of one person")
    return found


def check_subject(said: Mapping[str, Any], entry: disclosure_pb2.Entry) -> None:
    """Raise `Unverified` (CONFIRMATION) unless that text, of a recall, a decision or a supplement, says that this entry will be."""
    if said.get("action") in _OF_RECALL:
        holds = not entry.clause and entry.in_reply_to.hex() in said.get("alerts", ()) and set(entry.audience) <= set(said.get("to", ()))
    elif said.get("action") in _OF_LEAVE:
        holds = entry.in_reply_to.hex() == said.get("request") and set(entry.audience) <= set(said.get("to", ()))
    else:
        named = said.get("action") == "supplement" and entry.manifest_digest.hex() in said.get("alerts", ())
        holds = named and set(entry.audience) <= set(said.get("to", ())) and set(entry.fields) <= set(said.get("fields", ()))
    if not holds:
        raise _other()


def _check_preview(one: Confirmed, record: Mapping[str, Any]) -> None:
    if one.said.get("preview") != record["preview"] or (one.action == "approve") == (one.officer == record["officer"]):
        raise _other()


def _of(document: Mapping[str, Any]) -> Confirmation:
    try:
        said, ticket, kept = document["said"], _bytes(document["ticket"]), document["passkey"]
        names = [item.name for item in fields(Assertion)]
        values: dict[str, Any] = {name: kept[name] if name in _TEXTS else _bytes(kept[name]) for name in names} if kept else {}
        shown = None if kept is None else Assertion(**values)
    except (KeyError, TypeError, ValueError):
        raise _unreadable() from None
    if not isinstance(said, str):
        raise _unreadable()
    return Confirmation(said=said, ticket=ticket, shown=shown)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _other() -> Unverified:
    return _wrong("what was disclosed is not what was confirmed")


def _unreadable() -> Unverified:
    return _wrong("it cannot be read")


def _wrong(why: str) -> Unverified:
    return Unverified("CONFIRMATION", f"a confirmation does not hold: {why}")
