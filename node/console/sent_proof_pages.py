"""The proof that a sent alert was logged, as the agency that sent it sees it; and the evidence as a file, once a passkey signed for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from exchange.errors import Malformed
from exchange.v1 import evidence_pb2
from node.console.audit_places import place_of
from node.console.audit_words import CHECKS, WHY_NOT_RUN
from node.console.confirm import Confirming
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Visit
from node.operations.evidence import export_evidence
from node.operations.sent_proof import prove_sent

ONE: Final = "/sent/{alert}/proof/{recipient}/{generation}/{index}"


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


LEVELS: Final[Mapping[str, str]] = {
    "CONTENTLESS": _said("Without what the recipient was shown: no personal data"),
    "DATA": _said("With what the recipient was shown: handle it as the alert itself"),
    "ENTRY_ONLY": _said("The entry alone: the content was erased"),
    "LOGGED_ONLY": _said("That it was logged, though their node refused it"),
}


class SentProofPages:
    """Pages for liaison officers about one entry of an alert of theirs; whose it is, the operation asks."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._ports = site.ports
        self._pages = pages
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path=ONE, answer=self.show),
            Page(method="POST", path=ONE, answer=self.export),
        )

    def show(self, visit: Visit) -> Response:
        """The proof, verified now; and the question for the passkey, once it is said what the file is to hold. Raises as `prove_sent`."""
        origin, index = self._place(visit)
        found = prove_sent(self._ports, visit.person, visit.digest(), origin, index)
        level = visit.query.get("level", "")
        chosen = level in found.levels
        shown: dict[str, Any] = {
            "proof": found,
            "alert": visit.place["alert"],
            "path": f"/sent/{visit.place['alert']}/proof/{'/'.join(visit.place[one] for one in ('recipient', 'generation', 'index'))}",
            "checks": [(check, CHECKS[check.number], WHY_NOT_RUN.get(check.code, "")) for check in found.proved.checks],
            "levels": [(one, LEVELS[one]) for one in found.levels],
            "level": (level, LEVELS[level]) if chosen else (),
            "asked": self._confirming.ask(visit, "export", _confirmed(origin, index, level)) if chosen else None,
        }
        return self._pages.page(visit, "sent_proof.html", **shown)

    def export(self, visit: Visit) -> Response:
        """The file that `exchange evidence export` writes. Raises as `prove_sent`, `Confirming.take` and `export_evidence`."""
        origin, index = self._place(visit)
        found = prove_sent(self._ports, visit.person, visit.digest(), origin, index)
        level = visit.form.get("level", "")
        if level not in found.levels:
            raise Malformed("FORM", "the form names no level of evidence that there is")
        confirmation = self._confirming.take(visit, "export", _confirmed(origin, index, level))
        number = evidence_pb2.EvidenceLevel.Value(f"EVIDENCE_LEVEL_{level}")
        data = export_evidence(self._ports, visit.person, origin, index, number, confirmation)
        name = f"{visit.place['recipient']}-{visit.place['generation']}-{index}.evidence"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    def _place(self, visit: Visit) -> tuple[str, int]:
        own = self._ports.trust_domain
        return place_of(replace(visit, place={**visit.place, "sender": own}), own)


def _confirmed(origin: str, index: int, level: str) -> dict[str, Any]:
    return {"what": "evidence", "origin": origin, "index": index, "level": level}
