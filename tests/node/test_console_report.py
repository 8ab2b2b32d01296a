"""The report in full, by the schema's fields; and the question to whoever sent the alert, which begins as a draft."""

import re
from collections.abc import Iterator

import pytest

from exchange.v1.hit_report_pb2 import HitOutcome, HitReport
from node.console import report_full
from node.console.languages import load_languages
from node.console.report_full import PLACES, groups
from node.operations.outbox import get_status
from tests.console_site import Browser, Shown
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.recalls import recalled
from tests.rig import Office, draft

WHOLE = {
    "outcome": "REFUSED_ENTRY",
    "identity_basis-DOCUMENT": "yes",
    "place": "kti",
    "happened": "2026-05-30T15:40",
    "document_shown-type": "PASSPORT",
    "document_shown-number": "x1234567",
    "document_shown-issuer": "uto",
    "onward_route-service_number": "xx123",
    "onward_route-arrival_port": "bkk",
    "onward_route-departure": "2026-05-31T09:10",
    "companions-adults": "1",
    "companions-minors": "0",
    "actions-action": "Put on the\r\nnext flight.",
    "actions-legal_basis": "Example Act, s. 1",
    "child-child_present": "no",
    "remarks": "Nothing besides.",
}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def kh(two: Federation) -> Office:
    return two["kh"]


@pytest.fixture
def reference(two: Federation) -> str:
    digest = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE))).manifest_digest.hex()
    two.pump()
    return digest


def test_a_report_in_full_reaches_the_originator_once(two: Federation, kh: Office, reference: str) -> None:
    before = {one.manifest_digest for one in two["gb"].received("liaison")}
    browser = Browser(kh).enter("border")
    assert 'value="full" name="action"' in browser.get(f"/inbox/{reference}/report").text
    for _ in range(2):  # as when a person presses twice
        sent = browser.send(f"/inbox/{reference}/report/full", WHOLE)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/inbox/{reference}?reported")
    two.pump()
    (row,) = [one for one in two["gb"].received("liaison") if one.manifest_digest not in before]
    texts = "\n".join(text for _, text in Shown(Browser(two["gb"]).enter("liaison").get(f"/inbox/{row.manifest_digest.hex()}").text).texts)
    for said in (
        "refused entry",
        "X1234567",
        "XX123",
        "Put on the next flight.",
        "Example Act, s. 1",
        "Nothing besides.",
        "15:40",
        "09:10",
    ):
        assert said in texts, said


def reports(two: Federation, reference: str) -> int:
    """How many the sender has."""
    two.pump()
    told = get_status(two["gb"].ports, two["gb"].person("liaison"), reference)
    return len({report for one in told.disclosures for report in one.reports})


def test_an_agency_sees_what_it_reported_and_is_asked_before_it_says_otherwise(two: Federation, kh: Office, reference: str) -> None:
    border, chief = Browser(kh).enter("border"), Browser(kh).enter("both")
    first = {"outcome": "NO_MATCH", "place": "KTI", "remarks": "Nobody of that name."}
    assert border.send(f"/inbox/{reference}/report", first).status_code == 303
    for path in ("", "/report", "/report/full"):
        texts = "\n".join(text for _, text in Shown(border.get(f"/inbox/{reference}{path}").text).texts)
        assert re.search("no match\n.*Nobody of that name.", texts, re.DOTALL), path
        assert "is meant to be sent" not in texts
    assert re.search('href="/sent/[0-9a-f]{64}"', chief.get(f"/inbox/{reference}").text)
    assert 'href="/sent/' not in border.get(f"/inbox/{reference}").text
    assert "no match" not in Browser(kh).enter("police").get(f"/inbox/{reference}").text
    second = {**WHOLE, "outcome": "ADMITTED"}
    for path, form in (("report", {"outcome": "ADMITTED"}), ("report/full", second)):
        page = chief.send(f"/inbox/{reference}/{path}", form)
        assert (page.status_code, 'href="#anyway"' in page.text, 'name="anyway"' in page.text) == (422, True, True)
        assert "has reported on this alert before" in page.text
    assert reports(two, reference) == 1
    for _ in range(2):
        assert chief.send(f"/inbox/{reference}/report/full", {**second, "anyway": "yes"}).status_code == 303
    assert reports(two, reference) == 2
    # What was said first is said again after a correction, and is no repetition of it.
    assert border.send(f"/inbox/{reference}/report", first).status_code == 422
    assert border.send(f"/inbox/{reference}/report", {**first, "anyway": "yes"}).status_code == 303
    assert reports(two, reference) == 3


