"""What passes inside a country, as docs/national.md says: values only, in the books of an office beside what it knows of abroad."""

from dataclasses import dataclass, field

from tests.countries import BORDER, DAY, NGO, POLICE, agency, domain

FAMILY = "national"
FIRST_NAME, BIRTH, APPEARANCE, DOCUMENTS, ITINERARY, AREA, CONVICTIONS, RISK, ACTION = 1, 3, 6, 8, 11, 14, 19, 24, 30
DAYS = {BORDER: 5, NGO: 3}
"""How long an agency of that class may keep what it is told."""
REQUIRED = {BORDER: frozenset({FIRST_NAME, BIRTH}), NGO: frozenset[int]()}
PERMITTED = {BORDER: frozenset({DOCUMENTS, ITINERARY, AREA, CONVICTIONS, ACTION}), NGO: frozenset({AREA})}
ON_REQUEST = {BORDER: frozenset({APPEARANCE, RISK}), NGO: frozenset[int]()}
PURPOSES = {BORDER: ("PREVENTION", "SAVE_LIFE"), NGO: ("PREVENTION", "SAVE_LIFE", "CHILD_SAFEGUARDING")}


def file_of(country: str) -> str:
    """A country's file of national clauses: its police may tell its border agency and its children's organisation."""
    names = {BORDER: "BORDER", NGO: "NGO"}
    clauses = [
        f"""
[[clauses]]
id = "police-{names[audience].lower()}"
desk = "{agency(country, POLICE)}"
audience = "{names[audience]}"
agencies = ["{agency(country, audience)}"]
alert_type = "TravelAlert"
purposes = [{", ".join(f'"{one}"' for one in PURPOSES[audience])}]
maximum_retention_days = {DAYS[audience]}
"""
        for audience in (BORDER, NGO)
    ]
    clauses[0] += """
required = ["primary_name", "birth"]
permitted = ["documents", "itinerary", "destination_area", "conviction_summary", "requested_action"]
on_request = ["appearance", "risk_level"]
"""
    clauses[1] += 'permitted = ["destination_area"]\n'
    head = f'instrument = "Example order of {domain(country)}"\nvalid_from = 2026-01-01T00:00:00Z\nvalid_until = 2027-01-01T00:00:00Z\n'
    return head + "".join(clauses)


@dataclass(slots=True, kw_only=True)
class Passed:
    """One desk told one agency of its country."""

    digest: bytes
    party: str
    fields: frozenset[int]
    desk_fields: frozenset[int]
    """All that the desk had been told then."""
    purpose: str
    ground: bool
    erase_by: int
    follows: bytes = b""
    ended: bool = False

    def live(self, now: int) -> bool:
        """Whether the agency may still see it."""
        return not self.ended and now < self.erase_by


@dataclass(slots=True, kw_only=True)
class Kept:
    """A report that waits for its desk to pass it on."""

    number: int
    digest: bytes
    party: str
    forwarded: bytes = b""
    gone: bool = False


@dataclass(slots=True, kw_only=True)
class National:
    """All that an office knows of its own country."""

    rows: list[Passed] = field(default_factory=list)
    purges: dict[tuple[bytes, str], frozenset[int]] = field(default_factory=dict)
    """(manifest, agency) of each confirmation, and the coded grounds on which something stays."""
    reports: list[Kept] = field(default_factory=list)

    def of(self, digest: bytes, party: str = "") -> list[Passed]:
        """What was passed on of a manifest, to anybody or to one agency."""
        return [one for one in self.rows if one.digest == digest and party in {"", one.party}]


def decide(
    audience: int, held: frozenset[int], purpose: str, *, unticked: frozenset[int], granted: frozenset[int], had: frozenset[int]
) -> frozenset[int] | str:
    """What the clause for a class lets go of what the desk was told, or the code of why nothing goes.

    `granted` are the fields for which a ground was given, `had` those that the agency was told before.
    """
    if purpose not in PURPOSES[audience]:
        return "PURPOSE_NOT_AGREED"
    if not granted <= ON_REQUEST[audience]:
        return "FIELD_NOT_ON_REQUEST"
    if REQUIRED[audience] & unticked - had:
        return "FIELD_REQUIRED"
    clause = (REQUIRED[audience] | PERMITTED[audience] | granted) - unticked
    if clause and not REQUIRED[audience] - had <= held:
        return "FIELD_NOT_HELD"
    return clause & held or "FIELDS_NONE"


def limit(now: int, audience: int, alert_days: int, alert_until: int) -> int:
    """Until when the agency may keep it: the shortest of the alert's, the clause's and the desk's own."""
    days = min(one for one in (DAYS[audience], alert_days) if one)
    return min(now + days * DAY, alert_until)
