"""One request to the console: whose it is, what it says, and whether it may come from where it comes from. And the answer's headers."""

import asyncio
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from exchange.errors import ExchangeError, Malformed, NotFound, Refused
from node.console.languages import Language

LARGEST_FORM: Final = 64 * 1024
_FIELDS_AT_MOST: Final = 400
"""Of the longest form: one step of an alert with many legs or convictions."""
BODY_SECONDS: Final = 10.0
FORM: Final = "application/x-www-form-urlencoded"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}")
_HERE: Final = re.compile(r"/(?!/)[A-Za-z0-9/._~-]{0,300}(\?[A-Za-z0-9=&%+._~*-]{0,1500})?")
TOKEN: Final = "token"  # noqa: S105  its name
"""The form field that proves that a page of this very session was filled in."""

_OWN_FIELDS: Final = frozenset({TOKEN, "ticket", "challenge", "answer", "code", "at"})
_MADE: Final = re.compile(r"yes|[0-9a-f]{32,}")

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
        "payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Of every answer; assets may be cached, nothing else."""
TLS_HEADERS: Final[Mapping[str, str]] = {"strict-transport-security": "max-age=31536000"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Visit:
    """One request that may be answered. It has no repr: what a person wrote must not reach a log by a traceback."""

    person: str
    """SPIFFE ID; empty where nobody is signed in."""
    secret: bytes
    """Of the session; empty likewise."""
    began_by: str
    """By what the session began: a code of the journal's SIGN_IN; empty likewise."""
    language: Language
    place: Mapping[str, str]
    """What stands in the path."""
    query: Mapping[str, str]
    form: Mapping[str, str]
    attempt: bytes = b""
    """Of what this browser was sent to an issuer with; empty for nothing."""
    upload: bytes = b""
    """The file that came with the form; empty for none."""
    at: str = ""
    """The address of the page that is read; of what answers a form, the page of the form."""
    wanted: str = ""
    """The cookie of `node.console.way_back`; empty for none."""
    idle_seconds: int = 0
    """How long the session stands if nobody uses it."""
    whole_seconds: int = 0
    """How long it stands in any case."""
    ended: str = ""
    """Why the session ended that the browser still shows: a code of `sessions.Ended`; empty for none."""

    @property
    def reason(self) -> str:
        """Why, in the person's own words, on one line; empty if the form does not say."""
        return " ".join(self.form.get("reason", "").split())

    @property
    def ticked_fields(self) -> list[int]:
        """Numbers of the alert's fields that were ticked in the form, ascending."""
        found = {name.removeprefix("field-") for name, value in self.form.items() if name.startswith("field-") and value == "yes"}
        return sorted(int(one) for one in found if one.isascii() and one.isdigit() and len(one) <= 2)

    @property
    def back(self) -> str:
        """Where who chose a language was before."""
        return safe_path(self.form.get("at", ""))

    def digest(self, name: str = "alert") -> str:
        """The digest that stands in the path, in hex: of a person it says nothing, and there is nothing to guess.

        Raises `NotFound` (PATH_UNKNOWN) for anything else.
        """
        return self._named(name, _DIGEST)

    def identifier(self, name: str) -> bytes:
        """The 16 bytes that stand in the path, likewise. Raises as `digest`."""
        return bytes.fromhex(self._named(name, _IDENTIFIER))

    def _named(self, name: str, pattern: re.Pattern[str]) -> str:
        if not pattern.fullmatch(self.place[name]):
            raise NotFound("PATH_UNKNOWN", "there is no such page")
        return self.place[name]

    @property
    def token(self) -> str:
        """For the forms of this session."""
        return form_token(self.secret)

    @property
    def who(self) -> str:
        """By what the windows of one browser know whether they are the same person's."""
        return sha256(b"exchange console person\0" + self.person.encode()).hexdigest()[:16]


class Elsewhere(ExchangeError):
    """The person is to go to another page first."""

    def __init__(self, path: str) -> None:
        super().__init__("ELSEWHERE", "see the other page")
        self.path = path


class SignInFirst(Elsewhere):
    """Nobody is signed in. `person`: who was until now, empty if that is not known."""

    def __init__(self, person: str = "") -> None:
        super().__init__("/sign-in")
        self.person = person


def safe_path(path: str) -> str:
    """A page of this console, for nothing else begins with one slash; else the first one."""
    return path if _HERE.fullmatch(path) else "/"


def form_token(secret: bytes) -> str:
    """What the forms of a session carry: follows from its secret, and tells nothing of it."""
    return sha256(b"exchange console form\0" + secret).hexdigest() if secret else ""


def check_origin(request: Request) -> None:
    """Refuse what another site's page made a browser send. Raises `Refused` (CROSS_SITE)."""
    if not is_from_here(request):
        raise Refused("CROSS_SITE", "forms are taken from the console's own pages only, by browsers that say so")


def is_from_here(request: Request) -> bool:
    """Whether a page of this site led here, as browsers say."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def was_linked(request: Request) -> bool:
    """Whether another site led a whole window to a page, so that the session's cookie stayed at home."""
    said = [request.headers.get(f"sec-fetch-{name}") for name in ("site", "mode", "dest")]
    return request.method == "GET" and said == ["cross-site", "navigate", "document"]


def check_return(request: Request) -> None:
    """Refuse what is no navigation of a whole window, or says anything twice. Raises `Refused` (CROSS_SITE), `Malformed` (FORM).

    Where it comes from is not asked: it comes from another site. The attempt's cookie says whether this browser was sent there.
    """
    if (request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest")) != ("navigate", "document"):
        raise Refused("CROSS_SITE", "an issuer sends the whole window back")
    if len(request.query_params.multi_items()) != len(request.query_params):
        raise no_form()


def check_token(visit: Visit) -> None:
    """Refuse a form that is not of this session. Raises `Refused` (FORM_TOKEN)."""
    if not hmac.compare_digest(visit.form.get(TOKEN, "").encode(), visit.token.encode()):
        raise Refused("FORM_TOKEN", "this form belongs to another session: open the page again")


def typed_in(form: Mapping[str, str]) -> list[str]:
    """What of a form a person may have typed; not what its page put in, nor what opens a door."""
    return [said for name, said in form.items() if name not in _OWN_FIELDS and len(said) > 1 and not _MADE.fullmatch(said)]


async def read_form(request: Request, *, seconds: float = BODY_SECONDS) -> dict[str, str]:
    """The fields of a form, each once. Raises `Malformed` (FORM)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise no_form()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_FORM:
                    raise no_form()
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=_FIELDS_AT_MOST
        )
    except (TimeoutError, ClientDisconnect, ValueError):
        raise no_form() from None
    if len(dict(pairs)) != len(pairs):
        raise no_form()
    return dict(pairs)


def read_secret(cookie: str) -> bytes:
    """The secret that a cookie holds; empty for what can be none."""
    try:
        secret = urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
    except ValueError:
        return b""
    return secret if write_secret(secret) == cookie else b""


def write_secret(secret: bytes) -> str:
    """The cookie for a secret."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def no_form() -> Malformed:
    """What says that a form cannot be read."""
    return Malformed("FORM", "the form is too large, too slow or none")
