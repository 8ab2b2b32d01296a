"""What is kept until when, what is due, and who may hold, review and erase it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.retention import NationalRule
from exchange.v1 import desk_service_pb2 as messages
from node.operations import erase, retention
from node.operations.officers import NotPermitted
from node.store import alerts
from node.store.alerts import AlertRow
from tests import builders
from tests.countries import BORDER, DAY, NOW, POLICE, TRAVEL, agency, agreement, clause, with_clause
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

GB_POLICE = agency("gb", POLICE)
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
WHY = "synthetic court order"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-border", maximum_retention_days=30))
        yield made


def only(office: Office) -> AlertRow:
    with office.ports.store.read() as tx:
        (row,) = alerts.every(tx)
    return row


def tell(made: Federation, *recipients: str, days: int = 180) -> str:
    published = made["gb"].publish(draft(*recipients, handling=builders.handling(retention_days=days)))
    assert not published.problems
    made.pump()
    return published.manifest_digest.hex()


def listed(office: Office, name: str, **page: int | str) -> messages.ListRetentionResponse:
    return retention.list_due(office.ports, office.person(name), messages.ListRetentionRequest(**page))


def dues(office: Office, name: str) -> list[str]:
    return [messages.RetentionDue.Name(item.due).removeprefix("RETENTION_DUE_") for item in listed(office, name).alerts]


def run(office: Office, *, dry_run: bool = False) -> messages.RunRetentionResponse:
    return retention.run(office.ports, office.person("administrator"), dry_run=dry_run)


def said(office: Office, kind: str) -> list[tuple[str, str]]:
    """(who, code) of the journal's events of that kind, oldest first."""
    return [(who, code) for of, who, _, code in office.journal() if of == kind]


@pytest.mark.parametrize(
    ("recipients", "days", "expected"), [((KH_POLICE,), 180, 180), ((KH_POLICE,), 0, 365), ((KH_POLICE, KH_BORDER), 180, 30)]
)
def test_the_recipient_keeps_an_alert_for_the_shortest_that_binds_it(
    two: Federation, recipients: tuple[str, ...], days: int, expected: int
) -> None:
    tell(two, *recipients, days=days)
    assert only(two["kh"]).erase_by == NOW + expected * DAY


def test_what_a_clause_lets_the_other_side_keep_does_not_bind_the_originator(two: Federation) -> None:
    tell(two, KH_BORDER, days=0)
    assert only(two["gb"]).erase_by == NOW + 1825 * DAY


def test_the_national_rule_of_each_side_is_its_own(two: Federation) -> None:
    kh = two["kh"]
    kh.ports = replace(kh.ports, retention=NationalRule(default_days=9, by_type={TRAVEL: 7}))
    tell(two, KH_POLICE)
    assert only(kh).erase_by == NOW + 7 * DAY
    assert only(two["gb"]).erase_by == NOW + 180 * DAY


def test_what_is_told_again_under_a_shorter_clause_has_that_limit_from_its_first_receipt(two: Federation) -> None:
    tell(two, KH_POLICE)
    two.clock.pass_(10 * DAY)
    assert only(two["kh"]).erase_by == NOW + 180 * DAY
    told = clause("gb", "kh", BORDER)
    two["gb"].log_again(
        two["kh"], 0, audience=[KH_BORDER], clause="gb-kh-travelalert-border", fields=sorted([*told.required, *told.permitted])
    )
    two.pump()
    row = only(two["kh"])
    assert (row.erase_by, row.due_at) == (NOW + 30 * DAY, NOW + 30 * DAY)


def test_nothing_is_due_before_its_time_and_each_agency_sees_its_own(two: Federation) -> None:
    tell(two, KH_POLICE)
    assert dues(two["kh"], "police") == []
    two.clock.pass_(180 * DAY - 1)
    assert dues(two["kh"], "police") == []
    two.clock.pass_(1)
    assert dues(two["kh"], "police") == dues(two["gb"], "liaison") == ["ERASURE"]
    assert dues(two["kh"], "auditor") == dues(two["kh"], "administrator") == ["ERASURE"]
    assert dues(two["kh"], "border") == dues(two["gb"], "both") == []
    assert (two["kh"].person("auditor"), "RETENTION") in said(two["kh"], "review")


def test_what_is_due_comes_in_pages(two: Federation) -> None:
    for _ in range(5):
        tell(two, KH_POLICE)
    two.clock.pass_(180 * DAY)
    found, token = [], ""
    while True:
        answer = listed(two["kh"], "auditor", page_size=2, page_token=token)
        found += [item.summary.manifest_digest for item in answer.alerts]
        token = answer.next_page_token
        if not token:
            break
    assert len(found) == len(set(found)) == 5
    for wrong in ("x", "1", "-", "1-2-3", "²-1"):
        with refused(Malformed, "PAGE_TOKEN"):
            listed(two["kh"], "auditor", page_token=wrong)


def test_a_dry_run_counts_and_changes_nothing(two: Federation) -> None:
    tell(two, KH_POLICE)
    two.clock.pass_(180 * DAY)
    assert (run(two["kh"], dry_run=True).erased, only(two["kh"]).state) == (1, "active")
    assert said(two["kh"], "erasure") == []
    assert (run(two["kh"]).erased, only(two["kh"]).state) == (1, "erased")
    assert (run(two["kh"], dry_run=True).erased, run(two["kh"]).erased) == (0, 0)


