"""What two countries agreed to tell each other, and the one decision that preview, release and recipient share (PROTOCOL.md, section 7)."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise

from protovalidate import collect_violations

from exchange.directory import KnownNode, check_key, check_not_compromised, open_joint_statement
from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import Malformed, Unverified
from exchange.profile import AlertType, alert_types
from exchange.signing import Signer, Verified, open_statement, sign_statement, statement_digest
from exchange.v1 import agreement_pb2, disclosure_pb2, handling_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of

EMERGENCY_AT_MOST_MS = 24 * 3_600_000
"""How long an agreement for an emergency may be in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a sender wants to tell one agency. Fields are numbers; times Unix milliseconds."""

    sender: str
    """Trust domain."""
    recipient: str
    """Trust domain."""
    agency: str
    """SPIFFE ID at the recipient."""
    alert_type: str
    purpose: int
    fields: AbstractSet[int]
    """Every field of the profile under which the alert is or will be sealed."""
    at: int
    unticked: AbstractSet[int] = frozenset()
    """Permitted fields that are left out."""
    granted: AbstractSet[int] = frozenset()
    """Fields for which there is a ground of this case."""
    disclosed: AbstractSet[int] = frozenset()
    """Fields of the same manifest that this recipient already holds: they count towards the required ones."""
    grace: int = 0
    """Milliseconds by which an agreement's end is overlooked: the recipient grants the clock skew to the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The clause that decided, and exactly the fields that go."""

    agreement: bytes
    """Digest of the agreement statement."""
    clause: agreement_pb2.Clause
    fields: tuple[int, ...]
    """Ascending."""
    on_request: tuple[int, ...]
    """Those of `fields` that go only because of a ground. Ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Nothing goes. The reasons are stable codes, the most telling first."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A clause with its lists as sets: it is asked for every alert."""

    clause: agreement_pb2.Clause
    audience: int
    purposes: frozenset[int]
    required: frozenset[int]
    permitted: frozenset[int]
    on_request: frozenset[int]
    without_ground: frozenset[int]
    """Required and permitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Two trust domains, and who tells whom."""

    sender: str
    recipient: str


