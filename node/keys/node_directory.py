"""Set up a node in one directory: keys, certificates, configuration, descriptor, and a context file for each officer.

    node.toml            the configuration, `exchange node run --config DIR/node.toml`
    descriptor.pb        what partners are given
    ngos/plan.toml       how it takes tips of NGOs in, once `tips.listen` names an address
    tls/ keys/ officers/ ngos/ as node/keys/party_files.py says, and keys/vault.key
    data/                the database; what is backed up
    high-water/          what must never be restored from a backup
    liaison.toml partner-<class>.toml officer.toml auditor.toml administrator.toml      contexts, one a person

`node.toml` is written last: a directory that has one is complete, and is never written to again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from exchange.errors import Conflict, NotFound
from exchange.v1 import directory_pb2, statement_pb2
from exchange.values import PartyId
from node.keys.descriptor import first_descriptor
from node.keys.example_policy import PACK_FILE, check_example_policy, write_example_policy
from node.keys.files import make_private_directory, write_private, write_public
from node.keys.party_files import Terms, write_party
from node.keys.party_plan import OfficerPlan, PartyPlan, choose, read_plans

VAULT_KEY_BYTES: Final = 32
BOTH_ROLES_PSEUDONYM: Final = "swallow"
"""Who composes alerts and works the inbox too, as in a small office; the roster knows one role a person."""

_ROLES: Final = {
    "liaison": ("liaison officer",),
    "partner": ("partner officer",),
    "both": ("liaison officer", "partner officer"),
    "auditor": ("auditor",),
    "administrator": ("administrator",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDirectory:
    """A node that is set up and has never run."""

    directory: Path
    trust_domain: str
    fingerprint: bytes
    """SHA-256 of the identity key, 32 bytes: what partners compare out of band."""
    contexts: tuple[Path, ...]
    partners_address: str
    desk_address: str
    witness_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    officer: OfficerPlan
    roles: tuple[str, ...]
    context: str


def example_plan(country: str) -> PartyPlan:
    """The example roster of one country (ISO 3166-1 alpha-2); raises `NotFound` (COUNTRY_UNKNOWN) with those there are."""
    return choose(read_plans(example_roster()), country)[0]


def example_roster() -> Path:
    """The file of example countries: beside this module where it is installed, else in the source tree."""
    places = (Path(__file__).with_name("agencies.toml"), Path(__file__).parents[2] / "certs-example/agencies.toml")
    for place in places:
        if place.exists():
            return place
    raise NotFound("ROSTER_MISSING", "the example roster is neither installed nor in the source tree")


def write_node_directory(
    plan: PartyPlan, directory: Path, *, now: datetime, vault_key: bytes, port: int, host: str = "127.0.0.1", policy: bytes = b""
) -> NodeDirectory:
    """Set up a training node with example keys; partners reach it at `port`, its officers at the port after, and its witness at the next.

    `vault_key` is 32 fresh random bytes; `policy` the text of a policy pack, if the node is to have one. Raises `Conflict` (NODE_EXISTS)
    when the directory holds a node, and what `write_party` and `check_example_policy` raise.
    """
    config = directory / "node.toml"
    if config.exists():
        raise Conflict("NODE_EXISTS", "the directory already holds a node, and its keys are not replaced")
    if len(vault_key) != VAULT_KEY_BYTES:
        raise ValueError("a vault key has 32 bytes")
    if policy:
        check_example_policy(policy, plan.code)
    people = _people(plan)
    plan = replace(plan, officers=tuple(person.officer for person in people))
    write_party(plan, directory, Terms(now=now, example=True))
    for part in ("data", "high-water"):
        make_private_directory(directory / part)
    vault = directory / "keys/vault.key"
    if not vault.exists():
        write_private(vault, f"{vault_key.hex()}\n".encode())
    partners, desk, witness = (f"{host}:{port + place}" for place in range(3))
    endpoint = f"localhost:{port}"
    described = first_descriptor(plan, directory, endpoint=endpoint, now=now, training=True)
    write_public(directory / "descriptor.pb", described.chain, overwrite=True)
    contexts = []
    for person in people:
        path = directory / f"{person.context}.toml"
        write_public(path, _context(plan, person, desk).encode(), overwrite=True)
        contexts.append(path)
    write_public(directory / "ngos/plan.toml", ("\n".join(_tip_plan_lines(plan)) + "\n").encode(), overwrite=True)
    policy_key = write_example_policy(policy, directory, plan.trust_domain) if policy else ""
    text = _config(plan, people, endpoint=endpoint, listen=(partners, desk, witness), policy_key=policy_key)
    write_public(config, text.encode())
    return NodeDirectory(
        directory=directory,
        trust_domain=plan.trust_domain,
        fingerprint=described.fingerprint,
        contexts=tuple(contexts),
        partners_address=partners,
        desk_address=desk,
        witness_address=witness,
    )


def fingerprint_of(chain: bytes) -> bytes:
    """The identity key's fingerprint that a descriptor file claims, 32 bytes: the signer of its oldest descriptor.

    For showing only: whether it is the right one is what two people compare. Raises `google.protobuf`'s DecodeError or
    `IndexError` when the bytes are no such file.
    """
    first = statement_pb2.Statement.FromString(directory_pb2.DescriptorChain.FromString(chain).descriptors[0])
    return first.signatures[0].key_id


def _people(plan: PartyPlan) -> tuple[_Person, ...]:
    classes = {agency.slug: agency.agency_class.lower() for agency in plan.agencies}
    names: set[str] = set()
    people = []
    for officer in plan.officers:
        context = f"partner-{classes[officer.agency]}" if officer.role == "partner" else officer.role
        if context in names:
            context = f"{context}-{officer.pseudonym}"
        names.add(context)
        people.append(_Person(officer=officer, roles=_ROLES[officer.role], context=context))
    home = next(officer.agency for officer in plan.officers if officer.role == "liaison")
    both = OfficerPlan(pseudonym=BOTH_ROLES_PSEUDONYM, role="liaison", agency=home)
    return (*people, _Person(officer=both, roles=_ROLES["both"], context="officer"))


def _context(plan: PartyPlan, person: _Person, desk: str) -> str:
    officer = person.officer
    agency = next((agency for agency in plan.agencies if agency.slug == officer.agency), None)
    lines = [
        f"# EXAMPLE: {', '.join(person.roles)}" + (f" at {agency.name.removesuffix(' (EXAMPLE)')}" if agency else ""),
        f"desk = {_quote(desk)}",
        f"server_name = {_quote(f'desk.{plan.trust_domain}')}",
        'ca = "office-ca.pem"',
        f"certificate = {_quote(f'officers/{officer.pseudonym}.pem')}",
        f"key = {_quote(f'officers/{officer.pseudonym}.key')}",
    ]
    if agency:
        lines += [f"unit = {_quote(agency.name)}", f"channel = {_quote(agency.desk)}"]
    return "\n".join(lines) + "\n"


def _config(plan: PartyPlan, people: tuple[_Person, ...], *, endpoint: str, listen: tuple[str, ...], policy_key: str) -> str:
    return "\n".join(_config_lines(plan, people, endpoint=endpoint, listen=listen, policy_key=policy_key)) + "\n"


def _config_lines(
    plan: PartyPlan, people: tuple[_Person, ...], *, endpoint: str, listen: tuple[str, ...], policy_key: str
) -> Iterator[str]:
    partners, desk, witness = listen
    yield f"# EXAMPLE — never use in production. The node of {plan.name}; paths are relative to this file."
    yield "# Each value can be set by the environment too: EXCHANGE_<SECTION>_<KEY>, e.g. EXCHANGE_LISTEN_DESK."
    yield f"\n[node]\ntrust_domain = {_quote(plan.trust_domain)}\ncountry = {_quote(plan.code)}"
    yield "training = true            # accepts and sends training alerts only"
    yield f"languages = [{', '.join(_quote(tag) for tag in plan.languages)}]"
    yield f"endpoint = {_quote(endpoint)}   # where partners reach it"
    yield f"\n[listen]\npartners = {_quote(partners)}\ndesk = {_quote(desk)}"
    yield f"witness = {_quote(witness)}   # plain HTTP: cosigns partners' journals, shows this node's own; not for personal data"
    yield '\n[tls]\nnode_certificate = "tls/node.pem"\nnode_key = "tls/node.key"\nnode_ca = "node-ca.pem"'
    yield 'desk_certificate = "tls/desk.pem"\ndesk_key = "tls/desk.key"\noffice_ca = "office-ca.pem"'
    yield "\n[keys]"
    for use in ("agreement", "log", "receipt", "witness", "recall", "identity"):
        yield f'{use} = "file:keys/{use}.key"' + ("     # in a real office: offline, and absent here" * (use == "identity"))
    yield "\n[keys.statement]"
    for agency in plan.agencies:
        if agency.originates:
            yield f'{agency.slug} = "file:keys/statement-{agency.slug}.key"'
    yield '\n[store]\ndatabase = "data/node.db"\nvault_key = "file:keys/vault.key"'
    yield 'high_water = "high-water"    # never restored from a backup\ndescriptors = "descriptor.pb"'
    yield "\n# Who cosigns this node's journal: partners' witness listeners, by trust domain."
    yield f'# [witness.urls]\n# "partner.alerts.example" = "http://{witness}"'
    yield "\n# How long the law lets alerts be kept; agreements and handlings may shorten it. `days = { Tip = 90 }` for one type alone."
    yield "[retention]\ndefault_days = 1825\nreview_days = 365"
    yield "\n# Tips of NGOs, over HTTPS with certificates of their own authority. Off until `listen` names an address, e.g. 127.0.0.1:7446."
    yield '[tips]\n# listen = "127.0.0.1:7446"'
    yield 'certificate = "tls/tips.pem"\nkey = "tls/tips.key"\nngo_ca = "ngo-ca.pem"\nplan = "ngos/plan.toml"'
    yield "\n# The web console for officers. Off until `listen` names an address. TLS is that of the desk, so `host` is among its names;"
    yield "# `plain` and `demo_sign_in` are for training on this machine alone. docs/console.md tells more."
    yield '[console]\n# listen = "127.0.0.1:7447"'
    yield f"host = {_quote(f'{plan.code.lower()}.localhost')}\nzone = {_quote(plan.time_zone)}\nplain = true\ndemo_sign_in = true"
    if policy_key:
        yield f"\n# What the law asks for before another country is told.\n[policy]\npack = {_quote(PACK_FILE)}\nkey = {_quote(policy_key)}"
    for agency in plan.agencies:
        yield f"\n[[agencies]]\nid = {_quote(_party(plan, agency.path))}\nname = {_quote(agency.name)}"
        yield f"class = {_quote(agency.agency_class)}\ndesk = {_quote(agency.desk)}"
    for person in people:
        officer = person.officer
        yield f"\n[[officers]]\nid = {_quote(_party(plan, officer.path))}"
        yield f"roles = [{', '.join(_quote(role) for role in person.roles)}]"
        if officer.agency:
            yield f"agency = {_quote(_party(plan, f'/agency/{officer.agency}'))}"


def _tip_plan_lines(plan: PartyPlan) -> Iterator[str]:
    home = next(officer.agency for officer in plan.officers if officer.role == "liaison")
    yield f"# EXAMPLE: how {plan.name} takes tips of NGOs in; docs/tips.md explains each key."
    yield f"national_desk = {_quote(_party(plan, f'/agency/{home}'))}"
    yield "danger_minutes = 60      # until somebody looks, where a child may be in danger"
    yield "look_minutes = 1440\nkeep_days = 90\ndraft_days = 14"
    listed = {agency.slug for agency in plan.agencies}
    for slug, name in plan.ngos.items():
        yield f"\n[[ngos]]\nid = {_quote(_party(plan, f'/ngo/{slug}'))}\nname = {_quote(name)}"
        if slug in listed:
            yield f"agency = {_quote(_party(plan, f'/agency/{slug}'))}   # its people write tips in the console, too"
    yield "\n# Local police first, where a child may be in danger."
    yield f'# [[desks]]\n# provinces = ["…"]\n# agency = {_quote(_party(plan, f"/agency/{home}"))}'
    yield "\n# To whom an officer is proposed to pass a tip on, by the suspect's country (ICAO 9303)."
    yield '# [[countries]]\n# code = "GBR"\n# agency = "spiffe://gb.alerts.example/agency/nca-ceop"'
    yield '\n# Whom to call now.\n[[contacts]]\nname = "Emergency police (EXAMPLE)"\nchannel = "000, at any hour (EXAMPLE)"'


def _party(plan: PartyPlan, path: str) -> str:
    return str(PartyId(trust_domain=plan.trust_domain, path=path))


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # every JSON string is a TOML basic string
