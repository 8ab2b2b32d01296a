"""Composing an alert in the console: a task list, saved at every step, right or wrong, in the words of whoever types."""

import re
from collections.abc import Iterator

import pytest

from node.console.compose_pages import TYPES
from node.operations import draft_box
from tests.console_site import CHANNEL, Browser, Shown, field
from tests.countries import BORDER, agency
from tests.drafts import MRZ, Writer
from tests.federation import Federation, federation
from tests.rig import Office

pytestmark = pytest.mark.thorough

KHMER = "សុខ វិចិត្រ"
HOSTILE = '<script>alert(1)</script>"\u202eEXAMPLE {{ 7*7 }}'


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def gb(two: Federation) -> Office:
    return two["gb"]


@pytest.fixture
def writer(gb: Office) -> Writer:
    return Writer(gb)


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def status(page: str, title: str) -> str:
    """What the task list says behind a step."""
    said = texts(page)
    return next(text for text in said[said.index(title) + 1 :] if text in {"Done", "To do", "Has problems", "If known", "No problems"})


def test_a_draft_begins_with_its_type_and_the_desk_of_its_agency(gb: Office) -> None:
    browser = Browser(gb).enter("liaison")
    assert all(f'value="{name}"' in browser.get("/drafts/new").text for name in TYPES)
    for wrong in ("", "exchange.v1.HitReport", "exchange.v1.Withdrawal", HOSTILE):
        refused = browser.send("/drafts/new", {"type": wrong})
        assert (refused.status_code, 'href="#type"' in refused.text) == (422, True)
    writer = Writer(gb)
    assert re.fullmatch(r"[0-9a-f]{32}", writer.draft)
    assert writer.held().document["language"] == "en"
    assert writer.alert() == {"contact_desk": {"unit": "Example desk", "channel": CHANNEL}}
    page = writer.page()
    assert (status(page, "Documents"), status(page, "Recipients, handling and reason")) == ("If known", "To do")


def test_what_is_typed_is_saved_right_or_wrong(writer: Writer) -> None:
    answer = writer.save("person", {"birth.date": "04/05/1961", "birth.place": "Northampton", "appearance.height_cm": "tall"})
    assert answer.status_code == 422
    assert "<title>Error: Birth and description" in answer.text
    assert 'href="#f-birth-date"' in answer.text
    assert 'href="#f-appearance-height_cm"' in answer.text
    for anchor in ("f-birth-date", "f-appearance-height_cm"):
        assert f'id="{anchor}"' in answer.text
    assert writer.alert()["birth"] == {"date": "04/05/1961", "place": "Northampton"}
    assert status(writer.page(), "Birth and description") == "Has problems"
    # The page that came back goes on from what was saved.
    form = {"f.birth.date": "4 May 1961", "f.appearance.height_cm": "", "version": field(answer.text, "version"), "action": "save"}
    good = writer.browser.send(f"/drafts/{writer.draft}/step/person", form)
    assert (good.status_code, good.headers["location"]) == (303, f"/drafts/{writer.draft}?saved")
    assert writer.alert()["birth"] == {"date": "1961-05-04", "place": "Northampton"}
    assert "appearance" not in writer.alert()
    assert status(writer.page(), "Birth and description") == "Done"


def test_what_another_page_holds_stays(writer: Writer) -> None:
    writer.save("names", {"primary_name.as_written": "EXAMPLE, Nobody"})
    writer.save("send", {"purpose": "PREVENTION", "reason": "synthetic"})
    writer.save("why", {"risk_level.band": "HIGH"})
    assert writer.alert()["primary_name"] == {"as_written": "EXAMPLE, Nobody"}
    assert (writer.held().document["purpose"], writer.held().reason) == ("PREVENTION", "synthetic")


