"""The program's log cannot carry personal data, whatever a caller writes into it."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from node.telemetry import logging as node_logging


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written = io.StringIO()
    monkeypatch.setattr(node_logging.sys, "stderr", written)
    node_logging.configure_logging(json=True)
    yield written
    structlog.reset_defaults()


def test_only_keys_on_the_list_leave(lines: io.StringIO) -> None:
    node_logging.logger().info("stream up", partner="kh.alerts.example", size=3, name="SPECIMEN", note="met at the beach")
    (line,) = lines.getvalue().splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["partner"], logged["size"]) == ("stream up", "kh.alerts.example", 3)
    assert logged["name"] == logged["note"] == "withheld"
    assert "SPECIMEN" not in line
    assert "beach" not in line


def test_what_is_below_information_is_not_written(lines: io.StringIO) -> None:
    node_logging.logger().debug("detail", size=1)
    assert not lines.getvalue()
