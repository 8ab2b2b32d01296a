"""What an auditor's pages call checks, states, kinds of events and grades, in English; the catalogues have the rest.

The numbers, and what each of the checks asks, are those of `exchange.log`, `exchange.disclosure`, `exchange.receipt` and
`exchange.evidence`; a test compares them.
"""

from collections.abc import Mapping
from typing import Final

from google.protobuf.descriptor import EnumDescriptor

from exchange.v1 import audit_service_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from exchange.v1.journal_pb2 import JournalKind
from node.console.words import enum_values
from node.documents import enum_name


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


CHECKS: Final[Mapping[str, str]] = {
    "S1": _said("The entry is not larger than the protocol allows"),
    "S2": _said("The log is the sender’s, and leads to this recipient"),
    "S3": _said("The entry’s hash stands in the log’s tree"),
    "S4": _said("The sender signed a checkpoint that covers the entry, with a log key in force then"),
    "D1": _said("The entry and what was delivered with it have the right form"),
    "D2": _said("The alert’s manifest is the one that the entry names, signed by its originator"),
    "D3": _said("The originator is the sender’s, or gave leave to pass it on"),
    "D4": _said("The manifest is well formed and of a known type"),
    "D5": _said("Exactly the fields that the entry names were opened"),
    "D6": _said("Each opened field is what the originator committed to"),
    "D7": _said("Each field holds itself and nothing else"),
    "D8": _said("The agreement’s clause allows this audience, this purpose and every field"),
    "D9": _said("The alert had not expired, bears no time to come, and training was not mixed with real alerts"),
    "D10": _said("No other alert contradicted it, and it had not been withdrawn"),
    "D11": _said("The alert obeys the rules of its type"),
    "R1": _said("The receipt is signed by the recipient, with a receipt key in force then"),
    "R2": _said("The receipt is for the checkpoint that the sender signed"),
    "R3": _said("The receipt begins where the one before it ended, and its exceptions are those that are kept"),
    "R4": _said("The receipt is not older than the entry"),
    "E11": _said("A journal names the log or the receipt, and that is proved"),
    "E12": _said("Enough witnesses, by this node’s policy, had cosigned it"),
}
WHY_NOT_RUN: Final[Mapping[str, str]] = {
    "CHECK_BEFORE_FAILED": _said("not run: a check before it does not hold"),
    "CHECKPOINT_MISSING": _said("not run: the sender’s checkpoint was lost with a restored backup"),
    "CONTENT_NOT_HERE": _said("not run: this node holds no content of it"),
    "ERASED": _said("not run: the content was erased"),
    "NOT_ANCHORED": _said("not yet: no journal names it under a cosigned checkpoint"),
    "NOT_RECEIPTED": _said("not yet: there is no receipt"),
    "NO_POLICY": _said("not run: this node has no policy that names witnesses"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "LOGGED": _said("Logged, not sent yet"),
    "DELIVERED": _said("Sent, not receipted yet"),
    "RECEIPTED": _said("Receipted"),
    "EXCEPTED": _said("Refused by the recipient"),
    "WITHHELD": _said("Not sent after all"),
    "CORRECTION": _said("Corrects an earlier alert"),
    "CONFLICT": _said("Contradicts another alert"),
    "EMERGENCY": _said("Under an agreement for an emergency"),
}
KINDS: Final[Mapping[str, str]] = {
    "COLLECTION": _said("Collection"),
    "ALTERATION": _said("Alteration"),
    "CONSULTATION": _said("Consultation"),
    "DISCLOSURE": _said("Disclosure"),
    "COMBINATION": _said("Combination"),
    "ERASURE": _said("Erasure"),
    "REFUSAL": _said("Refusal"),
    "APPROVAL": _said("Approval"),
    "ACCESS": _said("Roster"),
    "SIGN_IN": _said("Sign-in"),
    "PARTNER": _said("Partner"),
    "AGREEMENT": _said("Agreement"),
    "KEY": _said("Keys"),
    "EXPORT": _said("Export"),
    "REVIEW": _said("Review"),
    "LOG": _said("Log"),
    "ANCHOR": _said("Anchor"),
    "RECEIPT": _said("Receipt"),
    "ALARM": _said("Alarm"),
    "RETENTION": _said("Retention"),
    "SUCCESSION": _said("Succession"),
}
PURPOSES: Final[Mapping[str, str]] = {
    "LAWFULNESS": _said("To verify that the processing is lawful"),
    "SELF_MONITORING": _said("Self-monitoring by the controller or processor"),
    "DISCIPLINARY": _said("Internal disciplinary proceedings"),
    "INTEGRITY_AND_SECURITY": _said("To ensure the integrity and security of personal data"),
    "CRIMINAL_PROCEEDINGS": _said("Criminal proceedings"),
}
"""Of `exchange.v1.LawfulPurpose`: Directive (EU) 2016/680 Art. 25(2), UK DPA 2018 s.62(4)."""
_GROUNDS: Final[Mapping[str, str]] = {
    "RECIPIENT_ASKED": _said("the recipient asked"),
    "IDENTIFICATION": _said("to identify the person"),
    "RISK_TO_CHILD": _said("a child at risk"),
    "OFFICER_SAFETY": _said("the safety of officers"),
    "INVESTIGATION": _said("an investigation"),
}


RECALLS: Final[Mapping[str, str]] = {
    "CORRECTION": _said("Corrected"),
    "WITHDRAWAL": _said("Withdrawn"),
    "RESTRICTION": _said("Restricted"),
    "LIFTING": _said("Restriction lifted"),
}
RECORD_NAMES: Final[Mapping[str, str]] = {
    "agency": _said("Agency"),
    "approver": _said("Approved by"),
    "approvers": _said("Approved by"),
    "assessment": _said("Transfer assessment"),
    "at": _said("When"),
    "justification": _said("Reason"),
    "officer": _said("Who"),
    "person": _said("Who"),
    "preview": _said("Digest of what was previewed"),
    "purpose": _said("Purpose"),
    "query": _said("Searched for"),
    "reason": _said("Reason"),
    "results": _said("Found"),
    "roles": _said("Roles"),
    "urgent": _said("Declared urgent"),
    "version": _said("Version of the record"),
}
"""The fields of what an opened record says; others, of a newer version, by their own names."""
PEOPLE: Final = frozenset({"approver", "approvers", "officer", "person"})
"""Those that name people, by ids of which the end is what a person is called."""


GRADES: Final[Mapping[str, str]] = {
    "NONE": _said("Nothing found"),
    "OBSERVATION": _said("Observation: worth knowing, and explained"),
    "ACTION": _said("Action: a person has to do something"),
    "PRIORITY": _said("Priority: a duty was missed"),
    "CRITICAL": _said("Critical: a proof is broken"),
}
MISHAPS: Final[Mapping[str, str]] = {
    "REFUSED": _said("Refused here"),
    "ALARM": _said("Alarm"),
    "STANDING_ALARM": _said("Alarm that stands"),
    "WITHHELD": _said("Not sent after all"),
    "EXCEPTED": _said("Refused by the recipient"),
    "CONFLICT": _said("Contradicts another alert"),
    "CORRECTION": _said("Corrects an earlier alert"),
    "CORRECTED": _said("Corrected"),
    "RECALLED": _said("Recalled"),
    "MISTAKEN": _said("Somebody else than the alert means"),
}
"""Of the register of mistakes, `node.reports.audit_register`."""


URGENCY: Final[Mapping[str, str]] = {
    "DECLARED": _said("Declared urgent"),
    "EMERGENCY_AGREEMENT": _said("Under an agreement for an emergency"),
    "RISK": _said("A child or an officer at risk"),
}
EXPORTS: Final[Mapping[str, str]] = {
    "disclosures": _said("Disclosures"),
    "events": _said("Events of the journal"),
    "errors": _said("Mistakes and corrections"),
}
"""Of `node.reports.audit_export.LISTS`."""


def state_words(record: audit_service_pb2.DisclosureRecord) -> str:
    """What became of a disclosure, in English."""
    name = "WITHHELD" if record.withheld else _name(desk_service_pb2.DisclosureState.DESCRIPTOR, record.state)
    return OUTCOMES.get(name, name)


def state_code(record: audit_service_pb2.DisclosureRecord) -> str:
    """The code that says why it was refused or not sent; empty for none."""
    if record.withheld:
        return _name(disclosure_pb2.WithheldCode.DESCRIPTOR, record.withheld)
    return _name(receipt_pb2.ExceptionCode.DESCRIPTOR, record.exception)


def kind_name(kind: int) -> str:
    """The short name of a kind of events, as filters write it."""
    return _name(JournalKind.DESCRIPTOR, kind)


def ground_words(ground: int) -> str:
    """Why fields were opened that go on request alone, in English; empty for none."""
    name = _name(disclosure_pb2.OnRequestGround.DESCRIPTOR, ground)
    return _GROUNDS.get(name, name)


def grade_name(grade: int) -> str:
    """The short name of the grade of a finding."""
    return _name(desk_service_pb2.FindingGrade.DESCRIPTOR, grade)


def urgency_name(kind: int) -> str:
    """The short name of why something was urgent."""
    return _name(audit_service_pb2.UrgentKind.DESCRIPTOR, kind)


def purpose_words(purpose: int) -> str:
    """What a disclosure was for, in English; empty for none."""
    name = _name(handling_pb2.Purpose.DESCRIPTOR, purpose)
    return enum_values().get(f"PURPOSE_{name}", name)


def _name(kind: EnumDescriptor, number: int) -> str:
    return enum_name(kind, number) or ""
