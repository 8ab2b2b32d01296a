"""What a verifier brings along, never the file's: fingerprints of countries, and a policy of witnesses."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from exchange.errors import ExchangeError
from node.cli.errors import USAGE, Trouble, sentence
from node.cli.fingerprint import Fingerprint

if TYPE_CHECKING:
    from exchange.tlog.policy import Policy


class Pin(click.ParamType[tuple[str, bytes]]):
    """TRUST_DOMAIN=FINGERPRINT."""

    name = "pin"

    def convert(self, value: str | tuple[str, bytes], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, bytes]:
        """Read both parts; fails as a usage error."""
        if isinstance(value, tuple):
            return value
        trust_domain, equals, fingerprint = value.partition("=")
        if not trust_domain or not equals:
            self.fail("write a pin as gb.alerts.example=64 hex digits", param, ctx)
        return trust_domain.strip(), Fingerprint().convert(fingerprint, param, ctx)


PINS: Final = click.option(
    "--pin",
    "pins",
    multiple=True,
    required=True,
    type=Pin(),
    metavar="TRUST_DOMAIN=FINGERPRINT",
    help="Fingerprint of each country's identity key, got apart from the file. Give one for every country that it names.",
)


def read_policy(path: Path | None) -> "Policy | None":
    """The policy of a file (C2SP tlog-policy); None without one. Raises `Trouble` (POLICY_MALFORMED, POLICY_UNREADABLE)."""
    if path is None:
        return None
    from exchange.tlog.policy import parse_policy

    try:
        return parse_policy(path.read_bytes())
    except OSError as error:
        raise Trouble(USAGE, "POLICY_UNREADABLE", f"The policy {path} cannot be read.", why=f"{error.strerror}.") from None
    except ExchangeError as error:
        raise Trouble(
            USAGE,
            error.code,
            f"The policy {path} cannot be used.",
            why=sentence(str(error)),
            next_step="Write it in the form of C2SP tlog-policy: log, witness, group and quorum lines.",
        ) from None
