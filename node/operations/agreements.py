"""Agreements on their way: drafted here or offered by a partner, accepted by an administrator, carried to the partner until it has them."""

from exchange.agreement import check_agreement, open_agreement, open_proposal, propose
from exchange.directory import KnownNode
from exchange.encoding import encode
from exchange.errors import NotFound, Refused
from exchange.signing import add_signature, statement_digest
from exchange.v1 import agreement_pb2, desk_service_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS
from node.confirmations import Confirmation
from node.operations.access import note_access
from node.operations.emergency import note_agreed
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, require
from node.operations.partners import READERS, reload
from node.ports import Ports
from node.store.alerts import PREFIX_AT_LEAST
from node.store.directory import AgreementRow, all_agreements, offered_agreements, put_agreement
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

OFFERS_AT_MOST = 64
"""Unanswered offers of one partner: a hostile one fills nothing up."""

_STATES = {
    "proposed": desk_service_pb2.AGREEMENT_STATE_PROPOSED,
    "offered": desk_service_pb2.AGREEMENT_STATE_OFFERED,
    "accepted": desk_service_pb2.AGREEMENT_STATE_ACCEPTED,
}


def check_draft(ports: Ports, person: str, agreement: agreement_pb2.Agreement) -> tuple[agreement_pb2.Agreement, str]:
    """What `draft` would sign now, and for which partner. Nothing is signed.

    Raises `Malformed` (AGREEMENT_MALFORMED), `Refused` (AGREEMENT_PARTIES, PARTNER_UNKNOWN, PARTNER_SUSPENDED, AGREEMENT_EXPIRED).
    """
    require(ports, person, (ADMINISTRATOR, LIAISON))
    now = ports.clock.now_ms()
    content = agreement_pb2.Agreement()
    content.CopyFrom(agreement)
    content.proposed_at = now
    check_agreement(content)
    partner = _other_party(ports, content)
    known = ports.known.partners.get(partner)
    if known is None:
        raise Refused("PARTNER_UNKNOWN", "the other party is not a partner yet: exchange partner add")
    if known.suspended:
        raise Refused("PARTNER_SUSPENDED", "the other party is suspended: exchange partner resume")
    if content.valid_until <= now:
        raise Refused("AGREEMENT_EXPIRED", "the agreement would have expired already: write a later valid_until")
    return content, partner


def draft(
    ports: Ports, person: str, agreement: agreement_pb2.Agreement, confirmation: Confirmation | None = None
) -> desk_service_pb2.AgreementSummary:
    """Sign an agreement for this country and leave it to the courier. It binds nobody until the partner has signed too.

    What was signed for it is kept beside the journal's entry. Raises as `check_draft`.
    """
    content, partner = check_draft(ports, person, agreement)
    statement = propose(content, ports.signers.agreement)
    now = content.proposed_at
    row = AgreementRow(digest=statement_digest(statement), partner=partner, state="proposed", statement=encode(statement), delivered=False)
    with ports.store.write() as tx:
        held = _by_digest(tx, row.digest)
        if held is None:
            put_agreement(tx, row, now)
            signed = confirmation.encoded() if confirmation else b""
            event = Event(code="PROPOSED", subject=row.digest, counterparty=partner, confirmation=signed)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_AGREEMENT, person, [event])
    ports.signals.notify(partner)
    return _summary(ports, held or row)


def accept(ports: Ports, person: str, reference: str, confirmation: Confirmation | None = None) -> desk_service_pb2.AgreementSummary:
    """Countersign what a partner offered: from then on it binds both. To accept again what is accepted changes nothing.

    What was signed for it is kept beside the journal's entry.

    Raises `NotFound` as `get`, `Refused` (AGREEMENT_NOT_OFFERED, AGREEMENT_EXPIRED, PARTNER_UNKNOWN, PARTNER_SUSPENDED), and as
    `open_proposal` and `open_agreement` do.
    """
    require(ports, person, (ADMINISTRATOR,))
    with ports.store.read() as tx:
        row = _find(tx, reference)
    if row.state == "accepted":
        return _summary(ports, row)
    if row.state != "offered":
        raise Refused("AGREEMENT_NOT_OFFERED", "this one is ours: the partner accepts it, not we")
    partner = ports.known.partners.get(row.partner)
    if partner is None:
        raise Refused("PARTNER_UNKNOWN", "the other party is not a partner any more")
    if partner.suspended:
        raise Refused("PARTNER_SUSPENDED", "the other party is suspended: exchange partner resume")
    now = ports.clock.now_ms()
    offered = statement_pb2.Statement.FromString(row.statement)
    if open_proposal(offered, partner.node).value.valid_until <= now:
        raise Refused("AGREEMENT_EXPIRED", "the agreement has expired already: ask the partner for a new one")
    statement = add_signature(offered, ports.signers.agreement)
    agreed = open_agreement(statement, [ports.known.own, partner.node])
    accepted = AgreementRow(digest=row.digest, partner=row.partner, state="accepted", statement=encode(statement), delivered=False)
    with ports.store.write() as tx:
        # The signature stays secret until this row is durable; only then does the courier find it.
        put_agreement(tx, accepted, now)
        signed = confirmation.encoded() if confirmation else b""
        event = Event(code="ACCEPTED", subject=row.digest, counterparty=row.partner, confirmation=signed)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_AGREEMENT, person, [event])
        note_agreed(ports, tx, agreed, row.partner, now)
    reload(ports)
    ports.signals.notify(row.partner)
    return _summary(ports, accepted)


def list_agreements(ports: Ports, person: str) -> list[desk_service_pb2.AgreementSummary]:
    """Every agreement and proposal, oldest first."""
    officer = require(ports, person, READERS)
    with ports.store.read() as tx:
        rows = all_agreements(tx)
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="AGREEMENTS"))
    return [_summary(ports, row) for row in rows]


