"""What axe-core finds on a page. It is put in from outside the page, in a window that does not hold to the page's policy."""

from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

SOURCE: Final = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_RUN: Final = "(rules) => axe.run({resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})})"


def faults(page: Page, *rules: str) -> list[str]:
    """One line for each element that breaks a rule; with `rules`, these alone."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(SOURCE)
    found: dict[str, Any] = page.evaluate(_RUN, list(rules))
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
