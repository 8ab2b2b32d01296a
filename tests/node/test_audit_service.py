"""The auditors' door: every method proves who calls, answers an auditor and nobody else, and refuses with a code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from exchange.v1 import audit_service_pb2, audit_service_pb2_grpc
from tests.countries import BORDER, agency
from tests.federation import Federation, federation
from tests.node.audit_desk import OpenDoor, audit_desk
from tests.rig import draft

METHODS = [method.name for method in audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"].methods]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(agency("kh", BORDER)))
        made.pump()
        yield made


def ask(channel: grpc.Channel, method: str, **fields: Any) -> Any:
    return getattr(audit_service_pb2_grpc.AuditServiceStub(channel), method)(getattr(audit_service_pb2, f"{method}Request")(**fields))


def code_of(error: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[grpc.StatusCode, str]:
    call: Any = error.value
    info = error_details_pb2.ErrorInfo()
    for key, value in call.trailing_metadata():
        if key == "grpc-status-details-bin":
            status_pb2.Status.FromString(value).details[0].Unpack(info)
    return call.code(), info.reason


def test_every_method_asks_who_calls_and_whether_that_is_an_auditor(two: Federation) -> None:
    gb = two["gb"]
    door = OpenDoor(None)
    with audit_desk(gb, door) as channel:
        for method in METHODS:
            door.person = None
            with pytest.raises(grpc.RpcError) as error:
                ask(channel, method)
            assert code_of(error) == (grpc.StatusCode.UNAUTHENTICATED, "TLS_UNKNOWN_DOMAIN"), method
            door.person = gb.person("administrator")
            with pytest.raises(grpc.RpcError) as error:
                ask(channel, method)
            assert code_of(error) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING"), method


def test_every_method_answers_an_auditor(two: Federation) -> None:
    gb = two["gb"]
    asked = {
        "ListEvents": {"filter": "kind = DISCLOSURE"},
        "GetEvent": {"index": 0},
        "GetProof": {"index": 0},
        "GetConsistency": {"first_size": 1, "second_size": 2},
        "GetCheckpoint": {},
        "GetTile": {"width": 1},
        "ListDisclosures": {},
        "OpenEvent": {"index": 0, "group": 1, "purpose": 1, "justification": "inspection"},
        "ListRepeatedReasons": {"at_least": 2},
        "ListUrgent": {},
        "ListAlarms": {},
        "GetStatistics": {},
        "ReportSubject": {"alerts": [_first(two)], "justification": "request"},
    }
    assert list(asked) == METHODS
    with audit_desk(gb, OpenDoor(gb.person("auditor"))) as channel:
        answers = {method: ask(channel, method, **fields) for method, fields in asked.items()}
    assert [answers["ListEvents"].events[0].index] == [4]
    assert answers["GetCheckpoint"].checkpoint.startswith(b"gb.alerts.example/journal/1\n")
    assert answers["ReportSubject"].alerts[0].disclosures[0].index == 0
    assert answers["OpenEvent"].record


def _first(two: Federation) -> str:
    with two["gb"].ports.store.read() as tx:
        digest: bytes = tx.exec_driver_sql("SELECT digest FROM alerts").scalar_one()
    return digest.hex()


def test_a_refusal_says_why_to_our_own_auditor(two: Federation) -> None:
    gb = two["gb"]
    with audit_desk(gb, OpenDoor(gb.person("auditor"))) as channel, pytest.raises(grpc.RpcError) as error:
        ask(channel, "ListEvents", filter="name = SECRET")
    assert code_of(error) == (grpc.StatusCode.INVALID_ARGUMENT, "FILTER")
    told: Any = error.value
    assert "character 1: there is no such field" in told.details()
    assert "SECRET" not in told.details()
