"""Other countries' nodes: who they are, adding one by its descriptor and what its people read out, suspending and resuming one."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import Conflict, Malformed, Refused, Unverified
from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import Confirmation
from node.console.admin_words import CLASS_WORDS
from node.console.confirm import Confirming
from node.console.kept import Kept
from node.console.page import Page
from node.console.pages import Pages
from node.console.problem_words import words_of
from node.console.site import Site
from node.console.visits import Visit
from node.fingerprints import GROUP, groups, held_back, read_bytes, with_group
from node.intake.descriptor_text import read_descriptor, write_descriptor
from node.operations.officers import ADMINISTRATOR, require
from node.operations.partners import add_partner, get_partner, list_partners, offered_partner, own_descriptor, suspend_partner

REASON_AT_MOST: Final = 500
_OF_A_DESCRIPTOR: Final = (Malformed, Unverified, Refused, Conflict)
"""What may be wrong with what was pasted; who may paste it is not among them."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


PROBLEMS: Final[Mapping[str, str]] = {
    "TRAINING_MISMATCH": _said("One of the two nodes is for training, the other is not. They never mix."),
    "HEARD": _said("Write the four words, or the eight digits, that the partner reads as this group"),
    "SAME": _said("Confirm that you compared every other group"),
    "REASON": _said("Say why: your auditors will read it"),
}
"""What to tell a person, by code."""


