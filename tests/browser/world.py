"""Every page of the console with something on it: two offices in this process, and an address for each route."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from exchange.v1 import desk_service_pb2
from exchange.v1.tip_pb2 import Tip
from node.console.assets import load_assets
from node.console.compose_steps import steps_of
from node.console.preview_words import recipient_reference
from node.console.service import SESSION_COOKIE, Console
from node.console.tell_steps import STEPS
from node.console.tip_deeds import DEEDS
from node.console.visits import write_secret
from node.httpd import HttpListener
from node.operations import approve, draft_box
from node.operations.draft_box import DraftContent, HeldDraft
from node.operations.handover import hand_over
from node.operations.outbox import get_status
from node.operations.replacement_draft import begin_replacement
from node.operations.sessions import begin_session
from node.operations.tip_form import begin_tip, save_draft, submit_draft
from tests.asking import asked, asking_agreement
from tests.console_admin import admin_places
from tests.console_opens import IN_PATHS, OPENS
from tests.console_site import site_of
from tests.countries import BORDER, POLICE, TRAVEL, agency, changed, with_clause
from tests.federation import Federation, federation
from tests.node.test_console_release import DOCUMENT
from tests.onward import VN_BORDER, agreed
from tests.onward import asked as asked_for_leave
from tests.recalls import together
from tests.rig import ROLES, Office, draft
from tests.system.nodes import free_port_pair
from tests.tips import new_id, takes_tips

_FIRST = ("border", "liaison", "auditor", "administrator", *ROLES)
"""As whom a page is opened that several roles may open."""
_EACH = {
    "{step}": [step.name for step in STEPS],
    "{part}": [step.code for step in steps_of(TRAVEL)],
    "{deed}": [deed.name for deed in DEEDS],
}
"""Where one route is several pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One page, and who opens it."""

    route: str
    who: str
    """A name of `ROLES`; empty for whoever is not signed in."""
    sent: Mapping[str, str] | None = None
    """What its form is sent with: what is seen then is a page too. None: it is not sent."""

    def send(self, page: Page) -> None:
        """Fill the form in, and send it."""
        for name, value in (self.sent or {}).items():
            field = page.locator(f'main [name="{name}"]')
            if field.first.get_attribute("type") in {"radio", "checkbox"}:
                page.check(f'main [name="{name}"][value="{value}"]')
            else:
                field.fill(value)
        with page.expect_navigation():
            page.locator("main form button").first.click()


_NO_PAGES = {"/inbox/news", "/sign-in/oidc/return"}
"""What is read by a script; and what an issuer leads to (tests/browser/test_oidc.py)."""
_SENT = "/audit/disclosures/kh.alerts.example/gb.alerts.example/1/0"
_PROOF = "/sent/{told}/proof/gb.alerts.example/1/0"
_LIST = "family_name,given_names,birth_date,sex,nationality\nEXAMPLE,THOMAS SPECIMENMR,1961-04-12,M,GBR\nBYSTANDER,QUITE,1977-99,F,FRA\n"
_MORE = (
    Shown(route="/sign-in", who=""),
    Shown(route="/enrol", who=""),
    Shown(route="/nothing", who=""),
    Shown(route="/tell/{sent}", who="ngo"),
    Shown(route="/enrol", who="", sent={}),
    Shown(route="/inbox/{alert}/report", who="border", sent={}),
    Shown(route="/handover", who="liaison"),
    Shown(route="/work", who="liaison"),
    Shown(route="/admin/officers/{officer}", who="administrator", sent={}),
    Shown(route="/admin/partners/new", who="administrator", sent={}),
    Shown(route="/admin/agreements/new?with={partner}", who="administrator", sent={}),
    Shown(route="/screen", who="border", sent={}),
    Shown(route="/screen", who="border", sent={"pasted": _LIST}),
    Shown(route="/screen", who="border", sent={"pasted": "nothing,of,the,kind"}),
    Shown(route="/tell/{tip}/place", who="ngo", sent={"year": "soon"}),
    Shown(route="/tips/{sent}/close", who="liaison", sent={}),
    Shown(route="/tips/{sent}/contact", who="liaison", sent={"choice": "CHILD_SAFEGUARDING", "reason": "A case."}),
    Shown(route="/drafts/{draft}/preview", who="liaison", sent={"reason": ""}),
    Shown(route="/drafts/{draft}/preview", who="liaison", sent={"reason": "An example."}),
    Shown(route="/leave/{leave}", who="liaison"),
    Shown(route="/leave/{decide}", who="liaison"),
    Shown(route="/leave/{decide}/decide", who="liaison", sent={}),
    Shown(route="/leave/{leave}/pass-on", who="liaison", sent={}),
    Shown(route="/inbox/{alert}/leave", who="liaison", sent={}),
    Shown(route="/sent/{own}", who="liaison"),
    Shown(route=_PROOF, who="liaison"),
    Shown(route=f"{_PROOF}?level=DATA", who="liaison"),
    Shown(route="/sent/{own}/proof/gb.alerts.example/1/{unsent}", who="liaison"),
    Shown(route="/sent/{own}/withdraw", who="liaison", sent={}),
    Shown(route="/sent/{own}/withdraw", who="liaison", sent={"code": "COURT_ORDER", "days": "7", "reason": "An example."}),
    Shown(route="/sent/{own}/restrict", who="liaison"),
    Shown(route="/sent/{own}/correct", who="liaison", sent={}),
    Shown(route="/sent/{own}/update", who="liaison"),
    Shown(route="/drafts/{replacing}", who="liaison"),
    Shown(route="/drafts/{replacing}/correction", who="liaison"),
    Shown(route="/drafts/{replacing}/preview", who="liaison", sent={"reason": "An example."}),
    Shown(route="/drafts/{replacing}/preview/{reader}", who="liaison"),
    Shown(route="/sent/{own}/supplement/{reader}", who="liaison", sent={}),
    Shown(route="/requests/{request}", who="liaison"),
    Shown(route="/requests/{request}/answer", who="liaison"),
    Shown(route="/sent/{own}/lift", who="liaison"),
    Shown(route="/drafts/{draft}/preview/{reader}", who="liaison"),
    Shown(route="/drafts/{draft}?reader={reader}", who="liaison"),
    Shown(route="/drafts/{draft}/step/person?reader={reader}", who="liaison"),
    Shown(route="/approvals/{submission}", who="second"),
    Shown(route="/approvals/{submission}/read/{other_reader}", who="second"),
    Shown(route="/approvals/{submission}/approve", who="second"),
    Shown(route=_SENT, who="auditor"),
    Shown(route=f"{_SENT}/open", who="auditor", sent={}),
    Shown(route=f"{_SENT}/open", who="auditor", sent={"purpose": "LAWFULNESS", "reason": "An inspection."}),
)
"""What is seen besides: without being signed in, in another state, and what is wrong."""


def every_page() -> list[Shown]:
    """Each page that is shown to somebody; what the console has and the matrix lacks fails elsewhere (tests/node)."""
    pages = list(_MORE)
    for (method, path), (who, status) in OPENS.items():
        if method == "GET" and status == 200 and path not in _NO_PAGES:
            # A desk sees what was sent alone.
            routes = [path.replace("/tips/{tip}", "/tips/{sent}")]
            for name, several in _EACH.items():
                routes = [route.replace(name, one) for route in routes for one in (several if name in route else [""])]
            # The desk that has the tip and the question is the liaison officer's.
            first = "liaison" if path.startswith(("/tips/", "/requests/")) else next(name for name in _FIRST if name in who)
            pages += [Shown(route=route, who=first) for route in routes]
    return pages


def unseen(pages: list[Shown]) -> list[str]:
    """The routes of the console of which no page is among these; what only leads elsewhere is none."""
    leading = {path for (method, path), (_, status) in OPENS.items() if method == "GET" and status == 303}
    routes = {path for method, path in OPENS if method == "GET"} - _NO_PAGES - leading
    patterns = {route: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))) for route in routes}
    return sorted(route for route, pattern in patterns.items() if not any(pattern.fullmatch(page.route) for page in pages))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A console that is served, and what its addresses are made of."""

    office: Office
    origin: str
    places: dict[str, str]
    """For each name in braces of a route what stands there."""

    def address(self, route: str) -> str:
        """Where a browser finds an example of a route. Raises `KeyError` if this file makes none."""
        return self.origin + re.sub(r"\{(\w+)\}", lambda found: self.places[found[1]], route)

    def enter(self, context: BrowserContext, name: str) -> None:
        """Let a context be this person's alone, as after showing a passkey; nobody's if there is no name."""
        context.clear_cookies()
        if not name:
            return
        ports = self.office.ports
        with ports.store.write() as tx:
            secret = begin_session(ports, tx, self.office.person(name), "PASSKEY")
        # From a page of this host Chromium takes such a cookie without TLS; from a program it wants to be told that there was some.
        cookie: Any = {"name": SESSION_COOKIE, "value": write_secret(secret), "url": self.origin.replace("http:", "https:"), "secure": True}
        context.add_cookies([cookie])


