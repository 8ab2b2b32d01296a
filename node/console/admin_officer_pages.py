"""Who may come into the console: the roster, passkeys, one-time codes, sessions. An address names nobody: it holds a digest."""

from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from node.console.admin_words import ROLE_WORDS
from node.console.kept import Kept
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.operations.roster import list_officers
from node.operations.sign_in import enrol_officer, forget_passkeys


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_YOURSELF: Final = _said("This is you: you are signed out at once, and come back only with a new code.")
_THE_LAST: Final = _said("No other administrator has a passkey: codes can then be made on the command line only.")


class AdminOfficerPages:
    """Pages about officers, for administrators."""

    def __init__(self, site: Site, pages: Pages, kept: Kept) -> None:
        self._ports = site.ports
        self._origin = site.relying_party.origin
        self._pages = pages
        self._kept = kept

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/admin/officers", answer=self.officers),
            Page(method="GET", path="/admin/officers/{officer}", answer=self.officer),
            Page(method="POST", path="/admin/officers/{officer}/enrol", answer=self.enrol),
            Page(method="POST", path="/admin/officers/{officer}/forget", answer=self.forget),
        )

    def officers(self, visit: Visit) -> Response:
        """Everybody of the roster. Raises `NotPermitted`."""
        found = list_officers(self._ports, visit.person).officers
        return self._pages.page(visit, "admin_officers.html", officers=[_row(one) for one in found])

    def officer(self, visit: Visit) -> Response:
        """One of them. Raises `NotPermitted`, `NotFound` (PATH_UNKNOWN)."""
        return self._officer_page(visit, self._named(visit), [])

    def enrol(self, visit: Visit) -> Response:
        """A one-time code, shown on this answer and never again. Raises as `enrol_officer`."""
        one = self._named(visit)
        made = enrol_officer(self._ports, visit.person, one.officer)
        at = f"{self._origin}/enrol"
        return self._pages.page(visit, "admin_code.html", one=_row(one), code=made.code, until=made.expires_at, enrol_at=at)

    def forget(self, visit: Visit) -> Response:
        """Take every passkey, code and session away, if it is meant. Raises as `forget_passkeys`."""
        one = self._named(visit)
        unsure = [name for name in ("meant", *(("alone",) if self._warnings(visit, one) else ())) if visit.form.get(name) != "yes"]
        if unsure:
            return self._officer_page(visit, one, unsure)
        forget_passkeys(self._ports, visit.person, one.officer)
        # Whoever left the roster is not listed any more once nothing is left to take away.
        place = f"/admin/officers/{_address(one.officer)}"
        self._kept.put(visit, place, "done")
        return RedirectResponse(place if one.listed else "/admin/officers", 303)

    def _officer_page(self, visit: Visit, one: messages.OfficerSummary, unsure: list[str]) -> Response:
        row = _row(one)
        done = self._kept.take(visit, f"/admin/officers/{row['address']}")
        shown = {"one": row, "forgotten": done, "unsure": unsure, "warnings": self._warnings(visit, one)}
        return self._pages.page(visit, "admin_officer.html", status=422 if unsure else 200, **shown)

    def _warnings(self, visit: Visit, one: messages.OfficerSummary) -> list[str]:
        """What to think of before this person's passkeys go."""
        able = [
            other.officer
            for other in list_officers(self._ports, visit.person).officers
            if messages.ROLE_ADMINISTRATOR in other.roles and other.passkeys
        ]
        itself = [_YOURSELF] if one.officer == visit.person else []
        return [*itself, _THE_LAST] if able == [one.officer] else itself

    def _named(self, visit: Visit) -> messages.OfficerSummary:
        for one in list_officers(self._ports, visit.person).officers:
            if _address(one.officer) == visit.place["officer"]:
                return one
        raise NotFound("PATH_UNKNOWN", "there is no such page")


def _row(one: messages.OfficerSummary) -> dict[str, Any]:
    return {
        "address": _address(one.officer),
        "name": one.officer.rpartition("/")[2],
        "id": one.officer,
        "roles": [ROLE_WORDS.get(role, "") for role in one.roles],
        "agency": one.agency,
        "listed": one.listed,
        "passkeys": one.passkeys,
        "code_until": one.code_expires_at,
        "sessions": one.sessions,
        "seen_at": one.seen_at,
        "subject": one.subject,
    }


def _address(officer: str) -> str:
    return sha256(officer.encode()).hexdigest()
