"""What axe-core does not judge: drawings, and pages in the few colours that a reader has chosen for everything (forced colours)."""

from typing import Any, Final

from playwright.sync_api import Page

TEXT_AT_LEAST: Final = 4.5
DRAWN_AT_LEAST: Final = 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11."""
_DRAWN: Final = """() => {
  const ground = (at) => {
    for (; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor
      if (!/, 0\\)$/.test(colour)) return colour
    }
  }
  return [...document.querySelectorAll('main svg :is(text, rect, path, line)')].map((one) => {
    const look = getComputedStyle(one)
    const paints = [[look.fill, look.fillOpacity], [look.stroke, look.strokeOpacity]].filter(([colour]) => colour !== 'none')
    return {name: `${one.tagName}.${one.getAttribute('class')}`, text: one.tagName === 'text', paints, ground: ground(one.parentElement)}
  })
}"""
_FORCED: Final = """() => {
  const found = []
  const called = (one) => `${one.tagName} ${one.getAttribute('class')} ${one.id || one.textContent.trim().slice(0, 30)}`
  const shown = (one) => one.checkVisibility({ visibilityProperty: true })
  const lined = (look, what) => look[`${what}Style`] !== 'none' && parseFloat(look[`${what}Width`]) >= 1
  for (const one of document.querySelectorAll('button:not(.govuk-visually-hidden), .govuk-button, .govuk-tag, .app-header__training')) {
    const look = getComputedStyle(one)
    if (shown(one) && !(lined(look, 'borderTop') && look.borderTopColor !== look.backgroundColor)) found.push(`no border: ${called(one)}`)
  }
  const ink = getComputedStyle(document.documentElement).color
  for (const one of document.querySelectorAll('main svg :is(text, rect, path, line)')) {
    const look = getComputedStyle(one)
    if (look.fill !== ink && look.stroke !== ink) found.push(`not in the reader's colour: ${called(one)}`)
  }
  const able = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])'
  for (const one of document.querySelectorAll(able)) {
    if (!shown(one) || one.disabled) continue
    // A box that is drawn beside a hidden input shows the focus in its place.
    const drawn = one.labels?.[0]
    const before = drawn && getComputedStyle(drawn, '::before').outlineStyle
    one.focus()
    const look = getComputedStyle(one)
    const beside = drawn && getComputedStyle(drawn, '::before')
    if (!(lined(look, 'outline') || (beside && before === 'none' && lined(beside, 'outline')))) found.push(`no focus: ${called(one)}`)
  }
  document.activeElement.blur()
  return found
}"""


def faint(page: Page) -> list[str]:
    """What of a page's drawings has too little contrast with what is behind it."""
    found = []
    for one in page.evaluate(_DRAWN):
        behind = _colour(one["ground"])
        best = max((_contrast(_over(_colour(paint), float(share), behind), behind) for paint, share in one["paints"]), default=1.0)
        if best < (TEXT_AT_LEAST if one["text"] else DRAWN_AT_LEAST):
            found.append(f"{one['name']}: {best:.1f} on {one['ground']}")
    return found


def lost_in_forced_colours(page: Page) -> list[str]:
    """Buttons and tags without a border, focus that is not seen, and drawings in colours that are not the reader's."""
    found: list[str] = page.evaluate(_FORCED)
    return found


def _colour(text: str) -> tuple[float, ...]:
    red, green, blue, *_ = (float(part) for part in text.partition("(")[2].rstrip(")").split(","))
    return red, green, blue


def _over(colour: tuple[float, ...], share: float, behind: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(share * one + (1 - share) * other for one, other in zip(colour, behind, strict=True))


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: tuple[float, ...]) -> float:
    parts: list[Any] = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)