@contextmanager
def world(place: Path) -> Iterator[World]:
    """Cambodia’s office, served."""
    with one_of_each(place) as (office, places):
        port = free_port_pair()
        site = site_of(office, port=port)
        listener = HttpListener(f"127.0.0.1:{port}", Console(site, load_assets()).application(), "console")
        listener.start()
        try:
            yield World(office=office, origin=f"http://{site.authority}", places=places)
        finally:
            listener.stop()


@contextmanager
def one_of_each(place: Path) -> Iterator[tuple[Office, dict[str, str]]]:
    """Cambodia’s office, which was told of one man, was asked a question, and was asked for leave; and what addresses are made of."""
    with federation(place, "gb", "kh", "vn") as three:
        clauses = {one.id: one for made in (asking_agreement(), agreed("gb", "kh")) for one in made.clauses}
        both = changed(agreed("gb", "kh"), clauses=[clauses[one] for one in sorted(clauses)])
        three.connect("gb", "kh", with_clause(both, "kh-gb-travelalert-border", approvals=1))
        three.connect("gb", "vn", agreed("gb", "vn"))
        three.connect("kh", "vn", agreed("kh", "vn"))
        office = takes_tips(three["kh"])
        yield office, _places(three)


def _places(three: Federation) -> dict[str, str]:
    published = three["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
    assert not published.problems
    request = asked(three["gb"])
    three.pump()
    office = three["kh"]
    tip, sent = (begin_tip(office.ports, office.person("ngo"), new_id(), "en") for _ in range(2))
    contact = desk_service_pb2.TipContact(telephone="+855 00 000 000")
    save_draft(office.ports, office.person("ngo"), sent, Tip(language="km", evidence_custodian="EXAMPLE"), contact)
    submit_draft(office.ports, office.person("ngo"), sent)
    own = office.publish(draft(agency("gb", POLICE)))
    assert not own.problems
    three.pump()
    leave = asked_for_leave(office, published.manifest_digest, VN_BORDER, name="liaison")
    decide = asked_for_leave(three["gb"], own.manifest_digest, VN_BORDER, name="liaison")
    assert not [*leave.problems, *decide.problems]
    three.pump()
    of_leave = {"leave": leave.manifest_digest.hex(), "decide": decide.manifest_digest.hex()}
    administered = {name.strip("{}"): value for name, value in admin_places(office).items()}
    return {
        **IN_PATHS,
        **administered,
        **of_leave,
        "alert": published.manifest_digest.hex(),
        "told": own.manifest_digest.hex(),
        "tip": tip,
        "sent": sent,
        "part": "names",
        "request": request.hex(),
        **_of_liaison(office),
    }


def _of_liaison(office: Office) -> dict[str, str]:
    """A draft that is ready, an alert that was sent, one that waits for a second officer, and a colleague's note."""
    document: Any = {**DOCUMENT, "recipients": [agency("gb", POLICE)]}
    held = draft_box.create(office.ports, office.person("liaison"), DraftContent(document=document, reason="synthetic reason"))
    own = office.publish(draft(agency("gb", POLICE)))
    corrects = begin_replacement(office.ports, office.person("liaison"), own.manifest_digest.hex(), "FACTUAL_ERROR", ("birth",))
    assert isinstance(corrects, HeldDraft)
    (unsent,) = get_status(office.ports, office.person("liaison"), own.manifest_digest.hex()).disclosures
    request = desk_service_pb2.SubmitAlertRequest(draft=draft(agency("gb", BORDER)), reason="synthetic reason")
    waiting = approve.submit(office.ports, office.person("liaison"), request, together(office)).submission
    hand_over(
        office.ports, office.person("second"), new_id(), "Ask again at nine about 0123abcd.\nThe list of the evening is not screened yet."
    )
    reader = recipient_reference(agency("gb", POLICE))
    other = recipient_reference(agency("gb", BORDER))
    return {
        "draft": held.id.hex(),
        "own": own.manifest_digest.hex(),
        "unsent": str(unsent.disclosure.index),
        "replacing": corrects.id.hex(),
        "submission": waiting.id.hex(),
        "reader": reader,
        "other_reader": other,
    }
