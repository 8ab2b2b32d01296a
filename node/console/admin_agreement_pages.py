"""What two countries agreed to tell each other: as tables, against the version before, and countersigned."""

from operator import itemgetter
from typing import Any

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import Confirmation
from node.console.admin_words import IN_FORCE, MARK_WORDS, STATE_WORDS
from node.console.agreement_view import agreement_shown, matrices
from node.console.confirm import Confirming
from node.console.kept import Kept
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import type_words
from node.operations.agreements import accept, get, list_agreements
from node.operations.officers import ADMINISTRATOR, LIAISON, require


class AdminAgreementPages:
    """Pages about agreements; administrators accept, others who may read them read."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming, kept: Kept) -> None:
        self._ports = site.ports
        self._confirming = confirming
        self._kept = kept
        self._zone = site.zone
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/admin/agreements", answer=self.agreements),
            Page(method="GET", path="/admin/agreements/{agreement}", answer=self.agreement),
            Page(method="POST", path="/admin/agreements/{agreement}", answer=self.accept),
            Page(method="GET", path="/admin/agreements/{agreement}/{type}", answer=self.matrix),
        )

    def agreements(self, visit: Visit) -> Response:
        """Every agreement and proposal, the newest first. Raises `NotPermitted`."""
        found = list_agreements(self._ports, visit.person)
        rows = sorted((self._row(one) for one in reversed(found)), key=itemgetter("partner"))
        return self._pages.page(visit, "admin_agreements.html", agreements=rows, may_draft=self._may(visit, ADMINISTRATOR, LIAISON))

    def agreement(self, visit: Visit) -> Response:
        """One, with what differs from the version before. Raises `NotPermitted`, `NotFound`."""
        return self._agreement_page(visit, get(self._ports, visit.person, visit.digest("agreement")), unsure=False)

    def matrix(self, visit: Visit) -> Response:
        """What it says of one type of alert: fields by clause. Raises as `agreement`."""
        one = get(self._ports, visit.person, visit.digest("agreement"))
        tables = matrices(one.agreement, visit.place["type"], visit.language)
        if not tables:
            raise NotFound("PATH_UNKNOWN", "there is no such page")
        kind, reference = type_words(visit.place["type"]), one.digest.hex()
        base = f"/admin/agreements/{reference}"
        return self._pages.page(
            visit, "admin_agreement_type.html", reference=reference, base=base, type=kind, tables=tables, marks=MARK_WORDS
        )

    def accept(self, visit: Visit) -> Response:
        """Countersign what a partner offered, if it was read, by a passkey that signs the same. Raises as `accept`."""
        reference = visit.digest("agreement")
        require(self._ports, visit.person, (ADMINISTRATOR,))
        found = get(self._ports, visit.person, reference)
        if visit.form.get("read") != "yes":
            return self._agreement_page(visit, found, unsure=True)
        values = {"agreement": reference, "instrument": found.agreement.instrument, "partner": self._partner(found)}
        taken = self._confirming.taken(visit, "accept_agreement", values)
        if not isinstance(taken, Confirmation):
            asked = self._confirming.ask(visit, "accept_agreement", values)
            return self._agreement_page(visit, found, unsure=False, asked=asked, stale=taken)
        accept(self._ports, visit.person, reference, taken)
        place = f"/admin/agreements/{reference}"
        self._kept.put(visit, place, "done")
        return RedirectResponse(place, 303)

    def _agreement_page(self, visit: Visit, one: messages.AgreementSummary, *, unsure: bool, **more: Any) -> Response:
        base = f"/admin/agreements/{one.digest.hex()}"
        return self._pages.page(
            visit,
            "admin_agreement.html",
            status=422 if unsure or more.get("stale") else 200,
            one=self._row(one),
            base=base,
            **agreement_shown(list_agreements(self._ports, visit.person), one, visit.language, self._zone),
            may_accept=one.state == messages.AGREEMENT_STATE_OFFERED and self._may(visit, ADMINISTRATOR),
            unsure=unsure,
            done=self._kept.take(visit, base),
            **more,
        )

    def _row(self, one: messages.AgreementSummary) -> dict[str, Any]:
        return {
            "reference": one.digest.hex(),
            "partner": self._partner(one),
            "state": IN_FORCE if one.in_force else STATE_WORDS.get(one.state, ""),
            "in_force": one.in_force,
            "offered": one.state == messages.AGREEMENT_STATE_OFFERED,
            "instrument": one.agreement.instrument,
            "emergency": one.agreement.emergency,
            "valid_from": one.agreement.valid_from,
            "valid_until": one.agreement.valid_until,
        }

    def _partner(self, one: messages.AgreementSummary) -> str:
        return ", ".join(party.trust_domain for party in one.agreement.parties if party.trust_domain != self._ports.trust_domain)

    def _may(self, visit: Visit, *roles: str) -> bool:
        return bool({*roles} & {*self._ports.officers[visit.person].roles})
