"""An auditor's pages: disclosures listed, drawn and proved; who and why only for a lawful purpose; never content."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exchange.v1 import audit_service_pb2, desk_service_pb2
from exchange.v1.disclosure_pb2 import Entry
from exchange.v1.receipt_pb2 import EXCEPTION_CODE_SCHEMA
from node.console import audit_pages
from node.console.audit_filter import DisclosureChoice, EventChoice
from node.console.charts import flow, timeline
from node.console.problem_words import words_of
from node.operations import audit_counts
from node.operations.audit_counts import Counted, count_disclosures
from node.operations.disclosure_checks import Check, Verdict
from node.operations.tallies import DAY_MS, Tallies, day_of
from tests.console_site import Browser, Shown
from tests.countries import NOW
from tests.federation import Federation
from tests.node.audit_office import GB_KH, KH_GB, disclosures, first_alert, newest, places, told
from tests.rig import Office

PAGE_BYTES = 60_000
FIRST = "/audit/disclosures/gb.alerts.example/kh.alerts.example/1/0"
OURS = "/audit/disclosures?direction=OUTBOUND"
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with told(tmp_path_factory.mktemp("told")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


@pytest.fixture
def browser(gb: Office) -> Browser:
    return Browser(gb).enter("auditor")


def shown(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def listed(page: str) -> list[str]:
    """Which disclosures a page links to, in its order."""
    return re.findall(r'<h3[^>]*><a class="govuk-link" href="(/audit/disclosures/[^"]*)"', page)


def rows(page: str) -> list[list[str]]:
    """What a page's tables say, row by row."""
    found = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in found]


def test_an_auditor_begins_with_the_audit(browser: Browser, gb: Office) -> None:
    assert browser.get("/").headers["location"] == "/audit"
    page = browser.get("/audit").text
    for path in re.findall(r'href="(/audit/[^"]*)"', page):
        assert browser.get(path).status_code == 200, path
    for name in ("liaison", "administrator", "border"):
        other = Browser(gb).enter(name)
        assert 'href="/audit"' not in other.get("/you").text
        for path in ("/audit", "/audit/disclosures", "/audit/timeline", FIRST, f"{FIRST}/open"):
            answer = other.get(path)
            assert (answer.status_code, "ROLE_MISSING" in answer.text) == (403, True)
            assert newest(gb)[0:4:3] == ("refusal", "ROLE_MISSING")


def test_disclosures_are_listed_the_newest_first(browser: Browser, gb: Office) -> None:
    page = browser.get("/audit/disclosures").text
    wanted = [(origin.split("/"), index) for origin, index in places(disclosures(gb, order_by="newest"))]
    assert listed(page) == [f"/audit/disclosures/{log[0]}/{log[2]}/{log[3]}/{index}" for log, index in wanted]
    assert "Corrects an earlier alert" in page
    assert "United Kingdom → Cambodia" in page
    assert newest(gb)[0:4:3] == ("review", "DISCLOSURES")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("direction=INBOUND", 1),
        ("partner=kh.alerts.example&direction=OUTBOUND", 4),
        ("partner=th.alerts.example", 0),
        ("agency=spiffe%3A%2F%2Fkh.alerts.example%2Fagency%2Fanti-trafficking", 1),
        ("kind=HitReport", 1),
        ("outcome=RECEIPTED&direction=OUTBOUND", 4),
        ("outcome=CORRECTION", 1),
        ("outcome=EXCEPTED", 0),
        ("outcome=WITHHELD", 0),
        ("outcome=CONFLICT", 0),
        ("outcome=EMERGENCY", 0),
        ("outcome=LOGGED", 0),
        ("outcome=DELIVERED", 0),
        ("since=2000-01-01&until=2000-12-31", 0),
        ("since=2000-01-01&direction=OUTBOUND", 4),
        ("until=2000-12-31", 0),
    ],
)
def test_what_is_chosen_is_what_is_shown(browser: Browser, chosen: str, expected: int) -> None:
    page = browser.get(f"/audit/disclosures?{chosen}").text
    assert len(listed(page)) == expected
    assert ("There is none." in page) == (not expected)
    counted = browser.get(f"/audit/flow?{chosen}").text
    assert sum(int(row[2]) for row in rows(counted)[1:]) == expected


