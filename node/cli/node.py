"""`exchange node`: set up and run a node; show what partners are given."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.errors import USAGE, Trouble, sentence
from node.cli.output import facts, grouped, heading, in_words, note, show, table

if TYPE_CHECKING:
    from rich.console import Console


@click.group(cls=Noun)
def node() -> None:
    """Set up and run a node; show its descriptor."""


@node.command()
@click.option("--country", required=True, metavar="CODE", help="Of the example countries: GB, KH, VN, TH, PH, LA, IN, HK, SG, MM.")
@click.option("--dir", "directory", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to set it up.")
@click.option(
    "--port-base",
    type=click.IntRange(1, 65533),
    default=7443,
    show_default=True,
    help="Port for partners; the desk and the witness get the next two.",
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Release under this country's policy pack, e.g. policies/gb/transfers.toml; an EXAMPLE issuer signs it.",
)
def init(country: str, directory: Path, port_base: int, policy: Path | None) -> None:
    """Set up a training node: keys, certificates, configuration, and a context file for each officer.

    All of it is an EXAMPLE for trying and training. An office that goes to work issues its own certificates and keeps the
    authorities' and identity keys offline.
    """
    from exchange.errors import Malformed, NotFound, Refused
    from node.keys.node_directory import VAULT_KEY_BYTES, example_plan, write_node_directory
    from node.system import SystemClock, system_entropy

    try:
        plan = example_plan(country)
    except NotFound as error:
        raise click.BadParameter(f"{error}", param_hint="--country") from None
    try:
        made = write_node_directory(
            plan,
            directory,
            now=SystemClock().now(),
            vault_key=system_entropy(VAULT_KEY_BYTES),
            port=port_base,
            policy=policy.read_bytes() if policy else b"",
        )
    except (Malformed, Refused) as error:
        if policy is None or not error.code.startswith("POLICY_"):
            raise
        raise click.BadParameter(f"{error}", param_hint="--policy") from None
    config = directory / "node.toml"
    data = {
        "trust_domain": made.trust_domain,
        "directory": str(directory),
        "config": str(config),
        "descriptor": str(directory / "descriptor.pb"),
        "identity_fingerprint": made.fingerprint.hex(),
        "partners": made.partners_address,
        "desk": made.desk_address,
        "witness": made.witness_address,
        "contexts": {path.stem: str(path) for path in made.contexts},
    }

    def draw(console: "Console") -> None:
        rows = (
            ("node", f"{made.trust_domain} (training, EXAMPLE keys)"),
            ("configuration", str(config)),
            ("descriptor", str(directory / "descriptor.pb")),
            ("fingerprint", grouped(made.fingerprint)),
            ("in words", in_words(made.fingerprint)),
            ("partners at", made.partners_address),
            ("officers at", made.desk_address),
            ("witness at", made.witness_address),
        )
        console.print(facts(rows))
        console.print(heading("Contexts"))
        console.print(table(("!who", "file"), [(path.stem.replace("-", " "), str(path)) for path in made.contexts]))
        console.print(note(f"\nNext: exchange node run --config {config}"))
        console.print(note(f"Then: exchange --context {directory / 'officer.toml'} whoami"))

    show(data, draw)


@node.command()
@click.option("--config", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The node's node.toml.")
def run(config: Path) -> None:
    """Run a node until it is told to stop (Ctrl-C, or SIGTERM)."""
    from exchange.errors import ExchangeError
    from node.config import load_config

    try:
        loaded = load_config(config, os.environ)
    except ExchangeError as error:
        raise Trouble(
            USAGE,
            error.code,
            f"The configuration {config} cannot be used.",
            why=sentence(str(error)) if len(str(error).splitlines()) == 1 else str(error),
            next_step="Correct it, and start again. Nothing has been started.",
        ) from None
    from node.tls13 import pin_tls13

    pin_tls13()
    from node.app import build

    build(loaded).run()


@node.command("succeed-journal")
@click.option("--config", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The node's node.toml.")
def succeed_journal(config: Path) -> None:
    """Begin the successor of a journal that was signed further than this database knows, as after restoring a backup.

    For a node that does not run, and only if it refuses to start for that reason. What the journal lacks is lost; the proof that it
    was signed is kept, and every witness is shown the successor.
    """
    from node.config import load_config
    from node.tls13 import pin_tls13

    loaded = load_config(config, os.environ)
    pin_tls13()
    from node.app import build
    from node.operations.succeed_journal import succeed_journal as succeed

    built = build(loaded)
    try:
        done = succeed(built.ports)
    finally:
        built.ports.store.close()
    data = {"ended": done.ended, "code": done.code, "held": done.held, "signed": done.signed, "successor": done.successor}

    def draw(console: "Console") -> None:
        lost = max(done.signed - done.held, 0)
        rows = (
            ("ended", f"{done.ended}, because of {done.code}"),
            ("entries here", str(done.held)),
            ("entries signed", str(done.signed) if done.signed else "unknown"),
            ("lost here", str(lost) if done.signed else "unknown"),
            ("successor", done.successor),
        )
        console.print(facts(rows))
        console.print(
            note("\nThe signed proof of what is lost stands in the alarm: exchange audit witness evidence. Tell your auditor and")
        )
        console.print(note(f"your witnesses, which see JOURNAL_SUCCEEDED. Next: exchange node run --config {config}"))

    show(data, draw)


@node.command()
@click.option("--dir", "directory", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="Of the node.")
@click.argument("leaf", default="node")
def renew(leaf: str, directory: Path) -> None:
    """Issue LEAF's certificate anew, with a fresh key: node (seven days), desk, tips (90 days), officers/NAME or ngos/NAME (a year).

    A running node takes up its own by itself. An officer is given both files, and puts them where the context names them.
    """
    from node.keys.renew import renew_leaf
    from node.system import SystemClock

    certificate = renew_leaf(directory, leaf, now=SystemClock().now())
    file = directory / (f"{leaf}.pem" if "/" in leaf else f"tls/{leaf}.pem")
    until = certificate.not_valid_after_utc
    data = {"certificate": str(file), "not_after": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    show(data, lambda console: console.print(f"Renewed until {until:%Y-%m-%d %H:%M} UTC: {file}", style="green"))


@node.command()
@click.option("--config", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The node's node.toml.")
@click.option("--identity", type=click.Path(dir_okay=False, path_type=Path), help="File of the identity key, where it is kept offline.")
def describe(config: Path, identity: Path | None) -> None:
    """Sign the node's next descriptor, from what the configuration says now.

    It is due every 90 days, whenever address, languages, agencies or the authority change, and after a new version that understands more.
    """
    from node.config import load_config
    from node.documents import iso_time
    from node.keys.rotation import describe as sign
    from node.system import SystemClock

    loaded = load_config(config, os.environ)
    if not (identity or loaded.keys.identity):
        raise click.UsageError("The configuration names no identity key: bring it for this, and name its file with --identity.")
    place = identity or Path(loaded.keys.identity.removeprefix("file:"))
    newest = sign(loaded, identity=place, now=SystemClock().now_ms()).descriptor
    data = {"trust_domain": newest.trust_domain, "sequence": newest.sequence, "next_update": iso_time(newest.next_update)}

    def draw(console: "Console") -> None:
        console.print(f"Descriptor number {newest.sequence} is in force; the next is due by {data['next_update']}.", style="green")
        console.print(note("Next: start the node again. Partners ask for it with their next stream."))

    show(data, draw)


@node.command()
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Show this descriptor file instead of asking the node.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Also write it, to give to a partner.")
@click.option("--text", is_flag=True, help="Print it as text that a partner's administrator can paste into the console.")
def descriptor(file: Path | None, output: Path | None, text: bool) -> None:  # noqa: FBT001  click calls it
    """Show this node's descriptor and the fingerprint to read to a partner."""
    from google.protobuf.message import DecodeError

    from exchange.v1 import desk_service_pb2
    from node.intake.descriptor_text import descriptor_of, write_descriptor
    from node.keys.node_directory import fingerprint_of

    if file:
        chain = descriptor_of(file.read_bytes())
    else:
        with open_desk() as desk:
            chain = ask(desk.GetOwnDescriptor, desk_service_pb2.GetOwnDescriptorRequest()).descriptors
    try:
        fingerprint = fingerprint_of(chain)
        described = {**_newest(chain), "policy_lines": _policy_lines(chain, fingerprint)}
    except (DecodeError, IndexError):
        raise Trouble(USAGE, "DESCRIPTOR_FILE", "This is no descriptor file.", next_step="Ask its owner for it again.") from None
    if output:
        output.write_bytes(chain)
    data = {
        **described,
        "identity_fingerprint": fingerprint.hex(),
        "file": str(output) if output else None,
        "text": write_descriptor(chain),
    }

    def draw(console: "Console") -> None:
        if text:
            click.echo(data["text"], nl=False)
            return
        rows = (
            ("node", described["trust_domain"]),
            ("endpoint", described["endpoint"]),
            ("descriptor", f"number {described['sequence']}, the next is due by {described['next_update']}"),
            ("agencies", "\n".join(agency["name"] for agency in described["agencies"])),
            ("fingerprint", grouped(fingerprint)),
            ("in words", in_words(fingerprint)),
            ("written to", str(output) if output else ""),
        )
        console.print(facts(rows))
        console.print(heading("For a witness policy file"))
        for line in described["policy_lines"]:
            console.out(line, highlight=False)  # whole, however narrow the screen: to be copied
        console.print(note("\nRead the fingerprint to your partner by a way that does not depend on this file."))

    show(data, draw)


