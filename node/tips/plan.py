"""How one country takes tips in: which NGOs, which desk for which province, whom to call now. A TOML file that the desks' lead keeps.

```toml
national_desk = "spiffe://kh.alerts.example/agency/ahtjp"
danger_minutes = 60            # until somebody looks, where a child may be in danger
look_minutes = 1440            # and otherwise
keep_days = 90                 # from when a tip was submitted
draft_days = 14                # from when it was last saved

[[ngos]]
id = "spiffe://kh.alerts.example/ngo/aple"
name = "Child protection hotline"
agency = "spiffe://kh.alerts.example/agency/aple"   # if its people write tips in the console; left out: by programs alone

[[desks]]                      # local police first
provinces = ["Siem Reap", "KH-17"]
agency = "spiffe://kh.alerts.example/agency/siem-reap-police"

[[countries]]                  # the suspect's country second: a proposal to an officer
code = "GBR"                   # ICAO 9303
agency = "spiffe://gb.alerts.example/agency/nca-ceop"

[[contacts]]                   # whom to call now
name = "Emergency police"
channel = "117"
provinces = ["Siem Reap"]      # left out: everywhere
```
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exchange.errors import ExchangeError, Malformed
from exchange.values import PartyId
from node.intake.countries import NATIONALITY_CODES

_TOP: Final = frozenset(
    {"national_desk", "danger_minutes", "look_minutes", "keep_days", "draft_days", "ngos", "desks", "countries", "contacts"}
)
_MOST: Final = 1000
"""Rows of one table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNow:
    """Somebody who answers at any hour."""

    name: str
    channel: str
    provinces: frozenset[str]
    """In the form of `place_key`; empty means everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TipPlan:
    """Who may tell this country what, and where it goes."""

    ngos: Mapping[str, str]
    """Name by SPIFFE ID."""
    national_desk: str
    """SPIFFE ID of an agency of this country, and so of `desks`."""
    desks: Mapping[str, str]
    """By province or its code, in the form of `place_key`."""
    countries: Mapping[str, str]
    """Agency abroad by ICAO 9303 country code."""
    contacts: tuple[CallNow, ...]
    agencies: Mapping[str, str] = field(default_factory=dict)
    """The NGO, by the agency that it is in the roster: whose people write tips in the console. Both SPIFFE IDs."""
    danger_minutes: int = 60
    look_minutes: int = 24 * 60
    keep_days: int = 90
    draft_days: int = 14

    def call_now(self, keys: frozenset[str]) -> list[CallNow]:
        """Whom to call for a place with these keys: those of the province first, then those who serve everywhere."""
        local = [one for one in self.contacts if one.provinces & keys]
        return local + [one for one in self.contacts if not one.provinces]


def place_key(text: str) -> str:
    """A place's name or code as it is compared: without regard to case and spaces."""
    return "".join(text.casefold().split())


def read_tip_plan(text: str, trust_domain: str) -> TipPlan:
    """Read and check the file. Raises `Malformed` (TIP_PLAN), which names the table and the key, never a value."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise _wrong("it is not TOML") from None
    if unknown := table.keys() - _TOP:
        raise _wrong(f"unknown key {min(unknown)}")
    reader = _Reader(trust_domain)
    desks: dict[str, str] = {}
    for row in reader.rows(table, "desks", {"provinces", "agency"}):
        agency = reader.party(row, "desks", "agency", "agency", own=True)
        desks |= dict.fromkeys(reader.places(row, "desks"), agency)
    countries = {}
    for row in reader.rows(table, "countries", {"code", "agency"}):
        code = reader.text(row, "countries", "code")
        if code not in NATIONALITY_CODES:
            raise _wrong("countries.code: not a country code of ICAO 9303, such as GBR")
        countries[code] = reader.party(row, "countries", "agency", "agency", own=False)
    contacts = tuple(
        CallNow(
            name=reader.text(row, "contacts", "name"),
            channel=reader.text(row, "contacts", "channel"),
            provinces=frozenset(reader.places(row, "contacts")) if "provinces" in row else frozenset(),
        )
        for row in reader.rows(table, "contacts", {"name", "channel", "provinces"}, optional={"provinces"})
    )
    if not any(not one.provinces for one in contacts):
        raise _wrong("contacts: nobody to call everywhere: name at least one without provinces")
    ngos, agencies = {}, {}
    for row in reader.rows(table, "ngos", {"id", "name", "agency"}, optional={"agency"}):
        ngo = reader.party(row, "ngos", "id", "ngo", own=True)
        ngos[ngo] = reader.text(row, "ngos", "name")
        if "agency" in row:
            agency = reader.party(row, "ngos", "agency", "agency", own=True)
            if agency in agencies:
                raise _wrong("ngos.agency: two organisations have the same agency")
            agencies[agency] = ngo
    return TipPlan(
        ngos=ngos,
        agencies=agencies,
        national_desk=reader.party(table, "", "national_desk", "agency", own=True),
        desks=desks,
        countries=countries,
        contacts=contacts,
        danger_minutes=reader.number(table, "danger_minutes", 60),
        look_minutes=reader.number(table, "look_minutes", 24 * 60),
        keep_days=reader.number(table, "keep_days", 90),
        draft_days=reader.number(table, "draft_days", 14),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    trust_domain: str

    def rows(self, table: dict[str, Any], name: str, keys: set[str], *, optional: set[str] | None = None) -> list[dict[str, Any]]:
        rows = table.get(name, [])
        if not isinstance(rows, list) or len(rows) > _MOST or not all(isinstance(row, dict) for row in rows):
            raise _wrong(f"{name}: must be tables, [[{name}]], at most {_MOST}")
        for row in rows:
            if row.keys() - keys or keys - row.keys() - (optional or set()):
                raise _wrong(f"{name}: each has {', '.join(sorted(keys))}")
        return rows

    def text(self, row: dict[str, Any], name: str, key: str) -> str:
        value = row.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > 200:
            raise _wrong(f"{name}.{key}: must be a text of at most 200 characters".lstrip("."))
        return value.strip()

    def party(self, row: dict[str, Any], name: str, key: str, role: str, *, own: bool) -> str:
        text = self.text(row, name, key)
        try:
            party = PartyId.parse(text)
        except ExchangeError:
            party = None
        if party is None or party.role != role or (party.trust_domain == self.trust_domain) != own:
            where = "this country" if own else "another country"
            raise _wrong(f"{name}.{key}: must be spiffe://…/{role}/… of {where}".lstrip("."))
        return text

    def places(self, row: dict[str, Any], name: str) -> list[str]:
        places = row.get("provinces")
        if not isinstance(places, list) or not places or not all(isinstance(one, str) and one.strip() for one in places):
            raise _wrong(f"{name}.provinces: must be a list of at least one text")
        return [place_key(one) for one in places]

    def number(self, table: dict[str, Any], key: str, default: int) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
            raise _wrong(f"{key}: must be a number from 1 to 10000")
        return value


def _wrong(reason: str) -> Malformed:
    return Malformed("TIP_PLAN", f"the plan for tips cannot be used: {reason}")
