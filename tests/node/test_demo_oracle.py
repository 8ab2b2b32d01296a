"""The oracle of the demo's tests and the preview say the same of a field that stays away, and it is what this file says.

docs/protocol.md, section 7: (required ∪ permitted ∪ (on_request ∩ G)) − U goes. What has its ground lacks no reason: only U keeps it back.
"""

import json
import random
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2
from node.intake.agreement_file import load_agreement_file
from node.intake.alert_file import load_alert_file
from node.operations.preview import preview
from tests.federation import federation
from tests.system import demo_oracle as oracle

CLASSES = {"gdi": "BORDER", "ahtjp": "POLICE", "prosecution": "PROSECUTION", "aple": "NGO"}
IMAGE = {"BORDER": "permitted", "POLICE": "on_request", "PROSECUTION": "on_request", "NGO": None}
"""In which list of its clause each class finds the image; the NGO's clause does not name it."""


def agency(slug: str) -> str:
    return f"spiffe://kh.alerts.example/agency/{slug}"


def agreement_file() -> str:
    lines = ['instrument = "Understanding (TRAINING)"', "valid_from = 2020-01-01T00:00:00Z", "valid_until = 2099-01-01T00:00:00Z"]
    for country in ("gb", "kh"):
        lines += ["[[parties]]", f'trust_domain = "{country}.alerts.example"', 'legal_basis = "Act (TRAINING)"']
    for slug, kind in CLASSES.items():
        lines += ["[[agencies]]", f'agency = "{agency(slug)}"', f'agency_class = "{kind}"']
    for kind, place in IMAGE.items():
        lists: dict[str, list[str]] = {"required": ["primary_name"], "permitted": ["cautions"], "on_request": ["health_cautions"]}
        if place:
            lists[place].append("facial_image")
        lines += ["[[clauses]]", f'id = "{kind.lower()}"', 'sender = "gb.alerts.example"', 'recipient = "kh.alerts.example"']
        lines += [f'audience = "{kind}"', 'alert_type = "TravelAlert"', 'purposes = ["PREVENTION"]']
        lines += [f"{name} = {json.dumps(fields)}" for name, fields in lists.items()]
        lines += ["maximum_retention_days = 30", 'onward = "NONE"']
    return "\n".join(lines) + "\n"


def previewed(directory: Path, agreement: str, alert: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What the operation says, by recipient and field."""
    names = desk_service_pb2.Visibility
    with federation(directory, "gb", "kh") as two:
        loaded = load_agreement_file(agreement)
        assert not loaded.refused, loaded.problems
        loaded.agreement.proposed_at = two.clock.now_ms()
        two.connect("gb", "kh", loaded.agreement)
        today = datetime.fromtimestamp(two.clock.now_ms() / 1000, UTC).date()
        draft = load_alert_file(json.dumps(alert), name="alert.json", today=today).draft
        shown = preview(two["gb"].ports, two["gb"].person("liaison"), draft).recipients
    assert [list(one.denied) for one in shown] == [[]] * len(alert["recipients"])
    return {one.recipient: {field.name: names.Name(field.visibility).removeprefix("VISIBILITY_") for field in one.fields} for one in shown}


def foreseen(agreement: str, alert: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What the oracle says, by recipient and field."""
    recipients = [oracle.full(recipient) for recipient in alert["recipients"]]
    present = set(alert["alert"])
    return {one: oracle.visibility(tomllib.loads(agreement), alert, "GB", one, present) for one in recipients}


@pytest.mark.parametrize(
    ("ground", "left_out", "wanted"),
    [
        (False, False, ("SHOWN_NOT_KNOWN", "NEEDS_REASON", "NEEDS_REASON", "FORBIDDEN")),
        (True, False, ("SHOWN_NOT_KNOWN", "SHOWN_NOT_KNOWN", "NEEDS_REASON", "FORBIDDEN")),
        (False, True, ("UNTICKED", "NEEDS_REASON", "NEEDS_REASON", "FORBIDDEN")),
        (True, True, ("UNTICKED", "UNTICKED", "NEEDS_REASON", "FORBIDDEN")),
    ],
)
def test_a_field_that_has_its_ground_and_is_left_out_is_unticked(
    ground: bool,  # noqa: FBT001  a column of the table above
    left_out: bool,  # noqa: FBT001  likewise
    wanted: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """To the police, who have a ground; the prosecution has none, and what a clause does not name is forbidden, left out or not."""
    alert = oracle.random_alert(random.Random(1), "GB", "KH") | {
        "recipients": [agency(slug) for slug in CLASSES],
        "purpose": "PREVENTION",
        "leave_out": ["facial_image"] if left_out else [],
        "on_request": [{"recipient": agency("ahtjp"), "field": "facial_image", "ground": "RISK_TO_CHILD"}] if ground else [],
    }
    said, expected = previewed(tmp_path, agreement_file(), alert), foreseen(agreement_file(), alert)
    assert tuple(expected[agency(slug)]["facial_image"] for slug in CLASSES) == wanted
    assert tuple(said[agency(slug)]["facial_image"] for slug in CLASSES) == wanted
    assert said == expected


@pytest.mark.parametrize("seed", [8, 23, 43])
def test_the_oracle_foresees_the_preview_of_a_strangers_files(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    alert = oracle.random_alert(dice, "GB", "KH")
    text, _ = oracle.random_agreement(dice, "GB", "KH", alert)
    assert previewed(tmp_path, text, alert) == foreseen(text, alert)
