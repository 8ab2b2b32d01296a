"""The section `[tips]` and the plan that it names: off unless configured, and never half on."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound
from node.app import tip_plan
from node.config import Config, load_config
from node.keys.node_directory import example_plan, write_node_directory
from tests.refusals import refused

ADDRESS = {"EXCHANGE_TIPS_LISTEN": "127.0.0.1:7446"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_node_directory(example_plan("KH"), tmp_path / "n", now=datetime.now(UTC), vault_key=os.urandom(32), port=7443)
    return tmp_path / "n"


def config(directory: Path, environment: dict[str, str] | None = None) -> Config:
    return load_config(directory / "node.toml", environment or {})


def test_a_new_node_takes_no_tips_and_needs_only_an_address(directory: Path) -> None:
    assert config(directory).tips.listen == ""
    tips = config(directory, ADDRESS).tips
    assert tips.listen == ADDRESS["EXCHANGE_TIPS_LISTEN"]
    assert all(path and path.is_file() for path in (tips.certificate, tips.key, tips.ngo_ca, tips.plan))


@pytest.mark.parametrize("missing", ["certificate", "key", "ngo_ca", "plan"])
def test_a_listener_has_all_that_it_needs(directory: Path, missing: str) -> None:
    path = directory / "node.toml"
    head, section, rest = path.read_text("utf-8").partition("[tips]\n")
    lines = [line for line in rest.splitlines() if not line.startswith(f"{missing} = ")]
    path.write_text(head + section + "\n".join(lines) + "\n", "utf-8")
    assert config(directory).tips.listen == ""
    with refused(Malformed, "CONFIG_INVALID") as error:
        config(directory, ADDRESS)
    assert "tips: a listener needs certificate, key, ngo_ca and plan" in str(error.value)


def test_without_the_section_there_are_no_tips(directory: Path) -> None:
    path = directory / "node.toml"
    head, _, rest = path.read_text("utf-8").partition("[tips]\n")
    path.write_text(head + rest[rest.index("[[agencies]]") :], "utf-8")
    assert tip_plan(config(directory)) is None


def test_a_plan_is_where_the_configuration_says_and_can_be_read(directory: Path) -> None:
    loaded = config(directory)
    plan = tip_plan(loaded)
    assert plan is not None
    assert list(plan.ngos) == ["spiffe://kh.alerts.example/ngo/aple"]
    with refused(NotFound, "TIP_PLAN_ABSENT"):
        tip_plan(replace(loaded, tips=replace(loaded.tips, plan=directory / "none")))
    (directory / "ngos/plan.toml").write_bytes(b"\xff")
    with refused(NotFound, "TIP_PLAN_ABSENT"):
        tip_plan(loaded)
    (directory / "ngos/plan.toml").write_text("x = 1", "utf-8")
    with refused(Malformed, "TIP_PLAN"):
        tip_plan(loaded)