def _policy_lines(chain: bytes, fingerprint: bytes) -> list[str]:
    """How a witness policy file (C2SP tlog-policy) names this node's journal, and this node as a witness of others."""
    from exchange.directory import open_descriptor_chain
    from exchange.journal import journal_origin
    from exchange.log import log_verifiers, raw_key
    from exchange.tlog.note import CosignatureVerifier
    from exchange.v1 import directory_pb2, statement_pb2
    from exchange.witness import witness_name

    statements = [statement_pb2.Statement.FromString(one) for one in directory_pb2.DescriptorChain.FromString(chain).descriptors]
    owner = open_descriptor_chain(statements, fingerprint)
    name = witness_name(owner.trust_domain)
    witnesses = [
        CosignatureVerifier(name=name, public_key=raw_key(key.spki))
        for key in owner.keys.values()
        if key.use == directory_pb2.KEY_USE_WITNESS and not key.compromised_since
    ]
    logs = log_verifiers(journal_origin(owner.trust_domain, 1), owner, None)
    label = owner.trust_domain.partition(".")[0]
    numbered = [f"witness {label}{number if number > 1 else ''} {key.vkey}" for number, key in enumerate(witnesses, 1)]
    return [*(f"log {key.vkey}" for key in logs), *numbered]


def _newest(chain: bytes) -> dict[str, Any]:
    from exchange.v1 import directory_pb2, statement_pb2
    from node.documents import document

    newest = statement_pb2.Statement.FromString(directory_pb2.DescriptorChain.FromString(chain).descriptors[-1])
    return document(directory_pb2.NodeDescriptor.FromString(newest.payload))
