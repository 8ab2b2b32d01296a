"""An agreement that is written here: its text, what it says as tables and against the version in force, and the signature that proposes it.

Until then the text is kept for the session, so that whoever goes back finds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.encoding import encode
from exchange.errors import Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.agreement_pb2 import Agreement
from node.confirmations import Confirmation
from node.console.admin_words import MARK_WORDS
from node.console.agreement_view import agreement_shown, matrices
from node.console.confirm import Confirming
from node.console.kept import Kept
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Elsewhere, Visit
from node.console.words import type_words
from node.intake.agreement_file import load_agreement_file
from node.intake.agreement_template import agreement_template, side_of
from node.intake.problems import error
from node.operations.agreements import check_draft, draft, list_agreements
from node.operations.officers import ADMINISTRATOR, LIAISON, require
from node.operations.partners import get_partner, list_partners

_DAYS: Final = 365
PROBLEMS_SHOWN: Final = 20
NEW: Final = "/admin/agreements/new"
CHECK: Final = f"{NEW}/check"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    text: str
    agreement: Agreement
    partner: str


class AdminProposePages:
    """Pages on which administrators and liaison officers write an agreement, read it and sign it."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming, kept: Kept) -> None:
        self._ports = site.ports
        self._zone = site.zone
        self._pages = pages
        self._confirming = confirming
        self._kept = kept

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family; before those that name an agreement."""
        return (
            Page(method="GET", path=NEW, answer=self.ask_draft),
            Page(method="POST", path=NEW, answer=self.draft),
            Page(method="GET", path=CHECK, answer=self.check),
            Page(method="POST", path=CHECK, answer=self.propose),
            Page(method="GET", path=f"{CHECK}/{{type}}", answer=self.matrix),
        )

    def ask_draft(self, visit: Visit) -> Response:
        """Where it is written: what this session wrote before, or a text to start from. Raises `NotPermitted`, `NotFound`."""
        require(self._ports, visit.person, (ADMINISTRATOR, LIAISON))
        partner = visit.query.get("with", "")
        if partner:
            return self._draft_page(visit, self._template(visit, partner), [])
        written: _Written | None = self._kept.get(visit, NEW)
        if written is None:
            return self._draft_page(visit, "", [])
        return self._draft_page(visit, written.text, [], emergency="yes" if written.agreement.emergency else "")

    def draft(self, visit: Visit) -> Response:
        """Go on to read what the text says, or show all that is wrong with it. Raises `NotPermitted`."""
        require(self._ports, visit.person, (ADMINISTRATOR, LIAISON))
        text = visit.form.get("text", "").replace("\r\n", "\n")
        loaded = load_agreement_file(text)
        problems = list(loaded.problems) if loaded.refused else []
        if not problems and loaded.agreement.emergency != (visit.form.get("emergency") == "yes"):
            problems.append(error("EMERGENCY_UNCLEAR", "emergency", "the text says otherwise", "say the same twice"))
        if not problems:
            try:
                _, partner = check_draft(self._ports, visit.person, loaded.agreement)
            except (Malformed, Refused) as refused:
                problems.append(error(refused.code, "", str(refused), ""))
            else:
                self._kept.put(visit, NEW, _Written(text=text, agreement=loaded.agreement, partner=partner))
                return RedirectResponse(CHECK, 303)
        return self._draft_page(visit, text, problems, emergency=visit.form.get("emergency", ""))

    def check(self, visit: Visit) -> Response:
        """What it would say. Raises `NotPermitted`, `Elsewhere` if nothing is written."""
        return self._check_page(visit, self._written(visit), unsure=False)

    def matrix(self, visit: Visit) -> Response:
        """What it would say of one type of alert. Raises as `check`, `NotFound`."""
        tables = matrices(self._written(visit).agreement, visit.place["type"], visit.language)
        if not tables:
            raise NotFound("PATH_UNKNOWN", "there is no such page")
        kind = type_words(visit.place["type"])
        return self._pages.page(visit, "admin_agreement_type.html", reference="", base=CHECK, type=kind, tables=tables, marks=MARK_WORDS)

    def propose(self, visit: Visit) -> Response:
        """Sign it and propose it, if it was read, by a passkey that signs the same. Raises as `check`, and as `draft`."""
        written = self._written(visit)
        if visit.form.get("read") != "yes":
            return self._check_page(visit, written, unsure=True)
        content = sha256(encode(written.agreement)).hexdigest()
        values = {"content": content, "instrument": written.agreement.instrument, "partner": written.partner}
        taken = self._confirming.taken(visit, "propose_agreement", values)
        if not isinstance(taken, Confirmation):
            asked = self._confirming.ask(visit, "propose_agreement", values)
            return self._check_page(visit, written, unsure=False, asked=asked, stale=taken)
        made = draft(self._ports, visit.person, written.agreement, taken)
        self._kept.take(visit, NEW)
        place = f"/admin/agreements/{made.digest.hex()}"
        self._kept.put(visit, place, "done")
        return RedirectResponse(place, 303)

    def _written(self, visit: Visit) -> _Written:
        require(self._ports, visit.person, (ADMINISTRATOR, LIAISON))
        written: _Written | None = self._kept.get(visit, NEW)
        if written is None:
            raise Elsewhere(NEW)
        return written

    def _check_page(self, visit: Visit, written: _Written, *, unsure: bool, **more: Any) -> Response:
        one = messages.AgreementSummary(agreement=written.agreement)
        return self._pages.page(
            visit,
            "admin_agreement_check.html",
            status=422 if unsure or more.get("stale") else 200,
            partner=written.partner,
            base=CHECK,
            unsure=unsure,
            **agreement_shown(list_agreements(self._ports, visit.person), one, visit.language, self._zone),
            **more,
        )

    def _draft_page(self, visit: Visit, text: str, problems: Sequence[messages.Problem], *, emergency: str = "") -> Response:
        return self._pages.page(
            visit,
            "admin_agreement_new.html",
            status=422 if problems else 200,
            text=text,
            emergency=emergency,
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
