"""The report back on an alert: short, or in full, below what the agency has reported before; what differs from that is asked about once."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.hit_report_pb2 import HitReport
from node.console.own_report_words import earlier_words
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.reply_pages import asked_once
from node.console.report_form import OUTCOMES, ReportForm, read_report
from node.console.report_full import PLACES, groups, labels, placed, read_full
from node.console.site import Site
from node.console.visits import Visit
from node.intake.problems import error
from node.operations.officers import require
from node.operations.own_reports import Reported, own_reports
from node.operations.report import answer

ANYWAY: Final = "anyway"
"""The field of a form that says that a report is meant although there is one, or the alert was withdrawn."""
_REASON: Final = "Report to the originator"
"""Why, for auditors: as the command line says by itself."""


class ReportPages:
    """The forms of a report; each calls what the command line calls."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/inbox/{alert}/report", answer=self.ask_report),
            Page(method="POST", path="/inbox/{alert}/report", answer=self.report),
            Page(method="GET", path="/inbox/{alert}/report/full", answer=self.ask_full_report),
            Page(method="POST", path="/inbox/{alert}/report/full", answer=self.full_report),
        )

    def ask_report(self, visit: Visit) -> Response:
        """The form to report back. Raises as `own_reports`."""
        return self._report_page(visit, self._reported(visit), ReportForm(), [])

    def report(self, visit: Visit) -> Response:
        """Send the report, show the form again with all that is wrong, or the full one with what was typed. Raises as `report_hit`."""
        reported = self._reported(visit)
        if visit.form.get("action") == "full":
            return self._full_page(visit, reported, [])
        form = ReportForm.of(visit.form)
        entry = require(self._ports, visit.person, DESK)
        read = read_report(form, visit.language, self._site.desks.get(str(entry.agency)), self._ports.clock.now().date())
        problems = self._send(visit, reported, read) if isinstance(read, HitReport) else read
        return self._report_page(visit, reported, form, problems) if problems else self._done(visit)

    def ask_full_report(self, visit: Visit) -> Response:
        """The form with every field of a report. Raises as `own_reports`."""
        return self._full_page(visit, self._reported(visit), [])

    def full_report(self, visit: Visit) -> Response:
        """Send it, or show the form again with all that is wrong. Raises as `report_hit`."""
        reported = self._reported(visit)
        entry = require(self._ports, visit.person, DESK)
        read = read_full(visit.form, visit.language, self._site.desks.get(str(entry.agency)), self._ports.clock.now().date())
        problems = self._send(visit, reported, read) if isinstance(read, HitReport) else read
        return self._full_page(visit, reported, problems) if problems else self._done(visit)

    def _reported(self, visit: Visit) -> Reported:
        return own_reports(self._ports, visit.person, visit.digest())

    def _send(self, visit: Visit, reported: Reported, content: HitReport) -> list[messages.Problem]:
        reference = visit.digest()
        content.manifest_digest = bytes.fromhex(reference)
        last = reported.reports[-1].content if reported.reports else None
        repeated = last == content
        if ANYWAY not in visit.form and not repeated and (asked := _asked(reported)):
            return asked
        # What was reported, corrected, and is reported again is said anew; the newest once more, as after a lost connection, is not.
        before = str(len(reported.reports) - repeated)
        said = asked_once(visit, reference, before, content.SerializeToString(deterministic=True).hex())
        question = messages.ReportHitRequest(request_id=said, alert=reference, report=content, reason=_REASON)
        return list(answer(self._ports, visit.person, question, self._site.release).published.problems)

    def _done(self, visit: Visit) -> Response:
        return RedirectResponse(f"/inbox/{visit.digest()}?reported", 303)

    def _full_page(self, visit: Visit, reported: Reported, problems: Sequence[messages.Problem]) -> Response:
        shown = {
            "groups": list(groups(visit.form, visit.language)),
            "problem_places": {**PLACES, ANYWAY: ANYWAY},
            "labels": labels(visit.language),
        }
        return self._page(visit, "report_full.html", reported, placed(problems), shown)

    def _report_page(self, visit: Visit, reported: Reported, form: ReportForm, problems: Sequence[messages.Problem]) -> Response:
        return self._page(visit, "report.html", reported, problems, {"form": form, "outcomes": OUTCOMES.items()})

    def _page(
        self, visit: Visit, template: str, reported: Reported, problems: Sequence[messages.Problem], shown: dict[str, Any]
    ) -> Response:
        around = {
            "reference": visit.digest(),
            "problems": problems,
            "reported": earlier_words(reported.reports, visit.language),
            "withdrawn": reported.withdrawn,
            "asked": bool(_asked(reported)) and (ANYWAY in visit.form or any(one.field == ANYWAY for one in problems)),
            "meant": ANYWAY in visit.form,
        }
        return self._pages.page(visit, template, status=422 if problems else 200, **shown, **around)


def _asked(reported: Reported) -> list[messages.Problem]:
    """What is asked before a further report goes out."""
    remedy = "tick that it is meant, and send it again"
    found = [error("REPORT_WITHDRAWN", ANYWAY, "the alert was withdrawn", remedy)] if reported.withdrawn else []
    return found + ([error("REPORT_DIFFERS", ANYWAY, "your agency has reported otherwise before", remedy)] if reported.reports else [])
