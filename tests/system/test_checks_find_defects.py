"""The checks that the crash tests rest on find what they are for: five planted defects, and nothing where none is planted."""

from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from tests.checks import Problem, check_node, check_pair, snapshot
from tests.system.nodes import Countries, Ledger, NodeProcess, Nursery, Office, ask, draft, publish, receipted, until

pytestmark = pytest.mark.system


def checked(countries: Countries, running: list[NodeProcess], ledger: Ledger, place: Path) -> set[str]:
    """Kill what still runs, and return the codes of all that the checks find."""
    for process in running:
        process.kill()
    sender, recipient = (snapshot(office.directory, place, running=False) for office in (countries.gb, countries.kh))
    problems: list[Problem] = check_pair(sender, recipient, ledger.answered, ledger.asked, healed=False)
    alone = {(problem.node, problem.code) for directory in (sender, recipient) for problem in check_node(directory)}
    assert alone <= {(problem.node, problem.code) for problem in problems}, "a pair is checked for all that a node is checked for"
    return {problem.code for problem in problems}


def publish_one(gb: Office, kh: Office, ledger: Ledger, number: int = 0) -> None:
    with ask(gb) as stub, suppress(grpc.RpcError):
        publish(stub, [draft(number, [kh.agency("gdi")])], ledger)


def all_receipted(countries: Countries) -> bool:
    size, done = receipted(countries.gb, countries.gb.outbound(countries.kh))
    return 0 < size == done


def test_a_receipt_that_leaves_before_its_commit_is_found(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    recipient = nursery.start(countries.kh, defects=["receipt before commit"], label="batch: before commit")
    running += [recipient, nursery.start(countries.gb)]
    publish_one(countries.gb, countries.kh, ledger)
    assert recipient.wait_dead()
    until(lambda: all_receipted(countries))
    assert {"RECEIPTED_NOT_HELD", "RECEIPT_NOT_DURABLE"} <= checked(countries, running, ledger, tmp_path / "copies")


def test_an_answer_that_leaves_before_its_commit_is_found(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    sender = nursery.start(countries.gb, defects=["answer before commit"], label="release: before commit")
    running += [sender, nursery.start(countries.kh)]
    publish_one(countries.gb, countries.kh, ledger)
    assert sender.wait_dead()
    assert ledger.answered
    assert "ANSWER_NOT_DURABLE" in checked(countries, running, ledger, tmp_path / "copies")


def test_an_entry_that_becomes_durable_after_its_delivery_left_is_found(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    sender = nursery.start(countries.gb, defects=["late entry"])
    running += [sender, nursery.start(countries.kh)]
    publish_one(countries.gb, countries.kh, ledger)
    until(lambda: all_receipted(countries))
    nursery.arm(sender, "release: before commit", 1)
    publish_one(countries.gb, countries.kh, ledger, number=1)
    assert sender.wait_dead()
    found = checked(countries, running, ledger, tmp_path / "copies")
    assert {"SIGNED_BEYOND_LOG", "ENTRY_NOT_AT_OWNER", "HIGH_WATER_ROLLBACK"} <= found


def test_a_request_that_is_released_twice_is_found(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    running += [nursery.start(countries.gb, defects=["no deduplication"]), nursery.start(countries.kh)]
    publish_one(countries.gb, countries.kh, ledger)
    publish_one(countries.gb, countries.kh, ledger)
    until(lambda: all_receipted(countries))
    assert {"RELEASED_TWICE", "RELEASED_UNASKED"} <= checked(countries, running, ledger, tmp_path / "copies")


def test_an_opening_that_the_entry_does_not_name_is_found(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    running += [nursery.start(countries.gb), nursery.start(countries.kh, defects=["leaked field"])]
    publish_one(countries.gb, countries.kh, ledger)
    until(lambda: all_receipted(countries))
    assert {"OPENINGS_MISMATCH", "CONTENT_DIFFERS"} <= checked(countries, running, ledger, tmp_path / "copies")


def test_nothing_is_found_where_nothing_is_planted(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    ledger = Ledger()
    running += [nursery.start(countries.gb), nursery.start(countries.kh)]
    publish_one(countries.gb, countries.kh, ledger)
    publish_one(countries.gb, countries.kh, ledger)
    until(lambda: all_receipted(countries))
    assert checked(countries, running, ledger, tmp_path / "copies") == set()
    assert len(ledger.answered) == 1
