"""A page gone through with the tabulator, from its top until the focus leaves it."""

from typing import Any, Final

from playwright.sync_api import Page

# What has the focus is noted by the page itself, since each question to it costs more than a key.
_WATCH: Final = """() => {
  const able = 'a[href], button, input:not([type=hidden]), select, textarea, summary'
  const shown = (one) => one.checkVisibility({ visibilityProperty: true })
  const scrolls = (one) => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth
  for (const one of document.querySelectorAll('details')) one.open = true
  const all = [...document.querySelectorAll('*')].filter((one) =>
    shown(one) && !one.disabled && !one.matches('[aria-hidden=true]') && (one.matches(able) || one.tabIndex >= 0 || scrolls(one)))
  // Of radios the tabulator takes the one that is chosen, or else the first; arrows go through the others.
  const chosen = (one) => {
    const group = all.filter((other) => other.type === 'radio' && other.name === one.name && other.form === one.form)
    return group.find((other) => other.checked) ?? group[0]
  }
  const expected = all.filter((one) => one.type !== 'radio' || chosen(one) === one)
  const called = (one) => [one.tagName, one.id || one.name || one.className, one.textContent.trim().slice(0, 40)].join(' ')
  const outline = (look) => look.outlineStyle === 'none' || /^rgba.*, 0\\)$/.test(look.outlineColor) ? 'none' : look.outline
  const part = (look) => [outline(look), look.boxShadow, look.backgroundColor].join()
  // A box that is drawn beside a hidden input shows the focus in its place.
  const look = (one) => [part(getComputedStyle(one)), one.labels?.[0] ? part(getComputedStyle(one.labels[0], '::before')) : ''].join()
  const still = new Map(expected.map((one) => [one, look(one)]))
  window.keys = { expected: expected.map(called), found: [], unseen: [] }
  document.addEventListener('focusin', ({ target }) => {
    window.keys.found.push(called(target))
    const place = target.getBoundingClientRect()
    const wide = place.width > 1 && place.right > 0 && place.left < innerWidth
    const inside = wide && place.height > 1 && place.bottom > 0 && place.top < innerHeight
    if (look(target) === still.get(target) || !inside) window.keys.unseen.push(called(target))
  })
  // From the top, wherever the page has put the focus.
  document.body.tabIndex = -1
  document.body.focus()
  document.body.removeAttribute('tabindex')
  window.keys.found.length = window.keys.unseen.length = 0
  // Within a date the tabulator goes from day to month to year to the calendar.
  return expected.length + 3 * expected.filter((one) => one.type === 'date').length
}"""
_TABULATOR: Final = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
_LEFT: Final = "() => ({ ...window.keys, left: document.activeElement === document.body })"
_SKIP: Final = "() => { const skip = document.querySelector('.govuk-skip-link'); skip?.focus(); return !!skip }"
_IN_MAIN: Final = (
    "() => [document.activeElement.id, !!document.activeElement.closest('main, footer') || document.activeElement === document.body]"
)


def faults(page: Page) -> list[str]:
    """What is not reached in the order in which it stands, what does not show that it has the focus, and where the focus is caught."""
    number = page.evaluate(_WATCH)
    # A key that stays down: half the way of one that is pressed and let go.
    session = page.context.new_cdp_session(page)
    for _ in range(number + 1):
        session.send("Input.dispatchKeyEvent", _TABULATOR)
    said: dict[str, Any] = page.evaluate(_LEFT)
    found = [f"nothing shows the focus on {one}" for one in said["unseen"]]
    expected, reached = said["expected"], said["found"]
    if reached[: len(expected)] != expected:
        found.append(_difference(expected, reached))
    # Without a frame around the page Chromium begins anew.
    elif not said["left"] and reached[len(expected) :] != expected[:1]:
        found.append("the focus does not leave the page")
    return found if _skips(page) else [*found, "the skip link leads past nothing"]


def _skips(page: Page) -> bool:
    if not page.evaluate(_SKIP):
        return False
    page.keyboard.press("Enter")
    landed, _ = page.evaluate(_IN_MAIN)
    page.keyboard.press("Tab")
    _, beyond = page.evaluate(_IN_MAIN)
    return landed == "main-content" and beyond


def _difference(expected: list[str], found: list[str]) -> str:
    at = next(
        (place for place, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), min(len(expected), len(found))
    )
    return f"at {at} comes {found[at : at + 2]}, not {expected[at : at + 2]} ({len(found)} of {len(expected)})"
