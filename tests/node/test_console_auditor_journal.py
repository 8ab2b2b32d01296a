"""An auditor's pages about the journal, and what takes a while: events, access, checks, comparisons, samples, findings, exports."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from exchange.errors import Conflict
from exchange.journal import CODES, open_journal_entry
from exchange.sampling import sample_indexes
from exchange.v1 import audit_service_pb2, desk_service_pb2
from exchange.v1.journal_pb2 import JournalAccountability, JournalEntry
from exchange.witness import claimed_checkpoint
from node.confirmations import Confirmation, check_confirmation, read_confirmation
from node.console import audit_journal_pages, audit_run_pages, streams
from node.console.audit_codes import EVENTS
from node.console.audit_filter import KINDS as FILTERED
from node.console.audit_words import EXPORTS, GRADES, KINDS, MISHAPS, PURPOSES, URGENCY, kind_name
from node.console.streams import FLUSH, Run
from node.operations import audit_export, audit_sample
from node.operations.audit_finding import GRADES as RECORDED
from node.reports import audit_export as files
from node.reports import audit_register
from node.store.directory import raise_alarm
from tests.authenticator import Authenticator
from tests.console_site import Browser, Shown, field, options, site_of
from tests.countries import NOW
from tests.federation import Federation
from tests.node.audit_office import GB_KH, JOURNAL, events, first_alert, index_of, newest, opened, told
from tests.node.test_op_reconcile import Asked
from tests.rig import Office

pytestmark = pytest.mark.thorough

NONCE = "dice 4 2 6 1 3 3 5"
PAGE_BYTES = 60_000
FIRST = "/audit/disclosures/gb.alerts.example/kh.alerts.example/1/0"


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


def linked(page: str) -> list[str]:
    """Which events of the journal a page lists."""
    return re.findall(r'<h2[^>]*><a class="govuk-link" href="/audit/journal/1/(\d+)"', page)


def test_words_are_there_for_every_code() -> None:
    assert set(KINDS) == set(FILTERED)
    assert tuple(GRADES) == RECORDED
    assert set(EXPORTS) == set(files.LISTS)
    assert {kind: set(words) for kind, words in EVENTS.items()} == {kind_name(kind): set(codes) for kind, codes in CODES.items()}
    assert set(PURPOSES) == {name.removeprefix("LAWFUL_PURPOSE_") for name, number in audit_service_pb2.LawfulPurpose.items() if number}
    assert set(URGENCY) == {name.removeprefix("URGENT_KIND_") for name, number in audit_service_pb2.UrgentKind.items() if number}
    source = Path(audit_register.__file__).read_text("utf-8")
    assert set(MISHAPS) >= set(audit_register._ALTERATIONS.values()) | set(re.findall(r'mishap\("\w+", "(\w+)"', source))


def test_the_journal_is_listed_the_newest_first_and_by_choice(browser: Browser, gb: Office) -> None:
    size = len(gb.journal())
    page = browser.get("/audit/journal").text
    assert linked(page)[0] == str(size - 1)
    assert newest(gb)[0:4:3] == ("review", "EVENTS")
    released = str(index_of(gb, "disclosure", "RELEASED"))
    for path in (f"/audit/journal/1/{released}", "/audit/journal?code=RELEASED"):
        said = browser.get(path).text
        assert f'Disclosure: Released to a recipient <span class="app-code">RELEASED #{released}</span>' in said
        assert "spiffe://" not in said
    for chosen in ("kind=DISCLOSURE", "code=released", "code=RELEA*&kind=DISCLOSURE&since=2000-01-01"):
        assert released in linked(browser.get(f"/audit/journal?{chosen}").text)
    assert linked(browser.get("/audit/journal?until=2000-01-01").text) == []
    before = len(gb.journal())
    wrong = browser.get("/audit/journal?code=%22&since=x&alert=z").text
    assert "A code has capital letters, digits and underscores." in shown(wrong)
    assert len(gb.journal()) == before


def test_the_journal_goes_on_and_keeps_what_was_chosen(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_journal_pages, "SHOWN", 2)
    seen, path = [], "/audit/journal?kind=DISCLOSURE"
    while path:
        page = browser.get(path).text
        seen += linked(page)
        found = re.search(r'rel="next" href="([^"]*)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
        assert not path or "kind=DISCLOSURE" in path
    assert len(seen) == 3
    assert seen == sorted(seen, key=int, reverse=True)


def test_one_event_and_who_and_why_behind_it(fresh: Federation) -> None:
    gb = fresh["gb"]
    browser = Browser(gb).enter("auditor")
    index = index_of(gb, "disclosure", "RELEASED")
    path = f"/audit/journal/1/{index}"
    page = browser.get(path).text
    entry = open_journal_entry(events(gb, f"index = {index}").events[0].entry)
    assert entry.accountability.hex() in page
    assert gb.person("liaison") not in page
    form = browser.get(f"{path}/open").text
    assert form.count('type="radio"') == 7
    assert browser.send(f"{path}/open", {"reason": "x"}).status_code == 422
    page = browser.send(f"{path}/open", {"purpose": "LAWFULNESS", "reason": "inspection 7", "group": "ACCOUNTABILITY"}).text
    assert gb.person("liaison") in page
    assert newest(gb)[0:4:3] == ("review", "OPENED")
    assert browser.send(f"{path}/open", {"purpose": "LAWFULNESS", "reason": "x", "group": "PERSONAL"}).status_code == 404
    for wrong in ("/audit/journal/1/9999", "/audit/journal/0/1", "/audit/journal/7/1", "/audit/journal/1/x"):
        assert browser.get(wrong).status_code == 404


def test_who_opened_one_alert_and_when(fresh: Federation) -> None:
    kh, digest = fresh["kh"], first_alert(fresh)
    browser = Browser(kh).enter("auditor")
    path = f"/audit/alerts/{digest}"
    before = linked(browser.get(path).text)
    Browser(kh).enter("border").get(f"/inbox/{digest}")
    looked = max(number for number, event in enumerate(kh.journal()) if event[3] == "INBOX_ALERT")
    page = browser.get(path).text
    assert linked(page) == [str(looked), *before]
    assert "INBOX_ALERT" in page
    assert kh.person("border") not in page
    assert "EXAMPLE" not in page
    assert f'href="/audit/disclosures?alert={digest}"' in page
    browser.get("/audit/disclosures/gb.alerts.example/kh.alerts.example/1/0")
    assert linked(browser.get(path).text)[0] == str(len(kh.journal()) - 2)  # the auditor's own look at it, before this one
    assert browser.get("/audit/alerts/x").status_code == 404
    assert linked(browser.get(f"/audit/alerts/{'0' * 64}").text) == []


def test_alarms_and_mistakes(fresh: Federation) -> None:
    gb = fresh["gb"]
    browser = Browser(gb).enter("auditor")
    assert "There is none." in browser.get("/audit/alarms").text
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "LOGS_DIFFER", partner="<b>kh.alerts.example", origin=GB_KH)
    page = browser.get("/audit/alarms").text
    assert "LOGS_DIFFER" in page
    assert "<b>kh" not in page
    Browser(gb).enter("police").get("/audit")
    register = browser.get("/audit/mistakes").text
    assert "Refused here" in shown(register)
    assert "The oldest come first." in shown(register)
    assert any(text.startswith("Whoever tried is told: “Your role does not open this page.") for text in shown(register))
    assert not any(text.startswith("Your role does not open") for text in shown(register))
    assert "Alarm that stands" in shown(register)
    assert "Corrects an earlier alert" in shown(register)
    assert f'href="{FIRST[:-1]}3"' in register
    assert "There is none." in browser.get("/audit/mistakes?until=2000-01-01").text
    assert browser.get("/audit/mistakes?since=x").text.count("Write a day as 2027-03-04.") == 2


def test_the_register_is_cut_and_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_journal_pages, "MISTAKES", 1)
    assert "These are the oldest 1." in browser.get("/audit/mistakes").text


def test_the_checks_say_what_they_found(fresh: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb = fresh["gb"]
    browser = Browser(gb).enter("auditor")
    for scope, code, words in (
        ("GAPS", "GAPS", "ANCHOR_OVERDUE"),
        ("VERIFY", "VERIFICATION", "Everything that was checked holds."),
        ("FSCK", "STORE", "Everything that was checked holds."),
    ):
        page = browser.send("/audit/checks", {"scope": scope})
        assert page.status_code == 200
        assert words in page.text
        assert newest(gb)[0:4:3] == ("review", code)
    assert "Result" not in browser.send("/audit/checks", {"scope": "REBUILD"}).text
    monkeypatch.setattr(audit_run_pages, "check_records", lambda *_: iter(()))
    assert "Nothing is missing." in browser.send("/audit/checks", {"scope": "GAPS"}).text
    monkeypatch.setattr(audit_run_pages, "SHOWN", 2)
    findings = [desk_service_pb2.Finding(code=f"C{n}", origin=GB_KH, index=n, message="<b>wrong", grade=1, count=2) for n in range(3)]
    summary = desk_service_pb2.CheckSummary(counts=[desk_service_pb2.Count(name="findings", value=7)])
    steps = [desk_service_pb2.CheckRecordsResponse(findings=findings), desk_service_pb2.CheckRecordsResponse(summary=summary)]
    monkeypatch.setattr(audit_run_pages, "check_records", lambda *_: iter(steps))
    page = browser.send("/audit/checks", {"scope": "GAPS"}).text
    assert "5 more are not shown." in page
    assert "&lt;b&gt;wrong" in page
    assert f'href="{FIRST}"' in page
    assert "Nothing is missing." not in page


def test_a_check_shows_how_far_it_is_and_its_end_in_one_page(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = desk_service_pb2.CheckProgress(origin=GB_KH, done=1000, total=9000, **{"pass": "tree"})
    steps = [desk_service_pb2.CheckRecordsResponse(progress=progress)] * 3
    monkeypatch.setattr(audit_run_pages, "check_records", lambda *_: iter(steps))
    monkeypatch.setattr(audit_run_pages, "Run", lambda steps: Run(steps, seconds=0.0))
    page = browser.send("/audit/checks", {"scope": "GAPS"}).text
    assert page.count("1,000 / 9,000") == 3
    assert page.rstrip().endswith("</html>")
    assert FLUSH in page


def test_only_one_long_work_runs_at_a_time(browser: Browser) -> None:
    with streams._running:
        page = browser.send("/audit/checks", {"scope": "GAPS"}).text
    assert "Another check is running." in page
    assert "Everything that was checked holds." in browser.send("/audit/checks", {"scope": "VERIFY"}).text


@pytest.mark.parametrize(
    ("error", "code"), [(Conflict("LOG_STOPPED", "secret words"), "LOG_STOPPED"), (KeyError("secret words"), "INTERNAL")]
)
def test_what_fails_under_way_is_said_by_its_code(browser: Browser, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(audit_run_pages, "check_records", fail)
    page = browser.send("/audit/checks", {"scope": "GAPS"}).text
    assert f"<code>{code}</code>" in page
    assert "secret" not in page
    assert page.rstrip().endswith("</html>")
    assert not streams._running.locked()


def test_logs_are_compared_with_a_partner(two: Federation, gb: Office) -> None:
    asked = Asked(partner=two["kh"], caller=gb.domain)

    @contextmanager
    def connect(partner: str) -> Iterator[Asked]:
        assert partner == two["kh"].domain
        yield asked

    browser = Browser(gb, site_of(gb, connect=connect)).enter("auditor")
    assert "Cambodia" in browser.get("/audit/reconcile").text
    assert browser.send("/audit/reconcile", {"partner": "xx.example"}).status_code == 422
    assert browser.send("/audit/reconcile", {"partner": "kh.alerts.example", "since": "x"}).status_code == 422
    assert asked.calls == []
    page = browser.send("/audit/reconcile", {"partner": "kh.alerts.example"}).text
    assert "Both countries hold the same record" in page
    assert newest(gb)[0:4:3] == ("review", "RECONCILIATION")
    asked.lies["heads"] = lambda heads: type(heads)(heads=[*heads.heads[:0]])
    page = browser.send("/audit/reconcile", {"partner": "kh.alerts.example"}).text
    assert "NOT_RECEIVED" in page or "NOT_DISCLOSED" in page
    unreachable = Browser(gb).enter("auditor").send("/audit/reconcile", {"partner": "kh.alerts.example"}).text
    assert "<code>PARTNER_UNKNOWN</code>" in unreachable


def test_reasons_and_urgent_uses(two: Federation, browser: Browser, gb: Office) -> None:
    assert "Result" not in shown(browser.get("/audit/reasons").text)
    page = browser.get("/audit/reasons?at_least=3").text
    assert "Person 1" in page
    assert "3 times" in page
    assert "ynthetic reason" not in page
    assert newest(gb)[0:4:3] == ("review", "REASONS")
    assert "There is none." in browser.get("/audit/reasons?at_least=99").text
    assert browser.get("/audit/reasons?at_least=x%22").status_code == 200
    assert "Result" not in shown(browser.get("/audit/urgent").text)
    urgent = browser.get("/audit/urgent?since=")
    assert (urgent.status_code, newest(gb)[0:4:3]) == (200, ("review", "URGENT"))


def test_witnesses_and_statistics(browser: Browser, gb: Office) -> None:
    page = browser.get("/audit/witnesses").text
    assert JOURNAL in page
    assert "none configured" in page
    stats = browser.get("/audit/stats?direction=OUTBOUND").text
    cells = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall("<tr.*?</tr>", stats, re.DOTALL)][1:]
    assert sum(int(cell.split()[-1]) for cell in cells) == 4
    assert newest(gb)[0:4:3] == ("review", "STATISTICS")


@pytest.mark.parametrize("log", ["", GB_KH, "kh.alerts.example/disclosures/gb.alerts.example/1"])
def test_a_sample_is_what_the_nonce_and_the_signed_root_say(browser: Browser, gb: Office, log: str) -> None:
    assert f'value="{log}"' in browser.get("/audit/samples").text
    asked = browser.get(f"/audit/samples?log={log}").text
    note = field(asked, "note")
    tree = claimed_checkpoint(note.encode())
    given = {"note": note.replace("\n", "\r\n"), "nonce": NONCE, "count": "3"}
    address = "/audit/samples?" + urlencode(given)
    page = browser.get(address)
    assert page.status_code == 200
    assert re.findall("<tbody.*</tbody>", browser.get(address).text, re.DOTALL) == re.findall("<tbody.*</tbody>", page.text, re.DOTALL)
    indexes = [int(index) for index in re.findall(r'<a class="govuk-link" href="/audit/[^"]*/(\d+)">#', page.text)]
    assert indexes == sample_indexes(NONCE.encode(), tree, 3)
    assert page.text.count("Does not hold") == 0
    assert [event[0:4:3] for event in gb.journal()[-len(indexes) :]] == [("review", "PROOF")] * len(indexes)
    short = "Write a nonce of 16 to 256 signs: whoever signs the log could have tried all shorter ones before"
    for wrong, words in (({"nonce": ""}, short), ({"nonce": "x" * 15}, short), ({"count": "61"}, "Draw 1 to 60 entries")):
        again = browser.get("/audit/samples?" + urlencode({**given, **wrong}))
        assert again.status_code == 422
        assert words in shown(again.text)
        assert field(again.text, "note") == note


def test_a_checkpoint_that_nobody_signed_draws_nothing(browser: Browser, gb: Office) -> None:
    note = field(browser.get(f"/audit/samples?log={GB_KH}").text, "note")
    given = {"nonce": NONCE, "count": "3"}
    forged = note.replace("\n4\n", "\n3\n")
    assert forged != note
    for wrong in (forged, "x", note.replace("gb.alerts", "th.alerts"), ""):
        before = len(gb.journal())
        assert browser.get("/audit/samples?" + urlencode({**given, "note": wrong})).status_code in {400, 403, 404}, wrong
        assert len(gb.journal()) == before


def test_an_entry_that_is_not_in_the_tree_is_a_finding(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    note = field(browser.get(f"/audit/samples?log={GB_KH}").text, "note")
    monkeypatch.setattr(audit_sample, "entry_in", lambda *_: b"altered")
    page = browser.get("/audit/samples?" + urlencode({"note": note, "nonce": NONCE, "count": "2"})).text
    assert page.count("<code>INCLUSION_INVALID</code>") == 2
    assert "Something does not hold" in page


@pytest.mark.parametrize("path", [FIRST, "/audit/journal/1/3"])
def test_a_finding_stands_in_the_journal(fresh: Federation, path: str) -> None:
    gb = fresh["gb"]
    browser = Browser(gb).enter("auditor")
    assert f"{path}/finding" in browser.get(path).text
    for given, words in (
        ({}, "Choose how grave it is"),
        ({"grade": "ACTION", "words": " "}, "Write what you found"),
        ({"grade": "NONE", "words": "kept <b>" + "x" * 2000}, "Write at most 2000 characters"),
    ):
        before = len(gb.journal())
        page = browser.send(f"{path}/finding", given)
        assert (page.status_code, words in shown(page.text)) == (422, True)
        assert len(gb.journal()) == before
    sent = browser.send(f"{path}/finding", {"grade": "PRIORITY", "words": "No second officer."})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?recorded")
    found = events(gb, "code = FINDING_*").events[-1]
    entry = JournalEntry.FromString(found.entry)
    assert (entry.code, entry.index, entry.count) == ("FINDING_PRIORITY", int(path.rpartition("/")[2]), 1)
    assert JournalAccountability.FromString(opened(gb, found.index).record).justification == "No second officer."
    assert "Your finding stands in the journal." in browser.get(f"{path}?recorded").text
    assert browser.send(f"{path}/finding", {"grade": "NONE"}).status_code == 303
    if path == FIRST:
        page = browser.get(path).text
        listed = re.findall(r'<li><a class="govuk-link" href="/audit/journal/1/(\d+)">([^<]*)</a>', page)
        assert [words for _, words in listed] == ["Nothing found", "Priority: a duty was missed"]
        assert int(listed[1][0]) == found.index
        assert "No second officer." not in page
        assert "What auditors found" not in browser.get(f"{path[:-1]}1").text
    assert browser.send(f"{path.rpartition('/')[0]}/9999/finding", {"grade": "NONE"}).status_code == 404


def exported(browser: Browser, key: Authenticator, **chosen: str) -> Any:
    """What a person does: choose, confirm with the passkey, take the file."""
    page = browser.get("/audit/export?" + "&".join(f"{name}={value}" for name, value in chosen.items())).text
    given = {"ticket": field(page, "ticket"), "answer": key.get(options(page))}
    return browser.send("/audit/export", {"since": "", "until": "", **chosen, **given})


def test_an_export_needs_a_fresh_passkey_over_what_is_exported(fresh: Federation) -> None:
    gb = fresh["gb"]
    browser = Browser(gb)
    key = browser.enrol("auditor")
    browser.enter("auditor")
    size = len(gb.journal())
    for what, form, kind in (
        ("disclosures", "csv", "text/csv"),
        ("disclosures", "jsonl", "application/jsonl"),
        ("events", "csv", "text/csv"),
        ("errors", "jsonl", "application/jsonl"),
        ("events", "pdf", "application/pdf"),
    ):
        answer = exported(browser, key, what=what, format=form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="{what}.{form}"'
        assert answer.headers["cache-control"] == "no-store"
        assert b"EXAMPLE" not in answer.content
    (first, *_) = [event for event in events(gb, "kind = EXPORT").events if event.index >= size]
    record = JournalAccountability.FromString(opened(gb, first.index).record)
    confirmed = check_confirmation(read_confirmation(record.confirmation))
    assert (confirmed.action, confirmed.officer, confirmed.said["what"]) == ("export", gb.person("auditor"), "disclosures")
    assert confirmed.passkey
    page = browser.send(f"/audit/journal/1/{first.index}/open", {"purpose": "LAWFULNESS", "reason": "inspection 7"}).text
    assert "with the passkey" in page
    assert "confirmation does not hold" not in page
    lines = [json.loads(line) for line in exported(browser, key, what="disclosures", format="jsonl").text.splitlines()]
    assert len(lines) == 5
    assert exported(browser, key, what="disclosures", format="jsonl", until="2000-01-01").text == ""


def test_nothing_is_exported_otherwise(fresh: Federation) -> None:
    gb = fresh["gb"]
    browser = Browser(gb)
    key, other = browser.enrol("auditor"), Authenticator(browser.origin, credential=b"\x22" * 32)
    browser.enter("auditor")
    page = browser.get("/audit/export?what=events&format=csv").text
    given = {"what": "events", "format": "csv", "since": "", "until": "", "ticket": field(page, "ticket")}
    before = [event for event in gb.journal() if event[0] == "export"]
    assert browser.send("/audit/export", {**given, "answer": "{}"}).status_code == 403
    assert browser.send("/audit/export", {**given, "answer": other.get(options(page))}).status_code == 403
    answer = key.get(options(page))
    assert browser.send("/audit/export", {**given, "what": "disclosures", "answer": answer}).status_code == 403
    assert browser.send("/audit/export", {**given, "until": "2027-01-01", "answer": answer}).status_code == 403
    assert browser.send("/audit/export", {**given, "format": "exe", "answer": answer}).status_code == 400
    assert [event for event in gb.journal() if event[0] == "export"] == before
    assert browser.send("/audit/export", {**given, "answer": answer}).status_code == 200
    assert browser.send("/audit/export", {**given, "answer": answer}).status_code == 403  # once
    assert "at most 2,000 lines (200 as PDF)" in browser.get("/audit/export").text


def test_a_pdf_is_short_and_says_that_there_is_more(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "ON_PAPER", 3)
    confirmation = Confirmation(said="{}", ticket=bytes(8), shown=None)
    for form, lines, more in (("pdf", 3, True), ("csv", 5, True)):
        found, _ = audit_export.export_list(gb.ports, gb.person("auditor"), files.Asked(what="events", limit=5), form, confirmation)
        assert (len(found.rows), found.more) == (lines, more)


def test_pages_are_small_and_whole(browser: Browser) -> None:
    paths = ["/audit/journal", "/audit/journal/1/3", "/audit/alarms", "/audit/mistakes", "/audit/witnesses", "/audit/checks"]
    paths += ["/audit/reconcile", "/audit/reasons", "/audit/urgent", "/audit/stats", "/audit/samples", "/audit/samples?log="]
    paths += ["/audit/export", "/audit/journal/1/3/open", "/audit/journal/1/3/finding", f"{FIRST}/finding"]
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        for path in paths:
            page = browser.get(path)
            assert page.status_code == 200, path
            assert len(page.content) < PAGE_BYTES, path
            tags = Shown(page.text).tags
            assert [tag for tag, _ in tags].count("h1") == 1, path
            names = [given["id"] for _, given in tags if given.get("id")]
            assert len(names) == len(set(names)), path
            labels = {given.get("for") for tag, given in tags if tag == "label"}
            inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea", "select"} and given.get("type") != "hidden"}
            assert inputs <= labels, path
            (title,) = re.findall(r"<title>([^<]*)</title>", page.text)
            assert not re.search("EXAMPLE|Thomas|spiffe", title)