def test_lines_of_a_document_are_checked_before_they_are_taken_over(writer: Writer) -> None:
    wrong = writer.save("documents", {"mrz": MRZ[:-1] + "7"}, "mrz")
    assert (wrong.status_code, 'href="#mrz"' in wrong.text, 'aria-describedby="mrz-hint mrz-wrong-is"' in wrong.text) == (422, True, True)
    assert "These lines cannot be right as they stand." in wrong.text
    assert "Line 2, position 44: The last check digit does not agree with the rest." in " ".join(texts(wrong.text))
    assert "positions 44 to 44" not in wrong.text
    refused = writer.save("documents", {"mrz": MRZ[:-1] + "7"}, "mrz-take")
    assert "These lines cannot be right as they stand." in refused.text
    assert "documents" not in writer.alert()
    pasted = MRZ.replace("<<<<<<<<<<<<<<<6", " «<<<<<<<<<<<<<6").lower()
    right = writer.save("documents", {"mrz": pasted}, "mrz")
    said = texts(right.text)
    assert {"All check digits hold. The lines say:", "SPECIMEN, ALAN MARTIN", "999000001", "12 April 1961", "male"} <= set(said)
    assert "documents" not in writer.alert()
    for _ in range(2):  # as when a person presses twice
        taken_over = writer.save("documents", {"mrz": pasted}, "mrz-take")
        assert (taken_over.status_code, taken_over.headers["location"]) == (303, f"/drafts/{writer.draft}/step/documents?taken")
    assert "The document was taken over." in writer.browser.get(taken_over.headers["location"]).text
    assert writer.alert()["documents"] == [{"mrz": MRZ.split("\n")}]
    # What was taken over is seen, and not folded away as if there were nothing.
    taken = writer.page("documents")
    assert '<details class="govuk-details" id="f-documents-more">' not in taken
    assert "999000001" in " ".join(texts(taken))
    alert = writer.read()
    assert (alert.primary_name.family, alert.birth.date, alert.documents[0].number) == ("SPECIMEN", "1961-04-12", "999000001")
    # What the document says needs no typing, and says where it comes from.
    page = writer.page("names")
    assert "Known already, as from a document or a port:" in page
    assert "SPECIMEN ALAN MARTIN" in page


def test_lines_that_were_pasted_and_not_read_are_not_thrown_away(writer: Writer) -> None:
    empty = writer.save("documents", {"mrz": " "}, "mrz")
    assert (empty.status_code, "There are no lines to read yet." in empty.text) == (422, True)
    shown = writer.save("documents", {"mrz": MRZ})
    assert shown.status_code == 422
    assert {"All check digits hold. The lines say:", "SPECIMEN, ALAN MARTIN"} <= set(texts(shown.text))
    assert "not taken over yet" in shown.text
    assert MRZ.split("\n")[1][:27] in shown.text
    wrong = writer.save("documents", {"mrz": MRZ[:-1] + "7"})
    assert (wrong.status_code, "These lines cannot be right as they stand." in wrong.text) == (422, True)
    assert "documents" not in writer.alert()
    writer.save("documents", {"mrz": MRZ}, "mrz-take")
    assert writer.save("documents", {"mrz": MRZ}).headers["location"].endswith("?saved")
    assert writer.save("documents", {"mrz": "\n"}).headers["location"].endswith("?saved")


def test_blanks_stand_for_fillers_where_all_check_digits_hold(writer: Writer) -> None:
    first, second = MRZ.split("\n")
    copied = f"{first.replace('<', ' ').rstrip()}\n{second.replace('<', ' ')}"
    assert "SPECIMEN, ALAN MARTIN" in texts(writer.save("documents", {"mrz": copied}, "mrz").text)
    writer.save("documents", {"mrz": copied}, "mrz-take")
    assert writer.alert()["documents"] == [{"mrz": MRZ.split("\n")}]
    short = " ".join(texts(writer.save("documents", {"mrz": copied[:-1]}, "mrz").text))
    assert "Line 1, characters: 22. A passport has two lines of 44 characters" in short


def test_what_is_wrong_with_lines_is_told_in_the_language_of_whoever_pasted_them(writer: Writer) -> None:
    khmer = {"cookie": f"__Host-language=km; __Host-session={writer.browser.client.cookies.get('__Host-session')}"}
    path = f"/drafts/{writer.draft}/step/documents"
    form = {"mrz": MRZ.replace("9990", "999O"), "version": field(writer.page("documents"), "version"), "action": "mrz"}
    page = writer.browser.post(path, {**form, "token": writer.browser.token()}, **khmer).text
    section = page.partition('id="mrz-wrong"')[2].partition("</section>")[0]
    assert "O ជំនួស 0" in section or "លេខឯកសារ" in section
    assert 'lang="en"' not in section


