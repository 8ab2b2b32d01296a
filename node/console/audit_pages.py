"""An auditor's pages about disclosures: the list, a timeline, the flow between countries, one disclosure, and who released it and why."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import Message
from starlette.responses import Response

from exchange.encoding import cut
from exchange.errors import ExchangeError, NotFound
from exchange.journal import is_journal_origin, parse_journal_origin
from exchange.log import LogName
from exchange.profile import alert_types
from exchange.v1 import audit_service_pb2 as messages
from exchange.v1.disclosure_pb2 import Entry
from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
from node.console.audit_filter import DIRECTIONS, DisclosureChoice
from node.console.audit_words import (
    CHECKS,
    OUTCOMES,
    PURPOSES,
    RECALLS,
    RECORD_NAMES,
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
from node.operations.audit_open import open_event
from node.operations.disclosure_scan import short_type
from node.operations.officers import AUDITOR, require
from node.ports import Ports

SHOWN: Final = 25
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_GENERATION: Final = re.compile(r"[1-9][0-9]{0,8}")
ONE: Final = "/audit/disclosures/{sender}/{recipient}/{generation}/{index}"
_REFUSED: Final = {"PURPOSE_MISSING": "purpose", "REASON_MISSING": "reason", "REASON_TOO_LONG": "reason"}
"""Refusals of an opening that are about what was typed, and their fields."""


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
        ),
    ),
)
"""What an audit begins with, in the order of the command line's help."""


def place_path(origin: str, index: int) -> str:
    """Where the page of one entry is, of a journal or of a disclosure log; empty for what is neither."""
    try:
        if is_journal_origin(origin):
            return f"/audit/journal/{parse_journal_origin(origin)[1]}/{index}"
        name = LogName.parse(origin)
    except ExchangeError:
        return ""
    return f"/audit/disclosures/{name.sender}/{name.recipient}/{name.generation}/{index}"


class AuditPages:
    """Pages for auditors; whoever else asks is refused by the operation, and that is recorded."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/audit", answer=self.overview),
            Page(method="GET", path="/audit/disclosures", answer=self.disclosures),
            Page(method="GET", path="/audit/timeline", answer=self.timeline),
            Page(method="GET", path="/audit/flow", answer=self.flow),
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
                filter=choice.filter, page_size=SHOWN, order_by="newest", page_token=visit.query.get("after", "")
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

    def disclosure(self, visit: Visit) -> Response:
        """One disclosure, every check run again. Raises as `review_disclosure`."""
        origin, index = _place(visit)
        found = review_disclosure(self._ports, visit.person, origin, index)
        return self._pages.page(visit, "audit_disclosure.html", **_shown(found, visit.language), recorded="recorded" in visit.query)

    def ask_open(self, visit: Visit) -> Response:
        """The form that asks for the lawful purpose. Raises `NotPermitted`."""
        origin, index = _place(visit)
        require(self._ports, visit.person, (AUDITOR,))
        return open_form(self._pages, visit, origin, index)

    def open(self, visit: Visit) -> Response:
        """Who released it and why, or the form again. Raises as `open_event`."""
        origin, index = _place(visit)
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
        return None if choice.problems else count_disclosures(self._ports, visit.person, choice.filter), around


def open_form(pages: Pages, visit: Visit, origin: str, index: int, problem: str = "") -> Response:
    """The form that asks why a record is to be opened; with a problem, what was typed stands in it."""
    shown: dict[str, Any] = {"origin": origin, "index": index, "path": place_path(origin, index), "journal": is_journal_origin(origin)}
    shown |= {"problem": problem, "field": _REFUSED.get(problem, ""), "purposes": PURPOSES.items(), "given": visit.form}
    return pages.page(visit, "audit_open.html", status=422 if problem else 200, **shown)


def open_record(pages: Pages, ports: Ports, visit: Visit, origin: str, index: int) -> Response:
    """The record behind one entry, for the purpose that the form names; the form again if one is missing. Raises as `open_event`."""
    personal = visit.form.get("group") == "PERSONAL"
    purpose = visit.form.get("purpose", "")
    request = messages.OpenEventRequest(
        origin=origin,
        index=index,
        group=messages.DETAIL_GROUP_PERSONAL if personal else messages.DETAIL_GROUP_ACCOUNTABILITY,
        purpose=messages.LawfulPurpose.Value(f"LAWFUL_PURPOSE_{purpose}") if purpose in PURPOSES else messages.LAWFUL_PURPOSE_UNSPECIFIED,
        justification=visit.form.get("reason", "").replace("\r\n", "\n"),
    )
    try:
        answer = open_event(ports, visit.person, request)
    except ExchangeError as refused:
        if refused.code in _REFUSED:
            return open_form(pages, visit, origin, index, refused.code)
        raise
    if not is_journal_origin(origin):
        record: Mapping[str, Any] = json.loads(answer.record)
    else:
        record = document((JournalPersonal if personal else JournalAccountability).FromString(answer.record))
    moment = visit.language.moment
    lines = [(name, moment(value) if name == "at" and isinstance(value, int) else _text(value)) for name, value in record.items()]
    shown: dict[str, Any] = {"record": lines, "names": RECORD_NAMES, "commitment": answer.commitment.hex()}
    return pages.page(visit, "audit_opened.html", origin=origin, index=index, path=place_path(origin, index), **shown)


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
        "checks": [(check, CHECKS[check.number], WHY_NOT_RUN.get(check.code, "")) for check in found.checks],
        "failed": [check.number for check in found.checks if check.verdict == "FAILS"],
        "parts": _parts(found.record.entry, entry),
        "related": [_row(one) for one in found.related],
        "recall_words": RECALLS,
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
    return [(number, names.get(number, ""), run.hex(), _text(meant.get(names.get(number, "")))) for number, run in runs.items()]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value or "")


def _place(visit: Visit) -> tuple[str, int]:
    """(origin, index) of the path. Raises `NotFound` (PATH_UNKNOWN)."""
    place = visit.place
    if _GENERATION.fullmatch(place["generation"]) and _NUMBER.fullmatch(place["index"]):
        origin = f"{place['sender']}/disclosures/{place['recipient']}/{place['generation']}"
        if place_path(origin, 0):
            return origin, int(place["index"])
    raise NotFound("PATH_UNKNOWN", "there is no such page")
