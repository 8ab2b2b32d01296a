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
    return _lines(page.evaluate(_RUN, list(rules)))


def faults_beside_policy(page: Page) -> list[str]:
    """The same where the page's policy holds: what a debugger evaluates is not subject to it."""
    # It ends with its page: to detach it takes the page's authenticator away as well.
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": f"{SOURCE};0"})
    answer = session.send("Runtime.evaluate", {"expression": f"({_RUN})([])", "awaitPromise": True, "returnByValue": True})
    return _lines(answer["result"]["value"])


def _lines(found: dict[str, Any]) -> list[str]:
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
