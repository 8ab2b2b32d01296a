"""What a desk must see, worked out from two files and the schema's text alone: nothing of the node's own code decides here.

And alerts and agreements at random, whose values are written as a reader writes them back, so that they can be compared as they are.
"""

import hashlib
import json
import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MRZ_FILLS = {"primary_name", "birth", "sex", "nationalities"}
_COLUMN = {"BORDER": 0, "POLICE": 1, "PROSECUTION": 1, "NGO": 2, "SOCIAL": 2}
PURPOSES = ("PREVENTION", "DETECTION", "INVESTIGATION", "BORDER_CONTROL", "CHILD_SAFEGUARDING")


@dataclass(frozen=True, slots=True)
class Field:
    number: int
    marks: str
    category: str


def schema(message: str, file: str) -> dict[str, Field]:
    """The top-level fields of an alert type, read from the text of its .proto file."""
    text = (ROOT / f"proto/exchange/v1/{file}.proto").read_text("utf-8")
    body = text.split(f"message {message} {{", 1)[1].split("\n}", 1)[0]
    found = re.findall(r"^  (?:repeated |optional )?[\w.]+ (\w+) = (\d+) \[(.*?)\];$", body, re.MULTILINE | re.DOTALL)
    said = (r'default_marks\) = "([^"]+)"', r"category\) = DATA_CATEGORY_(\w+)")
    return {name: Field(int(number), *(re.findall(pattern, options)[0] for pattern in said)) for name, number, options in found}


TRAVEL = schema("TravelAlert", "travel_alert")
REPORT = schema("HitReport", "hit_report")
_SCHEMAS = {"TravelAlert": TRAVEL, "HitReport": REPORT}


def roster(country: str) -> dict[str, Any]:
    """One country of the example roster."""
    countries = tomllib.loads((ROOT / "certs-example/agencies.toml").read_text("utf-8"))["countries"]
    return next(dict(found) for found in countries if found["code"] == country)


def agency_id(country: str, slug: str) -> str:
    return f"spiffe://{roster(country)['trust_domain']}/agency/{slug}"


def agencies(country: str) -> dict[str, str]:
    """SPIFFE ID to class."""
    return {agency_id(country, agency["slug"]): agency["class"] for agency in roster(country)["agencies"]}


def home(country: str) -> str:
    """The agency of the officer who publishes: the liaison officer's."""
    return agency_id(country, next(officer["agency"] for officer in roster(country)["officers"] if officer["role"] == "liaison"))


def desks(country: str) -> dict[str, str]:
    """Agencies whose desk somebody works, by the name of that person's context."""
    classes = agencies(country)
    people = [agency_id(country, officer["agency"]) for officer in roster(country)["officers"] if officer["role"] == "partner"]
    return {f"partner-{classes[agency].lower()}": agency for agency in people}


