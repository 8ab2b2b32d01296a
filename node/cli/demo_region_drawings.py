"""What a person on a terminal is shown of each chapter of the whole story: every value comes from what a command answered."""

from typing import TYPE_CHECKING, Any

from node.cli import demo_drawings as drawings
from node.cli.demo_stage import Data, find
from node.cli.output import facts, heading, note, table
from node.short_words import party_name, short, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTLED = frozenset({"ATTESTED", "NOT_HELD"})
"""Stages in which an agency owes no attestation."""
_ON_STAGE = ("gb.", "kh.", "th.", "vn.")
"""Countries whose people act in the story."""


def packs(data: Data) -> "Sequence[Any]":
    """Each country's rules, as its signed pack states them."""
    rows = [
        (pack["country"], rule["id"], "\n".join(map(words, rule["needs"])) or "–", rule["law"])
        for pack in data["packs"]
        for rule in pack["rules"]
    ]
    return [table(("!law of", "!rule", "asks for", "provision"), rows)]


def people(data: Data) -> "Sequence[Any]":
    """Who works where, in the countries that the story is about."""
    rows = [
        (
            person["party"].rpartition("/")[2],
            party_name(person["agency"]),
            ", ".join(words(role) for role in person["roles"]),
        )
        for person in data["officers"]
        if person["trust_domain"].startswith(_ON_STAGE)
    ]
    others = len(data["officers"]) - len(rows)
    return [table(("!officer", "at", "as"), sorted(rows, key=lambda row: row[1].rpartition("(")[2])), note(f"And {others} elsewhere.")]


def partners(data: Data) -> "Sequence[Any]":
    """Each pair, and how many agencies each may name at the other's."""
    rows = []
    for one in data["partners"]:
        counts = [str(len(added.get("partner", added)["agencies"])) for added in one["added"]]
        rows.append((" and ".join(one["pair"]), f"{counts[1]} and {counts[0]} agencies"))
    return [table(("each has the other's", "with"), rows)]


def agreements(data: Data) -> "Sequence[Any]":
    """Each agreement: between whom, how much it says, and of what a second officer approves."""
    rows = []
    for one in data["agreements"]:
        said = one["agreement"]["agreement"]
        names = " and ".join(party["trust_domain"] for party in said["parties"])
        eyes = sum(1 for clause in said["clauses"] if clause.get("approvals"))
        rows.append((names, short(one["digest"]), f"{len(said['clauses'])} clauses", str(eyes or "–")))
    return [table(("between", "!agreement", "says", "with a second officer"), rows, right=("with a second officer",))]


def tip(data: Data) -> "Sequence[Any]":
    """What the NGO reads at once, and what the desk reads."""
    rows = [(one["name"], one["channel"]) for one in data["tip"]["call_now"]]
    return [facts([("reference", data["tip"]["reference"]), *rows]), data["as_read"]]


def question(data: Data) -> "Sequence[Any]":
    """How the question stands with each whom it went to, and who she is that read it first."""
    person = data["liaison"]
    who = f"{person['party'].rpartition('/')[2]}, {', '.join(map(words, person['roles']))} at {party_name(person['agency'])}"
    return [_cases(data), facts([("read by", who)])]


def answer(data: Data) -> "Sequence[Any]":
    """What London answered, how the question stands at last, and what the NGO reads."""
    said = data["response"]["alert"]["alert"]
    rows = [
        (words(one["question"]), ": ".join([words(one["answer"]), *(text["text"] for text in one.get("text") or ())]))
        for one in said["answers"]
    ]
    convictions = [f"{one['statute']}, {one['month']}, {one['court']}" for one in said["convictions"]]
    return [_cases(data), facts([*rows, ("conviction", "; ".join(convictions)), ("the NGO reads", words(data["ngo_reads"]["state"]))])]


def gate(data: Data) -> "Sequence[Any]":
    """Each refusal by the law, and what an officer then put on record."""
    drawn: list[Any] = []
    for attempt in data["attempts"]:
        rules: dict[tuple[str, str, str], list[str]] = {}
        for one in attempt["refused"]:
            rules.setdefault((one["rule"], words(one["code"]), one["law"]), []).append(party_name(one["recipient"]))
        rows = [(rule, "\n".join(names), why, law) for (rule, why, law), names in rules.items()]
        drawn += [
            heading(f"Refused, exit code {attempt['exit_code']}"),
            table(("!by the rule", "!to", "because", "provision"), rows),
            *(part for one in attempt["recorded"] for part in (heading("Then on record"), _assessed(one))),
        ]
    if not drawn:
        drawn.append(note("Every transfer was weighed before: the law lets it go."))
    return drawn


def gate_before_alert(data: Data) -> "Sequence[Any]":
    """What London's officer cannot do alone, and what the law refuses until it is weighed."""
    (alone,) = data["alone"]["alerts"]
    why = sorted({problem["message"] for problem in alone["problems"] if problem["severity"] == "ERROR"})
    submission = data["submitted"]["submission"]
    given = f"{len(submission['approvals'])} of {submission['approvals_needed']}"
    return [
        facts([("published alone", f"refused, exit code {data['alone']['exit_code']}: {'; '.join(why)}")]),
        *gate(data),
        heading("Then it waits for a colleague"),
        facts([("submission", short(submission["id"])), ("approvals", given), ("preview", submission["preview_digest"])]),
    ]


