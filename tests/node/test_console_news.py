"""N1 to N3: a page learns that something has come, and nothing else; it keeps no session alive, and the streams are bounded."""

import asyncio
import contextlib
import http.client
import re
import socket
import time
from collections.abc import AsyncIterator

import pytest

from node.console import news
from node.console.news import News
from node.console.service import Console
from node.console.visits import HEADERS, write_secret
from node.httpd import HttpListener
from node.operations.sessions import IDLE_MS, begin_session, end_session, watch_session
from tests.console_site import HOST, NO_ASSETS, Browser, site_of
from tests.countries import BORDER, agency
from tests.federation import Federation
from tests.rig import Office, draft

PATH = "/inbox/news"


def tell(two: Federation) -> str:
    published = two["gb"].publish(draft(agency("kh", BORDER)))
    two.pump()
    return published.manifest_digest.hex()


def secret_of(office: Office, name: str = "border") -> bytes:
    with office.ports.store.write() as tx:
        return begin_session(office.ports, tx, office.person(name), "PASSKEY")


def versions(text: str) -> list[str]:
    return re.findall(r"^event: inbox\ndata: (\w+)$", text, re.MULTILINE)


def test_n1_a_stream_says_the_version_and_nothing_else(two: Federation, kh: Office) -> None:
    browser = Browser(kh).enter("border")
    before = browser.get(PATH)
    assert before.headers["content-type"].startswith("text/event-stream")
    assert dict(before.headers).items() >= HEADERS.items()
    digest = tell(two)
    after = browser.get(PATH)
    for answer in (before, after):
        assert re.fullmatch(r"retry: 5000\n\nevent: inbox\ndata: [0-9a-f]{16}\n\n", answer.text)
    assert before.text != after.text
    assert digest[:8] not in after.text
    assert "connect-src 'self'" in HEADERS["content-security-policy"]


def test_n1_a_page_knows_its_own_version_and_has_a_link_that_waits(two: Federation, kh: Office) -> None:
    browser = Browser(kh).enter("border")
    for path in ("/inbox", "/work"):
        page = browser.get(path).text
        (known,) = re.findall(r'data-news="/inbox/news" data-version="(\w+)"><p [^>]*hidden><a [^>]*href="([^"]+)"', page)
        assert known == (versions(browser.get(PATH).text)[0], path)
    assert "data-news" not in Browser(kh).enter("administrator").get("/work").text


def test_n1_another_agencys_alert_is_no_news(two: Federation, kh: Office) -> None:
    police = Browser(kh).enter("police")
    before = police.get(PATH).text
    tell(two)
    assert police.get(PATH).text == before


def test_n1_to_be_told_is_no_consultation(two: Federation, kh: Office) -> None:
    browser = Browser(kh).enter("border")
    before = len(kh.journal())
    browser.get(PATH)
    assert len(kh.journal()) == before


def test_n2_a_stream_keeps_no_session_alive(kh: Office) -> None:
    browser = Browser(kh).enter("border")
    for _ in range(3):
        kh.clock.pass_(IDLE_MS // 3)
        answer = browser.get(PATH)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_n2_a_session_that_is_watched_is_as_it_was(kh: Office) -> None:
    secret = secret_of(kh)
    kh.clock.pass_(IDLE_MS - 1)
    assert watch_session(kh.ports, secret)
    kh.clock.pass_(1)
    assert watch_session(kh.ports, secret) is None


def opened(kh: Office, **changes: object) -> News:
    return News(site_of(kh, stream_seconds=60.0, **changes))


async def begun(made: News, secret: bytes) -> AsyncIterator[str]:
    """A stream that has said its first version."""
    stream = made._events(secret)
    assert "retry: 5000" in await anext(stream)
    assert versions(await anext(stream))
    return stream


async def over(stream: AsyncIterator[str]) -> bool:
    """Whether it ends, and says nothing more before."""
    async with asyncio.timeout(10):
        return await anext(stream, "") == ""


def test_n2_a_stream_ends_with_its_session(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "_EVERY", 0.05)

    async def run() -> None:
        secret = secret_of(kh)
        made = opened(kh)
        stream = await begun(made, secret)
        end_session(kh.ports, secret)
        assert await over(stream)
        assert not made._open

    asyncio.run(run())


def test_n3_the_newest_two_of_a_session_stay(kh: Office) -> None:
    async def run() -> None:
        made = opened(kh)
        first, second, third = [await begun(made, secret) for secret in [secret_of(kh)] * 3]
        assert await over(first)
        assert [len(streams) for streams in made._open.values()] == [2]
        for stream in (second, third):
            await stream.aclose()  # type: ignore[attr-defined]  # a generator
        assert not made._open

    asyncio.run(run())


def test_n3_there_are_so_many_in_all(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "IN_ALL", 1)

    async def run() -> None:
        made = opened(kh)
        kept = await begun(made, secret_of(kh))
        refused = made._events(secret_of(kh))
        assert [part async for part in refused] == ["retry: 60000\n\n"]
        await kept.aclose()  # type: ignore[attr-defined]  # a generator

    asyncio.run(run())


def test_n3_a_stream_tells_what_comes_and_does_not_hold_up_a_node_that_stops(
    two: Federation, kh: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "_EVERY", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = site_of(kh, port=port, stream_seconds=60.0)
    serving = HttpListener(f"127.0.0.1:{port}", Console(site, NO_ASSETS).application(), "console")
    serving.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    stopped_in = 0.0
    try:
        cookie = f"__Host-session={write_secret(secret_of(kh))}"
        connection.request("GET", PATH, headers={"Host": f"{HOST}:{port}", "Cookie": cookie})
        answer = connection.getresponse()
        first = answer.readline() + answer.readline() + answer.readline() + answer.readline() + answer.readline()
        tell(two)
        second = answer.readline() + answer.readline()
        assert len(set(versions((first + second).decode()))) == 2
    finally:
        begun_at = time.monotonic()
        kh.ports.signals.stop()  # as a node does first
        serving.stop()
        stopped_in = time.monotonic() - begun_at
        with contextlib.suppress(OSError):
            connection.close()
    assert stopped_in < 4, "the stream ended by itself, before it would have been cut"
