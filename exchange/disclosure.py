"""A disclosure from both sides: the sender's entry and openings, the recipient's checks D1 to D11 (PROTOCOL.md, sections 4 and 5).

The recipient's checks, each with the code under which a receipt excepts the delivery:

D1  DELIVERY_MALFORMED      caps, the entry strict and of the right form, fields ascending
D2  MANIFEST_UNVERIFIED     the entry's manifest, signed by a key that speaks for the originator, in its window, not compromised
D3  NOT_THE_ORIGINATOR      the originator's trust domain is the sender's, or a permit of an originator whom I pin
D4  MANIFEST_MALFORMED, PROFILE_UNKNOWN   manifest strict, profile known, slot count exact
D5  OPENINGS_MISMATCH       openings are exactly the entry's fields, salts distinct and of 32 bytes
D6  COMMITMENT_MISMATCH     each opening matches its commitment
D7  FRAGMENT_MALFORMED      each fragment holds only its own number, the joined view is strict
D8  NOT_AGREED, REQUIRED_MISSING          the clause in force permits audience, purpose and every field; required fields opened
D9  EXPIRED, FROM_THE_FUTURE, TRAINING_MISMATCH
D10 CONFLICT, WITHDRAWN     another manifest of the same alert, two successors of one manifest, or what its originator withdrew
D11 SCHEMA                  the alert type's rules (protovalidate)
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message
from protovalidate import collect_violations

from exchange.directory import KnownNode, check_key, check_not_compromised
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, CAP_FRAGMENT, CAP_MANIFEST, check_strict, cut, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, Refused, Unverified
from exchange.handling import check_handling, clause_handling, combine
from exchange.manifest import SALT_SIZE, Committer, check_manifest
from exchange.onward import check_permit, check_scope, open_permit
from exchange.profile import AlertType, alert_type, alert_types
from exchange.recipient import Holdings, Recipient
from exchange.signing import Verified, open_statement, statement_digest
from exchange.v1 import agreement_pb2, control_pb2, disclosure_pb2, handling_pb2, manifest_pb2, permit_pb2, receipt_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of

_AUTHORISATION = b"alert-exchange/v1 authorisation\0"
_RECALLS = frozenset(kind.DESCRIPTOR.full_name for kind in (control_pb2.Withdrawal, control_pb2.Restriction, control_pb2.Correction))

_Parts = tuple[int, bytes, bytes]
"""Field, salt and fragment of an opening, read once: each reading of a message copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formed:
    """A delivery for which D1 held, and which was not withheld."""

    delivery: disclosure_pb2.Delivery
    entry: disclosure_pb2.Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A delivery for which D1 to D3 held: it is the originator who says it."""

    delivery: disclosure_pb2.Delivery
    entry: disclosure_pb2.Entry
    manifest: manifest_pb2.Manifest
    """As it was signed; its form is not checked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A delivery for which D4 to D7 held as well: whatever it opens is what was signed."""

    signed: Signed
    kind: AlertType
    openings: tuple[manifest_pb2.Opening, ...]
    view: bytes
    alert: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """A delivery for which every check held: what may be stored and shown."""

    entry: disclosure_pb2.Entry
    manifest: Verified[manifest_pb2.Manifest]
    kind: AlertType
    openings: tuple[manifest_pb2.Opening, ...]
    view: bytes
    """The joined fragments: exactly what the preview showed for this audience."""
    alert: Message
    clause: agreement_pb2.Clause | None
    """None for control alerts."""

    @property
    def handling(self) -> handling_pb2.Handling:
        """In force: the strictest of manifest, clause and entry."""
        handlings = [self.manifest.value.handling]
        if self.clause is not None:
            handlings.append(clause_handling(self.clause))
        if self.entry.HasField("stricter"):
            handlings.append(self.entry.stricter)
        return combine(*handlings)


def commit_authorisation(salt: bytes, record: bytes) -> bytes:
    """The entry's commitment to the record of who released it, and why; the record stays with the sender (PROTOCOL.md, section 4)."""
    return hashlib.sha256(b"%b%b%b%b" % (_AUTHORISATION, salt, len(record).to_bytes(4, "big"), record)).digest()


