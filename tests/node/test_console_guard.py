"""The console's own rules (K1 to K5): which requests it takes, what every answer carries, and what no answer and no log tells."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from node.console import desk_pages, pages, visits
from node.console.languages import load_languages
from node.console.visits import HEADERS, LARGEST_FORM
from tests.authenticator import Authenticator
from tests.console_admin import address_of
from tests.console_site import HOST, NO_ASSETS, SAME, Browser, field, site_of
from tests.federation import federation
from tests.rig import Office

ANYWHERE = "/sign-in"


@pytest.fixture(scope="module")
def kh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with federation(tmp_path_factory.mktemp("kh"), "kh") as made:
        yield made["kh"]


@pytest.fixture
def border(kh: Office) -> Browser:
    return Browser(kh).enter("border")


def test_every_answer_has_the_headers(kh: Office, border: Browser) -> None:
    answers = [
        border.get("/you"),
        border.get("/"),
        border.get("/nothing"),
        border.get("/inbox/nothing"),
        border.client.put("/you"),
        border.client.post("/sign-out"),
        border.get("/you", host="evil.example"),
        Browser(kh).get("/you"),
        Browser(kh).get("/sign-in"),
        Browser(kh).get("/assets/x/y"),
    ]
    for answer in answers:
        assert dict(answer.headers).items() >= HEADERS.items(), answer
        assert "server" not in answer.headers
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert HEADERS["cache-control"] == "no-store"


_ADDRESSES = [
    "/",
    "/sign-in",
    "/sign-in/",
    "//sign-in",
    "/you/",
    "/inbox/?a=b",
    "/language/",
    "/nothing/",
    "/assets/x/y",
    "/assets/x/y/",
    "/%2e%2e/",
]


@pytest.mark.parametrize("path", _ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE"])
def test_no_kind_of_address_answers_another_name_or_leads_away(border: Browser, path: str, method: str) -> None:
    base = f"https://{border.site.authority}"
    evil = border.client.request(method, f"{base}{path}", headers={"host": "evil.example"})
    assert (evil.status_code, "location" in evil.headers) == (421, False)
    own = border.client.request(method, f"{base}{path}")
    assert own.headers.get("location", "/").startswith("/")
    for answer in (evil, own):
        assert dict(answer.headers).items() >= HEADERS.items(), answer


def test_what_fails_outside_every_page_is_answered_with_the_headers_too(
    border: Browser, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def defect(*_: Any) -> None:
        raise RuntimeError("a secret of EXAMPLE, Thomas")

    monkeypatch.setattr(border.console._pages, "trouble", defect)
    for path in ("/nothing", "/inbox/nothing"):
        with structlog.testing.capture_logs() as logged:
            answer = border.get(path)
        assert (answer.status_code, answer.text) == (500, "")
        assert dict(answer.headers).items() >= HEADERS.items()
        assert "Thomas" not in "".join(capfd.readouterr()) + str(logged)


def test_over_tls_browsers_are_told_to_keep_to_it(kh: Office) -> None:
    assert "strict-transport-security" not in Browser(kh).get(ANYWHERE).headers
    assert Browser(kh, site_of(kh, secure=True, demo_sign_in=False)).get(ANYWHERE).headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/sign-in", "/enrol", "/you", "/work", "/inbox"])
def test_no_page_has_a_script_or_a_style_of_its_own(border: Browser, path: str) -> None:
    for page in (border.get(path).text, Browser(border.office).get(path).text):
        assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:", page, re.IGNORECASE)
        assert not re.search(r"(?:src|href|action)=\"(?!/|#)", page), "every address is of this site"


def test_another_name_is_refused(kh: Office, border: Browser) -> None:
    for host in ("evil.example", HOST, f"{HOST}:1", "127.0.0.1:7447"):
        assert border.get("/you", host=host).status_code == 421
    twice = border.client.get("/you", headers=[("host", f"{HOST}:7447"), ("host", "evil.example")])
    assert twice.status_code == 421
    assert Browser(kh, site_of(kh, secure=True, port=443, demo_sign_in=False)).get(ANYWHERE).status_code == 200


@pytest.mark.parametrize("sent", [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}])
def test_a_form_of_another_site_changes_nothing(border: Browser, sent: dict[str, str]) -> None:
    form = {"token": border.token(), "language": "km"}
    for page in border.console.pages:
        if page.method == "POST":
            answer = border.client.post(page.path.replace("{alert}", "0" * 64), data=form, headers=sent)
            assert (answer.status_code, "CROSS_SITE" in answer.text) == (403, True), page.path
            assert "set-cookie" not in answer.headers
    assert border.get("/you").status_code == 200


def test_a_form_without_the_token_of_this_session_changes_nothing(kh: Office, border: Browser) -> None:
    other = Browser(kh).enter("border").token()
    assert other != border.token()
    for page in border.console.pages:
        if page.method != "POST":
            continue
        for token in ({}, {"token": ""}, {"token": other}, {"token": "é"}):
            answer = border.post(page.path.replace("{alert}", "0" * 64), {"language": "km", **token})
            assert (answer.status_code, "FORM_TOKEN" in answer.text) == (403, True), page.path
    assert border.send("/language", {"language": "km"}).status_code == 303


def test_what_was_typed_before_another_sign_in_is_shown_to_be_copied(kh: Office, border: Browser) -> None:
    old = border.token()
    border.enter("border")
    form = {"note": "Half a sentence\r\n<b>and</b> more", "once": "1" * 32, "answer": "SECRET", "code": "SECRET", "token": old}
    answer = border.post("/handover", form)
    assert (answer.status_code, "nothing was done" in answer.text) == (403, True)
    assert "Half a sentence" in answer.text
    assert "&lt;b&gt;and&lt;/b&gt; more" in answer.text
    assert not any(hidden in answer.text for hidden in ("SECRET", "1" * 32, old))
    assert "What was typed" not in Browser(kh).post("/handover", form).text + border.post("/sign-out", {"token": old}).text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"language=km", "text/plain"),
        (b"language=km", "multipart/form-data; boundary=x"),
        (b"language=km", ""),
        (b"language=km&language=th", "application/x-www-form-urlencoded"),
        (b"language", "application/x-www-form-urlencoded"),
        (b"language=%ff", "application/x-www-form-urlencoded"),
        ("language=ខ្មែរ".encode(), "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % number for number in range(60)), "application/x-www-form-urlencoded"),
        (b"language=" + b"k" * LARGEST_FORM, "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"language=xx", "application/x-www-form-urlencoded"),
        (b"language=km%0d%0aset-cookie:x=1", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused(kh: Office, body: bytes, kind: str) -> None:
    headers = {**SAME, **({"content-type": kind} if kind else {})}
    answer = Browser(kh).client.post("/language", content=body, headers=headers)
    assert (answer.status_code, "FORM" in answer.text) == (400, True)
    assert "set-cookie" not in answer.headers


def test_a_form_that_does_not_come_is_not_waited_for(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_request: Any) -> dict[str, str]:
        class Endless:
            headers = {"content-type": "application/x-www-form-urlencoded"}  # noqa: RUF012  a stand-in

            async def stream(self) -> Any:
                import asyncio

                await asyncio.sleep(5)
                yield b"language=km"

        return await visits.read_form(Endless(), seconds=0.05)  # type: ignore[arg-type]  # all of a request that is read

    monkeypatch.setattr("node.console.service.read_form", slow)
    assert Browser(kh).post("/language", {"language": "km"}).status_code == 400


def test_the_language_is_chosen_and_kept(kh: Office) -> None:
    browser = Browser(kh)
    assert '<html lang="en"' in browser.get(ANYWHERE).text
    assert '<html lang="vi"' in browser.get(ANYWHERE, **{"accept-language": "lo, vi;q=0.7, en;q=0.5"}).text
    assert browser.post("/language", {"language": "km"}).headers["location"] == "/"
    shown = browser.get(ANYWHERE, **{"accept-language": "vi"})
    assert '<html lang="km"' in shown.text
    assert shown.headers["content-language"] == "km"


def test_who_chooses_a_language_stays_on_the_page(border: Browser) -> None:
    page = "/inbox?page=0"
    at = field(border.get(page).text, "at")
    assert at == page
    answer = border.send("/language", {"language": "th", "at": at})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    for elsewhere in (
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "inbox",
        "/inbox\r\nset-cookie: x=1",
        "/inbox?a=b#c",
        "/%2f",
    ):
        answer = border.send("/language", {"language": "th", "at": elsewhere})
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), elsewhere


def test_who_chooses_a_language_where_a_form_was_answered_comes_back_to_the_page_of_the_form(kh: Office, border: Browser) -> None:
    answer = border.send("/handover", {"note": " ", "once": "1" * 32})
    assert (answer.status_code, field(answer.text, "at")) == (422, "/handover")
    administrator = Browser(kh).enter("administrator")
    officer = f"/admin/officers/{address_of(kh.person('police'))}"
    assert field(administrator.send(f"{officer}/forget", {}).text, "at") == officer, "what takes the form has no page of its own"


def test_a_defect_tells_nothing(border: Browser, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def defect(*_: Any) -> None:
        raise RuntimeError("a secret of EXAMPLE, Thomas")

    monkeypatch.setattr(desk_pages, "list_work", defect)
    with structlog.testing.capture_logs() as logged:
        answer = border.get("/work")
    assert (answer.status_code, "INTERNAL" in answer.text) == (500, True)
    assert "a secret" not in "".join(capfd.readouterr())
    assert "Thomas" not in answer.text + str(logged)
    assert logged[-1]["error"] == "RuntimeError"


def test_logs_name_codes_only(kh: Office) -> None:
    browser = Browser(kh)
    key = Authenticator("https://evil.example")
    with structlog.testing.capture_logs() as logged:
        browser.sign_in(key)
        browser.post("/enrol", {"code": "SECRET-CODE"})
        browser.get("/inbox/EXAMPLE-Thomas")
        browser.enter("border").get("/inbox/EXAMPLE-Thomas")
    assert {record["code"] for record in logged} == {"PASSKEY", "ENROLMENT_CODE", "PATH_UNKNOWN"}
    assert all(record.keys() <= {"event", "method", "code", "log_level"} for record in logged)
    assert "SECRET" not in str(logged)


def test_a_page_of_a_session_is_shown_to_nobody_else(kh: Office, border: Browser) -> None:
    assert border.get("/you").headers["cache-control"] == "no-store"
    signed_out = border.send("/sign-out", {})
    assert signed_out.headers["clear-site-data"] == '"cache", "storage"'
    assert Browser(kh).get("/you").headers["location"] == "/sign-in"


def test_forms_carry_no_secret_of_the_session(border: Browser) -> None:
    cookie = border.client.cookies.get("__Host-session") or ""
    assert cookie
    assert cookie not in border.get("/you").text
    assert field(border.get("/you").text, "token") not in cookie


def test_a_page_of_trouble_has_no_form_to_send(border: Browser) -> None:
    assert "<form" in border.get("/you").text
    assert "<form" not in border.get("/nothing").text


def test_there_is_a_language_file_for_each_language() -> None:
    files = {path.stem for path in (Path(visits.__file__).parent / "locale").glob("*.po")}
    assert {"en", *files} == set(load_languages()) >= {"km", "th", "vi"}
    assert NO_ASSETS.path("x").startswith("/assets/")


def test_words_that_no_catalogue_knows_are_text_not_markup() -> None:
    for language in load_languages().values():
        environment = pages._environment(language)
        shown = environment.from_string("{{ _(said) }}").render(said="<b>EXAMPLE</b>")
        assert shown == "&lt;b&gt;EXAMPLE&lt;/b&gt;"
