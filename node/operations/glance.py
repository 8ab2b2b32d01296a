"""What each recipient of a draft would see, in numbers: for whoever is writing it, as it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exchange.v1 import desk_service_pb2 as messages
from node.operations.draft_box import DraftContent
from node.operations.planning import ENOUGH
from node.operations.preview import preview_with
from node.operations.replace import foresee
from node.operations.replacement_draft import replacement
from node.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One recipient: how many fields, never which value."""

    recipient: str
    fields: int = 0
    shown: int = 0
    """With those of which it reads that nobody knows them."""
    on_request: int = 0
    left_out: int = 0
    withheld: int = 0
    waits: bool = False
    """Whether it gets that only after a second officer's approval."""
    denied: Sequence[messages.Problem] = ()
    """Why nothing can go to it."""


def glance(ports: Ports, person: str, content: DraftContent, draft: messages.Draft) -> list[Glance]:
    """By the plan of the release, once everybody has approved it; who else tells of the person is not looked up. Raises as `foresee`."""
    if content.replaces is None or not draft.alert_type:
        return list(_seen(ports, preview_with(ports, person, draft, approvals=ENOUGH, others=False)))
    found = foresee(ports, person, replacement(draft, content.replaces, content.reason), approvals=ENOUGH)
    left = [Glance(recipient=one, denied=found.why.get(one, ())) for one in found.not_admitted]
    return [*_seen(ports, found.shown), *left]


def _seen(ports: Ports, answer: messages.PreviewAlertResponse) -> Iterator[Glance]:
    for one in answer.recipients:
        if one.denied:
            yield Glance(recipient=one.recipient, denied=list(one.denied))
            continue
        by = Counter(field.visibility for field in one.fields)
        yield Glance(
            recipient=one.recipient,
            fields=len(one.fields),
            shown=by[messages.VISIBILITY_SHOWN] + by[messages.VISIBILITY_SHOWN_NOT_KNOWN],
            on_request=by[messages.VISIBILITY_NEEDS_REASON],
            left_out=by[messages.VISIBILITY_UNTICKED],
            withheld=by[messages.VISIBILITY_FORBIDDEN],
            waits=ports.known.agreements[one.agreement_digest].clauses[one.clause].approvals > 0,
        )
