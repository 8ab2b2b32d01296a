"""National clauses: which desk may distribute what came from abroad to which agency of its own country. What no clause names goes nowhere.

A clause has the form of one of an agreement (PROTOCOL.md, section 7) and is decided by the same function; beside it stand the desk that
may distribute under it and, if the country wants it narrower than a class, the agencies that it means. No partner sees these clauses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.agreement import Allowed, Denied, Request, Terms, decide_clause, telling


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalClause:
    """One rule of distribution inside a country."""

    desk: str
    """SPIFFE ID of the agency that may distribute."""
    agencies: frozenset[str]
    """SPIFFE IDs; empty means every agency of the class."""
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalClauses:
    """All that a country's file says. Without a file: nothing, so nobody inside the country is told anything."""

    digest: bytes = b""
    """SHA-256 of the file, which each distribution names."""
    instrument: str = ""
    valid_from: int = 0
    valid_until: int = 0
    """Unix milliseconds: in force from the first up to, and not at, the second."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """SPIFFE ID of each agency of the country to its class."""
    clauses: tuple[NationalClause, ...] = ()
    """Ascending by id, which is the order in which they are asked."""

    def on_request(self, clause: str) -> frozenset[int]:
        """Numbers of the fields that a clause gives on request; none of a clause that is not here any more."""
        return next((one.terms.on_request for one in self.clauses if one.terms.clause.id == clause), frozenset())

    def decide(self, desk: str, request: Request) -> Allowed | Denied:
        """What `desk` may distribute. Pure. The first clause that allows it decides; if none does, the most telling reason comes first.

        Beside the reasons of agreements there are NATIONAL_NONE (no clauses at all), NATIONAL_NOT_YET and NATIONAL_EXPIRED.
        """
        if not self.clauses:
            return Denied(reasons=("NATIONAL_NONE",))
        if request.at < self.valid_from:
            return Denied(reasons=("NATIONAL_NOT_YET",))
        if request.at >= self.valid_until:
            return Denied(reasons=("NATIONAL_EXPIRED",))
        reasons: set[str] = set()
        agency_class = self.classes.get(request.agency)
        for one in self.clauses:
            if (one.desk, one.terms.clause.alert_type) != (desk, request.alert_type):
                reasons.add("CLAUSE_NONE")
            elif one.agencies and request.agency not in one.agencies:
                reasons.add("AUDIENCE_NOT_AGREED" if agency_class is not None else "AUDIENCE_UNKNOWN")
            else:
                decision = decide_clause(one.terms, request, agency_class, self.digest)
                if isinstance(decision, Allowed):
                    return decision
                reasons.add(decision)
        return Denied(reasons=telling(reasons))
