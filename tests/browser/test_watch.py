"""The watch over the browser sees what it is there to see; otherwise all that it finds nothing on would prove nothing."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser import axe, colours
from tests.browser.chromium import Watch, window
from tests.browser.world import World

pytestmark = pytest.mark.system


def watch_of(world: World) -> Watch:
    return Watch(hosts=frozenset({urlsplit(world.origin).netloc}))


@pytest.mark.parametrize(
    ("does", "noted"),
    [
        ("document.body.append(Object.assign(document.createElement('script'), {src: '/x.js', textContent: ''}))", "TrustedScriptURL"),
        ("document.body.insertAdjacentHTML('beforeend', '<p>')", "CSP require-trusted-types-for"),
        ("document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))", "CSP style-src-elem"),
        ("new Image().src = 'http://elsewhere.example/'", "a request left the consoles"),
        ("setTimeout(() => { throw new Error('planted') })", "script: planted"),
        ("history.pushState(null, '', '/inbox?name=Specimen')", "personal data in the address"),
    ],
)
def test_what_a_page_must_not_do_is_noted(browser: Browser, shown: World, does: str, noted: str) -> None:
    watch = watch_of(shown)
    with window(browser, watch) as page:
        page.goto(f"{shown.origin}/sign-in")
        watch.done()
        page.evaluate(f"() => {{ try {{ {does} }} catch {{}} }}")
        page.wait_for_timeout(200)
        with pytest.raises(AssertionError, match=noted):
            watch.done()


def test_a_persons_name_in_a_title_is_noted(browser: Browser, shown: World) -> None:
    watch = watch_of(shown)
    with window(browser, watch) as page:
        page.route("**/sign-in", lambda route: route.fulfill(body="<title>Specimen</title>", content_type="text/html"))
        page.goto(f"{shown.origin}/sign-in")
        with pytest.raises(AssertionError, match="personal data in the title"):
            watch.done()


def test_what_some_people_could_not_use_is_found(browser: Browser, shown: World) -> None:
    with window(browser, watch_of(shown), bypass_csp=True) as page:
        page.goto(f"{shown.origin}/enrol")
        assert axe.faults(page) == []
        page.evaluate("document.querySelector('label').remove(); document.querySelector('h1').style.color = '#ccc'")
        assert {fault.split()[0] for fault in axe.faults(page)} >= {"label", "color-contrast"}


def test_what_some_people_could_not_see_is_found(browser: Browser, shown: World) -> None:
    with window(browser, watch_of(shown), bypass_csp=True) as page:
        shown.enter(page.context, "auditor")
        page.goto(f"{shown.origin}/audit/flow")
        assert colours.faint(page) == []
        page.evaluate(
            "document.querySelector('svg text').style.fill = '#999'; document.querySelector('svg path').style.strokeOpacity = '.2'"
        )
        assert [fault.partition(":")[0] for fault in colours.faint(page)] == ["path.app-chart__band", "text.app-chart__text"]
        page.reload()
        page.emulate_media(forced_colors="active")
        assert colours.lost_in_forced_colours(page) == []
        for what, how in (("svg rect", "fill: red; stroke: none"), ("main a", "outline: none"), (".app-plain-button", "border: 0")):
            page.eval_on_selector(what, "(one, how) => { one.style.cssText = how }", how)
        found = {fault.partition(":")[0] for fault in colours.lost_in_forced_colours(page)}
        assert found == {"not in the reader's colour", "no focus", "no border"}