def encode_entry(entry: disclosure_pb2.Entry, recipient: str) -> bytes:
    """Encode an entry for the log towards the trust domain `recipient`. Raises `Malformed` (ENTRY_MALFORMED, TOO_LARGE)."""
    check_entry(entry, recipient)
    data = encode(entry)
    if len(data) > CAP_ENTRY:
        raise Malformed("TOO_LARGE", "the entry is larger than the protocol allows")
    return data


def joined_view(openings: Iterable[manifest_pb2.Opening]) -> bytes:
    """The fragments of ascending openings, joined: what a recipient reads, and what a preview shows."""
    return b"".join(opening.fragment for opening in openings)


def check_entry(entry: disclosure_pb2.Entry, recipient: str) -> None:
    """Raise `Malformed` (ENTRY_MALFORMED) unless the entry has the one form that its content can take."""
    fields, audience = list(entry.fields), list(entry.audience)
    digests = (entry.agreement_digest, entry.thread, entry.in_reply_to, entry.permit_digest, entry.request_digest)
    if entry.succession:
        alone = disclosure_pb2.Entry(succession=entry.succession)
        if len(entry.succession) != 32 or entry != alone:
            raise Malformed("ENTRY_MALFORMED", "an entry that names a succession holds nothing else")
        return
    wrong = (
        len(entry.manifest_digest) != 32
        or len(entry.authorisation) != 32
        or not fields
        or fields != sorted(set(fields))
        or not 1 <= fields[0] <= fields[-1] <= 64
        or not audience
        or audience != sorted(set(audience))
        or any(party.trust_domain != recipient or party.role != "agency" for party in map(PartyId.parse, audience))
        or not set(map(len, digests)) <= {0, 32}
        or bool(entry.agreement_digest) != bool(entry.clause)
        or (bool(entry.request_digest) and not entry.on_request_ground)
        or entry.disclosed_at <= 0
    )
    if wrong:
        raise Malformed("ENTRY_MALFORMED", "the entry breaks a rule of its form")
    if entry.HasField("stricter"):
        check_handling(entry.stricter)


def exception_code(error: ExchangeError) -> int:
    """The ExceptionCode under which a receipt excepts a delivery that raised `error`."""
    return receipt_pb2.ExceptionCode.Value(f"EXCEPTION_CODE_{error.code}")


def open_delivery(delivery: disclosure_pb2.Delivery, recipient: Recipient, holdings: Holdings) -> Disclosure:
    """Run D1 to D11, in order. Raises an `ExchangeError` whose code is the name of an ExceptionCode; then nothing may be stored or shown.

    A delivery that the sender withheld raises `Refused` (WITHHELD). Whoever has a batch takes each of the steps for all of it before
    the next one: the code and the tables of a step then stay in the processor's cache.
    """
    content = open_content(open_signed(open_form(delivery, recipient), recipient))
    return accept(content, recipient, holdings, lawful=obeys_rules(content))


def open_form(delivery: disclosure_pb2.Delivery, recipient: Recipient) -> Formed:
    """Run D1: what it looks like. Raises as `open_delivery` does."""
    entry = _d1_form(delivery, recipient)
    if delivery.withheld:
        raise Refused("WITHHELD", "the sender logged this and withheld its content")
    return Formed(delivery=delivery, entry=entry)


def open_signed(formed: Formed, recipient: Recipient) -> Signed:
    """Run D2 and D3: who says it. Raises as `open_delivery` does."""
    delivery, entry = formed.delivery, formed.entry
    loose, originator = _d2_signature(delivery, entry, recipient)
    _d3_originator(delivery, entry, loose, originator, recipient)
    return Signed(delivery=delivery, entry=entry, manifest=loose)


