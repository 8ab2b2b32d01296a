"""An auditor's pages about disclosures: the list, a timeline, the flow between countries, one disclosure, and who released it and why."""

from collections import Counter
from typing import Any, Final

from google.protobuf.message import Message
from starlette.responses import Response

from exchange.encoding import cut
from exchange.errors import ExchangeError
from exchange.log import LogName
from exchange.profile import alert_types
from exchange.v1 import audit_service_pb2 as messages
from exchange.v1.disclosure_pb2 import Entry
from node.console.audit_filter import DIRECTIONS, DisclosureChoice
from node.console.audit_opening import open_form, open_record, value_text
from node.console.audit_places import place_of, place_path
from node.console.audit_words import (
    CHECKS,
    GRADES,
    OUTCOMES,
    RECALLS,
    WHY_NOT_RUN,
    ground_words,
    purpose_words,
    state_code,
    state_words,
)
from node.console.charts import flow, timeline
from node.console.languages import Language
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in, type_words
from node.documents import document, loosely
from node.operations.audit_counts import Counted, count_disclosures
from node.operations.audit_disclosure import DisclosureReview, review_disclosure
from node.operations.audit_disclosures import list_disclosures
from node.operations.disclosure_scan import short_type
from node.operations.officers import AUDITOR, require
from node.operations.tallies import Tallies

SHOWN: Final = 25
ROWS: Final = 150
"""Of a statistic: whoever has more chooses less."""
ONE: Final = "/audit/disclosures/{sender}/{recipient}/{generation}/{index}"


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


SECTIONS: Final = (
    (
        _said("Look"),
        (
            ("/audit/disclosures", _said("Disclosures")),
            ("/audit/timeline", _said("Timeline")),
            ("/audit/flow", _said("Flow between countries")),
            ("/audit/journal", _said("Journal")),
            ("/audit/samples", _said("Sample by a nonce")),
            ("/audit/export", _said("Export")),
        ),
    ),
    (
        _said("Judge"),
        (
            ("/audit/alarms", _said("Alarms that stand")),
            ("/audit/mistakes", _said("Mistakes and corrections")),
            ("/audit/reasons", _said("Repeated reasons")),
            ("/audit/urgent", _said("Urgent uses")),
            ("/audit/stats", _said("Statistics")),
        ),
    ),
    (
        _said("Prove"),
        (
            ("/audit/checks", _said("Gaps and checks")),
            ("/audit/witnesses", _said("Witnesses")),
            ("/audit/reconcile", _said("Compare with a partner")),
        ),
    ),
)
"""What an audit begins with, in the order of the command line's help."""


