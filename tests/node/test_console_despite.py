"""Another alert about the same person: on the preview an officer says which they know, as `--despite-duplicate` does."""

from dataclasses import replace
from typing import Any

import pytest

from exchange.v1.desk_service_pb2 import Problem
from node.console.despite import in_console, ticked
from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown, field
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation
from tests.node.test_console_release import DOCUMENT
from tests.rig import Office, draft

KH_BORDER, GB_BORDER = agency("kh", BORDER), agency("gb", BORDER)
REASON = "synthetic reason"


@pytest.fixture
def gb(two: Federation) -> Office:
    office = two["gb"]
    office.ports = replace(office.ports, duplicates_refuse=True)
    return office


def drafted(gb: Office) -> str:
    document: Any = {**DOCUMENT, "recipients": [KH_BORDER]}
    held = draft_box.create(gb.ports, gb.person("liaison"), DraftContent(document=document, reason=REASON))
    return f"/drafts/{held.id.hex()}"


def texts(page: str) -> str:
    return " ".join(text for _, text in Shown(page).texts)


def known(browser: Browser, address: str, *references: str) -> Any:
    version = field(browser.get(f"{address}/preview").text.partition('id="known"')[2], "version")
    return browser.send(f"{address}/known", {"version": version, **{f"known.{one}": "yes" for one in references}})


def released(browser: Browser, hands: Hands, address: str) -> Any:
    page = browser.get(f"{address}/preview").text
    asked = browser.send(f"{address}/preview", {"preview": field(page, "preview"), "reason": REASON})
    return browser.post(f"{address}/release", signed(asked.text, hands.key("liaison")))


def test_an_alert_of_ones_own_is_named_in_a_form_and_not_by_an_option(gb: Office, hands: Hands) -> None:
    first = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    browser, address = entered(gb, "liaison", hands), drafted(gb)
    page = browser.get(f"{address}/preview").text
    assert f'name="known.{first[:12]}"' in page
    assert f'href="/sent/{first}"' in page
    assert "This country has alerted of this person already." in texts(page)
    assert "say below that you know of it" in page
    assert "--despite" not in page
    checked = browser.get(f"{address}/check").text
    assert "--despite" not in checked
    assert f'href="{address}/preview#known"' in checked
    refused = released(browser, hands, address)
    assert (refused.status_code, "SUBJECT_ALREADY_ALERTED" in refused.text, "--despite" in refused.text) == (422, True, False)
    # Said so, it goes, and that they knew is in the journal; taken back, it does not.
    assert known(browser, address, first[:12]).headers["location"] == f"{address}/preview?known"
    page = browser.get(f"{address}/preview").text
    assert "SUBJECT_ALREADY_ALERTED" not in page
    assert f'name="known.{first[:12]}" type="checkbox" value="yes" checked' in page
    assert known(browser, address).status_code == 303
    assert released(browser, hands, address).status_code == 422
    known(browser, address, first[:12])
    assert released(browser, hands, address).status_code == 303
    assert "DESPITE_DUPLICATE" in {code for _, _, _, code in gb.journal()}


def test_an_alert_that_came_from_abroad_is_linked_where_this_agency_reads_it(two: Federation) -> None:
    kh = two["kh"]
    first = two["gb"].publish(draft(agency("kh", POLICE))).manifest_digest.hex()
    two.pump()
    document: Any = {**DOCUMENT, "recipients": [GB_BORDER]}
    for name, linked in (("liaison", True), ("both", False)):
        held = draft_box.create(kh.ports, kh.person(name), DraftContent(document=document, reason=REASON))
        page = Browser(kh).enter(name).get(f"/drafts/{held.id.hex()}/preview").text
        # To whom it was not told learns no more than whom to ask.
        assert (f'href="/inbox/{first}"' in page) == linked
        assert (f'name="known.{first[:12]}"' in page) == linked
        assert (f'name="known.{agency("kh", POLICE)}"' in page) != linked


def test_only_its_author_says_so_and_nothing_but_references(gb: Office, hands: Hands) -> None:
    first = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    address = drafted(gb)
    browser = entered(gb, "liaison", hands)
    version = field(browser.get(f"{address}/preview").text, "version")
    other = Browser(gb).enter("second")
    assert 'id="known"' not in other.get(f"{address}/preview").text
    assert other.send(f"{address}/known", {"version": version, f"known.{first[:12]}": "yes"}).status_code == 403
    assert list(ticked({f"known.{first[:12]}": "yes", "known.<b>": "yes", "known.": "yes", "known.abcd": "yes", "other": "yes"})) == [
        first[:12]
    ]
    assert list(ticked({f"known.{first[:12]}": "no", f"known.{KH_BORDER}": "yes"})) == [KH_BORDER]
    browser.send(f"{address}/known", {"version": version, f"known.{first[:12]}": "yes"})
    assert browser.send(f"{address}/known", {"version": version}).status_code == 409, "it was seen in an older state"


def test_every_way_in_which_the_node_names_the_option_is_told_as_the_form() -> None:
    for remedy, told in (
        ("read it, then name it: --despite-duplicate abc; or link this", "read it, then say below that you know of it; or link this"),
        ("ask a, b; then --despite-duplicate a", "ask a, b, then say below that you know of it"),
        (
            "find out which holds: read it, then name it: --despite-duplicate abc; or",
            "find out which holds: read it, then say below that you know of it; or",
        ),
        ("write it otherwise", "write it otherwise"),
    ):
        assert in_console(Problem(remedy=remedy)).remedy == told
