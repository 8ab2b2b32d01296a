"""NGOs, their tips and the desks that work on them, as tests ask for it."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from exchange.profile import alert_type
from exchange.v1 import agreement_pb2, desk_service_pb2
from node.operations import tip_convert, tip_line
from node.operations.sequence import sequence
from node.operations.tip_line import TipAnswer
from node.tips.plan import CallNow, TipPlan, place_key
from tests.countries import BORDER, NGO, POLICE, agency, agreement, changed, clause, domain
from tests.rig import Office

NGO_ID, OTHER_NGO = f"spiffe://{domain('kh')}/ngo/hotline", f"spiffe://{domain('kh')}/ngo/shelter"
KH_POLICE, KH_BORDER, GB_POLICE = agency("kh", POLICE), agency("kh", BORDER), agency("gb", POLICE)
EMERGENCY = CallNow(name="Emergency police", channel="117", provinces=frozenset())
HELPLINE = CallNow(name="Child helpline of Siem Reap", channel="1280", provinces=frozenset({place_key("Siem Reap")}))
TIP, STATUS = "exchange.v1.Tip", "exchange.v1.TipStatus"
SECRET = "Synthetic Suspect"
"""Stands in a tip, and must stand nowhere else."""
REPORTER = "+855 12 000 001"
"""Stands in the escrow, and must stand nowhere else."""

_ids = itertools.count(1)


def plan(**changes: Any) -> TipPlan:
    """Cambodia's plan: the border agency is the local desk of Siem Reap, the police the national desk."""
    whole = TipPlan(
        ngos={NGO_ID: "Hotline (EXAMPLE)", OTHER_NGO: "Shelter (EXAMPLE)"},
        agencies={agency("kh", NGO): NGO_ID},
        national_desk=KH_POLICE,
        desks={place_key("Siem Reap"): KH_BORDER, place_key("KH-17"): KH_BORDER},
        countries={"GBR": GB_POLICE},
        contacts=(HELPLINE, EMERGENCY),
    )
    return replace(whole, **changes)


def takes_tips(office: Office, **changes: Any) -> Office:
    """The office with that plan."""
    office.ports = replace(office.ports, tips=plan(**changes))
    return office


def new_id() -> bytes:
    """A UUID as a client would make one; not random, so that runs are the same."""
    return bytes.fromhex("0d9f7a3c5e1b4a60b2c4") + next(_ids).to_bytes(6, "big")


def content(**changes: Any) -> dict[str, Any]:
    """A tip as an NGO writes it: a man from the United Kingdom in Siem Reap, and a child who may be in danger. None leaves a field out."""
    whole: dict[str, Any] = {
        "anonymous": True,
        "observed": "2026-05",
        "place": {"area": {"country": "KHM", "province": "Siem Reap"}, "premises": "GUESTHOUSE"},
        "suspects": [
            {
                "names_as_heard": [{"as_written": SECRET, "strength": "WEAK"}],
                "description": "Tall, grey beard.",
                "apparent_nationalities": [{"country": "GBR", "basis": "PRESUMED"}],
                "occupation": "teacher",
            }
        ],
        "concerns": ["ALONE_WITH_CHILDREN"],
        "immediate_danger": {"present": True, "reason": "He is there with a child now."},
        "child": {"count": 1, "age_uncertain": True},
        "evidence_custodian": "The hotline",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def body(tip: dict[str, Any] | None = None, **more: Any) -> bytes:
    """What the NGO sends."""
    return json.dumps({"language": "en", "tip": content() if tip is None else tip, **more}).encode()


def saved(office: Office, tip_id: bytes | None = None, *, ngo: str = NGO_ID, **more: Any) -> TipAnswer:
    """Save a tip; `more` are further parts of what is sent, and `tip` its content."""
    return tip_line.save_tip(office.ports, ngo, tip_id or new_id(), body(**more))


def submitted(office: Office, *, ngo: str = NGO_ID, **more: Any) -> TipAnswer:
    """Save a tip and submit it."""
    return tip_line.submit_tip(office.ports, ngo, saved(office, ngo=ngo, **more).tip_id)


def calm(**changes: Any) -> dict[str, Any]:
    """A tip of which nothing says that a child is in danger now: it goes to the national desk."""
    return content(immediate_danger={"present": False}, **changes)


def answering(office: Office) -> Callable[..., desk_service_pb2.PublishedAlert]:
    """`tip answer` at that office."""

    def answer(alert: bytes, state: int, name: str = "police") -> desk_service_pb2.PublishedAlert:
        request = desk_service_pb2.AnswerTipRequest(
            request_id=b"tips    " + next(_ids).to_bytes(8, "big"), alert=alert.hex(), state=state, reason="synthetic reason"
        )
        return tip_convert.answer_tip(office.ports, office.person(name), request, lambda item: sequence(office.ports, [item])[0])

    return answer


def tips_agreement() -> agreement_pb2.Agreement:
    """Cambodia and the United Kingdom tell each other's police everything of tips, their status, requests and warnings."""
    kinds = (TIP, STATUS, "exchange.v1.InformationRequest", "exchange.v1.SubjectWarning", "exchange.v1.TravelAlert")
    clauses = [
        clause(*way, POLICE, kind, required=None, permitted=alert_type(kind).numbers, on_request=None)
        for way in (("gb", "kh"), ("kh", "gb"))
        for kind in kinds
    ]
    return changed(agreement("gb", "kh"), clauses=sorted(clauses, key=lambda one: one.id))


def finished(draft: desk_service_pb2.Draft) -> desk_service_pb2.Draft:
    """A converted draft, with the id that a client adds."""
    return changed(draft, request_id=b"tips    " + next(_ids).to_bytes(8, "big"))