Route = tuple[str, str, str]
"""Sender, recipient (trust domains) and alert type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """An agreement that both nodes signed, made ready for deciding."""

    digest: bytes
    agreement: agreement_pb2.Agreement
    statement: statement_pb2.Statement
    parties: frozenset[str] = field(repr=False)
    """Both trust domains."""
    valid_from: int = field(repr=False)
    valid_until: int = field(repr=False)
    """As the agreement says, Unix milliseconds: asked for every alert."""
    classes: Mapping[str, int] = field(repr=False)
    """SPIFFE ID of an agency to its class."""
    clauses: Mapping[str, agreement_pb2.Clause] = field(repr=False)
    terms: Mapping[str, Terms] = field(repr=False)
    """The same clauses, made ready."""
    routes: Mapping[Route, tuple[Terms, ...]] = field(repr=False)
    """The clauses of each route, ascending by id."""


def propose(agreement: agreement_pb2.Agreement, signer: Signer) -> statement_pb2.Statement:
    """Sign an agreement as the first of the two nodes, after checking its form."""
    check_agreement(agreement)
    return sign_statement("agreement", encode(agreement), [signer])


def open_proposal(statement: statement_pb2.Statement, proposer: KnownNode) -> Verified[agreement_pb2.Agreement]:
    """Open what one node proposes. Raises as `open_statement`, `check_key` and `check_agreement` do, and PROPOSER_NOT_A_PARTY."""
    keys = open_statement(statement, "agreement", proposer)
    agreement = _decode(statement)
    if proposer.trust_domain not in {party.trust_domain for party in agreement.parties}:
        raise Unverified("PROPOSER_NOT_A_PARTY", "the node that proposes is no party to the agreement")
    check_key(keys[0], str(node_of(proposer.trust_domain)), agreement.proposed_at)
    check_not_compromised(keys[0])
    return Verified(value=agreement, digest=statement_digest(statement), statement=statement, keys=keys)


def open_agreement(statement: statement_pb2.Statement, nodes: Sequence[KnownNode], *, held_since: int | None = None) -> Agreed:
    """Open an agreement that must bear the signatures of both its parties, whose nodes are `nodes`.

    A key that is known as compromised signs nothing, unless the agreement is proved to have been held at `held_since` (Unix milliseconds),
    before the compromise. Raises as `open_joint_statement` and `check_agreement` do; `Unverified`: AGREEMENT_PARTIES, and those of
    `check_key`.
    """
    signed = open_joint_statement(statement, "agreement", nodes)
    agreement = _decode(statement)
    if sorted(node.trust_domain for node in nodes) != [party.trust_domain for party in agreement.parties]:
        raise Unverified("AGREEMENT_PARTIES", "the agreement is not between these two nodes")
    for key, owner in signed:
        check_key(key, str(node_of(owner)), agreement.proposed_at)
        check_not_compromised(key, held_since)
    terms = {clause.id: terms_of(clause) for clause in agreement.clauses}
    routes: dict[Route, tuple[Terms, ...]] = {}
    for clause in agreement.clauses:
        route = (clause.sender, clause.recipient, clause.alert_type)
        routes[route] = (*routes.get(route, ()), terms[clause.id])
    return Agreed(
        digest=statement_digest(statement),
        agreement=agreement,
        statement=statement,
        parties=frozenset(party.trust_domain for party in agreement.parties),
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
        classes={agency.agency: agency.agency_class for agency in agreement.agencies},
        clauses={clause.id: clause for clause in agreement.clauses},
        terms=terms,
        routes=routes,
    )


def check_agreement(agreement: agreement_pb2.Agreement) -> None:
    """Raise `Malformed` (AGREEMENT_MALFORMED) unless the agreement has the one form that its content can take."""
    parties = [party.trust_domain for party in agreement.parties]
    wrong = (
        bool(collect_violations(agreement, fail_fast=True))
        or agreement.version != 1
        or not _ascending(parties)
        or agreement.valid_from >= agreement.valid_until
        or not _ascending([agency.agency for agency in agreement.agencies])
        or any(PartyId.parse(agency.agency).trust_domain not in parties for agency in agreement.agencies)
        or any(agency.agency_class == agreement_pb2.AGENCY_CLASS_UNSPECIFIED for agency in agreement.agencies)
        or not _ascending([clause.id for clause in agreement.clauses])
        or any(sorted((clause.sender, clause.recipient)) != parties for clause in agreement.clauses)
        or not all(_clause_is_well_formed(clause) for clause in agreement.clauses)
        or not _is_for_an_emergency_only(agreement)
    )
    if wrong:
        raise Malformed("AGREEMENT_MALFORMED", "the agreement breaks a rule of its form")


def decide(agreements: Iterable[Agreed], request: Request) -> Allowed | Denied:
    """Decide what one agency may be told. Pure: the same for preview, release and recipient. No clause means nobody.

    Of several clauses that allow it, the one of the agreement that came into force last decides; then the lower digest, then the lower id.
    """
    reasons: set[str] = set()
    for agreed in sorted(agreements, key=lambda a: (-a.valid_from, a.digest)):
        reason = _in_force(agreed, request)
        if reason:
            reasons.add(reason)
            continue
        on_route = agreed.routes.get((request.sender, request.recipient, request.alert_type), ())
        if not on_route:
            reasons.add("CLAUSE_NONE")
        for terms in on_route:
            decision = _decide_clause(agreed, terms, request)
            if isinstance(decision, Allowed):
                return decision
            reasons.add(decision)
    return Denied(reasons=telling(reasons) or ("AGREEMENT_NONE",))


def decide_under(agreed: Agreed, clause_id: str, request: Request) -> Allowed | Denied:
    """The same decision under the one clause that an entry names: what a recipient checks."""
    terms = agreed.terms.get(clause_id)
    if terms is None:
        return Denied(reasons=("CLAUSE_UNKNOWN",))
    reason = _in_force(agreed, request)
    if reason:
        return Denied(reasons=(reason,))
    clause = terms.clause
    if (clause.sender, clause.recipient, clause.alert_type) != (request.sender, request.recipient, request.alert_type):
        return Denied(reasons=("CLAUSE_NONE",))
    decision = _decide_clause(agreed, terms, request)
    return decision if isinstance(decision, Allowed) else Denied(reasons=(decision,))


def decide_entry(
    agreed: Agreed, entry: disclosure_pb2.Entry, parties: Parties, kind: AlertType, at: int, *, disclosed: AbstractSet[int], grace: int = 0
) -> Denied | None:
    """Ask the clause that an entry names whether it allows exactly what the entry opens, for every agency of its audience.

    `disclosed` are fields that count towards the required ones; the rest is as in `Request`. None means that it does.
    """
    terms = agreed.terms.get(entry.clause)
    if terms is None:
        return Denied(reasons=("CLAUSE_UNKNOWN",))
    fields = frozenset(entry.fields)
    for agency in entry.audience:
        request = Request(
            sender=parties.sender,
            recipient=parties.recipient,
            agency=agency,
            alert_type=kind.name,
            purpose=entry.purpose,
            fields=kind.profile,
            at=at,
            unticked=kind.profile - fields,
            granted=fields & terms.on_request if entry.on_request_ground else frozenset(),
            disclosed=disclosed,
            grace=grace,
        )
        decision = decide_under(agreed, entry.clause, request)
        if isinstance(decision, Denied):
            return decision
        if decision.fields != tuple(entry.fields):
            return Denied(reasons=("FIELDS_NOT_AGREED",))
    return None


class EntryDecisions:
    """`decide_entry` for many entries between the same parties at one time: what is alike for two of them is decided once."""

    __slots__ = ("_at", "_decided", "_grace", "_parties")

    def __init__(self, parties: Parties, at: int, *, grace: int = 0) -> None:
        self._parties = parties
        self._at = at
        self._grace = grace
        self._decided: dict[tuple[object, ...], Denied | None] = {}

    def decide(self, agreed: Agreed, entry: disclosure_pb2.Entry, kind: AlertType, disclosed: frozenset[int]) -> Denied | None:
        """As `decide_entry` does."""
        same = (
            agreed.digest,
            entry.clause,
            entry.purpose,
            tuple(entry.fields),
            tuple(entry.audience),
            entry.on_request_ground,
            kind.name,
            disclosed,
        )
        if same not in self._decided:
            self._decided[same] = decide_entry(agreed, entry, self._parties, kind, self._at, disclosed=disclosed, grace=self._grace)
        return self._decided[same]


_TELLING = (
    "AGREEMENT_NONE",
    "AGREEMENT_NOT_YET",
    "AGREEMENT_EXPIRED",
    "CLAUSE_NONE",
    "AUDIENCE_UNKNOWN",
    "AUDIENCE_NOT_AGREED",
    "PURPOSE_NOT_AGREED",
    "FIELD_REQUIRED",
    "FIELD_NOT_ON_REQUEST",
    "FIELDS_NONE",
)


def _in_force(agreed: Agreed, request: Request) -> str:
    if agreed.parties != {request.sender, request.recipient}:
        return "AGREEMENT_NONE"
    if request.at < agreed.valid_from - request.grace:
        return "AGREEMENT_NOT_YET"
    if request.at >= agreed.valid_until + request.grace:
        return "AGREEMENT_EXPIRED"
    return ""


def telling(reasons: Iterable[str]) -> tuple[str, ...]:
    """Reasons for which nothing goes, the most telling first."""
    return tuple(sorted(reasons, key=_TELLING.index, reverse=True))


def _decide_clause(agreed: Agreed, terms: Terms, request: Request) -> Allowed | str:
    return decide_clause(terms, request, agreed.classes.get(request.agency), agreed.digest)


def decide_clause(terms: Terms, request: Request, agency_class: int | None, source: bytes) -> Allowed | str:
    """What one clause says of a request for an agency of that class (None: nobody knows it), or the code of the reason against it.

    `source` is the digest of whatever the clause stands in. Sender, recipient and alert type are not asked here.
    """
    if agency_class is None or PartyId.parse(request.agency).trust_domain != request.recipient:
        return "AUDIENCE_UNKNOWN"
    if agency_class != terms.audience:
        return "AUDIENCE_NOT_AGREED"
    if request.purpose not in terms.purposes:
        return "PURPOSE_NOT_AGREED"
    if not request.granted <= terms.on_request:
        return "FIELD_NOT_ON_REQUEST"
    if (terms.required & request.unticked & request.fields) - request.disclosed:
        return "FIELD_REQUIRED"
    ticked = request.fields - request.unticked
    on_request = request.granted & ticked
    fields = (terms.without_ground & ticked) | on_request
    if not fields:
        return "FIELDS_NONE"
    return Allowed(agreement=source, clause=terms.clause, fields=tuple(sorted(fields)), on_request=tuple(sorted(on_request)))


def terms_of(clause: agreement_pb2.Clause) -> Terms:
    """A clause made ready for deciding."""
    return Terms(
        clause=clause,
        audience=clause.audience,
        purposes=frozenset(clause.purposes),
        required=frozenset(clause.required),
        permitted=frozenset(clause.permitted),
        on_request=frozenset(clause.on_request),
        without_ground=frozenset((*clause.required, *clause.permitted)),
    )


def _decode(statement: statement_pb2.Statement) -> agreement_pb2.Agreement:
    agreement = decode(agreement_pb2.Agreement, statement.payload, CAP_STATEMENT)
    check_agreement(agreement)
    return agreement


def _clause_is_well_formed(clause: agreement_pb2.Clause) -> bool:
    known = alert_types().get(clause.alert_type)
    lists = (list(clause.required), list(clause.permitted), list(clause.on_request))
    together = [number for numbers in lists for number in numbers]
    return (
        known is not None
        and not known.control
        and clause.audience != agreement_pb2.AGENCY_CLASS_UNSPECIFIED
        and all(_ascending(numbers) for numbers in lists)
        and len(set(together)) == len(together)
        and all(1 <= number <= 64 for number in together)
        and _ascending(list(clause.purposes))
        and handling_pb2.PURPOSE_UNSPECIFIED not in clause.purposes
        and clause.onward != handling_pb2.ONWARD_RULE_UNSPECIFIED
        and _ascending(list(clause.transfer_conditions))
        and agreement_pb2.TRANSFER_CONDITION_UNSPECIFIED not in clause.transfer_conditions
    )


def _is_for_an_emergency_only(agreement: agreement_pb2.Agreement) -> bool:
    """Whether what says that it is for an emergency keeps to what an emergency allows, and nothing else states its ground."""
    if not agreement.emergency:
        return not agreement.emergency_ground
    return (
        bool(agreement.emergency_ground)
        and agreement.valid_until - agreement.valid_from <= EMERGENCY_AT_MOST_MS
        and len(agreement.clauses) == 1
        and list(agreement.clauses[0].purposes) == [handling_pb2.PURPOSE_SAVE_LIFE]
        # Its fields are listed: nothing is left to be asked for later.
        and not agreement.clauses[0].on_request
    )


def _ascending(values: Sequence[str] | Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(values))  # type: ignore[operator]  # of one kind, by the signature


SKEW_GRACE = CLOCK_SKEW_MS
"""What a recipient grants (`Request.grace`): the sender's clock may be slow by this much."""
