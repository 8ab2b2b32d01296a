"""The officers' door: every method proves who calls, and answers or refuses with a code; nothing falls through."""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from exchange.encoding import encode
from exchange.errors import NotFound, Unverified
from exchange.v1 import (
    desk_service_pb2,
    desk_service_pb2_grpc,
    evidence_pb2,
    exchange_service_pb2,
    handling_pb2,
    hit_report_pb2,
    people_pb2,
)
from node.operations import draft_box
from node.operations.audit_urgent import list_urgent
from node.operations.log_walk import SharedLogs
from node.operations.partners import own_descriptor
from node.operations.witnesses import sign_journal_checkpoint
from node.policy.pack import read_pack
from node.rpc.desk_service import DeskService
from node.store.directory import raise_alarm
from node.workers.sequencer import Sequencer
from tests import asking, builders
from tests.countries import BORDER, DAY, NOW, POLICE, agency, agreement, changed, domain, emergency, with_clause
from tests.federation import Federation, federation
from tests.inside import national, telling
from tests.recalls import recalled
from tests.rig import Office, draft

BEFORE_RELEASE = {
    "ApproveSubmission",
    "GetSubmission",
    "KeepDraft",
    "ListAssessments",
    "ListSubmissions",
    "RecordAssessment",
    "SubmitAlert",
    "TakeBackSubmission",
    "WithdrawAssessment",
}
INSIDE = {"ConfirmPurge", "DistributeAlert", "ForwardReport", "ListDistributions", "PreviewDistribution"}
ONWARD = {"DecideOnward", "GetOnward", "ListOnward", "ReleaseOnward", "RequestOnward"}
"""Asked in `test_onward_desk`."""
EMERGENCY = {"ListEmergencies", "ReviewEmergency"}
TIPS = {
    *("AnswerTip", "AssessTip", "CloseTip", "ConvertTip", "EraseTip", "GetTip", "ListTips", "OpenTipContact", "ReferTip"),
    *("SafeguardTip", "TakeTip"),
}
"""Asked in tests/node/test_tips_desk.py."""
ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://id.example"
ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
METHODS = [method.name for method in desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].methods]
STREAMED = {method.name for method in desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].methods if method.server_streaming}


class OpenDoor:
    """Stands for `node.rpc.identity.DeskDoor`, which has tests of its own."""

    def __init__(self) -> None:
        self.person: str | None = None

    def admit(self, _context: grpc.ServicerContext) -> str:
        if self.person is None:
            raise Unverified("TLS_UNKNOWN_DOMAIN", "synthetic")
        return self.person


class Desk:
    """One office's DeskService over a loopback connection; `who` is the caller."""

    def __init__(self, office: Office, stub: Any, door: OpenDoor) -> None:
        self._office, self._stub, self._door = office, stub, door

    def ask(self, who: str | None, method: str, question: Message) -> Any:
        self._door.person = self._office.person(who) if who else None
        call = getattr(self._stub, method)
        if method == "PublishAlerts":
            return next(call(iter([question])))
        return list(call(question)) if method in STREAMED else call(question)


@contextmanager
def desk_of(office: Office) -> Iterator[Desk]:
    def fetch(_partner: str, _origin: str, _start: int) -> exchange_service_pb2.FetchEntriesResponse:
        raise AssertionError

    def connect(_partner: str) -> SharedLogs:
        raise NotFound("PARTNER_UNKNOWN", "nobody is reached here")

    door, sequencer = OpenDoor(), Sequencer(office.ports)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    service = DeskService(office.ports, door, sequencer, fetch, connect)  # type: ignore[arg-type]  # a door that asks for no certificate
    desk_service_pb2_grpc.add_DeskServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    sequencer.start()
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Desk(office, desk_service_pb2_grpc.DeskServiceStub(channel), door)
    finally:
        server.stop(0).wait()
        sequencer.stop()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        yield made


