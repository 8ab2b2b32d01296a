"""What officers do with an alert after its release, as tests ask for it: recall, replace, supplement, attest."""

import itertools
from collections.abc import Sequence
from typing import Any

from exchange.encoding import encode
from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import attest, inbox, outbox, recall, replace, retell, supplement
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from tests import builders
from tests.countries import changed
from tests.rig import Office, draft

KIND = desk_service_pb2.RecallKind
WITHDRAWAL, RESTRICTION, LIFTING = (
    desk_service_pb2.RECALL_KIND_WITHDRAWAL,
    desk_service_pb2.RECALL_KIND_RESTRICTION,
    desk_service_pb2.RECALL_KIND_LIFTING,
)
_ids = itertools.count(1)


def request_id() -> bytes:
    return b"recall  " + next(_ids).to_bytes(8, "big")


def together(office: Office) -> recall.Release:
    """The sequencer, called at once."""

    def release(items: Sequence[Prepared | NotReleased]) -> list[desk_service_pb2.PublishedAlert]:
        return sequence(office.ports, items)

    return release


def recalled(office: Office, digest: bytes, kind: int = WITHDRAWAL, *, name: str = "liaison", **changes: Any) -> Any:
    """Recall an alert of that office. Changes are fields of `RecallAlertRequest`."""
    wanted = desk_service_pb2.RecallAlertRequest(
        request_id=request_id(),
        alert=digest.hex(),
        kind=KIND.ValueType(kind),
        withdrawal_reason=control_pb2.WITHDRAWAL_REASON_WRONG_PERSON if kind == WITHDRAWAL else None,
        restriction_reason=control_pb2.RESTRICTION_REASON_UNDER_REVIEW if kind == RESTRICTION else None,
        reason="synthetic reason",
    )
    return recall.recall_alert(office.ports, office.person(name), changed(wanted, **changes), together(office))


def other_alert(**changes: Any) -> TravelAlert:
    """The alert of `builders.alert()`, on another flight."""
    alert = builders.alert()
    alert.itinerary[0].service_number = "XX 99"
    return changed(alert, **changes)


def replaced(
    office: Office,
    digest: bytes,
    alert: TravelAlert | None = None,
    *,
    wrong: Sequence[int] = (),
    reason: int = 0,
    to: Sequence[str] = (),
    name: str = "liaison",
    asked: bytes = b"",
    as_it_stands: bool = False,
) -> desk_service_pb2.ReplaceAlertResponse:
    """Update an alert of that office, or correct it if there is a `reason` (CorrectionReason); `asked` is an id of the request."""
    wanted = desk_service_pb2.ReplaceAlertRequest(
        alert=digest.hex(),
        draft=draft(*to, alert=encode(alert or other_alert()), request_id=asked or request_id()),
        as_it_stands=as_it_stands,
        correction_reason=control_pb2.CorrectionReason.ValueType(reason),
        wrong_fields=wrong,
        reason="synthetic reason",
    )
    return replace.replace_alert(office.ports, office.person(name), wanted, together(office))


def corrected(office: Office, digest: bytes, alert: TravelAlert | None = None, **options: Any) -> desk_service_pb2.ReplaceAlertResponse:
    """Correct an alert of that office, for a factual error."""
    return replaced(office, digest, alert, reason=control_pb2.CORRECTION_REASON_FACTUAL_ERROR, **options)


def supplemented(
    office: Office, digest: bytes, to: str, *fields: int, name: str = "liaison", **changes: Any
) -> desk_service_pb2.PublishedAlert:
    """Tell an agency more of an alert. Changes are fields of `SupplementAlertRequest`."""
    wanted = desk_service_pb2.SupplementAlertRequest(
        request_id=request_id(),
        alert=digest.hex(),
        recipient=to,
        fields=fields,
        ground=disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION,
        reason="synthetic reason",
    )
    return supplement.supplement_alert(office.ports, office.person(name), changed(wanted, **changes), together(office)).published


def attested(office: Office, digest: bytes, name: str = "border", **changes: Any) -> desk_service_pb2.AttestPurgeResponse:
    """Attest a purge at that office. Changes are fields of `AttestPurgeRequest`."""
    wanted = desk_service_pb2.AttestPurgeRequest(
        request_id=request_id(), alert=digest.hex(), copies_removed=2, local_lists_updated=True, reason="synthetic reason"
    )
    return attest.attest_purge(office.ports, office.person(name), changed(wanted, **changes), together(office))


def told_waiting(office: Office) -> int:
    return retell.tell_waiting(office.ports, together(office))


def shown(office: Office, digest: bytes, name: str = "border") -> desk_service_pb2.GetInboxAlertResponse:
    """An alert as an officer of that office reads it."""
    return inbox.get_inbox_alert(office.ports, office.person(name), digest.hex())


def status(office: Office, digest: bytes) -> desk_service_pb2.GetAlertStatusResponse:
    return outbox.get_status(office.ports, office.person("liaison"), digest.hex())


def flags(office: Office, digest: bytes, name: str = "border") -> list[str]:
    """What the inbox says of an alert, without what depends on the last confirmation; nothing if it is not there."""
    found = [alert for alert in office.received(name) if alert.manifest_digest == digest]
    return [flag for alert in found for flag in alert.flags if flag not in {"NOT_CONFIRMED", "EXPIRED"}]


def own_flags(office: Office, digest: bytes) -> list[str]:
    return [flag for flag in status(office, digest).summary.flags if flag != "EXPIRED"]


def codes(answer: desk_service_pb2.PublishedAlert) -> set[str]:
    """The codes of what refused a release."""
    return {problem.code for problem in answer.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR}


def stages(office: Office, digest: bytes) -> dict[str, str]:
    """How each agency's attestation stands, by the last part of its name."""
    names = desk_service_pb2.AttestationStage
    found = status(office, digest).attestations
    return {one.agency.rpartition("/")[2]: names.Name(one.stage).removeprefix("ATTESTATION_STAGE_") for one in found}