def test_names_stand_beside_their_romanisation(writer: Writer) -> None:
    assert writer.save("names", {}, "add:names").headers["location"].endswith("/step/names?more=names#f-names")
    more = writer.browser.get(f"/drafts/{writer.draft}/step/names?more=names").text
    assert 'name="f.names[0].as_written"' in more
    writer.save("names", {"names[0].as_written": KHMER, "names[0].kind": "ALIAS", "names[1].as_written": "Teacher Al"})
    said = texts(writer.page("names"))
    assert said[said.index(KHMER) - 1 : said.index(KHMER) + 2] == ["Khmer", KHMER, "Add: Sokh Vechetr"]
    writer.save("names", {"names[0].as_written": KHMER, "names[0].kind": "ALIAS", "names[1].as_written": "Teacher Al"}, "romanise:names[0]")
    assert [name.as_written for name in writer.read().names] == [KHMER, "Sokh Vechetr", "Teacher Al"]
    assert writer.alert()["names"][1]["kind"] == "ROMANISATION"
    said = texts(writer.page("names"))
    assert said[said.index(KHMER) + 1] == "Sokh Vechetr"
    writer.save("names", {f"names[{place}].as_written": name for place, name in enumerate((KHMER, "Sok", "Al"))}, "remove:names[1]")
    assert [name.as_written for name in writer.read().names] == [KHMER, "Al"]


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("about 1970", "1970~", "1970, approximate"),
        ("03/1985", "1985-03", "March 1985"),
        ("12 April 1961", "1961-04-12", "12 April 1961"),
        ("1970s", "197X", "between 1970 and 1979"),
        ("ca. 1970?", "1970%", "1970, uncertain and approximate"),
    ],
)
def test_dates_are_taken_as_people_know_them_and_shown_in_words(writer: Writer, typed: str, kept: str, shown: str) -> None:
    writer.save("person", {"birth.date": typed})
    assert writer.alert()["birth"]["date"] == kept
    assert shown in texts(writer.page("person"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12/03/1970", "This can mean two days. Write the month in words, or the year first."),
        ("31/02/1970", "That month has no such day."),
        ("just before the war", "This is not a date that we can read. Write what is known of it, for example 1961, 03/1985 or about 1970."),
    ],
)
def test_an_english_officer_is_told_in_plain_words(writer: Writer, typed: str, said: str) -> None:
    answer = writer.save("person", {"birth.date": typed, "birth.country": "England"})
    checked = writer.browser.get(f"/drafts/{writer.draft}/check").text
    for page in (texts(answer.text), texts(checked)):
        assert any(said in text for text in page)
        assert any("This is no country that we know." in text for text in page)
        assert not any("YYYY" in text or "ISO 3166" in text or "EDTF" in text for text in page)
    preview = " ".join(texts(writer.browser.get(f"/drafts/{writer.draft}/preview").text))
    assert "Birth: Date" in preview
    assert said in preview
    assert "EDTF" not in preview
    assert "birth.date" not in preview


def test_an_age_and_a_span_are_read(writer: Writer) -> None:
    for typed, kept in (("between 1968 and 1972", "1970~"), ("aged 56", f"{writer.office.ports.clock.now().year - 56}~")):
        assert writer.save("person", {"birth.date": typed}).status_code == 303
        assert writer.alert()["birth"]["date"] == kept
        assert "approximate" in " ".join(texts(writer.page("person")))


def test_ports_are_looked_up_and_times_know_their_zone(writer: Writer) -> None:
    leg = {
        "itinerary[0].departure_port.code": "Heathrow",
        "itinerary[0].departure.local": "4 March 2027 21:30",
        "itinerary[0].arrival_port.code": "bangkok",
        "itinerary[0].arrival.local": "2027-03-05 16:05",
    }
    answer = writer.save("journey", leg)
    assert answer.status_code == 422
    said = " ".join(texts(answer.text))
    assert "Itinerary 1: Arrival port: This is not the code of a port." in said
    assert "time has no zone" not in said
    page = writer.page("journey")
    assert 'value="set:itinerary[0].arrival_port.code=BKK"' in page
    assert 'value="set:itinerary[0].arrival_port.code=DMK"' in page
    assert "4 March 2027, 21:30 (Europe/London)" in texts(page)
    writer.save("journey", leg, "set:itinerary[0].arrival_port.code=BKK")
    (read,) = writer.read().itinerary
    assert (read.departure_port.code, read.arrival_port.code, read.arrival.zone) == ("LHR", "BKK", "Asia/Bangkok")
    assert "5 March 2027, 16:05 (Asia/Bangkok)" in texts(writer.page("journey"))


