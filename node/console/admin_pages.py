"""Looking after a node: where administrators begin, the doctor, keys, what waits, and what is due for erasure. They see no alerts."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from exchange.v1 import desk_service_pb2 as messages
from node.console.admin_agreement_pages import AdminAgreementPages
from node.console.admin_officer_pages import AdminOfficerPages
from node.console.admin_partner_pages import AdminPartnerPages
from node.console.admin_propose_pages import AdminProposePages
from node.console.admin_words import due_words, health_row, key_rows
from node.console.confirm import Confirming
from node.console.kept import Kept
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import type_words
from node.operations.doctor import examine
from node.operations.health_node import certificate_ends_soon
from node.operations.key_windows import list_keys
from node.operations.officers import ADMINISTRATOR, require
from node.operations.retention import list_due, run
from node.operations.waiting import list_waiting

VERDICTS: Final = (messages.HEALTH_VERDICT_ACT, messages.HEALTH_VERDICT_LOOK, messages.HEALTH_VERDICT_GOOD)
DUE_SHOWN: Final = 50
_RETENTION: Final = "/admin/retention"


class AdminPages:
    """Pages for administrators; partners, agreements and officers have families of their own."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._ports = site.ports
        self._zone = site.zone
        self._pages = pages
        self._kept = kept = Kept()
        self._families = (
            AdminPartnerPages(site, pages, confirming, kept),
            AdminProposePages(site, pages, confirming, kept),
            AdminAgreementPages(site, pages, confirming, kept),
            AdminOfficerPages(site, pages, kept),
        )

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family, and of those below it."""
        return (
            Page(method="GET", path="/admin", answer=self.index),
            Page(method="GET", path="/admin/doctor", answer=self.doctor),
            Page(method="GET", path="/admin/keys", answer=self.keys),
            Page(method="GET", path="/admin/outbox", answer=self.outbox),
            Page(method="GET", path="/admin/retention", answer=self.retention),
            Page(method="POST", path="/admin/retention", answer=self.run_retention),
            *(page for family in self._families for page in family.pages()),
        )

    def index(self, visit: Visit) -> Response:
        """Where an administrator begins: how many things there are to do. Raises `NotPermitted`."""
        checks = examine(self._ports, visit.person).checks
        counts = [sum(one.verdict == verdict for one in checks) for verdict in VERDICTS]
        return self._pages.page(visit, "admin.html", act=counts[0], look=counts[1])

    def doctor(self, visit: Visit) -> Response:
        """What is wrong with the node, or will be soon. Raises `NotPermitted`."""
        found = examine(self._ports, visit.person)
        groups = [[health_row(one, visit.language, self._zone) for one in found.checks if one.verdict == verdict] for verdict in VERDICTS]
        return self._pages.page(visit, "admin_doctor.html", at=found.at, act=groups[0], look=groups[1], good=groups[2])

    def keys(self, visit: Visit) -> Response:
        """When keys and certificates end. Raises `NotPermitted`."""
        report, now = list_keys(self._ports, visit.person), self._ports.clock.now_ms()
        certificates = [
            {"name": one.name, "ends": one.not_after, "left": one.not_after - now, "soon": certificate_ends_soon(one, now)}
            for one in report.certificates
        ]
        return self._pages.page(
            visit,
            "admin_keys.html",
            now=now,
            own=report.own,
            undescribed=report.undescribed,
            certificates=certificates,
            keys=key_rows(report.own, now, own=True),
            partners=[(partner, key_rows(partner, now, own=False)) for partner in report.partners],
        )

    def outbox(self, visit: Visit) -> Response:
        """What this node could not hand over yet. Raises `NotPermitted`."""
        return self._pages.page(visit, "admin_outbox.html", waiting=list_waiting(self._ports, visit.person))

    def retention(self, visit: Visit) -> Response:
        """What is due for review or erasure. Raises `NotPermitted`, `Malformed` (PAGE_TOKEN)."""
        entry = require(self._ports, visit.person, (ADMINISTRATOR,))
        question = messages.ListRetentionRequest(page_size=DUE_SHOWN, page_token=visit.query.get("after", ""))
        found = list_due(self._ports, str(entry.id), question)
        rows = [
            {
                "reference": one.summary.manifest_digest.hex(),
                "type": type_words(one.summary.alert_type),
                "own": one.own,
                "due": due_words(one.due),
                "erase_by": one.erase_by,
                "review_by": one.review_by,
                "holds": [hold.agency for hold in one.holds],
            }
            for one in found.alerts
        ]
        shown = {"more": found.next_page_token, "copies": found.copies, "erased": self._kept.take(visit, _RETENTION)}
        return self._pages.page(visit, "admin_retention.html", alerts=rows, **shown)

    def run_retention(self, visit: Visit) -> Response:
        """Erase what is past its limit. Raises `NotPermitted`, and as `run`."""
        done = run(self._ports, visit.person, dry_run=False)
        self._kept.put(visit, _RETENTION, done.erased)
        return RedirectResponse(_RETENTION, 303)
