"""The gate as officers meet it: a stricter one for charities, and what has expired named by its name."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from exchange.v1.assessment_pb2 import TransferAssessment
from node.operations import assess, preview
from node.policy.pack import PolicyPack, read_pack
from tests.countries import BORDER, DAY, NGO, NOW, agency, domain
from tests.federation import Federation, federation
from tests.rig import draft

ROOT = Path(__file__).resolve().parents[2]
KH_BORDER, KH_NGO = agency("kh", BORDER), agency("kh", NGO)
WEIGHED = {"necessity": "synthetic", "proportionality": "synthetic", "overseas_security_and_justice": "synthetic reference"}
ENOUGH_FOR_A_CHARITY = {"special_circumstances": "synthetic: the child's safety", "written_undertaking": "synthetic reference"}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        under(made, read_pack((ROOT / "policies/gb/transfers.toml").read_bytes()))
        yield made


def under(two: Federation, pack: PolicyPack) -> None:
    acquaintance = two["gb"].ports.acquaintance
    acquaintance.known = replace(acquaintance.known, policy=pack)


def weigh(two: Federation, review_by: int = NOW + 90 * DAY, **more: str) -> bytes:
    texts: Mapping[str, str] = WEIGHED | more
    offered = TransferAssessment(destination=domain("kh"), review_by=review_by, **texts)  # type: ignore[arg-type]  # texts by name
    two.clock.pass_(1)
    return assess.record_assessment(two["gb"].ports, two["gb"].person("liaison"), offered).digest


def denied(two: Federation, *recipients: str, **changes: object) -> list[desk_service_pb2.Problem]:
    """Why the preview, and the release alike, lets nothing go."""
    gb, wanted = two["gb"], draft(*recipients, **changes)
    problems = [p for shown in preview.preview(gb.ports, gb.person("liaison"), wanted).recipients for p in shown.denied]
    errors = [p for p in gb.publish(wanted).problems if p.severity == desk_service_pb2.SEVERITY_ERROR]
    assert [(p.code, p.message) for p in errors] == [(p.code, p.message) for p in problems]
    return problems


def test_a_charity_passes_a_stricter_gate_than_an_authority(two: Federation) -> None:
    weigh(two)
    (problem,) = denied(two, KH_NGO)
    assert problem.code == "ASSESSMENT_INCOMPLETE"
    for said in ("SPECIAL_CIRCUMSTANCES", "WRITTEN_UNDERTAKING", "s. 77"):
        assert said in problem.message
    weigh(two, **ENOUGH_FOR_A_CHARITY)
    assert denied(two, KH_NGO) == []


def test_an_authority_needs_no_more_than_before(two: Federation) -> None:
    weigh(two)
    assert denied(two, KH_BORDER) == []


def test_to_a_charity_goes_nothing_by_a_rule_for_others(two: Federation) -> None:
    pack = read_pack((ROOT / "policies/gb/transfers.toml").read_bytes())
    under(two, replace(pack, rules=tuple(rule for rule in pack.rules if NGO not in rule.classes)))
    weigh(two, **ENOUGH_FOR_A_CHARITY)
    (problem,) = denied(two, KH_NGO)
    assert problem.code == "NGO_NOT_REGULATED"
    assert "gb-transfers version 1" in problem.message
    assert denied(two, KH_BORDER) == []


def test_an_assessment_whose_review_is_due_is_named(two: Federation) -> None:
    digest = weigh(two, NOW + DAY)
    two.clock.pass_(DAY)
    (problem,) = denied(two, KH_BORDER, not_after=two.clock.time + DAY)
    assert problem.code == "ASSESSMENT_EXPIRED"
    assert digest.hex()[:12] in problem.message
    assert KH_BORDER in problem.message


def test_an_expired_pack_is_named(two: Federation) -> None:
    weigh(two)
    pack = two["gb"].ports.known.policy
    assert pack is not None
    under(two, replace(pack, valid_until=two.clock.time))
    (problem,) = denied(two, KH_BORDER)
    assert problem.code == "POLICY_EXPIRED"
    assert "gb-transfers version 1" in problem.message


@pytest.mark.parametrize("name", ["gb", "kh", "eu"])
def test_every_pack_that_comes_with_it_has_a_rule_for_charities(name: str) -> None:
    pack = read_pack((ROOT / f"policies/{name}/transfers.toml").read_bytes())
    rules = [rule for rule in pack.rules if NGO in rule.classes]
    assert rules
    assert all("CRIMINAL" in rule.withholds for rule in rules)
