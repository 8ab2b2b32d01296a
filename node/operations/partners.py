"""Other countries' nodes: added by fingerprint, refreshed along their chain of descriptors, suspended and resumed by an administrator."""

from collections.abc import Iterable, Sequence

from exchange.agreement import Agreed, open_agreement
from exchange.directory import KnownNode, advance, open_descriptor_chain
from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2
from node.confirmations import Confirmation
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, PARTNER_OFFICER, require
from node.policy.pack import PolicyPack
from node.ports import Known, Partner, Ports
from node.store.assessments import assessments_in_force
from node.store.directory import (
    AgreementRow,
    PartnerRow,
    all_agreements,
    all_partners,
    clear_alarm,
    put_partner,
    raise_alarm,
    standing_alarms,
)
from node.store.emergencies import spent
from node.store.engine import Store
from node.store.journal import Event, Kind
from node.store.log_uses import entries_under
from node.store.logs import all_logs, newest_log, newest_receipt
from node.store.transaction import Transaction

READERS = (ADMINISTRATOR, LIAISON, AUDITOR)
_CAP_CHAIN = 1024 * 1024


def load_known(store: Store, own: KnownNode, now: int, policy: PolicyPack | None = None) -> Known:
    """Whom this node knows and what it agreed, as the store has it, under the policy that it is given.

    A descriptor chain or an agreement that no longer verifies, as when its key turned out to be stolen, is left out, with an alarm.
    """
    with store.write() as tx:
        return _load(tx, own, now, policy)


def reload(ports: Ports) -> None:
    """Replace what this node knows by what the store has now. Inside the writing turn, so that an older view never wins."""
    with ports.store.write() as tx:
        known = ports.known
        ports.acquaintance.known = _load(tx, known.own, ports.clock.now_ms(), known.policy)


def own_descriptor(ports: Ports, person: str) -> desk_service_pb2.GetOwnDescriptorResponse:
    """What to give a partner: this node's chain of descriptors, and the fingerprint to read out."""
    require(ports, person, (*READERS, PARTNER_OFFICER))
    own = ports.known.own
    return desk_service_pb2.GetOwnDescriptorResponse(descriptors=own_chain(own), identity_fingerprint=own_fingerprint(own))


def own_chain(own: KnownNode) -> bytes:
    """This node's descriptors as a serialized DescriptorChain."""
    return encode(directory_pb2.DescriptorChain(descriptors=[encode(statement) for statement in own.chain]))


def own_fingerprint(own: KnownNode) -> bytes:
    """SHA-256 of the identity key that partners pin: the one that signed the first descriptor."""
    return own.chain[0].signatures[0].key_id


def add_partner(
    ports: Ports, person: str, chain: bytes, fingerprint: bytes, confirmation: Confirmation | None = None
) -> desk_service_pb2.PartnerSummary:
    """Pin another country's node by the fingerprint that its people read out. The same partner again takes its newer descriptors.

    What was signed for it is kept beside the journal's entry.

    Raises `Malformed` (FINGERPRINT, and as `decode` and `open_descriptor_chain`), `Unverified` as `open_descriptor_chain`, `Refused`
    (FINGERPRINT_MISMATCH, PARTNER_IS_SELF, TRAINING_MISMATCH, and as `advance`), `Conflict` (PARTNER_PINNED_OTHERWISE, and as `advance`).
    """
    require(ports, person, (ADMINISTRATOR,))
    if len(fingerprint) != 32:
        raise Malformed("FINGERPRINT", "a fingerprint is 64 hexadecimal digits")
    offered = _open_offered(chain, fingerprint)
    held = _check_offered(ports, offered, fingerprint)
    row = PartnerRow(
        trust_domain=offered.trust_domain,
        fingerprint=fingerprint,
        chain=_serialized(offered.chain),
        suspended=held.suspended if held else False,
    )
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        put_partner(tx, row, now)
        code = "ADDED" if held is None else "REFRESHED"
        signed = confirmation.encoded() if confirmation else b""
        event = Event(code=code, subject=offered.digest, counterparty=offered.trust_domain, confirmation=signed)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_PARTNER, person, [event])
    reload(ports)
    return _summary(ports, offered.trust_domain)


