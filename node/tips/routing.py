"""To which desk a tip goes, and why: the local police first where a child may be in danger, the suspect's country second.

The country of the suspect is a proposal: no tip leaves this country unless an officer releases it.
"""

from dataclasses import dataclass
from typing import Final

from exchange.v1.offending_pb2 import AgeBand
from exchange.v1.tip_pb2 import (
    CONCERN_CODE_ALONE_WITH_CHILDREN,
    CONCERN_CODE_GROOMING,
    CONCERN_CODE_LIVE_STREAMING,
    CONCERN_CODE_SEXUAL_CONTACT,
    Tip,
)
from node.tips.plan import TipPlan, place_key

_DANGEROUS: Final = frozenset(
    {CONCERN_CODE_SEXUAL_CONTACT, CONCERN_CODE_GROOMING, CONCERN_CODE_ALONE_WITH_CHILDREN, CONCERN_CODE_LIVE_STREAMING}
)
_UNKNOWN: Final = frozenset({"XXX", "XXA", "XXB", "XXC"})
"""Codes of ICAO 9303 that lead to no country."""

REASONS: Final = {
    "CHILD_MAY_BE_IN_DANGER": "a child may be in danger",
    "LOCAL_DESK": "the place lies in the province of this desk",
    "NO_LOCAL_DESK": "no local desk is known for the place, so the national desk decides",
    "PLACE_UNKNOWN": "the place is not known, so the national desk decides",
    "NO_DANGER_KNOWN": "nothing says that a child is in danger now, so the national desk assesses it",
    "NATIONALITY_UNKNOWN": "nobody knows where the suspect is from, so no other country is proposed",
    "COUNTRY_PROPOSED": "the suspect is said to be from a country that is a partner: an officer may tell it",
    "COUNTRY_NOT_PARTNER": "the suspect is said to be from a country to which no desk is assigned",
    "REFERRED": "another desk of this country referred it here",
}
"""What a desk reads; by the codes that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a tip goes."""

    agency: str
    """SPIFFE ID of the desk's agency."""
    danger: bool
    reasons: tuple[str, ...]
    """Of `REASONS`, most important first."""


def route(tip: Tip, plan: TipPlan) -> Route:
    """Decide which desk gets a tip that was submitted."""
    danger = may_be_in_danger(tip)
    desk = plan.national_desk
    if danger:
        local = next((plan.desks[key] for key in places_of(tip) if key in plan.desks), "")
        desk = local or plan.national_desk
        where = "LOCAL_DESK" if local else "NO_LOCAL_DESK" if places_of(tip) else "PLACE_UNKNOWN"
        reasons = ["CHILD_MAY_BE_IN_DANGER", where]
    else:
        reasons = ["NO_DANGER_KNOWN"]
    reasons.append(_abroad(tip, plan))
    return Route(agency=desk, danger=danger, reasons=tuple(reasons))


def may_be_in_danger(tip: Tip) -> bool:
    """Whether to act as if a child were in danger: what is said counts, and what is left open does not calm anybody.

    Uncertainty about a child or an age is never a reason to wait (OPSC Art. 8). Only a clear "no" to the question of danger is a no.
    """
    if tip.immediate_danger.HasField("present"):
        return tip.immediate_danger.present
    seen = tip.child.count > 0 or any(band != AgeBand.AGE_BAND_UNSPECIFIED for band in tip.child.age_bands)
    return seen or not _DANGEROUS.isdisjoint(tip.concerns)


def places_of(tip: Tip) -> list[str]:
    """The names and codes of the province, as `place_key` writes them; of a code also what stands before its third group."""
    area = tip.place.area
    parts = area.code.split("-")
    written = [area.code, "-".join(parts[:2]) if len(parts) > 2 else "", area.province]
    return [place_key(one) for one in written if one.strip()]


def proposed(tip: Tip, plan: TipPlan) -> list[str]:
    """The agencies abroad that should be told: those of the suspects' countries."""
    return list(dict.fromkeys(plan.countries[code] for code in _countries(tip) if code in plan.countries))


def _countries(tip: Tip) -> list[str]:
    return [one.country for suspect in tip.suspects for one in suspect.apparent_nationalities if one.country not in _UNKNOWN]


def _abroad(tip: Tip, plan: TipPlan) -> str:
    if not _countries(tip):
        return "NATIONALITY_UNKNOWN"
    return "COUNTRY_PROPOSED" if proposed(tip, plan) else "COUNTRY_NOT_PARTNER"