def test_who_reports_on_what_was_withdrawn_is_told_so_first(two: Federation, kh: Office, reference: str) -> None:
    recalled(two["gb"], bytes.fromhex(reference))
    two.pump()
    browser = Browser(kh).enter("border")
    for path in ("report", "report/full"):
        assert "This alert was withdrawn: nobody acts on it any more." in browser.get(f"/inbox/{reference}/{path}").text
        page = browser.send(f"/inbox/{reference}/{path}", {"outcome": "ADMITTED"})
        assert (page.status_code, "If it must be reported on all the same" in page.text) == (422, True)
    assert reports(two, reference) == 0
    assert browser.send(f"/inbox/{reference}/report", {"outcome": "ADMITTED", "anyway": "yes"}).status_code == 303
    assert reports(two, reference) == 1


def test_what_is_wrong_is_linked_to_its_part_and_what_was_typed_stays(kh: Office, reference: str) -> None:
    form = {**WHOLE, "outcome": "", "place": "nowhere", "companions-adults": "many", "document_shown-issuer": "<b>"}
    page = Browser(kh).enter("border").send(f"/inbox/{reference}/report/full", form)
    assert page.status_code == 422
    for part in ("outcome", "place", "companions-adults", "document_shown-issuer"):
        assert f'href="#{part}"' in page.text, part
        assert f'id="{part}"' in page.text, part
    assert "&lt;b&gt;" in page.text
    assert 'value="many"' in page.text
    assert "Put on the" in page.text
    assert len(page.content) < 60_000


def summary(kh: Office, reference: str, **form: str) -> list[tuple[str, str]]:
    """(part of the form, words) of all that is wrong with a report in full."""
    page = Browser(kh).enter("border").send(f"/inbox/{reference}/report/full", {"outcome": "ADMITTED", **form})
    assert page.status_code == 422
    return re.findall(r'href="#([a-z_-]+)">([^<]*)</a>', page.text.partition("There is a problem")[2].partition("</ul>")[0])


def test_each_mistake_of_a_report_is_said_once_beside_its_field_and_by_its_name(kh: Office, reference: str) -> None:
    whole = {name: value for name, value in WHOLE.items() if name != "outcome"}
    ((place, said),) = summary(kh, reference, **{**whole, "place": "nowhere"})
    assert (place, said.partition(":")[0]) == ("place", "Place")
    ((place, said),) = summary(kh, reference, happened="tomorrow")
    assert place == "happened"
    assert "not a date or time that we can read" in said
    several = summary(kh, reference, **{"companions-adults": "9999999", "actions-legal_basis": "x" * 400, "onward_route-arrival_port": "z"})
    assert [place for place, _ in several] == ["onward_route-arrival_port", "companions-adults", "actions-legal_basis"]
    for words, (_, said) in zip(("code of a port", "larger or smaller", "too long"), several, strict=True):
        assert words in said


def test_what_stands_in_the_short_form_goes_along_into_the_full_one(kh: Office, reference: str) -> None:
    form = {"outcome": "REFUSED_ENTRY", "place": "kti", "remarks": "kept words", "action": "full"}
    page = Browser(kh).enter("border").send(f"/inbox/{reference}/report", form)
    assert page.status_code == 200
    assert f'action="/inbox/{reference}/report/full"' in page.text
    assert re.search(r'<option value="REFUSED_ENTRY" selected', page.text)
    assert 'value="kti"' in page.text
    assert ">kept words</textarea>" in page.text


def test_the_form_has_every_outcome_and_the_fields_of_the_schema() -> None:
    shown = list(groups({}, load_languages()["en"]))
    named = {field.name.partition("-")[0] for group in shown for field in group.fields}
    later = {"manifest_digest", "desk", "removal_itinerary"}
    assert named == {field.name for field in HitReport.DESCRIPTOR.fields} - later
    outcome = next(field for group in shown for field in group.fields if field.name == "outcome")
    assert len(outcome.options) == len(HitOutcome.values()) - 1
    names = [field.name for group in shown for field in group.fields]
    assert set(PLACES.values()) <= set(names)
    assert report_full.__doc__


def test_a_question_to_the_sender_begins_as_a_draft_to_it(kh: Office, reference: str) -> None:
    page = Browser(kh).enter("border").get(f"/inbox/{reference}").text
    assert "Ask the sender a question" not in page
    assert "A question to the sender goes through a liaison officer of your agency." in page
    browser = Browser(kh).enter("liaison")
    assert f'action="/inbox/{reference}/ask"' in browser.get(f"/inbox/{reference}").text
    begun = browser.send(f"/inbox/{reference}/ask", {})
    assert begun.status_code == 303
    page = browser.get(begun.headers["location"])
    assert page.status_code == 200
    assert "Information request" in page.text
