"""What codes of the work list and of the inbox are called, in English; the catalogues have the rest."""

from collections.abc import Mapping
from typing import Final

from exchange.v1.desk_service_pb2 import WORK_KIND_APPROVAL_TO_GIVE, WorkKind


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_KINDS: Final[Mapping[str, str]] = {
    "ALERT_TO_ACKNOWLEDGE": _said("Alert to read and answer"),
    "ALERT_TO_REPORT": _said("Alert to report on"),
    "REPORT_TO_READ": _said("Report to read"),
    "REFUSAL_TO_READ": _said("Refusal to read"),
    "RECALL_TO_READ": _said("Recall to read"),
    "ATTESTATION_TO_GIVE": _said("Purge to attest"),
    "ATTESTATION_TO_COME": _said("Attestation that has not come"),
    "APPROVAL_TO_GIVE": _said("Release to approve"),
    "APPROVAL_TO_CONFIRM": _said("Oral approval to put in writing"),
    "ASSESSMENT_TO_REVIEW": _said("Transfer assessment to review"),
    "STORAGE_TO_REVIEW": _said("Storage to review"),
    "ALARM": _said("Alarm"),
    "AGREEMENT_TO_ACCEPT": _said("Agreement to read and sign"),
    "REQUEST_TO_ANSWER": _said("Request to answer"),
    "RESPONSE_TO_COME": _said("Answer that has not come"),
    "LEAVE_TO_DECIDE": _said("Leave to decide on"),
    "TIP_TO_LOOK_AT": _said("Tip to look at"),
    "REPORT_TO_FORWARD": _said("Report to pass on abroad"),
    "EMERGENCY_TO_REVIEW": _said("Emergency to review"),
    "DRAFT_TO_FINISH": _said("Draft of yours, not released yet"),
    "LEAVE_TO_COME": _said("Leave that was asked for"),
    "HANDOVER_TO_TAKE": _said("Note of the shift before"),
}
_SUBMITTED: Final = _said("Waits for a colleague’s approval")
_FLAGS: Final[Mapping[str, str]] = {
    "ATTESTATION_OWED": _said("Attestation owed"),
    "CONFLICT": _said("Contradicted by another alert"),
    "DISPUTED": _said("Disputed"),
    "EMERGENCY": _said("Told in an emergency"),
    "ERASED": _said("Erased"),
    "EXPIRED": _said("Expired"),
    "MORE_AT_DESK": _said("Your desk was told more"),
    "NOT_CONFIRMED": _said("Not confirmed"),
    "PURGE_OWED": _said("Purge owed"),
    "REPORT_WAITING": _said("Report waiting at your desk"),
    "RESTRICTED": _said("Restricted"),
    "SUPERSEDED": _said("Replaced"),
    "UNCONFIRMED": _said("Signed after its key was stolen"),
    "WITHDRAWN": _said("Withdrawn"),
}


def kind_words(kind: WorkKind.ValueType, *, later: bool = False) -> str:
    """What a kind of work is called; what somebody submitted, and that waits for others, is no work of theirs."""
    if later and kind == WORK_KIND_APPROVAL_TO_GIVE:
        return _SUBMITTED
    name = WorkKind.Name(kind).removeprefix("WORK_KIND_")
    return _KINDS.get(name, name)


def flag_words(flag: str) -> str:
    """What a flag of an alert is called; a flag of a newer version by its code."""
    return _FLAGS.get(flag, flag)
