"""The check of the records finds what was altered so that somebody abroad would be forgotten, or leave be invented."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.federation import Federation
from tests.onward import KH_BORDER, permitted, released, settle, three
from tests.rig import Office, draft

TABLES = ("onward_requests", "onward_decisions", "onward_notices", "permits")


@pytest.fixture(scope="module")
def federated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = three(tmp_path_factory.mktemp("offices"))
    told = made["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(made)
    released(made["kh"], permitted(made, told))
    settle(made)
    yield made
    made.close()


def spoilt(office: Office, *statements: str) -> set[str]:
    """The codes of what the check finds with that done to the tables; undone after it."""
    with office.ports.store.write() as tx:
        kept = {table: [dict(row) for row in tx.execute(text(f"SELECT * FROM {table}")).mappings()] for table in TABLES}  # noqa: S608  a test's own words
        for statement in statements:
            tx.execute(text(statement))
    found = office.fsck()
    with office.ports.store.write() as tx:
        for table, rows in kept.items():
            tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608  a test's own words
            if rows:
                columns = ", ".join(f":{name}" for name in rows[0])
                tx.execute(text(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({columns})"), rows)  # noqa: S608  a test's own words
    assert office.fsck() == []
    return set(found)


@pytest.mark.parametrize("country", ["gb", "kh"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM onward_notices",
        "UPDATE onward_notices SET third_party = 'spiffe://th.alerts.example/node'",
        "UPDATE onward_notices SET manifest = zeroblob(32)",
        "UPDATE onward_notices SET own = NOT own",
        "UPDATE onward_notices SET notice = randomblob(32)",
        "UPDATE onward_decisions SET granted = 0",
        "UPDATE onward_decisions SET until = until + 1",
        "UPDATE onward_decisions SET decider = CAST(x'ff' AS TEXT)",
        "UPDATE onward_requests SET judicial = 1",
        "UPDATE onward_requests SET fields = x'01'",
        "DELETE FROM onward_requests",
    ],
)
def test_what_makes_the_tables_tell_otherwise_is_found(federated: Federation, country: str, statement: str) -> None:
    assert "ONWARD_MISMATCH" in spoilt(federated[country], statement)


@pytest.mark.parametrize("country", ["kh", "vn"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM permits",
        "UPDATE permits SET statement = substr(statement, 1, length(statement) - 1) || x'00'",
        "UPDATE permits SET statement = 7",
    ],
)
def test_a_permit_that_is_lost_or_altered_is_found(federated: Federation, country: str, statement: str) -> None:
    assert spoilt(federated[country], statement) == {"PERMIT_MISMATCH"}
