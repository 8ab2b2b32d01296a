"""What the demo takes along: its samples and packs are in the wheel and in the source distribution, and good in any year.

And what it asks of a stranger's alert before it sets anything up.
"""

import json
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.v1.agreement_pb2 import AGENCY_CLASS_POLICE
from exchange.v1.handling_pb2 import PURPOSE_PREVENTION
from exchange.v1.offending_pb2 import OFFENCE_CLASS_CONTACT_ABUSE
from node.cli.assessment import _read
from node.cli.demo_region import UNDER_PACKS
from node.cli.demo_region_stage import check_alert
from node.cli.demo_sample import pack_in_force, sample
from node.cli.errors import Trouble
from node.policy.gate import Assessment, Passed, Transfer, pass_gate
from node.policy.pack import NEEDS, read_pack

ROOT = Path(__file__).parents[2]
ASSESSMENTS = sorted((ROOT / "samples/assessments").glob("*.toml"))
NAMES = {
    "travel-alert-gb-kh.yaml",
    "pattern-bulletin-th-gb.yaml",
    "tips/siem-reap.yaml",
    *(f"assessments/{path.name}" for path in ASSESSMENTS),
}
PACKS = {f"policies/{country.lower()}/transfers.toml" for country in UNDER_PACKS}


def millis(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)


def test_the_wheel_and_the_source_distribution_take_along_what_the_demo_reads() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    beside: dict[str, Path] = {}
    for source, target in targets["wheel"]["force-include"].items():
        found = [ROOT / source] if (ROOT / source).is_file() else [path for path in (ROOT / source).rglob("*") if path.is_file()]
        beside |= {f"{target}{str(path.relative_to(ROOT)).removeprefix(source)}": path for path in found}
    for name in NAMES:
        assert beside[f"node/cli/{name}"] == sample(name), name
    for name in PACKS:
        assert beside[f"node/cli/{name}"] == ROOT / name
    taken = [ROOT / path for path in targets["sdist"]["include"]]
    for path in beside.values():
        assert any(path.is_relative_to(one) for one in taken), path


def test_the_wheel_takes_along_what_the_console_serves() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    taken = {path for pattern in wheel["artifacts"] for path in ROOT.glob(pattern)}
    served = {path for path in (ROOT / "node/console/static").iterdir() if path.is_file()}
    assert {path.suffix for path in served} >= {".css", ".js", ".woff2"}
    assert served <= taken
    assert "node" in wheel["packages"]


def test_what_is_not_shipped_is_named_as_missing() -> None:
    with pytest.raises(NotFound) as raised:
        sample("assessments/gb-xx.toml")
    assert raised.value.code == "SAMPLE_MISSING"


@pytest.mark.parametrize("country", UNDER_PACKS)
@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2035, 2, 28)])
def test_a_pack_of_the_demo_is_in_force_whenever_it_is_told(country: str, today: date) -> None:
    pack = read_pack(pack_in_force(country, today).encode())
    assert pack.valid_from < millis(today) < pack.valid_until
    assert pack.rules == read_pack((ROOT / f"policies/{country.lower()}/transfers.toml").read_bytes()).rules


@pytest.mark.parametrize("path", ASSESSMENTS, ids=lambda path: path.name)
def test_a_sample_assessment_lets_an_alert_about_an_abuser_pass_its_countrys_gate(path: Path) -> None:
    given, own = _read(path), path.stem[:2].upper()
    assessment = Assessment(
        digest=bytes(32),
        destination=given.destination,
        recipients=frozenset(given.recipients),
        states=frozenset(need for need in NEEDS - {"ASSESSMENT"} if getattr(given, need.lower())),
        policy="any",
        assessed_at=0,
        review_by=given.review_by,
    )
    pack = read_pack(pack_in_force(own, date(2026, 11, 22)).encode())
    for recipient in given.recipients:
        transfer = Transfer(
            destination=given.destination,
            recipient=recipient,
            agency_class=AGENCY_CLASS_POLICE,
            alert_type="TravelAlert",
            purpose=PURPOSE_PREVENTION,
            offence_classes=frozenset({OFFENCE_CLASS_CONTACT_ABUSE}),
            categories=frozenset({"IDENTITY", "CRIMINAL"}),
        )
        assert pass_gate(pack, transfer, [assessment], millis(date(2026, 11, 22))) == Passed(assessment=assessment)
        assert not isinstance(pass_gate(pack, transfer, [], millis(date(2026, 11, 22))), Passed)


STRANGERS = {"type": "TravelAlert", "recipients": ["ph.alerts.example/agency/wcpc"], "handling": {"onward": "ASK"}}


def test_the_whole_story_can_be_told_of_an_alert_to_any_countrys_police(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(STRANGERS), "utf-8")
    check_alert(file)
    check_alert(sample("travel-alert-gb-kh.yaml"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "SubjectWarning"}, "no TravelAlert"),
        ({"recipients": ["spiffe://ph.alerts.example/agency/immigration"]}, "no country's police desk"),
        ({"recipients": "ph.alerts.example/agency/wcpc"}, "no country's police desk"),
        ({"handling": {"onward": "NONE"}}, "passed on"),
        ({"handling": {}}, "passed on"),
        ({"handling": None}, "passed on"),
    ],
)
def test_whom_the_whole_story_cannot_be_told_of_is_said_at_once(changes: dict[str, object], why: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(STRANGERS | changes), "utf-8")
    with pytest.raises(Trouble) as raised:
        check_alert(file)
    assert (raised.value.code, raised.value.exit_code) == ("ALERT_NOT_FOR_STORY", 2)
    assert why in str(raised.value.why)


@pytest.mark.parametrize("content", [b"type: [", b"\xff\xfe", b"[]", b""])
def test_a_file_that_is_no_alert_is_named_as_such(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(Trouble) as raised:
        check_alert(file)
    assert raised.value.code == "ALERT_NOT_FOR_STORY"
