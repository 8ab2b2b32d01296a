"""The officers' door: every method proves who calls, and answers or refuses with a code; nothing falls through."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from exchange.errors import Unverified
from exchange.v1 import desk_service_pb2, desk_service_pb2_grpc, evidence_pb2, exchange_service_pb2
from node.operations.partners import own_descriptor
from node.rpc.desk_service import DeskService
from node.workers.sequencer import Sequencer
from tests.countries import BORDER, POLICE, agency, agreement
from tests.federation import Federation, federation
from tests.rig import Office, draft

ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
METHODS = [method.name for method in desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].methods]


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
        return next(call(iter([question]))) if method == "PublishAlerts" else call(question)


@contextmanager
def desk_of(office: Office) -> Iterator[Desk]:
    def fetch(_partner: str, _origin: str, _start: int) -> exchange_service_pb2.FetchEntriesResponse:
        raise AssertionError

    door, sequencer = OpenDoor(), Sequencer(office.ports)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    service = DeskService(office.ports, door, sequencer, fetch)  # type: ignore[arg-type]  # a door that asks for no certificate
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


def test_every_method_answers_whom_it_is_for(two: Federation) -> None:  # noqa: PLR0915  each method has its lines
    gb, kh = two["gb"], two["kh"]
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
        (published,) = ask(ours, "liaison", "PublishAlerts", drafts=[wanted], reason="synthetic").alerts
        alert = published.manifest_digest.hex()
        two.pump()
        assert ask(ours, "liaison", "ListAlerts").alerts[0].manifest_digest.hex() == alert
        assert ask(ours, "liaison", "GetAlert", alert=alert).view == wanted.alert
        assert len(ask(ours, "auditor", "GetAlertStatus", alert=alert).disclosures) == 2
        assert len(ask(theirs, "border", "ListInbox").alerts) == 1
        assert ask(theirs, "border", "GetInboxAlert", alert=alert).view
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
        assert ask(ours, "auditor", "ListLogs").logs
        assert len(ask(ours, "auditor", "GetLog", origin=ORIGIN).entries) == 2
        assert not ask(ours, "auditor", "VerifyLog").findings
        assert not ask(ours, "auditor", "Fsck").findings
        level = evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
        assert ask(ours, "auditor", "ExportEvidence", origin=ORIGIN, index=0, level=level).evidence
        assert not ask(ours, "liaison", "ListAssessments").assessments
        for method in ("RecordAssessment", "WithdrawAssessment"):
            with pytest.raises(grpc.RpcError) as error:
                ask(ours, "liaison", method)
            assert code_of(error)[0] != grpc.StatusCode.UNKNOWN, "answered, with the reason: there is no policy here"
        why = {"alert": alert, "reason": "synthetic"}
        assert len(ask(ours, "liaison", "GetReach", alert=alert).reached) == 2
        more = {"recipient": agency("kh", BORDER), "fields": [6], "ground": 5}
        assert not ask(ours, "liaison", "SupplementAlert", request_id=b"1" * 16, **more, **why).published.problems
        assert not ask(ours, "liaison", "ReplaceAlert", draft=draft(), **why).replacement.problems
        recall = {"kind": desk_service_pb2.RECALL_KIND_WITHDRAWAL, "withdrawal_reason": 1}
        assert len(ask(ours, "liaison", "RecallAlert", request_id=b"2" * 16, **recall, **why).controls) == 2
        two.pump()
        purge = {"copies_removed": 1, "local_lists_updated": True}
        assert not ask(theirs, "border", "AttestPurge", request_id=b"3" * 16, **purge, **why).attestations[0].problems
        assert ask(ours, administrator, "RecoverLog", origin=ORIGIN).log.size == gb.outbound(kh).size
        assert ask(ours, administrator, "EndLog", origin=ORIGIN).state == "proposed"
    assert asked == set(METHODS)


def test_a_refusal_carries_its_code_and_says_why(two: Federation) -> None:
    with desk_of(two["gb"]) as desk, pytest.raises(grpc.RpcError) as error:
        desk.ask("auditor", "GetAlert", desk_service_pb2.GetAlertRequest(alert="00000000"))
    assert code_of(error) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    said: Any = error.value
    assert "liaison officer" in said.details()