def test_countries_are_known_by_name_and_code(writer: Writer) -> None:
    writer.save("person", {"birth.country": "cambodia", "nationalities[0].country": "gb", "nationalities[1].country": "Atlantis"})
    assert writer.alert()["birth"] == {"country": "KHM"}
    assert [one["country"] for one in writer.alert()["nationalities"]] == ["GBR", "Atlantis"]
    assert 'href="#f-nationalities-1-country"' in writer.save("person", {}).text


def test_each_field_is_graded_as_a_fact_or_an_assessment(writer: Writer) -> None:
    writer.save("why", {"risk_level.band": "HIGH", "risk_narrative": "Synthetic."})
    page = writer.page("sources")
    assert "A judgement without a grade: say how sure it is." in page
    assert "B – reliable in most cases" in page
    assert "2 – known to the source itself, not to the officer who passes it on" in page
    # A field may be graded as the whole is; that it is a judgement, no grade of the whole changes.
    own = page.partition('id="f-grading-risk_level-source"')[2]
    assert '<option value="" selected>as the whole alert</option>' in own.partition("</select>")[0]
    certainty = page.partition('id="f-grading-risk_level-certainty"')[2].partition("</select>")[0]
    assert '<option value="" selected>–</option>' in certainty
    grades = {f"grading:{of}.{name}": value for of in ("", "risk_level") for name, value in (("source", "A"), ("certainty", "ASSESSMENT"))}
    writer.save("sources", grades)
    assert [(one.field, one.certainty) for one in writer.read().grading] == [("", 2), ("risk_level", 2)]
    assert "An assessment without a grading" not in writer.page("sources")
    writer.save("sources", dict.fromkeys(grades, ""))
    assert "grading" not in writer.alert()


def test_recipients_handling_and_reason(writer: Writer) -> None:
    recipient = agency("kh", BORDER)
    page = writer.page("send")
    assert f'name="f.recipients={recipient}"' in page
    form = {f"recipients={recipient}": "1", "purpose": "PREVENTION", "not_after": "30", "reason": " Because. ", "language": "en"}
    form |= {"handling.codes=H1": "1", "handling.codes=H2": "1", "handling.permitted_purposes=PREVENTION": "1", "handling.onward": "ASK"}
    form |= {"leave_out=contact_desk": "1", "on_request[0].recipient": recipient, "on_request[0].field": "national_reference"}
    writer.save("send", {**form, "on_request[0].ground": "RISK_TO_CHILD"})
    document = writer.held().document
    assert (document["recipients"], document["not_after"], document["leave_out"]) == ([recipient], "P30D", ["contact_desk"])
    assert document["handling"] == {"codes": ["H1", "H2"], "permitted_purposes": ["PREVENTION"], "onward": "ASK"}
    assert document["on_request"] == [{"recipient": recipient, "field": "national_reference", "ground": "RISK_TO_CHILD"}]
    assert writer.held().reason == "Because."
    read = draft_box.read_draft(writer.office.ports, writer.office.person("liaison"), bytes.fromhex(writer.draft))
    assert list(read.draft.handling.codes) == [2, 3]
    assert [grant.recipient for grant in read.draft.on_request] == [recipient]
    writer.save("send", {**form, "on_request[0].ground": "RISK_TO_CHILD"}, "remove:on_request[0]")
    assert "on_request" not in writer.held().document


def test_the_check_page_lists_everything_and_leads_to_each_field(writer: Writer) -> None:
    writer.save("person", {"birth.date": "soon"})
    writer.save("journey", {"itinerary[0].departure_port.code": "?"})
    page = writer.browser.get(f"/drafts/{writer.draft}/check").text
    here = f"/drafts/{writer.draft}/step"
    wanted = {
        f"{here}/person#f-birth-date",
        f"{here}/journey#f-itinerary-0-departure_port-code",
        f"{here}/action#f-requested_action",
        f"{here}/names#f-primary_name",
        f"{here}/send#f-purpose",
        f"{here}/send#f-reason",
        f"{here}/send#f-recipients",
    }
    links = set(re.findall(r'<li><a class="govuk-link" href="([^"]*)"', page))
    assert wanted <= links
    for link in links:
        path, _, anchor = link.partition("#")
        assert f'id="{anchor}"' in writer.browser.get(path).text, link
    counted = next(text for text in texts(writer.page()) if re.fullmatch(r"[0-9]+ problems", text))
    errors = page.partition("Look at this again")[0].count("<li><a")
    assert counted == f"{errors} problems"