def open_content(signed: Signed) -> Content:
    """Run D4 to D7: what is said. Raises as `open_delivery` does."""
    kind = _d4_manifest(signed.manifest, signed.delivery.manifest.payload)
    openings, view, alert = open_view(signed.delivery.openings, signed.entry, signed.manifest, kind)
    return Content(signed=signed, kind=kind, openings=openings, view=view, alert=alert)


def obeys_rules(content: Content) -> bool:
    """Whether the alert obeys the rules of its type: what D11 asks, in its turn."""
    return not collect_violations(content.alert, fail_fast=True)


def accept(content: Content, recipient: Recipient, holdings: Holdings, *, lawful: bool) -> Disclosure:
    """Run D8 to D11: whether it may be said, now, and beside what is held already; `lawful` is what `obeys_rules` answered.

    Raises as `open_delivery` does.
    """
    entry, manifest = content.signed.entry, content.signed.manifest
    clause = _d8_clause(entry, manifest, content.kind, content.alert, recipient, holdings)
    _d9_time(entry, manifest, recipient)
    _d10_conflict(entry, manifest, content.kind, holdings)
    _d11_schema(lawful=lawful)
    return Disclosure(
        entry=entry,
        manifest=Verified(value=manifest, digest=entry.manifest_digest, statement=content.signed.delivery.manifest, keys=()),
        kind=content.kind,
        openings=content.openings,
        view=content.view,
        alert=content.alert,
        clause=clause,
    )


def open_view(
    opened: Iterable[manifest_pb2.Opening], entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, kind: AlertType
) -> tuple[tuple[manifest_pb2.Opening, ...], bytes, Message]:
    """Run D5 to D7: the openings, the joined view and the alert that it encodes. For deliveries and evidence alike."""
    openings = tuple(opened)
    parts = [(opening.field, opening.salt, opening.fragment) for opening in openings]
    _d5_openings(parts, entry)
    _d6_commitments(parts, manifest, kind)
    return (openings, *_d7_view(parts, kind))


def _d1_form(delivery: disclosure_pb2.Delivery, recipient: Recipient) -> disclosure_pb2.Entry:
    try:
        entry = decode(disclosure_pb2.Entry, delivery.entry, CAP_ENTRY)
        check_entry(entry, recipient.trust_domain)
    except ExchangeError as error:
        raise Malformed("DELIVERY_MALFORMED", f"the entry does not hold: {error.code}") from error  # D1
    size = delivery.ByteSize()
    too_large = (
        size > CAP_DELIVERY
        or len(delivery.manifest.payload) > CAP_MANIFEST
        # A part is not larger than the whole, which nearly always answers it.
        or (size > CAP_FRAGMENT and any(len(opening.fragment) > CAP_FRAGMENT for opening in delivery.openings))
    )
    if too_large:
        raise Malformed("DELIVERY_MALFORMED", "the delivery is larger than the protocol allows")  # D1
    if delivery.withheld and (delivery.HasField("manifest") or delivery.openings):
        raise Malformed("DELIVERY_MALFORMED", "a withheld delivery carries no content")  # D1
    return entry


def _d2_signature(
    delivery: disclosure_pb2.Delivery, entry: disclosure_pb2.Entry, recipient: Recipient
) -> tuple[manifest_pb2.Manifest, KnownNode]:
    # The originator must be read before anything is verified, to know whose key to ask; D4 decodes strictly afterwards.
    try:
        loose = manifest_pb2.Manifest.FromString(delivery.manifest.payload)
        originator = recipient.nodes[PartyId.parse(loose.originator).trust_domain]
        (key,) = open_statement(delivery.manifest, "manifest", originator)
        check_key(key, loose.originator, loose.issued_at)
        check_not_compromised(key)
    except (DecodeError, KeyError) as error:
        raise Unverified("MANIFEST_UNVERIFIED", "the originator is not known here") from error  # D2
    except ExchangeError as error:
        raise Unverified("MANIFEST_UNVERIFIED", f"the manifest's signature does not hold: {error.code}") from error  # D2
    if statement_digest(delivery.manifest) != entry.manifest_digest:
        raise Unverified("MANIFEST_UNVERIFIED", "the manifest is not the one that the entry names")  # D2
    return loose, originator