class AuditPages:
    """Pages for auditors; whoever else asks is refused by the operation, and that is recorded."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages
        self._zone = site.zone
        self._tallies = Tallies(site.zone)

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/audit", answer=self.overview),
            Page(method="GET", path="/audit/disclosures", answer=self.disclosures),
            Page(method="GET", path="/audit/timeline", answer=self.timeline),
            Page(method="GET", path="/audit/flow", answer=self.flow),
            Page(method="GET", path="/audit/stats", answer=self.statistics),
            Page(method="GET", path=ONE, answer=self.disclosure),
            Page(method="GET", path=f"{ONE}/open", answer=self.ask_open),
            Page(method="POST", path=f"{ONE}/open", answer=self.open),
        )

    def overview(self, visit: Visit) -> Response:
        """Where an auditor begins. Raises `NotPermitted`."""
        require(self._ports, visit.person, (AUDITOR,))
        return self._pages.page(visit, "audit.html", sections=SECTIONS)

    def disclosures(self, visit: Visit) -> Response:
        """Disclosures in both directions, by what was chosen, the newest first. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        choice, around = self._choice(visit)
        shown: dict[str, Any] = {"rows": [], "older": ""}
        if not choice.problems:
            question = messages.ListDisclosuresRequest(
                filter=choice.filter(self._zone), page_size=SHOWN, order_by="newest", page_token=visit.query.get("after", "")
            )
            found = list_disclosures(self._ports, visit.person, question)
            shown = {"rows": [_row(record) for record in found.disclosures], "older": found.next_page_token}
        return self._pages.page(visit, "audit_disclosures.html", **around, **shown)

    def timeline(self, visit: Visit) -> Response:
        """The same disclosures by day. Raises `NotPermitted`."""
        counted, around = self._counted(visit)
        drawn = timeline(counted.by_day) if counted else None
        return self._pages.page(visit, "audit_timeline.html", counted=counted, drawn=drawn, **around)

    def flow(self, visit: Visit) -> Response:
        """The same disclosures by the way that they went. Raises `NotPermitted`."""
        counted, around = self._counted(visit)
        drawn = None
        if counted:
            ways: Counter[tuple[str, str]] = Counter()
            for (sender, recipient), number in counted.by_way.items():
                ways[visit.language.country(sender), visit.language.country(recipient)] += number
            drawn = flow(ways)
        return self._pages.page(visit, "audit_flow.html", counted=counted, drawn=drawn, **around)

    def statistics(self, visit: Visit) -> Response:
        """The same disclosures by partner, month, type, clause and purpose. Raises `NotPermitted`."""
        counted, around = self._counted(visit)
        rows = sorted(counted.by_row.items()) if counted else []
        shown = [(*row, type_words(row[3]) if row[3] in alert_types() else "", purpose_words(row[5]), number) for row, number in rows]
        return self._pages.page(visit, "audit_stats.html", counted=counted, rows=shown[:ROWS], left_out=len(shown[ROWS:]), **around)

    def disclosure(self, visit: Visit) -> Response:
        """One disclosure, every check run again. Raises as `review_disclosure`."""
        origin, index = place_of(visit, self._ports.trust_domain)
        found = review_disclosure(self._ports, visit.person, origin, index)
        return self._pages.page(visit, "audit_disclosure.html", **_shown(found, visit.language), recorded="recorded" in visit.query)

    def ask_open(self, visit: Visit) -> Response:
        """The form that asks for the lawful purpose. Raises `NotPermitted`."""
        origin, index = place_of(visit, self._ports.trust_domain)
        require(self._ports, visit.person, (AUDITOR,))
        return open_form(self._pages, visit, origin, index)

    def open(self, visit: Visit) -> Response:
        """Who released it and why, or the form again. Raises as `open_event`."""
        origin, index = place_of(visit, self._ports.trust_domain)
        return open_record(self._pages, self._ports, visit, origin, index)

    def _choice(self, visit: Visit) -> tuple[DisclosureChoice, dict[str, Any]]:
        choice = DisclosureChoice.of(visit.query)
        known = self._ports.known
        nodes = {known.own.trust_domain: known.own, **known.nodes()}
        return choice, {
            "choice": choice,
            "partners": [(name, visit.language.country(name)) for name in sorted(known.partners)],
            "agencies": sorted(agency for node in nodes.values() for agency in node.agencies),
            "kinds": [(short_type(name), type_words(name)) for name in alert_types()],
            "outcomes": OUTCOMES.items(),
            "directions": DIRECTIONS,
        }

    def _counted(self, visit: Visit) -> tuple[Counted | None, dict[str, Any]]:
        choice, around = self._choice(visit)
        return None if choice.problems else count_disclosures(self._ports, visit.person, choice.filter(self._zone), self._tallies), around


def _row(record: messages.DisclosureRecord) -> dict[str, Any]:
    name = LogName.parse(record.origin)
    return {
        "record": record,
        "entry": loosely(Entry, record.entry),
        "path": place_path(record.origin, record.index),
        "sender": name.sender,
        "recipient": name.recipient,
        # Only what the catalogue knows: a template takes what it translates for safe.
        "type": type_words(record.alert_type) if record.alert_type in alert_types() else "",
        "state": state_words(record),
        "code": state_code(record),
    }


def _shown(found: DisclosureReview, language: Language) -> dict[str, Any]:
    row = _row(found.record)
    entry: Entry = row["entry"]
    labels = texts_in(language)
    return {
        **row,
        "review": found,
        "fields": [labels.label(name) for name in found.record.field_names],
        "purpose": purpose_words(entry.purpose),
        "ground": ground_words(entry.on_request_ground),
        "checks": [(check, CHECKS[check.number], WHY_NOT_RUN.get(check.code, "")) for check in found.proved.checks],
        "failed": found.proved.failed,
        "parts": _parts(found.record.entry, entry),
        "related": [_row(one) for one in found.related],
        "recall_words": RECALLS,
        "grades": GRADES,
    }


def _parts(data: bytes, entry: Message) -> list[tuple[int, str, str, str]]:
    """The bytes of an entry as they stand, cut field by field: number, name, hex, meaning. In one piece if they are in no such order."""
    try:
        runs = cut(data)
    except ExchangeError:
        runs = {}
    if b"".join(runs.values()) != data:
        return [(0, "", data.hex(), "")]
    names = {field.number: field.name for field in entry.DESCRIPTOR.fields}
    meant = document(entry)
    return [(number, names.get(number, ""), run.hex(), value_text(meant.get(names.get(number, "")))) for number, run in runs.items()]
