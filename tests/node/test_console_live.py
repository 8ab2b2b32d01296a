"""While an alert is written, its pages say what each recipient would see of it, field by field and as it will be read."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2
from node.console import preview_reading
from node.console.preview_words import recipient_reference
from node.operations import draft_box
from node.operations.draft_box import DraftContent
from node.operations.preview import preview
from node.operations.replacement_draft import begin_replacement
from tests.console_site import Browser, Shown, field
from tests.countries import BORDER, NGO, POLICE, TRAVEL, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.node.test_console_release import DOCUMENT
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
VN_POLICE, VN_BORDER = agency("vn", POLICE), agency("vn", BORDER)
NOBODY = "spiffe://kh.alerts.example/agency/made-up"
SECRET = "Zyx Unsaid"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement("gb", "kh"), "gb-kh-travelalert-border", approvals=1))
        yield made


def drafted(gb: Office, *to: str, **more: Any) -> str:
    document: Any = {**DOCUMENT, "recipients": list(to), **more}
    return f"/drafts/{draft_box.create(gb.ports, gb.person('liaison'), DraftContent(document=document, reason='why')).id.hex()}"


def rows(page: str) -> list[str]:
    """What a page says of each recipient, and then of what is wrong."""
    inside = page.partition('data-live-list="recipients"')[2].partition("</ul>")[0]
    return [" ".join(text for _, text in Shown(f"<li {row}").texts) for row in inside.split("<li ")[1:]]


def typed(browser: Browser, address: str, step: str, **changes: str) -> dict[str, str]:
    """What the form of a step sends, with changes."""
    page = browser.get(f"{address}/step/{step}").text
    form = dict(re.findall(r'<input[^>]* name="(f\.[^"]*)" value="([^"]*)"', page))
    ticked = re.findall(r'type="checkbox"[^>]* name="(f\.[^"]*)" value="1" checked', page)
    form = {name: value for name, value in form.items() if "=" not in name} | dict.fromkeys(ticked, "1")
    selects = re.findall(r'<select[^>]*name="(f\.[^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL)
    form |= {name: re.findall(r'value="([^"]*)" selected', inside)[0] for name, inside in selects}
    form |= dict(re.findall(r'<textarea[^>]*name="(f\.[^"]*)"[^>]*>\n([^<]*)</textarea>', page))
    return form | {"version": field(page, "version")} | changes


def test_each_page_of_a_draft_says_what_the_preview_says_in_numbers(gb: Office) -> None:
    address = drafted(gb, KH_BORDER, KH_POLICE, NOBODY)
    browser = Browser(gb).enter("liaison")
    preview = " ".join(text for _, text in Shown(browser.get(f"{address}/preview").text).texts)
    for path in (address, f"{address}/step/send", f"{address}/step/names"):
        page = browser.get(path).text
        assert f'href="{address}/preview"' in page
        found = rows(page)
        police, border = (next(row for row in found if name in row) for name in ("anti-trafficking", "immigration"))
        said = re.search(r"shown: (\d+ of \d+)", police)
        assert said
        assert said[1] in preview
        assert "once a second officer has approved it" in border
        assert "once a second officer" not in police
        refused = next(row for row in found if "made-up" in row)
        assert "The agreement does not name this agency" in refused
        assert "shown" not in refused
        assert "problem" in found[-1].lower()


def test_who_is_told_of_nobody_in_particular_is_named_everywhere_and_stops_nothing(gb: Office) -> None:
    words, alert = "Nothing by which they could recognise the person", dict(DOCUMENT["alert"])  # type: ignore[call-overload]  # of JSON
    for name in ("risk_level", "risk_narrative"):
        del alert[name]
    less: Any = {"alert": alert}
    address = drafted(gb, KH_POLICE, KH_NGO, **less)
    browser = Browser(gb).enter("liaison")
    # In the panel the line of that recipient, and on the preview its part; not that of the police, who are given name and passport.
    assert [words in row for row in rows(browser.get(address).text) if "problem" not in row.lower()] == [False, True]
    preview = browser.get(f"{address}/preview").text
    assert [words in part.partition("</section>")[0] for part in preview.split('<section class="app-recipient"')[1:]] == [False, True]
    assert words in preview.partition('id="found"')[2].partition("</section>")[0]
    checked = " ".join(text for _, text in Shown(browser.get(f"{address}/check").text).texts)
    assert re.search(rf"child-helpline[^:]*: *{words}", checked)
    sign = browser.send(f"{address}/preview", {"preview": field(preview, "preview"), "reason": "why"})
    assert (sign.status_code, sign.text.count(words)) == (200, 1)
    assert re.search(r"shown: \d+ of 34; “not known”: \d+", " ".join(text for _, text in Shown(sign.text).texts))


def test_what_is_being_typed_is_answered_and_neither_kept_nor_recorded(gb: Office) -> None:
    gb.publish(draft(KH_POLICE))
    address = drafted(gb, KH_POLICE)
    browser = Browser(gb).enter("liaison")
    form = typed(browser, address, "send")
    token = browser.token()
    before, recorded = rows(browser.get(address).text), gb.journal()
    held = draft_box.get(gb.ports, gb.person("liaison"), bytes.fromhex(address[-32:]))
    recorded = gb.journal()
    same = browser.post(f"{address}/step/send/live", {**form, "token": token})
    assert (same.status_code, rows(same.text)) == (200, before)
    fewer = browser.post(f"{address}/step/send/live", {**form, "token": token, "f.leave_out=risk_narrative": "1"})
    (row,) = [one for one in rows(fewer.text) if "anti-trafficking" in one]
    assert "left out: 1" in row
    nobody = browser.post(f"{address}/step/send/live", {**{k: v for k, v in form.items() if "recipients" not in k}, "token": token})
    assert rows(nobody.text)[0].startswith("Nobody yet.")
    names = browser.post(f"{address}/step/names/live", {"f.names[0].as_written": SECRET, "version": "1", "token": token})
    assert names.status_code == 200
    assert SECRET not in names.text
    # Nothing of it is recorded: whoever types reads nothing but what they type, and nobody looked who else tells of the person.
    assert gb.journal() == recorded
    after = draft_box.get(gb.ports, gb.person("liaison"), held.id)
    assert (after.version, after.content) == (held.version, held.content)


def test_only_its_author_types(gb: Office) -> None:
    address = drafted(gb, KH_POLICE)
    other = Browser(gb).enter("second")
    page = other.get(f"{address}/step/send").text
    assert "data-live=" not in page
    assert rows(page)
    assert other.send(f"{address}/step/send/live", {"version": "1"}).status_code == 403
    own = Browser(gb).enter("liaison")
    assert f'data-live="{address}/step/send/live"' in own.get(f"{address}/step/send").text
    assert own.send(f"{address}/step/nothing/live", {"version": "1"}).status_code == 404
    assert own.send(f"/drafts/{'0' * 32}/step/send/live", {"version": "1"}).status_code == 404


def test_of_an_alert_that_takes_anothers_place_it_names_everybody_who_was_told(two: Federation, gb: Office) -> None:
    digest = gb.publish(draft(KH_POLICE)).manifest_digest.hex()
    held = begin_replacement(gb.ports, gb.person("liaison"), digest, "")
    assert isinstance(held, draft_box.HeldDraft)
    rest = {name: value for name, value in held.content.document.items() if name != "recipients"}
    content = DraftContent(document=rest, replaces=held.content.replaces)
    draft_box.change(gb.ports, gb.person("liaison"), held.id, 1, lambda _: content)
    page = Browser(gb).enter("liaison").get(f"/drafts/{held.id.hex()}").text
    assert "anti-trafficking" in rows(page)[0]
    assert "shown: " in rows(page)[0]


def test_many_recipients_are_not_all_beside_the_form(gb: Office) -> None:
    many = [f"spiffe://kh.alerts.example/agency/made-up-{number}" for number in range(15)]
    found = rows(Browser(gb).enter("liaison").get(drafted(gb, *many)).text)
    assert (len(found), found[12]) == (14, "and 3 more")


WORDS = {
    "SHOWN": "shown",
    "SHOWN_NOT_KNOWN": "“not known”",
    "NEEDS_REASON": "needs a reason",
    "UNTICKED": "left out",
    "FORBIDDEN": "withheld",
}


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh", with_clause(agreement("gb", "kh"), "gb-kh-travelalert-border", approvals=1))
        moved = with_clause(agreement("gb", "vn"), "gb-vn-travelalert-police", on_request=[13, 23, 24])
        kept = [number for clause in moved.clauses if clause.id == "gb-vn-travelalert-police" for number in clause.permitted]
        narrow = [number for number in kept if number not in {13, 23, 24}]
        made.connect("gb", "vn", with_clause(moved, "gb-vn-travelalert-police", permitted=narrow))
        yield made


def table(page: str) -> str:
    """The table of a page, field by field; empty where nobody is given anything."""
    found = re.findall(r'<table class="govuk-table govuk-table--small-text-until-tablet">.*?</table>', page, re.DOTALL)
    return found[0] if found and "<bdi>" in found[0] else ""


def cells(made: str) -> tuple[list[str], list[list[str]]]:
    """Whom the columns are for, and each row as it reads, its name first."""
    said = [
        [" ".join(text for _, text in Shown(cell).texts) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in made.split("<tr")[1:]
    ]
    return said[0][1:], said[1:]


def drafts(chance: random.Random) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Drafts to this and that one, that say more or less, leave this out and open that."""
    names = [field.name for field in alert_type(TRAVEL).fields]
    said: Any = DOCUMENT["alert"]
    for _ in range(14):
        to = chance.sample([KH_BORDER, KH_POLICE, KH_NGO, VN_POLICE, VN_BORDER, NOBODY], chance.randint(0, 5))
        alert = {name: value for name, value in said.items() if chance.random() < 0.8}
        opened = [
            {"recipient": one, "field": name, "ground": "RISK_TO_CHILD"}
            for one in to
            for name in chance.sample(["risk_level", "risk_narrative", "appearance", "sex"], chance.randint(0, 2))
        ]
        yield to, {"alert": alert, "leave_out": chance.sample(names, chance.randint(0, 4)), "on_request": opened}


