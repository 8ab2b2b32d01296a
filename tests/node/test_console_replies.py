"""What a desk says back by short forms: that a person read an alert, and that what was withdrawn is purged."""

import re
from collections.abc import Iterator

import pytest

from exchange.v1.control_pb2 import PurgeException
from node.console.reply_pages import EXCEPTIONS, local_time
from node.console.words import enum_values
from node.operations.outbox import get_status
from tests.asking import READ, asking_agreement
from tests.console_site import CHANNEL, Browser, site_of
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.recalls import recalled, shown
from tests.rig import Office, draft

HOUR = 3_600_000


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh", asking_agreement())
        yield made


@pytest.fixture(scope="module")
def kh(two: Federation) -> Office:
    return two["kh"]


def told(two: Federation) -> str:
    digest = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE))).manifest_digest.hex()
    two.pump()
    return digest


def test_the_sender_learns_once_that_a_person_read_it_and_by_when_they_decide(two: Federation, kh: Office) -> None:
    reference = told(two)
    browser = Browser(kh).enter("border")
    browser.get(f"/inbox/{reference}")
    for _ in range(2):  # as when a person presses twice
        sent = browser.send(f"/inbox/{reference}/acknowledge", {"decide_by": "2027-05-16 18:00"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/inbox/{reference}?acknowledged")
    assert "The sender learns that you read it." in browser.get(f"/inbox/{reference}?acknowledged").text
    two.pump()
    (said,) = [one for one in two["gb"].received("liaison") if one.alert_type == READ]
    page = Browser(two["gb"]).enter("liaison").get(f"/inbox/{said.manifest_digest.hex()}").text
    assert CHANNEL in page


def test_what_is_wrong_with_the_time_is_said_beside_it(two: Federation, kh: Office) -> None:
    reference = told(two)
    browser = Browser(kh).enter("border")
    unread = browser.send(f"/inbox/{reference}/acknowledge", {})
    assert (unread.status_code, "Nobody of your agency has opened this alert yet" in unread.text) == (422, True)
    browser.get(f"/inbox/{reference}")
    for written, said in (("soon", "Write the day and the time like this"), ("2001-01-01 10:00", "That time has passed.")):
        page = browser.send(f"/inbox/{reference}/acknowledge", {"decide_by": written})
        assert page.status_code == 422
        assert said in page.text
        assert 'href="#decide_by"' in page.text
        assert f'value="{written}"' in page.text
    nowhere = Browser(kh, site_of(kh, desks={})).enter("border").send(f"/inbox/{reference}/acknowledge", {"decide_by": "<b>"})
    assert "how your agency is reached" in nowhere.text
    assert "&lt;b&gt;" in nowhere.text


def test_a_time_is_read_by_the_clock_here() -> None:
    assert local_time("", "Asia/Phnom_Penh") == 0
    assert local_time("1970-01-01 08:00", "Asia/Phnom_Penh") == HOUR
    assert local_time("1970-01-01T08:00+07:00", "Europe/London") == HOUR
    assert local_time("31-12", "UTC") is None


def test_a_purge_is_attested_on_the_page_and_the_sender_has_it(two: Federation, kh: Office) -> None:
    reference = told(two)
    recalled(two["gb"], bytes.fromhex(reference))
    two.pump()
    browser = Browser(kh).enter("border")
    assert f'href="/inbox/{reference}/attest"' in browser.get(f"/inbox/{reference}").text
    assert f'href="/inbox/{reference}/attest"' in browser.get("/work").text
    form = browser.get(f"/inbox/{reference}/attest").text
    assert all(f'name="{name}"' in form for name in EXCEPTIONS)
    wrong = browser.send(f"/inbox/{reference}/attest", {"copies": "a few"})
    assert (wrong.status_code, 'href="#copies"' in wrong.text) == (422, True)
    undone = browser.send(f"/inbox/{reference}/attest", {"copies": "2"})
    assert (undone.status_code, "Say that no local list holds it any more" in undone.text) == (422, True)
    done = browser.send(f"/inbox/{reference}/attest", {"copies": "2", "lists_updated": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, f"/inbox/{reference}?attested")
    assert "Your agency has attested the purge." in browser.get(f"/inbox/{reference}?attested").text
    assert f'href="/inbox/{reference}/attest"' not in browser.get("/work").text


def test_a_withdrawal_leads_to_its_alert_and_both_pages_say_the_same_of_it(two: Federation, kh: Office) -> None:
    reference = told(two)
    browser = Browser(kh).enter("border")
    assert "Still valid" in browser.get(f"/inbox/{reference}").text
    recalled(two["gb"], bytes.fromhex(reference))
    two.pump()
    (control,) = shown(kh, bytes.fromhex(reference)).recalls
    item = browser.get(f"/inbox/{control.control_digest.hex()}").text
    assert item.count(f'href="/inbox/{reference}"') == 2
    assert f'href="/inbox/{reference}/attest"' in item
    assert "handled as the alert that it is about" in item
    for unfit in ("Report back", "Say that you read it", "Ask leave to pass on", "Still valid", "no purpose", "UTC", "Answered"):
        assert unfit not in item, unfit
    page = browser.get(f"/inbox/{reference}").text
    (until,) = set(re.findall(r"Attest by</dt>\s*<dd[^>]*>(?:<p[^>]*><bdi>)?([^<]+)<", item + page))
    assert "(Asia/Phnom_Penh)" in until
    assert "Still valid" not in page
    assert "then attest the purge" in page
    assert "goes through a liaison officer of your agency" in page
    assert f'action="/inbox/{reference}/ask"' in Browser(kh).enter("both").get(f"/inbox/{reference}").text


def row(browser: Browser, reference: str) -> str:
    """What the inbox says of one alert."""
    page: str = browser.get("/inbox").text
    return page.partition(f'href="/inbox/{reference}"')[2].partition("</li>")[0]


def test_what_is_attested_waits_for_nothing_any_more(two: Federation, kh: Office) -> None:
    reference = told(two)
    browser = Browser(kh).enter("police")
    assert "Not answered" in row(browser, reference)
    recalled(two["gb"], bytes.fromhex(reference))
    two.pump()
    (control,) = shown(kh, bytes.fromhex(reference), "police").recalls
    assert "Not answered" not in row(browser, reference) + row(browser, control.control_digest.hex())
    browser.send(f"/inbox/{reference}/attest", {"copies": "2", "lists_updated": "yes"})
    page = browser.get(f"/inbox/{reference}").text
    assert "Your agency has said that it is purged here." in page
    assert "attest the purge" not in page
    assert f"/inbox/{reference}/attest" not in browser.get(f"/inbox/{control.control_digest.hex()}").text


def test_a_report_is_read_and_not_reported_on(two: Federation, kh: Office) -> None:
    reference = told(two)
    Browser(kh).enter("border").send(f"/inbox/{reference}/report", {"outcome": "ADMITTED"})
    two.pump()
    status = get_status(two["gb"].ports, two["gb"].person("liaison"), reference)
    (report,) = [digest.hex() for one in status.disclosures for digest in one.reports]
    browser = Browser(two["gb"]).enter("liaison")
    assert "Not answered" not in row(browser, report)
    page = browser.get(f"/inbox/{report}").text
    assert f'href="/sent/{reference}"' in page
    assert "Report back" not in page
    assert "Ask the sender a question" in page


def test_a_ground_to_keep_something_is_sent(two: Federation, kh: Office) -> None:
    reference = told(two)
    recalled(two["gb"], bytes.fromhex(reference))
    two.pump()
    browser = Browser(kh).enter("police")
    done = browser.send(f"/inbox/{reference}/attest", {"copies": "0", "PURGE_EXCEPTION_LEGAL_HOLD": "yes"})
    assert done.status_code == 303
    two.pump()
    status = get_status(two["gb"].ports, two["gb"].person("liaison"), reference)
    assert [list(one.exceptions) for one in status.attestations if one.agency == agency("kh", POLICE)] == [["LEGAL_HOLD"]]


def test_the_grounds_are_of_the_schema_and_have_words() -> None:
    assert set(EXCEPTIONS) == {name for name, number in PurgeException.items() if number}
    assert set(EXCEPTIONS) <= enum_values().keys()


def test_each_sheet_of_print_bears_the_handling_and_says_of_when_it_is(two: Federation, kh: Office) -> None:
    page = Browser(kh).enter("border").get(f"/inbox/{told(two)}").text
    box = page.partition('class="app-handling"')[2].partition("</section>")[0]
    (digest,) = set(re.findall(r'app-code">(\w+)<', box))
    assert digest in page.partition("<h1")[2]
    assert re.search(r"As it stood \d+ \w+ \d{4}, \d\d:\d\d \(Asia/Phnom_Penh\)", box)
