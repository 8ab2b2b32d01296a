"""Drafts as officers begin them, and an officer who writes one in a browser."""

from collections.abc import Mapping
from typing import Any

from exchange.profile import alert_type
from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.console_site import Browser, field
from tests.rig import Office

MRZ = "P<GBRSPECIMEN<<ALAN<MARTIN<<<<<<<<<<<<<<<<<<\n9990000010GBR6104128M3108228<<<<<<<<<<<<<<<6"


def begun(office: Office, by: str = "liaison", content: DraftContent | None = None) -> str:
    """A draft of that officer, by its id in hex."""
    typed = content or DraftContent(document={"type": "TravelAlert", "alert": {"names": [{"as_written": "EXAMPLE, Nobody"}]}})
    return draft_box.create(office.ports, office.person(by), typed).id.hex()


class Writer:
    """A liaison officer with one draft open."""

    def __init__(self, office: Office, draft: str = "", kind: str = "exchange.v1.TravelAlert") -> None:
        self.office = office
        self.browser = Browser(office).enter("liaison")
        self.draft = draft or self.browser.send("/drafts/new", {"type": kind}).headers["location"].removeprefix("/drafts/")

    def page(self, step: str = "") -> str:
        answer = self.browser.get(f"/drafts/{self.draft}/step/{step}" if step else f"/drafts/{self.draft}")
        assert answer.status_code == 200, step
        return str(answer.text)

    def save(self, step: str, form: Mapping[str, str], action: str = "save") -> Any:
        version = field(self.page(step), "version")
        sent = {f"f.{name}" if name != "mrz" else name: value for name, value in form.items()}
        return self.browser.send(f"/drafts/{self.draft}/step/{step}", {**sent, "version": version, "action": action})

    def held(self) -> DraftContent:
        return draft_box.get(self.office.ports, self.office.person("liaison"), bytes.fromhex(self.draft)).content

    def alert(self) -> Any:
        return self.held().document.get("alert")

    def read(self) -> Any:
        read = draft_box.read_draft(self.office.ports, self.office.person("liaison"), bytes.fromhex(self.draft))
        return alert_type(read.draft.alert_type).message.FromString(read.draft.alert)
