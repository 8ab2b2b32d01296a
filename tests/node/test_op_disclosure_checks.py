"""Every numbered check run again on one disclosure: which holds, which does not, which cannot be asked any more."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange import disclosure, evidence, log, receipt
from exchange.errors import NotFound, Refused
from node.operations import audit_disclosure, disclosure_checks
from node.operations.audit_disclosure import DisclosureReview, review_disclosure
from node.operations.disclosure_checks import CODES, NUMBERS, Verdict
from node.operations.officers import NotPermitted
from tests.countries import HOUR
from tests.federation import Federation
from tests.node.audit_office import GB_KH, KH_BORDER, KH_GB, auditor, disclosures, first_alert, newest, places, told
from tests.recalls import recalled
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

NOT_ANCHORED = {"E11": "NOT_ANCHORED", "E12": "NOT_ANCHORED"}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


def review(office: Office, index: int = 0, origin: str = GB_KH) -> DisclosureReview:
    return review_disclosure(office.ports, auditor(office), origin, index)


def failing(found: DisclosureReview) -> dict[str, str]:
    return {check.number: check.code for check in found.proved.checks if check.verdict is Verdict.FAILS}


def not_run(found: DisclosureReview) -> dict[str, str]:
    return {check.number: check.code for check in found.proved.checks if check.verdict is Verdict.NOT_RUN}


def change(office: Office, statement: str, *values: Any) -> None:
    """Do to the database what no operation does."""
    with sqlite3.connect(office.directory / "data/node.db") as database:
        database.execute(statement, values)
    database.close()


def test_every_check_holds_on_both_sides_and_in_both_directions(two: Federation) -> None:
    for office in (two["gb"], two["kh"]):
        for origin, index in ((GB_KH, 0), (GB_KH, 1), (GB_KH, 2), (GB_KH, 3), (KH_GB, 0)):
            found = review(office, index, origin)
            assert tuple(check.number for check in found.proved.checks) == NUMBERS
            assert failing(found) == {}, (office.country, origin, index)
            assert not_run(found) == NOT_ANCHORED


def test_numbers_and_codes_are_those_of_the_protocol() -> None:
    said: dict[str, set[str]] = {}
    for module in (log, disclosure, receipt, evidence):
        for number, codes in re.findall(r"^([SDRE]\d+) +((?:[A-Z_]+(?:, )?)+)", module.__doc__ or "", re.MULTILINE):
            said[number] = {code for code in codes.split(", ") if code}
    assert {number for number in said if not number.startswith("E")} | {"E11", "E12"} == set(NUMBERS)
    assert {number: said[number] for number in CODES} == CODES


def test_who_signed_what_and_what_followed(two: Federation) -> None:
    gb, first = two["gb"], first_alert(two)
    found = review(gb)
    assert (newest(gb)[0], *newest(gb)[2:]) == ("review", first, "PROOF")
    assert [(one.what, one.party, one.suite) for one in found.proved.signatures] == [
        ("CHECKPOINT", gb.domain, "ED25519"),
        ("RECEIPT", two["kh"].domain, "ED25519"),
    ]
    assert {key.key_id for key in gb.ports.known.own.log_keys()} >= {found.proved.signatures[0].key_id}
    assert found.proved.signatures[1].key_id in gb.knows(two["kh"]).keys
    assert found.proved.tree is not None
    assert (found.proved.tree.size, found.proved.receipted) == (2, (0, 2))
    assert [(one.origin, one.index) for one in found.related] == [(GB_KH, 1)]
    assert len(found.superseded_by) == 1
    assert review(gb, 3).record.supersedes == [bytes.fromhex(first)]


def test_no_more_than_so_many_others_are_named(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_disclosure, "RELATED_AT_MOST", 0)
    found = review(two["gb"])
    assert (list(found.related), found.left_out) == ([], 1)


def test_before_the_receipt_nothing_is_signed(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(draft(KH_BORDER))
    found = review(gb, 4)
    assert not_run(found) == {**dict.fromkeys(("S4", "R1", "R2", "R3", "R4"), "NOT_RECEIPTED"), **NOT_ANCHORED}
    assert failing(found) == {}
    assert (found.proved.signatures, found.proved.tree, found.proved.receipted) == ([], None, (0, 0))


def test_a_later_withdrawal_does_not_make_it_wrong(two: Federation) -> None:
    gb = two["gb"]
    recalled(gb, bytes.fromhex(first_alert(two)))
    two.pump()
    for office in (gb, two["kh"]):
        found = review(office)
        assert failing(found) == {}
        assert [(one.kind, bool(one.at)) for one in found.recalls] == [("WITHDRAWAL", True)]


def test_what_was_told_again_after_its_withdrawal_is_found(two: Federation) -> None:
    gb = two["gb"]
    recalled(gb, bytes.fromhex(first_alert(two)))
    again = gb.log_again(two["kh"], 0)
    assert failing(review(gb, again)) == {"D10": "WITHDRAWN"}


@pytest.mark.parametrize(("number", "code"), [(number, code) for number, codes in CODES.items() for code in sorted(codes)])
def test_the_check_that_refuses_is_the_one_that_is_named(two: Federation, monkeypatch: pytest.MonkeyPatch, number: str, code: str) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise Refused(code)

    monkeypatch.setattr(disclosure_checks, "accept", refuse)
    found = review(two["gb"])
    assert failing(found) == {number: code}
    later = NUMBERS[NUMBERS.index(number) + 1 : NUMBERS.index("R1")]
    assert {one: why for one, why in not_run(found).items() if one.startswith("D")} == dict.fromkeys(later, "CHECK_BEFORE_FAILED")


def test_an_altered_entry_is_not_in_the_tree(two: Federation) -> None:
    gb = two["gb"]
    log_id = gb.outbound(two["kh"]).id
    change(
        gb,
        "UPDATE entries SET entry = (SELECT entry FROM entries WHERE log_id = ? AND idx = 2) WHERE log_id = ? AND idx = 1",
        log_id,
        log_id,
    )
    assert failing(review(gb, 1))["S3"] == "LOG_MISMATCH"
    assert review(gb, 0).proved.tree is not None


def test_an_altered_entry_with_its_hash_leads_to_no_signed_root(two: Federation) -> None:
    gb = two["gb"]
    log_id = gb.outbound(two["kh"]).id
    copied = "UPDATE entries SET entry = e.entry, leaf = e.leaf FROM (SELECT entry, leaf FROM entries WHERE log_id = ? AND idx = 2) AS e"
    change(gb, f"{copied} WHERE log_id = ? AND idx = 1", log_id, log_id)
    assert {failing(review(gb, 1))[number] for number in ("S3", "S4")} == {"INCLUSION_INVALID"}


def test_what_is_no_entry_at_all_is_listed_and_fails(two: Federation) -> None:
    gb = two["gb"]
    log_id = gb.outbound(two["kh"]).id
    change(gb, "UPDATE entries SET entry = x'ff', alert_ref = NULL WHERE log_id = ? AND idx = 1", log_id)
    found = review(gb, 1)
    assert failing(found)["S3"] == "LOG_MISMATCH"
    assert failing(found)["D1"] == "NOT_PROTOBUF"
    assert (GB_KH, 1) in places(disclosures(gb))


def test_a_checkpoint_of_somebody_else_is_found(two: Federation) -> None:
    gb = two["gb"]
    change(gb, "UPDATE receipts SET checkpoint = (SELECT checkpoint FROM receipts WHERE size = 4) WHERE size = 2")
    found = review(gb)
    assert failing(found) == {"R2": "RECEIPT_CHECKPOINT"}
    change(gb, "UPDATE receipts SET checkpoint = x'00' WHERE size = 2")
    assert set(failing(review(gb))) == {"S4"}
    assert not_run(review(gb))["R2"] == "CHECK_BEFORE_FAILED"
    change(gb, "UPDATE receipts SET checkpoint = x'' WHERE size = 2")
    assert {number: not_run(review(gb))[number] for number in ("S4", "R2")} == dict.fromkeys(("S4", "R2"), "CHECKPOINT_MISSING")


def test_a_receipt_that_does_not_hold_is_found(two: Federation) -> None:
    gb = two["gb"]
    change(gb, "UPDATE receipts SET statement = (SELECT statement FROM receipts WHERE size = 1) WHERE size = 2")
    assert failing(review(gb)) == {"R1": "RECEIPT_KEY"}
    assert {not_run(review(gb))[number] for number in ("R2", "R3", "R4")} == {"CHECK_BEFORE_FAILED"}


def test_exceptions_that_the_receipt_does_not_have_are_found(two: Federation) -> None:
    gb = two["gb"]
    change(gb, "INSERT INTO exceptions SELECT id, 0, 12 FROM logs WHERE outbound = 1")
    assert failing(review(gb, 1)) == {"R3": "RECEIPT_TILES"}


def test_a_receipt_from_before_its_entry_is_found(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure_checks, "CLOCK_SKEW_MS", -HOUR)
    assert failing(review(two["gb"])) == {"R4": "RECEIPT_CLOCK"}


def test_of_what_was_erased_only_its_form_can_be_asked(two: Federation) -> None:
    kh = two["kh"]
    change(kh, "UPDATE alerts SET wrapped_key = NULL, sealed = NULL")
    found = review(kh)
    numbers = [number for number in NUMBERS if number.startswith("D")]
    assert failing(found) == {}
    assert {number: not_run(found)[number] for number in numbers[1:]} == dict.fromkeys(numbers[1:], "ERASED")


def test_content_that_does_not_open_is_no_delivery(two: Federation) -> None:
    kh = two["kh"]
    change(kh, "UPDATE entries SET sealed = x'0011223344' WHERE idx = 0")
    assert failing(review(kh)) == {"D1": "VAULT_TAMPERED"}


def test_only_an_auditor_asks_and_only_about_what_is_here(two: Federation) -> None:
    gb = two["gb"]
    for name in ("liaison", "administrator", "police"):
        with refused(NotPermitted, "ROLE_MISSING"):
            review_disclosure(gb.ports, gb.person(name), GB_KH, 0)
    assert newest(gb)[0::3] == ("refusal", "ROLE_MISSING")
    with refused(NotFound, "ENTRY_UNKNOWN"):
        review(gb, 99)
    with refused(NotFound, "LOG_UNKNOWN"):
        review(gb, 0, "gb.alerts.example/disclosures/th.alerts.example/1")