def question_of(method: str) -> Message:
    made: Message = getattr(desk_service_pb2, f"{method}Request")()
    return made


def code_of(error: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[grpc.StatusCode, str]:
    call: Any = error.value
    info = error_details_pb2.ErrorInfo()
    for key, value in call.trailing_metadata():
        if key == "grpc-status-details-bin":
            status_pb2.Status.FromString(value).details[0].Unpack(info)
    return call.code(), info.reason


def test_every_method_asks_who_calls_before_anything_else(two: Federation) -> None:
    with desk_of(two["gb"]) as desk:
        for method in METHODS:
            with pytest.raises(grpc.RpcError) as error:
                desk.ask(None, method, question_of(method))
            assert code_of(error) == (grpc.StatusCode.UNAUTHENTICATED, "TLS_UNKNOWN_DOMAIN"), method


def _ask_as_an_auditor(gb: Office, alert: str, ask: Callable[..., Any]) -> None:
    assert ask("auditor", "ListLogs").logs
    assert len(ask("auditor", "GetLog", origin=ORIGIN).entries) == 2
    told = ask("auditor", "CheckRecords", scope=desk_service_pb2.CHECK_SCOPE_FSCK)
    assert not [finding for answer in told for finding in answer.findings]
    assert told[-1].summary.counts
    level = evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
    assert ask("auditor", "ExportEvidence", origin=ORIGIN, index=0, level=level).evidence
    assert b"".join(part.part for part in ask("liaison", "ExportBundle", alert=alert))
    assert b"".join(part.part for part in ask("auditor", "ExportLog", origin=ORIGIN))
    with pytest.raises(grpc.RpcError) as unreached:
        ask("auditor", "Reconcile", partner=domain("kh"))
    assert unreached.value.code() is grpc.StatusCode.NOT_FOUND
    sign_journal_checkpoint(gb.ports)
    status = ask("auditor", "GetWitnessStatus")
    assert status.checkpoint.startswith(status.origin.encode())
    assert ask("administrator", "GetJournalConsistency", first_size=1).second == status.checkpoint


def _ask_to_take_back(two: Federation, alert: str, ask: Callable[..., Any]) -> None:
    why = {"alert": alert, "reason": "synthetic"}
    assert len(ask("liaison", "GetReach", alert=alert).reached) == 2
    more = {"recipient": agency("kh", BORDER), "fields": [6], "ground": 5}
    assert not ask("liaison", "SupplementAlert", request_id=b"1" * 16, **more, **why).published.problems
    assert not ask("liaison", "ReplaceAlert", draft=draft(), **why).replacement.problems
    recall = {"kind": desk_service_pb2.RECALL_KIND_WITHDRAWAL, "withdrawal_reason": 1}
    assert len(ask("liaison", "RecallAlert", request_id=b"2" * 16, **recall, **why).controls) == 2
    two.pump()
    assert desk_service_pb2.WORK_KIND_ATTESTATION_TO_GIVE in {one.kind for one in ask("border", "ListWork").items}
    purge = {"copies_removed": 1, "local_lists_updated": True}
    assert not ask("border", "AttestPurge", request_id=b"3" * 16, **purge, **why).attestations[0].problems


def _ask_about_work(office: Office, partner: str, ask: Callable[..., Any]) -> None:
    with office.ports.store.write() as tx:
        raise_alarm(tx, 1, "LOG_FORK", partner=partner)
    (alarm,) = [one for one in ask("administrator", "ListWork").items if one.detail == "LOG_FORK"]
    assert ask("administrator", "SettleAlarm", reference=alarm.reference.hex(), reason="synthetic").code == "LOG_FORK"
    note = ask("liaison", "HandOver", request_id=bytes(16), note="synthetic").handover
    assert ask("second", "TakeOver", handover=note.id.hex()).handover.taken_by == office.person("second")
    assert [one.id for one in ask("police", "GetHandover").handovers] == [note.id]


def test_every_method_answers_whom_it_is_for(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    gb.ports = replace(gb.ports, issuer=ISSUER)
    wanted = draft(agency("kh", BORDER), agency("kh", POLICE))
    chain = own_descriptor(two["vn"].ports, two["vn"].person("administrator"))
    asked: set[str] = set()
    with desk_of(gb) as ours, desk_of(kh) as theirs:

        def ask(desk: Desk, who: str, method: str, **fields: Any) -> Any:
            asked.add(method)
            return desk.ask(who, method, getattr(desk_service_pb2, f"{method}Request")(**fields))

        assert ask(ours, "liaison", "WhoAmI").trust_domain == gb.domain
        ask(ours, "liaison", "CheckAlert", draft=wanted)
        assert len(ask(ours, "liaison", "PreviewAlert", draft=wanted).recipients) == 2
        (published,) = ask(ours, "liaison", "PublishAlerts", drafts=[wanted], reason="synthetic", urgent=True).alerts
        alert = published.manifest_digest.hex()
        assert [use.code for use in list_urgent(gb.ports, gb.person("auditor"), 0, 0).uses] == ["RELEASED"]
        two.pump()
        assert ask(ours, "liaison", "ListAlerts").alerts[0].manifest_digest.hex() == alert
        assert ask(ours, "liaison", "GetAlert", alert=alert).view == wanted.alert
        assert len(ask(ours, "auditor", "GetAlertStatus", alert=alert).disclosures) == 2
        assert len(ask(theirs, "border", "ListInbox").alerts) == 1
        assert ask(theirs, "border", "GetInboxAlert", alert=alert).view
        listed = b"family_name,given_names,birth_date,sex\nEXAMPLE,THOMAS SPECIMEN,1961-04-12,M\n"
        screened = ask(theirs, "border", "ScreenPassengers", manifest=listed, reason="synthetic")
        assert [proposal.alert.manifest_digest.hex() for proposal in screened.proposals] == [alert]
        report = {"outcome": 8, "desk": {"unit": "Example desk", "channel": "+855 23 000 000"}}
        reported = ask(theirs, "border", "ReportHit", alert=alert, request_id=bytes(16), report=report, reason="synthetic").published
        assert not reported.problems
        own = ask(ours, "liaison", "GetOwnDescriptor")
        assert own.identity_fingerprint == gb.own.chain[0].signatures[0].key_id
        administrator = "administrator"
        ask(ours, administrator, "AddPartner", descriptors=chain.descriptors, fingerprint=chain.identity_fingerprint)
        assert len(ask(ours, administrator, "ListPartners").partners) == 2
        assert ask(ours, administrator, "GetPartner", trust_domain=kh.domain).partner.trust_domain == kh.domain
        assert ask(ours, administrator, "SuspendPartner", trust_domain=kh.domain).partner.suspended
        assert not ask(ours, administrator, "SuspendPartner", trust_domain=kh.domain, resume=True).partner.suspended
        drafted = ask(ours, administrator, "DraftAgreement", agreement=agreement(instrument="Synthetic, second")).summary
        two.carry()
        accepted = ask(theirs, administrator, "AcceptAgreement", agreement=drafted.digest.hex()).summary
        assert accepted.state == desk_service_pb2.AGREEMENT_STATE_ACCEPTED
        assert len(ask(ours, administrator, "ListAgreements").agreements) == 2
        assert ask(ours, administrator, "GetAgreement", agreement=drafted.digest.hex()).summary.digest == drafted.digest
        _ask_as_an_auditor(gb, alert, lambda who, method, **fields: ask(ours, who, method, **fields))
        _ask_to_take_back(two, alert, lambda who, method, **fields: ask(ours if who == "liaison" else theirs, who, method, **fields))
        assert ask(ours, administrator, "RecoverLog", origin=ORIGIN).log.size == gb.outbound(kh).size
        assert ask(ours, administrator, "EndLog", origin=ORIGIN).state == "proposed"
        _ask_about_work(gb, kh.domain, lambda who, method, **fields: ask(ours, who, method, **fields))
        assert ask(ours, administrator, "ExamineNode").checks
        _ask_who_comes_in(gb, lambda method, **fields: ask(ours, administrator, method, **fields))
    assert asked | BEFORE_RELEASE | RETENTION | REQUESTS | INSIDE | ONWARD | EMERGENCY | TIPS == set(METHODS)
    assert not asked & (BEFORE_RELEASE | RETENTION | REQUESTS | INSIDE | ONWARD | EMERGENCY | TIPS)


def _ask_who_comes_in(office: Office, ask: Callable[..., Any]) -> None:
    officer = office.person("liaison")
    assert ask("ListOfficers").officers
    assert ask("EnrolOfficer", officer=officer).code
    assert ask("ForgetPasskeys", officer=officer).passkeys == 0
    assert ask("LinkIdentity", officer=officer, subject="x").issuer == ISSUER
    ask("UnlinkIdentity", officer=officer)


def test_a_reported_mis_hit_is_not_proposed_again(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(agency("kh", BORDER), agency("kh", POLICE))).manifest_digest
    two.pump()
    head = b"family_name,given_names,birth_date,sex,document_number,document_issuer\n"
    listed = head + b"".join(b"EXAMPLE,THOMAS SPECIMEN,1961-04-12,M,55500011%d,GBR\n" % last for last in (1, 2))
    question = desk_service_pb2.ScreenPassengersRequest(manifest=listed, reason="synthetic")
    shown = people_pb2.TravelDocument(type=people_pb2.DOCUMENT_TYPE_PASSPORT, issuer="GBR", number="555000111")
    report = hit_report_pb2.HitReport(outcome=hit_report_pb2.HIT_OUTCOME_NOT_THIS_PERSON, document_shown=shown)
    report.desk.MergeFrom(people_pb2.ContactDesk(unit="Example desk", channel="+855 23 000 000"))

    def places(desk: Desk, who: str) -> tuple[list[int], int]:
        answer = desk.ask(who, "ScreenPassengers", question)
        return sorted(proposal.place for proposal in answer.proposals), answer.known_mis_hits

    with desk_of(gb) as ours, desk_of(kh) as theirs:
        assert places(theirs, "border") == places(ours, "liaison") == ([1, 2], 0)
        reported = desk_service_pb2.ReportHitRequest(alert=alert.hex(), request_id=bytes(16), report=report, reason="synthetic")
        assert not theirs.ask("border", "ReportHit", reported).published.problems
        two.pump()
        assert places(theirs, "border") == places(theirs, "police") == places(ours, "liaison") == ([2], 1)


def test_what_was_told_in_an_emergency_is_listed_and_reviewed(two: Federation) -> None:
    gb = two["gb"]
    two.connect("gb", "kh", emergency())
    handling = builders.handling(permitted_purposes=[handling_pb2.PURPOSE_SAVE_LIFE])
    gb.publish(draft(agency("kh", POLICE), purpose=handling_pb2.PURPOSE_SAVE_LIFE, handling=handling))
    with desk_of(gb) as ours:
        (use,) = ours.ask("auditor", "ListEmergencies", desk_service_pb2.ListEmergenciesRequest()).uses
        question = desk_service_pb2.ReviewEmergencyRequest(agreement=use.agreement_digest.hex(), reason="synthetic finding")
        with pytest.raises(grpc.RpcError) as error:
            ours.ask("liaison", "ReviewEmergency", question)
        assert code_of(error) == (grpc.StatusCode.PERMISSION_DENIED, "REVIEWER_RELEASED_IT")
        assert ours.ask("second", "ReviewEmergency", question).use.reviewed_by == gb.person("second")


def test_every_method_before_a_release_answers_whom_it_is_for(tmp_path: Path) -> None:
    asked: set[str] = set()
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-border", approvals=1))
        gb, kh = two["gb"], two["kh"]
        pack = read_pack((ROOT / "policies/gb/transfers.toml").read_bytes())
        gb.ports.acquaintance.known = replace(gb.ports.known, policy=pack)
        with desk_of(gb) as ours:

            def ask(who: str, method: str, **fields: Any) -> Any:
                asked.add(method)
                return ours.ask(who, method, getattr(desk_service_pb2, f"{method}Request")(**fields))

            weighed = {"destination": kh.domain, "necessity": "synthetic", "proportionality": "synthetic", "review_by": NOW + DAY}
            weighed["overseas_security_and_justice"] = "synthetic reference"
            recorded = ask("liaison", "RecordAssessment", assessment=weighed).summary
            assert len(ask("auditor", "ListAssessments").assessments) == 1
            wanted = [draft(agency("kh", BORDER)) for _ in range(2)]
            first, second = (ask("liaison", "SubmitAlert", draft=one, reason="synthetic").submission for one in wanted)
            assert len(ask("second", "ListSubmissions").submissions) == 2
            assert ask("second", "GetSubmission", submission=first.id.hex()).reason == "synthetic"
            approved = ask("second", "ApproveSubmission", submission=first.id.hex(), preview_digest=first.preview_digest)
            assert not approved.published.problems
            taken = ask("liaison", "TakeBackSubmission", submission=second.id.hex()).submission
            assert taken.state == desk_service_pb2.SUBMISSION_STATE_TAKEN_BACK
            kept = ask("liaison", "KeepDraft", document="type: TravelAlert", reason="synthetic")
            assert draft_box.get(gb.ports, gb.person("liaison"), kept.id).content.reason == "synthetic"
            withdrawn = ask("liaison", "WithdrawAssessment", assessment=recorded.digest.hex()).summary
            assert withdrawn.state == desk_service_pb2.ASSESSMENT_STATE_WITHDRAWN
    assert asked == BEFORE_RELEASE


RETENTION = {
    "ListRetention",
    "RunRetention",
    "HoldAlert",
    "ReleaseHold",
    "ReviewRetention",
    "EraseAlert",
    "GetErasureProof",
    "FindRecipients",
}


def test_every_method_about_retention_answers_whom_it_is_for(two: Federation) -> None:
    gb = two["gb"]
    alert = gb.publish(draft(agency("kh", BORDER))).manifest_digest.hex()
    asked: set[str] = set()
    with desk_of(gb) as ours:

        def ask(who: str, method: str, **fields: Any) -> Any:
            asked.add(method)
            return ours.ask(who, method, getattr(desk_service_pb2, f"{method}Request")(**fields))

        assert not ask("liaison", "ListRetention").alerts
        assert ask("liaison", "HoldAlert", alert=alert, reason="synthetic").retention.holds
        assert not ask("liaison", "ReleaseHold", alert=alert, reason="synthetic").retention.holds
        assert ask("liaison", "ReviewRetention", alert=alert, reason="synthetic").retention.erase_by
        assert ask("administrator", "RunRetention", dry_run=True).erased == 0
        assert len(ask("auditor", "FindRecipients", subject="925076473", reason="synthetic").alerts) == 1
        assert ask("liaison", "EraseAlert", alert=alert, reason="synthetic").retention.summary.flags == ["ERASED"]
        assert len(ask("auditor", "GetErasureProof", alert=alert).entries) == 2
    assert asked == RETENTION


REQUESTS = {"AcknowledgeAlert", "ListRequests", "GetRequest", "AnswerRequest", "RefuseRequest", "SuspendRequest"}


def test_every_method_about_requests_answers_whom_it_is_for(tmp_path: Path) -> None:
    asked: set[str] = set()
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", asking.asking_agreement())
        first, second = (asking.asked(two["gb"]) for _ in range(2))
        two.pump()
        with desk_of(two["kh"]) as theirs:

            def ask(who: str, method: str, digest: bytes = first, **fields: Any) -> Any:
                asked.add(method)
                named = {"alert": digest.hex()} if method == "AcknowledgeAlert" else {"request": digest.hex()}
                question = {} if method == "ListRequests" else named | fields
                return theirs.ask(who, method, getattr(desk_service_pb2, f"{method}Request")(**question))

            def state(digest: bytes = first) -> str:
                (case,) = ask("police", "GetRequest", digest).cases
                return desk_service_pb2.RequestState.Name(case.state).removeprefix("REQUEST_STATE_")

            assert len(ask("police", "ListRequests").requests) == 2
            said = {"reason": "synthetic", "desk": asking.DESK}
            theirs.ask("police", "GetInboxAlert", desk_service_pb2.GetInboxAlertRequest(alert=first.hex()))
            assert not ask("police", "AcknowledgeAlert", request_id=bytes(16), **said).published.problems
            assert state() == "ACKNOWLEDGED"
            assert not ask("police", "SuspendRequest", request_id=bytes(15) + b"1", because=asking.COURT, **said).published.problems
            assert state() == "SUSPENDED"
            answer = {"request_id": bytes(15) + b"2", "alert_type": asking.RESPONSE, "alert": encode(asking.response())}
            assert not ask("liaison", "AnswerRequest", draft=answer, reason="synthetic").published.problems
            assert state() == "ANSWERED"
            refused = ask("police", "RefuseRequest", second, request_id=bytes(15) + b"3", code=1, reason="synthetic")
            assert not refused.published.problems
            assert state(second) == "REFUSED"
    assert asked == REQUESTS


def test_a_refusal_carries_its_code_and_says_why(two: Federation) -> None:
    with desk_of(two["gb"]) as desk, pytest.raises(grpc.RpcError) as error:
        desk.ask("auditor", "GetAlert", desk_service_pb2.GetAlertRequest(alert="00000000"))
    assert code_of(error) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    said: Any = error.value
    assert "liaison officer" in said.details()


def test_every_method_inside_the_country_answers_whom_it_is_for(tmp_path: Path) -> None:
    border, police = agency("kh", BORDER), agency("kh", POLICE)
    without_border = [one for one in agreement().agencies if one.agency != border]
    asked: set[str] = set()
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", changed(agreement(), agencies=without_border))
        gb, kh = two["gb"], two["kh"]
        national(kh)
        alert = gb.publish(telling(police)).manifest_digest
        two.pump()
        with desk_of(kh) as theirs:

            def ask(who: str, method: str, **fields: Any) -> Any:
                asked.add(method)
                descriptor = desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].methods_by_name[method].input_type
                return theirs.ask(who, method, GetMessageClass(descriptor)(**fields))

            wanted = {"request_id": bytes(16), "alert": alert.hex(), "agencies": [border], "reason": "synthetic"}
            (foreseen,) = ask("police", "PreviewDistribution", draft=wanted).recipients
            assert ask("police", "DistributeAlert", draft=wanted).distributions[0].agency == border
            assert ask("border", "GetInboxAlert", alert=alert.hex()).view == foreseen.view
            desk = {"unit": "Example desk", "channel": "+855 23 000 000"}
            said = {"request_id": bytes(16), "alert": alert.hex(), "report": {"outcome": 8, "desk": desk}, "reason": "synthetic"}
            kept = ask("border", "ReportHit", **said).kept
            assert ask("police", "ListDistributions").reports[0].report == kept.report
            on = ask("police", "ForwardReport", request_id=bytes(15) + b"f", report=kept.report, reason="synthetic")
            assert on.published.manifest_digest
            recalled(gb, alert)
            two.pump()
            confirmed = ask("border", "ConfirmPurge", alert=alert.hex(), local_lists_updated=True, reason="synthetic").confirmed
            assert list(confirmed) == [alert]
    assert asked >= INSIDE
