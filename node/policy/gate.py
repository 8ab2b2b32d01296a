"""What a policy pack asks of one transfer, and what of it is still missing. No clock, no store: values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass

from exchange.v1.agreement_pb2 import AGENCY_CLASS_NGO
from node.policy.pack import PolicyPack, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What would go to whom."""

    destination: str
    """Trust domain of the recipient's node."""
    recipient: str
    """SPIFFE ID of the agency."""
    agency_class: int
    alert_type: str
    """Short name."""
    purpose: int
    offence_classes: frozenset[int]
    """Of the alert as a whole, whether or not they are told: what the law asks for depends on what the person did."""
    categories: frozenset[str]
    """Of the fields that would go."""
    tells_of_persons: bool = True
    """Whether an alert of this type can: whether any of its fields, told or not, is of such a category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A transfer assessment as far as the gate needs to know it. Times are Unix milliseconds."""

    digest: bytes
    destination: str
    """Trust domain."""
    recipients: frozenset[str]
    """SPIFFE IDs of agencies; empty means every agency of the destination."""
    states: frozenset[str]
    """Of `node.policy.pack.NEEDS`."""
    policy: str
    """Label of the pack under which it was made."""
    assessed_at: int
    review_by: int
    """From then on it is no longer in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a transfer may not be made, by the stable `code`, and which rule says so."""

    code: str
    rule: str
    law: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The transfer may be made, on the strength of this assessment; None where no rule asks for one."""

    assessment: Assessment | None


def pass_gate(
    pack: PolicyPack, transfer: Transfer, assessments: Iterable[Assessment], now: int, *, agreed: frozenset[str] = frozenset()
) -> Passed | tuple[Obstacle, ...]:
    """Decide one transfer under `pack` at `now`, Unix milliseconds: `Passed`, or everything that stands in the way.

    `agreed` is what the clause of the agreement asks an assessment to state, beside the pack's rules.

    To an agency of class NGO, which is no competent authority, nothing that tells of persons goes unless a rule that names that class
    applies too.

    An assessment counts that is for this destination and recipient and in force, and states all that the rules which apply ask for;
    of several, the one that was made last.
    """
    if not pack.valid_from <= now < pack.valid_until:
        code = "POLICY_EXPIRED" if now >= pack.valid_until else "POLICY_NOT_YET"
        return (Obstacle(code=code, rule="", law="", detail=pack.label),)
    country = pack.countries.get(transfer.destination)
    if country is None:
        return (Obstacle(code="DESTINATION_UNKNOWN", rule="", law="", detail=transfer.destination),)
    rules = [rule for rule in pack.rules if _applies(rule, transfer, country)]
    withheld = [
        Obstacle(code="CATEGORY_WITHHELD", rule=rule.id, law=rule.law, detail=", ".join(sorted(rule.withholds & transfer.categories)))
        for rule in rules
        if rule.withholds & transfer.categories
    ]
    if withheld:
        return tuple(withheld)
    charity = transfer.agency_class == AGENCY_CLASS_NGO and transfer.tells_of_persons
    if charity and not any(transfer.agency_class in rule.classes for rule in rules):
        # Whoever is no competent authority gets nothing by a rule that was written for those who are.
        return (Obstacle(code="NGO_NOT_REGULATED", rule="", law="", detail=pack.label),)
    if agreed:
        rules.append(Rule.of_clause(agreed))
    needs = frozenset().union(*(rule.needs for rule in rules))
    if not needs:
        return Passed(assessment=None)
    of_recipient = sorted(
        (
            item
            for item in assessments
            if item.destination == transfer.destination and (not item.recipients or transfer.recipient in item.recipients)
        ),
        key=lambda item: item.assessed_at,
        reverse=True,
    )
    in_force = [item for item in of_recipient if now < item.review_by]
    for item in in_force:
        if needs <= item.states | {"ASSESSMENT"}:
            return Passed(assessment=item)
    if not in_force:
        code = "ASSESSMENT_EXPIRED" if of_recipient else "ASSESSMENT_MISSING"
        which = f"{transfer.recipient}, assessment {of_recipient[0].digest.hex()[:12]}" if of_recipient else transfer.recipient
        return tuple(Obstacle(code=code, rule=rule.id, law=rule.law, detail=which) for rule in rules if rule.needs)
    stated = in_force[0].states | {"ASSESSMENT"}
    return tuple(
        Obstacle(code="ASSESSMENT_INCOMPLETE", rule=rule.id, law=rule.law, detail=", ".join(sorted(rule.needs - stated)))
        for rule in rules
        if rule.needs - stated
    )


def _applies(rule: Rule, transfer: Transfer, country: str) -> bool:
    return (
        (not rule.destinations or country in rule.destinations)
        and (not rule.classes or transfer.agency_class in rule.classes)
        and (not rule.alert_types or transfer.alert_type in rule.alert_types)
        and (not rule.purposes or transfer.purpose in rule.purposes)
        and (not rule.offence_classes or bool(rule.offence_classes & transfer.offence_classes))
        and (not rule.categories or bool(rule.categories & transfer.categories))
    )
