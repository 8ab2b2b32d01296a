"""The sample alert of the demo, addressed between any two of the example countries."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exchange.errors import NotFound
from node.keys.node_directory import example_plan

_NAME = "travel-alert-gb-kh.yaml"


def addressed_sample(sender: str, recipient: str) -> str:
    """The sample travel alert as JSON, from the first country to the border and police agencies of the second."""
    plan = example_plan(recipient)
    wanted = [agency for agency in plan.agencies if agency.agency_class in {"BORDER", "POLICE"}]
    desk = next(agency for agency in example_plan(sender).agencies if agency.agency_class == "POLICE")
    content = readdressed(_NAME, desk.name, [f"spiffe://{plan.trust_domain}/agency/{agency.slug}" for agency in wanted], channel=desk.desk)
    return json.dumps(content, ensure_ascii=False, indent=2, default=str)


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
    places = (Path(__file__).parent / name, Path(__file__).parents[2] / "samples" / name)
    for place in places:
        if place.exists():
            return place
    raise NotFound("SAMPLE_MISSING", "the demo's sample alert is neither installed nor in the source tree")
