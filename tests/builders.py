"""Made-up alerts, disclosures, logs and evidence for tests: fixed times and salts from counters, nothing random. See `tests.countries`.

Every builder returns a fresh value, so that a test may spoil what it got; only `world()` is shared: copy before spoiling (`changed`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from google.protobuf.message import Message

from exchange.agreement import Agreed, Allowed, Request, decide
from exchange.directory import KnownNode
from exchange.disclosure import encode_entry
from exchange.encoding import cut, encode
from exchange.log import LogName, frontier_of, sign_log
from exchange.manifest import SALT_SIZE, Envelope, Sealed, seal
from exchange.onward import sign_permit
from exchange.profile import alert_type
from exchange.receipt import issue
from exchange.recipient import Held, Recipient
from exchange.signing import Signer, sign_statement, statement_digest
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import inclusion_proof, leaf_hash
from exchange.v1 import (
    control_pb2,
    disclosure_pb2,
    evidence_pb2,
    handling_pb2,
    manifest_pb2,
    offending_pb2,
    people_pb2,
    permit_pb2,
    statement_pb2,
    travel_alert_pb2,
    travel_pb2,
)
from exchange.values import uuid7
from tests.countries import (
    DAY,
    DISCLOSED,
    ISSUED,
    NOW,
    POLICE,
    PURPOSES,
    TRAVEL,
    agency,
    agency_name,
    agreed,
    agreement,
    changed,
    countersigned,
    domain,
    key,
    node,
    node_id,
    pins,
)

# Alerts


def alert() -> travel_alert_pb2.TravelAlert:
    """A travel alert of 22 fields out of 34: Mr Example goes to Phnom Penh."""

    def text(words: str) -> people_pb2.Text:
        return people_pb2.Text(language="en", text=words)

    name = people_pb2.PersonName(
        family="EXAMPLE",
        given="Thomas Specimen",
        as_written="EXAMPLE, Thomas Specimen",
        script="Latn",
        order=people_pb2.NAME_ORDER_GIVEN_FIRST,
        kind=people_pb2.NAME_KIND_LEGAL,
        strength=people_pb2.NAME_STRENGTH_STRONG,
    )
    alias = people_pb2.PersonName(family="SAMPLE", given="Tom", script="Latn", kind=people_pb2.NAME_KIND_ALIAS)
    flight = travel_pb2.Leg(
        mode=travel_pb2.TRAVEL_MODE_AIR,
        carrier="Example Air",
        service_number="XX 17",
        departure_port=travel_pb2.Port(code="LHR", country="GBR"),
        departure=travel_pb2.LocalTime(local="2026-05-29T21:40", zone="Europe/London"),
        arrival_port=travel_pb2.Port(code="BKK", country="THA"),
        arrival=travel_pb2.LocalTime(local="2026-05-30T15:05", zone="Asia/Bangkok"),
        confidence=travel_pb2.CONFIDENCE_BOOKED,
        source="API",
    )
    onward = travel_pb2.Leg(
        mode=travel_pb2.TRAVEL_MODE_AIR,
        service_number="XX 586",
        departure_port=travel_pb2.Port(code="BKK", country="THA"),
        arrival_port=travel_pb2.Port(code="KTI", country="KHM"),
        arrival=travel_pb2.LocalTime(local="2026-05-30T19:20", zone="Asia/Phnom_Penh"),
        confidence=travel_pb2.CONFIDENCE_LIKELY,
    )
    return travel_alert_pb2.TravelAlert(
        primary_name=name,
        names=[name, alias],
        birth=people_pb2.Birth(date="1961-04?", basis=people_pb2.BIRTH_BASIS_DOCUMENT, place="Exampleton", country="GBR"),
        sex=people_pb2.SEX_MALE,
        nationalities=[people_pb2.Nationality(country="GBR", basis=people_pb2.NATIONALITY_BASIS_DOCUMENT)],
        appearance=people_pb2.Appearance(height_cm=182, build="slight", eyes="grey"),
        facial_image=people_pb2.FacialImage(digest=hashlib.sha256(b"synthetic image").digest(), taken_at=ISSUED, ask="image desk"),
        documents=[
            people_pb2.TravelDocument(
                type=people_pb2.DOCUMENT_TYPE_PASSPORT, number="925076473", issuer="GBR", status=people_pb2.DOCUMENT_STATUS_VALID
            )
        ],
        national_reference="EX-2026-000417",
        itinerary=[flight, onward],
        booking_reference="EXMPL7",
        destination_area=travel_pb2.Area(country="KHM", code="KH-12", province="Phnom Penh"),
        companions=people_pb2.CompanionCounts(adults=0, minors=1),
        conviction_summary=offending_pb2.ConvictionSummary(
            offence_classes=[offending_pb2.OFFENCE_CLASS_CONTACT_ABUSE], latest_year=2011, against_child=True
        ),
        convictions=[
            offending_pb2.Conviction(
                statute="Example Act, section 7", month="2011-03", country="GBR", sentence=offending_pb2.SENTENCE_BAND_4_TO_10_YEARS
            )
        ],
        registration=offending_pb2.Registration(status=offending_pb2.REGISTRATION_STATUS_REGISTERED, jurisdiction="England", since="2011"),
        risk_level=offending_pb2.RiskLevel(band=offending_pb2.RISK_BAND_HIGH, tool="ARMS", assessed="2026-02"),
        risk_narrative=[text("Synthetic: has offered unpaid work with children.")],
        modus_operandi=offending_pb2.ModusOperandi(codes=[offending_pb2.MODUS_OPERANDI_CODE_ORPHANAGE], cover_occupation="teacher"),
        cautions=[offending_pb2.CAUTION_DO_NOT_ALERT_SUBJECT],
        requested_action=offending_pb2.REQUESTED_ACTION_SECONDARY_INTERVIEW,
        contact_desk=people_pb2.ContactDesk(unit="Example desk", channel="+44 20 7946 0000", languages=["en"]),
    )


def handling(**changes: Any) -> handling_pb2.Handling:
    """H1 and H2; all purposes of the default clauses; judicial use and passing on by asking; 180 days."""
    wanted = handling_pb2.Handling(
        codes=[handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2],
        permitted_purposes=PURPOSES,
        judicial_use=handling_pb2.JUDICIAL_USE_ASK,
        onward=handling_pb2.ONWARD_RULE_ASK,
        retention_days=180,
    )
    return changed(wanted, **changes)


def salts(count: int, counter: int) -> bytes:
    """`count` salts, all different for all counters."""
    return b"".join(hashlib.sha256(b"salt %d %d" % (counter, place)).digest()[:SALT_SIZE] for place in range(count))


def alert_id(counter: int) -> bytes:
    """A UUID version 7."""
    return uuid7(ISSUED, hashlib.sha256(b"alert %d" % counter).digest())


def envelope(counter: int = 1, **changes: Any) -> Envelope:
    """Of alert number `counter`, by the British police. Changes are fields of `Envelope`."""
    fields: dict[str, Any] = {
        "alert_id": alert_id(counter),
        "originator": agency("gb", POLICE),
        "issued_at": ISSUED,
        "not_after": NOW + 30 * DAY,
        "handling": handling(),
        "training": False,
    }
    return Envelope(**fields | changes)


def sealed(content: Message | None = None, counter: int = 1, signer: Signer | None = None, **changes: Any) -> Sealed:
    """An alert (by default `alert()`) under its manifest. Changes are fields of `Envelope`; a control alert expires never."""
    message = alert() if content is None else content
    kind = alert_type(message.DESCRIPTOR.full_name)
    control = {"not_after": 0} if kind.control else {}
    return seal(
        kind,
        cut(encode(message)),
        envelope(counter, **control | changes),
        salts(len(kind.numbers), counter),
        signer or key("gb", agency_name("gb", POLICE)),
    )


def withdrawal(manifest_digest: bytes) -> control_pb2.Withdrawal:
    """A recall of that manifest."""
    return control_pb2.Withdrawal(manifest_digest=manifest_digest, reason=control_pb2.WITHDRAWAL_REASON_WRONG_PERSON)


# Disclosures


def allowed(agreed_upon: Agreed, sender: str, recipient: str, agency_class: int, **changes: Any) -> Allowed:
    """What a release of a travel alert to that agency comes to, without anything on request. Changes are fields of `Request`."""
    fields: dict[str, Any] = {
        "sender": domain(sender),
        "recipient": domain(recipient),
        "agency": agency(recipient, agency_class),
        "alert_type": TRAVEL,
        "purpose": handling_pb2.PURPOSE_PREVENTION,
        "fields": frozenset(alert_type(TRAVEL).numbers),
        "at": DISCLOSED,
    }
    decision = decide([agreed_upon], Request(**fields | changes))
    assert isinstance(decision, Allowed), decision
    return decision


def entry(
    seal_: Sealed, agreed_upon: Agreed | None = None, agency_class: int = POLICE, sender: str = "gb", **changes: Any
) -> disclosure_pb2.Entry:
    """What the sender logs towards kh when it tells the agency of that class of a travel alert."""
    decision = allowed(agreed_upon or agreed(one=sender), sender, "kh", agency_class)
    wanted = disclosure_pb2.Entry(
        manifest_digest=seal_.digest,
        fields=decision.fields,
        audience=[agency("kh", agency_class)],
        agreement_digest=decision.agreement,
        clause=decision.clause.id,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        disclosed_at=DISCLOSED,
        authorisation=hashlib.sha256(b"authorisation " + seal_.digest).digest(),
    )
    return changed(wanted, **changes)


def control_entry(seal_: Sealed, about: bytes, **changes: Any) -> disclosure_pb2.Entry:
    """What gb logs towards kh's police when it sends a control alert about the manifest `about`."""
    wanted = disclosure_pb2.Entry(
        manifest_digest=seal_.digest,
        fields=seal_.openings,
        audience=[agency("kh", POLICE)],
        in_reply_to=about,
        disclosed_at=DISCLOSED,
        authorisation=hashlib.sha256(b"authorisation " + seal_.digest).digest(),
    )
    return changed(wanted, **changes)


