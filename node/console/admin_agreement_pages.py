"""What two countries agreed to tell each other: as tables, against the version before, drafted from a file's text, and countersigned."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from operator import itemgetter
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.agreement_pb2 import AgencyClass
from node.agreement_changes import version_before
from node.confirmations import Confirmation
from node.console.admin_words import CLASS_WORDS, IN_FORCE, MARK_WORDS, STATE_WORDS
from node.console.agreement_view import changes_shown, directions, emergency_words, matrices
from node.console.confirm import Confirming
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import type_words
from node.intake.agreement_file import load_agreement_file
from node.intake.agreement_template import agreement_template, side_of
from node.intake.problems import error
from node.operations.agreements import accept, draft, get, list_agreements
from node.operations.officers import ADMINISTRATOR, LIAISON, require
from node.operations.partners import get_partner, list_partners

_DAYS: Final = 365
PROBLEMS_SHOWN: Final = 20


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


PROBLEMS: Final[Mapping[str, str]] = {
    "AGREEMENT_PARTIES": _said("This country must be one of the two parties of its agreements."),
    "AGREEMENT_EXPIRED": _said("The agreement would have ended already: write a later end."),
    "PARTNER_UNKNOWN": _said("The other party is not a partner yet: add it first."),
    "PARTNER_SUSPENDED": _said("The other party is suspended: resume it first."),
}
"""What to tell a person, by code; other problems are told in English, as the node has them."""


class AdminAgreementPages:
    """Pages about agreements; administrators accept, liaison officers draft as well, others who may read them read."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._ports = site.ports
        self._confirming = confirming
        self._zone = site.zone
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/admin/agreements", answer=self.agreements),
            Page(method="GET", path="/admin/agreements/new", answer=self.ask_draft),
            Page(method="POST", path="/admin/agreements/new", answer=self.draft),
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
        kind = type_words(visit.place["type"])
        return self._pages.page(visit, "admin_agreement_type.html", reference=one.digest.hex(), type=kind, tables=tables, marks=MARK_WORDS)

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
        return RedirectResponse(f"/admin/agreements/{reference}?done", 303)

    def ask_draft(self, visit: Visit) -> Response:
        """Where an agreement is written; with a partner that was chosen, a text to start from. Raises `NotPermitted`, `NotFound`."""
        require(self._ports, visit.person, (ADMINISTRATOR, LIAISON))
        partner = visit.query.get("with", "")
        return self._draft_page(visit, self._template(visit, partner) if partner else "", [])

    def draft(self, visit: Visit) -> Response:
        """Sign an agreement and propose it, or show all that is wrong with its text. Raises `NotPermitted`."""
        require(self._ports, visit.person, (ADMINISTRATOR, LIAISON))
        text = visit.form.get("text", "").replace("\r\n", "\n")
        loaded = load_agreement_file(text)
        problems = list(loaded.problems) if loaded.refused else []
        if not problems and loaded.agreement.emergency != (visit.form.get("emergency") == "yes"):
            problems.append(error("EMERGENCY_UNCLEAR", "emergency", "the text says otherwise", "say the same twice"))
        if not problems:
            try:
                made = draft(self._ports, visit.person, loaded.agreement)
            except (Malformed, Refused) as refused:
                problems.append(error(refused.code, "", str(refused), ""))
            else:
                return RedirectResponse(f"/admin/agreements/{made.digest.hex()}?done", 303)
        return self._draft_page(visit, text, problems)

    def _draft_page(self, visit: Visit, text: str, problems: Sequence[messages.Problem]) -> Response:
        return self._pages.page(
            visit,
            "admin_agreement_new.html",
            status=422 if problems else 200,
            text=text,
            emergency=visit.form.get("emergency", ""),
            partners=[one.trust_domain for one in list_partners(self._ports, visit.person)],
            problems=problems[:PROBLEMS_SHOWN],
            left_off=max(len(problems) - PROBLEMS_SHOWN, 0),
            known=PROBLEMS,
        )

    def _template(self, visit: Visit, trust_domain: str) -> str:
        partner, own = get_partner(self._ports, visit.person, trust_domain), self._ports.known.own.descriptor
        start = datetime.combine(self._ports.clock.now().date(), time(), UTC)
        ours = side_of(own.trust_domain, {one.agency: one.agency_class for one in own.agencies})
        theirs = side_of(partner.trust_domain, {one.agency: one.agency_class for one in partner.agencies})
        return agreement_template(ours, theirs, valid_from=start, valid_until=start + timedelta(days=_DAYS))

    def _agreement_page(self, visit: Visit, one: messages.AgreementSummary, *, unsure: bool, **more: Any) -> Response:
        everything = list_agreements(self._ports, visit.person)
        before = version_before(everything, one)
        changed, left_off = changes_shown(before.agreement, one.agreement, visit.language, self._zone) if before else ([], 0)
        return self._pages.page(
            visit,
            "admin_agreement.html",
            status=422 if unsure or more.get("stale") else 200,
            one=self._row(one),
            content=one.agreement,
            agencies=[{"agency": item.agency, "class": _class_words(item.agency_class)} for item in one.agreement.agencies],
            emergency=emergency_words(one.agreement, visit.language),
            directions=directions(one.agreement, visit.language),
            before=before.digest.hex() if before else "",
            changes=changed,
            left_off=left_off,
            may_accept=one.state == messages.AGREEMENT_STATE_OFFERED and self._may(visit, ADMINISTRATOR),
            unsure=unsure,
            done="done" in visit.query,
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


def _class_words(agency_class: AgencyClass.ValueType) -> str:
    return CLASS_WORDS.get(agency_class, "")
