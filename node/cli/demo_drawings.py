"""What a person on a terminal is shown of each step of the demo: every value comes from what a command answered."""

from typing import TYPE_CHECKING, Any

from node.cli.demo_stage import Data
from node.cli.output import facts, grouped, heading, note, table
from node.short_words import party_name, short, words

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = {"SHOWN": "●", "SHOWN_NOT_KNOWN": "○", "NEEDS_REASON": "?", "UNTICKED": "–", "FORBIDDEN": "·"}
_LEGEND = "● shown   ○ shown as not known   ? only with a reason of the case   – left out   · forbidden"


def nodes(data: Data) -> "Sequence[Any]":
    """Each node, and the fingerprint of its identity."""
    return [facts([(made["trust_domain"], grouped(bytes.fromhex(made["identity_fingerprint"])))]) for made in data["nodes"]]


def people(data: Data) -> "Sequence[Any]":
    """Who asks, and in which roles."""
    return [facts([(person["party"], ", ".join(words(role) for role in person["roles"])) for person in data["officers"]])]


def partners(data: Data) -> "Sequence[Any]":
    """Each partner, where it listens, how many agencies it has."""
    rows = []
    for added in data["partners"]:
        partner = added.get("partner", added)
        rows.append((partner["trust_domain"], f"at {partner['endpoint']}, {len(partner['agencies'])} agencies"))
    return [facts(rows)]


def agreement(data: Data) -> "Sequence[Any]":
    """What was agreed, in short."""
    agreement = _inner(data["agreement"], "agreement")
    counts = f"{len(agreement['clauses'])} clauses for {len(agreement['agencies'])} agencies"
    return [facts([("agreement", short(data["digest"])), ("instrument", agreement["instrument"]), ("says", counts)])]


def preview(data: Data) -> "Sequence[Any]":
    """Each recipient × each field, and the clause that decided."""
    recipients = data["preview"]["recipients"]
    names = [party_name(item["recipient"]) for item in recipients]
    fields = [item["name"] for item in recipients[0]["fields"]] if recipients else []
    rows = [(name, *(_MARKS.get(_visibility(item, name), "·") for item in recipients)) for name in fields]
    clauses = [(name, f"decided by {item['clause'] or '–'}") for name, item in zip(names, recipients, strict=True)]
    return [table(("!field", *names), rows), note(_LEGEND), facts(clauses)]


def published(data: Data) -> "Sequence[Any]":
    """To whom it went, where it is logged, and how far it has come."""
    rows = [
        (
            "\n".join(party_name(agency) for agency in item["disclosure"]["audience"]),
            str(len(item["disclosure"]["fields"])),
            item["disclosure"]["clause"],
            f"{_direction(item['disclosure']['origin'])}, {item['disclosure']['index']}",
            words(item["state"]),
        )
        for item in data["status"]["disclosures"]
    ]
    digest = data["published"]["manifest_digest"]
    return [facts([("manifest", digest)]), table(("!to", "!fields", "clause", "!log, index", "!state"), rows)]


def desks(data: Data) -> "Sequence[Any]":
    """What each desk was told, and what the first one reads."""
    rows = []
    for desk in data["desks"]:
        alert = desk["shown"]["alert"]
        withheld = alert.get("not_disclosed") or []
        told = len([value for value in alert.get("alert", alert).values() if value not in (None, [], {})])
        rows.append((party_name(desk["agency"]), f"{told} fields, {len(withheld)} not disclosed"))
    drawn: list[Any] = [facts(rows)]
    for desk in data["desks"][:1]:
        drawn += [heading(f"What {party_name(desk['agency'])} reads"), desk["as_read"]]
    return drawn


def reported(data: Data) -> "Sequence[Any]":
    """What a desk answered."""
    states = ", ".join(sorted({words(item["state"]) for item in data["status"]["disclosures"]}))
    alert = data["answer"]["alert"]
    outcome = alert.get("alert", alert).get("outcome")
    return [facts([("from", party_name(data["agency"])), ("outcome", words(outcome)), ("status at the originator", states)])]


def compared(data: Data) -> "Sequence[Any]":
    """Each log, and whether both countries hold the same hash."""
    rows = []
    for item in data["compared"]:
        size = next(iter(item["size"].values()))
        rows.append((item["origin"], str(size), next(iter(item["root"].values())), "the same" if item["equal"] else "DIFFERENT"))
    return [table(("log", "!size", "root hash at both", "!compared"), rows)]


def proved(data: Data) -> "Sequence[Any]":
    """What a file of evidence proves."""
    verified = data["verified"]
    rows = [
        ("file", f"{data['exported']['file']}, {data['exported']['bytes']} bytes"),
        ("holds", "yes" if verified["holds"] else "no"),
        ("level", words(verified["level"])),
        ("entry", f"{verified['origin']}, index {verified['index']} of {verified['size']}"),
        ("receipted", verified["received_at"]),
    ]
    return [facts(rows)]


def _visibility(preview: Data, name: str) -> str:
    return next((str(item["visibility"]) for item in preview["fields"] if item["name"] == name), "FORBIDDEN")


def _direction(origin: str) -> str:
    """Which log that is: from whose node to whose."""
    sender, _, recipient, *_ = origin.split("/")
    return f"{sender.partition('.')[0]} to {recipient.partition('.')[0]}"


def _inner(data: Any, key: str) -> Any:
    while isinstance(data, dict) and key in data:
        data = data[key]
    return data if not isinstance(data, dict) or "clauses" in data else _inner(data.get("summary", {}), key)
