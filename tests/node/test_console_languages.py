"""The console's catalogues: complete, marked, without English in another language, in the templates' and components' words alike."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from node.console import languages, words
from node.console.compose_words import STEPS as DRAFT_STEPS
from node.console.languages import choose, load_languages
from node.console.tell_steps import STEPS
from node.console.tip_deeds import DEEDS
from node.console.words import english_words, texts_in
from node.operations.tip_form import begin_tip, submit_draft
from node.reading_texts import ENGLISH
from tests.console_site import Browser, Shown
from tests.console_site import field as hidden
from tests.countries import BORDER, POLICE, agency
from tests.drafts import begun
from tests.federation import Federation, federation
from tests.rig import draft
from tests.tips import new_id, takes_tips

pytestmark = pytest.mark.thorough

CONSOLE = Path(languages.__file__).parent
CODES = tuple(sorted(path.stem for path in (CONSOLE / "locale").glob("*.po")))
SAME_EVERYWHERE = {"INTERPOL"}
"""Names, not words."""
TEMPLATES = {"{date}, {time} ({zone})", "{date}, {time} UTC"}
"""No word in them; a language may write them otherwise."""
PYTHON = {"_said": None, "say": None, "count": (1, 2)}
AUDIT_PATHS = (
    "/audit",
    *("/audit/journal", "/audit/journal?code=x&since=x", "/audit/journal/1/0", "/audit/journal/1/0/open", "/audit/journal/1/0/finding"),
    *("/audit/alarms", "/audit/mistakes", "/audit/witnesses", "/audit/checks", "/audit/reconcile", "/audit/stats"),
    *("/audit/reasons?at_least=2", "/audit/urgent?since=", "/audit/samples", "/audit/samples?log=", f"/audit/alerts/{'0' * 64}"),
    *("/audit/export", "/audit/export?what=events&format=csv"),
    *("/audit/disclosures", "/audit/disclosures?outcome=EXCEPTED", "/audit/timeline?since=x", "/audit/flow"),
    *("/audit/disclosures/gb.alerts.example/kh.alerts.example/1/0", "/audit/disclosures/gb.alerts.example/kh.alerts.example/1/0/open"),
)
MARK = re.compile(r"unreviewed|reviewed by \S.*")


def source() -> tuple[set[str], dict[str, str]]:
    """Every text, and every text that counts with its plural, as they stand in the source."""
    texts: set[str] = set(english_words())
    plurals: dict[str, str] = {}
    for path in sorted(CONSOLE.glob("templates/*.html")):
        with path.open("rb") as file:
            for _, function, message, _ in babel_extract(file, ["_", "count"], [], {"trim_blocks": "true", "lstrip_blocks": "true"}):
                parts = message if isinstance(message, tuple) else (message,)
                if not parts[0]:
                    continue
                if function == "count":
                    plurals[parts[0]] = str(parts[1])
                else:
                    texts.add(parts[0])
    for path in sorted(CONSOLE.glob("*.py")):
        with path.open("rb") as file:
            for _, message, _, _ in extract("python", file, PYTHON):  # type: ignore[arg-type]  # its stubs want another IO
                if isinstance(message, tuple):
                    plurals[message[0]] = message[1]
                else:
                    texts.add(message)
    return texts, plurals


@pytest.fixture(scope="module", params=CODES)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with (CONSOLE / "locale" / f"{request.param}.po").open("rb") as file:
        return read_po(file, locale=request.param)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


def places(text: str) -> list[str]:
    """The places of a template, in the two ways in which they are written."""
    named = [name for _, name, _, _ in string.Formatter().parse(text) if name] if "{" in text else []
    return sorted(re.findall(r"%\(\w+\)s", text) + named)


def test_every_text_is_translated_and_no_other(catalogue: Catalog) -> None:
    texts, plurals = source()
    held = {message.id if isinstance(message.id, str) else message.id[0]: message for message in catalogue if message.id}
    assert set(held) == texts | set(plurals)
    for message in held.values():
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        identity = message.id if isinstance(message.id, str) else message.id[0]
        assert all(one.strip() for one in said), identity
        assert not message.fuzzy
        assert all(places(one) == places(identity) for one in said), identity
        if identity not in SAME_EVERYWHERE | TEMPLATES:
            assert identity not in said


def test_every_text_says_whether_a_native_reader_has_seen_it(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            assert len(message.user_comments) == 1, message.id
            assert MARK.fullmatch(message.user_comments[0]), message.id


def test_khmer_and_thai_are_written_in_their_own_script(catalogue: Catalog) -> None:
    block = {"km": (0x1780, 0x17FF), "th": (0x0E01, 0x0E5B)}.get(str(catalogue.locale))
    if block is None:
        return
    allowed = SAME_EVERYWHERE | TEMPLATES
    for message in catalogue:
        if message.id and message.id not in allowed:
            said = message.string if isinstance(message.string, str) else message.string[0]
            assert any(block[0] <= ord(sign) <= block[1] for sign in said), message.id


def test_a_text_that_is_missing_is_found() -> None:
    texts, _ = source()
    assert "Inbox" in texts
    assert "Came, and was refused entry" in texts
    assert "Name as in the document" in texts
    assert "very high" in texts


def pages_of(two: Federation) -> Iterator[tuple[str, str]]:
    """Every page in every language but English, with the words of the alert's own content left as they are."""
    digest = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE))).manifest_digest.hex()
    two.pump()
    takes_tips(two["kh"], contacts=())
    ngo = Browser(two["kh"]).enter("ngo")
    police = Browser(two["kh"]).enter("police")
    police_token = police.token()
    ngo_token, tip = ngo.token(), begin_tip(two["kh"].ports, two["kh"].person("ngo"), new_id(), "km")
    border, auditor, stranger = Browser(two["kh"]).enter("border"), Browser(two["kh"]).enter("auditor"), Browser(two["kh"])
    writer, written = Browser(two["kh"]).enter("liaison"), begun(two["kh"])
    writer_token = writer.token()
    border_token, code = border.token(), border.code("police")
    for language in CODES:
        chosen = {"cookie": f"__Host-language={language}; __Host-session={border.client.cookies.get('__Host-session')}"}
        other = {"cookie": f"__Host-language={language}; __Host-session={auditor.client.cookies.get('__Host-session')}"}
        for path in ("/work", "/inbox", f"/inbox/{digest}", f"/inbox/{digest}?reported", f"/inbox/{digest}/report", "/you", "/inbox/x"):
            yield language, border.get(path, **chosen).text
        wrong = border.post(f"/inbox/{digest}/report", {"token": border_token, "place": "ZZ", "remarks": ""}, **chosen)
        assert wrong.status_code == 422
        yield language, wrong.text
        for path in ("/you", "/work", *AUDIT_PATHS):
            yield language, auditor.get(path, **other).text
        tells = {"cookie": f"__Host-language={language}; __Host-session={ngo.client.cookies.get('__Host-session')}"}
        for path in ("", f"/{tip}/check", *(f"/{tip}/{step.name}" for step in STEPS)):
            yield language, ngo.get(f"/tell{path}", **tells).text
        for step, field in (("place", "day"), ("children", "count")):
            yield language, ngo.post(f"/tell/{tip}/{step}", {"token": ngo_token, field: "x"}, **tells).text
        sent = begin_tip(two["kh"].ports, two["kh"].person("ngo"), new_id(), "km")
        submit_draft(two["kh"].ports, two["kh"].person("ngo"), sent)
        yield language, ngo.get(f"/tell/{sent}?sent", **tells).text
        desks = {"cookie": f"__Host-language={language}; __Host-session={police.client.cookies.get('__Host-session')}"}
        for path in (
            "/tips",
            "/tips?all",
            f"/tips/{sent}",
            *(f"/tips/{sent}/{deed.name}" for deed in DEEDS),
            f"/inbox/{digest}/tip-status",
        ):
            yield language, police.get(path, **desks).text
        for path in (f"/tips/{sent}/close", f"/inbox/{digest}/tip-status"):
            yield language, police.post(path, {"token": police_token}, **desks).text
        writes = {"cookie": f"__Host-language={language}; __Host-session={writer.client.cookies.get('__Host-session')}"}
        drafts = (
            "",
            "/new",
            f"/{written}",
            f"/{written}/check",
            f"/{written}/discard",
            *(f"/{written}/step/{step}" for step in DRAFT_STEPS),
        )
        for path in drafts:
            yield language, writer.get(f"/drafts{path}", **writes).text
        for step, typed in (("documents", {"mrz": "X"}), ("person", {"f.birth.date": "x"})):
            version = hidden(writer.get(f"/drafts/{written}/step/{step}", **writes).text, "version")
            form = {**typed, "token": writer_token, "version": version, "action": "mrz"}
            yield language, writer.post(f"/drafts/{written}/step/{step}", form, **writes).text
        for path in ("/sign-in", "/enrol"):
            yield language, stranger.get(path, cookie=f"__Host-language={language}").text
        yield language, stranger.post("/enrol", {"code": code}, cookie=f"__Host-language={language}").text