def reporting(country: str) -> dict[str, str]:
    """Those of them that report back: an NGO of the examples has no key of its own."""
    return {context: agency for context, agency in desks(country).items() if context != "partner-ngo"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What one clause says, by field name."""

    id: str
    required: frozenset[str]
    permitted: frozenset[str]
    on_request: frozenset[str]


def terms(agreement: Mapping[str, Any], sender: str, agency: str, kind: str) -> Terms:
    """The clause of an agreement file that decides about one agency; the files of these tests have exactly one."""
    audience = next(item["agency_class"] for item in agreement["agencies"] if item["agency"] == agency)
    wanted = (roster(sender)["trust_domain"], audience, kind)
    (clause,) = [c for c in agreement["clauses"] if (c["sender"], c["audience"], c["alert_type"]) == wanted]
    lists = {name: frozenset(clause.get(name, ())) for name in ("required", "permitted", "on_request")}
    if clause.get("marks") == "default":
        column, fields = _COLUMN[audience], _SCHEMAS[kind]
        marks = {name: field.marks[column] for name, field in fields.items()}
        if audience == "PROSECUTION" and "covert_operation" in marks:
            marks["covert_operation"] = "-"
        if audience == "SOCIAL" and "destination_area" in marks:
            marks["destination_area"] = "M"
        for letter, name in (("R", "required"), ("M", "permitted"), ("C", "on_request")):
            lists[name] = frozenset(field for field, mark in marks.items() if mark == letter)
    return Terms(clause["id"], **lists)


def visible(agreement: Mapping[str, Any], alert: Mapping[str, Any], sender: str, agency: str) -> frozenset[str]:
    """Names of the fields that an agency is told of, known or not."""
    clause = terms(agreement, sender, agency, "TravelAlert")
    return clause.required | ((clause.permitted | _granted(clause, alert, agency)) - set(alert.get("leave_out", ())))


def _granted(clause: Terms, alert: Mapping[str, Any], agency: str) -> frozenset[str]:
    """What the clause gives one agency on request, and a ground is stated for."""
    grounds = {grant["field"] for grant in alert.get("on_request", ()) if full(grant["recipient"]) == agency}
    return clause.on_request & grounds


def visibility(agreement: Mapping[str, Any], alert: Mapping[str, Any], sender: str, agency: str, present: set[str]) -> dict[str, str]:
    """What the preview must say of every field: of one that is withheld, the reason by which it stays away.

    (required ∪ permitted ∪ (on_request ∩ G)) − U goes (PROTOCOL.md, section 7): a field on request that has its ground lacks no reason,
    so if it does not go, then because it was left out.
    """
    clause = terms(agreement, sender, agency, "TravelAlert")
    shown = visible(agreement, alert, sender, agency)
    offered = clause.permitted | _granted(clause, alert, agency)

    def say(name: str) -> str:
        if name in shown:
            return "SHOWN" if name in present else "SHOWN_NOT_KNOWN"
        if name in offered:
            return "UNTICKED"
        return "NEEDS_REASON" if name in clause.on_request else "FORBIDDEN"

    return {name: say(name) for name in TRAVEL}


def handling(agreement: Mapping[str, Any], alert: Mapping[str, Any], sender: str, agency: str) -> dict[str, Any]:
    """What is in force for an agency: the strictest of the alert's handling and the clause's (PROTOCOL.md, section 6)."""
    said, wanted = alert["handling"], terms(agreement, sender, agency, "TravelAlert").id
    clause = next(clause for clause in agreement["clauses"] if clause["id"] == wanted)
    return {
        "codes": said["codes"],
        "permitted_purposes": set(said["permitted_purposes"]) & set(clause["purposes"]),
        "judicial_use": said["judicial_use"],
        "onward": "NONE" if "NONE" in {said["onward"], clause["onward"]} else "ASK",
        "retention_days": min(said["retention_days"], clause["maximum_retention_days"]),
        "confirm_before_coercive_action": False,
    }


def full(agency: str) -> str:
    return agency if agency.startswith("spiffe://") else f"spiffe://{agency}"


def root(entries: Sequence[bytes]) -> str:
    """RFC 6962, section 2.1, by its own words."""
    if not entries:
        return hashlib.sha256(b"").hexdigest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).hexdigest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    left, right = bytes.fromhex(root(entries[:split])), bytes.fromhex(root(entries[split:]))
    return hashlib.sha256(b"\1" + left + right).hexdigest()


def statement_digest(kind: str, payload: bytes) -> str:
    """PROTOCOL.md, section 2: H of the DSSE pre-authentication encoding."""
    return hashlib.sha256(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)).hexdigest()


# Files at random


def random_alert(dice: random.Random, sender: str, recipient: str) -> dict[str, Any]:
    """An alert file with a random half of the fields, for one or both desks and sometimes another agency."""
    always = ("primary_name", "destination_area", "requested_action", "contact_desk")
    values = _values(dice)
    chosen = set(always) | {name for name in values if dice.random() < 0.5}
    staffed = sorted(reporting(recipient).values())
    told = set(dice.sample(staffed, dice.randint(1, len(staffed))))
    if dice.random() < 0.5:
        told.add(dice.choice(sorted(agencies(recipient))))
    return {
        "type": "TravelAlert",
        "language": "en",
        "recipients": [dice.choice((agency, agency.removeprefix("spiffe://"))) for agency in sorted(told)],
        "purpose": dice.choice(PURPOSES),
        "not_after": f"P{dice.randint(20, 400)}D",
        "handling": {
            "codes": dice.sample(["H1", "H2", "H3"], 1),
            "permitted_purposes": list(PURPOSES),
            "judicial_use": dice.choice(["NONE", "ASK"]),
            "onward": dice.choice(["NONE", "ASK"]),
            "retention_days": dice.randint(1, 400),
        },
        "alert": {name: values[name] for name in TRAVEL if name in chosen},
    }


def random_agreement(dice: random.Random, sender: str, recipient: str, alert: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An agreement file in which each class is told other fields, and what it says. Adds to the alert what is left out or granted."""
    ours, theirs = roster(sender)["trust_domain"], roster(recipient)["trust_domain"]
    everybody = agencies(sender) | agencies(recipient)
    told = [full(agency) for agency in alert["recipients"]]
    clauses = []
    for audience in sorted({everybody[agency] for agency in told}):
        marks = {name: dice.choices("RMC-", (2, 5, 2, 4))[0] for name in TRAVEL}
        marks[dice.choice(sorted(alert["alert"]))] = "M"  # so that something is told
        clauses.append(_clause(dice, (ours, theirs, audience, "TravelAlert"), marks, alert["purpose"]))
    marks = {name: dice.choice("M-") for name in REPORT} | {"manifest_digest": "R", "outcome": "R"}
    clauses.append(_clause(dice, (theirs, ours, everybody[home(sender)], "HitReport"), marks, dice.choice(PURPOSES)))
    dice.shuffle(clauses)
    agreement = {
        "instrument": f"Understanding {dice.randrange(10**6)} (TRAINING)",
        "valid_from": "2020-01-01T00:00:00Z",
        "valid_until": "2099-01-01T00:00:00Z",
        "parties": [{"trust_domain": domain, "legal_basis": f"Act {dice.randrange(1000)} (TRAINING)"} for domain in (theirs, ours)],
        "agencies": [{"agency": agency, "agency_class": kind} for agency, kind in everybody.items()],
        "clauses": clauses,
    }
    required = {name for clause in clauses for name in clause["required"]}
    permitted = sorted({name for clause in clauses if clause["alert_type"] == "TravelAlert" for name in clause["permitted"]} - required)
    alert["leave_out"] = dice.sample(permitted, min(2, len(permitted)))
    agency = dice.choice(told)
    ask = sorted(terms(agreement, sender, agency, "TravelAlert").on_request)
    alert["on_request"] = [{"recipient": agency, "field": name, "ground": "RISK_TO_CHILD"} for name in dice.sample(ask, min(2, len(ask)))]
    return _toml(agreement), agreement


def _clause(dice: random.Random, who: tuple[str, str, str, str], marks: Mapping[str, str], purpose: str) -> dict[str, Any]:
    sender, recipient, audience, kind = who
    lists = {
        key: dice.sample(names, len(names))
        for letter, key in (("R", "required"), ("M", "permitted"), ("C", "on_request"))
        for names in [[name for name, mark in marks.items() if mark == letter]]
    }
    return {
        "id": f"{kind.lower()}-{audience.lower()}-{dice.randrange(1000)}",
        "sender": sender,
        "recipient": recipient,
        "audience": audience,
        "alert_type": kind,
        "purposes": sorted({purpose, dice.choice(PURPOSES)}),
        **lists,
        "maximum_retention_days": dice.randint(1, 400),
        "onward": dice.choice(["NONE", "ASK"]),
    }


def _toml(agreement: Mapping[str, Any]) -> str:
    lines = [f"instrument = {json.dumps(agreement['instrument'])}"]
    lines += [f"{name} = {agreement[name]}" for name in ("valid_from", "valid_until")]
    for table in ("parties", "agencies", "clauses"):
        for row in agreement[table]:
            lines += ["", f"[[{table}]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in row.items())]
    return "\n".join(lines) + "\n"


def _values(dice: random.Random) -> dict[str, Any]:
    """A value for each of many fields, as a reader writes it back."""

    def word() -> str:
        return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))).capitalize()

    def text(words: int) -> list[dict[str, str]]:
        return [{"language": "en", "text": " ".join(word() for _ in range(words))}]

    def name(script: str, family: str, given: str) -> dict[str, str]:
        return {"family": family, "given": given, "script": script, "order": "FAMILY_FIRST", "kind": "LEGAL", "strength": "STRONG"}

    khmer = "".join(dice.choices("កខគឃងចឆជឈញដឋឌឍណតថទធន", k=5))
    year = dice.randint(1950, 1990)
    return {
        "primary_name": name("Latn", word(), word()),
        "names": [name("Latn", word(), word()), name("Khmr", khmer, khmer[::-1])],
        "birth": {"date": dice.choice([f"{year}", f"{year}-04?", "196X"]), "basis": "DECLARED", "place": word(), "country": "GBR"},
        "sex": dice.choice(["MALE", "FEMALE"]),
        "nationalities": [{"country": dice.choice(["GBR", "KHM", "XXA"]), "basis": "DECLARED"}],
        "appearance": {"height_cm": dice.randint(150, 200), "build": word(), "eyes": word()},
        "documents": [{"type": "PASSPORT", "number": f"9{dice.randrange(10**8):08d}", "issuer": "GBR", "status": "VALID"}],
        "national_reference": f"EXAMPLE-{dice.randrange(10**6)}",
        "external_references": [{"system": "INTERPOL", "number": f"EXAMPLE-{dice.randrange(10**6)}"}],
        "booking_reference": word().upper()[:6],
        "destination_area": {"country": "KHM", "code": f"KH-{dice.randint(1, 24)}", "province": word()},
        "purpose_and_host": text(5),
        "companions": {"adults": dice.randint(0, 3), "minors": dice.randint(0, 2)},
        "conviction_summary": {"offence_classes": ["CONTACT_ABUSE"], "latest_year": dice.randint(1990, 2020), "against_child": True},
        "registration": {"status": "REGISTERED", "jurisdiction": word(), "since": f"{dice.randint(2000, 2020)}"},
        "court_orders": [{"kind": "NO_CONTACT", "scope": text(4), "issued_by": word()}],
        "risk_level": {"band": dice.choice(["HIGH", "MEDIUM"]), "tool": word().upper()},
        "risk_narrative": text(9),
        "modus_operandi": {"codes": ["TEACHING"], "cover_occupation": word()},
        "cautions": ["DO_NOT_ALERT_SUBJECT"],
        "requested_action": dice.choice(["VERIFY_IDENTITY", "MONITOR", "SECONDARY_INTERVIEW"]),
        "safeguarding_request": {"actions": ["CHECK_WELFARE"], "note": text(6)},
        "grading": [{"source": "B", "information": "2", "certainty": "FACT"}],
        "contact_desk": {"unit": f"{word()} desk (EXAMPLE)", "channel": f"{word().lower()}@desk.example", "languages": ["en"]},
    }
