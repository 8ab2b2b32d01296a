"""What would go to whom, decided once and used by preview and release alike: no other code chooses fields."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from exchange.agreement import Agreed, Allowed, Denied, Request, decide
from exchange.errors import Malformed
from exchange.profile import AlertType
from exchange.v1 import desk_service_pb2
from exchange.values import PartyId
from node.operations.transfers import ASKED_BY_CLAUSE, offences_of, pass_transfer
from node.policy.gate import Obstacle, Passed
from node.ports import Known, Partner

_PREVIEW = b"alert-exchange/v1 preview\0"
_Key = tuple[str, bytes, str, tuple[int, ...], int, bytes, bytes]
"""What two recipients must have in common to share an entry."""

REFUSALS: Mapping[str, tuple[str, str]] = {
    "RECIPIENT_MALFORMED": ("this is not the SPIFFE ID of an agency", "write it as spiffe://<trust domain>/agency/<name>"),
    "PARTNER_UNKNOWN": ("no partner of this trust domain is known here", "ask your administrator to add the partner"),
    "PARTNER_SUSPENDED": ("this partner is suspended", "ask your administrator why; nothing is released until it is resumed"),
    "TRAINING_MISMATCH": ("this partner's node and ours are not both for training", "training alerts and real ones never mix"),
    "PROFILE_UNKNOWN": ("this partner's node does not understand the current form of this alert", "ask the partner to upgrade its node"),
    "AGREEMENT_NONE": ("there is no agreement with this partner", "propose one: exchange agreement propose FILE"),
    "AGREEMENT_NOT_YET": ("the agreement with this partner is not in force yet", "wait, or agree an earlier start"),
    "AGREEMENT_EXPIRED": ("the agreement with this partner has expired", "propose a new one: exchange agreement propose FILE"),
    "CLAUSE_NONE": ("no clause lets this kind of alert go to this partner", "propose an agreement with such a clause"),
    "AUDIENCE_UNKNOWN": ("the agreement does not name this agency", "choose another recipient, or agree on this one"),
    "AUDIENCE_NOT_AGREED": ("no clause lets this kind of alert go to an agency of this class", "choose another recipient"),
    "PURPOSE_NOT_AGREED": ("no clause allows this purpose", "choose a purpose that the clause allows"),
    "PURPOSE_NOT_PERMITTED": ("the alert's own handling does not permit this purpose", "add the purpose to handling.permitted_purposes"),
    "FIELD_REQUIRED": ("a field that the clause requires was left out", "tick it again"),
    "FIELD_NOT_ON_REQUEST": ("a reason was given for a field that no clause gives on request", "take the field off on_request"),
    "FIELDS_NONE": ("the clause leaves nothing of this alert to be shown", "tick a field again, or choose another recipient"),
    "GROUNDS_DIFFER": ("the fields on request for one recipient have different grounds", "release them one after the other"),
    "CONDITION_APPROVALS": (
        "the clause asks for a second officer's approval",
        "submit it: exchange approval submit FILE --reason …, or this command with --for-approval",
    ),
    "CONDITION_TRANSFER": (
        "the clause sets transfer conditions, and this node has no policy pack",
        "configure policy.pack",
    ),
    "POLICY_EXPIRED": ("the policy pack of this country has expired", "ask the authority that issues it for the next one"),
    "POLICY_NOT_YET": ("the policy pack of this country is not in force yet", "wait, or configure the one before it"),
    "DESTINATION_UNKNOWN": ("the policy pack does not say in which country this partner stands", "ask the authority that issues it"),
    "NGO_NOT_REGULATED": (
        "the policy pack has no rule for this alert to a recipient that is no competent authority",
        "ask the authority that issues it, or choose another recipient",
    ),
    "CATEGORY_WITHHELD": ("the policy forbids a category of data that would go", "leave those fields out, or choose another recipient"),
    "ASSESSMENT_MISSING": ("no transfer assessment for this recipient is in force", "record one: exchange assessment record FILE"),
    "ASSESSMENT_EXPIRED": ("the review of the transfer assessment is due", "assess again: exchange assessment record FILE"),
    "ASSESSMENT_INCOMPLETE": ("the transfer assessment does not state all that the law asks for", "assess again, with what is named"),
    "CONDITION_UNKNOWN": ("the clause sets a transfer condition that this version does not know", "release by another clause, or upgrade"),
    "EMERGENCY_USED": (
        "the agreement is for an emergency, and one alert was told under it already",
        "agree on another, or release under an ordinary agreement",
    ),
    "CONTROL_ALERT": ("a recall or an answer goes without a clause", "use the verbs for these: exchange alert --help, inbox --help"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One entry to come: one recipient node, one clause, exactly these fields, one or more agencies."""

    partner: str
    audience: tuple[str, ...]
    allowed: Allowed
    ground: int
    request_digest: bytes
    view: bytes
    """Exactly the bytes that each of these agencies will read."""
    assessment: bytes
    """Digest of the transfer assessment on the strength of which it goes; empty where no rule asks for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What goes to whom, and who gets nothing, and why."""

    planned: tuple[Planned, ...]
    refused: Mapping[str, str]
    """Recipient to the code of the reason."""
    obstacles: Mapping[str, tuple[Obstacle, ...]]
    """Recipient to what the policy says against it, where it is the policy that refuses."""
    digest: bytes
    """Of everything that was shown to the officer; goes into the authorisation record."""


