"""A notice: that somebody is needed, and nothing of what for. It leaves the office by e-mail or webhook, so it holds no personal data.

What it says is closed: a kind, a reference that opens only inside the office, until when, and how urgent.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from exchange.errors import Malformed

SPEC_VERSION: Final = "1.0"
TYPE_PREFIX: Final = "org.alert-exchange.notice."
_REFERENCE: Final = re.compile(r"[0-9a-f]{8,64}")
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9.-]{1,253}")


class NoticeKind(StrEnum):
    """What can need a person."""

    ANSWER_DUE = "answer-due"
    ANSWER_OVERDUE = "answer-overdue"
    ACKNOWLEDGE_DUE = "acknowledge-due"
    ATTESTATION_OWED = "attestation-owed"
    ATTESTATION_AWAITED = "attestation-awaited"
    APPROVAL_WAITS = "approval-waits"
    APPROVAL_UNWRITTEN = "approval-unwritten"
    REPORT_CAME = "report-came"
    REPORT_DUE = "report-due"
    REFUSAL_CAME = "refusal-came"
    RECALL_CAME = "recall-came"
    RESPONSE_AWAITED = "response-awaited"
    ASSESSMENT_REVIEW_DUE = "assessment-review-due"
    STORAGE_REVIEW_DUE = "storage-review-due"
    LEAVE_ASKED = "leave-asked"
    TIP_CAME = "tip-came"
    REPORT_TO_FORWARD = "report-to-forward"
    EMERGENCY_REVIEW_DUE = "emergency-review-due"
    ALARM = "alarm"


SENTENCES: Final = {
    NoticeKind.ANSWER_DUE: "A question from a partner waits for your answer.",
    NoticeKind.ANSWER_OVERDUE: "A question from a partner should have been answered by now.",
    NoticeKind.ACKNOWLEDGE_DUE: "An alert waits for somebody to acknowledge it.",
    NoticeKind.ATTESTATION_OWED: "A recall waits for your attestation that copies were removed.",
    NoticeKind.ATTESTATION_AWAITED: "A partner still owes an attestation for a recall of yours.",
    NoticeKind.APPROVAL_WAITS: "A release waits for a second officer's approval.",
    NoticeKind.APPROVAL_UNWRITTEN: "An approval that was given by word of mouth is to be put in writing.",
    NoticeKind.REPORT_CAME: "A partner has reported back on an alert of yours.",
    NoticeKind.REPORT_DUE: "A partner waits for your report on an alert that you acknowledged.",
    NoticeKind.REFUSAL_CAME: "A partner has refused something that you sent.",
    NoticeKind.RECALL_CAME: "A partner has restricted or disputed an alert that you hold: do not act on it before you have read that.",
    NoticeKind.RESPONSE_AWAITED: "A partner has not answered a question of yours.",
    NoticeKind.ASSESSMENT_REVIEW_DUE: "A transfer assessment is due for review; releases that rest on it will stop.",
    NoticeKind.STORAGE_REVIEW_DUE: "It is time to review whether something that you hold is still needed.",
    NoticeKind.LEAVE_ASKED: "A partner asks whether it may use or pass on an alert of yours.",
    NoticeKind.TIP_CAME: "Something that was reported to your desk waits for a first look.",
    NoticeKind.REPORT_TO_FORWARD: "An agency of your country has reported back; the report is for you to pass on.",
    NoticeKind.EMERGENCY_REVIEW_DUE: "What was released in an emergency waits for a second officer's review.",
    NoticeKind.ALARM: "The node has raised an alarm.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice. Raises `Malformed` (NOTICE_MALFORMED) for anything but references and times."""

    id: str
    """32 hexadecimal digits, the same for each attempt to deliver it: a receiver drops what it has seen."""
    kind: NoticeKind
    source: str
    """Trust domain of the office."""
    reference: str
    """Beginning of an alert's, assessment's or alarm's id, in hex."""
    due_at: int | None
    """Unix milliseconds; None if there is no term."""
    escalated: bool
    raised_at: int

    def __post_init__(self) -> None:
        if not (len(self.id) == 32 and _REFERENCE.fullmatch(self.id) and _REFERENCE.fullmatch(self.reference)):
            raise Malformed("NOTICE_MALFORMED", "a notice names things by hexadecimal references only")
        if not _TRUST_DOMAIN.fullmatch(self.source):
            raise Malformed("NOTICE_MALFORMED", "a notice comes from a trust domain")


def cloud_event(notice: Notice) -> bytes:
    """The notice as a CloudEvent 1.0 in structured mode: UTF-8 JSON (application/cloudevents+json)."""
    event: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": notice.id,
        "type": TYPE_PREFIX + notice.kind,
        "source": f"spiffe://{notice.source}/node",
        "subject": notice.reference,
        "time": _iso(notice.raised_at),
        "datacontenttype": "application/json",
        "data": {"due_at": None if notice.due_at is None else _iso(notice.due_at), "escalated": notice.escalated},
    }
    return json.dumps(event, sort_keys=True, separators=(",", ":")).encode()


def subject_line(notice: Notice) -> str:
    """What an e-mail is headed: nothing that tells a passer-by more than that there is work."""
    return f"[{'urgent' if notice.escalated else 'alert exchange'}] {notice.kind.replace('-', ' ')}"


def plain_text(notice: Notice) -> str:
    """The body of an e-mail."""
    lines = [SENTENCES[notice.kind], "", f"Reference: {notice.reference}"]
    if notice.due_at is not None:
        lines.append(f"By: {datetime.fromtimestamp(notice.due_at / 1000, UTC):%Y-%m-%d %H:%M} UTC")
    lines += ["", "Open it in your office: exchange work list", "This message holds no details, and must not be answered with any."]
    return "\n".join(lines) + "\n"


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
