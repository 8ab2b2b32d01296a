"""What a desk says back of an alert besides its report: that a person read it, and that what was withdrawn is purged."""

from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from starlette.responses import RedirectResponse, Response

from exchange.v1 import control_pb2
from exchange.v1 import desk_service_pb2 as messages
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import enum_values
from node.intake.problems import error
from node.operations.acknowledge import acknowledge
from node.operations.attest import attest_purge
from node.operations.confirm_purge import confirm_purge
from node.operations.officers import require

_COPIES_AT_MOST: Final = 1_000_000
_READ: Final = "Read at the desk"
_PURGED: Final = "Purge after a withdrawal"
"""Why, for auditors: as the command line says by itself."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


EXCEPTIONS: Final = tuple(name for name in control_pb2.PurgeException.keys() if control_pb2.PurgeException.Value(name))  # noqa: SIM118  an enum wrapper
_PLACES: Final = {"decide_by": "decide_by", "copies_removed": "copies", "lists_updated": "lists_updated", "exceptions": "lists_updated"}
"""The field of a form beside which a problem of the operation stands."""


class ReplyPages:
    """Short forms about one alert; each calls what the command line calls."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/inbox/{alert}/acknowledge", answer=self.ask_acknowledge),
            Page(method="POST", path="/inbox/{alert}/acknowledge", answer=self.acknowledge),
            Page(method="GET", path="/inbox/{alert}/attest", answer=self.ask_attest),
            Page(method="POST", path="/inbox/{alert}/attest", answer=self.attest),
            Page(method="GET", path="/inbox/{alert}/confirm-purge", answer=self.ask_confirm),
            Page(method="POST", path="/inbox/{alert}/confirm-purge", answer=self.confirm),
        )

    def ask_acknowledge(self, visit: Visit) -> Response:
        """The form that says that somebody read it. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._page(visit, "acknowledge.html", [])

    def acknowledge(self, visit: Visit) -> Response:
        """Say so, or show what is wrong. Raises as the operation `acknowledge`."""
        entry = require(self._ports, visit.person, DESK)
        reference = visit.digest()
        written = visit.form.get("decide_by", "").strip()
        decide_by = local_time(written, self._site.zone)
        desk = self._site.desks.get(str(entry.agency))
        problems = []
        if decide_by is None:
            problems.append(error("TIME_SYNTAX", "decide_by", "this is no day and time", "write it like 2027-03-04 18:00"))
        if desk is None:
            problems.append(error("DESK_MISSING", "", "it is not said how this agency is reached", "add its desk to [[agencies]]"))
        if not problems:
            question = messages.AcknowledgeAlertRequest(
                request_id=asked_once(visit, "acknowledge", reference, written),
                alert=reference,
                action_decided_by=decide_by or 0,
                desk=desk,
                reason=_READ,
            )
            problems = list(acknowledge(self._ports, visit.person, question, self._site.release).problems)
        if not problems:
            return RedirectResponse(f"/inbox/{reference}?acknowledged", 303)
        return self._page(visit, "acknowledge.html", problems)

    def ask_attest(self, visit: Visit) -> Response:
        """The form that attests a purge. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._page(visit, "attest.html", [])

    def attest(self, visit: Visit) -> Response:
        """Attest it, or show what is wrong. Raises as `attest_purge`."""
        require(self._ports, visit.person, DESK)
        reference, copies, kept, updated = visit.digest(), _copies(visit), _kept(visit), "lists_updated" in visit.form
        if copies is None:
            return self._page(visit, "attest.html", [_no_number()])
        question = messages.AttestPurgeRequest(
            request_id=asked_once(visit, "attest", reference, str((copies, updated, kept))),
            alert=reference,
            copies_removed=copies,
            local_lists_updated=updated,
            exceptions=kept,
            reason=_PURGED,
        )
        answer = attest_purge(self._ports, visit.person, question, self._site.release_together)
        problems = [problem for one in answer.attestations for problem in one.problems]
        if not problems:
            return RedirectResponse(f"/inbox/{reference}?attested", 303)
        return self._page(visit, "attest.html", problems)

    def ask_confirm(self, visit: Visit) -> Response:
        """The form that confirms a purge inside the country. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._page(visit, "attest.html", [], inside=True)

    def confirm(self, visit: Visit) -> Response:
        """Confirm it to the desk that told of the alert, or show what is wrong. Raises as `confirm_purge`."""
        require(self._ports, visit.person, DESK)
        reference, copies = visit.digest(), _copies(visit)
        if copies is None:
            return self._page(visit, "attest.html", [_no_number()], inside=True)
        question = messages.ConfirmPurgeRequest(
            alert=reference,
            copies_removed=copies,
            local_lists_updated="lists_updated" in visit.form,
            exceptions=_kept(visit),
            reason=_PURGED,
        )
        problems = list(confirm_purge(self._ports, visit.person, question).problems)
        if not problems:
            return RedirectResponse(f"/inbox/{reference}?confirmed", 303)
        return self._page(visit, "attest.html", problems, inside=True)

    def _page(self, visit: Visit, template: str, problems: list[messages.Problem], *, inside: bool = False) -> Response:
        shown = {
            "inside": inside,
            "reference": visit.digest(),
            "form": visit.form,
            "problems": problems,
            "problem_places": _PLACES,
            "exceptions": [(name, enum_values()[name]) for name in EXCEPTIONS],
        }
        return self._pages.page(visit, template, status=422 if problems else 200, **shown)


def _copies(visit: Visit) -> int | None:
    """How many copies were removed; None for what is no such number."""
    written = visit.form.get("copies", "").strip()
    fits = written.isascii() and written.isdigit() and int(written[:9]) <= _COPIES_AT_MOST
    return int(written) if fits else None


def _no_number() -> messages.Problem:
    return error("COPIES_SYNTAX", "copies_removed", "this is no number", "write a number")


def _kept(visit: Visit) -> "list[control_pb2.PurgeException.ValueType]":
    return [control_pb2.PurgeException.Value(name) for name in EXCEPTIONS if name in visit.form]


def asked_once(visit: Visit, *said: str) -> bytes:
    """The request id of a form: the same form again, after a lost connection, is not a second one."""
    return sha256(b"\0".join(part.encode() for part in (visit.person, *said))).digest()[:16]


def local_time(text: str, zone: str) -> int | None:
    """A day and time by the clock of a zone in Unix milliseconds, 0 for none; None for what is no time."""
    if not text:
        return 0
    try:
        read = datetime.fromisoformat(text)
        return int((read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
