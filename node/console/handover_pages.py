"""Shift handover: what is open at the desk, on one page to read, print and hand over, and a note of each shift for the next."""

import re
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import ExchangeError, Malformed
from exchange.v1 import desk_service_pb2 as messages
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.reply_pages import asked_once
from node.console.site import Site
from node.console.visits import Visit
from node.console.work_links import work_link
from node.console.work_words import kind_words
from node.intake.problems import error
from node.operations.handover import NOTE_AT_MOST, current, hand_over, take_over
from node.operations.officers import require

_NAMED: Final = re.compile(r"[0-9a-f]{32}")


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


class HandoverPages:
    """One page for both shifts: who goes writes below what is open, who comes reads and says so."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/handover", answer=self.shown),
            Page(method="POST", path="/handover", answer=self.write),
            Page(method="POST", path="/handover/{handover}/take", answer=self.take),
        )

    def shown(self, visit: Visit) -> Response:
        """The notes of the last shifts, and what is open. Raises `NotPermitted`."""
        return self._page(visit, [])

    def write(self, visit: Visit) -> Response:
        """Leave a note, or show the form again with what is wrong. Raises as `hand_over`."""
        require(self._ports, visit.person, DESK)
        once = visit.form.get("once", "")
        if not _NAMED.fullmatch(once):
            raise Malformed("FORM", "the form is not of this page")
        try:
            hand_over(self._ports, visit.person, asked_once(visit, "handover", once), visit.form.get("note", ""))
        except Malformed as refused:
            return self._page(visit, [_problem(refused)])
        return RedirectResponse("/handover?written", 303)

    def take(self, visit: Visit) -> Response:
        """Say that a note was read. Raises as `take_over`."""
        take_over(self._ports, visit.person, visit.identifier("handover").hex())
        return RedirectResponse("/handover?taken", 303)

    def _page(self, visit: Visit, problems: list[messages.Problem]) -> Response:
        found = current(self._ports, visit.person)
        kinds = dict.fromkeys(item.kind for item in found.open)
        groups = [(kind_words(kind), [_row(item) for item in found.open if item.kind == kind]) for kind in kinds]
        return self._pages.page(
            visit,
            "handover.html",
            status=422 if problems else 200,
            notes=[{"note": one, "mine": one.author == visit.person, "lines": one.note.split("\n")} for one in found.handovers],
            groups=groups,
            everything=len(found.open) + found.left_off,
            left_off=found.left_off,
            now=self._ports.clock.now_ms(),
            # The same form again is the same note, and the same words in another form are another.
            once=visit.form.get("once") or self._ports.entropy(16).hex(),
            text=visit.form.get("note", ""),
            at_most=NOTE_AT_MOST,
            problems=problems,
            done=next((name for name in ("written", "taken") if name in visit.query), ""),
        )


def _row(item: messages.WorkItem) -> dict[str, Any]:
    return {"item": item, "address": work_link(item), "reference": item.reference.hex()[:12]}


def _problem(refused: ExchangeError) -> messages.Problem:
    return error(refused.code, "note", str(refused), "")
