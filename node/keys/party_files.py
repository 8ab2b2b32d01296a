"""Make everything secret that a party needs, in one directory of fixed layout, and write down what is there.

    node-ca.pem  node-ca.key                 the authority that issues to the node and to nothing else
    office-ca.pem  office-ca.key             the authority for the desk listener, officers and auditors
    ngo-ca.pem  ngo-ca.key                   the authority for the listener for tips and for NGOs
    tls/tips.pem  tls/tips.key               what the node shows to NGOs
    ngos/<slug>.pem  .key                    NGOs
    tls/node.pem  tls/node.key               what the node shows to partners, as server and as client
    tls/desk.pem  tls/desk.key               what the node shows to its officers
    keys/agreement.key  log.key  receipt.key  witness.key  recall.key  identity.key  identity-next.key
    keys/statement-<agency slug>.key         one for each agency that originates
    officers/<pseudonym>.pem  .key           officers and auditors
    party.toml                               all of it, with key ids and dates

What exists is kept, so that running it again only adds what is missing. In a real office the authorities' keys and
both identity keys are moved offline after this; nothing of the node reads them while it runs.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.errors import Malformed
from exchange.values import PartyId
from node.keys.files import (
    EXAMPLE_MARK,
    PrivateKey,
    certificate_pem,
    make_private_directory,
    private_key_pem,
    read_certificate,
    read_private_key,
    write_private,
    write_public,
)
from node.keys.issue import (
    NODE_LEAF_MAX_DAYS,
    Authority,
    issue_authority,
    issue_desk_leaf,
    issue_ngo_leaf,
    issue_node_leaf,
    issue_person_leaf,
    issue_tips_leaf,
    new_tls_key,
)
from node.keys.party_plan import OfficerPlan, PartyPlan

NODE_KEY_USES: Final = ("agreement", "log", "receipt", "witness", "recall", "identity", "identity-next")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a party's files are made."""

    now: datetime
    node_days: int = NODE_LEAF_MAX_DAYS
    """Life of the node's certificate, 1 to 7 days (PROTOCOL.md, 1)."""
    example: bool = False
    """Whether every private key and every common name says that it is an example."""
    overwrite: bool = False
    """Whether what exists is replaced. Partners pin some of it: they would have to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """One certificate of the directory, as `party.toml` lists it."""

    party: PartyId | None
    file: str
    issuer: str
    certificate: x509.Certificate


def write_party(plan: PartyPlan, directory: Path, terms: Terms) -> list[Path]:
    """Write what is missing of a party's keys and certificates; returns the files that were written.

    Raises `Refused` (LEAF_LIFE, KEY_FILE_MODE), `Malformed` (KEY_FILE, CERTIFICATE_FILE, KEY_PAIR: a certificate that
    is not its key's).
    """
    return _Work(plan=plan, directory=directory, terms=terms, written=[]).write()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    plan: PartyPlan
    directory: Path
    terms: Terms
    written: list[Path]

    def write(self) -> list[Path]:
        for part in ("", "tls", "keys", "officers", "ngos"):
            make_private_directory(self.directory / part)
        certificates = [*self._node(), *self._office(), *self._ngos()]
        keys = self._signing_keys()
        self._manifest(certificates, keys)
        return self.written

    def _node(self) -> Iterator[_Leaf]:
        authority, root = self._authority("node")
        yield root
        name, now, days = self._name(f"{self.plan.name} node"), self.terms.now, self.terms.node_days
        key = self._tls_key("tls/node")
        certificate = self._certificate(
            "tls/node", key, lambda: issue_node_leaf(authority, key.public_key(), name=name, now=now, days=days)
        )
        yield _Leaf(party=self._party("/node"), file="tls/node", issuer="node-ca", certificate=certificate)

    def _office(self) -> Iterator[_Leaf]:
        authority, root = self._authority("office")
        yield root
        now = self.terms.now
        desk = self._tls_key("tls/desk")
        name = self._name(f"{self.plan.name} desk")
        certificate = self._certificate("tls/desk", desk, lambda: issue_desk_leaf(authority, desk.public_key(), name=name, now=now))
        yield _Leaf(party=self._party("/desk"), file="tls/desk", issuer="office-ca", certificate=certificate)
        for officer in self.plan.officers:
            yield self._person(authority, officer)

    def _ngos(self) -> Iterator[_Leaf]:
        authority, root = self._authority("ngo")
        yield root
        now = self.terms.now
        tips = self._tls_key("tls/tips")
        name = self._name(f"{self.plan.name} tips")
        certificate = self._certificate("tls/tips", tips, lambda: issue_tips_leaf(authority, tips.public_key(), name=name, now=now))
        yield _Leaf(party=self._party("/tips"), file="tls/tips", issuer="ngo-ca", certificate=certificate)
        for slug in self.plan.ngos:
            yield self._ngo(authority, slug)

    def _ngo(self, authority: Authority, slug: str) -> _Leaf:
        party, stem, now = self._party(f"/ngo/{slug}"), f"ngos/{slug}", self.terms.now
        key = self._tls_key(stem)
        name = self._name(f"ngo {slug}")
        certificate = self._certificate(stem, key, lambda: issue_ngo_leaf(authority, party, key.public_key(), name=name, now=now))
        return _Leaf(party=party, file=stem, issuer="ngo-ca", certificate=certificate)

    def _person(self, authority: Authority, officer: OfficerPlan) -> _Leaf:
        party, stem, now = self._party(officer.path), f"officers/{officer.pseudonym}", self.terms.now
        key = self._tls_key(stem)
        name = self._name(f"{party.role} {officer.pseudonym}")
        certificate = self._certificate(stem, key, lambda: issue_person_leaf(authority, party, key.public_key(), name=name, now=now))
        return _Leaf(party=party, file=stem, issuer="office-ca", certificate=certificate)

    def _authority(self, kind: str) -> tuple[Authority, _Leaf]:
        stem, domain = f"{kind}-ca", self.plan.trust_domain
        key = self._tls_key(stem)
        name = self._name(f"{self.plan.name} {kind} authority")
        certificate = self._certificate(stem, key, lambda: issue_authority(domain, key, name=name, now=self.terms.now).certificate)
        root = _Leaf(party=None, file=stem, issuer=stem, certificate=certificate)
        return Authority(trust_domain=domain, certificate=certificate, key=key), root

    def _signing_keys(self) -> list[tuple[str, PartyId, str, ed25519.Ed25519PublicKey]]:
        node = self._party("/node")
        wanted = [(use, node, f"keys/{use}") for use in NODE_KEY_USES]
        wanted += [
            ("statement", self._party(agency.path), f"keys/statement-{agency.slug}") for agency in self.plan.agencies if agency.originates
        ]
        return [(use, party, stem, self._signing_key(stem).public_key()) for use, party, stem in wanted]

    def _tls_key(self, stem: str) -> ec.EllipticCurvePrivateKey:
        key = self._key(stem, new_tls_key)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Malformed("KEY_FILE", f"{stem}.key must be a P-256 key")
        return key

    def _signing_key(self, stem: str) -> ed25519.Ed25519PrivateKey:
        key = self._key(stem, ed25519.Ed25519PrivateKey.generate)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise Malformed("KEY_FILE", f"{stem}.key must be an Ed25519 key")
        return key

    def _key(self, stem: str, make: Callable[[], PrivateKey]) -> PrivateKey:
        path = self.directory / f"{stem}.key"
        if path.exists() and not self.terms.overwrite:
            return read_private_key(path)
        key = make()
        write_private(path, private_key_pem(key, mark=self._mark), overwrite=self.terms.overwrite)
        self.written.append(path)
        return key

    def _certificate(self, stem: str, key: ec.EllipticCurvePrivateKey, issue: Callable[[], x509.Certificate]) -> x509.Certificate:
        path = self.directory / f"{stem}.pem"
        if path.exists() and not self.terms.overwrite:
            certificate = read_certificate(path)
            if certificate.public_key() != key.public_key():
                raise Malformed("KEY_PAIR", f"{stem}.pem is not the certificate of {stem}.key")
            return certificate
        certificate = issue()
        write_public(path, certificate_pem(certificate, mark=self._mark), overwrite=self.terms.overwrite)
        self.written.append(path)
        return certificate

    def _manifest(self, leaves: Sequence[_Leaf], keys: Sequence[tuple[str, PartyId, str, ed25519.Ed25519PublicKey]]) -> None:
        plan = self.plan
        lines = [f"# {self._mark}"] if self._mark else []
        lines += _row(code=plan.code, name=plan.name, trust_domain=plan.trust_domain, time_zone=plan.time_zone)
        lines += [f"languages = [{', '.join(_quote(tag) for tag in plan.languages)}]"]
        for use, party, stem, public in keys:
            lines += ["", "[[keys]]", *_row(use=use, party=str(party), file=f"{stem}.key", key_id=_key_id(public))]
        for leaf in leaves:
            certificate = leaf.certificate
            lines += ["", f"[[certificates]]\nparty = {_quote(str(leaf.party))}" if leaf.party else "[[authorities]]"]
            lines += _row(certificate=f"{leaf.file}.pem", key=f"{leaf.file}.key", issuer=f"{leaf.issuer}.pem")
            lines += [f"not_after = {certificate.not_valid_after_utc.isoformat()}"]
        for agency in plan.agencies:
            lines += ["", "[[agencies]]", *_row(party=str(self._party(agency.path)), name=agency.name)]
            lines += [*_row(**{"class": agency.agency_class}, desk=agency.desk)]
        for officer in plan.officers:
            lines += ["", "[[officers]]", *_row(party=str(self._party(officer.path)), role=officer.role)]
            lines += _row(agency=officer.agency)
        content = ("\n".join(lines) + "\n").encode()
        path = self.directory / "party.toml"
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content, overwrite=True)
            self.written.append(path)

    @property
    def _mark(self) -> str:
        return EXAMPLE_MARK if self.terms.example else ""

    def _name(self, text: str) -> str:
        return f"EXAMPLE {text}" if self.terms.example else text

    def _party(self, path: str) -> PartyId:
        return PartyId(trust_domain=self.plan.trust_domain, path=path)


def _row(**values: str) -> list[str]:
    return [f"{key} = {_quote(value)}" for key, value in values.items()]


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # every JSON string is a TOML basic string


def _key_id(public: ed25519.Ed25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