def _d3_originator(
    delivery: disclosure_pb2.Delivery,
    entry: disclosure_pb2.Entry,
    manifest: manifest_pb2.Manifest,
    originator: KnownNode,
    recipient: Recipient,
) -> None:
    if originator.trust_domain == recipient.sender.trust_domain:
        return
    known = alert_types().get(manifest.alert_type)
    control = known is not None and known.control
    try:
        permit = _attached_permit(delivery, entry, originator)
        check_permit(
            permit,
            manifest_digest=entry.in_reply_to if control else entry.manifest_digest,
            holder=str(node_of(recipient.sender.trust_domain)),
            third_party=str(node_of(recipient.trust_domain)),
            recall=control,
            at=recipient.now,
        )
        check_scope(permit, manifest, entry, recall=control)
    except ExchangeError as error:
        raise Refused("NOT_THE_ORIGINATOR", f"the sender may not pass this on: {error.code}") from error  # D3


def _attached_permit(delivery: disclosure_pb2.Delivery, entry: disclosure_pb2.Entry, originator: KnownNode) -> permit_pb2.Permit:
    for statement in delivery.attached:
        if entry.permit_digest and statement_digest(statement) == entry.permit_digest:
            return open_permit(statement, originator).value
    raise Refused("PERMIT_MISSING", "no permit is attached")


def _d4_manifest(manifest: manifest_pb2.Manifest, payload: bytes) -> AlertType:
    try:
        check_strict(manifest, payload)
        check_manifest(manifest)
    except ExchangeError as error:
        code = "PROFILE_UNKNOWN" if error.code in {"PROFILE_UNKNOWN", "ALERT_TYPE_UNKNOWN"} else "MANIFEST_MALFORMED"
        raise Malformed(code, f"the manifest does not hold: {error.code}") from error  # D4
    return alert_type(manifest.alert_type)


def _d5_openings(parts: Sequence[_Parts], entry: disclosure_pb2.Entry) -> None:
    if [field for field, _, _ in parts] != entry.fields:
        raise Malformed("OPENINGS_MISMATCH", "the openings are not exactly the fields that the entry names")  # D5
    salts = {salt for _, salt, _ in parts}
    if len(salts) != len(parts) or set(map(len, salts)) != {SALT_SIZE}:
        raise Malformed("OPENINGS_MISMATCH", "salts are distinct and have 32 bytes")  # D5


def _d6_commitments(parts: Sequence[_Parts], manifest: manifest_pb2.Manifest, kind: AlertType) -> None:
    slot = Committer(manifest.alert_id, manifest.profile).slot
    slots = dict(zip(kind.numbers, manifest.slots, strict=False))
    for field, salt, fragment in parts:
        if slots.get(field) != slot(field, salt, fragment):
            raise Unverified("COMMITMENT_MISMATCH", "an opening does not match its commitment")  # D6


def _d7_view(parts: Sequence[_Parts], kind: AlertType) -> tuple[bytes, Message]:
    view = b"".join([fragment for _, _, fragment in parts])
    alert = kind.message()
    try:
        # One cut of the whole: its runs equal the fragments exactly if each fragment holds its own number and nothing else.
        if cut(view) != {field: fragment for field, _, fragment in parts if fragment}:
            raise Malformed("FRAGMENT_MALFORMED", "a fragment holds another field's records")
        alert = decode(kind.message, view, CAP_DELIVERY)
    except ExchangeError as error:
        raise Malformed("FRAGMENT_MALFORMED", f"the joined fragments do not hold: {error.code}") from error  # D7
    return view, alert


