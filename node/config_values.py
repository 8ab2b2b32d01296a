"""The values of a node's configuration: what each kind of key may be, from a TOML file or from the environment.

What is wrong is said as what it should have been, never with the value.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from exchange.errors import Malformed
from exchange.retention import LONGEST_DAYS
from exchange.values import PartyId

AGENCY_CLASSES: Final = ("BORDER", "POLICE", "PROSECUTION", "SOCIAL", "NGO")
ROLES: Final = ("liaison officer", "partner officer", "auditor", "administrator")
MAIL_TLS: Final = ("starttls", "tls", "none")
MINUTES_AT_MOST: Final = 7 * 24 * 60
PASSED_ON: Final = frozenset({"email", "name", "nickname", "phone_number", "preferred_username", "unique_name", "upn"})
"""Claims by which no person is known (OpenID Connect Core 1.0, section 5.7): an issuer may give them to the next one."""

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_WEB_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


class Wrong(Exception):
    """What a value should have been."""


def from_environment(kind: str, text: str) -> object:
    """What a file would have held instead of this text, as far as that can be told; the kind then checks it."""
    if kind == "flag":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "seconds" and text.isdecimal():
        return int(text)
    if kind == "texts":
        return [part.strip() for part in text.split(",")]
    if kind in {"days", "minutes"}:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text
    return text


def _text(value: object, _directory: Path) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong("a text that is not empty")
    return value


def _flag(value: object, _directory: Path) -> bool:
    if not isinstance(value, bool):
        raise Wrong("true or false")
    return value


def _texts(value: object, _directory: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise Wrong("a list of at least one text")
    return tuple(value)


def _days(value: object, _directory: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_DAYS:
        raise Wrong(f"a number of days from 1 to {LONGEST_DAYS}")
    return value


def _days_by_type(value: object, directory: Path) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, dict):
        raise Wrong("a table of days by type of alert, e.g. Tip = 90")
    return tuple((name, _days(days, directory)) for name, days in value.items())


def _path(value: object, directory: Path) -> Path:
    return (directory / _text(value, directory)).resolve()


def _uri(value: object, directory: Path) -> str:
    text = _text(value, directory)
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in {"file", "pkcs11"} or not rest:
        raise Wrong("a key URI, file:… or pkcs11:…")
    return f"file:{(directory / rest).resolve()}" if scheme == "file" else text


def _uris(value: object, directory: Path) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise Wrong("a table of key URIs by agency")
    return {agency: _uri(uri, directory) for agency, uri in value.items()}


def _minutes(value: object, _directory: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MINUTES_AT_MOST:
        raise Wrong(f"a number of minutes from 1 to {MINUTES_AT_MOST}")
    return value


def _mail_address(value: object, _directory: Path) -> str:
    if not isinstance(value, str) or not _MAIL_ADDRESS.fullmatch(value):
        raise Wrong("an e-mail address, somebody@host.example")
    return value


def _mail_addresses(value: object, directory: Path) -> tuple[str, ...]:
    return tuple(_mail_address(item, directory) for item in _texts(value, directory))


def _mail_tls(value: object, _directory: Path) -> str:
    return _one_of(value, MAIL_TLS)


def _seconds(value: object, _directory: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 60:
        raise Wrong("a number of seconds from 1 to 60")
    return value


def _urls(value: object, directory: Path) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise Wrong("a table of addresses by trust domain")
    return {_trust_domain(domain, directory): _url(url, directory) for domain, url in value.items()}


def _url(value: object, _directory: Path) -> str:
    if not isinstance(value, str) or not _WEB_ADDRESS.fullmatch(value):
        raise Wrong("http://host[:port][/path] or https://…, without a question mark")
    return value.rstrip("/")


def _issuer(value: object, directory: Path) -> str:
    _url(value, directory)
    return str(value)  # with the slash at its end, if it has one: it is compared letter by letter


def _claim(value: object, directory: Path) -> str:
    name = _text(value, directory)
    if name in PASSED_ON:
        raise Wrong("a claim that is never given to somebody else: names, addresses and numbers are")
    return name


def _address(value: object, _directory: Path) -> str:
    matched = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if not matched or int(matched[2]) > 65535:
        raise Wrong("host:port")
    return matched[0]


def _country(value: object, _directory: Path) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{2}", value):
        raise Wrong("an ISO 3166-1 code of two capital letters")
    return value


def _zone(value: object, _directory: Path) -> str:
    if not isinstance(value, str) or value not in available_timezones():
        raise Wrong("the name of a time zone, for example Asia/Phnom_Penh")
    return value


def _party(value: object, _directory: Path) -> PartyId:
    try:
        return PartyId.parse(value if isinstance(value, str) else "")
    except Malformed:
        raise Wrong("a SPIFFE ID, spiffe://<trust domain>/<path>") from None


def _trust_domain(value: object, directory: Path) -> str:
    try:
        return PartyId(trust_domain=_text(value, directory), path="/node").trust_domain
    except Malformed:
        raise Wrong("a lower-case DNS name") from None


def _one_of(value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Wrong(f"one of {', '.join(choices)}")
    return value


def _agency_class(value: object, _directory: Path) -> str:
    return _one_of(value, AGENCY_CLASSES)


def _roles(value: object, directory: Path) -> tuple[str, ...]:
    return tuple(_one_of(role, ROLES) for role in _texts(value, directory))


KINDS: Final[Mapping[str, Callable[[object, Path], object]]] = {
    "text": _text,
    "flag": _flag,
    "days": _days,
    "days_by_type": _days_by_type,
    "texts": _texts,
    "path": _path,
    "uri": _uri,
    "uris": _uris,
    "url": _url,
    "issuer": _issuer,
    "claim": _claim,
    "urls": _urls,
    "seconds": _seconds,
    "minutes": _minutes,
    "mail_address": _mail_address,
    "mail_addresses": _mail_addresses,
    "mail_tls": _mail_tls,
    "address": _address,
    "country": _country,
    "zone": _zone,
    "party": _party,
    "trust_domain": _trust_domain,
    "agency_class": _agency_class,
    "roles": _roles,
}