class AdminPartnerPages:
    """Pages about partners; administrators change, others who may read them read."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming, kept: Kept) -> None:
        self._ports = site.ports
        self._confirming = confirming
        self._kept = kept
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family; `new` before whatever a partner could be called."""
        return (
            Page(method="GET", path="/admin/partners", answer=self.partners),
            Page(method="GET", path="/admin/partners/new", answer=self.ask_descriptor),
            Page(method="POST", path="/admin/partners/new", answer=self.offer),
            Page(method="POST", path="/admin/partners/compare", answer=self.add),
            Page(method="GET", path="/admin/partners/{partner}", answer=self.partner),
            Page(method="POST", path="/admin/partners/{partner}", answer=self.suspend),
        )

    def partners(self, visit: Visit) -> Response:
        """Every partner, and what to give to a new one. Raises `NotPermitted`."""
        own = own_descriptor(self._ports, visit.person)
        return self._pages.page(
            visit,
            "admin_partners.html",
            partners=list_partners(self._ports, visit.person),
            may_change=self._may_change(visit),
            descriptor=write_descriptor(own.descriptors),
            groups=groups(own.identity_fingerprint),
        )

    def partner(self, visit: Visit) -> Response:
        """One partner. Raises `NotPermitted`, `NotFound` (PARTNER_UNKNOWN)."""
        return self._partner_page(visit, get_partner(self._ports, visit.person, visit.place["partner"]), "", [])

    def ask_descriptor(self, visit: Visit) -> Response:
        """Where a descriptor is pasted. Raises `NotPermitted`."""
        require(self._ports, visit.person, (ADMINISTRATOR,))
        return self._pages.page(visit, "admin_partner_new.html", problem="", code="", descriptor="")

    def offer(self, visit: Visit) -> Response:
        """Who the descriptor says that it is from, and what its people must read out. Nothing is kept. Raises `NotPermitted`."""
        text = visit.form.get("descriptor", "")
        chain = read_descriptor(text)
        require(self._ports, visit.person, (ADMINISTRATOR,))
        try:
            if chain is None:
                raise Malformed("DESCRIPTOR_TEXT", "the text is no descriptor")
            offered = offered_partner(self._ports, visit.person, chain)
        except _OF_A_DESCRIPTOR as refused:
            shown = {"known": PROBLEMS, "code": refused.code, "descriptor": text}
            return self._pages.page(visit, "admin_partner_new.html", status=422, **shown)
        return self._compare_page(visit, chain, offered, {})

    def add(self, visit: Visit) -> Response:
        """Pin the partner by the groups that were compared and the one that was heard, and by a passkey that signs the whole.

        Raises as `offered_partner` and `add_partner`.
        """
        chain = read_descriptor(visit.form.get("descriptor", "")) or b""
        offered = offered_partner(self._ports, visit.person, chain)
        print_ = offered.identity_fingerprint
        heard = read_bytes(visit.form.get("heard", ""), GROUP)
        problems = {} if heard else {"heard": PROBLEMS["HEARD"]}
        if visit.form.get("same") != "yes":
            problems["same"] = PROBLEMS["SAME"]
        if heard is None or problems:
            return self._compare_page(visit, chain, offered, problems)
        fingerprint = with_group(print_, held_back(print_), heard)
        if fingerprint != print_:
            return self._compare_page(visit, chain, offered, {"heard": words_of("FINGERPRINT_MISMATCH")})
        values = {"partner": offered.trust_domain, "fingerprint": fingerprint.hex(), "descriptor": sha256(chain).hexdigest()}
        taken = self._confirming.taken(visit, "add_partner", values)
        if not isinstance(taken, Confirmation):
            asked = self._confirming.ask(visit, "add_partner", values)
            return self._compare_page(visit, chain, offered, {}, asked=asked, stale=taken)
        added = add_partner(self._ports, visit.person, chain, fingerprint, taken)
        return self._done(visit, added.trust_domain)

    def suspend(self, visit: Visit) -> Response:
        """Stop exchanging with a partner, or take it up again, with a reason. Raises as `suspend_partner`, `Malformed` (FORM)."""
        require(self._ports, visit.person, (ADMINISTRATOR,))
        reason, what = visit.form.get("reason", "").strip(), visit.form.get("what")
        if what not in {"suspend", "resume"}:
            raise Malformed("FORM", "the form says neither suspend nor resume")
        found = get_partner(self._ports, visit.person, visit.place["partner"])
        if not reason or len(reason) > REASON_AT_MOST:
            return self._partner_page(visit, found, reason, [PROBLEMS["REASON"]])
        suspend_partner(self._ports, visit.person, found.trust_domain, resume=what == "resume", reason=reason)
        return self._done(visit, found.trust_domain)

    def _done(self, visit: Visit, trust_domain: str) -> Response:
        self._kept.put(visit, _place(trust_domain), "done")
        return RedirectResponse(_place(trust_domain), 303)

    def _partner_page(self, visit: Visit, found: messages.PartnerSummary, reason: str, problems: list[str]) -> Response:
        return self._pages.page(
            visit,
            "admin_partner.html",
            status=422 if problems else 200,
            partner=found,
            agencies=_agencies(found),
            groups=groups(found.identity_fingerprint),
            may_change=self._may_change(visit),
            reason=reason,
            problems=problems,
            done=self._kept.take(visit, _place(found.trust_domain)),
        )

    def _compare_page(
        self, visit: Visit, chain: bytes, offered: messages.PartnerSummary, problems: Mapping[str, str], **more: Any
    ) -> Response:
        return self._pages.page(
            visit,
            "admin_partner_compare.html",
            status=422 if problems or more.get("stale") else 200,
            partner=offered,
            agencies=_agencies(offered),
            groups=groups(offered.identity_fingerprint),
            heard=held_back(offered.identity_fingerprint),
            descriptor=write_descriptor(chain),
            said=visit.form.get("heard", ""),
            same=visit.form.get("same", ""),
            problems=problems,
            **more,
        )

    def _may_change(self, visit: Visit) -> bool:
        return ADMINISTRATOR in self._ports.officers[visit.person].roles


def _place(trust_domain: str) -> str:
    return f"/admin/partners/{trust_domain}"


def _agencies(found: messages.PartnerSummary) -> list[dict[str, Any]]:
    return [{"agency": one.agency, "name": one.name, "class": CLASS_WORDS.get(one.agency_class, "")} for one in found.agencies]
