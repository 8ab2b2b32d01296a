"""The pages of a desk: what needs you, what came in, one alert, the report back. Each calls what the command line calls."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.hit_report_pb2 import HitReport
from node.console.alert_words import AlertView, alert_view
from node.console.page import Page
from node.console.pages import DESK, WORKERS, Pages
from node.console.report_form import OUTCOMES, PROBLEMS, ReportForm, read_report
from node.console.site import Site
from node.console.visits import Elsewhere, Visit
from node.console.words import texts_in, type_words
from node.console.work_links import work_link
from node.console.work_words import flag_words, kind_words
from node.operations.draft_box import list_drafts
from node.operations.inbox import get_inbox_alert, list_inbox
from node.operations.inbox_version import inbox_version
from node.operations.officers import AUDITOR, LIAISON, require
from node.operations.report import answer
from node.operations.tip_form import is_ngo
from node.operations.whoami import whoami
from node.operations.work import list_work

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
WORK_SHOWN: Final = 50
"""More on one page would be too much for a poor line."""
_REASON: Final = "Report to the originator"
"""Why, for auditors: as the command line says by itself."""


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
            Page(method="GET", path="/inbox/{alert}/report", answer=self.ask_report),
            Page(method="POST", path="/inbox/{alert}/report", answer=self.report),
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
        found = list_work(self._ports, visit.person, messages.ListWorkRequest())
        items = [self._work_row(item) for item in found.items[:WORK_SHOWN]]
        everything = len(found.items) + found.left_off
        writes = LIAISON in self._ports.officers[visit.person].roles
        drafts = sum(one.mine for one in list_drafts(self._ports, visit.person)) if writes else 0
        shown: dict[str, Any] = {
            "version": version,
            "items": items,
            "everything": everything,
            "left_off": everything - len(items),
            "drafts": drafts,
        }
        return self._pages.page(visit, "work.html", **shown)

    def inbox(self, visit: Visit) -> Response:
        """What came in, the next landing first, fifty at a time. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        # Asked for first: what comes meanwhile is then news, though it may be on the page already.
        version = inbox_version(self._ports, visit.person)
        found = list_inbox(self._ports, visit.person, messages.ListInboxRequest(page_token=visit.query.get("after", "")))
        shown = [
            {
                "reference": one.manifest_digest.hex(),
                "type": type_words(one.alert_type),
                "originator": one.originator,
                "arrives_at": one.arrives_at,
                "received_at": one.received_at,
                "answered": one.answered,
                "flags": [flag_words(flag) for flag in one.flags],
            }
            for one in found.alerts
        ]
        return self._pages.page(visit, "inbox.html", version=version, alerts=shown, older=found.next_page_token)

    def alert(self, visit: Visit) -> Response:
        """One alert as the person's agency was given it, the opening journalled as for the command line. Raises as `get_inbox_alert`."""
        view = self._view(visit, _reference(visit))
        return self._pages.page(visit, "alert.html", alert=view, reported="reported" in visit.query)

    def ask_report(self, visit: Visit) -> Response:
        """The form to report back. Raises `NotPermitted`."""
        reference = _reference(visit)
        require(self._ports, visit.person, DESK)
        return self._report_page(visit, reference, ReportForm(), [])

    def report(self, visit: Visit) -> Response:
        """Send the report, or show the form again with all that is wrong. Raises as `report_hit`."""
        reference = _reference(visit)
        entry = require(self._ports, visit.person, DESK)
        form = ReportForm.of(visit.form)
        read = read_report(form, visit.language, self._site.desks.get(str(entry.agency)), self._ports.clock.now().date())
        if isinstance(read, HitReport):
            problems = self._send(visit, reference, read)
            if not problems:
                return RedirectResponse(f"/inbox/{reference}?reported", 303)
        else:
            problems = read
        return self._report_page(visit, reference, form, problems)

    def _report_page(self, visit: Visit, reference: str, form: ReportForm, problems: Sequence[messages.Problem]) -> Response:
        shown = {"reference": reference, "form": form, "problems": problems, "known": PROBLEMS, "outcomes": OUTCOMES.items()}
        return self._pages.page(visit, "report.html", status=422 if problems else 200, **shown)

    def _send(self, visit: Visit, reference: str, content: HitReport) -> list[messages.Problem]:
        # The same report again, after a lost connection, is not a second report.
        said = content.SerializeToString(deterministic=True)
        asked = sha256(b"\0".join((visit.person.encode(), reference.encode(), said))).digest()[:16]
        question = messages.ReportHitRequest(request_id=asked, alert=reference, report=content, reason=_REASON)
        return list(answer(self._ports, visit.person, question, self._site.release).published.problems)

    def _work_row(self, item: messages.WorkItem) -> dict[str, Any]:
        return {
            "item": item,
            "words": kind_words(item.kind),
            "address": work_link(item),
            "reference": item.reference.hex()[:12],
        }

    def _view(self, visit: Visit, reference: str) -> AlertView:
        return alert_view(get_inbox_alert(self._ports, visit.person, reference), visit.language, texts_in(visit.language))


def _reference(visit: Visit) -> str:
    # An address names an alert by its digest alone: nothing of a person, and nothing to guess.
    reference = visit.place["alert"]
    if not _DIGEST.fullmatch(reference):
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    return reference
