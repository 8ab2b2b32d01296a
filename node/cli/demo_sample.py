"""The samples and the policy packs of the demo, as they are shipped: addressed between any two of the example countries, in force now."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from exchange.errors import NotFound
from node.keys.node_directory import example_plan

_NAME = "travel-alert-gb-kh.yaml"
_TIMES = {"valid_from": -1, "valid_until": 400}
"""Of a pack: days from today."""

_SOMEBODY_ELSE: dict[str, Any] = {
    "documents": [{"type": "PASSPORT", "number": "999000123", "issuer": "GBR", "expires": "2032-05-30", "status": "VALID"}],
    "primary_name": "PLACEHOLDER, BRIAN",
    "names": [{"family": "Placeholder", "given": "Brian", "order": "GIVEN_FIRST", "kind": "LEGAL", "strength": "STRONG"}],
    "birth": {"date": "1974-11", "basis": "DOCUMENT", "place": "Leeds", "country": "GBR"},
    "sex": "MALE",
    "nationalities": [{"country": "GBR", "basis": "DOCUMENT"}],
    "national_reference": "EXAMPLE-VISOR-000002",
}


def addressed_sample(sender: str, recipient: str) -> str:
    """The sample travel alert as JSON, from the first country to the border and police agencies of the second."""
    plan = example_plan(recipient)
    wanted = [agency for agency in plan.agencies if agency.agency_class in {"BORDER", "POLICE"}]
    desk = next(agency for agency in example_plan(sender).agencies if agency.agency_class == "POLICE")
    content = readdressed(_NAME, desk.name, [f"spiffe://{plan.trust_domain}/agency/{agency.slug}" for agency in wanted], channel=desk.desk)
    return json.dumps(content, ensure_ascii=False, indent=2, default=str)


def unfinished_sample(sender: str, recipient: str) -> str:
    """The same of another made-up person, which nobody was told of yet."""
    content = json.loads(addressed_sample(sender, recipient))
    alert = content["alert"]
    for name in ("external_references", "booking_reference", "court_orders"):
        alert.pop(name, None)
    return json.dumps(content | {"alert": alert | _SOMEBODY_ELSE}, ensure_ascii=False, indent=2)


def readdressed(name: str, unit: str, recipients: Sequence[str], *, channel: str) -> dict[str, Any]:
    """A sample file's content, from another unit's duty desk to other recipients."""
    import yaml

    content: dict[str, Any] = yaml.safe_load(sample(name).read_text("utf-8"))
    content["recipients"] = list(recipients)
    content.pop("originator", None)
    content["alert"]["contact_desk"] = {"unit": unit, "channel": channel, "languages": ["en"]}
    return content


def sample(name: str) -> Path:
    """Where a sample file is: beside the program, or in the source tree. Raises `NotFound` (SAMPLE_MISSING)."""
    return _shipped(name, f"samples/{name}")


def pack_in_force(country: str, today: date) -> str:
    """The text of a country's example policy pack, with `today` between its two times, so that the story can be told in any year.

    Raises `NotFound` (SAMPLE_MISSING).
    """
    name = f"policies/{country.lower()}/transfers.toml"
    lines = _shipped(name, name).read_text("utf-8").splitlines()
    times = {key: f"{key} = {today + timedelta(days=days)}T00:00:00Z" for key, days in _TIMES.items()}
    return "\n".join(times.get(line.partition(" ")[0], line) for line in lines) + "\n"


def _shipped(beside: str, in_source: str) -> Path:
    for place in (Path(__file__).parent / beside, Path(__file__).parents[2] / in_source):
        if place.exists():
            return place
    raise NotFound("SAMPLE_MISSING", "a sample of the demo is neither installed nor in the source tree")
