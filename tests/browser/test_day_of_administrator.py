"""The day of an administrator in London, and what Phnom Penh's node holds after it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from exchange.v1 import desk_service_pb2 as desk
from node.fingerprints import groups, held_back
from node.intake.agreement_file import load_agreement_file
from node.intake.descriptor_text import write_descriptor
from node.keys.node_directory import fingerprint_of
from tests.browser.offices import Building, Offices, Person, agreement
from tests.system.nodes import ask, set_up, until

pytestmark = pytest.mark.system


@pytest.fixture
def admin(building: Building, both: Offices) -> Person:
    return building.officer(both.gb, "administrator")


def test_somebody_is_let_in_and_shut_out(admin: Person, building: Building, both: Offices) -> None:
    admin.goto("/admin")
    admin.follow("Officers")
    admin.reads("Who is listed, and as what")
    admin.follow("plover")
    admin.reads("Passkeys 0", "Signed in now –")
    place = admin.page.url
    admin.press("Make a code")
    code = admin.page.inner_text(".app-one-time").strip()
    admin.reads("This page is the only place where it stands")
    officer = building.enrol(both.gb, code)
    officer.goto("/you")
    officer.reads("spiffe://gb.alerts.example/officer/plover")
    admin.page.goto(place)
    admin.reads("Passkeys 1", "Signed in now in 1 browser")
    second = building.open(both.gb)
    second.goto("/enrol").fill("#code", code)
    second.press("Continue")
    assert second.page.locator("form[data-passkey]").count() == 0, "a code works once"
    admin.press("Take away")
    admin.reads("Confirm that you mean it")
    admin.page.check("#meant")
    admin.press("Take away")
    admin.reads("Taken away: every passkey, code and session.", "Passkeys 0", "Signed in now –")
    officer.goto("/work")
    assert officer.page.url.startswith(f"{officer.origin}/sign-in")


def test_a_partner_is_added_by_what_is_heard(admin: Person, building: Building, both: Offices, tmp_path: Path) -> None:
    # What Phnom Penh's administrator reads out is what London's has before their eyes.
    abroad = building.officer(both.kh, "administrator")
    abroad.goto("/admin/partners")
    read_out = abroad.page.locator("main table").inner_text()
    admin.goto("/admin/partners")
    admin.reads("What a partner needs of you", "Connected")
    admin.follow("kh.alerts.example")
    admin.reads("Department of Anti-Human Trafficking")
    assert admin.page.locator("main table").inner_text() == read_out

    chain = (set_up("VN", tmp_path).directory / "descriptor.pb").read_bytes()
    told = groups(fingerprint_of(chain))
    heard = held_back(fingerprint_of(chain))
    admin.goto("/admin/partners/new")
    admin.page.fill("#descriptor", write_descriptor(chain))
    admin.press("Continue")
    shown = [group.words for group in told if group.number != heard]
    admin.reads("Compare the fingerprint", "vn.alerts.example", "not shown: to be heard", *shown)
    assert told[heard - 1].words not in admin.texts()
    for words in (told[heard % len(told)].words, told[heard - 1].words):
        with ask(both.gb, "administrator") as stub:
            assert "vn.alerts.example" not in {one.trust_domain for one in stub.ListPartners(desk.ListPartnersRequest()).partners}
        admin.page.fill("#heard", words)
        admin.page.check("#same")
        admin.press("Check and sign")
    admin.reads("All eight groups are as you heard them.")
    admin.press("Add this partner")
    admin.reads("Done. It stands in the journal.", *(group.words for group in told))
    admin.page.fill("#reason", "It is of this test alone")
    admin.press("Suspend this partner")
    admin.reads("Suspended", "Take up again")


def test_an_agreement_that_changed_is_read_and_accepted(admin: Person, both: Offices) -> None:
    line = "maximum_retention_days = {}\n"
    text = agreement(both, gb_to_kh_pattern_bulletin_police=(line.format(365), line.format(90)))
    with ask(both.kh, "administrator") as stub:
        offered = stub.DraftAgreement(desk.DraftAgreementRequest(agreement=load_agreement_file(text).agreement)).summary.digest.hex()
    admin.goto("/admin/agreements")
    admin.sees(offered[:12])
    admin.reads("Write an agreement")
    admin.click(f'a[href="/admin/agreements/{offered}"]')
    admin.reads("What differs from the version before", "Your signature binds your country from then on.")
    changed = admin.page.locator(".app-list__item", has_text="Pattern bulletin, from gb.alerts.example to kh.alerts.example: police")
    expect(changed.locator("del")).to_have_text("365")
    expect(changed.locator("ins")).to_have_text("90")
    admin.click("table a:text('Pattern bulletin')")
    admin.reads("From gb.alerts.example to kh.alerts.example", "gb-to-kh-pattern-bulletin-police")
    admin.goto(f"/admin/agreements/{offered}")
    admin.press("Check and sign")
    admin.reads("Confirm that you read it")
    admin.page.check("#read")
    admin.press("Check and sign")
    admin.press("Sign and accept")
    admin.reads("Signed. The node carries it to the partner by itself.")
    with ask(both.kh, "administrator") as stub:
        until(lambda: stub.GetAgreement(desk.GetAgreementRequest(agreement=offered)).summary.in_force)


def test_what_ends_soon_what_waits_and_what_is_due_is_seen_and_no_alert(admin: Person) -> None:
    admin.goto("/admin")
    for name, said in (
        ("Doctor", "exchange doctor"),
        ("Keys and certificates", "exchange node renew NAME --dir DIR"),
        ("Not delivered", "kh.alerts.example"),
        ("Retention", "What is due"),
    ):
        admin.goto("/admin")
        admin.follow(name)
        admin.reads(name, said)
    admin.goto("/admin/keys")
    row = admin.page.locator("main tr", has=admin.page.locator("th", has_text=re.compile(r"^node$")))
    expect(row.first).to_contain_text(re.compile("in [67] days"))
    for place in ("/inbox", "/sent", "/drafts", "/audit", "/tips"):
        answer = admin.page.goto(admin.origin + place)
        assert answer is not None
        assert answer.status == 403, place
