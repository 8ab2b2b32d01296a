"""A list as a file, confirmed by a fresh passkey; the export and its confirmation are in the journal before anything is read."""

from dataclasses import replace
from typing import Final

from exchange.errors import Malformed
from exchange.tlog.checkpoint import parse_checkpoint_text
from node.confirmations import Confirmation
from node.operations.access import note_access
from node.operations.audit_paging import digest_of
from node.operations.audit_proofs import get_checkpoint
from node.operations.audit_source import OwnLists
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.reports.audit_export import FORMATS, LISTS, Asked, Exported, read_list, write_list
from node.store.journal import Event, Kind

AT_MOST: Final = 2_000
"""Lines of one file: a download that nobody waits long for. The command line writes more."""
ON_PAPER: Final = 200
"""Of a PDF, whose every line is shaped and measured."""
_CODES: Final = {"disclosures": "DISCLOSURES", "events": "EVENTS", "errors": "MISTAKES"}
_SAID: Final = "signed by this node; verify it with the fingerprint that its country publishes"


def export_list(ports: Ports, person: str, asked: Asked, form: str, confirmation: Confirmation) -> tuple[Exported, bytes]:
    """What was asked for, and the file. Raises `Malformed` (EXPORT, FILTER), and as `get_checkpoint`."""
    require(ports, person, (AUDITOR,))
    if asked.what not in LISTS or form not in FORMATS or not 1 <= asked.limit <= AT_MOST:
        raise Malformed("EXPORT", f"export one of {', '.join(LISTS)} as {', '.join(FORMATS)}, at most {AT_MOST} lines")
    subject = digest_of("export", asked.what, asked.wanted, form)
    event = Event(code=_CODES[asked.what], subject=subject, confirmation=confirmation.encoded())
    note_access(ports, Kind.JOURNAL_KIND_EXPORT, person, event)
    fits = replace(asked, limit=min(asked.limit, ON_PAPER)) if form == "pdf" else asked
    exported = read_list(OwnLists(ports=ports, person=person, for_export=True), fits)
    note = get_checkpoint(ports, person, "").checkpoint
    tree = parse_checkpoint_text(note.partition(b"\n\n")[0] + b"\n")
    return exported, write_list(exported, form, tree, _SAID, ports.clock.now_ms())