def openings(seal_: Sealed, fields: Iterable[int]) -> list[manifest_pb2.Opening]:
    """The openings of those fields, in that order."""
    known = seal_.openings
    return [known[number] for number in fields]


def delivery(
    seal_: Sealed, entry_: disclosure_pb2.Entry, recipient: str = "kh", attached: Sequence[statement_pb2.Statement] = ()
) -> disclosure_pb2.Delivery:
    """The entry with its manifest and exactly the openings that it names."""
    return disclosure_pb2.Delivery(
        entry=encode_entry(entry_, domain(recipient)),
        manifest=seal_.statement,
        openings=openings(seal_, entry_.fields),
        attached=attached,
    )


@dataclass(slots=True, kw_only=True)
class Memory:
    """Holdings in memory, by manifest digest; `used` by originator and alert id."""

    disclosed: dict[bytes, frozenset[int]] = field(default_factory=dict)
    used: dict[tuple[str, bytes], bytes] = field(default_factory=dict)
    successors: dict[bytes, tuple[Held, ...]] = field(default_factory=dict)
    referents: dict[bytes, str] = field(default_factory=dict)
    withdrawn: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    under: dict[bytes, frozenset[bytes]] = field(default_factory=dict)

    def told_under(self, agreement_digest: bytes) -> frozenset[bytes]:
        return self.under.get(agreement_digest, frozenset())

    def fields_of(self, manifest_digest: bytes) -> frozenset[int]:
        return self.disclosed.get(manifest_digest, frozenset())

    def in_use(self, originator: str, alert_id_: bytes) -> bytes | None:
        return self.used.get((originator, alert_id_))

    def successors_of(self, manifest_digest: bytes) -> Iterable[Held]:
        return self.successors.get(manifest_digest, ())

    def referent(self, manifest_digest: bytes) -> str | None:
        return self.referents.get(manifest_digest)

    def withdrawn_by(self, manifest_digest: bytes) -> Sequence[str]:
        return self.withdrawn.get(manifest_digest, ())

    def hold(self, seal_: Sealed, fields: Iterable[int]) -> None:
        """Remember a disclosure, as a recipient does once it has accepted one."""
        manifest = seal_.manifest
        self.disclosed[seal_.digest] = self.fields_of(seal_.digest) | frozenset(fields)
        self.used[manifest.originator, manifest.alert_id] = seal_.digest
        self.referents[seal_.digest] = manifest.originator
        held = Held(digest=seal_.digest, originator=manifest.originator, supersedes=frozenset(manifest.supersedes))
        for earlier in manifest.supersedes:
            self.successors[earlier] = (*self.successors.get(earlier, ()), held)


