"""The console of one office in this process, and browsers of it."""

import re
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from html import unescape
from html.parser import HTMLParser
from typing import Any, NoReturn

from starlette.testclient import TestClient

from exchange.errors import NotFound, Refused
from exchange.v1.people_pb2 import ContactDesk
from node.console.assets import Assets
from node.console.service import Console
from node.console.site import Site
from node.console.visits import write_secret
from node.links.issuer_link import IssuerLink
from node.oidc import Client
from node.operations.log_walk import SharedLogs
from node.operations.sequence import sequence
from node.operations.sessions import begin_session
from node.operations.sign_in import enrol_officer
from node.operations.watchlist import Watchlists
from tests.authenticator import Authenticator
from tests.console_admin import admin_places
from tests.countries import BORDER, NGO, POLICE, agency
from tests.issuer import CLIENT, SyntheticIssuer
from tests.rig import Office

HOST = "kh.localhost"
ORIGIN = f"http://{HOST}:7447"
SAME = {"sec-fetch-site": "same-origin"}
NAVIGATED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
"""What browsers say when another site leads here."""
CHANNEL = "+855 23 000 000"
NO_ASSETS = Assets(version="0" * 16, by_name={})
"""Pages name their assets and are the same whether these were built."""


def nobody(_partner: str) -> AbstractContextManager[SharedLogs]:
    """Nobody is reached here."""
    raise NotFound("PARTNER_UNKNOWN", "synthetic")


class SilentIssuer:
    """An issuer that never answers."""

    client = Client(issuer="https://id.example", client_id=CLIENT)

    def metadata(self) -> NoReturn:
        raise Refused("OIDC_UNREACHABLE", "synthetic")

    def keys(self, **_: bool) -> NoReturn:
        self.metadata()

    def redeem(self, *_: str) -> NoReturn:
        self.metadata()


def site_of(office: Office, **changes: Any) -> Site:
    """The site for training on loopback, or with changes."""
    wanted = {
        "ports": office.ports,
        "host": HOST,
        "port": 7447,
        "zone": "Asia/Phnom_Penh",
        "stream_seconds": 0.0,
        "secure": False,
        "demo_sign_in": True,
        "desks": {agency(office.country, one): ContactDesk(unit="Example desk", channel=CHANNEL) for one in (BORDER, POLICE, NGO)},
        "release_together": lambda items: sequence(office.ports, list(items)),
        "connect": nobody,
        "watchlists": Watchlists(),
        "issuer": SilentIssuer(),
    }
    return Site(**{**wanted, **changes})


def issuer_link(issuer: SyntheticIssuer, *, secret: str = "", **client: Any) -> IssuerLink:
    """How a node asks it."""
    known = Client(**{"issuer": issuer.url, "client_id": CLIENT, **client})
    return IssuerLink(known, secret, ssl.create_default_context())


class Browser:
    """One browser of one console; keeps cookies, sends what browsers send."""

    def __init__(self, office: Office, site: Site | None = None, assets: Assets = NO_ASSETS) -> None:
        self.office = office
        self.site = site or site_of(office)
        self.console = Console(self.site, assets)
        # As browsers do on loopback, the client takes the address of this machine for as good as TLS: cookies are Secure.
        self.client = TestClient(
            self.console.application(), base_url=f"https://{self.site.authority}", follow_redirects=False, raise_server_exceptions=True
        )

    @property
    def origin(self) -> str:
        return self.site.relying_party.origin

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def fill(self, path: str) -> str:
        """A path with what an administrator's pages are about."""
        for place, value in admin_places(self.office).items():
            path = path.replace(place, value)
        return path

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Any:
        return self.client.post(path, data=dict(form), headers={**SAME, **headers})

    def send(self, path: str, form: Mapping[str, str], page: str = "/you") -> Any:
        """Send a form with the token of this session."""
        return self.post(path, {**form, "token": self.token(page)})

    def token(self, page: str = "/you") -> str:
        return field(self.get(page).text, "token")

    def code(self, name: str) -> str:
        """What an administrator gives to an officer."""
        return enrol_officer(self.office.ports, self.office.person("administrator"), self.office.person(name)).code

    def enter(self, name: str, by: str = "PASSKEY") -> "Browser":
        """Be signed in, as after showing a passkey."""
        with self.office.ports.store.write() as tx:
            secret = begin_session(self.office.ports, tx, self.office.person(name), by)
        self.client.cookies.set("__Host-session", write_secret(secret), domain=self.site.host, path="/")
        return self

    def enrol(self, name: str, key: Authenticator | None = None) -> Authenticator:
        """Enrol a passkey."""
        made = key or Authenticator(self.origin)
        assert self.answer_code(self.code(name), made).status_code == 303
        return made

    def answer_code(self, code: str, key: Authenticator) -> Any:
        page = self.post("/enrol", {"code": code}).text
        answer = key.create(options(page))
        return self.post("/enrol/passkey", {"code": code, "challenge": field(page, "challenge"), "answer": answer})

    def sign_in(self, key: Authenticator) -> Any:
        page = self.get("/sign-in").text
        return self.post("/sign-in", {"challenge": field(page, "challenge"), "answer": key.get(options(page))})


def field(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


def options(page: str) -> str:
    """What a page asks of an authenticator."""
    found = re.search(r'data-options="([^"]*)"', page)
    assert found
    return unescape(found[1])


class Shown(HTMLParser):
    """What a person reads of a page: (language, text) of each piece, and the tags."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._languages: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        language = given.get("lang") or (self._languages[-1][1] if self._languages else "")
        for name in ("aria-label", "title", "alt"):
            if given.get(name):
                self.texts.append((language, str(given[name])))
        if tag not in {"input", "meta", "link", "br", "hr", "img"}:
            self._languages.append((tag, language))

    def handle_endtag(self, tag: str) -> None:
        while self._languages and self._languages.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self._languages[-1] if self._languages else ("", "")
        if data.strip() and inside[0] not in {"script", "style"}:
            self.texts.append((inside[1], " ".join(data.split())))