def previewed(data: Data) -> "Sequence[Any]":
    """What the approver looks at, and that the author is turned away."""
    own = data["by_its_author"]
    turned = f"not permitted, exit code {own['exit_code']}: {words(find(own, 'code'))}"
    return [*drawings.preview(data), facts([("if its author approves", turned)])]


def released(data: Data) -> "Sequence[Any]":
    """Who approved what, and to whom it went."""
    approved = data["approved"]
    same = "the same" if approved["preview_digest"] == data["preview"]["preview_digest"] else "DIFFERENT"
    rows = [("approved by", _officers(one["person"] for one in approved["approvals"])), ("what was previewed and approved", same)]
    return [facts(rows), *drawings.published(data)]


def passed_on(data: Data) -> "Sequence[Any]":
    """What was refused without leave and by the law, and who is known to have it."""
    refused = find(data["refused"], "problems")[0]["message"]
    rows = [(_whom(one["agency"]), str(len(one["fields"])), one.get("via") or "") for one in data["reach"]["reached"]]
    return [
        facts([("before any leave", f"refused, exit code {data['refused']['exit_code']}: {refused}")]),
        *_weighed("London weighs leave for another country as a transfer of its own", data["weighed"]),
        *_weighed("And the country that passes it on weighs it by its own law", data["attempts"]),
        heading("Whom London knows to have it"),
        table(("told", "fields", "through"), rows, right=("fields",)),
    ]


def _weighed(title: str, attempts: Data) -> "Sequence[Any]":
    return [heading(title), *gate({"attempts": attempts})] if attempts else []


def screened(data: Data) -> "Sequence[Any]":
    """What the desk reads."""
    return [data["as_read"]]


def corrected(data: Data) -> "Sequence[Any]":
    """What was wrong, how it reads meanwhile, and what each desk reads in its place."""
    changes: dict[tuple[str, str, str], list[str]] = {}
    for desk in data["desks"]:
        for change in desk["changes"]:
            said = (words(change["field"]), "\n".join(change["before"]), "\n".join(change["now"]))
            changes.setdefault(said, []).append(party_name(desk["agency"]))
    rows = [("\n".join(names), *said) for said, names in changes.items()]
    flags = sorted({words(flag) for one in (*data["disputed"], data["passed_on"]) for flag in one["flags"]})
    approvals = data["replacement"]["submission"]["approvals"]
    return [
        facts(
            [
                ("was wrong", words(data["wrong"])),
                (f"at once, every desk and {data['third']} read", ", ".join(flags)),
                ("the correction was approved by", _officers(one["person"] for one in approvals)),
            ]
        ),
        table(("desk", "field", "before", "now"), rows),
    ]


def withdrawn(data: Data) -> "Sequence[Any]":
    """Who attested, and that nobody owes any more."""
    rows = [(party_name(one["agency"]), "erased" if one["erased"] else "blocked") for one in data["attested"]]
    owed = [str(sum(1 for one in data[when]["attestations"] if one["stage"] not in SETTLED)) for when in ("owed", "status")]
    return [
        table(("agency", "after its attestation its node's copy is"), rows),
        note("A node erases its copy when the last of its agencies has attested."),
        facts([("attestations owed", f"{owed[0]} at first, {owed[1]} at last")]),
    ]


def rested_on(data: Data) -> "Sequence[Any]":
    """Of each release: the assessment and the approval that it rests on, and where each stands in the journal."""
    rows = [
        (
            "\n".join(map(party_name, one["disclosure"]["audience"])),
            short(one["record"]["assessment"]),
            *(str(one["journal"][when]) for when in ("assessed", "approved", "released")),
            _officers(one["record"]["approvers"]),
        )
        for one in data["releases"]
    ]
    places = ("assessed", "approved", "released")
    return [
        table(("!released to", "!assessment", *(f"!{place}" for place in places), "!approver"), rows, right=places),
        note("Assessed, approved, released: at which entries of London's journal."),
        facts([("written by", _officers({one["record"]["officer"] for one in data["releases"]}))]),
    ]


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


def _cases(data: Data) -> Any:
    rows = [(party_name(case["asked"]), words(case["state"]), words(case["clock"])) for case in data["request"]["cases"]]
    return table(("asked", "question", "clock"), rows)


def _assessed(recorded: Data) -> Any:
    summary = recorded.get("summary", recorded)
    said = summary["assessment"]
    texts = ("overseas_security_and_justice", "death_penalty_assurance", "necessity")
    rows = [(words(name), " ".join(said[name].split())) for name in texts if said.get(name)]
    whom = f"{said['destination']}: {', '.join(map(party_name, said['recipients']))}"
    return facts([("assessment", short(summary["digest"])), ("of telling", whom), *rows, ("review by", said["review_by"][:10])])


def _officers(people: "Iterable[str]") -> str:
    return ", ".join(person.rpartition("/")[2] for person in people)


def _whom(agency: str) -> str:
    domain, _, rest = agency.removeprefix("spiffe://").partition("/")
    return f"the country itself ({domain.partition('.')[0]})" if rest == "node" else party_name(agency)
