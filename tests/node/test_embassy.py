"""The embassy's liaison officer: an agency of her own country, hosted at its node, with a key, an inbox and an audience of her own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.v1 import directory_pb2
from exchange.values import PartyId
from node.config import OfficerEntry
from node.keys.node_directory import example_plan
from node.operations import inbox, outbox
from node.operations.officers import acting
from node.store.journal import open_journal
from tests.countries import (
    BORDER,
    POLICE,
    agency,
    agreement,
    changed,
    described_key,
    descriptor,
    ed25519_key,
    known,
)
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, counted_entropy, draft, person

EMBASSY = "spiffe://gb.alerts.example/agency/embassy-phnom-penh"
GB_POLICE, KH_BORDER, KH_POLICE = agency("gb", POLICE), agency("kh", BORDER), agency("kh", POLICE)
KEY = ed25519_key("gb/embassy-phnom-penh")
HER = person("gb", "attache")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made["gb"].close()
        made.offices["gb"] = office = Office(country="gb", directory=tmp_path / "with-embassy", clock=made.clock, own=known(described()))
        employ(office)
        upon = agreement()
        upon.agencies.add(agency=EMBASSY, agency_class=POLICE)
        upon.agencies.sort(key=lambda each: each.agency)
        made.connect("gb", "kh", upon)
        yield made


def described() -> directory_pb2.NodeDescriptor:
    """The British node's descriptor with the embassy among its agencies."""
    plain = descriptor("gb")
    own = described_key(KEY, directory_pb2.KEY_USE_STATEMENT, EMBASSY)
    there = directory_pb2.DescribedAgency(agency=EMBASSY, name="embassy-phnom-penh", agency_class=POLICE)
    return changed(plain, keys=[*plain.keys, own], agencies=[*plain.agencies, there])


def employ(office: Office) -> None:
    """Give the office the embassy's key, and its officer a place in the roster: a liaison officer, as any other."""
    entry = OfficerEntry(id=PartyId.parse(HER), roles=("liaison officer",), agency=PartyId.parse(EMBASSY))
    officers = {**office.ports.officers, HER: entry}
    office.ports = replace(
        office.ports,
        officers=officers,
        signers=replace(office.ports.signers, statement={**office.ports.signers.statement, EMBASSY: KEY}),
        journal=open_journal(office.ports.store, office.ports.vault, office.domain, acting(officers), counted_entropy("embassy")),
        duplicates_refuse=True,
    )


def test_the_example_country_has_one() -> None:
    plan = example_plan("GB")
    (embassy,) = [each for each in plan.agencies if each.slug == "embassy-phnom-penh"]
    assert (embassy.agency_class, embassy.originates) == ("POLICE", True)
    assert [(each.pseudonym, each.role) for each in plan.officers if each.agency == embassy.slug] == [("curlew", "liaison")]


def test_she_is_told_what_is_for_her_and_nothing_else(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    hers = kh.publish(draft(EMBASSY))
    theirs = kh.publish(draft(GB_POLICE))
    assert not hers.problems
    assert not theirs.problems
    two.pump()
    assert [each.manifest_digest for each in gb.received("attache")] == [hers.manifest_digest]
    assert [each.manifest_digest for each in gb.received("liaison")] == [theirs.manifest_digest]
    assert inbox.get_inbox_alert(gb.ports, HER, hers.manifest_digest.hex()).view
    with refused(NotFound, "ALERT_NOT_FOUND"):
        inbox.get_inbox_alert(gb.ports, HER, theirs.manifest_digest.hex())
    with refused(NotFound, "ALERT_NOT_FOUND"):
        inbox.get_inbox_alert(gb.ports, gb.person("liaison"), hers.manifest_digest.hex())


def test_she_reports_back_under_her_own_name(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = kh.publish(draft(EMBASSY))
    two.pump()
    assert not gb.report(told.manifest_digest.hex(), "attache").problems
    two.pump()
    assert [each.originator for each in kh.received("liaison")] == [EMBASSY]


def test_she_composes_under_her_own_agency_and_key(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_POLICE), "attache")
    assert not told.problems
    two.pump()
    (came,) = kh.received("police")
    assert came.originator == EMBASSY
    assert outbox.get_alert(gb.ports, HER, told.manifest_digest.hex()).summary.originator == EMBASSY
    with refused(NotFound, "ALERT_NOT_FOUND"):
        outbox.get_alert(gb.ports, gb.person("liaison"), told.manifest_digest.hex())
    assert gb.fsck() == kh.fsck() == []


def test_she_releases_for_nobody_else_and_learns_of_their_alerts_only_that_they_are(two: Federation) -> None:
    gb = two["gb"]
    refusal = gb.publish(draft(KH_BORDER, originator=GB_POLICE), "attache")
    assert [problem.code for problem in refusal.problems] == ["ORIGINATOR"]
    first = gb.publish(draft(KH_BORDER))
    (problem,) = gb.publish(draft(KH_POLICE), "attache").problems
    assert (problem.code, problem.field) == ("SUBJECT_ALREADY_ALERTED", f"subject[{GB_POLICE}]")
    assert first.manifest_digest.hex()[:8] not in f"{problem.message}{problem.remedy}"
