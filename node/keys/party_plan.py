"""What a party is made of before it has a key: agencies, officers, languages and desks, as a TOML table says it.

The table's shape is `certs-example/agencies.toml`. Every mistake in it is named by table and key, and an unknown key is
refused.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from exchange.errors import Malformed, NotFound
from exchange.values import PartyId

AGENCY_CLASSES: Final = ("BORDER", "POLICE", "PROSECUTION", "SOCIAL", "NGO")
ROLES: Final = ("liaison", "partner", "auditor", "administrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyPlan:
    """An agency that speaks through the node."""

    slug: str
    """The last segment of its SPIFFE ID, `…/agency/<slug>`."""
    name: str
    agency_class: str
    """One of `AGENCY_CLASSES` (PROTOCOL.md, 7)."""
    originates: bool
    """Whether it signs alerts of its own, and so has a statement key."""
    desk: str
    """How to reach its desk at any hour."""

    @property
    def path(self) -> str:
        """The path of the agency's SPIFFE ID."""
        return f"/agency/{self.slug}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerPlan:
    """A person who works with the node, known only by a pseudonym that says nothing of the person or the role."""

    pseudonym: str
    role: str
    """One of `ROLES`: liaison officer, partner officer, auditor, administrator. Never part of a certificate."""
    agency: str
    """Slug of the agency; empty for auditors and administrators, who belong to none."""

    @property
    def path(self) -> str:
        """The path of the person's SPIFFE ID: auditors stand apart from officers."""
        return f"/{'auditor' if self.role == 'auditor' else 'officer'}/{self.pseudonym}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyPlan:
    """One country's or organisation's node and everybody behind it."""

    code: str
    """ISO 3166-1 alpha-2, upper case."""
    name: str
    local_names: Mapping[str, str]
    """The country's name in its own languages, by BCP-47 tag."""
    trust_domain: str
    languages: tuple[str, ...]
    """BCP-47 tags, first the one that its desks prefer."""
    time_zone: str
    """IANA name."""
    agencies: tuple[AgencyPlan, ...]
    officers: tuple[OfficerPlan, ...]

    @property
    def ngos(self) -> Mapping[str, str]:
        """Whom the NGO authority issues to: name by the end of the SPIFFE ID, `/ngo/<slug>`; one example where the plan has none."""
        listed = {agency.slug: agency.name for agency in self.agencies if agency.agency_class == "NGO"}
        return listed or {"child-hotline": f"Child hotline of {self.name}"}


def read_plans(path: Path) -> dict[str, PartyPlan]:
    """Read every `[[countries]]` table of a TOML file, by country code.

    Raises `Malformed` (PLAN_MALFORMED), which names the country and the kind of table that is wrong.
    """
    try:
        plans = [_party(table) for table in tomllib.loads(path.read_text("utf-8"))["countries"]]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Malformed("PLAN_MALFORMED", f"the plan is not TOML with complete [[countries]] tables: {error}") from None
    return {plan.code: plan for plan in plans}


def choose(plans: Mapping[str, PartyPlan], codes: str) -> list[PartyPlan]:
    """Pick the plans that a comma-separated list of country codes names, in its order.

    Raises `NotFound` (COUNTRY_UNKNOWN) when one of them, or the whole list, names nobody.
    """
    wanted = [code.strip().upper() for code in codes.split(",") if code.strip()]
    if not wanted or not plans.keys() >= set(wanted):
        raise NotFound("COUNTRY_UNKNOWN", f"choose countries among {', '.join(plans)}")
    return [plans[code] for code in dict.fromkeys(wanted)]


def _party(table: dict[str, Any]) -> PartyPlan:
    _check_keys(table, PartyPlan, f"country {table.get('code', 'without a code')}")
    code = table["code"]
    agencies = tuple(_agency(item, code) for item in table["agencies"])
    officers = tuple(_officer(item, code) for item in table["officers"])
    plan = PartyPlan(**{**table, "languages": tuple(table["languages"]), "agencies": agencies, "officers": officers})
    slugs = [agency.slug for agency in agencies]
    pseudonyms = [officer.pseudonym for officer in officers]
    if len(set(slugs)) != len(slugs) or len(set(pseudonyms)) != len(pseudonyms):
        raise Malformed("PLAN_MALFORMED", f"two agencies or two officers of {code} have one name")
    if not {officer.agency for officer in officers} <= {"", *slugs}:
        raise Malformed("PLAN_MALFORMED", f"an officer of {code} belongs to an agency that is not listed")
    for path in ("/node", *(agency.path for agency in agencies), *(officer.path for officer in officers)):
        PartyId(trust_domain=plan.trust_domain, path=path)
    return plan


def _agency(table: dict[str, Any], code: str) -> AgencyPlan:
    table = {"agency_class" if key == "class" else key: value for key, value in table.items()}
    _check_keys(table, AgencyPlan, f"an agency of {code}")
    if table["agency_class"] not in AGENCY_CLASSES:
        raise Malformed("PLAN_MALFORMED", f"an agency of {code} is of no class among {', '.join(AGENCY_CLASSES)}")
    return AgencyPlan(**table)


def _officer(table: dict[str, Any], code: str) -> OfficerPlan:
    _check_keys(table, OfficerPlan, f"an officer of {code}")
    if table["role"] not in ROLES:
        raise Malformed("PLAN_MALFORMED", f"an officer of {code} has no role among {', '.join(ROLES)}")
    return OfficerPlan(**table)


def _check_keys(table: dict[str, Any], shape: type, where: str) -> None:
    known = {item.name for item in fields(shape)}
    if wrong := known ^ table.keys():
        raise Malformed("PLAN_MALFORMED", f"{where}: missing or unknown {', '.join(sorted(wrong))}")
