"""Where a thing of the work list is done: from the command that comes next to the page that does the same.

One line for each command that has its page. In an address `{reference}` is the thing's own reference, whole and in hex, and `{named}` what
the command names it by.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from exchange.v1.desk_service_pb2 import WORK_KIND_DRAFT_TO_FINISH, WorkItem

LINKS: Final[Mapping[str, str]] = {
    "exchange agreement accept": "/admin/agreements/{reference}",
    "exchange alert status": "/sent/{reference}",
    "exchange approval give": "/approvals/{reference}",
    "exchange approval show": "/approvals/{reference}",
    "exchange distribution confirm-purge": "/inbox/{reference}/confirm-purge",
    "exchange handover show": "/handover",
    "exchange inbox attest": "/inbox/{reference}/attest",
    "exchange inbox report": "/inbox/{reference}/report",
    "exchange inbox show": "/inbox/{reference}",
    "exchange onward show": "/leave/{reference}",
    "exchange request show": "/requests/{reference}",
    "exchange partner show": "/admin/partners/{named}",
    "exchange tip show": "/tips/{named}",
}
"""By the first three words of a command; what is not here is done on the command line."""


def work_link(item: WorkItem) -> str:
    """The address of the page for it; empty if there is none yet."""
    if item.kind == WORK_KIND_DRAFT_TO_FINISH:  # only the console goes on with a draft
        return f"/drafts/{item.reference.hex()}"
    words = item.command.split()
    address = LINKS.get(" ".join(words[:3]), "")
    return address.format(reference=item.reference.hex(), named=quote(words[-1], safe="")) if address else ""