def test_a_hold_keeps_an_alert_past_its_limit_until_it_is_released(two: Federation) -> None:
    kh, digest = two["kh"], tell(two, KH_POLICE)
    held = retention.hold(kh.ports, kh.person("police"), digest, WHY)
    assert [(one.agency, one.placed_at) for one in held.holds] == [(KH_POLICE, NOW)]
    two.clock.pass_(400 * DAY)
    assert dues(kh, "police") == ["HELD"]
    assert (run(kh).erased, run(kh).held, run(kh, dry_run=True).held) == (0, 1, 1)
    assert only(kh).state == "active"
    retention.release_hold(kh.ports, kh.person("police"), digest, WHY)
    assert (run(kh).erased, only(kh).state) == (1, "erased")
    assert said(kh, "retention") == [(kh.person("police"), "HELD"), (kh.person("police"), "RELEASED")]


def test_each_agency_holds_for_itself(two: Federation) -> None:
    kh, digest = two["kh"], tell(two, KH_POLICE, KH_BORDER)
    for name in ("police", "border"):
        retention.hold(kh.ports, kh.person(name), digest, WHY)
    retention.release_hold(kh.ports, kh.person("border"), digest, WHY)
    two.clock.pass_(400 * DAY)
    assert (run(kh).erased, run(kh).held) == (0, 1)
    with refused(NotFound, "HOLD_NONE"):
        retention.release_hold(kh.ports, kh.person("border"), digest, WHY)


def test_only_officers_of_the_agency_decide_and_they_say_why(two: Federation) -> None:
    kh, digest = two["kh"], tell(two, KH_POLICE)
    for decide in (retention.hold, retention.release_hold, retention.review, retention.erase_early):
        with refused(NotFound, "ALERT_NOT_FOUND"):
            decide(kh.ports, kh.person("border"), digest, WHY)
        with refused(NotPermitted, "ROLE_MISSING"):
            decide(kh.ports, kh.person("administrator"), digest, WHY)
        with refused(NotPermitted, "ROLE_MISSING"):
            decide(kh.ports, kh.person("auditor"), digest, WHY)
        with refused(Refused, "REASON_MISSING"):
            decide(kh.ports, kh.person("police"), digest, " ")
    with refused(NotPermitted, "ROLE_MISSING"):
        retention.run(kh.ports, kh.person("police"), dry_run=True)
    assert said(kh, "retention") == []
    assert only(kh).state == "active"


def test_a_review_puts_off_the_next_one_and_never_the_limit(two: Federation) -> None:
    gb, digest = two["gb"], tell(two, KH_POLICE, days=0)
    two.clock.pass_(365 * DAY - 1)
    assert dues(gb, "liaison") == []
    two.clock.pass_(1)
    assert dues(gb, "liaison") == ["REVIEW"]
    assert run(gb).erased == 0
    reviewed = retention.review(gb.ports, gb.person("liaison"), digest, "still under investigation (synthetic)")
    assert (reviewed.review_by, reviewed.erase_by) == (NOW + 730 * DAY, NOW + 1825 * DAY)
    assert dues(gb, "liaison") == []
    assert said(gb, "retention") == [(gb.person("liaison"), "REVIEWED")]


def test_an_alert_is_erased_early_by_the_agency_that_has_it_alone(two: Federation) -> None:
    kh = two["kh"]
    mine, both = tell(two, KH_POLICE), tell(two, KH_POLICE, KH_BORDER)
    with refused(Refused, "NOT_ALONE"):
        retention.erase_early(kh.ports, kh.person("police"), both, WHY)
    retention.hold(kh.ports, kh.person("police"), mine, WHY)
    with refused(Refused, "HELD"):
        retention.erase_early(kh.ports, kh.person("police"), mine, WHY)
    retention.release_hold(kh.ports, kh.person("police"), mine, WHY)
    answer = retention.erase_early(kh.ports, kh.person("police"), mine, "erasure on request (synthetic)")
    assert list(answer.summary.flags) == ["ERASED"]
    assert said(kh, "erasure") == [(kh.person("police"), "INTENDED"), ("spiffe://kh.alerts.example/node", "DONE")]
    for decide in (retention.hold, retention.review, retention.erase_early):
        with refused(NotFound, "ERASED"):
            decide(kh.ports, kh.person("police"), mine, WHY)


def test_what_is_being_erased_is_not_held_any_more(two: Federation) -> None:
    kh, digest = two["kh"], tell(two, KH_POLICE)
    erase.intend(kh.ports, kh.domain, [only(kh).id])
    for decide in (retention.hold, retention.review, retention.erase_early):
        with refused(Conflict, "ERASURE_BEGUN"):
            decide(kh.ports, kh.person("police"), digest, WHY)


def test_copies_that_no_erasure_reaches_are_named(two: Federation) -> None:
    kh = two["kh"]
    (kh.directory / "data/node.db.before-0").write_bytes(b"an old copy")
    assert list(run(kh).copies) == list(run(kh, dry_run=True).copies) == list(listed(kh, "auditor").copies) == ["node.db.before-0"]


def test_the_originator_decides_about_its_own_alert(two: Federation) -> None:
    gb, digest = two["gb"], tell(two, KH_POLICE)
    retention.hold(gb.ports, gb.person("liaison"), digest, WHY)
    two.clock.pass_(200 * DAY)
    assert dues(gb, "liaison") == ["HELD"]
    with refused(NotFound, "ALERT_NOT_FOUND"):
        retention.hold(gb.ports, gb.person("both"), digest, WHY)
