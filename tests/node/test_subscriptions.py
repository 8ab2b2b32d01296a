"""A subscription ends when it is told to, also while it connects."""

from pathlib import Path
from typing import Any, Self

import pytest

from node.workers import subscriptions
from node.workers.subscriptions import Subscription
from tests.countries import domain
from tests.federation import federation


def test_one_that_is_stopped_while_it_connects_asks_its_partner_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Link:
        def __init__(self, *_: Any) -> None:
            subscription.stop()  # comes when there is no link to close yet

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            asked.append("closed")

        def descriptors(self) -> list[Any]:
            asked.append("descriptors")
            return []

    monkeypatch.setattr(subscriptions, "ExchangeLink", Link)
    with federation(tmp_path, "gb", "kh") as two:
        two.introduce("gb", "kh")
        material: Any = object
        subscription = Subscription(two["gb"].ports, domain("kh"), material)
        subscription.start()
        subscription.join()
    assert asked == ["closed"]
