"""Whether what is planned for one recipient may be told abroad: the policy pack's rules on what would go (UK DPA ss.73 to 77)."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from exchange.agreement import Allowed
from exchange.profile import AlertType
from exchange.v1.agreement_pb2 import TransferCondition
from exchange.v1.offending_pb2 import OffenceClass
from exchange.values import PartyId
from node.policy.gate import Obstacle, Passed, Transfer, pass_gate
from node.policy.pack import PolicyPack
from node.ports import Known

ASKED_BY_CLAUSE = {
    TransferCondition.TRANSFER_CONDITION_ASSESSMENT: "ASSESSMENT",
    TransferCondition.TRANSFER_CONDITION_DEATH_PENALTY_ASSURANCE: "DEATH_PENALTY_ASSURANCE",
    TransferCondition.TRANSFER_CONDITION_JUDICIAL_AUTHORISATION: "JUDICIAL_AUTHORISATION",
}
"""What a clause's conditions ask an assessment to state, in a policy pack's words."""

_OF_PERSONS = frozenset({"IDENTITY", "BIOMETRIC", "DOCUMENT", "TRAVEL", "CONTACT", "CRIMINAL", "HEALTH", "CASE"})
"""Categories of what tells of a person, or of a case about one."""


def offences_of(kind: AlertType, alert: bytes) -> frozenset[int]:
    """Every offence class that an alert names anywhere."""
    return frozenset(_offences(kind.message.FromString(alert)))


def pass_transfer(
    known: Known, policy: PolicyPack, recipient: str, kind: AlertType, purpose: int, allowed: Allowed, offences: Iterable[int], now: int
) -> Passed | tuple[Obstacle, ...]:
    """Decide whether exactly the fields that `allowed` lets go may go to this agency."""
    transfer = _transfer(recipient, allowed.clause.audience, kind, purpose, allowed.fields, offences)
    agreed = frozenset(ASKED_BY_CLAUSE[condition] for condition in allowed.clause.transfer_conditions)
    return pass_gate(policy, transfer, known.assessments, now, agreed=agreed)


def pass_leave(
    known: Known,
    policy: PolicyPack,
    third_party: str,
    kind: AlertType,
    purpose: int,
    fields: Iterable[int],
    offences: Iterable[int],
    now: int,
) -> Passed | tuple[Obstacle, ...]:
    """Decide whether another country may be given leave to pass these fields on to `third_party` (SPIFFE ID), as if we told it ourselves.

    UK DPA s.78: who transfers makes it a condition that there is no further transfer without leave, and weighs that as a transfer.
    """
    partner = known.partners.get(PartyId.parse(third_party).trust_domain)
    # Of a country that is no partner no classes are known; whoever passes it on knows them, and has a gate of their own.
    agency_class = partner.node.agencies.get(third_party, 0) if partner else 0
    return pass_gate(policy, _transfer(third_party, agency_class, kind, purpose, fields, offences), known.assessments, now)


def _transfer(recipient: str, agency_class: int, kind: AlertType, purpose: int, fields: Iterable[int], offences: Iterable[int]) -> Transfer:
    going = set(fields)
    return Transfer(
        destination=PartyId.parse(recipient).trust_domain,
        recipient=recipient,
        agency_class=agency_class,
        alert_type=kind.name.rpartition(".")[2],
        purpose=purpose,
        offence_classes=frozenset(offences),
        categories=frozenset(field.category for field in kind.fields if field.number in going),
        tells_of_persons=any(field.category in _OF_PERSONS for field in kind.fields),
    )


def _offences(message: Message) -> Iterator[int]:
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for below in values:
                yield from _offences(below)
        elif field.enum_type is not None and field.enum_type.full_name == OffenceClass.DESCRIPTOR.full_name:
            yield from values