@dataclass(frozen=True, slots=True)
class _Wish:
    granted: frozenset[int]
    grounds: frozenset[tuple[int, bytes]]


ENOUGH: Final = 1_000
"""More approvals than a clause can ask for: what would go, once all have approved."""
_NO_WISH = _Wish(frozenset(), frozenset())
_Question = tuple[str, str, int, tuple[int, ...], _Wish, tuple[int, ...]]
"""Alert type, recipient, purpose, fields left out, wish, permitted purposes: all of a draft that `_decide` looks at."""
Asked = dict[_Question, Allowed | str]
"""What was decided already, under one `known` and at one time."""


def plan(
    draft: desk_service_pb2.Draft,
    fragments: Mapping[int, bytes],
    kind: AlertType,
    known: Known,
    now: int,
    *,
    approvals: int = 0,
    asked: Asked | None = None,
) -> Plan:
    """Decide for each recipient of a draft whose alert was cut into `fragments`. An empty list of recipients plans nothing.

    `approvals` says how many persons besides the author have approved it. Who plans many drafts with the same `known`, `now` and
    `approvals` gives the same `asked` each time, empty at first: what is alike for two of them is then decided once.
    """
    asked = {} if asked is None else asked
    grouped: dict[_Key, list[str]] = {}
    decisions: dict[_Key, Allowed] = {}
    refused: dict[str, str] = {}
    obstacles: dict[str, tuple[Obstacle, ...]] = {}
    offences = offences_of(kind, draft.alert) if known.policy else frozenset()
    for recipient in sorted(set(draft.recipients)):
        wish = _wish(draft, recipient)
        same = (kind.name, recipient, draft.purpose, tuple(draft.unticked), wish, tuple(draft.handling.permitted_purposes))
        if same not in asked:
            asked[same] = _decide(draft, kind, known, recipient, wish, now, approvals)
        outcome = asked[same]
        if isinstance(outcome, str):
            refused[recipient] = outcome
            continue
        ground, request_digest = next(iter(wish.grounds), (0, b""))
        partner = PartyId.parse(recipient).trust_domain
        passed = Passed(assessment=None)
        if known.policy:
            gate = pass_transfer(known, known.policy, recipient, kind, draft.purpose, outcome, offences, now)
            if not isinstance(gate, Passed):
                refused[recipient], obstacles[recipient] = gate[0].code, gate
                continue
            passed = gate
        assessment = passed.assessment.digest if passed.assessment else b""
        key = (partner, outcome.agreement, outcome.clause.id, outcome.fields, ground, request_digest, assessment)
        grouped.setdefault(key, []).append(recipient)
        decisions[key] = outcome
    planned = tuple(
        Planned(
            partner=key[0],
            audience=tuple(audience),
            allowed=decisions[key],
            ground=key[4],
            request_digest=key[5],
            view=b"".join(fragments.get(number, b"") for number in key[3]),
            assessment=key[6],
        )
        for key, audience in sorted(grouped.items())
    )
    return Plan(planned=planned, refused=refused, obstacles=obstacles, digest=_digest(planned))


