"""Whom the agency's issuer means: who says so, and what becomes of it when somebody leaves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound
from node.operations.identities import link_identity, unlink_identity
from node.operations.officers import NotPermitted
from node.operations.roster import list_officers
from node.operations.sign_in import forget_passkeys
from tests.console_admin import address_of
from tests.console_issuer import asked_issuer, at, sign_in
from tests.console_site import Browser
from tests.federation import federation
from tests.issuer import SUBJECT, SyntheticIssuer
from tests.refusals import refused
from tests.rig import Office


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as made:
        yield made["kh"]


@pytest.fixture
def idp(kh: Office) -> Iterator[SyntheticIssuer]:
    with asked_issuer(kh) as made:
        yield made


@pytest.fixture
def browser(kh: Office, idp: SyntheticIssuer) -> Browser:
    return at(kh, idp)


def test_only_administrators_link_and_only_people_of_the_roster_and_each_subject_once(kh: Office, idp: SyntheticIssuer) -> None:
    administrator, border = kh.person("administrator"), kh.person("border")
    for name in ("border", "liaison", "auditor"):
        with pytest.raises(NotPermitted):
            link_identity(kh.ports, kh.person(name), border, "x")
        with pytest.raises(NotPermitted):
            unlink_identity(kh.ports, kh.person(name), kh.person("liaison"))
    with refused(NotFound, "OFFICER_UNKNOWN"):
        link_identity(kh.ports, administrator, "spiffe://kh.alerts.example/officer/nobody", "x")
    with refused(NotFound, "OFFICER_UNKNOWN"):
        unlink_identity(kh.ports, administrator, border)
    with refused(Conflict, "OIDC_LINKED"):
        link_identity(kh.ports, administrator, border, SUBJECT)
    for subject in ("", " x", "x\n", "x" * 256):
        with refused(Malformed, "OIDC_SUBJECT"):
            link_identity(kh.ports, administrator, border, subject)
    assert link_identity(kh.ports, administrator, kh.person("liaison"), "newer").issuer == idp.url
    assert link_identity(kh.ports, administrator, border, SUBJECT).issuer == idp.url
    shown = Browser(kh).enter("administrator").get(f"/admin/officers/{address_of(kh.person('liaison'))}").text
    assert "newer" in shown
    told = {one.officer: one.subject for one in list_officers(kh.ports, administrator).officers if one.subject}
    assert told == {kh.person("liaison"): "newer", border: SUBJECT}
    forget_passkeys(kh.ports, administrator, border)
    assert border not in {one.officer for one in list_officers(kh.ports, administrator).officers if one.subject}


def test_another_subject_for_an_officer_ends_the_sessions_of_before(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    sign_in(browser, idp)
    link_identity(kh.ports, kh.person("administrator"), kh.person("liaison"), "newer")
    assert browser.get("/you").headers["location"] == "/sign-in"


def test_who_left_the_roster_and_is_still_linked_is_listed_and_can_be_forgotten(kh: Office, idp: SyntheticIssuer) -> None:
    left = kh.person("liaison")
    kh.ports = replace(kh.ports, officers={who: entry for who, entry in kh.ports.officers.items() if who != left})
    assert [one.listed for one in list_officers(kh.ports, kh.person("administrator")).officers if one.officer == left] == [False]
    forget_passkeys(kh.ports, kh.person("administrator"), left)
    assert left not in {one.officer for one in list_officers(kh.ports, kh.person("administrator")).officers}


def test_who_left_the_roster_or_was_unlinked_does_not_come_in(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    assert sign_in(browser, idp).status_code == 200
    unlink_identity(kh.ports, kh.person("administrator"), kh.person("liaison"))
    assert browser.get("/you").headers["location"] == "/sign-in", "and every session ended"
    answer = sign_in(browser, idp)
    assert (answer.status_code, "OIDC_UNKNOWN" in answer.text) == (403, True)
    link_identity(kh.ports, kh.person("administrator"), kh.person("liaison"), SUBJECT)
    kh.ports = replace(kh.ports, officers={who: entry for who, entry in kh.ports.officers.items() if who != kh.person("liaison")})
    answer = sign_in(at(kh, idp), idp)
    assert (answer.status_code, "OIDC_UNKNOWN" in answer.text) == (403, True)


def test_who_came_by_the_word_of_an_issuer_that_is_not_asked_any_more_is_signed_out(
    kh: Office, browser: Browser, idp: SyntheticIssuer
) -> None:
    sign_in(browser, idp)
    asked = kh.ports
    for issuer in ("", "https://other.example"):
        kh.ports = replace(asked, issuer=issuer)
        assert with_cookies(browser, at(kh, idp)).get("/you").headers["location"] == "/sign-in"
        kh.ports = asked
        assert with_cookies(browser, at(kh, idp)).get("/you").status_code == 200
    promoted = replace(asked.officers[kh.person("liaison")], roles=("liaison officer", "administrator"))
    kh.ports = replace(asked, officers={**asked.officers, kh.person("liaison"): promoted})
    assert with_cookies(browser, at(kh, idp)).get("/you").headers["location"] == "/sign-in"


def with_cookies(browser: Browser, other: Browser) -> Browser:
    """The same browser, before another console of the office: as after a restart."""
    other.client.cookies = browser.client.cookies
    return other
