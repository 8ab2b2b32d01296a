"""A release and a recall in a real browser: the passkey signs what the page showed, only its person's, and only with a finger."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from exchange.v1 import disclosure_pb2
from node.confirmations import check_record
from node.operations import draft_box
from node.operations.contents import SALT, purpose_of_entry
from node.operations.draft_box import DraftContent
from node.operations.sign_in import enrol_officer
from node.store import alerts, logs
from tests.browser.chromium import Passkeys, Watch, window
from tests.browser.world import World
from tests.countries import POLICE, agency
from tests.node.test_console_release import DOCUMENT
from tests.rig import Office

pytestmark = pytest.mark.system


def records(office: Office, digest: bytes) -> list[tuple[dict[str, Any], disclosure_pb2.Entry]]:
    """The authorisation record of each disclosure of an alert, and its entry."""
    with office.ports.store.read() as tx:
        (row,) = alerts.by_digests(tx, {digest}).values()
        key = office.ports.vault.unwrap(tx, row.period, row.wrapped_key)
        origins = {log.id: log.name.origin for log in logs.all_logs(tx)}
        return [
            (
                json.loads(key.open(purpose_of_entry(row.alert_id, origins[log_id]), entry.sealed or b"")[SALT:]),
                disclosure_pb2.Entry.FromString(entry.entry),
            )
            for log_id, entry in logs.entries_of_alert(tx, row.id)
        ]


def test_what_is_released_and_withdrawn_is_signed_by_the_officers_passkey(browser: Browser, shown: World) -> None:
    office = shown.office
    document: Any = {**DOCUMENT, "recipients": [agency("gb", POLICE)]}
    held = draft_box.create(office.ports, office.person("liaison"), DraftContent(document=document, reason="synthetic reason"))
    code = enrol_officer(office.ports, office.person("administrator"), office.person("liaison")).code
    watch = Watch(hosts=frozenset({shown.origin.removeprefix("http://")}))
    with window(browser, watch) as page:
        keys = Passkeys(page)
        page.goto(f"{shown.origin}/enrol")
        page.get_by_label("One-time code").fill(code)
        page.locator("main form button").click()
        page.locator("main form button").click()
        page.wait_for_url("**/sign-in?enrolled")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/work")
        page.goto(f"{shown.origin}/drafts/{held.id.hex()}/preview")
        page.get_by_role("button", name="Check and sign").click()
        keys.verifies(False)  # noqa: FBT003  the finger is somebody else's
        page.get_by_role("button", name="Sign and release").click()
        expect(page.get_by_role("alert")).to_be_visible()
        keys.verifies(True)  # noqa: FBT003  the finger is the right one
        page.wait_for_timeout(1100)  # within a second a second press counts as none
        page.get_by_role("button", name="Sign and release").click()
        page.wait_for_url("**/sent/**")
        found = re.search(r"/sent/([0-9a-f]{64})\?released", page.url)
        assert found
        ((record, entry),) = records(office, bytes.fromhex(found[1]))
        (one,) = check_record(record, entry)
        assert (one.officer, one.action, bool(one.passkey)) == (office.person("liaison"), "release", True)
        page.get_by_role("link", name="Withdraw it for good").click()
        page.get_by_label("A court ordered it").check()
        page.get_by_label("Why is this necessary?").fill("synthetic reason")
        page.get_by_role("button", name="Check and sign").click()
        page.get_by_role("button", name="Sign and send").click()
        page.wait_for_url("**?withdraw")
        expect(page.get_by_text("It is withdrawn.")).to_be_visible()
    watch.done()
    assert "CONFIRMATION_MISMATCH" not in office.fsck()
