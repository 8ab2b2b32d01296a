"""Persons of an office who confirm with passkeys of their own, as the console asks them to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from node.confirmations import Confirmation
from node.console.challenges import Challenges
from node.console.confirm import Confirming
from node.console.languages import load_languages
from node.console.visits import Visit
from tests.authenticator import Authenticator
from tests.console_site import ORIGIN, Browser, options, site_of
from tests.rig import Office


@dataclass
class Hands:
    """One passkey for each person, made when it is first used."""

    office: Office
    keys: dict[str, Authenticator] = field(default_factory=dict)

    def key(self, name: str) -> Authenticator:
        """That person's passkey."""
        if name not in self.keys:
            new = Authenticator(ORIGIN, credential=len(self.keys).to_bytes(32, "big"))
            self.keys[name] = Browser(self.office).enrol(name, new)
        return self.keys[name]

    def confirm(self, name: str, action: str, values: Mapping[str, Any]) -> Confirmation:
        """What is kept once that person has confirmed it."""
        key = self.key(name)
        confirming = Confirming(site_of(self.office), Challenges(self.office.ports))
        asked = confirming.ask(self._visit(name), action, values)
        return confirming.take(self._visit(name, ticket=asked.ticket, answer=key.get(asked.options)), action, values)

    def _visit(self, name: str, **form: str) -> Visit:
        person, language = self.office.person(name), load_languages()["en"]
        return Visit(person=person, secret=b"\x01" * 32, began_by="PASSKEY", language=language, place={}, query={}, form=form)


def entered(office: Office, name: str, hands: Hands) -> Browser:
    """A browser in which that person came in with their passkey."""
    hands.key(name)
    return Browser(office).enter(name)


def signed(page: str, key: Authenticator) -> dict[str, str]:
    """All that the form of a page that asks for a passkey sends, once the person has touched it."""
    inside = page.partition("data-passkey")[2].partition("</form>")[0]
    hidden = dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', inside))
    return {name: unescape(value) for name, value in hidden.items()} | {"answer": key.get(options(page))}