def offered_partner(ports: Ports, person: str, chain: bytes) -> desk_service_pb2.PartnerSummary:
    """Who a descriptor says that it is from, with the fingerprint that its people must read out before it is pinned. Nothing is kept.

    Raises as `add_partner`, but for FINGERPRINT and FINGERPRINT_MISMATCH: nobody has compared anything yet.
    """
    require(ports, person, (ADMINISTRATOR,))
    statements = _statements(chain)
    claimed = statements[0].signatures[0].key_id if statements and statements[0].signatures else b""
    offered = open_descriptor_chain(statements, claimed)
    held = _check_offered(ports, offered, claimed)
    return _described(offered, claimed, suspended=held.suspended if held else False)


def list_partners(ports: Ports, person: str) -> list[desk_service_pb2.PartnerSummary]:
    """Every partner, by trust domain."""
    officer = require(ports, person, READERS)
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="PARTNERS"))
    return [_summary(ports, trust_domain) for trust_domain in sorted(ports.known.partners)]


def get_partner(ports: Ports, person: str, trust_domain: str) -> desk_service_pb2.PartnerSummary:
    """One partner. Raises `NotFound` (PARTNER_UNKNOWN)."""
    officer = require(ports, person, READERS)
    _held(ports, trust_domain)
    if AUDITOR in officer.roles:
        note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="PARTNER", counterparty=trust_domain))
    return _summary(ports, trust_domain)


def suspend_partner(ports: Ports, person: str, trust_domain: str, *, resume: bool, reason: str = "") -> desk_service_pb2.PartnerSummary:
    """Stop exchanging with a partner, or take it up again. What is logged waits. `reason` is for auditors.

    Raises `NotFound` (PARTNER_UNKNOWN).
    """
    require(ports, person, (ADMINISTRATOR,))
    held = _held(ports, trust_domain)
    row = PartnerRow(trust_domain=trust_domain, fingerprint=held.fingerprint, chain=_serialized(held.node.chain), suspended=not resume)
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        put_partner(tx, row, now)
        event = Event(code="RESUMED" if resume else "SUSPENDED", counterparty=trust_domain, justification=reason.strip())
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_PARTNER, person, [event])
    reload(ports)
    ports.signals.notify(trust_domain)
    return _summary(ports, trust_domain)


def refresh_partner(ports: Ports, trust_domain: str, statements: Sequence[statement_pb2.Statement]) -> None:
    """Take a partner's newer descriptors; the same ones again change nothing.

    Raises `NotFound` (PARTNER_UNKNOWN), and as `open_descriptor_chain` and `advance`: then the held ones stay, with an alarm.
    """
    held = _held(ports, trust_domain)
    try:
        offered = advance(held.node, open_descriptor_chain(statements, held.fingerprint))
    except ExchangeError as refused:
        evidence = statements[-1].SerializeToString() if statements else None
        with ports.store.write() as tx:
            now = ports.clock.now_ms()
            raise_alarm(tx, now, refused.code, partner=trust_domain, evidence=evidence)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALARM, trust_domain, [Event(code=refused.code)])
        raise
    if offered.digest == held.node.digest:
        return
    row = PartnerRow(trust_domain=trust_domain, fingerprint=held.fingerprint, chain=_serialized(offered.chain), suspended=held.suspended)
    with ports.store.write() as tx:
        now = ports.clock.now_ms()
        put_partner(tx, row, now)
        clear_alarm(tx, "DESCRIPTOR_ROLLBACK", partner=trust_domain)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_PARTNER, trust_domain, [Event(code="REFRESHED", subject=offered.digest)])
    reload(ports)


def _load(tx: Transaction, own: KnownNode, now: int, policy: PolicyPack | None) -> Known:
    partners: dict[str, Partner] = {}
    for row in all_partners(tx):
        try:
            node = open_descriptor_chain(_statements(row.chain), row.fingerprint)
        except ExchangeError as refused:
            raise_alarm(tx, now, refused.code, partner=row.trust_domain)
            continue
        partners[row.trust_domain] = Partner(node=node, fingerprint=row.fingerprint, suspended=row.suspended)
    agreements: dict[bytes, Agreed] = {}
    for agreement in all_agreements(tx):
        partner = partners.get(agreement.partner)
        if agreement.state != "accepted" or partner is None:
            continue
        try:
            agreements[agreement.digest] = _open(agreement, own, partner.node)
        except ExchangeError:
            raise_alarm(tx, now, "AGREEMENT_UNVERIFIED", partner=agreement.partner, origin=agreement.digest.hex())
    used = spent(tx) | _used(tx, agreements.values(), now)
    return Known(own=own, partners=partners, agreements=agreements, policy=policy, assessments=assessments_in_force(tx), spent=used)


