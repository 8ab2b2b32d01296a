"""What was sent: the list, one alert as it was sent, and what became of it at each recipient."""

from typing import Any

from starlette.responses import Response

from exchange.v1 import desk_service_pb2 as messages
from node.console.alert_words import alert_view
from node.console.compose_pages import TYPES
from node.console.page import Page
from node.console.pages import Pages
from node.console.sent_words import owed, recall_words, state_words, tellings
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_at, type_words
from node.console.work_words import flag_words
from node.operations.outbox import get_alert, get_status, list_alerts
from node.operations.sent_rows import Reached, list_reached


class SentPages:
    """Pages of what this agency originated."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/sent", answer=self.listed),
            Page(method="GET", path="/sent/{alert}", answer=self.show),
        )

    def listed(self, visit: Visit) -> Response:
        """The alerts of the person's agency, fifty at a time, newest first. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        found = list_alerts(self._ports, visit.person, messages.ListAlertsRequest(page_token=visit.query.get("after", "")))
        reached = list_reached(self._ports, visit.person, found.alerts)
        rows = [_row(one, reached.get(one.manifest_digest)) for one in found.alerts]
        return self._pages.page(visit, "sent.html", alerts=rows, older=found.next_page_token)

    def show(self, visit: Visit) -> Response:
        """One alert as it was sent, and its timelines. Raises as `get_alert`."""
        reference = visit.digest()
        sent, status = get_alert(self._ports, visit.person, reference), get_status(self._ports, visit.person, reference)
        texts = texts_at(visit.language, self._ports.trust_domain)
        erased = "ERASED" in sent.summary.flags
        shown = messages.GetInboxAlertResponse(summary=sent.summary, handling=sent.handling, view=sent.view)
        if erased:
            shown.blocked = messages.BLOCKED_ERASED
        return self._pages.page(
            visit,
            "sent_alert.html",
            alert=alert_view(shown, visit.language, texts),
            erased=erased,
            state={"withdrawn": "WITHDRAWN" in sent.summary.flags, "restricted": "RESTRICTED" in sent.summary.flags},
            superseded="SUPERSEDED" in sent.summary.flags,
            tellings=tellings(status, visit.language, texts),
            recalls=recall_words(status, visit.language),
            owed=owed(status, visit.language),
            waiting=list(status.waiting),
            succession=[one.hex() for one in status.manifests],
            composed=sent.summary.alert_type in TYPES,
            done=[
                name for name in ("released", "withdraw", "restrict", "lift", "supplement", "corrected", "updated") if name in visit.query
            ],
        )


def _row(one: messages.AlertSummary, reached: Reached | None) -> dict[str, Any]:
    return {
        "reference": one.manifest_digest.hex(),
        "kind": type_words(one.alert_type),
        "issued_at": one.issued_at,
        "not_after": one.not_after,
        "lands": reached.lands if reached else (),
        "told": [(agency, state_words(state)) for agency, state in sorted(reached.told.items())] if reached else [],
        "flags": [flag_words(flag) for flag in one.flags],
    }
