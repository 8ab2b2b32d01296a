"""What desks do with tips, as tests ask for it."""

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from node.operations import tip_contact, tip_convert, tip_desk, tip_erase
from tests.rig import Office
from tests.tips import (
    KH_POLICE,
    TIP,
)

WHY = "synthetic reason"


WHY = "synthetic reason"


def seen(office: Office, reference: str, name: str = "border") -> messages.GetTipResponse:
    return tip_desk.get_tip(office.ports, office.person(name), reference)


def listed(office: Office, name: str = "border", *, all_: bool = False) -> list[messages.TipSummary]:
    return list(tip_desk.list_tips(office.ports, office.person(name), messages.ListTipsRequest(all=all_)).tips)


def taken(office: Office, reference: str, name: str = "border") -> messages.TipSummary:
    return tip_desk.take_tip(office.ports, office.person(name), reference)


def assessed(office: Office, reference: str, state: int, name: str = "border", reason: str = WHY) -> messages.TipSummary:
    request = messages.AssessTipRequest(tip=reference, state=state, reason=reason)  # type: ignore[arg-type]  # any number
    return tip_desk.assess_tip(office.ports, office.person(name), request)


def referred(office: Office, reference: str, to: str = KH_POLICE, name: str = "border") -> messages.TipSummary:
    return tip_desk.refer_tip(office.ports, office.person(name), messages.ReferTipRequest(tip=reference, agency=to, reason=WHY))


def closed(office: Office, reference: str, name: str = "border", code: int = messages.TIP_CLOSE_REASON_DEALT_WITH) -> messages.TipSummary:
    request = messages.CloseTipRequest(tip=reference, code=code, reason=WHY)  # type: ignore[arg-type]  # any number
    return tip_desk.close_tip(office.ports, office.person(name), request)


def contact(office: Office, reference: str, name: str = "border", **changes: object) -> messages.TipContact:
    wanted = {"purpose": handling_pb2.PURPOSE_CHILD_SAFEGUARDING, "reason": WHY} | changes
    request = messages.OpenTipContactRequest(tip=reference, **wanted)  # type: ignore[arg-type]  # as the test wants it
    return tip_contact.open_tip_contact(office.ports, office.person(name), request)


def converted(office: Office, reference: str, kind: str = TIP, name: str = "police", partner: str = "", suspect: int = 0) -> messages.Draft:
    request = messages.ConvertTipRequest(tip=reference, alert_type=kind, partner=partner, suspect=suspect)
    return tip_convert.convert_tip(office.ports, office.person(name), request)


def erased(office: Office, reference: str, name: str = "border", *, contact_alone: bool = False, reason: str = WHY) -> messages.TipSummary:
    request = messages.EraseTipRequest(tip=reference, contact_alone=contact_alone, reason=reason)
    return tip_erase.erase_tip(office.ports, office.person(name), request).tip


def events(office: Office) -> list[tuple[str, str]]:
    return [(kind, code) for kind, _, _, code in office.journal() if code.startswith("TIP")]


def safeguarded(office: Office, reference: str, name: str = "border") -> messages.TipSummary:
    request = messages.SafeguardTipRequest(tip=reference, code=messages.TIP_SAFEGUARD_DO_NOT_CONFRONT)
    return tip_desk.safeguard_tip(office.ports, office.person(name), request)
