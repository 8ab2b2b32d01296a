"""Every page of the console with something on it: two offices in this process, and an address for each route."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from exchange.v1.desk_service_pb2 import SubmitAlertRequest
from node.console.assets import load_assets
from node.console.compose_steps import steps_of
from node.console.preview_words import recipient_reference
from node.console.service import SESSION_COOKIE, Console
from node.console.tell_steps import STEPS
from node.console.visits import write_secret
from node.httpd import HttpListener
from node.operations import approve, draft_box
from node.operations.draft_box import DraftContent
from node.operations.sequence import sequence
from node.operations.sessions import begin_session
from node.operations.tip_form import begin_tip, submit_draft
from tests.console_opens import IN_PATHS, OPENS
from tests.console_site import site_of
from tests.countries import BORDER, NGO, POLICE, TRAVEL, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.rig import ROLES, Office, draft
from tests.system.nodes import free_port_pair
from tests.tips import new_id, takes_tips

_FIRST = ("border", "liaison", "second", "auditor", "administrator", *ROLES)
"""As whom a page is opened that several roles may open."""
_ABROAD = {"/drafts": "liaison", "/sent": "liaison", "/approvals": "second"}
"""What is shown in London, and as whom: what goes out."""
_EACH = {"{step}": [step.name for step in STEPS], "{part}": [step.code for step in steps_of(TRAVEL)], "{deed}": ["safeguard"]}
"""Where one route is several pages."""
_NO_PAGES = {"/inbox/news"}
"""What is read by a script."""
_DRAFT: dict[str, Any] = {
    "type": "TravelAlert",
    "language": "en",
    "recipients": [agency("kh", BORDER), agency("kh", POLICE)],
    "purpose": "PREVENTION",
    "not_after": "P20D",
    "handling": {"codes": ["H1"], "permitted_purposes": ["PREVENTION", "BORDER_CONTROL"], "judicial_use": "ASK", "onward": "NONE"},
    "alert": {
        "primary_name": "EXAMPLE, Thomas Specimen",
        "birth": {"date": "1961-04", "country": "GBR"},
        "documents": [{"number": "925076473", "issuer": "GBR", "type": "PASSPORT"}],
        "itinerary": [
            {
                "mode": "AIR",
                "departure_port": "LHR",
                "departure": "2026-06-04T21:30",
                "arrival_port": "BKK",
                "arrival": "2026-06-05T15:10",
                "confidence": "BOOKED",
                "source": "API",
            }
        ],
        "nationalities": ["GBR"],
        "risk_level": {"band": "HIGH"},
        "risk_narrative": "Synthetic: seeks unsupervised access.",
        "requested_action": "SECONDARY_INTERVIEW",
        "contact_desk": {"unit": "Example desk", "channel": "+44 20 7946 0000", "languages": ["en"]},
    },
}
_SENT = "/audit/disclosures/kh.alerts.example/gb.alerts.example/1/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One page, and who opens it."""

    route: str
    who: str
    """A name of `ROLES`; empty for whoever is not signed in."""
    sent: Mapping[str, str] | None = None
    """What its form is sent with: what is seen then is a page too. None: it is not sent."""

    @property
    def country(self) -> str:
        """Where it is opened."""
        return "gb" if self.route.startswith(tuple(_ABROAD)) else "kh"

    def send(self, page: Page) -> None:
        """Fill the form in, and send it."""
        for name, value in (self.sent or {}).items():
            field = page.locator(f'main [name="{name}"]')
            if field.first.get_attribute("type") in {"radio", "checkbox"}:
                page.check(f'main [name="{name}"][value="{value}"]')
            else:
                field.fill(value)
        with page.expect_navigation():
            page.locator("main form button:not([name])").last.click()


_MORE = (
    Shown(route="/sign-in", who=""),
    Shown(route="/enrol", who=""),
    Shown(route="/nothing", who=""),
    Shown(route="/tell/{sent_tip}", who="ngo"),
    Shown(route="/enrol", who="", sent={}),
    Shown(route="/inbox/{alert}/report", who="border", sent={}),
    Shown(route="/tell/{tip}/place", who="ngo", sent={"year": "soon"}),
    Shown(route="/drafts/{draft}/preview", who="liaison", sent={"reason": ""}),
    Shown(route="/drafts/{draft}/preview", who="liaison", sent={"reason": "An inspection."}),
    Shown(route="/drafts/{empty}/preview", who="liaison"),
    Shown(route="/drafts/{empty}/check", who="liaison"),
    Shown(route="/sent/{alert}/withdraw", who="liaison", sent={}),
    Shown(route=_SENT, who="auditor"),
    Shown(route=f"{_SENT}/open", who="auditor", sent={}),
    Shown(route=f"{_SENT}/open", who="auditor", sent={"purpose": "LAWFULNESS", "reason": "An inspection."}),
)
"""What is seen besides: without being signed in, in another state, and what is wrong."""


