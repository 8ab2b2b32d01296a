"""Answers as a node would give them, for the tests of the command line; synthetic throughout."""

import hashlib

from exchange.encoding import encode
from exchange.profile import alert_type
from exchange.v1 import agreement_pb2, desk_service_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from tests import builders, countries

ISSUED = 1_785_000_000_000
GDI = "spiffe://kh.alerts.example/agency/gdi"
AHTJP = "spiffe://kh.alerts.example/agency/ahtjp"
CEOP = "spiffe://gb.alerts.example/agency/nca-ceop"
TRAVEL = "exchange.v1.TravelAlert"
ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
UNDISCLOSED = (6, 7, 9, 12, 20, 25, 29)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def summary(**changes: object) -> desk_service_pb2.AlertSummary:
    wanted = desk_service_pb2.AlertSummary(
        alert_id=builders.alert_id(1),
        manifest_digest=digest("manifest"),
        alert_type=TRAVEL,
        originator=CEOP,
        issued_at=ISSUED,
        not_after=ISSUED + 30 * 86_400_000,
        training=True,
    )
    return countries.changed(wanted, **changes)


def view() -> bytes:
    alert = builders.alert()
    for number in UNDISCLOSED:
        alert.ClearField(alert.DESCRIPTOR.fields_by_number[number].name)  # type: ignore[arg-type]
    return encode(alert)


def logged(agency: str, index: int, clause: str) -> desk_service_pb2.LoggedDisclosure:
    return desk_service_pb2.LoggedDisclosure(origin=ORIGIN, index=index, audience=[agency], fields=[1, 2, 3, 30, 33], clause=clause)


def problem(code: str = "FIELD_MISSING", field: str = "contact_desk", *, warning: bool = False) -> desk_service_pb2.Problem:
    return desk_service_pb2.Problem(
        severity=desk_service_pb2.SEVERITY_WARNING if warning else desk_service_pb2.SEVERITY_ERROR,
        code=code,
        field=field,
        message="the desk to call is missing",
        remedy="name the unit and a channel that answers at any hour",
    )


def preview(*, denied: bool = False) -> desk_service_pb2.PreviewAlertResponse:
    kind = alert_type(TRAVEL)
    known = {field.number for field, _ in builders.alert().ListFields()}

    def fields(column: int) -> list[desk_service_pb2.FieldPreview]:
        found = []
        for item in kind.fields:
            mark = item.default_marks[column]
            visibility = {
                "R": desk_service_pb2.VISIBILITY_SHOWN,
                "M": desk_service_pb2.VISIBILITY_SHOWN,
                "C": desk_service_pb2.VISIBILITY_NEEDS_REASON,
                "-": desk_service_pb2.VISIBILITY_FORBIDDEN,
            }[mark]
            if mark in "RM" and item.number not in known:
                visibility = desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN
            if item.name == "cautions":
                visibility = desk_service_pb2.VISIBILITY_UNTICKED
            found.append(desk_service_pb2.FieldPreview(field=item.number, name=item.name, category=item.category, visibility=visibility))
        return found

    recipients = [
        desk_service_pb2.RecipientPreview(
            recipient=agency, agreement_digest=digest("agreement"), clause=clause, fields=fields(column), view=view()
        )
        for column, (agency, clause) in enumerate(((GDI, "gb-to-kh-border"), (AHTJP, "gb-to-kh-police")))
    ]
    if denied:
        recipients.append(
            desk_service_pb2.RecipientPreview(
                recipient="spiffe://vn.alerts.example/agency/immigration", denied=[problem("AGREEMENT_NONE", "recipients[2]")]
            )
        )
    return desk_service_pb2.PreviewAlertResponse(recipients=recipients, preview_digest=digest("preview"))


def status() -> desk_service_pb2.GetAlertStatusResponse:
    return desk_service_pb2.GetAlertStatusResponse(
        summary=summary(),
        disclosures=[
            desk_service_pb2.DisclosureStatus(
                disclosure=logged(GDI, 4, "gb-to-kh-border"),
                state=desk_service_pb2.DISCLOSURE_STATE_REPORTED,
                disclosed_at=ISSUED,
                receipted_at=ISSUED + 400,
                reports=[digest("report")],
            ),
            desk_service_pb2.DisclosureStatus(
                disclosure=logged(AHTJP, 5, "gb-to-kh-police"),
                state=desk_service_pb2.DISCLOSURE_STATE_EXCEPTED,
                exception=receipt_pb2.EXCEPTION_CODE_NOT_AGREED,
                disclosed_at=ISSUED,
                receipted_at=ISSUED + 400,
            ),
        ],
    )