def unsupported_condition(allowed: Allowed, *, gated: bool, approvals: int) -> str:
    """The code of a condition of the clause that this node cannot check or that does not hold, or "": it refuses, it is never ignored."""
    clause = allowed.clause
    if clause.approvals > approvals:
        return "CONDITION_APPROVALS"
    if not set(clause.transfer_conditions) <= ASKED_BY_CLAUSE.keys():
        return "CONDITION_UNKNOWN"
    return "CONDITION_TRANSFER" if clause.transfer_conditions and not gated else ""


def _wish(draft: desk_service_pb2.Draft, recipient: str) -> _Wish:
    if not draft.on_request:
        return _NO_WISH
    grants = [grant for grant in draft.on_request if grant.recipient == recipient]
    return _Wish(frozenset(grant.field for grant in grants), frozenset((grant.ground, grant.request_digest) for grant in grants))


def _decide(
    draft: desk_service_pb2.Draft, kind: AlertType, known: Known, recipient: str, wish: _Wish, now: int, approvals: int
) -> Allowed | str:
    if kind.control:
        return "CONTROL_ALERT"
    try:
        party = PartyId.parse(recipient)
    except Malformed:
        return "RECIPIENT_MALFORMED"
    partner = known.partners.get(party.trust_domain)
    if partner is None or party.role != "agency":
        return "PARTNER_UNKNOWN" if partner is None else "RECIPIENT_MALFORMED"
    obstacle = _obstacle(partner, kind, known)
    if obstacle:
        return obstacle
    if len(wish.grounds) > 1:
        return "GROUNDS_DIFFER"
    if draft.purpose not in draft.handling.permitted_purposes:
        return "PURPOSE_NOT_PERMITTED"
    request = Request(
        sender=known.own.trust_domain,
        recipient=party.trust_domain,
        agency=recipient,
        alert_type=kind.name,
        purpose=draft.purpose,
        fields=kind.profile,
        at=now,
        unticked=frozenset(draft.unticked),
        granted=wish.granted,
    )
    # What was for one alert and told it is out of force for any other; that it was is said where nothing else lets it go.
    decision = decide(_unspent(known), request)
    if isinstance(decision, Denied):
        spent = known.spent and isinstance(decide(known.agreements.values(), request), Allowed)
        return "EMERGENCY_USED" if spent else decision.reasons[0]
    return unsupported_condition(decision, gated=known.policy is not None, approvals=approvals) or decision


def _unspent(known: Known) -> Iterable[Agreed]:
    if not known.spent:
        return known.agreements.values()
    return [agreed for digest, agreed in known.agreements.items() if digest not in known.spent]


def _obstacle(partner: Partner, kind: AlertType, known: Known) -> str:
    if partner.suspended:
        return "PARTNER_SUSPENDED"
    if partner.node.descriptor.training != known.own.descriptor.training:
        return "TRAINING_MISMATCH"
    if kind.digest not in partner.node.profiles.get(kind.name, ()):
        return "PROFILE_UNKNOWN"
    return ""


def _digest(planned: Iterable[Planned]) -> bytes:
    joined = [_PREVIEW]
    for item in planned:
        parts = (item.allowed.agreement, item.allowed.clause.id.encode(), bytes(item.allowed.fields), item.view)
        for part in (*parts, *(agency.encode() for agency in item.audience)):
            joined += (len(part).to_bytes(4, "big"), part)
    return hashlib.sha256(b"".join(joined)).digest()
