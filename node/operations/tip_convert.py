"""From a tip to a draft for another country, keeping the thread; and back: what became of a tip that another country passed on to us."""

import json
from collections.abc import Callable
from typing import Final

from exchange.encoding import encode
from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from exchange.v1.tip_pb2 import TIP_STATE_ACTED_UPON, TIP_STATE_UNDER_ASSESSMENT, TipState, TipStatus
from exchange.values import PartyId
from node.operations import draft_box
from node.operations.access import note_access
from node.operations.inbox import DESK, given_to
from node.operations.officers import LIAISON, agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import purpose_for
from node.operations.tip_content import TIP_TYPE, open_tip, plan_of
from node.operations.tip_desk import find
from node.ports import Ports
from node.store import alerts
from node.store.envelope import DAY_MS
from node.store.journal import Event, Kind
from node.store.tips import HELD
from node.tips.conversion import convert, purpose_of
from node.tips.draft_file import draft_document
from node.tips.routing import proposed

VALID_DAYS: Final = 30
KEPT_DAYS: Final = 90
"""Of an answer: after that it has served its purpose."""
_LOOKED_AT: Final = frozenset({TIP_STATE_UNDER_ASSESSMENT, TIP_STATE_ACTED_UPON})
_STATUS_TYPE: Final = TipStatus.DESCRIPTOR.full_name

Release = Callable[[Prepared | NotReleased], messages.PublishedAlert]


def convert_tip(ports: Ports, person: str, request: messages.ConvertTipRequest) -> messages.Draft:
    """A draft made of a tip that the caller's desk has taken, for an agency abroad; nothing is released.

    Without a partner the draft is for the first agency that the suspect's country proposes. Raises `NotPermitted` as `require`, `NotFound`
    (TIP_UNKNOWN, ERASED, SUSPECT_UNKNOWN, PARTNER_UNKNOWN), `Malformed` (CONVERT_TYPE, PARTNER_MISSING), `Conflict` (TIP_STATE).
    """
    agency = agency_of(require(ports, person, DESK))
    plan = plan_of(ports, person)
    with ports.store.read() as tx:
        row = find(tx, agency, request.tip)
        if row.state not in _LOOKED_AT:
            raise Conflict("TIP_STATE", "take the tip first: exchange tip take")
        tip = open_tip(ports, tx, row)
    recipient = request.partner or next(iter(proposed(tip, plan)), "")
    if not recipient:
        raise Malformed("PARTNER_MISSING", "the tip proposes no country: name an agency, --partner")
    _check_partner(ports, recipient)
    alert = convert(tip, request.alert_type, request.suspect)
    purpose = handling_pb2.Purpose.ValueType(purpose_of(request.alert_type))
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="TIP_DRAFT", subject=row.digest or b""))
    return messages.Draft(
        alert_type=request.alert_type,
        alert=encode(alert),
        recipients=[recipient],
        purpose=purpose,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2],
            permitted_purposes=[purpose],
            judicial_use=handling_pb2.JUDICIAL_USE_NONE,
            onward=handling_pb2.ONWARD_RULE_ASK,
        ),
        not_after=ports.clock.now_ms() + VALID_DAYS * DAY_MS,
        thread=row.digest or b"",
    )


def proposed_for(ports: Ports, person: str, reference: str) -> tuple[list[str], int]:
    """The agencies abroad (SPIFFE IDs) that a tip of the caller's desk proposes to tell, and how many suspects it describes.

    Recorded, since it tells of the tip. Raises as `convert_tip`.
    """
    agency = agency_of(require(ports, person, DESK))
    plan = plan_of(ports, person)
    with ports.store.read() as tx:
        row = find(tx, agency, reference)
        tip = open_tip(ports, tx, row) if row.content == HELD else None
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="TIP", subject=row.digest or b""))
    return (proposed(tip, plan), len(tip.suspects)) if tip is not None else ([], 0)


def keep_draft(ports: Ports, person: str, request: messages.ConvertTipRequest) -> bytes:
    """The same as a draft of the caller in the console, by its id; nothing is released. Raises as `convert_tip` and `draft_box.create`."""
    require(ports, person, (LIAISON,))
    document = draft_document(convert_tip(ports, person, request))
    # As the reader of alert files has it: numbers are texts.
    plain = json.loads(json.dumps(document), parse_int=str)
    return draft_box.create(ports, person, draft_box.DraftContent(document=plain)).id


def answer_tip(ports: Ports, person: str, request: messages.AnswerTipRequest, release: Release) -> messages.PublishedAlert:
    """Tell the agency that passed a tip on to the caller's agency what became of it: the state alone, over the reverse log.

    Raises `NotFound` as `alerts.find`, `Malformed` (ALERT_NOT_A_TIP, TIP_STATE_UNKNOWN), and as `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    if not request.state or request.state not in TipState.values():
        raise Malformed("TIP_STATE_UNKNOWN", "an answer is one of the states of a tip: --state")
    with ports.store.read() as tx:
        alert = alerts.find(tx, request.alert, inbox_of=agency)
        given = given_to(tx, alert, agency)[-1]
    if alert.alert_type != TIP_TYPE:
        raise Malformed("ALERT_NOT_A_TIP", "only a tip is answered by its state: see `exchange inbox show`")
    now = ports.clock.now_ms()
    purpose = purpose_for(ports.known, (alert.originator,), _STATUS_TYPE, given.entry.purpose, now)
    draft = messages.Draft(
        request_id=request.request_id,
        alert_type=_STATUS_TYPE,
        alert=encode(TipStatus(tip_digest=alert.digest, state=request.state)),
        recipients=[alert.originator],
        purpose=purpose,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1],
            permitted_purposes=[purpose],
            judicial_use=handling_pb2.JUDICIAL_USE_NONE,
            onward=handling_pb2.ONWARD_RULE_NONE,
        ),
        not_after=now + KEPT_DAYS * DAY_MS,
        thread=given.entry.thread or alert.digest,
        in_reply_to=alert.digest,
    )
    return release(prepare(ports, person, draft, request.reason))


def _check_partner(ports: Ports, recipient: str) -> None:
    try:
        party = PartyId.parse(recipient)
    except ExchangeError:
        raise Malformed("PARTNER_MISSING", "a partner is an agency abroad, such as gb.alerts.example/agency/nca-ceop") from None
    if party.trust_domain == ports.trust_domain:
        raise Refused("PARTNER_OWN", "this agency is of this country: refer the tip to it, exchange tip refer")
    if party.trust_domain not in ports.known.partners:
        raise NotFound("PARTNER_UNKNOWN", "no partner of this trust domain is known here: see `exchange partner list`")
