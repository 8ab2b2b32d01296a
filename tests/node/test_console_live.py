"""While an alert is written, its pages say what each recipient would see of it, by the plan of the release and in numbers alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.operations import draft_box
from node.operations.draft_box import DraftContent
from node.operations.glance import glance
from node.operations.replacement_draft import begin_replacement
from tests.console_site import Browser, Shown, field
from tests.countries import BORDER, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.node.test_console_release import DOCUMENT
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
NOBODY = "spiffe://kh.alerts.example/agency/made-up"
SECRET = "Zyx Unsaid"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement("gb", "kh"), "gb-kh-travelalert-border", approvals=1))
        yield made


@pytest.fixture
def gb(two: Federation) -> Office:
    return two["gb"]


def drafted(gb: Office, *to: str, **more: Any) -> str:
    document: Any = {**DOCUMENT, "recipients": list(to), **more}
    return f"/drafts/{draft_box.create(gb.ports, gb.person('liaison'), DraftContent(document=document, reason='why')).id.hex()}"


def rows(page: str) -> list[str]:
    """What a page says of each recipient, and then of what is wrong."""
    inside = page.partition("data-live-list")[2].partition("</ul>")[0]
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
    fields = draft_box.read_draft(gb.ports, gb.person("liaison"), bytes.fromhex(address[-32:]))
    for one in glance(gb.ports, gb.person("liaison"), fields.held.content, fields.draft):
        assert one.denied or one.shown + one.on_request + one.left_out + one.withheld == one.fields


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