def get(ports: Ports, person: str, reference: str) -> desk_service_pb2.AgreementSummary:
    """The one agreement whose digest begins with `reference` in hex.

    Raises `NotFound` (AGREEMENT_REFERENCE, AGREEMENT_NOT_FOUND, AGREEMENT_AMBIGUOUS).
    """
    officer = require(ports, person, READERS)
    with ports.store.read() as tx:
        row = _find(tx, reference)
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="AGREEMENT", subject=row.digest))
    return _summary(ports, row)


def to_accept(tx: Transaction, now: int) -> list[tuple[AgreementRow, int]]:
    """Offers that can still be accepted, each with when it came, oldest first."""
    return [(row, at) for row, at in offered_agreements(tx) if _content(row).valid_until > now]


def receive_proposal(ports: Ports, partner: KnownNode, statement: statement_pb2.Statement) -> None:
    """Take an agreement that a partner signed, for an administrator to read. The same again changes nothing.

    Raises as `open_proposal`; `Refused` (AGREEMENT_PARTIES, FROM_THE_FUTURE, TOO_MANY_OFFERS).
    """
    now = ports.clock.now_ms()
    proposal = open_proposal(statement, partner)
    if _other_party(ports, proposal.value) != partner.trust_domain:
        raise Refused("AGREEMENT_PARTIES", "the agreement is not between you and this node")
    if proposal.value.proposed_at > now + CLOCK_SKEW_MS:
        raise Refused("FROM_THE_FUTURE", "the agreement bears a time that has not come")
    row = AgreementRow(digest=proposal.digest, partner=partner.trust_domain, state="offered", statement=encode(statement), delivered=True)
    with ports.store.write() as tx:
        if _by_digest(tx, row.digest) is not None:
            return
        offers = sum(held.partner == row.partner and held.state == "offered" for held in all_agreements(tx))
        if offers >= OFFERS_AT_MOST:
            raise Refused("TOO_MANY_OFFERS", "too many of your agreements are still unanswered here")
        put_agreement(tx, row, now)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_AGREEMENT, row.partner, [Event(code="OFFERED", subject=row.digest)])


def receive_countersigned(ports: Ports, partner: KnownNode, statement: statement_pb2.Statement) -> None:
    """Take an agreement that both signed, of which we signed first. The same again changes nothing.

    Raises as `open_agreement`; `Refused` (AGREEMENT_UNKNOWN) for one that this node never proposed.
    """
    agreed = open_agreement(statement, [ports.known.own, partner])
    row = AgreementRow(digest=agreed.digest, partner=partner.trust_domain, state="accepted", statement=encode(statement), delivered=True)
    with ports.store.write() as tx:
        held = _by_digest(tx, agreed.digest)
        if held is None or held.partner != partner.trust_domain or held.state == "offered":
            raise Refused("AGREEMENT_UNKNOWN", "this node did not propose that agreement")
        if held.state == "accepted":
            return
        now = ports.clock.now_ms()
        put_agreement(tx, row, now)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_AGREEMENT, row.partner, [Event(code="ACCEPTED", subject=row.digest)])
        note_agreed(ports, tx, agreed, row.partner, now)
    reload(ports)
    ports.signals.notify(partner.trust_domain)


def undelivered(ports: Ports) -> list[AgreementRow]:
    """What the courier still has to carry: proposals (state `proposed`) and countersignatures (state `accepted`)."""
    with ports.store.read() as tx:
        return [row for row in all_agreements(tx) if not row.delivered]


def mark_delivered(ports: Ports, digest: bytes) -> None:
    """Note that the partner has the agreement of that digest as it stands here."""
    with ports.store.write() as tx:
        row = _by_digest(tx, digest)
        if row is not None:
            delivered = AgreementRow(digest=digest, partner=row.partner, state=row.state, statement=row.statement, delivered=True)
            put_agreement(tx, delivered, ports.clock.now_ms())


def _other_party(ports: Ports, agreement: agreement_pb2.Agreement) -> str:
    parties = {party.trust_domain for party in agreement.parties}
    others = parties - {ports.trust_domain}
    if len(parties) != 2 or len(others) != 1:
        raise Refused("AGREEMENT_PARTIES", "this country must be one of the two parties of its agreements")
    return others.pop()


def _by_digest(tx: Transaction, digest: bytes) -> AgreementRow | None:
    return next((row for row in all_agreements(tx) if row.digest == digest), None)


def _find(tx: Transaction, reference: str) -> AgreementRow:
    wanted = reference.strip().lower()
    if len(wanted) < PREFIX_AT_LEAST or not all(character in "0123456789abcdef" for character in wanted):
        raise NotFound("AGREEMENT_REFERENCE", "give an agreement's digest in hex, or at least its first 8 characters")
    found = [row for row in all_agreements(tx) if row.digest.hex().startswith(wanted)]
    if not found:
        raise NotFound("AGREEMENT_NOT_FOUND", "there is no such agreement: see `exchange agreement list`")
    if len(found) > 1:
        raise NotFound("AGREEMENT_AMBIGUOUS", "more than one agreement begins like this: give more characters")
    return found[0]


def _content(row: AgreementRow) -> agreement_pb2.Agreement:
    return agreement_pb2.Agreement.FromString(statement_pb2.Statement.FromString(row.statement).payload)


def _summary(ports: Ports, row: AgreementRow) -> desk_service_pb2.AgreementSummary:
    agreement = _content(row)
    now = ports.clock.now_ms()
    in_force = row.digest in ports.known.agreements and agreement.valid_from <= now < agreement.valid_until
    return desk_service_pb2.AgreementSummary(digest=row.digest, state=_STATES[row.state], in_force=in_force, agreement=agreement)
