"""Screening in the console: a list by upload or pasted, what is proposed with why, and nothing of anybody else; hostile forms and lists."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from exchange.errors import Malformed
from exchange.v1 import desk_service_pb2
from node.console import screen_pages
from node.console.languages import load_languages
from node.console.screen_pages import EXPLAINED, PROBLEMS, WARNINGS
from node.console.uploads import LARGEST_UPLOAD, read_upload
from node.console.visits import LARGEST_FORM
from node.matching import manifest
from node.matching.proposals import Proposal
from node.operations.screen import screen
from node.operations.watchlist import Watchlists
from tests.console_site import SAME, Browser, Shown, site_of
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

HEAD = "family_name,given_names,birth_date,sex,nationality,document_number,document_issuer,service\n"
SOUGHT = "EXAMPLE,THOMAS SPECIMENMR,1961-04-12,M,GBR,X7654321,GBR,XX17\n"
INNOCENT = "BYSTANDER,QUITE UNINVOLVED,1977-08-09,F,FRA,Y1112223,FRA,XX17\n"
HIDDEN = "\N{REPLACEMENT CHARACTER}"
WHY = "A synthetic arrival"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def digest(two: Federation) -> str:
    published = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
    two.pump()
    return published.manifest_digest.hex()


@pytest.fixture(scope="module")
def kh(two: Federation, digest: str) -> Office:
    return two["kh"]


@pytest.fixture
def border(kh: Office) -> Browser:
    return Browser(kh).enter("border")


def upload(browser: Browser, data: bytes | None, *, name: str = "list.csv", **form: str) -> Any:
    fields = {"token": browser.token(), "why": WHY, "format": "UNSPECIFIED", "pasted": "", **form}
    return browser.client.post("/screen", data=fields, files={"list": (name if data else "", data or b"")}, headers=SAME)


def listed(*lines: str) -> bytes:
    return (HEAD + "".join(lines)).encode()


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def test_a_hit_is_told_with_its_reasons_and_nobody_else_is(border: Browser, digest: str) -> None:
    answer = upload(border, listed(INNOCENT, SOUGHT))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    said = texts(answer.text)
    assert "2 travellers were compared, with 1 alert in force. Flight or sailing:" in said
    assert any(text.startswith("Each is a proposal to look, nothing more.") for text in said)
    for wanted in ("Passenger 2:", "EXAMPLE", "THOMAS SPECIMENMR", "1961-04-12", "X7654321", "the same word", "the same sex"):
        assert wanted in said, wanted
    assert f'href="/inbox/{digest}"' in answer.text
    assert f'href="/inbox/{digest}/report"' in answer.text
    assert "NOT_THIS_PERSON" in border.get(f"/inbox/{digest}/report").text
    for absent in ("BYSTANDER", "UNINVOLVED", "1977", "Y1112223", "list.csv"):
        assert absent not in answer.text, absent


def test_the_points_of_the_lines_are_those_of_the_proposal(border: Browser) -> None:
    said = upload(border, listed(SOUGHT)).text
    points = float(re.findall(r">([\d.]+), of [\d.]+ needed<", said)[0])
    lines = [float(one.replace("+", "")) for one in re.findall(r"<td>([+-][\d.]+)</td></tr>", said)]
    assert len(lines) >= 4
    assert abs(sum(lines) - points) <= 0.1 * len(lines)


def test_where_nobody_is_proposed_nothing_is_said_of_anybody(border: Browser) -> None:
    answer = upload(border, listed(INNOCENT))
    assert "Nobody is proposed." in texts(answer.text)
    assert "That is no clearance: an alert may know too little of a person, or the list may." in texts(answer.text)
    assert not re.search("BYSTANDER|UNINVOLVED|1977|Y1112223|/inbox/[0-9a-f]", answer.text)


def test_a_pasted_list_does_as_well(border: Browser) -> None:
    pasted = listed(SOUGHT).decode().replace("\n", "\r\n")
    assert "X7654321" in upload(border, None, pasted=pasted).text
    assert "X7654321" in border.send("/screen", {"pasted": pasted, "why": WHY}).text


def test_a_paxlst_message_is_read(border: Browser) -> None:
    head = b"UNA:+.? 'UNB+UNOA:4+A+B+1'UNH+1+PAXLST:D:02B'TDT+20+XX17'"
    paxlst = head + b"NAD+FL+++EXAMPLE:THOMAS:SPECIMEN'ATT+2++M'DTM+329:610412'UNT+1+1'UNZ+1+1'"
    assert "Passenger 1:" in texts(upload(border, paxlst).text)
    assert "Passenger 1:" in texts(upload(border, None, pasted=paxlst.decode()).text)
    marked = paxlst.decode().replace("UNOA", "UNOC").replace("THOMAS", "THOMÁS")
    answer = upload(border, None, pasted=marked)
    assert (answer.status_code, PROBLEMS["PASTED_SIGNS"] in answer.text) == (422, True)
    assert "Passenger 1:" in texts(upload(border, marked.encode("latin-1")).text)


def test_screening_is_recorded_first_and_nothing_of_the_list_is(kh: Office, border: Browser) -> None:
    before = len(kh.journal())
    with structlog.testing.capture_logs() as logged:
        upload(border, listed(INNOCENT, SOUGHT), name="EXAMPLE-Thomas.csv")
    assert [(kind, code) for kind, _, _, code in kh.journal()[before:]] == [("combination", "SCREENED")]
    assert not re.search("EXAMPLE|BYSTANDER|X7654321", str(logged) + str(kh.journal()))


@pytest.mark.parametrize(
    ("data", "form", "code"),
    [
        (None, {}, "LIST_MISSING"),
        (listed(SOUGHT), {"pasted": "family_name"}, "LIST_TWICE"),
        (listed(SOUGHT), {"format": "XML"}, "CODE_MISSING"),
        (listed(SOUGHT), {"why": "  "}, "REASON_MISSING"),
        (listed(SOUGHT), {"why": "x" * 501}, "REASON_MISSING"),
        (b"  \n ", {}, "MANIFEST_EMPTY"),
        (listed(), {}, "MANIFEST_NOBODY"),
        (listed(INNOCENT * 5001), {}, "MANIFEST_PASSENGERS"),
        (b"x" * (manifest.LARGEST + 1), {}, "MANIFEST_TOO_LARGE"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(kh: Office, border: Browser, data: bytes | None, form: dict[str, str], code: str) -> None:
    before = kh.journal()
    answer = upload(border, data, **form)
    assert (answer.status_code, texts(answer.text).count(PROBLEMS[code])) == (422, 2), "in the summary and beside the field"
    assert kh.journal() == before
    assert "Error: Screen a passenger list" in answer.text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("family_name\nÄ\n".encode("latin-1"), "as a table"),
        (b"family_name\n\x00\n", "as a table"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "as a table"),
        (b"<script>alert(1)</script>", "as a table"),
        (b"UNB+UNOA:4+A'UNH+1+SECRET:D'", "as PAXLST"),
        (b"UNB+UNOZ:4+A'", "as PAXLST"),
        (b"UNA:+.? 'UNB+UNOA:4+A+B+1'UNH+1+PAXLST:D:02B'NAD+FL+++SECRET:PERSON", "as PAXLST"),
    ],
)
def test_what_is_no_list_is_refused_without_its_content(border: Browser, data: bytes, words: str) -> None:
    answer = upload(border, data)
    assert (answer.status_code, f"cannot be read {words}" in answer.text) == (422, True)
    assert "The node says, in English:" in answer.text
    assert "alert(1)" not in answer.text
    assert "SECRET" not in answer.text


def test_names_of_the_list_are_text_and_do_not_reorder(border: Browser) -> None:
    evil = "EXAMPLE,THOMAS SPECIMEN <b>x</b>\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE},1961-04-12,M,GBR,X7654321,GBR,<i>XX17\n"
    answer = upload(border, listed(evil))
    assert "Passenger 1:" in texts(answer.text)
    assert "<b>x" not in answer.text
    assert "<i>XX" not in answer.text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in answer.text
    assert "<bdi>THOMAS SPECIMEN &lt;b&gt;x&lt;/b&gt;" in answer.text


def test_letters_that_look_like_others_are_marked(border: Browser) -> None:
    assert "Look-alike letters" not in upload(border, listed(SOUGHT)).text
    page = upload(border, listed(SOUGHT.replace("EXAMPLE", "EX\N{CYRILLIC CAPITAL LETTER A}MPLE"))).text
    heading = page[page.index('id="hit-1"') : page.index("</h2>", page.index('id="hit-1"'))]
    assert '<strong class="govuk-tag govuk-tag--yellow">Look-alike letters: U+0410</strong>' in heading
    assert page.count("Look-alike letters: U+0410") >= 1


def test_what_was_pasted_stands_in_the_form_again_as_text(border: Browser) -> None:
    page = upload(border, None, pasted="family_name\n</textarea><script>x</script>", why="").text
    assert "&lt;/textarea&gt;&lt;script&gt;" in page
    assert "<script>x" not in page
    assert "y" * 10_001 not in upload(border, None, pasted="y" * 10_001, why="").text


def test_what_is_opened_from_here_leaves_the_page_where_it_is(border: Browser, digest: str) -> None:
    page = upload(border, listed(*[SOUGHT] * (EXPLAINED + 1))).text
    links = [given for tag, given in Shown(page).tags if tag == "a" and digest in (given.get("href") or "")]
    assert {given["href"] for given in links} == {f"/inbox/{digest}", f"/inbox/{digest}/report"}
    assert all((given.get("target"), given.get("rel")) == ("_blank", "noopener") for given in links)
    described = [given for tag, given in Shown(page).tags if given.get("aria-describedby") == "tabs"]
    assert len(described) == len(links)  # the list of those that are not explained is described as a whole
    assert 'id="tabs">(opens in a new tab)</p>' in page


def test_a_chance_beyond_the_estimate_is_no_number_of_its_own(border: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proposal, "one_stranger_in", 7 * 10**12)
    said = texts(upload(border, listed(SOUGHT)).text)
    assert "fewer than one stranger of such a name in 2,000,000,000" in said
    monkeypatch.setattr(Proposal, "one_stranger_in", 1_500_000)
    assert "one stranger of such a name in 1,500,000" in texts(upload(border, listed(SOUGHT)).text)


def test_what_was_left_aside_of_a_passenger_stands_beside_the_passenger(border: Browser) -> None:
    page = upload(border, listed(INNOCENT, SOUGHT.replace("1961-04-12", "12/04/1961"))).text
    hit = page[page.index("<section") : page.index("</section>")]
    assert WARNINGS["BIRTH_UNREADABLE"] in hit


def test_what_was_left_aside_is_said_by_place(border: Browser) -> None:
    answer = upload(border, listed("BYSTANDER,QUITE,1977-99-99,F,FRANCE,,,\n"))
    said = " ".join(texts(answer.text))
    assert f"Passenger 1: {WARNINGS['BIRTH_UNREADABLE']}" in said
    assert WARNINGS["COUNTRY_UNKNOWN"] in said
    assert "BYSTANDER" not in answer.text


def test_many_proposals_fit_on_a_page(border: Browser, digest: str) -> None:
    answer = upload(border, listed(*[SOUGHT] * 250))
    assert answer.text.count("<section") == EXPLAINED
    assert answer.text.count(f'href="/inbox/{digest}"') == EXPLAINED + 1
    assert f"{digest[:12]}</a>: 8, 9, 10," in answer.text
    assert "199, 200</li>" in answer.text
    assert "50 more were left off" in answer.text


def test_a_page_of_many_alerts_is_no_larger_than_others(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def many(*asked: Any) -> desk_service_pb2.ScreenPassengersResponse:
        answer = screen(*asked)
        (one,) = answer.proposals
        for number in range(199):
            other = answer.proposals.add()
            other.CopyFrom(one)
            other.alert.manifest_digest = number.to_bytes(32, "big")
        return answer

    monkeypatch.setattr(screen_pages, "screen", many)
    for language in load_languages():
        browser = Browser(kh).enter("border")
        browser.client.cookies.set("__Host-language", language, domain=browser.site.host, path="/")
        page = upload(browser, listed(SOUGHT)).content
        assert (page.count(b"<section"), page.count(b"<li><a href=")) == (EXPLAINED, 200 - EXPLAINED)
        assert len(page) <= 60_000, (language, len(page))


def test_an_alert_of_ones_own_stands_among_what_was_sent(two: Federation, kh: Office) -> None:
    own = kh.publish(draft(agency("gb", POLICE))).manifest_digest.hex()
    page = upload(Browser(kh).enter("liaison"), listed(SOUGHT)).text
    assert f'href="/sent/{own}"' in page
    assert f"/inbox/{own}" not in page


def test_what_another_desk_found_to_be_somebody_else_is_not_proposed_again(border: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    other = SOUGHT.replace("X7654321", "Z0000001")
    assert "Passenger 1:" in texts(upload(border, listed(other)).text)
    monkeypatch.setattr(screen_pages, "suppressed", lambda _ports, _tx, hits: set(hits))
    page = upload(border, listed(other)).text
    assert "1 is not proposed again: found before to be somebody else." in page
    assert "Z0000001" not in page


def test_who_may_screen(kh: Office) -> None:
    for name in ROLES:
        browser = Browser(kh).enter(name)
        wanted = 403 if name in {"auditor", "administrator"} else 200
        assert browser.get("/screen").status_code == wanted, name
        assert upload(browser, listed(INNOCENT)).status_code == wanted, name
        assert ('href="/screen"' in browser.get("/you").text) == (wanted == 200)


def test_the_index_is_that_of_the_site(kh: Office) -> None:
    lists = Watchlists()
    upload(Browser(kh, site_of(kh, watchlists=lists)).enter("border"), listed(SOUGHT))
    assert lists._lists.keys() == {agency("kh", BORDER)}


def body(*parts: bytes, boundary: bytes = b"xyz", end: bytes = b"--\r\n") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + end


def part(name: str, content: bytes = b"x", *, file: str = "", more: bytes = b"") -> bytes:
    named = f'; filename="{file}"' if file else ""
    return f'Content-Disposition: form-data; name="{name}"{named}\r\n'.encode() + more + b"\r\n" + content


LIST = part("list", listed(SOUGHT), file="a.csv", more=b"Content-Type: text/csv\r\n")


def send(browser: Browser, data: bytes, kind: str = "multipart/form-data; boundary=xyz") -> Any:
    return browser.client.post("/screen", content=data, headers={**SAME, "content-type": kind})


def test_a_form_as_browsers_write_it_is_read(border: Browser) -> None:
    good = [part("token", border.token().encode()), part("why", b"x"), LIST]
    assert "X7654321" in send(border, body(*good)).text
    assert "X7654321" in send(border, body(*good, end=b"--")).text
    assert "X7654321" in send(border, body(*good), 'multipart/form-data; boundary="xyz"').text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"preamble\r\n" + body(LIST),
        body(LIST) + b"after",
        body(LIST, end=b""),
        body(LIST, LIST),
        body(LIST, part("list", b"again", file="b.csv")),
        body(part("other", b"x", file="a.csv")),
        body(part("why"), part("why")),
        body(part("why", b"\xff")),
        body(part("why", more=b"Content-Transfer-Encoding: base64\r\n")),
        body(part("why", more=b'Content-Disposition: form-data; name="b"\r\n')),
        body(part("list", b"x", more=b"Content-Type: multipart/mixed\r\n\r\nnested: ") + b"\r\n--xyz"),
        body(b'Content-Disposition: attachment; name="list"\r\n\r\nx'),
        body(b"\r\nno head"),
        body(b"no head"),
        body(part("../why")),
        body(*[part(f"f{'x' * number}") for number in range(30)]),
        body(LIST, boundary=b"other"),
    ],
)
def test_what_is_no_such_form_is_refused(kh: Office, border: Browser, data: bytes) -> None:
    before = kh.journal()
    answer = send(border, data)
    assert (answer.status_code, "FORM" in answer.text) == (400, True)
    assert kh.journal() == before


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/csv",
        "multipart/form-data",
        "multipart/mixed; boundary=xyz",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x;y",
    ],
)
def test_only_one_kind_of_form_has_a_file(border: Browser, kind: str) -> None:
    answer = send(border, body(part("token", border.token().encode()), LIST), kind)
    assert (answer.status_code, "FORM" in answer.text) == (400, True)


def test_no_other_page_takes_a_file(border: Browser) -> None:
    for page in border.console.pages:
        assert (page.upload == "list") == ((page.method, page.path) == ("POST", "/screen"))
    answer = border.client.post("/language", data={"token": border.token(), "language": "km"}, files={"list": b"x"}, headers=SAME)
    assert (answer.status_code, "FORM" in answer.text) == (400, True)


def test_a_file_that_is_too_large_is_not_kept(border: Browser) -> None:
    answer = upload(border, b"x" * LARGEST_UPLOAD)
    assert (answer.status_code, "UPLOAD_TOO_LARGE" in answer.text) == (400, True)
    assert "Split it" in answer.text
    plain = border.send("/screen", {"pasted": "x" * LARGEST_FORM})
    assert (plain.status_code, "FORM" in plain.text) == (400, True)


def test_from_whoever_is_not_signed_in_no_file_is_read(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.console.service.read_upload", None)
    answer = Browser(kh).client.post("/screen", files={"list": b"x"}, headers=SAME)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_file_needs_the_origin_and_the_token_as_any_form(kh: Office, border: Browser) -> None:
    other = Browser(kh).enter("border").token()
    before = kh.journal()
    for token in ("", other):
        answer = upload(border, listed(SOUGHT), token=token)
        assert (answer.status_code, "FORM_TOKEN" in answer.text) == (403, True)
    for site in ("cross-site", "same-site", "none"):
        form = {"token": border.token(), "why": WHY}
        answer = border.client.post("/screen", data=form, files={"list": listed(SOUGHT)}, headers={"sec-fetch-site": site})
        assert (answer.status_code, "CROSS_SITE" in answer.text) == (403, True)
    assert kh.journal() == before


def test_a_file_that_does_not_come_is_not_waited_for() -> None:
    class Endless:
        headers = {"content-type": "multipart/form-data; boundary=x"}  # noqa: RUF012  a stand-in

        async def stream(self) -> Any:
            yield b"--x\r\n"
            await asyncio.sleep(5)

    with pytest.raises(Malformed) as refused:
        asyncio.run(read_upload(Endless(), "list", seconds=0.05))  # type: ignore[arg-type]  # all of a request that is read
    assert refused.value.code == "FORM"