def recipient(country: str = "kh", sender: str = "gb", **changes: Any) -> Recipient:
    """What a country knows when a delivery of `sender` arrives at NOW: three pinned nodes and its agreement with the sender."""
    nodes, agreements = {domain(code): node(code) for code in ("gb", "kh", "vn")}, [agreed(one=sender, other=country)]
    known = {"trust_domain": domain(country), "training": False, "sender": node(sender), "nodes": nodes, "now": NOW}
    return Recipient(**known | {"agreements": {one.digest: one for one in agreements}} | changes)


def permit(seal_: Sealed, holder: str, third_party: str, fields: Iterable[int], **changes: Any) -> permit_pb2.Permit:
    """Leave of the British police to pass that alert on."""
    wanted = permit_pb2.Permit(
        version=1,
        manifest_digest=seal_.digest,
        originator=agency("gb", POLICE),
        holder=node_id(holder),
        third_party=node_id(third_party),
        fields=fields,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        issued_at=ISSUED,
        expires_at=NOW + DAY,
    )
    return changed(wanted, **changes)


def signed_permit(content: permit_pb2.Permit, signer: Signer | None = None) -> statement_pb2.Statement:
    """The permit under the signature of the British police."""
    return sign_permit(content, signer or key("gb", agency_name("gb", POLICE)))


# Logs, receipts, evidence


