"""The pages of a desk: what needs you, what came in, one alert. Each calls what the command line calls."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.information_pb2 import InformationRequest
from node.console.alert_words import alert_view
from node.console.own_report_words import earlier_words
from node.console.page import Page
from node.console.pages import DESK, WORKERS, Pages
from node.console.site import Site
from node.console.visits import Elsewhere, Visit
from node.console.words import texts_at, type_words
from node.console.work_links import work_link
from node.console.work_words import flag_words, kind_words
from node.intake.plain_document import Plain
from node.operations import draft_box
from node.operations.about import about
from node.operations.draft_box import DraftContent
from node.operations.inbox import get_inbox_alert, list_inbox
from node.operations.inbox_times import Times, list_times
from node.operations.inbox_version import inbox_version
from node.operations.officers import AUDITOR, LIAISON, agency_of, require
from node.operations.own_reports import own_reports
from node.operations.tip_form import is_ngo
from node.operations.whoami import whoami
from node.operations.work import list_work
from node.operations.work_inbox import ASKED_ELSEWHERE, NEITHER, awaits_answer, reported_on
from node.operations.work_journeys import list_journeys

WORK_SHOWN: Final = 50
"""More on one page would be too much for a poor line."""
WAITING_SHOWN: Final = 10
"""And of what needs nobody yet."""
_REQUEST: Final = InformationRequest.DESCRIPTOR.full_name


class DeskPages:
    """Pages for whoever is signed in; what a role may not see, its operation refuses and records."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/", answer=self.home),
            Page(method="GET", path="/you", answer=self.you),
            Page(method="GET", path="/work", answer=self.work),
            Page(method="GET", path="/inbox", answer=self.inbox),
            Page(method="GET", path="/inbox/{alert}", answer=self.alert),
            Page(method="POST", path="/inbox/{alert}/ask", answer=self.ask_sender),
        )

    def home(self, visit: Visit) -> Response:
        """Where a person begins."""
        entry = self._ports.officers[visit.person]
        roles, ngo = set(entry.roles), is_ngo(self._ports, entry)
        raise Elsewhere("/tell" if ngo else "/work" if WORKERS & roles else "/audit" if AUDITOR in roles else "/you")

    def you(self, visit: Visit) -> Response:
        """Who the person is to this node."""
        return self._pages.page(visit, "you.html", me=whoami(self._ports, visit.person), roles=self._ports.officers[visit.person].roles)

    def work(self, visit: Visit) -> Response:
        """What needs the person now, most urgent first. Raises `NotPermitted`."""
        version = inbox_version(self._ports, visit.person) if DESK & set(self._ports.officers[visit.person].roles) else ""
        found = list_work(self._ports, visit.person, messages.ListWorkRequest(all="all" in visit.query))
        due, later = ([item for item in found.items if item.later == wanted] for wanted in (False, True))
        listed, waiting = due[:WORK_SHOWN], later[:WAITING_SHOWN]
        times = list_journeys(self._ports, visit.person, (*listed, *waiting))
        items = [self._work_row(item, times.get(item.reference)) for item in listed]
        everything = len(due) + found.left_off
        entry = self._ports.officers[visit.person]
        shown: dict[str, Any] = {
            "version": version,
            "items": items,
            "everything": everything,
            "left_off": everything - len(items),
            "waiting": [self._work_row(item, times.get(item.reference)) for item in waiting],
            "asked_all": "all" in visit.query,
            "waiting_left_off": len(later) - len(waiting),
            "at_desk": bool(DESK & set(entry.roles)) and not is_ngo(self._ports, entry),
        }
        return self._pages.page(visit, "work.html", **shown)

    def inbox(self, visit: Visit) -> Response:
        """What came in, the next landing first, fifty at a time. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        # Asked for first: what comes meanwhile is then news, though it may be on the page already.
        version = inbox_version(self._ports, visit.person)
        found = list_inbox(self._ports, visit.person, messages.ListInboxRequest(page_token=visit.query.get("after", "")))
        times = list_times(self._ports, visit.person, found.alerts)
        shown = [
            {
                "times": times.get(one.manifest_digest),
                "reference": one.manifest_digest.hex(),
                "type": type_words(one.alert_type),
                "originator": one.originator,
                "arrives_at": one.arrives_at,
                "received_at": one.received_at,
                "waits": awaits_answer(one),
                "flags": [flag_words(flag) for flag in one.flags],
            }
            for one in found.alerts
        ]
        return self._pages.page(visit, "inbox.html", version=version, alerts=shown, older=found.next_page_token)

    def alert(self, visit: Visit) -> Response:
        """One alert as the person's agency was given it, the opening journalled as for the command line. Raises as `get_inbox_alert`."""
        answer = get_inbox_alert(self._ports, visit.person, visit.digest())
        view = alert_view(answer, visit.language, texts_at(visit.language, self._ports.trust_domain), self._site.zone)
        kind = view.summary.alert_type
        done = next((name for name in ("reported", "acknowledged", "attested", "confirmed") if name in visit.query), "")
        reported = own_reports(self._ports, visit.person, visit.digest()).reports if view.summary.answered else ()
        shown: dict[str, Any] = {
            "reported": earlier_words(reported, visit.language),
            "about": about(self._ports, visit.person, answer),
            "asks": kind == _REQUEST,
            "reports": kind in reported_on(),
            "answerable": kind in reported_on() | ASKED_ELSEWHERE,
            "says": not alert_type(kind).control and kind not in NEITHER | ASKED_ELSEWHERE,
            "may_ask": LIAISON in self._ports.officers[visit.person].roles,
            "now": self._ports.clock.now_ms(),
        }
        return self._pages.page(visit, "alert.html", alert=view, done=done, **shown)

    def ask_sender(self, visit: Visit) -> Response:
        """Begin a question to the agency that sent an alert: a draft, which a person fills in. Raises as `get_inbox_alert`."""
        agency = agency_of(require(self._ports, visit.person, (LIAISON,)))
        summary = get_inbox_alert(self._ports, visit.person, visit.digest()).summary
        desk = self._site.desks.get(agency)
        content: dict[str, Plain] = {"contact_desk": {"unit": desk.unit, "channel": desk.channel}} if desk else {}
        document: dict[str, Plain] = {
            "type": _REQUEST.rpartition(".")[2],
            "language": visit.language.code,
            "recipients": [summary.originator],
            "in_reply_to": summary.manifest_digest.hex(),
            "alert": content,
        }
        held = draft_box.create(self._ports, visit.person, DraftContent(document=document))
        return RedirectResponse(f"/drafts/{held.id.hex()}", 303)

    def _work_row(self, item: messages.WorkItem, times: Times | None) -> dict[str, Any]:
        draft = item.kind == messages.WORK_KIND_DRAFT_TO_FINISH
        lands, departs = (times.lands, times.departs) if times else (None, None)
        return {
            "item": item,
            "lands": (lands.at, lands.zone) if lands else (item.lands_at, item.zone),
            "departs": (departs.at, departs.zone) if departs else (item.departs_at, item.departs_zone),
            "draft": draft,
            "type": type_words(f"exchange.v1.{item.detail}") if draft and item.detail else "",
            "alarm": item.detail if item.kind == messages.WORK_KIND_ALARM else "",
            "words": kind_words(item.kind, later=item.later),
            "address": work_link(item),
            "reference": item.reference.hex()[:12],
        }