def _used(tx: Transaction, agreements: Iterable[Agreed], now: int) -> frozenset[bytes]:
    """Agreements for an emergency that our logs say were used: after an old database came back, that may stand nowhere else."""
    in_need = [one for one in agreements if one.agreement.emergency and now < one.valid_until]
    ours = [log for log in all_logs(tx) if log.outbound] if in_need else []
    return frozenset(
        one.digest
        for one in in_need
        for log in ours
        if log.name.recipient in one.parties and entries_under(tx, log, one.digest, one.valid_from)
    )


def _open(row: AgreementRow, own: KnownNode, partner: KnownNode) -> Agreed:
    return open_agreement(statement_pb2.Statement.FromString(row.statement), [own, partner])


def _open_offered(chain: bytes, fingerprint: bytes) -> KnownNode:
    try:
        return open_descriptor_chain(_statements(chain), fingerprint)
    except ExchangeError as refused:
        if refused.code == "DESCRIPTOR_NOT_PINNED":
            raise Refused(
                "FINGERPRINT_MISMATCH",
                "the descriptor is not signed by the key of that fingerprint: do not trust it; ask the partner's people for theirs again",
            ) from refused
        raise


def _statements(chain: bytes) -> list[statement_pb2.Statement]:
    descriptors = decode(directory_pb2.DescriptorChain, chain, _CAP_CHAIN).descriptors
    return [decode(statement_pb2.Statement, serialized, CAP_STATEMENT) for serialized in descriptors]


def _serialized(chain: Sequence[statement_pb2.Statement]) -> bytes:
    return encode(directory_pb2.DescriptorChain(descriptors=[encode(statement) for statement in chain]))


def _held(ports: Ports, trust_domain: str) -> Partner:
    held = ports.known.partners.get(trust_domain)
    if held is None:
        raise NotFound("PARTNER_UNKNOWN", "there is no such partner: see `exchange partner list`")
    return held


def _check_offered(ports: Ports, offered: KnownNode, fingerprint: bytes) -> Partner | None:
    if offered.trust_domain == ports.trust_domain:
        raise Refused("PARTNER_IS_SELF", "this is this node's own descriptor: ask the partner for its")
    if offered.descriptor.training != ports.training:
        raise Refused("TRAINING_MISMATCH", "this partner's node and ours are not both for training: training and real data never mix")
    held = ports.known.partners.get(offered.trust_domain)
    if held is not None:
        if held.fingerprint != fingerprint:
            raise Conflict("PARTNER_PINNED_OTHERWISE", "this trust domain is a partner already, pinned by another fingerprint")
        advance(held.node, offered)
    return held


def _summary(ports: Ports, trust_domain: str) -> desk_service_pb2.PartnerSummary:
    held = _held(ports, trust_domain)
    with ports.store.read() as tx:
        alarms = {alarm.code for alarm in standing_alarms(tx) if alarm.partner == trust_domain}
        heard_at = _heard_at(tx, trust_domain)
    summary = _described(held.node, held.fingerprint, suspended=held.suspended)
    if ports.clock.now_ms() >= summary.next_update:
        alarms.add("DESCRIPTOR_OVERDUE")
    summary.alarms.extend(sorted(alarms))
    summary.heard_at = heard_at
    summary.inbound_stream_up = ports.streams.is_up(trust_domain, "inbound")
    summary.outbound_stream_up = ports.streams.is_up(trust_domain, "outbound")
    return summary


def _heard_at(tx: Transaction, trust_domain: str) -> int:
    ours, theirs = newest_log(tx, trust_domain, outbound=True), newest_log(tx, trust_domain, outbound=False)
    receipt = newest_receipt(tx, ours.id) if ours else None
    return max(receipt.received_at if receipt else 0, theirs.confirmed_at if theirs else 0)


def _described(node: KnownNode, fingerprint: bytes, *, suspended: bool) -> desk_service_pb2.PartnerSummary:
    return desk_service_pb2.PartnerSummary(
        trust_domain=node.trust_domain,
        endpoint=node.descriptor.endpoint,
        identity_fingerprint=fingerprint,
        sequence=node.descriptor.sequence,
        next_update=node.descriptor.next_update,
        suspended=suspended,
        agencies=[
            desk_service_pb2.PartnerAgency(agency=agency.agency, name=agency.name, agency_class=agency.agency_class)
            for agency in node.descriptor.agencies
        ],
        languages=node.descriptor.languages,
    )
