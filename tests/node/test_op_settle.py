"""An alarm that somebody looked into is set aside: it stays with its evidence, and comes back if its cause does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from node.operations import audit_urgent, partners, settle
from node.operations.officers import NotPermitted
from node.store.directory import AlarmRow, alarms_about, all_alarms, raise_alarm
from tests.countries import domain
from tests.federation import Federation
from tests.rig import Office
from tests.worklists import listed, office_pair

FORK = AlarmRow(at=1, code="LOG_FORK", partner=domain("kh"), origin="a/log")
REFERENCE = settle.alarm_reference(FORK).hex()


@pytest.fixture
def gb(tmp_path: Path) -> Iterator[Office]:
    made: Federation = office_pair(tmp_path)
    sound(made["gb"], 1)
    yield made["gb"]
    made.close()


def sound(office: Office, at: int, evidence: bytes | None = b"both notes") -> bool:
    with office.ports.store.write() as tx:
        return raise_alarm(tx, at, FORK.code, partner=FORK.partner, origin=FORK.origin, evidence=evidence)


def set_aside(office: Office, reference: str = REFERENCE[:8], reason: str = "Restored on Tuesday", who: str = "administrator") -> str:
    return settle.settle(office.ports, office.person(who), reference, reason).code


def seen(office: Office) -> tuple[int, int, list[str]]:
    """At how many places an alarm stands: the work list, the auditor's list; and what the partner's page says."""
    administrator, auditor = office.person("administrator"), office.person("auditor")
    work = [item for item in listed(office, "administrator") if item.kind == messages.WORK_KIND_ALARM]
    audit = audit_urgent.list_alarms(office.ports, auditor).alarms
    return len(work), len(audit), list(partners.get_partner(office.ports, administrator, domain("kh")).alarms)


def test_what_was_looked_into_stands_no_longer_and_stays_with_its_evidence(gb: Office) -> None:
    assert seen(gb) == (1, 1, ["LOG_FORK"])
    assert listed(gb, "administrator")[0].reference.hex() == REFERENCE
    assert set_aside(gb) == "LOG_FORK"
    assert seen(gb) == (0, 0, [])
    with gb.ports.store.read() as tx:
        assert [row.settled for row in all_alarms(tx)] == [True]
        assert alarms_about(tx, FORK.origin) == {"LOG_FORK": b"both notes"}


def test_its_cause_brings_it_back(gb: Office) -> None:
    assert not sound(gb, 2), "it stands already"
    set_aside(gb)
    assert sound(gb, 3, None)
    assert seen(gb) == (1, 1, ["LOG_FORK"])
    with gb.ports.store.read() as tx:
        (row,) = all_alarms(tx)
    assert (row.at, row.evidence) == (3, b"both notes")
    set_aside(gb)
    assert sound(gb, 4, b"another")
    with gb.ports.store.read() as tx:
        assert all_alarms(tx)[0].evidence == b"another"


def test_who_and_why_is_journalled(gb: Office) -> None:
    set_aside(gb)
    assert gb.journal()[-1] == ("partner", gb.person("administrator"), REFERENCE, "ALARM_SETTLED")


@pytest.mark.parametrize(
    ("reference", "reason", "code"),
    [
        (REFERENCE, " ", "REASON_MISSING"),
        (REFERENCE[:7], "why", "ALARM_REFERENCE"),
        ("LOG_FORK", "why", "ALARM_REFERENCE"),
        ("0" * 64, "why", "ALARM_NOT_FOUND"),
    ],
)
def test_what_is_not_said_exactly_changes_nothing(reference: str, reason: str, code: str, gb: Office) -> None:
    with pytest.raises((Refused, NotFound)) as refused:
        set_aside(gb, reference, reason)
    assert refused.value.code == code
    assert seen(gb)[0] == 1


def test_what_was_set_aside_is_not_found_again(gb: Office) -> None:
    set_aside(gb)
    with pytest.raises(NotFound) as refused:
        set_aside(gb)
    assert refused.value.code == "ALARM_NOT_FOUND"


@pytest.mark.parametrize("who", ["liaison", "auditor", "border"])
def test_only_administrators_do_it(who: str, gb: Office) -> None:
    with pytest.raises(NotPermitted):
        set_aside(gb, who=who)
    assert seen(gb)[0] == 1