def every_page() -> list[Shown]:
    """Each page that is shown to somebody; what the console has and the matrix lacks fails elsewhere (tests/node)."""
    pages = list(_MORE)
    for (method, path), (who, status) in OPENS.items():
        abroad = next((name for start, name in _ABROAD.items() if path.startswith(start)), "")
        if method != "GET" or path in _NO_PAGES or not (abroad or status == 200):
            continue
        routes = [path]
        for name, several in _EACH.items():
            routes = [route.replace(name, one) for route in routes for one in (several if name in route else [""])]
        pages += [Shown(route=route, who=abroad or next(name for name in _FIRST if name in who)) for route in routes]
    return pages


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Two consoles that are served, and what their addresses are made of."""

    offices: Mapping[str, Office]
    origins: Mapping[str, str]
    places: dict[str, str]
    """For each name in braces of a route what stands there."""

    @property
    def hosts(self) -> frozenset[str]:
        """host:port of each console."""
        return frozenset(origin.removeprefix("http://") for origin in self.origins.values())

    def address(self, shown: Shown) -> str:
        """Where a browser finds an example of a route. Raises `KeyError` if this file makes none."""
        places = dict(self.places)
        if shown.route.startswith("/tips"):
            places["tip"] = places["sent_tip"]
        if shown.route.startswith("/audit"):
            places |= IN_PATHS
        if shown.route.startswith("/approvals"):
            places["recipient"] = recipient_reference(agency("kh", NGO))
        return self.origins[shown.country] + re.sub(r"\{(\w+)\}", lambda found: places[found[1]], shown.route)

    def enter(self, context: BrowserContext, shown: Shown) -> None:
        """Let a context be this person's alone, as after showing a passkey; nobody's if there is no name."""
        context.clear_cookies()
        if not shown.who:
            return
        office = self.offices[shown.country]
        with office.ports.store.write() as tx:
            secret = begin_session(office.ports, tx, office.person(shown.who), "PASSKEY")
        # From a page of this host Chromium takes such a cookie without TLS; from a program it wants to be told that there was some.
        url = self.origins[shown.country].replace("http:", "https:")
        cookie: Any = {"name": SESSION_COOKIE, "value": write_secret(secret), "url": url, "secure": True}
        context.add_cookies([cookie])


@contextmanager
def world(place: Path) -> Iterator[World]:
    """London, which tells; and Phnom Penh, which is told of one man and tells London of him."""
    with federation(place, "gb", "kh") as two, ExitStack() as serving:
        two.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-ngo", approvals=1))
        takes_tips(two["kh"])
        places = _places(two)
        origins = {}
        for country, office in two.offices.items():
            port = free_port_pair()
            site = site_of(office, host=f"{country}.localhost", port=port)
            listener = HttpListener(f"127.0.0.1:{port}", Console(site, load_assets()).application(), "console")
            listener.start()
            serving.callback(listener.stop)
            origins[country] = f"http://{site.authority}"
        yield World(offices=two.offices, origins=origins, places=places)


def _places(two: Federation) -> dict[str, str]:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
    assert not published.problems
    two.pump()
    assert not kh.publish(draft(agency("gb", POLICE))).problems
    waits = SubmitAlertRequest(draft=draft(agency("kh", NGO)), reason="An inspection.")
    waiting = approve.submit(gb.ports, gb.person("liaison"), waits, lambda items: sequence(gb.ports, list(items))).submission
    two.pump()
    whole, empty = (
        draft_box.create(gb.ports, gb.person("liaison"), DraftContent(document=document, reason="An inspection.")).id.hex()
        for document in (_DRAFT, {"type": "TravelAlert"})
    )
    tip, sent = (begin_tip(kh.ports, kh.person("ngo"), new_id(), "en") for _ in range(2))
    submit_draft(kh.ports, kh.person("ngo"), sent)
    return {
        "alert": published.manifest_digest.hex(),
        "draft": whole,
        "empty": empty,
        "recipient": recipient_reference(agency("kh", BORDER)),
        "submission": waiting.id.hex(),
        "tip": tip,
        "sent_tip": sent,
    }
