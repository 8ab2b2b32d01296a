"""What a previewed recipient's desk would read: the answer that its own node would give it, as far as that follows from the draft alone."""

from exchange.encoding import cut
from exchange.errors import ExchangeError
from exchange.handling import clause_handling, combine
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2
from exchange.values import PartyId
from node.operations.arrivals import landing
from node.operations.changes import changes
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require
from node.operations.replace import told_before
from node.ports import Ports

_SHOWN = frozenset({desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN})


def as_read(
    ports: Ports, person: str, draft: desk_service_pb2.Draft, shown: desk_service_pb2.RecipientPreview
) -> desk_service_pb2.GetInboxAlertResponse:
    """The draft as one recipient of its preview will read it on arrival. How long that country keeps it is its own law's to say."""
    agency = agency_of(require(ports, person, (LIAISON, PARTNER_OFFICER)))
    kind, now = alert_type(draft.alert_type), ports.clock.now_ms()
    opened = {field.field for field in shown.fields if field.visibility in _SHOWN}
    clause = ports.known.agreements[shown.agreement_digest].clauses[shown.clause]
    replaces, before = told_before(ports, person, draft, shown.recipient)
    given = cut(shown.view)
    return desk_service_pb2.GetInboxAlertResponse(
        summary=desk_service_pb2.AlertSummary(
            alert_type=draft.alert_type,
            originator=agency,
            issued_at=now,
            not_after=draft.not_after,
            training=ports.training,
            received_at=now,
            arrives_at=landing(kind.message.FromString(shown.view)),
        ),
        handling=combine(draft.handling, clause_handling(clause)),
        view=shown.view,
        undisclosed=[number for number in kind.numbers if number not in opened],
        confirmed_at=now,
        confirmed_now=True,
        replaces=replaces,
        changes=changes(before, {number: given.get(number, b"") for number in opened}) if replaces else (),
    )


def languages_at(ports: Ports, agency: str) -> tuple[str, ...]:
    """The languages that an agency's country says it reads (`km` of km-KH), the one it likes best first; none where it says nothing."""
    try:
        partner = ports.known.partners.get(PartyId.parse(agency).trust_domain)
    except ExchangeError:
        partner = None
    return tuple(tag.partition("-")[0] for tag in partner.node.descriptor.languages) if partner else ()
