from typing import Any

import pytest

from exchange.errors import ExchangeError, Malformed, Refused, Unverified
from exchange.onward import check_permit, check_scope, open_permit, sign_permit
from exchange.signing import statement_digest
from exchange.v1 import permit_pb2
from tests.builders import entry, permit, sealed, signed_permit, world
from tests.countries import BORDER, DAY, ISSUED, NOW, agency, changed, compromised, descriptor, key, known, node, node_id, with_key
from tests.refusals import refused

POLICE_KEY = key("gb", "nca-ceop")


def good() -> permit_pb2.Permit:
    """gb's police let kh tell vn of fields 1 and 30."""
    return permit(world().sealed, "kh", "vn", [1, 30])


def check(leave: permit_pb2.Permit, **changes: Any) -> None:
    asked: dict[str, Any] = {
        "manifest_digest": world().sealed.digest,
        "holder": node_id("kh"),
        "third_party": node_id("vn"),
        "recall": False,
        "at": NOW,
    }
    check_permit(leave, **asked | changes)


def test_a_permit_is_the_originating_agencys() -> None:
    statement = signed_permit(good())
    opened = open_permit(statement, node("gb"))
    assert (opened.value, opened.digest) == (good(), statement_digest(statement))


def test_another_agencys_key_gives_no_leave() -> None:
    with refused(Unverified, "KEY_NOT_FOR_PARTY"):
        open_permit(signed_permit(good(), key("gb", "border-force")), node("gb"))
    with refused(Unverified, "KEY_UNKNOWN"):
        open_permit(signed_permit(good()), node("kh"))


def test_a_stolen_key_gives_leave_only_if_that_was_known_before() -> None:
    gb = known(with_key(descriptor("gb"), POLICE_KEY, **compromised(NOW) | {"revoked_at": NOW}))
    with refused(Unverified, "KEY_COMPROMISED"):
        open_permit(signed_permit(good()), gb)
    assert open_permit(signed_permit(good()), gb, held_since=NOW - 1).value == good()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 0}, "PERMIT_MALFORMED"),
        ({"manifest_digest": bytes(31)}, "PERMIT_MALFORMED"),
        ({"expires_at": ISSUED}, "PERMIT_MALFORMED"),
        ({"fields": [30, 1]}, "PERMIT_MALFORMED"),
        ({"fields": [1, 1]}, "PERMIT_MALFORMED"),
        ({"originator": node_id("gb")}, "PERMIT_MALFORMED"),
        ({"holder": agency("kh", BORDER)}, "PERMIT_MALFORMED"),
        ({"third_party": agency("vn", BORDER)}, "PERMIT_MALFORMED"),
        ({"third_party": "vn"}, "PARTY_MALFORMED"),
    ],
)
def test_a_permit_has_one_form(changes: dict[str, Any], code: str) -> None:
    with refused(Malformed, code):
        sign_permit(changed(good(), **changes), POLICE_KEY)


def test_a_permit_is_for_one_manifest_and_one_way() -> None:
    check(good())
    with refused(Refused, "PERMIT_OTHER_MANIFEST"):
        check(good(), manifest_digest=bytes(32))
    for other in ({"holder": node_id("gb")}, {"third_party": node_id("gb")}):
        with refused(Refused, "PERMIT_OTHER_PARTY"):
            check(good(), **other)


@pytest.mark.parametrize(("at", "in_force"), [(ISSUED - 1, False), (ISSUED, True), (NOW + DAY - 1, True), (NOW + DAY, False)])
def test_a_permit_lasts_until_it_expires_but_recalls_always_pass(at: int, in_force: bool) -> None:  # noqa: FBT001 - a parameter of the test
    check(good(), at=at, recall=True)
    if in_force:
        check(good(), at=at)
        return
    with refused(Refused, "PERMIT_EXPIRED"):
        check(good(), at=at)


@pytest.mark.parametrize(
    ("entry_changes", "manifest_changes", "recall", "code"),
    [
        ({}, {}, False, ""),
        ({"fields": [1]}, {}, False, ""),
        ({"fields": [1, 2]}, {}, False, "PERMIT_NARROWER"),
        ({"fields": [1, 2]}, {}, True, ""),
        ({"purpose": 5}, {}, False, "PERMIT_NARROWER"),
        ({}, {"originator": agency("gb", BORDER)}, False, "PERMIT_OTHER_ORIGINATOR"),
        ({}, {"originator": agency("gb", BORDER)}, True, "PERMIT_OTHER_ORIGINATOR"),
        ({}, {"originator": node_id("gb")}, False, "PERMIT_OTHER_ORIGINATOR"),
        ({}, {"originator": node_id("gb")}, True, ""),
    ],
)
def test_a_permit_covers_what_it_names(
    entry_changes: dict[str, Any],
    manifest_changes: dict[str, Any],
    recall: bool,  # noqa: FBT001 - a parameter of the test
    code: str,
) -> None:
    made = sealed()
    told = entry(made, **{"fields": [1, 30]} | entry_changes)
    manifest = changed(made.manifest, **manifest_changes)
    if not code:
        check_scope(good(), manifest, told, recall=recall)
        return
    with pytest.raises(ExchangeError) as error:
        check_scope(good(), manifest, told, recall=recall)
    assert error.value.code == code
