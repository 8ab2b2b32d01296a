"""Drafts as officers begin them."""

from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.rig import Office


def begun(office: Office, by: str = "liaison", content: DraftContent | None = None) -> str:
    """A draft of that officer, by its id in hex."""
    typed = content or DraftContent(document={"type": "TravelAlert", "alert": {"names": [{"as_written": "EXAMPLE, Nobody"}]}})
    return draft_box.create(office.ports, office.person(by), typed).id.hex()
