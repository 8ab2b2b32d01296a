"""Who may come into the console: the roster, passkeys, one-time codes, sessions. An address names nobody: it holds a digest."""

from hashlib import sha256
from typing import Any

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from node.console.admin_words import ROLE_WORDS
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.operations.roster import list_officers
from node.operations.sign_in import enrol_officer, forget_passkeys


class AdminOfficerPages:
    """Pages about officers, for administrators."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._origin = site.relying_party.origin
        self._pages = pages

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
        done = "forgotten" in visit.query
        return self._pages.page(visit, "admin_officer.html", one=_row(self._named(visit)), forgotten=done, unsure=False)

    def enrol(self, visit: Visit) -> Response:
        """A one-time code, shown on this answer and never again. Raises as `enrol_officer`."""
        one = self._named(visit)
        made = enrol_officer(self._ports, visit.person, one.officer)
        at = f"{self._origin}/enrol"
        return self._pages.page(visit, "admin_code.html", one=_row(one), code=made.code, until=made.expires_at, enrol_at=at)

    def forget(self, visit: Visit) -> Response:
        """Take every passkey, code and session away, if it is meant. Raises as `forget_passkeys`."""
        one = self._named(visit)
        if visit.form.get("meant") != "yes":
            return self._pages.page(visit, "admin_officer.html", status=422, one=_row(one), forgotten=False, unsure=True)
        forget_passkeys(self._ports, visit.person, one.officer)
        # Whoever left the roster is not listed any more once nothing is left to take away.
        listed = one.listed
        return RedirectResponse(f"/admin/officers/{_address(one.officer)}?forgotten" if listed else "/admin/officers", 303)

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
