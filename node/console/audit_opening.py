"""Opening one sealed record, for a lawful purpose: the form that asks for it first, and what stands in the record."""

import json
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from exchange.errors import ExchangeError, Unverified
from exchange.journal import is_journal_origin
from exchange.v1 import audit_service_pb2 as messages
from exchange.v1.disclosure_pb2 import Entry
from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
from node.confirmations import Confirmed, check_confirmation, check_record, read_confirmation
from node.console.audit_places import place_path
from node.console.audit_words import PEOPLE, PURPOSES, RECORD_NAMES
from node.console.pages import Pages
from node.console.visits import Visit
from node.documents import document, loosely
from node.operations.audit_open import open_event
from node.ports import Ports

_REFUSED: Final = {"PURPOSE_MISSING": "purpose", "REASON_MISSING": "reason", "REASON_TOO_LONG": "reason"}
"""Refusals of an opening that are about what was typed, and their fields."""


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
    kept: Sequence[Confirmed] = ()
    doubt = ""
    try:
        if is_journal_origin(origin):
            opened = (JournalPersonal if personal else JournalAccountability).FromString(answer.record)
            record: dict[str, Any] = document(opened)
            if record.pop("confirmation", ""):
                kept = [check_confirmation(read_confirmation(getattr(opened, "confirmation", b"")))]
        else:
            record = json.loads(answer.record)
            kept = check_record(record, loosely(Entry, answer.entry))
    except Unverified as wrong:
        doubt = wrong.code
    record.pop("confirmations", None)
    lines = [(name, value if name == "at" and isinstance(value, int) else value_text(value)) for name, value in record.items()]
    shown: dict[str, Any] = {
        "kept": [(one, value_text(dict(one.said))) for one in kept],
        "doubt": doubt,
        "record": lines,
        "names": RECORD_NAMES,
        "people": PEOPLE,
        "commitment": answer.commitment.hex(),
    }
    return pages.page(visit, "audit_opened.html", origin=origin, index=index, path=place_path(origin, index), **shown)


def value_text(value: Any) -> str:
    """One value of a message as JSON would say it, on one line."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value or "")