def test_a_draft_without_problems_says_so(writer: Writer) -> None:
    writer.save("names", {"primary_name.as_written": "EXAMPLE, Thomas"})
    writer.save("journey", {"itinerary[0].departure_port.code": "LHR", "itinerary[0].arrival_port.code": "KTI"})
    writer.save("action", {"requested_action": "VERIFY_IDENTITY", "contact_desk.unit": "Example desk", "contact_desk.channel": CHANNEL})
    send = {f"recipients={agency('kh', BORDER)}": "1", "purpose": "PREVENTION", "not_after": "30", "reason": "Synthetic.", "language": "en"}
    assert writer.save("send", {**send, "handling.codes=H1": "1"}).status_code == 303
    checked = writer.browser.get(f"/drafts/{writer.draft}/check").text
    assert "Nothing is wrong with this draft." in checked
    for page in (checked, writer.page()):
        assert f'href="/drafts/{writer.draft}/preview"' in page
    assert writer.browser.get(f"/drafts/{writer.draft}/preview").status_code == 200
    assert status(writer.page(), "Check everything") == "No problems"
    published = writer.office.publish(
        draft_box.read_draft(writer.office.ports, writer.office.person("liaison"), bytes.fromhex(writer.draft)).draft
    )
    assert not published.problems


def test_two_windows_do_not_overwrite_each_other(writer: Writer) -> None:
    old = field(writer.page("names"), "version")
    writer.save("names", {"primary_name.as_written": "EXAMPLE, First"})
    form = {"f.primary_name.as_written": "EXAMPLE, Second", "action": "save", "version": old}
    late = writer.browser.send(f"/drafts/{writer.draft}/step/names", form)
    assert (late.status_code, "Nothing of yours is saved yet." in late.text) == (409, True)
    # What was typed stands in the form, beside what the other window saved.
    assert 'value="EXAMPLE, Second"' in late.text
    said = texts(late.text)
    assert said[said.index("EXAMPLE, First") + 1] == "EXAMPLE, Second"
    assert writer.alert()["primary_name"] == {"as_written": "EXAMPLE, First"}
    again = writer.browser.send(f"/drafts/{writer.draft}/step/names", {**form, "f.primary_name.as_written": "EXAMPLE, First"})
    assert again.status_code == 303
    assert writer.alert()["primary_name"] == {"as_written": "EXAMPLE, First"}
    for wrong in ("", "x", "-1", "9" * 5000):
        assert writer.browser.send(f"/drafts/{writer.draft}/step/names", {"version": wrong}).status_code == 400


def test_what_two_windows_typed_of_one_step_is_saved_by_the_next_press(writer: Writer) -> None:
    shown = writer.page("names")
    writer.save("names", {"primary_name.as_written": "EXAMPLE, First"})
    form = {"f.primary_name.as_written": "EXAMPLE, Second", "action": "save"}
    path = f"/drafts/{writer.draft}/step/names"
    late = writer.browser.send(path, {**form, "version": field(shown, "version"), "stand": field(shown, "stand")})
    assert late.status_code == 409
    known = {name: field(late.text, name) for name in ("version", "stand")}
    assert writer.browser.send(path, {**form, **known}).status_code == 303
    assert writer.alert()["primary_name"] == {"as_written": "EXAMPLE, Second"}


def test_two_windows_on_two_steps_do_not_collide(writer: Writer) -> None:
    names, send = writer.page("names"), writer.page("send")
    assert writer.save("person", {"birth.date": "1970"}).status_code == 303
    for step, page, typed in (("names", names, {"f.primary_name.as_written": "EXAMPLE, First"}), ("send", send, {"f.reason": "synthetic"})):
        form = {**typed, "version": field(page, "version"), "stand": field(page, "stand"), "action": "save"}
        assert writer.browser.send(f"/drafts/{writer.draft}/step/{step}", form).status_code in {303, 422}
    assert writer.alert()["primary_name"] == {"as_written": "EXAMPLE, First"}
    assert writer.alert()["birth"] == {"date": "1970"}
    assert writer.held().reason == "synthetic"