def _d8_clause(
    entry: disclosure_pb2.Entry,
    manifest: manifest_pb2.Manifest,
    kind: AlertType,
    alert: Message,
    recipient: Recipient,
    holdings: Holdings,
) -> agreement_pb2.Clause | None:
    if kind.control:
        _d8_control(entry, manifest, kind, alert, holdings)
        return None
    agreed = recipient.agreements.get(entry.agreement_digest)
    clause = agreed.clauses.get(entry.clause) if agreed else None
    if agreed is None or clause is None:
        raise Refused("NOT_AGREED", "the entry names no agreement or no clause that is known here")  # D8
    if entry.purpose not in manifest.handling.permitted_purposes:
        raise Refused("NOT_AGREED", "the originator does not permit this purpose")  # D8
    denied = recipient.decisions.decide(agreed, entry, kind, holdings.fields_of(entry.manifest_digest))
    if denied is not None:
        code = "REQUIRED_MISSING" if denied.reasons == ("FIELD_REQUIRED",) else "NOT_AGREED"
        raise Refused(code, f"the clause does not allow this: {denied.reasons[0]}")  # D8
    if agreed.agreement.emergency and not holdings.told_under(agreed.digest) <= {entry.manifest_digest}:
        raise Refused("NOT_AGREED", "an agreement for an emergency is for one alert, and another was told under it")  # D8
    return clause


def _d8_control(entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, kind: AlertType, alert: Message, holdings: Holdings) -> None:
    if entry.agreement_digest or tuple(entry.fields) != kind.numbers:
        raise Refused("NOT_AGREED", "a control alert goes without an agreement and whole")  # D8
    named = getattr(alert, "manifest_digest", b"")
    originator = holdings.referent(named)
    if originator is None or named != entry.in_reply_to:
        raise Refused("NOT_AGREED", "a control alert is about a manifest that a log between the two nodes discloses")  # D8
    # Whose a manifest is that never came, nobody here knows: such a recall has nothing to end yet, and D10 asks again if it comes.
    if originator and kind.name in _RECALLS and manifest.originator not in {originator, _node_of_agency(originator)}:
        raise Refused("NOT_AGREED", "a recall binds only from the originator or its node")  # D8


def _node_of_agency(agency: str) -> str:
    return str(node_of(PartyId.parse(agency).trust_domain))


def _d9_time(entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, recipient: Recipient) -> None:
    if manifest.not_after and recipient.now >= manifest.not_after + CLOCK_SKEW_MS:
        raise Refused("EXPIRED", "the alert has expired")  # D9
    if max(manifest.issued_at, entry.disclosed_at) > recipient.now + CLOCK_SKEW_MS:
        raise Refused("FROM_THE_FUTURE", "the alert bears a time that has not come")  # D9
    if manifest.training != recipient.training:
        raise Refused("TRAINING_MISMATCH", "training alerts and real ones never share a node")  # D9


def _d10_conflict(entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest, kind: AlertType, holdings: Holdings) -> None:
    in_use = holdings.in_use(manifest.originator, manifest.alert_id)
    if in_use not in {None, entry.manifest_digest}:
        raise Conflict("CONFLICT", "another manifest of this alert is in use")  # D10
    # A recall is not recalled: it would let come back what it ended.
    for digest in () if kind.control else (entry.manifest_digest, *manifest.supersedes):
        recallers = holdings.withdrawn_by(digest)
        if recallers and not {manifest.originator, _node_of_agency(manifest.originator)}.isdisjoint(recallers):
            raise Refused("WITHDRAWN", "its originator withdrew this alert: it does not come back")  # D10
    for earlier in manifest.supersedes:
        for rival in holdings.successors_of(earlier):
            superseding = rival.digest in manifest.supersedes or entry.manifest_digest in rival.supersedes
            if rival.originator == manifest.originator and rival.digest != entry.manifest_digest and not superseding:
                raise Conflict("CONFLICT", "another successor of the same manifest is in use")  # D10


def _d11_schema(*, lawful: bool) -> None:
    if not lawful:
        raise Malformed("SCHEMA", "the alert breaks a rule of its type")  # D11
