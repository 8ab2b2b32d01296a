"""`exchange key`: the signing keys of a node: which there are, replace one, end one. For where the identity key is; no node is asked."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.command import Noun
from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, note, show, table
from node.short_words import party_name, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.directory import KnownNode
    from node.config import Config

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_USES = ("agreement", "log", "receipt", "witness", "recall", "identity", "statement")
_CONFIG = click.option("--config", "config_file", required=True, type=_FILE, help="The node's node.toml.")
_IDENTITY = click.option(
    "--identity",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the identity key, where the configuration names none because it is kept offline.",
)
_RESTART = "\nNext: start the node again. Partners ask for the new descriptor with their next stream; call those who must not wait."


@click.group(cls=Noun)
def key() -> None:
    """A node's signing keys: list, rotate, revoke."""


@key.command("list")
@_CONFIG
def list_(config_file: Path) -> None:
    """List every key that the node ever described, and how it stands."""
    from exchange.v1 import directory_pb2
    from node.documents import enum_name, iso_time
    from node.keys.next_descriptor import read_own
    from node.keys.rotation import in_use
    from node.system import SystemClock

    config = _config(config_file)
    own, used, now = read_own(config.store.descriptors), in_use(config), SystemClock().now_ms()
    named = {key_id: use for use, key_id in used.items()}
    keys: list[dict[str, Any]] = [
        {
            "key_id": key_id.hex(),
            "use": enum_name(directory_pb2.KeyUse.DESCRIPTOR, one.use),
            "speaks_for": sorted(one.speaks_for),
            "not_before": iso_time(one.not_before),
            "not_after": iso_time(one.not_after),
            "days_left": max(one.not_after - now, 0) // 86_400_000,
            "revoked_at": iso_time(one.revoked_at),
            "compromised_since": iso_time(one.compromised_since),
            "configured_as": named.get(key_id),
        }
        for key_id, one in own.keys.items()
    ]
    undescribed = sorted(use for use, key_id in used.items() if own.find(key_id) is None)
    data = {**_described(own), "keys": keys, "not_described": undescribed}

    def draw(console: "Console") -> None:
        rows = [(words(one["use"]), _whose(one["speaks_for"][0]), one["key_id"][:12], one["not_after"][:10], _state(one)) for one in keys]
        console.print(table(("!use", "for", "key", "until", "state"), rows))
        console.print(note(f"\nDescriptor number {data['sequence']}; the next is due by {data['next_update']}: exchange node describe."))
        for use in undescribed:
            console.print(f"The key for {use} is not described: partners refuse what it signs.", style="red")

    show(data, draw)


@key.command()
@click.argument("use", type=click.Choice(_USES))
@click.option("--agency", default="", help="For `statement`: the last part of the agency's id, as in [keys.statement].")
@_CONFIG
@_IDENTITY
def rotate(use: str, agency: str, config_file: Path, identity: Path | None) -> None:
    """Make a fresh key for USE, describe it, and put it in the place of the old one, which is kept and stays in force.

    `recall` is the node's own statement key. To replace the identity key, `identity-next.key` must lie beside it. If the command was
    interrupted, the same command finishes it.
    """
    from node.keys.rotation import rotate as make
    from node.system import SystemClock

    if (use == "statement") != bool(agency):
        raise click.UsageError("--agency goes with `statement`, and only with it.")
    config = _config(config_file)
    done = make(config, use, agency=agency, identity=_identity(config, identity), now=SystemClock().now_ms())
    replaced = str(done.replaced) if done.replaced else None
    data = {**_described(done.own), "use": use, "agency": agency, "key_id": done.key_id.hex(), "old_key": replaced}

    def draw(console: "Console") -> None:
        console.print(facts((("new key", f"{done.key_id.hex()[:12]}, for {use} {agency}".rstrip()), ("old key", replaced or ""))))
        console.print(_told(data))
        console.print(note(_RESTART))
        if replaced:
            console.print(note("Keep the old key until the node runs with the new one. If it may be in other hands: exchange key revoke."))

    show(data, draw)


