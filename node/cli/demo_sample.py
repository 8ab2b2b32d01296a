"""The sample alert of the demo, addressed between any two of the example countries."""

import json
from pathlib import Path

from exchange.errors import NotFound
from node.keys.node_directory import example_plan

_NAME = "travel-alert-gb-kh.yaml"


def addressed_sample(sender: str, recipient: str) -> str:
    """The sample travel alert as JSON, from the first country to the border and police agencies of the second."""
    import yaml

    content = yaml.safe_load(_sample().read_text("utf-8"))
    plan = example_plan(recipient)
    wanted = [agency for agency in plan.agencies if agency.agency_class in {"BORDER", "POLICE"}]
    content["recipients"] = [f"spiffe://{plan.trust_domain}/agency/{agency.slug}" for agency in wanted]
    content.pop("originator", None)
    desk = next(agency for agency in example_plan(sender).agencies if agency.agency_class == "POLICE")
    content["alert"]["contact_desk"] = {"unit": desk.name, "channel": desk.desk, "languages": ["en"]}
    return json.dumps(content, ensure_ascii=False, indent=2, default=str)


def _sample() -> Path:
    places = (Path(__file__).with_name(_NAME), Path(__file__).parents[2] / "samples" / _NAME)
    for place in places:
        if place.exists():
            return place
    raise NotFound("SAMPLE_MISSING", "the demo's sample alert is neither installed nor in the source tree")
