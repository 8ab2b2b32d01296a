"""An auditor's pages about what takes a while: checks of everything, a comparison with a partner, reasons compared, what was urgent.

Nothing runs before it is asked for by the button; then the page says how far it is.
"""

from collections.abc import Iterator
from typing import Any, Final

from starlette.responses import Response

from exchange.v1 import audit_service_pb2, desk_service_pb2
from node.console.audit_filter import Period
from node.console.audit_places import place_path
from node.console.audit_words import GRADES, URGENCY, grade_name, urgency_name
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.streams import Run
from node.console.visits import Visit
from node.operations.audit_reasons import list_repeated_reasons
from node.operations.audit_urgent import list_urgent
from node.operations.check_records import check_records
from node.operations.officers import AUDITOR, require
from node.operations.reconcile import reconcile

SHOWN: Final = 50
"""Findings and differences of one page; the rest is counted."""
SCOPES: Final = ("GAPS", "VERIFY", "FSCK")
_AT_LEAST: Final = 5


class AuditRunPages:
    """Pages for auditors; whoever else asks is refused, and that is recorded."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/audit/checks", answer=self.ask_checks),
            Page(method="POST", path="/audit/checks", answer=self.checks),
            Page(method="GET", path="/audit/reconcile", answer=self.ask_reconcile),
            Page(method="POST", path="/audit/reconcile", answer=self.reconcile),
            Page(method="GET", path="/audit/reasons", answer=self.reasons),
            Page(method="GET", path="/audit/urgent", answer=self.urgent),
        )

    def ask_checks(self, visit: Visit) -> Response:
        """What can be checked. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        return self._pages.page(visit, "audit_checks.html", run=None, scope="GAPS")

    def checks(self, visit: Visit) -> Response:
        """Check the records, and say what was found. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        scope = visit.form.get("scope", "")
        if scope not in SCOPES:
            return self._pages.page(visit, "audit_checks.html", run=None, scope="GAPS")
        request = desk_service_pb2.CheckRecordsRequest(scope=desk_service_pb2.CheckScope.Value(f"CHECK_SCOPE_{scope}"))
        run = Run(lambda: check_records(self._ports, visit.person, request))

        def found() -> dict[str, Any]:
            findings = [one for step in run.all for one in step.findings]
            counts = {count.name: count.value for step in run.all for count in step.summary.counts}
            return _listed(findings, max(counts.pop("findings", 0), len(findings))) | {"counts": counts}

        return self._pages.stream(visit, "audit_checks.html", run=run, scope=scope, found=found)

    def ask_reconcile(self, visit: Visit) -> Response:
        """With whom. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        return self._pages.page(visit, "audit_reconcile.html", run=None, choice=Period(), **self._partners(visit))

    def reconcile(self, visit: Visit) -> Response:
        """Compare every log with the partner's copy, over the network. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        choice, partner = Period.of(visit.form), visit.form.get("partner", "")
        if choice.problems or partner not in self._ports.known.partners:
            return self._pages.page(visit, "audit_reconcile.html", status=422, run=None, choice=choice, **self._partners(visit))
        since, until = choice.bounds(self._site.zone)
        request = desk_service_pb2.ReconcileRequest(partner=partner, until=until, **{"from": since})

        def steps() -> Iterator[desk_service_pb2.ReconcileResponse]:
            with self._site.connect(partner) as shared:
                yield from reconcile(self._ports, visit.person, request, shared)

        run = Run(steps)

        def found() -> dict[str, Any]:
            finished = run.all[-1]
            equal = [(log, (log.size, log.root) == (log.partner_size, log.partner_root)) for log in finished.logs]
            contradicted = any(one.contradiction for one in finished.differences)
            return _listed(finished.differences, len(finished.differences)) | {"logs": equal, "contradicted": contradicted}

        return self._pages.stream(
            visit, "audit_reconcile.html", run=run, choice=choice, asked=partner, found=found, **self._partners(visit)
        )

    def reasons(self, visit: Visit) -> Response:
        """Justifications that one person gave again and again, never the words. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        choice, typed = Period.of(visit.query), visit.query.get("at_least", "")
        at_least = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else _AT_LEAST
        if choice.problems or not typed:
            return self._pages.page(visit, "audit_reasons.html", run=None, choice=choice, at_least=at_least)
        since, until = choice.bounds(self._site.zone)
        request = audit_service_pb2.ListRepeatedReasonsRequest(at_least=max(at_least, 2), until=until, **{"from": since})
        run = Run(lambda: [list_repeated_reasons(self._ports, visit.person, request)])

        def found() -> dict[str, Any]:
            answer = run.all[-1]
            rows = [(one, [(use, place_path(use.origin, use.index)) for use in one.uses[:3]]) for one in answer.reasons[:SHOWN]]
            return {"answer": answer, "rows": rows, "left_out": len(answer.reasons) - len(rows) + answer.left_out}

        return self._pages.stream(visit, "audit_reasons.html", run=run, choice=choice, at_least=max(at_least, 2), found=found)

    def urgent(self, visit: Visit) -> Response:
        """What was done as urgent. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        choice = Period.of(visit.query)
        if choice.problems or "since" not in visit.query:
            return self._pages.page(visit, "audit_urgent.html", run=None, choice=choice)
        run = Run(lambda: [list_urgent(self._ports, visit.person, *choice.bounds(self._site.zone))])

        def found() -> dict[str, Any]:
            answer = run.all[-1]
            newest = sorted(answer.uses, key=lambda use: -use.at)[:SHOWN]
            rows = [(use, URGENCY.get(urgency_name(use.kind), ""), place_path(use.origin, use.index)) for use in newest]
            return {"rows": rows, "left_out": len(answer.uses) - len(rows) + answer.left_out}

        return self._pages.stream(visit, "audit_urgent.html", run=run, choice=choice, found=found)

    def _partners(self, visit: Visit) -> dict[str, Any]:
        return {"partners": [(name, visit.language.country(name)) for name in sorted(self._ports.known.partners)]}


def _listed(findings: Any, total: int) -> dict[str, Any]:
    """The first findings or differences, each with its grade in words and its place."""
    rows = [(one, GRADES.get(grade_name(one.grade), ""), place_path(one.origin, one.index) if one.index >= 0 else "") for one in findings]
    return {"rows": rows[:SHOWN], "left_out": total - len(rows[:SHOWN])}
