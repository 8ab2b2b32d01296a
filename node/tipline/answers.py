"""What an NGO reads, as JSON: the status, whom to call, what is missing, what is asked of it. Never what it sent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from exchange.v1.desk_service_pb2 import TipSafeguard
from exchange.v1.tip_pb2 import TipState
from exchange.values import format_uuid
from node.operations.tip_line import TipAnswer
from node.tips.safeguards import SAFEGUARDS
from node.tips.states import DRAFT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def tip_document(answer: TipAnswer) -> dict[str, Any]:
    """One tip."""
    document: dict[str, Any] = _short(answer)
    if answer.complete is not None:
        missing = [{"field": one.field, "ask": one.ask, "weight": one.weight} for one in answer.complete.missing]
        document["completeness"] = {"score": answer.complete.score, "missing": missing}
    document["call_now"] = [{"name": one.name, "channel": one.channel} for one in answer.call_now]
    document["safeguarding_requests"] = [_safeguard(code, at) for code, at in answer.safeguards]
    document["abroad"] = [_state(state) for state in answer.abroad]
    return document


def list_document(found: Sequence[TipAnswer], more: int) -> dict[str, Any]:
    """All of one's own; `next` goes into the next request's `after`."""
    return {"tips": [_short(answer) for answer in found], "next": str(more) if more else None}


def _short(answer: TipAnswer) -> dict[str, Any]:
    tip = format_uuid(answer.tip_id)
    return {"id": tip, "reference": answer.reference, "state": _state(answer.state), "erased": answer.erased}


def _state(state: int) -> str:
    return "DRAFT" if state == DRAFT else TipState.Name(TipState.ValueType(state)).removeprefix("TIP_STATE_")


def _safeguard(code: int, at: int) -> dict[str, str]:
    name = TipSafeguard.Name(TipSafeguard.ValueType(code)).removeprefix("TIP_SAFEGUARD_")
    moment = _EPOCH + timedelta(milliseconds=at)
    return {"code": name, "text": SAFEGUARDS[name], "requested_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
