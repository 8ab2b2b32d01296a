"""`exchange partner`: other countries' nodes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.fingerprint import Fingerprint
from node.cli.output import facts, grouped, heading, in_words, note, show, table
from node.documents import document, enum_name
from node.short_words import party_name, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import PartnerSummary


_REASON = click.option("--reason", default="", help="Why, for your auditors. Name no person in it.")


@click.group(cls=Noun)
def partner() -> None:
    """Other countries' nodes: add, list, show, suspend, resume."""


@partner.command()
@click.argument("descriptor", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--fingerprint",
    required=True,
    type=Fingerprint(),
    metavar="HEX|WORDS",
    help="Of the partner's identity key, as its people read it to you: 64 hex digits or 32 words, grouped as you like.",
)
def add(descriptor: Path, fingerprint: bytes) -> None:
    """Add a partner from its DESCRIPTOR file.

    The fingerprint is what makes it safe: ask for it by a way that does not depend on the file, such as a telephone
    number that you already had. On the partner's side, `exchange node descriptor` shows it.
    """
    from exchange.v1 import desk_service_pb2
    from node.intake.descriptor_text import descriptor_of

    question = desk_service_pb2.AddPartnerRequest(descriptors=descriptor_of(descriptor.read_bytes()), fingerprint=fingerprint)
    with open_desk() as desk:
        added = ask(desk.AddPartner, question).partner

    def draw(console: "Console") -> None:
        console.print(f"{added.trust_domain} is now a partner.")
        _draw(console, added)
        console.print(note("\nNothing is told to it until an agreement is in force: exchange agreement template …"))

    show(document(added), draw)


@partner.command("list")
def list_() -> None:
    """List all partners, and whether their streams are up."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListPartners, desk_service_pb2.ListPartnersRequest())

    def draw(console: "Console") -> None:
        if not answer.partners:
            console.print(note("No partners yet. Add one: exchange partner add DESCRIPTOR --fingerprint …"))
            return
        rows = [
            (
                item.trust_domain,
                "suspended" if item.suspended else "active",
                _up(item.outbound_stream_up),
                _up(item.inbound_stream_up),
                str(len(item.agencies)),
                ", ".join(item.alarms) or "–",
            )
            for item in answer.partners
        ]
        columns = ("!partner", "state", "to them", "from them", "agencies", "alarms")
        console.print(table(columns, rows, right=("agencies",)))

    show(document(answer), draw)


@partner.command("show")
@click.argument("trust_domain", metavar="PARTNER")
def show_(trust_domain: str) -> None:
    """Show one PARTNER, named by its trust domain: keys, agencies, alarms."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        found = ask(desk.GetPartner, desk_service_pb2.GetPartnerRequest(trust_domain=trust_domain)).partner
    show(document(found), lambda console: _draw(console, found))


@partner.command()
@click.argument("trust_domain", metavar="PARTNER")
@_REASON
def suspend(trust_domain: str, reason: str) -> None:
    """Stop exchanging with PARTNER until you resume. Nothing is lost; alerts wait."""
    _suspend(trust_domain, reason, resume=False)


@partner.command()
@click.argument("trust_domain", metavar="PARTNER")
@_REASON
def resume(trust_domain: str, reason: str) -> None:
    """Take up the exchange with PARTNER again."""
    _suspend(trust_domain, reason, resume=True)


def _suspend(trust_domain: str, reason: str, *, resume: bool) -> None:
    from exchange.v1 import desk_service_pb2

    question = desk_service_pb2.SuspendPartnerRequest(trust_domain=trust_domain, resume=resume, reason=reason)
    with open_desk() as desk:
        changed = ask(desk.SuspendPartner, question).partner
    state = "suspended: alerts to it wait" if changed.suspended else "active again"
    show(document(changed), lambda console: console.print(f"{changed.trust_domain} is {state}."))


def _up(up: bool) -> str:  # noqa: FBT001  one flag, one word
    return "up" if up else "down"


def _draw(console: "Console", found: "PartnerSummary") -> None:
    from exchange.v1.agreement_pb2 import AgencyClass

    rows = (
        ("partner", found.trust_domain),
        ("state", "suspended" if found.suspended else "active"),
        ("endpoint", found.endpoint),
        ("streams", f"{_up(found.outbound_stream_up)} to them, {_up(found.inbound_stream_up)} from them"),
        ("last heard", time_text(found.heard_at)),
        ("fingerprint", grouped(found.identity_fingerprint)),
        ("in words", in_words(found.identity_fingerprint)),
        ("descriptor", f"number {found.sequence}, the next is due by {time_text(found.next_update)}"),
        ("languages", ", ".join(found.languages)),
        ("alarms", ", ".join(found.alarms) or "none"),
    )
    console.print(facts(rows))
    if found.agencies:
        console.print(heading("Agencies"))
        agencies = [(party_name(a.agency), words(enum_name(AgencyClass.DESCRIPTOR, a.agency_class)), a.name) for a in found.agencies]
        console.print(table(("!agency", "class", "name"), agencies))
