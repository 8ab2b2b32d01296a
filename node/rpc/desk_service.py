"""The door for this country's officers, auditors and administrators: each method proves the caller and calls one operation."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import grpc

from exchange.v1 import desk_service_pb2 as messages
from node.operations import (
    agreements,
    approve,
    assess,
    check_records,
    control_drafts,
    draft_box,
    evidence,
    evidence_bundle,
    inbox,
    log_export,
    mis_hits,
    outbox,
    partners,
    preview,
    reconcile,
    recover,
    report,
    review,
    screen,
    succeed,
    whoami,
    witness_status,
)
from node.operations.log_walk import SharedLogs
from node.operations.recover import Fetch
from node.operations.release import NotReleased, Prepared
from node.operations.watchlist import Watchlists
from node.ports import Ports
from node.rpc.emergency_desk import EmergencyDesk
from node.rpc.identity import DeskDoor
from node.rpc.inside_desk import InsideDesk
from node.rpc.officers_desk import OfficersDesk
from node.rpc.onward_desk import OnwardDesk
from node.rpc.publishing import publish
from node.rpc.recall_desk import RecallDesk, Sequencing
from node.rpc.request_desk import RequestDesk
from node.rpc.retention_desk import RetentionDesk
from node.rpc.status import answered, answered_stream
from node.rpc.tips_desk import TipsDesk
from node.rpc.work_desk import WorkDesk

Connect = Callable[[str], AbstractContextManager[SharedLogs]]
"""Opens a connection to a partner (trust domain). Raises `NotFound` (PARTNER_UNKNOWN)."""

_PART = 256 * 1024
"""Bytes of a file in one message."""


class DeskService(RetentionDesk, RecallDesk, RequestDesk, WorkDesk, EmergencyDesk, TipsDesk, InsideDesk, OnwardDesk, OfficersDesk):
    """`exchange.v1.DeskService`."""

    def __init__(
        self, ports: Ports, door: DeskDoor, sequencer: Sequencing, fetch: Fetch, connect: Connect, *, watchlists: Watchlists | None = None
    ) -> None:
        self._ports = ports
        self._door = door
        self._sequencer = sequencer
        self._fetch = fetch
        self._connect = connect
        self._watchlists = watchlists or Watchlists()

    @answered(explain=True)
    def WhoAmI(self, _request: messages.WhoAmIRequest, context: grpc.ServicerContext) -> messages.WhoAmIResponse:
        """Who the caller is to this node."""
        return whoami.whoami(self._ports, self._door.admit(context))

    @answered(explain=True)
    def CheckAlert(self, request: messages.CheckAlertRequest, context: grpc.ServicerContext) -> messages.CheckAlertResponse:
        """All that is wrong with a draft."""
        return preview.check(self._ports, self._door.admit(context), request.draft)

    @answered(explain=True)
    def PreviewAlert(self, request: messages.PreviewAlertRequest, context: grpc.ServicerContext) -> messages.PreviewAlertResponse:
        """What each recipient of a draft would see."""
        return control_drafts.preview_draft(self._ports, self._door.admit(context), request.draft)

    @answered_stream(explain=True)
    def PublishAlerts(
        self, requests: Iterator[messages.PublishAlertsRequest], context: grpc.ServicerContext
    ) -> Iterator[messages.PublishAlertsResponse]:
        """Release drafts, each answered once its entries are durable."""
        person = self._door.admit(context)

        return publish(requests, partial(self._sequencer.publish, person), context.is_active)

    @answered(explain=True)
    def ListAlerts(self, request: messages.ListAlertsRequest, context: grpc.ServicerContext) -> messages.ListAlertsResponse:
        """The alerts of the caller's agency."""
        return outbox.list_alerts(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetAlert(self, request: messages.GetAlertRequest, context: grpc.ServicerContext) -> messages.GetAlertResponse:
        """One alert of the caller's agency, whole."""
        return outbox.get_alert(self._ports, self._door.admit(context), request.alert)

    @answered(explain=True)
    def GetAlertStatus(self, request: messages.GetAlertStatusRequest, context: grpc.ServicerContext) -> messages.GetAlertStatusResponse:
        """What became of an alert at each recipient."""
        return outbox.get_status(self._ports, self._door.admit(context), request.alert)

    @answered(explain=True)
    def ListInbox(self, request: messages.ListInboxRequest, context: grpc.ServicerContext) -> messages.ListInboxResponse:
        """What came in for the caller's agency."""
        return inbox.list_inbox(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def GetInboxAlert(self, request: messages.GetInboxAlertRequest, context: grpc.ServicerContext) -> messages.GetInboxAlertResponse:
        """One alert as the caller's agency was given it."""
        return inbox.get_inbox_alert(self._ports, self._door.admit(context), request.alert)

    @answered(explain=True)
    def ReportHit(self, request: messages.ReportHitRequest, context: grpc.ServicerContext) -> messages.ReportHitResponse:
        """Report to the originator what happened."""
        return report.answer(self._ports, self._door.admit(context), request, self._release)

    @answered(explain=True)
    def GetOwnDescriptor(
        self, _request: messages.GetOwnDescriptorRequest, context: grpc.ServicerContext
    ) -> messages.GetOwnDescriptorResponse:
        """What to give a partner."""
        return partners.own_descriptor(self._ports, self._door.admit(context))

    @answered(explain=True)
    def AddPartner(self, request: messages.AddPartnerRequest, context: grpc.ServicerContext) -> messages.AddPartnerResponse:
        """Pin another country's node."""
        added = partners.add_partner(self._ports, self._door.admit(context), request.descriptors, request.fingerprint)
        return messages.AddPartnerResponse(partner=added)

    @answered(explain=True)
    def ListPartners(self, _request: messages.ListPartnersRequest, context: grpc.ServicerContext) -> messages.ListPartnersResponse:
        """Every partner."""
        return messages.ListPartnersResponse(partners=partners.list_partners(self._ports, self._door.admit(context)))

    @answered(explain=True)
    def GetPartner(self, request: messages.GetPartnerRequest, context: grpc.ServicerContext) -> messages.GetPartnerResponse:
        """One partner."""
        return messages.GetPartnerResponse(partner=partners.get_partner(self._ports, self._door.admit(context), request.trust_domain))

    @answered(explain=True)
    def SuspendPartner(self, request: messages.SuspendPartnerRequest, context: grpc.ServicerContext) -> messages.SuspendPartnerResponse:
        """Stop exchanging with a partner, or take it up again."""
        person = self._door.admit(context)
        changed = partners.suspend_partner(self._ports, person, request.trust_domain, resume=request.resume, reason=request.reason)
        return messages.SuspendPartnerResponse(partner=changed)

    @answered(explain=True)
    def DraftAgreement(self, request: messages.DraftAgreementRequest, context: grpc.ServicerContext) -> messages.DraftAgreementResponse:
        """Sign an agreement and propose it."""
        return messages.DraftAgreementResponse(summary=agreements.draft(self._ports, self._door.admit(context), request.agreement))

    @answered(explain=True)
    def AcceptAgreement(self, request: messages.AcceptAgreementRequest, context: grpc.ServicerContext) -> messages.AcceptAgreementResponse:
        """Countersign what a partner proposed."""
        return messages.AcceptAgreementResponse(summary=agreements.accept(self._ports, self._door.admit(context), request.agreement))

    @answered(explain=True)
    def ListAgreements(self, _request: messages.ListAgreementsRequest, context: grpc.ServicerContext) -> messages.ListAgreementsResponse:
        """Every agreement and proposal."""
        return messages.ListAgreementsResponse(agreements=agreements.list_agreements(self._ports, self._door.admit(context)))

    @answered(explain=True)
    def GetAgreement(self, request: messages.GetAgreementRequest, context: grpc.ServicerContext) -> messages.GetAgreementResponse:
        """One agreement."""
        return messages.GetAgreementResponse(summary=agreements.get(self._ports, self._door.admit(context), request.agreement))

    @answered(explain=True)
    def ListLogs(self, _request: messages.ListLogsRequest, context: grpc.ServicerContext) -> messages.ListLogsResponse:
        """Every log in both directions."""
        return messages.ListLogsResponse(logs=review.list_logs(self._ports, self._door.admit(context)))

    @answered(explain=True)
    def GetLog(self, request: messages.GetLogRequest, context: grpc.ServicerContext) -> messages.GetLogResponse:
        """A page of one log."""
        return review.get_log(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def EndLog(self, request: messages.EndLogRequest, context: grpc.ServicerContext) -> messages.EndLogResponse:
        """End one of our logs, or countersign the end of a partner's."""
        row = succeed.end(self._ports, self._door.admit(context), request.origin)
        return messages.EndLogResponse(ended_origin=row.ended_origin, state=row.state, digest=row.digest)

    @answered(explain=True)
    def RecoverLog(self, request: messages.RecoverLogRequest, context: grpc.ServicerContext) -> messages.RecoverLogResponse:
        """Adopt from the partner what a restored database lacks."""
        person = self._door.admit(context)
        adopted = recover.recover_log(self._ports, person, request.origin, self._fetch)
        return messages.RecoverLogResponse(adopted=adopted, log=review.log_summary(self._ports, request.origin))

    @answered(explain=True)
    def ExportEvidence(self, request: messages.ExportEvidenceRequest, context: grpc.ServicerContext) -> messages.ExportEvidenceResponse:
        """Proof of one disclosure."""
        person = self._door.admit(context)
        exported = evidence.export_evidence(self._ports, person, request.origin, request.index, request.level)
        return messages.ExportEvidenceResponse(evidence=exported)

    @answered(explain=True)
    def RecordAssessment(
        self, request: messages.RecordAssessmentRequest, context: grpc.ServicerContext
    ) -> messages.RecordAssessmentResponse:
        """Record that a transfer was assessed."""
        person = self._door.admit(context)
        return messages.RecordAssessmentResponse(summary=assess.record_assessment(self._ports, person, request.assessment))

    @answered(explain=True)
    def ListAssessments(self, _request: messages.ListAssessmentsRequest, context: grpc.ServicerContext) -> messages.ListAssessmentsResponse:
        """Every transfer assessment, and the policy in use."""
        return assess.list_assessments(self._ports, self._door.admit(context))

    @answered(explain=True)
    def WithdrawAssessment(
        self, request: messages.WithdrawAssessmentRequest, context: grpc.ServicerContext
    ) -> messages.WithdrawAssessmentResponse:
        """Take a transfer assessment back."""
        return messages.WithdrawAssessmentResponse(summary=assess.withdraw(self._ports, self._door.admit(context), request.assessment))

    @answered(explain=True)
    def KeepDraft(self, request: messages.KeepDraftRequest, context: grpc.ServicerContext) -> messages.KeepDraftResponse:
        """Keep a file as a draft."""
        return draft_box.keep(self._ports, self._door.admit(context), request)

    @answered(explain=True)
    def SubmitAlert(self, request: messages.SubmitAlertRequest, context: grpc.ServicerContext) -> messages.SubmitAlertResponse:
        """Let a draft wait for a second officer."""
        return approve.submit(self._ports, self._door.admit(context), request, self._release_together)

    @answered(explain=True)
    def ListSubmissions(self, _request: messages.ListSubmissionsRequest, context: grpc.ServicerContext) -> messages.ListSubmissionsResponse:
        """What waits, and what became of it."""
        return messages.ListSubmissionsResponse(submissions=approve.list_submissions(self._ports, self._door.admit(context)))

    @answered(explain=True)
    def GetSubmission(self, request: messages.GetSubmissionRequest, context: grpc.ServicerContext) -> messages.GetSubmissionResponse:
        """One submission, with its draft and what would go now."""
        return approve.get(self._ports, self._door.admit(context), request.submission)

    @answered(explain=True)
    def ApproveSubmission(
        self, request: messages.ApproveSubmissionRequest, context: grpc.ServicerContext
    ) -> messages.ApproveSubmissionResponse:
        """Approve what was previewed."""
        return approve.approve(self._ports, self._door.admit(context), request, self._release_together)

    @answered(explain=True)
    def TakeBackSubmission(
        self, request: messages.TakeBackSubmissionRequest, context: grpc.ServicerContext
    ) -> messages.TakeBackSubmissionResponse:
        """End a submission that still waits."""
        return approve.take_back(self._ports, self._door.admit(context), request.submission, keep_draft=request.keep_draft)

    @answered_stream(explain=True)
    def CheckRecords(self, request: messages.CheckRecordsRequest, context: grpc.ServicerContext) -> Iterator[messages.CheckRecordsResponse]:
        """Check the logs, or all that is stored."""
        return check_records.check_records(self._ports, self._door.admit(context), request)

    @answered_stream(explain=True)
    def ExportBundle(self, request: messages.ExportBundleRequest, context: grpc.ServicerContext) -> Iterator[messages.ExportBundleResponse]:
        """Proof of many disclosures in one file."""
        exported = evidence_bundle.export_bundle(self._ports, self._door.admit(context), request)
        for start in range(0, len(exported.data), _PART):
            yield messages.ExportBundleResponse(part=exported.data[start : start + _PART])
        yield from evidence_bundle.summary(exported)

    @answered_stream(explain=True)
    def ExportLog(self, request: messages.ExportLogRequest, context: grpc.ServicerContext) -> Iterator[messages.ExportLogResponse]:
        """This node's copy of one log as a file."""
        for piece in log_export.export_log(self._ports, self._door.admit(context), request.origin):
            for start in range(0, len(piece), _PART):
                yield messages.ExportLogResponse(part=piece[start : start + _PART])

    @answered_stream(explain=True)
    def Reconcile(self, request: messages.ReconcileRequest, context: grpc.ServicerContext) -> Iterator[messages.ReconcileResponse]:
        """Compare the logs with a partner's copies."""
        person = self._door.admit(context)
        with self._connect(request.partner) as partner:
            yield from reconcile.reconcile(self._ports, person, request, partner)

    @answered(explain=True)
    def ScreenPassengers(
        self, request: messages.ScreenPassengersRequest, context: grpc.ServicerContext
    ) -> messages.ScreenPassengersResponse:
        """Who of a passenger list may be the person of an alert."""
        return screen.screen(self._ports, self._door.admit(context), request, self._watchlists, mis_hits.suppressed)

    def _release(self, item: Prepared | NotReleased) -> messages.PublishedAlert:
        (published,) = self._sequencer.submit([item]).result()
        return published

    @answered(explain=True)
    def GetWitnessStatus(
        self, _request: messages.GetWitnessStatusRequest, context: grpc.ServicerContext
    ) -> messages.GetWitnessStatusResponse:
        """How this node's journal is witnessed, and which it witnesses."""
        return witness_status.witness_status(self._ports, self._door.admit(context))

    @answered(explain=True)
    def GetJournalConsistency(
        self, request: messages.GetJournalConsistencyRequest, context: grpc.ServicerContext
    ) -> messages.GetJournalConsistencyResponse:
        """Two checkpoints of the journal, and that the second continues the first."""
        return witness_status.journal_consistency(self._ports, self._door.admit(context), request)