def test_one_alert_can_be_chosen(browser: Browser, two: Federation) -> None:
    page = browser.get(f"/audit/disclosures?alert={first_alert(two)}").text
    assert listed(page) == [FIRST[:-1] + "1", FIRST]


def test_a_day_that_is_none_is_said_beside_its_field(browser: Browser, gb: Office) -> None:
    before = len(gb.journal())
    for path in ("/audit/disclosures", "/audit/timeline", "/audit/flow"):
        page = browser.get(f"{path}?since=2026-02-30&until=x%22%3E&direction=%22&kind=x&outcome=x&alert=XYZ").text
        assert [text for text in shown(page) if text == "Write a day as 2027-03-04."]
        assert 'href="#since"' in page
        assert 'href="#alert"' in page
        assert 'value="x&#34;&gt;"' in page
        assert listed(page) == []
    assert gb.journal()[before:] == []  # nothing was asked


def test_quotes_in_a_choice_stay_in_its_value() -> None:
    assert DisclosureChoice(agency='x" OR index >= 0 OR audience:"\\').filter("UTC") == 'audience:"x\\" OR index >= 0 OR audience:\\"\\\\"'
    assert DisclosureChoice(partner="p", direction="INBOUND").filter("UTC") == '(partner = "p") AND (direction = INBOUND)'
    assert EventChoice(code="key_*", kind="KEY").filter("UTC") == "(kind = KEY) AND (code = KEY_*)"
    assert EventChoice(code='A" OR', alert="x", kind="NONE").problems == ["kind", "code", "alert"]
    assert DisclosureChoice(since="2027-03-04", until="2027-03-04").bounds("UTC") == (1_804_118_400_000, 1_804_204_800_000)


@pytest.mark.parametrize("view", ["disclosures", "journal", "mistakes", "timeline", "flow", "stats"])
def test_a_day_is_one_of_the_clock_that_the_page_shows(browser: Browser, view: str) -> None:
    # Told on 28 May after 20:00 UTC: at the console it was the 29th.
    for day, there in (("2026-05-28", False), ("2026-05-29", True)):
        page = browser.get(f"/audit/{view}?since={day}&until={day}").text
        assert ("There is none." not in page) == there, day
        assert "By the clock of Asia/Phnom_Penh" in page


@pytest.mark.parametrize("path", ["/audit/disclosures", "/audit/stats", "/audit/journal", "/audit/mistakes", "/audit/export"])
def test_the_calendar_s_first_and_last_days_are_days(browser: Browser, path: str) -> None:
    for chosen in ("since=9999-12-31&until=9999-12-31", "until=9999-12-31", "since=0001-01-01&until=0001-01-01"):
        assert browser.get(f"{path}?{chosen}").status_code == 200
    assert DisclosureChoice(since="0001-01-01", until="9999-12-31").bounds("Asia/Phnom_Penh") == (0, 0)
    assert DisclosureChoice(until="1969-01-01").bounds("Asia/Phnom_Penh") == (0, 1)  # nothing, not everything


