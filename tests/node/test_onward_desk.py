"""Passing on through the officers' door: every method answers whom it is for."""

from pathlib import Path
from typing import Any

from exchange.v1 import desk_service_pb2
from tests.node.test_desk_service import ONWARD, Desk, desk_of
from tests.onward import FIELDS, HOUR, KH_BORDER, VN_BORDER, settle, three
from tests.recalls import flags
from tests.rig import NOW, draft


def test_every_method_about_passing_on_answers_whom_it_is_for(tmp_path: Path) -> None:
    federated = three(tmp_path)
    gb, kh = federated["gb"], federated["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    asked: set[str] = set()
    with desk_of(gb) as ours, desk_of(kh) as theirs:

        def ask(desk: Desk, who: str, method: str, **fields: Any) -> Any:
            asked.add(method)
            return desk.ask(who, method, getattr(desk_service_pb2, f"{method}Request")(**fields))

        wanted = {"third_party": VN_BORDER, "fields": FIELDS, "until": NOW + HOUR, "contact_desk": {"unit": "x", "channel": "y"}}
        published = ask(theirs, "border", "RequestOnward", request_id=b"1" * 16, alert=told.hex(), reason="synthetic", **wanted).published
        assert not published.problems
        request = published.manifest_digest.hex()
        settle(federated)
        assert [one.own for one in ask(ours, "liaison", "ListOnward").onward] == [False]
        decided = ask(ours, "liaison", "DecideOnward", request_id=b"2" * 16, request=request, grant=True, reason="synthetic")
        assert decided.permit_digest
        settle(federated)
        assert ask(theirs, "border", "GetOnward", request=request).permit
        passed_on = ask(theirs, "both", "ReleaseOnward", request_id=b"3" * 16, request=request, reason="synthetic")
        assert passed_on.notice.manifest_digest
        settle(federated)
    assert flags(federated["vn"], told) == []
    assert asked == ONWARD
    federated.close()
