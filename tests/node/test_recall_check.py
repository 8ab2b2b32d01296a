"""The check of the records finds what was altered so that an alert would stand otherwise than its originator said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.recalls import LIFTING, RESTRICTION, attested, corrected, recalled
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """One alert withdrawn, its purge attested by one of two agencies; one restricted; one corrected; one restricted and lifted."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        gb, told = made["gb"], [agency("kh", BORDER), agency("kh", POLICE)]
        withdrawn, restricted, wrong, lifted = (gb.publish(draft(*told)).manifest_digest for _ in range(4))
        made.pump()
        recalled(gb, withdrawn)
        recalled(gb, restricted, RESTRICTION)
        corrected(gb, wrong)
        recalled(gb, lifted, RESTRICTION)
        recalled(gb, lifted, LIFTING)
        made.pump()
        attested(made["kh"], withdrawn)
        made.pump()
        yield made


def spoilt(office: Office, *statements: str) -> set[str]:
    """The codes of what the check finds with that done to the tables; undone after it."""
    with office.ports.store.write() as tx:
        tables = ("alerts", "recalls", "attestations")
        kept = {table: [dict(row) for row in tx.execute(text(f"SELECT * FROM {table}")).mappings()] for table in tables}  # noqa: S608  a test's own words
        for statement in statements:
            tx.execute(text(statement))
    found = office.fsck()
    with office.ports.store.write() as tx:
        for table, rows in kept.items():
            tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608  a test's own words
            columns = ", ".join(f":{name}" for name in rows[0])
            tx.execute(text(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({columns})"), rows)  # noqa: S608  a test's own words
    assert office.fsck() == []
    return set(found)


@pytest.mark.parametrize("country", ["gb", "kh"])
@pytest.mark.parametrize(
    ("statements", "code"),
    [
        (["UPDATE alerts SET state = 'active' WHERE state = 'withdrawn'"], "STATE_MISMATCH"),
        (["UPDATE alerts SET state = 'active' WHERE state = 'restricted'"], "STATE_MISMATCH"),
        (["UPDATE alerts SET state = 'active' WHERE state = 'superseded'"], "STATE_MISMATCH"),
        (["UPDATE recalls SET originator = 'spiffe://vn.alerts.example/agency/x' WHERE kind = 'withdrawal'"], "STATE_MISMATCH"),
        (["UPDATE recalls SET kind = CAST(x'ff' AS TEXT) WHERE kind = 'withdrawal'"], "STATE_MISMATCH"),
        (["UPDATE alerts SET originator = CAST(x'ff' AS TEXT) WHERE state = 'withdrawn'"], "STATE_MISMATCH"),
        (["DELETE FROM recalls WHERE kind = 'withdrawal'", "UPDATE alerts SET state = 'active' WHERE state = 'withdrawn'"],
         "RECALL_MISMATCH"),
        (["UPDATE recalls SET kind = 'lifting'", "UPDATE alerts SET state = 'active' WHERE state IN ('withdrawn', 'restricted')"],
         "RECALL_MISMATCH"),
        (["UPDATE recalls SET referent = zeroblob(32) WHERE kind = 'withdrawal'",
          "UPDATE alerts SET state = 'active' WHERE state = 'withdrawn'"], "RECALL_MISMATCH"),
        (["UPDATE recalls SET attest_by = attest_by + 1"], "RECALL_MISMATCH"),
        (["UPDATE recalls SET control = randomblob(32)"], "RECALL_MISMATCH"),
        (["UPDATE recalls SET own = NOT own"], "RECALL_MISMATCH"),
        (["DELETE FROM attestations"], "RECALL_MISMATCH"),
        (["UPDATE attestations SET copies_removed = 0"], "RECALL_MISMATCH"),
        (["UPDATE attestations SET control = randomblob(32)"], "RECALL_MISMATCH"),
    ],
)  # fmt: skip
def test_what_makes_an_alert_stand_otherwise_is_found(two: Federation, country: str, statements: list[str], code: str) -> None:
    assert code in spoilt(two[country], *statements)


@pytest.mark.parametrize("country", ["gb", "kh"])
def test_an_invented_recall_is_found(two: Federation, country: str) -> None:
    columns = "control, referent, kind, reason, originator, own, recorded_at, attest_by, wrong_fields, replaced_by"
    row = "randomblob(32), digest, 'withdrawal', 'WRONG_PERSON', originator, own, 1, 1, x'', x''"
    made = f"INSERT INTO recalls ({columns}) SELECT {row} FROM alerts WHERE state = 'active' AND alert_type LIKE '%TravelAlert'"  # noqa: S608  a test's own words
    state = "UPDATE alerts SET state = 'withdrawn' WHERE state = 'active' AND alert_type LIKE '%TravelAlert'"
    assert spoilt(two[country], made, state) == {"RECALL_MISMATCH"}