@key.command()
@click.argument("key_id", metavar="KEY")
@click.option("--reason", required=True, type=click.Choice(("compromised", "superseded", "cessation")))
@click.option("--since", metavar="TIME", help="For `compromised`: from when it may have been in other hands, e.g. 2026-11-20T08:00Z.")
@_CONFIG
@_IDENTITY
def revoke(key_id: str, reason: str, since: str | None, config_file: Path, identity: Path | None) -> None:
    """End KEY: nobody believes what it signs from now on. Replace it first if the node uses it. There is no way back.

    What a compromised key ever signed is believed only where somebody else's receipt proves it to be older than TIME.
    """
    from exchange.v1 import directory_pb2
    from node.keys.next_descriptor import find_key, read_own
    from node.keys.rotation import revoke as end
    from node.system import SystemClock

    if (reason == "compromised") != bool(since):
        raise click.UsageError("--since goes with --reason compromised, and only with it.")
    config = _config(config_file)
    found = find_key(read_own(config.store.descriptors), key_id)
    number = directory_pb2.RevocationReason.Value(f"REVOCATION_REASON_{reason.upper()}")
    now = SystemClock().now_ms()
    began = _milliseconds(since, now) if since else 0
    own = end(config, found, number, since=began, identity=_identity(config, identity), now=now)
    data = {**_described(own), "key_id": found.hex(), "reason": reason.upper()}

    def draw(console: "Console") -> None:
        console.print(f"Revoked: {found.hex()[:12]}, {reason}.")
        console.print(_told(data))
        console.print(note(_RESTART))

    show(data, draw)


@key.command("revoke-tls")
@click.argument("certificate", type=_FILE)
@_CONFIG
@_IDENTITY
def revoke_tls(certificate: Path, config_file: Path, identity: Path | None) -> None:
    """Tell partners never again to accept the key of CERTIFICATE (PEM): the node's, or its authority's.

    Renew the node's certificate first (`exchange node renew`), or nobody lets this node in. There is no way back.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from exchange.signing import key_id_of
    from node.keys.files import read_certificate
    from node.keys.rotation import revoke_tls as end
    from node.system import SystemClock

    config = _config(config_file)
    spki = read_certificate(certificate).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = end(config, spki, identity=_identity(config, identity), now=SystemClock().now_ms())
    data = {**_described(own), "key_id": key_id_of(spki).hex()}

    def draw(console: "Console") -> None:
        console.print(f"Revoked: the TLS key of {certificate}.")
        console.print(_told(data))
        console.print(note(_RESTART))

    show(data, draw)


def _config(path: Path) -> "Config":
    from node.config import load_config

    return load_config(path, os.environ)


def _identity(config: "Config", given: Path | None) -> Path:
    if given:
        return given
    if not config.keys.identity:
        raise click.UsageError("The configuration names no identity key: bring it for this, and name its file with --identity.")
    return Path(config.keys.identity.removeprefix("file:"))


def _milliseconds(text: str, now: int) -> int:
    try:
        moment = datetime.fromisoformat(text)
        given = int(moment.timestamp() * 1000) if moment.tzinfo else 0
    except ValueError:
        given = 0
    if not 0 < given <= now:
        raise Trouble(USAGE, "TIME_UNREADABLE", "This is no time in the past with its zone.", next_step="Write it like 2026-11-20T08:00Z.")
    return given


def _described(own: "KnownNode") -> dict[str, Any]:
    from node.documents import iso_time

    newest = own.descriptor
    return {"trust_domain": own.trust_domain, "sequence": newest.sequence, "next_update": iso_time(newest.next_update)}


def _told(data: dict[str, Any]) -> str:
    return f"Descriptor number {data['sequence']} says so."


def _whose(party: str) -> str:
    return "the node" if party.endswith("/node") else party_name(party)


def _state(one: dict[str, Any]) -> str:
    if one["compromised_since"]:
        return f"compromised since {one['compromised_since'][:16]}"
    if one["revoked_at"]:
        return f"revoked {one['revoked_at'][:10]}"
    if not one["days_left"]:
        return "ended"
    return f"in use, {one['days_left']} days left" if one["configured_as"] else "in force, not in use"