def inbox_alert() -> desk_service_pb2.GetInboxAlertResponse:
    return desk_service_pb2.GetInboxAlertResponse(
        summary=summary(received_at=ISSUED + 300, flags=["UNCONFIRMED"]),
        handling=builders.handling(),
        view=view(),
        undisclosed=UNDISCLOSED,
        confirmed_at=ISSUED + 60_000,
        disclosures=[logged(GDI, 4, "gb-to-kh-border")],
        erase_by=ISSUED + 180 * 86_400_000,
    )


def partner(**changes: object) -> desk_service_pb2.PartnerSummary:
    wanted = desk_service_pb2.PartnerSummary(
        trust_domain="kh.alerts.example",
        endpoint="localhost:7543",
        identity_fingerprint=digest("identity"),
        sequence=1,
        next_update=ISSUED,
        inbound_stream_up=True,
        agencies=[
            desk_service_pb2.PartnerAgency(
                agency=GDI,
                name="General Department of Immigration (EXAMPLE)",
                agency_class=agreement_pb2.AGENCY_CLASS_BORDER,
            )
        ],
        languages=["km-KH"],
    )
    return countries.changed(wanted, **changes)


def agreement_summary() -> desk_service_pb2.AgreementSummary:
    return desk_service_pb2.AgreementSummary(
        digest=digest("agreement"),
        state=desk_service_pb2.AGREEMENT_STATE_ACCEPTED,
        in_force=True,
        agreement=countries.agreement(),
    )


def log_summary() -> desk_service_pb2.LogSummary:
    return desk_service_pb2.LogSummary(
        origin=ORIGIN, outbound=True, size=6, root=digest("root"), receipted_size=5, state="open", last_entry_at=ISSUED
    )


def log_entries() -> desk_service_pb2.GetLogResponse:
    entry = disclosure_pb2.Entry(
        manifest_digest=digest("manifest"),
        fields=[1, 2, 3],
        audience=[GDI],
        agreement_digest=digest("agreement"),
        clause="gb-to-kh-border",
        purpose=handling_pb2.PURPOSE_PREVENTION,
        disclosed_at=ISSUED,
        authorisation=digest("authorisation"),
    )
    return desk_service_pb2.GetLogResponse(
        log=log_summary(),
        entries=[
            desk_service_pb2.LogEntry(
                index=4,
                entry=encode(entry),
                leaf_hash=digest("leaf"),
                state=desk_service_pb2.DISCLOSURE_STATE_EXCEPTED,
                exception=receipt_pb2.EXCEPTION_CODE_WITHHELD,
                withheld=disclosure_pb2.WITHHELD_CODE_WITHDRAWN,
            )
        ],
        checkpoint=b"a note\n",
    )


def finding(*, warning: bool = False, count: int = 1) -> desk_service_pb2.Finding:
    return desk_service_pb2.Finding(
        severity=desk_service_pb2.SEVERITY_WARNING if warning else desk_service_pb2.SEVERITY_ERROR,
        code="LOG_MISMATCH",
        origin=ORIGIN,
        index=3,
        message="the entry is not what the checkpoint covers",
        grade=desk_service_pb2.FINDING_GRADE_OBSERVATION if warning else desk_service_pb2.FINDING_GRADE_CRITICAL,
        count=count,
    )


def check(*findings: desk_service_pb2.Finding) -> list[desk_service_pb2.CheckRecordsResponse]:
    """A check of one log of seven entries, message by message."""

    def step(name: str, done: int, total: int) -> desk_service_pb2.CheckRecordsResponse:
        progress = desk_service_pb2.CheckProgress(origin=ORIGIN, done=done, total=total, **{"pass": name})
        return desk_service_pb2.CheckRecordsResponse(progress=progress)

    summary = desk_service_pb2.CheckSummary(counts=[desk_service_pb2.Count(name="entries", value=7)])
    return [
        step("tree", 0, 7),
        step("tree", 4, 7),
        desk_service_pb2.CheckRecordsResponse(findings=findings),
        step("tree", 7, 7),
        step("signatures", 0, 1),
        step("signatures", 1, 1),
        desk_service_pb2.CheckRecordsResponse(summary=summary),
    ]
