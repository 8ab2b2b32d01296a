"""`exchange policy`: packs of rules, checked and signed by the authority that issues them. No node is asked."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.errors import USAGE, VERIFICATION_FAILED, Trouble, sentence
from node.cli.output import facts, heading, note, show, table

if TYPE_CHECKING:
    from rich.console import Console

    from node.policy.pack import PolicyPack

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Noun)
def policy() -> None:
    """Policy packs: what a country's law asks for, signed by its authority."""


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--key", help="The issuer's note verifier key: then FILE is a signed pack, and its signature is checked too.")
def check(file: Path, key: str | None) -> None:
    """Read a policy pack and show its rules. Exit code 4 if the signature does not hold."""
    from exchange.errors import ExchangeError, Unverified
    from exchange.tlog.note import NoteVerifier, open_note
    from node.policy.pack import read_pack

    try:
        text = file.read_bytes()
        if key:
            text = open_note(text, [NoteVerifier.from_vkey(key)]).text
        pack = read_pack(text)
    except ExchangeError as error:
        code = VERIFICATION_FAILED if isinstance(error, Unverified) else USAGE
        raise Trouble(code, error.code, f"{file} is no policy pack that can be used.", why=sentence(str(error))) from None
    show({"signed": bool(key), **_data(pack)}, lambda console: _draw(console, pack))


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--key", "key_file", required=True, type=_FILE, help="The issuer's private key: Ed25519, PEM, mode 0600.")
@click.option("--name", required=True, help="The issuer's key name, e.g. gb.alerts.example/policy.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path), help="The signed pack.")
def sign(file: Path, key_file: Path, name: str, output: Path) -> None:
    """Sign a policy pack that can be read; prints the verifier key that nodes configure as `policy.key`."""
    from exchange.errors import ExchangeError
    from exchange.log import raw_key
    from exchange.tlog.note import NoteVerifier, sign_note
    from node.keys.signers import open_signer
    from node.policy.pack import read_pack

    try:
        pack = read_pack(file.read_bytes())
        signer = open_signer(f"file:{key_file.resolve()}")
        signed = sign_note(file.read_bytes(), name, raw_key(signer.spki), signer.sign)
        verifier = NoteVerifier(name=name, public_key=raw_key(signer.spki)).vkey
    except ExchangeError as error:
        raise Trouble(USAGE, error.code, f"{file} was not signed.", why=sentence(str(error)), next_step="Mend it and sign again.") from None
    output.write_bytes(signed)

    def draw(console: "Console") -> None:
        console.print(facts((("policy", f"{pack.name} version {pack.version}"), ("signed pack", str(output)), ("policy.key", verifier))))
        console.print(note("\nIn node.toml: [policy] with pack and key; then start the node again."))

    show({"file": str(output), "key": verifier, **_data(pack)}, draw)


def _data(pack: "PolicyPack") -> dict[str, object]:
    from node.documents import iso_time

    return {
        "policy": pack.name,
        "version": pack.version,
        "country": pack.country,
        "issued_by": pack.issued_by,
        "valid_from": iso_time(pack.valid_from),
        "valid_until": iso_time(pack.valid_until),
        "rules": [
            {"id": rule.id, "law": rule.law, "needs": sorted(rule.needs), "withholds": sorted(rule.withholds)} for rule in pack.rules
        ],
    }


def _draw(console: "Console", pack: "PolicyPack") -> None:
    from node.short_words import time_text

    rows = (
        ("policy", f"{pack.name} version {pack.version}, {pack.country}"),
        ("issued by", pack.issued_by),
        ("in force", f"from {time_text(pack.valid_from)} until {time_text(pack.valid_until)}"),
    )
    console.print(facts(rows))
    console.print(heading("Rules"))
    columns = [
        (rule.id, "\n".join(sorted(rule.needs)).lower() or "–", "\n".join(sorted(rule.withholds)).lower() or "–", rule.law)
        for rule in pack.rules
    ]
    console.print(table(("!rule", "asks for", "withholds", "law"), columns))
