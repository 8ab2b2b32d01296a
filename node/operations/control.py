"""Control alerts are sealed and addressed here: coded, whole, without an agreement, to whoever the logs say was told (PROTOCOL.md, 7)."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from google.protobuf.message import Message

from exchange.directory import check_key, check_not_compromised
from exchange.disclosure import commit_authorisation
from exchange.encoding import cut, encode
from exchange.errors import ExchangeError
from exchange.manifest import SALT_SIZE, Envelope, seal
from exchange.profile import alert_type
from exchange.signing import Signer
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2
from exchange.values import node_of, uuid7
from node.confirmations import Confirmation
from node.intake.problems import error
from node.operations.contents import SALT, Authorisation, pack_own
from node.operations.officers import ADMINISTRATOR, agency_of, require
from node.operations.reach import Holders
from node.operations.recalled import keep_control
from node.operations.release import NotReleased, Prepared, PreparedEntry, own_row
from node.ports import Ports
from node.store.journal import Kind
from node.store.transaction import Transaction

Guard = Callable[[Transaction], desk_service_pb2.Problem | None]
"""Asked in the transaction that would release something: why it cannot be, as the store stands then."""
_PREVIEW = b"alert-exchange/v1 control\0"
_AUDIENCE_BYTES = 3000
"""Of an audience in one entry: more go by further entries, so that no recall is too large for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who issues a control alert, and by whose hand."""

    person: str
    party: str
    """SPIFFE ID of the agency, or of the node."""
    signer: Signer
    confirmation: Confirmation | None = None
    """What the person signed with a passkey, where it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One control alert to seal."""

    request_id: bytes
    alert: Message
    about: bytes
    """Digest of the manifest that it names."""
    thread: bytes
    to: Holders
    reason: str
    only_with: bytes = b""


def issuer_for(ports: Ports, person: str, roles: tuple[str, ...], *, in_node_name: bool) -> Issuer | desk_service_pb2.Problem:
    """Whoever may issue a control alert: an officer of one of `roles` for the own agency, or an administrator in the node's name.

    Raises `NotPermitted`. Tells the problem if there is no key that may sign: STATEMENT_KEY_MISSING, STATEMENT_KEY_REVOKED.
    """
    officer = require(ports, person, (ADMINISTRATOR,) if in_node_name else roles)
    party = str(node_of(ports.trust_domain)) if in_node_name else agency_of(officer)
    signer = ports.signers.statement.get(party)
    if signer is None:
        remedy = "ask your administrator for one: keys.recall or keys.statement in the node's configuration, and in its descriptor"
        return error("STATEMENT_KEY_MISSING", "originator", "there is no key to sign with in this name at this node", remedy)
    described = ports.known.own.find(signer.key_id)
    try:
        if described is not None:
            check_key(described, party, ports.clock.now_ms())
            check_not_compromised(described)
    except ExchangeError:
        remedy = "an administrator recalls in the node's name: --in-node-name"
        return error("STATEMENT_KEY_REVOKED", "originator", "the key of this agency is not in force: nobody would believe it", remedy)
    return Issuer(person=person, party=party, signer=signer)


def prepare_control(ports: Ports, issuer: Issuer, order: Order, guard: Guard | None = None) -> Prepared | NotReleased:
    """Seal and sign a control alert, one entry for each partner; the sequencer gives it its place, unless `guard` objects then."""
    now = ports.clock.now_ms()
    kind = alert_type(order.alert.DESCRIPTOR.full_name)
    fragments = cut(encode(order.alert))
    envelope = Envelope(
        alert_id=uuid7(now, ports.entropy(10)),
        originator=issuer.party,
        issued_at=now,
        not_after=0,
        handling=handling_pb2.Handling(),
        training=ports.training,
    )
    try:
        sealed = seal(kind, fragments, envelope, ports.entropy(SALT_SIZE * len(kind.numbers)), issuer.signer)
        row, data_key = own_row(ports, kind, envelope, sealed.digest, pack_own(sealed.statement, sealed.opened), order.alert)
    except ExchangeError as refused:
        problem = error(refused.code, "alert", str(refused), "ask your administrator")
        return NotReleased(request_id=order.request_id, officer=issuer.person, problems=(problem,))
    preview = _digest(order)
    record = Authorisation(
        officer=issuer.person,
        agency=issuer.party,
        reason=order.reason.strip(),
        preview=preview,
        at=now,
        confirmations=(issuer.confirmation,) if issuer.confirmation else (),
    ).record()
    entries = []
    for partner, audience in addressed(order.to):
        salt = ports.entropy(SALT)
        entry = disclosure_pb2.Entry(
            manifest_digest=sealed.digest,
            fields=kind.numbers,
            audience=audience,
            thread=order.thread,
            in_reply_to=order.about,
            authorisation=commit_authorisation(salt, record),
        )
        entries.append(PreparedEntry(partner=partner, entry=entry, record=salt + record))
    return Prepared(
        request_id=order.request_id,
        officer=issuer.person,
        alert={**row, "request_id": order.request_id},
        data_key=data_key,
        supersedes=(),
        in_reply_to=order.about,
        entries=tuple(entries),
        control=True,
        only_with=order.only_with,
        consequence=_Effect(order=order, digest=sealed.digest, issuer=issuer, guard=guard),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """What a control alert of ours does at home: its manifest stands as it says, and the journal has it."""

    order: Order
    digest: bytes
    issuer: Issuer
    guard: Guard | None

    def obstacle(self, _ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Whatever the guard finds."""
        return self.guard(tx) if self.guard else None

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Keep it, set how its manifest stands, and journal that with the person and the reason."""
        event = keep_control(tx, self.order.alert, control=self.digest, issuer=self.issuer.party, own=True, now=now)
        if event is not None:
            event = replace(event, justification=self.order.reason.strip())
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, self.issuer.person, [event])


def request_ids(base: bytes, count: int) -> list[bytes]:
    """Request ids of what one request releases: itself, and others that follow from it."""
    return [base, *(hashlib.sha256(b"alert-exchange/v1 request %d\0" % place + base).digest()[:16] for place in range(1, count))]


def addressed(to: Holders) -> Iterator[tuple[str, list[str]]]:
    """(partner, audience) of each entry that a control alert needs."""
    for partner, agencies in sorted(to.items()):
        part: list[str] = []
        for agency in sorted(agencies):
            if part and sum(map(len, part)) + len(agency) > _AUDIENCE_BYTES:
                yield partner, part
                part = []
            part.append(agency)
        if part:
            yield partner, part


def _digest(order: Order) -> bytes:
    parts = [order.about, encode(order.alert)]
    for partner, agencies in addressed(order.to):
        parts += [partner.encode(), *(agency.encode() for agency in agencies)]
    return hashlib.sha256(_PREVIEW + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