@pytest.mark.parametrize("seed", [5, 6])
def test_field_by_field_it_says_what_the_preview_says_and_what_the_plan_decides(three: Federation, seed: int) -> None:
    gb, seen, many = three["gb"], set(), 0
    browser = Browser(gb).enter("liaison")
    for to, more in drafts(random.Random(seed)):
        address = drafted(gb, *to, **more)
        shown = table(browser.get(f"{address}/preview").text)
        form = {**typed(browser, address, "send"), "token": browser.token()}
        pages = [browser.get(address), browser.get(f"{address}/step/send"), browser.post(f"{address}/step/send/live", form)]
        assert [table(page.text) for page in pages] == [shown] * 3
        # What the table ought to say, by the operation that the command line asks.
        read = draft_box.read_draft(gb.ports, gb.person("liaison"), bytes.fromhex(address[-32:]))
        planned = [one for one in preview(gb.ports, gb.person("liaison"), read.draft).recipients if one.fields]
        assert bool(planned) == bool(shown)
        if not shown:
            continue
        many += len(planned)
        columns, lines = cells(shown)
        assert len(columns) == len(planned)
        names = [desk_service_pb2.Visibility.Name(field.visibility).removeprefix("VISIBILITY_") for one in planned for field in one.fields]
        wanted = [[WORDS[name] for name in names[place :: len(planned[0].fields)]] for place in range(len(planned[0].fields))]
        assert [line[1:] for line in lines[:-3]] == wanted
        for line, word in ((lines[-3], "shown"), (lines[-2], "“not known”")):
            assert line[1:] == [f"{sum(row[place] == word for row in wanted)} of {len(wanted)}" for place in range(len(planned))]
        assert lines[-1][1:] == [one.clause for one in planned]
        seen |= set(names)
    assert seen == set(WORDS), "every state came up"
    assert many > 8


