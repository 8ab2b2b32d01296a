"""An auditor's pages that draw a sample, record what was found in an entry, and export a list."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import ExchangeError, Malformed
from exchange.journal import is_journal_origin
from exchange.v1.disclosure_pb2 import Entry
from exchange.v1.journal_pb2 import JournalEntry
from exchange.witness import claimed_checkpoint
from node.console.audit_codes import event_words
from node.console.audit_filter import Period
from node.console.audit_journal_pages import ONE as EVENT
from node.console.audit_pages import ONE as DISCLOSURE
from node.console.audit_places import place_of, place_path
from node.console.audit_words import EXPORTS, GRADES, KINDS, kind_name
from node.console.confirm import Confirming
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.documents import loosely
from node.operations.audit_export import AT_MOST, ON_PAPER, export_list
from node.operations.audit_finding import record_finding
from node.operations.audit_proofs import get_checkpoint
from node.operations.audit_sample import AT_MOST as DRAWN_AT_MOST
from node.operations.audit_sample import SHORTEST_NONCE, Drawn, draw_sample
from node.operations.officers import AUDITOR, require
from node.operations.review import list_logs
from node.reports.audit_export import FORMATS, Asked

_DRAWN: Final = 20
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8", "pdf": "application/pdf"}
_FINDING_REFUSED: Final = {"FINDING_GRADE": "grade", "REASON_MISSING": "words", "REASON_TOO_LONG": "words"}
_SAMPLE_REFUSED: Final = {"SAMPLE_NONCE": "nonce", "SAMPLE_COUNT": "count"}


class AuditSamplePages:
    """Pages for auditors; whoever else asks is refused, and that is recorded."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._ports = site.ports
        self._pages = pages
        self._zone = site.zone
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/audit/samples", answer=self.ask_sample),
            Page(method="GET", path=f"{EVENT}/finding", answer=self.ask_finding),
            Page(method="POST", path=f"{EVENT}/finding", answer=self.find),
            Page(method="GET", path=f"{DISCLOSURE}/finding", answer=self.ask_finding),
            Page(method="POST", path=f"{DISCLOSURE}/finding", answer=self.find),
            Page(method="GET", path="/audit/export", answer=self.ask_export),
            Page(method="POST", path="/audit/export", answer=self.export),
        )

    def ask_sample(self, visit: Visit) -> Response:
        """Which log; then its signed checkpoint, and the form for a nonce; then what it draws, at an address that draws it again.

        Raises `NotPermitted`, and as `get_checkpoint` and `draw_sample`.
        """
        require(self._ports, visit.person, (AUDITOR,))
        if "note" in visit.query:
            return self._sample(visit)
        if "log" not in visit.query:
            logs = [one.origin for one in list_logs(self._ports, visit.person) if one.size]
            return self._pages.page(visit, "audit_samples.html", logs=logs, note="", problems={})
        note = get_checkpoint(self._ports, visit.person, visit.query["log"]).checkpoint.decode()
        return self._sample_page(visit, note, {})

    def _sample(self, visit: Visit) -> Response:
        """What the nonce draws, each entry proved, or the form again. Raises as `draw_sample`."""
        note, count = visit.query["note"].replace("\r\n", "\n"), visit.query.get("count", "")
        number = int(count) if count.isascii() and count.isdigit() and len(count) <= len(str(DRAWN_AT_MOST)) else 0
        try:
            found = draw_sample(self._ports, visit.person, note.encode(), visit.query.get("nonce", "").encode(), number)
        except Malformed as wrong:
            if wrong.code not in _SAMPLE_REFUSED:
                raise
            return self._sample_page(visit, note, {_SAMPLE_REFUSED[wrong.code]: wrong.code}, status=422)
        rows = [_row(found.tree.origin, one) for one in found.drawn]
        return self._pages.page(visit, "audit_sample.html", tree=found.tree, rows=rows, failed=[one for one in found.drawn if one.code])

    def ask_finding(self, visit: Visit) -> Response:
        """The form for what was found in one entry. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        return self._finding_page(visit, "")

    def find(self, visit: Visit) -> Response:
        """Record it, or show the form again. Raises as `record_finding`."""
        origin, index = place_of(visit, self._ports.trust_domain)
        words = visit.form.get("words", "").replace("\r\n", "\n")
        try:
            record_finding(self._ports, visit.person, origin, index, visit.form.get("grade", ""), words)
        except ExchangeError as refused:
            if refused.code not in _FINDING_REFUSED:
                raise
            return self._finding_page(visit, refused.code)
        return RedirectResponse(f"{place_path(origin, index)}?recorded", 303)

    def ask_export(self, visit: Visit) -> Response:
        """What to export; once that is chosen, what is to be confirmed. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        period, what, form = Period.of(visit.query), visit.query.get("what", ""), visit.query.get("format", "")
        chosen = what in EXPORTS and form in FORMATS and not period.problems
        asked = self._confirming.ask(visit, "export", _confirmed(period, what, form)) if chosen else None
        shown: dict[str, Any] = {"choice": period, "what": what, "form": form, "asked": asked}
        return self._pages.page(visit, "audit_export.html", **shown, lists=EXPORTS.items(), formats=FORMATS, most=AT_MOST, paper=ON_PAPER)

    def export(self, visit: Visit) -> Response:
        """The file, once a fresh passkey signed what is exported. Raises as `Confirming.take` and `export_list`."""
        require(self._ports, visit.person, (AUDITOR,))
        period, what, form = Period.of(visit.form), visit.form.get("what", ""), visit.form.get("format", "")
        if what not in EXPORTS or form not in FORMATS or period.problems:
            raise Malformed("FORM", "the form is none")
        confirmation = self._confirming.take(visit, "export", _confirmed(period, what, form))
        since, until = period.bounds(self._zone)
        asked = Asked(what=what, since=since, until=until, limit=AT_MOST)
        _, data = export_list(self._ports, visit.person, asked, form, confirmation)
        headers = {"content-disposition": f'attachment; filename="{what}.{form}"'}
        return Response(data, media_type=_TYPES[form], headers=headers)

    def _sample_page(self, visit: Visit, note: str, problems: dict[str, str], status: int = 200) -> Response:
        tree = claimed_checkpoint(note.encode())
        shown: dict[str, Any] = {"note": note, "tree": tree, "problems": problems, "most": DRAWN_AT_MOST, "least": SHORTEST_NONCE}
        shown |= {"nonce": visit.query.get("nonce", ""), "count_typed": visit.query.get("count", str(_DRAWN))}
        return self._pages.page(visit, "audit_samples.html", status=status, **shown)

    def _finding_page(self, visit: Visit, problem: str) -> Response:
        origin, index = place_of(visit, self._ports.trust_domain)
        shown: dict[str, Any] = {"path": place_path(origin, index), "index": index, "given": visit.form, "grades": GRADES.items()}
        shown |= {"problem": problem, "field": _FINDING_REFUSED.get(problem, "")}
        return self._pages.page(visit, "audit_finding.html", status=422 if problem else 200, **shown)


def _confirmed(period: Period, what: str, form: str) -> dict[str, Any]:
    return {"what": what, "format": form, "since": period.since, "until": period.until}


def _row(origin: str, one: Drawn) -> dict[str, Any]:
    row: dict[str, Any] = {"path": place_path(origin, one.index), "index": one.index, "code": one.code}
    if is_journal_origin(origin):
        event = loosely(JournalEntry, one.entry)
        name = kind_name(event.kind)
        return row | {"at": event.at, "kind": event_words(name, event.code) or KINDS.get(name, name), "said": event.code}
    entry = loosely(Entry, one.entry)
    return row | {"at": entry.disclosed_at, "kind": "", "said": entry.clause}
