"""What a person on a terminal is shown of each chapter of the whole story: every value comes from what a command answered."""

from typing import TYPE_CHECKING, Any

from node.cli.demo_stage import Data
from node.cli.output import facts, note, party_name, short, table, words

if TYPE_CHECKING:
    from collections.abc import Sequence


def agreements(data: Data) -> "Sequence[Any]":
    """Each agreement: between whom, and how much it says."""
    rows = []
    for one in data["agreements"]:
        said = one["agreement"]["agreement"]
        names = " and ".join(party["trust_domain"] for party in said["parties"])
        rows.append((names, short(one["digest"]), f"{len(said['clauses'])} clauses"))
    return [table(("between", "!agreement", "says"), rows)]


def tip(data: Data) -> "Sequence[Any]":
    """What the NGO reads at once, and what the desk reads."""
    rows = [(one["name"], one["channel"]) for one in data["tip"]["call_now"]]
    return [facts([("reference", data["tip"]["reference"]), *rows]), data["as_read"]]


def question(data: Data) -> "Sequence[Any]":
    """How the question stands at last, and what the NGO reads."""
    rows = [(party_name(case["asked"]), words(case["state"]), words(case["clock"])) for case in data["request"]["cases"]]
    return [table(("asked", "question", "clock"), rows), facts([("the NGO reads", words(data["ngo_reads"]["state"]))])]


def passed_on(data: Data) -> "Sequence[Any]":
    """What was refused without leave, and who is known to have it."""
    rows = [(party_name(one["agency"]), str(len(one["fields"])), one.get("via") or "") for one in data["reach"]["reached"]]
    return [table(("told", "fields", "through"), rows, right=("fields",))]


def screened(data: Data) -> "Sequence[Any]":
    """What the desk reads."""
    return [data["as_read"]]


def corrected(data: Data) -> "Sequence[Any]":
    """What was wrong, and what each desk reads in its place."""
    rows = [
        (party_name(desk["agency"]), words(change["field"]), "\n".join(change["before"]), "\n".join(change["now"]))
        for desk in data["desks"]
        for change in desk["changes"]
    ]
    flags = ", ".join(words(flag) for flag in data["passed_on"]["flags"])
    return [
        facts([("was wrong", data["wrong"]), ("Viet Nam, to whom the old one was passed on, reads", flags)]),
        table(("desk", "field", "before", "now"), rows),
    ]


def withdrawn(data: Data) -> "Sequence[Any]":
    """Who attested, and that nobody owes any more."""
    rows = [(party_name(one["agency"]), "erased" if one["erased"] else "blocked") for one in data["attested"]]
    return [table(("agency", "after its attestation its node's copy is"), rows)]


def reviewed(data: Data) -> "Sequence[Any]":
    """Each pair's logs, and each node's records."""
    rows = [
        (
            " and ".join(one["pair"]),
            str(len(one["logs"])),
            str(sum(log["size"] for log in one["logs"])),
            "the same" if not one["differences"] else "DIFFERENT",
        )
        for one in data["reconciled"]
    ]
    sound = [country for country, found in data["checked"].items() if found["holds"]]
    return [
        table(("pair", "logs", "entries", "!compared"), rows, right=("logs", "entries")),
        note(f"Records sound: {words(', '.join(sound))}"),
    ]