def test_no_page_has_english_in_another_language(two: Federation) -> None:
    texts, plurals = source()
    english = {text for text in texts | set(plurals) if text not in SAME_EVERYWHERE}
    phrase = re.compile(r"\b(the|and|your|this|with|warning|error|menu|important|problem|success|skip)\b", re.IGNORECASE)
    seen = set()
    for language, page in pages_of(two):
        seen.add(language)
        for lang, text in Shown(page).texts:
            if lang == "en":
                continue
            assert text not in english, (language, text)
            assert not phrase.search(text), (language, text)
    assert seen == set(CODES)


def test_pages_say_in_which_language_their_parts_are(two: Federation) -> None:
    page = Browser(two["kh"]).get("/sign-in", cookie="__Host-language=km").text
    assert {("en", "English"), ("vi", "Tiếng Việt"), ("th", "ไทย"), ("km", "ខ្មែរ")} <= set(Shown(page).texts)


def test_dates_numbers_and_countries_are_of_the_language() -> None:
    spoken = load_languages()
    noon = 1_772_625_600_000  # 4 March 2026, 12:00 UTC
    assert spoken["en"].moment(noon, "Asia/Phnom_Penh") == "4 Mar 2026, 19:00 (Asia/Phnom_Penh)"
    assert spoken["th"].moment(noon, "Asia/Bangkok").startswith("4 มี.ค. 2026, 19:00")
    assert spoken["vi"].moment(noon, "No/Where").endswith("(UTC)")
    assert spoken["km"].moment(0) == ""
    thai = texts_in(spoken["th"])
    assert thai.countries["GBR"] == "สหราชอาณาจักร"
    assert thai.countries["UTO"].startswith("ยูโทเปีย")
    assert thai.months[0] == "มกราคม"
    english = texts_in(spoken["en"])
    assert english.label("primary_name") == ENGLISH.label("primary_name")
    assert english.months == ENGLISH.months
    assert {english.value(name, "") for name in words.enum_values()} == set(words.enum_values().values())
    assert spoken["en"].count("%(num)s more is not shown.", "%(num)s more are not shown.", 1200) == "1,200 more are not shown."
    assert spoken["en"].count("%(num)s more is not shown.", "%(num)s more are not shown.", 1) == "1 more is not shown."


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        ("", "", "en"),
        ("km", "vi", "km"),
        ("xx", "vi", "vi"),
        ("", "km-KH, en;q=0.5", "km"),
        ("", "en;q=0.4, th;q=0.9", "th"),
        ("", "th;q=0", "en"),
        ("", "lo, *;q=0.1", "en"),
        ("", "th;q=x, VI", "vi"),
        ("", ",".join(["zz"] * 30) + ",th", "en"),
        ("", "th\r\nx: y", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_browsers(chosen: str, accepted: str, spoken: str) -> None:
    assert choose(load_languages(), chosen, accepted).code == spoken


@pytest.mark.parametrize(
    ("chosen", "accepted", "own", "spoken"),
    [
        ("", "", "km", "km"),
        ("", " ", "km", "km"),
        ("", "*", "km", "km"),
        ("", "", "xx", "en"),
        ("th", "", "km", "th"),
        ("", "en", "km", "en"),
        ("", "lo", "km", "en"),
    ],
)
def test_a_browser_that_asks_for_nothing_is_answered_in_the_language_of_the_node(chosen: str, accepted: str, own: str, spoken: str) -> None:
    assert choose(load_languages(), chosen, accepted, own).code == spoken