def test_a_colleague_reads_and_does_not_write(writer: Writer) -> None:
    writer.save("names", {"primary_name.as_written": "EXAMPLE, Thomas"})
    second = Browser(writer.office).enter("second")
    page = second.get(f"/drafts/{writer.draft}/step/names").text
    assert "EXAMPLE, Thomas" in page
    assert '<fieldset class="govuk-fieldset" disabled>' in page
    assert "Save and go on" not in page
    assert "Discard this draft" not in second.get(f"/drafts/{writer.draft}").text
    refused = second.send(f"/drafts/{writer.draft}/step/names", {"version": field(page, "version"), "f.primary_name.as_written": "x"})
    assert (refused.status_code, "NOT_THE_AUTHOR" in refused.text) == (403, True)
    assert second.send(f"/drafts/{writer.draft}/discard", {}).status_code == 403
    assert Browser(writer.office).enter("both").get(f"/drafts/{writer.draft}").status_code == 404


def test_what_is_discarded_is_gone(writer: Writer) -> None:
    assert "Discard it" in writer.browser.get(f"/drafts/{writer.draft}/discard").text
    gone = writer.browser.send(f"/drafts/{writer.draft}/discard", {})
    assert gone.headers["location"] == "/drafts?gone"
    assert "The draft was discarded." in writer.browser.get("/drafts?gone").text
    assert writer.draft not in writer.browser.get("/drafts").text
    assert writer.browser.get(f"/drafts/{writer.draft}").status_code == 404


def test_buttons_and_addresses_that_make_no_sense_change_nothing(writer: Writer) -> None:
    before = writer.held()
    for action in (
        "remove:names[7]",
        "remove:names",
        "remove:",
        "set:names[0].kind=ALIAS",
        "add:nowhere",
        "romanise:names[0]",
        HOSTILE,
        "mrz-take",
    ):
        assert writer.save("names", {}, action).status_code in {200, 303, 422}, action
    assert writer.held() == before
    for path in (
        f"/drafts/{writer.draft[:12]}",
        f"/drafts/{writer.draft.upper()}",
        f"/drafts/{'0' * 32}",
        f"/drafts/{writer.draft}/step/nowhere",
    ):
        assert writer.browser.get(path).status_code == 404, path


def test_what_is_typed_is_shown_as_text_and_stands_in_no_address(writer: Writer) -> None:
    answer = writer.save("names", {"primary_name.as_written": HOSTILE, "names[0].as_written": HOSTILE})
    for page in (answer.text, writer.page("names"), writer.browser.get(f"/drafts/{writer.draft}/check").text, writer.page()):
        assert "<script>alert" not in page
        assert "49" not in re.findall(r"<title>[^<]*</title>", page)[0]
        assert "EXAMPLE" not in re.findall(r"<title>([^<]*)</title>", page)[0]
        assert not re.search(r'(href|action)="[^"]*EXAMPLE', page)
    assert "\ufffdEXAMPLE" in writer.page("names")


def test_problems_are_told_in_the_language_of_whoever_types(writer: Writer) -> None:
    session = writer.browser.client.cookies.get("__Host-session")
    thai = {"cookie": f"__Host-language=th; __Host-session={session}"}
    writer.save("person", {"birth.date": "soon"})
    page = writer.browser.get(f"/drafts/{writer.draft}/check", **thai).text
    assert "ไม่ใช่วันที่ที่เราอ่านได้" in page
    assert ("en", "Not a date in EDTF") not in Shown(page).texts
    version = field(writer.browser.get(f"/drafts/{writer.draft}/step/person", **thai).text, "version")
    form = {
        "f.birth.date": "ประมาณ ๑๙๗๐",
        "f.birth.country": "กัมพูชา",
        "version": version,
        "action": "save",
        "token": writer.browser.token(),
    }
    assert writer.browser.post(f"/drafts/{writer.draft}/step/person", form, **thai).status_code == 303
    assert writer.alert()["birth"] == {"date": "1970~", "country": "KHM"}