def log_name(sender: str = "gb", to: str = "kh", generation: int = 1) -> LogName:
    return LogName(sender=domain(sender), recipient=domain(to), generation=generation)


def checkpoint(entries: Sequence[bytes], name: LogName | None = None) -> Checkpoint:
    """The checkpoint of a log that holds these entries."""
    frontier = frontier_of(entries)
    return Checkpoint(origin=(name or log_name()).origin, size=frontier.size, root=frontier.root())


def note(entries: Sequence[bytes], name: LogName | None = None, signer: Signer | None = None) -> bytes:
    """The signed note of that checkpoint, by default with gb's log key."""
    return sign_log(name or log_name(), frontier_of(entries), signer or key("gb", "log"))


def batch(
    deliveries: Sequence[disclosure_pb2.Delivery], before: Sequence[bytes] = (), signer: Signer | None = None, name: LogName | None = None
) -> disclosure_pb2.Batch:
    """Deliveries that extend a log of the entries `before`."""
    entries = [*before, *(delivered.entry for delivered in deliveries)]
    return disclosure_pb2.Batch(deliveries=deliveries, checkpoint=note(entries, name, signer))


def receipt(
    entries: Sequence[bytes],
    previous_size: int = 0,
    exceptions: Sequence[tuple[int, int]] = (),
    received_at: int = NOW,
    signer: Signer | None = None,
) -> statement_pb2.Statement:
    """kh's receipt for all of these entries."""
    return issue(checkpoint(entries), previous_size, received_at, exceptions, signer or key("kh", "receipt"))


def evidence(
    entries: Sequence[bytes],
    index: int,
    delivered: disclosure_pb2.Delivery,
    level: int = evidence_pb2.EVIDENCE_LEVEL_DATA,
    **changes: Any,
) -> evidence_pb2.EvidenceFile:
    """The evidence file of the delivery that stands at `index` of gb's log towards kh, with what its level calls for."""
    data, contentless = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
    file = evidence_pb2.EvidenceFile(
        version=1,
        level=evidence_pb2.EvidenceLevel.ValueType(level),
        entry=entries[index],
        index=index,
        inclusion_proof=inclusion_proof([leaf_hash(e) for e in entries], index, len(entries)),
        receipt=receipt(entries),
        checkpoint=note(entries),
        manifest=delivered.manifest if level in {data, contentless} else None,
        openings=delivered.openings if level == data else (),
        sender_descriptors=node("gb").chain,
        recipient_descriptors=node("kh").chain,
        agreement=countersigned(agreement()),
    )
    return changed(file, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One good release from gb to kh's police, at index 2 of a log of 4 entries, with all that came of it. Shared: do not spoil."""

    gb: KnownNode
    kh: KnownNode
    vn: KnownNode
    agreed: Agreed
    sealed: Sealed
    entry: disclosure_pb2.Entry
    delivery: disclosure_pb2.Delivery
    index: int
    log: LogName
    entries: tuple[bytes, ...]
    batch: disclosure_pb2.Batch
    """The last two entries, as kh gets them when its mirror holds the first two."""
    receipt: statement_pb2.Statement
    evidence: bytes
    pins: Mapping[str, bytes]


@cache
def world() -> World:
    """The good release that most tests begin from."""
    agreed_upon = agreed()
    seals = [sealed(counter=counter) for counter in (11, 12, 1, 13)]
    deliveries = [delivery(one, entry(one, agreed_upon)) for one in seals]
    entries = tuple(delivered.entry for delivered in deliveries)
    return World(
        gb=node("gb"),
        kh=node("kh"),
        vn=node("vn"),
        agreed=agreed_upon,
        sealed=seals[2],
        entry=entry(seals[2], agreed_upon),
        delivery=deliveries[2],
        index=2,
        log=log_name(),
        entries=entries,
        batch=batch(deliveries[2:], entries[:2]),
        receipt=receipt(entries),
        evidence=encode(evidence(entries, 2, deliveries[2])),
        pins=pins("gb", "kh"),
    )


# Spoiling


def resigned(statement: statement_pb2.Statement, payload: bytes, *signers: Signer) -> statement_pb2.Statement:
    """The statement with another payload, correctly signed."""
    name = statement.type.removeprefix("application/vnd.alert-exchange.").removesuffix(".v1+protobuf")
    return sign_statement(name, payload, signers)


def rename_manifest(delivered: disclosure_pb2.Delivery, manifest: statement_pb2.Statement, to: str = "kh") -> disclosure_pb2.Delivery:
    """The delivery with another manifest, which its entry names: the sender logs what it forges."""
    renamed = changed(disclosure_pb2.Entry.FromString(delivered.entry), manifest_digest=statement_digest(manifest))
    return changed(delivered, entry=encode_entry(renamed, domain(to)), manifest=manifest)