@pytest.mark.parametrize("correction", ["", "FACTUAL_ERROR"])
def test_of_a_replacement_it_says_what_its_preview_says_and_nobody_looks_who_else_tells(three: Federation, correction: str) -> None:
    gb = three["gb"]
    gb.publish(draft(KH_POLICE))
    digest = gb.publish(draft(KH_POLICE, VN_BORDER)).manifest_digest.hex()
    held = begin_replacement(gb.ports, gb.person("liaison"), digest, correction, ("birth",) if correction else ())
    assert isinstance(held, draft_box.HeldDraft)
    browser, address = Browser(gb).enter("liaison"), f"/drafts/{held.id.hex()}"
    shown = table(browser.get(f"{address}/preview").text)
    assert "border-guard" in shown
    form = {**typed(browser, address, "send"), "token": browser.token()}
    recorded = gb.journal()
    assert table(browser.post(f"{address}/step/send/live", form).text) == shown
    assert gb.journal() == recorded, "each letter that is typed would be a comparison"


def test_it_is_read_as_the_desk_will_in_its_language_and_is_saved_without_scripts(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_reading, "languages_at", lambda *_: ("km",))
    address = drafted(gb, KH_BORDER, KH_POLICE)
    browser, reader = Browser(gb).enter("liaison"), recipient_reference(KH_POLICE)

    def read(page: str) -> list[str]:
        inside = page.partition('<div lang="km" class="app-lang-km">')[2].partition("</article>")[0].rpartition("</div>")[0]
        return [text for _, text in Shown(inside).texts]

    whole = browser.get(f"{address}/preview/{reader}").text.partition("</form>\n</div>")[2].partition("</main>")[0]
    wanted = [text for _, text in Shown(whole).texts]
    assert "Thomas Specimen" in " ".join(wanted)
    assert "Facts" not in " ".join(wanted)
    for path in (address, f"{address}/step/send", f"{address}/step/names"):
        page = browser.get(f"{path}?reader={reader}").text
        assert read(page) == wanted
        assert page.count("<h1") == 1
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert f'value="{reader}" data-key="{reader}" selected' in page
    # As it is typed, and as it is saved by the button beside it.
    form = typed(browser, address, "names") | {"f.primary_name.as_written": "OTHER, Specimen"}
    answer = browser.post(f"{address}/step/names/live", {**form, "reader": reader, "token": browser.token()})
    assert "OTHER, Specimen" in " ".join(read(answer.text))
    saved = browser.post(f"{address}/step/names", {**form, "reader": reader, "action": "read", "token": browser.token()})
    assert (saved.status_code, saved.headers["location"]) == (303, f"{address}/step/names?reader={reader}#read")
    assert "OTHER, Specimen" in " ".join(read(browser.get(saved.headers["location"]).text))
    # Nobody's eyes, a stranger's, and whoever is given nothing.
    for name in ("", "0" * 16, "<b>", recipient_reference(NOBODY)):
        page = browser.get(f"{address}?reader={name}").text
        assert "<article" not in page
        assert "<b>" not in page


def test_a_colleague_reads_it_without_a_form_to_save(gb: Office) -> None:
    address, reader = drafted(gb, KH_POLICE), recipient_reference(KH_POLICE)
    page = Browser(gb).enter("second").get(f"{address}/step/send?reader={reader}").text
    assert "<article" in page
    assert 'value="read"' not in page
    assert '<form method="get" action="#read">' in page


def test_it_stays_light_with_three_recipients_and_every_field(three: Federation) -> None:
    gb = three["gb"]
    address = drafted(gb, KH_BORDER, KH_POLICE, VN_POLICE)
    browser, reader = Browser(gb).enter("liaison"), recipient_reference(KH_POLICE)
    for code in ("en", "km", "th", "vi"):
        for path in (address, f"{address}/step/send", f"{address}/step/journey"):
            assert len(browser.get(f"{path}?reader={reader}", **{"accept-language": code}).content) < 60_000, (code, path)
