"""An auditor's pages about the journal: its events, one of them, who opened one alert, what went wrong, what stands as an alarm."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from exchange.v1 import audit_service_pb2 as messages
from exchange.v1.journal_pb2 import JournalEntry
from exchange.witness import claimed_checkpoint
from node.console.audit_codes import event_words
from node.console.audit_filter import EventChoice, Period
from node.console.audit_opening import open_form, open_record
from node.console.audit_places import place_of, place_path
from node.console.audit_words import GRADES, KINDS, MISHAPS, kind_name
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.operations.audit_events import get_event, list_events
from node.operations.audit_source import OwnLists
from node.operations.audit_urgent import list_alarms
from node.operations.officers import AUDITOR, require
from node.operations.witness_status import witness_status
from node.reports.audit_lists import place
from node.reports.audit_register import Mishap, read_register

SHOWN: Final = 40
MISTAKES: Final = 100
ONE: Final = "/audit/journal/{generation}/{index}"
_OPENINGS: Final = "kind = CONSULTATION OR kind = EXPORT OR kind = REVIEW OR kind = COMBINATION OR kind = DISCLOSURE"
"""Kinds of events by which somebody saw an alert, or something of it."""


class AuditJournalPages:
    """Pages for auditors; whoever else asks is refused by the operation, and that is recorded."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages
        self._zone = site.zone

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/audit/journal", answer=self.journal),
            Page(method="GET", path=ONE, answer=self.event),
            Page(method="GET", path=f"{ONE}/open", answer=self.ask_open),
            Page(method="POST", path=f"{ONE}/open", answer=self.open),
            Page(method="GET", path="/audit/alerts/{alert}", answer=self.access),
            Page(method="GET", path="/audit/alarms", answer=self.alarms),
            Page(method="GET", path="/audit/mistakes", answer=self.mistakes),
            Page(method="GET", path="/audit/witnesses", answer=self.witnesses),
        )

    def journal(self, visit: Visit) -> Response:
        """Events by what was chosen, the newest first. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        choice = EventChoice.of(visit.query)
        shown: dict[str, Any] = {"events": [], "older": ""}
        if not choice.problems:
            shown = self._events(visit, choice.filter(self._zone))
        return self._pages.page(visit, "audit_journal.html", choice=choice, kinds=KINDS.items(), **shown)

    def access(self, visit: Visit) -> Response:
        """Who opened one alert, as agency, and when. Raises `NotPermitted`, `NotFound` (PATH_UNKNOWN)."""
        alert = visit.digest()
        return self._pages.page(visit, "audit_access.html", alert=alert, **self._events(visit, f"subject = {alert} AND ({_OPENINGS})"))

    def event(self, visit: Visit) -> Response:
        """One event. Raises as `get_event`."""
        origin, index = place_of(visit, self._ports.trust_domain)
        found = get_event(self._ports, visit.person, messages.GetEventRequest(origin=origin, index=index)).event
        return self._pages.page(visit, "audit_event.html", **_row(found), leaf=found.leaf_hash.hex(), recorded="recorded" in visit.query)

    def ask_open(self, visit: Visit) -> Response:
        """The form that asks for the lawful purpose. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        return open_form(self._pages, visit, *place_of(visit, self._ports.trust_domain))

    def open(self, visit: Visit) -> Response:
        """Who did it and why, or what was searched for; or the form again. Raises as `open_event`."""
        return open_record(self._pages, self._ports, visit, *place_of(visit, self._ports.trust_domain))

    def alarms(self, visit: Visit) -> Response:
        """Every alarm that stands. Raises `NotPermitted`."""
        return self._pages.page(visit, "audit_alarms.html", alarms=list_alarms(self._ports, visit.person).alarms)

    def mistakes(self, visit: Visit) -> Response:
        """What was refused, withheld, corrected or contradicted, the oldest first. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        period = Period.of(visit.query)
        found: Sequence[Mishap] = ()
        more = False
        if not period.problems:
            found, more = read_register(OwnLists(ports=self._ports, person=visit.person), *period.bounds(self._zone), MISTAKES)
        rows = [(GRADES[one.grade], one, MISHAPS.get(one.kind, one.kind), _link(one.place)) for one in found]
        return self._pages.page(visit, "audit_mistakes.html", choice=period, rows=rows, more=more, most=MISTAKES)

    def witnesses(self, visit: Visit) -> Response:
        """Who cosigned this node's journal and when, and whose it cosigns. Raises `NotPermitted`."""
        found = witness_status(self._ports, visit.person)
        return self._pages.page(
            visit, "audit_witnesses.html", witnessing=found, size=_size(found.checkpoint), note=found.checkpoint.decode()
        )

    def _events(self, visit: Visit, wanted: str) -> dict[str, Any]:
        question = messages.ListEventsRequest(filter=wanted, page_size=SHOWN, order_by="newest", page_token=visit.query.get("after", ""))
        found = list_events(self._ports, visit.person, question)
        return {"events": [_row(event) for event in found.events], "older": found.next_page_token}


def _row(event: messages.JournalEvent) -> dict[str, Any]:
    entry = JournalEntry.FromString(event.entry)
    name = kind_name(entry.kind)
    return {
        "event": event,
        "entry": entry,
        "kind": KINDS.get(name, name),
        "says": event_words(name, entry.code),
        "path": place_path(event.origin, event.index),
        "party": entry.party,
        "counterparty": entry.counterparty,
        "about": place(entry.origin, entry.index, entry.count) if entry.origin else "",
        "about_path": place_path(entry.origin, entry.index) if entry.count == 1 else "",
    }


def _link(origin_and_index: str) -> str:
    origin, hash_sign, index = origin_and_index.rpartition("#")
    return place_path(origin, int(index)) if hash_sign else ""


def _size(checkpoint: bytes) -> int:
    return claimed_checkpoint(checkpoint).size if checkpoint else 0
