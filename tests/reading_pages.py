"""What tests of an administrator's pages share: reading a page, an offered descriptor or agreement, and the journal's reasons."""

from typing import Any

from node.intake.descriptor_text import write_descriptor
from node.operations import partners
from node.operations.agreements import draft as propose
from node.store.journal import ACCOUNTABILITY
from tests.console_site import Shown
from tests.countries import agreement, changed
from tests.federation import Federation
from tests.rig import Office

PAGE_BYTES = 60_000
HOSTILE = '<script>alert(1)</script>\u202e"{{ 7*7 }}'


def texts(answer: Any, status: int = 200) -> str:
    """What a person reads, on one line."""
    assert answer.status_code == status, answer.text
    return " ".join(text for _, text in Shown(answer.text).texts)


def offer_of(office: Office) -> tuple[str, bytes]:
    """What an administrator sends to another, and what is read out."""
    own = partners.own_descriptor(office.ports, office.person("administrator"))
    return write_descriptor(own.descriptors), own.identity_fingerprint


def in_journal(office: Office, code: str) -> list[str]:
    """Why, of every entry with that code that says so."""
    with office.ports.store.read() as tx:
        rows = office.ports.journal.rows(tx, 0, office.ports.journal.edge(tx).frontier.size)
        details = [office.ports.journal.detail(tx, row.idx, ACCOUNTABILITY) for row in rows if row.code == code]
    return [(detail or b"").decode("utf-8", "replace") for detail in details]


def offered(three: Federation, edit: Any = None) -> str:
    """An agreement that kh proposed to gb, by digest."""
    content = changed(agreement(), instrument="Second memorandum, synthetic")
    if edit:
        edit(content)
    made = propose(three["kh"].ports, three["kh"].person("administrator"), content)
    three.carry()
    return made.digest.hex()