def test_a_day_has_as_many_hours_as_its_clocks_show() -> None:
    hours = []
    for day in ("2027-03-28", "2027-06-01", "2027-10-31"):
        since, until = DisclosureChoice(since=day, until=day).bounds("Europe/London")
        hours.append((until - since) // 3_600_000)
        zone = ZoneInfo("Europe/London")
        assert {day_of(Entry(disclosed_at=at), zone) for at in (since, until - 1)} == {iso_ms(day)}
        assert day_of(Entry(disclosed_at=until), zone) == iso_ms(day) + DAY_MS
    assert hours == [23, 24, 25]


def iso_ms(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00Z").timestamp()) * 1000


def test_the_list_goes_on_and_keeps_what_was_chosen(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_pages, "SHOWN", 3)
    seen, path = [], OURS
    while path:
        page = browser.get(path).text
        seen += listed(page)
        found = re.search(r'rel="next" href="([^"]*)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
        assert not path or "direction=OUTBOUND" in path
    assert seen == [FIRST[:-1] + index for index in "3210"]


def test_a_list_of_many_is_a_small_page(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(clause="c" * 60, audience=[f"spiffe://kh.alerts.example/agency/{'y' * 30}{n}" for n in range(4)], disclosed_at=NOW)
    record = audit_service_pb2.DisclosureRecord(
        origin=GB_KH, entry=entry.SerializeToString(), conflict=True, emergency=True, exception=EXCEPTION_CODE_SCHEMA, supersedes=[b"x"]
    )
    record.state = desk_service_pb2.DISCLOSURE_STATE_EXCEPTED
    many = audit_service_pb2.ListDisclosuresResponse(disclosures=[record] * audit_pages.SHOWN, next_page_token="x" * 60)
    monkeypatch.setattr(audit_pages, "list_disclosures", lambda *_: many)
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        page = browser.get("/audit/disclosures")
        assert len(page.content) < PAGE_BYTES
        assert page.text.count("<code>SCHEMA</code>") == audit_pages.SHOWN


def test_the_timeline_draws_what_its_table_says(browser: Browser) -> None:
    page = browser.get("/audit/timeline").text
    (drawing,) = SVG.findall(page)
    assert 'role="img"' in drawing
    assert "The table below has the same numbers." in drawing
    assert drawing.count('class="app-chart__sent"') == 1
    assert drawing.count('class="app-chart__received"') == 1
    assert rows(page)[1:] == [["29 May 2026", "4", "1"]]  # where the console stands; in UTC it was the 28th
    assert "style=" not in page


def test_bars_are_of_days_then_of_weeks_and_lose_nothing() -> None:
    day = timeline({(0, True): 3, (0, False): 1, (2 * DAY_MS, True): 4})
    assert (day.days, day.highest, [bar.at // DAY_MS for bar in day.bars]) == (1, 4, [0, 1, 2])
    assert [(bar.sent, bar.received) for bar in day.told] == [(3, 1), (4, 0)]
    first, _, last = day.bars
    assert first.h_sent == 3 * first.h_received
    assert first.y_received + first.h_received == first.y_sent
    assert last.y_sent == 0
    many = {(number * DAY_MS, bool(number % 2)): 1 for number in range(700)}
    weeks = timeline(many)
    assert weeks.days == 14
    assert len(weeks.bars) <= 63
    assert sum(bar.sent + bar.received for bar in weeks.bars) == 700
    assert timeline({}).bars == ()


def test_the_flow_draws_what_its_table_says(browser: Browser) -> None:
    page = browser.get("/audit/flow").text
    assert rows(page)[1:] == [["United Kingdom", "Cambodia", "4"], ["Cambodia", "United Kingdom", "1"]]
    (drawing,) = SVG.findall(page)
    assert drawing.count("<path") == 2
    drawn = flow({("a", "b"): 30, ("a", "c"): 10, ("b", "a"): 1})
    assert drawn.bands[0].width == pytest.approx(3 * drawn.bands[1].width, abs=0.2)
    ends = drawn.senders
    assert ends[0].y + ends[0].height < ends[1].y
    assert flow({}).bands == ()


def test_a_count_of_a_part_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch, gb: Office) -> None:
    person = gb.person("auditor")
    assert count_disclosures(gb.ports, person, "", Tallies()).whole
    some = Counted(by_day={(0, True): 2}, by_way={("a.example", "b.example"): 2}, by_row={}, scanned=20000, total=90000)
    monkeypatch.setattr(audit_pages, "count_disclosures", lambda *_: some)
    for path in ("/audit/timeline", "/audit/flow"):
        assert "Of 90,000 entries the newest 20,000 were counted." in browser.get(path).text
    monkeypatch.setattr(audit_counts, "AT_MOST", 2)
    monkeypatch.setattr("node.operations.disclosure_scan.AT_ONCE", 2)
    part = count_disclosures(gb.ports, person, "direction = OUTBOUND AND index >= 0", Tallies())
    assert (part.scanned, part.total, part.whole) == (2, 4, False)
    assert part.by_way == {("gb.alerts.example", "kh.alerts.example"): 2}


def test_one_disclosure_shows_its_checks_its_signatures_and_its_bytes(browser: Browser, gb: Office, two: Federation) -> None:
    page = browser.get(FIRST).text
    texts = shown(page)
    record = disclosures(gb, "direction = OUTBOUND").disclosures[0]
    assert [row[2] for row in rows(page) if re.fullmatch("[SDR][0-9]+", row[0])] == ["Holds"] * 19
    assert "not yet: no journal names it under a cosigned checkpoint" in texts
    assert "The sender signed the checkpoint" in texts
    assert "The recipient signed the receipt" in texts
    assert bytes.fromhex("".join(re.findall('<code class="app-bytes">([0-9a-f]*)</code>', page))) == record.entry
    assert record.leaf_hash.hex() in page
    assert "Name as in the document" in page
    assert "EXAMPLE" not in page
    assert "Corrected by" in page
    assert f'href="{FIRST}/open"' in page
    assert first_alert(two) in page
    assert browser.get(FIRST.replace("/1/0", "/1/99")).status_code == 404


def test_of_what_came_in_who_and_why_is_elsewhere(browser: Browser, two: Federation) -> None:
    path = "/audit/disclosures/kh.alerts.example/gb.alerts.example/1/0"
    page = browser.get(path).text
    assert "is kept by the sender’s node" in page
    assert f"{path}/open" not in page
    assert browser.send(f"{path}/open", {"purpose": "LAWFULNESS", "reason": "inspection 7"}).status_code == 404


@pytest.mark.parametrize("path", ["x/kh.alerts.example/1/0", "gb.alerts.example/kh.alerts.example/0/0", "a.example/b.example/1/-1"])
def test_an_address_that_names_no_log_is_no_page(browser: Browser, path: str) -> None:
    for end in ("", "/open"):
        assert "PATH_UNKNOWN" in browser.get(f"/audit/disclosures/{path}{end}").text


def test_a_check_that_fails_is_said_loudly(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = [
        Check(number="D6", verdict=Verdict.FAILS, code="COMMITMENT_MISMATCH"),
        Check(number="D7", verdict=Verdict.NOT_RUN, code="CHECK_BEFORE_FAILED"),
        Check(number="D8", verdict=Verdict.NOT_RUN, code="SOMETHING_NEW"),
    ]
    monkeypatch.setattr("node.operations.entry_proof.run_checks", lambda _: failed)
    page = browser.get(FIRST).text
    assert "Something does not hold" in page
    assert rows(page)[1:4] == [
        [
            "D6",
            "Each opened field is what the originator committed to",
            f"Does not hold COMMITMENT_MISMATCH {words_of('COMMITMENT_MISMATCH')}",
        ],
        ["D7", "Each field holds itself and nothing else", "not run: a check before it does not hold"],
        ["D8", "The agreement’s clause allows this audience, this purpose and every field", "SOMETHING_NEW"],
    ]
    assert "No signature holds, or none has come yet." in page


def test_what_partners_write_is_shown_as_text(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(
        clause="<script>alert(1)</script>\u202e{{ 7*7 }}", audience=["spiffe://kh.alerts.example/agency/<b>x</b>"], disclosed_at=NOW
    )
    record = audit_service_pb2.DisclosureRecord(origin=KH_GB, entry=entry.SerializeToString(), instrument="<i>\u2066", alert_type="x.<u>")
    answer = audit_service_pb2.ListDisclosuresResponse(disclosures=[record])
    monkeypatch.setattr(audit_pages, "list_disclosures", lambda *_: answer)
    found = audit_pages.review_disclosure
    monkeypatch.setattr(audit_pages, "review_disclosure", lambda *asked: replace(found(*asked), record=record))
    for path in ("/audit/disclosures", FIRST):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "{{ 7*7 }}" in page
        for hidden in ("\u202e", "\u2066", "<b>x", "<i>", "<u>"):
            assert hidden not in page, (path, hidden)


def test_who_and_why_is_opened_for_a_lawful_purpose_only(fresh: Federation) -> None:
    gb = fresh["gb"]
    browser = Browser(gb).enter("auditor")
    form = browser.get(f"{FIRST}/open").text
    assert form.count('type="radio"') == 5
    before = len(gb.journal())
    for given, code, words in (
        ({}, "PURPOSE_MISSING", "Choose the lawful purpose"),
        ({"purpose": "CURIOSITY", "reason": "x"}, "PURPOSE_MISSING", "Choose the lawful purpose"),
        ({"purpose": "LAWFULNESS", "reason": " "}, "REASON_MISSING", "Write why this is necessary"),
    ):
        page = browser.send(f"{FIRST}/open", given)
        assert page.status_code == 422
        assert "<title>Error: open who and why" in page.text
        assert words in shown(page.text)
        assert "liaison" not in page.text
        assert newest(gb)[0:4:3] == ("refusal", code)
    assert len(gb.journal()) == before + 3
    long = browser.send(f"{FIRST}/open", {"purpose": "LAWFULNESS", "reason": 'kept "><b>' + "x" * 2000})
    assert (long.status_code, "Write at most 2000 characters" in long.text) == (422, True)
    assert "kept &#34;&gt;&lt;b&gt;" in long.text
    page = browser.send(f"{FIRST}/open", {"purpose": "DISCIPLINARY", "reason": "inspection 7\r\nsample"}).text
    assert f'<bdi>liaison</bdi> <span class="app-code">{gb.person("liaison")}</span>' in page
    assert {"Version of the record", "29 May 2026, 03:26 (Asia/Phnom_Penh)"} <= set(shown(page))
    assert "Synthetic reason" in page or "synthetic" in page.lower()
    assert newest(gb)[0:4:3] == ("review", "OPENED")
    entry = Entry.FromString(disclosures(gb, "direction = OUTBOUND").disclosures[0].entry)
    assert entry.authorisation.hex() in page


def test_nothing_personal_stands_in_an_address_or_a_title(browser: Browser) -> None:
    for path in ("/audit", "/audit/disclosures", "/audit/timeline", "/audit/flow", FIRST, f"{FIRST}/open"):
        page = browser.get(path).text
        addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page)
        known = re.compile(r"/(audit[\w/.?=&;-]*|you|language|sign-in|sign-out|assets/\w+/[\w.-]+)?|#[a-z-]+")
        assert [one for one in addresses if not known.fullmatch(one)] == []
        (title,) = re.findall(r"<title>([^<]*)</title>", page)
        assert not re.search("EXAMPLE|Thomas|spiffe|liaison", title)
        tags = Shown(page).tags
        assert [tag for tag, _ in tags].count("h1") == 1
        names = [given["id"] for _, given in tags if given.get("id")]
        assert len(names) == len(set(names))
        labels = {given.get("for") for tag, given in tags if tag == "label"}
        inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea", "select"} and given.get("type") != "hidden"}
        assert inputs <= labels
        assert len(browser.get(path).content) < PAGE_BYTES
