"""Replace a signing key, the identity key among them, or end one: files and the next descriptor, in an order that a crash does not spoil.

A new key is written aside, then described, then put in its place; the old one stays beside it under its id. Between any two of these steps
the node can start: its key is described and in force. To repeat the command finishes what was begun.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from exchange.directory import KnownNode
from exchange.errors import NotFound, Refused
from exchange.signing import key_id_of
from exchange.v1 import directory_pb2
from exchange.values import PartyId, node_of
from node.config import Config
from node.keys.descriptor import NODE_USES
from node.keys.files import private_key_pem, write_private
from node.keys.next_descriptor import as_configured, read_own, succeeded, with_end, with_key, write_own
from node.keys.signers import FileSigner, file_signer

IDENTITY: Final = "identity"
STATEMENT: Final = "statement"
USES: Final = (*NODE_USES, STATEMENT)
"""What a key may be replaced for, as in `[keys]`: `recall` is a statement key of the node itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What came of it."""

    own: KnownNode
    key_id: bytes
    """Of the new key, 32 bytes."""
    replaced: Path | None
    """Where the key before is kept; None if there was none."""


def rotate(config: Config, use: str, *, agency: str, identity: Path, now: int) -> Rotated:
    """Make a fresh Ed25519 key for one of `USES`, describe it from `now` on (Unix milliseconds), and put it in the place of the old one.

    `agency` is the last segment of an agency's id, for `statement`; `identity` the file of the identity key. The old key stays in force
    until it is revoked or ends. To replace the identity key itself, the one that was announced must lie beside it as `identity-next.key`.
    Raises `NotFound` (KEY_NOT_CONFIGURED, IDENTITY_OFFLINE), `Refused` (IDENTITY_NOT_ANNOUNCED, DESCRIPTOR_CHAIN_LONG) and as `succeeded`.
    """
    own = read_own(config.store.descriptors)
    if use == IDENTITY:
        return _rotate_identity(config, own, identity, now)
    place, party = _place(config, use, agency)
    fresh = place.with_name(f"{place.name}.next")
    signer = _fresh(fresh)
    if own.find(signer.key_id) is None:
        descriptor = as_configured(own, config)
        with_key(descriptor, signer, NODE_USES.get(use, directory_pb2.KEY_USE_STATEMENT), party, now)
        own = succeeded(own, descriptor, _identity(identity), now)
        write_own(config.store.descriptors, own)
    return Rotated(own=own, key_id=signer.key_id, replaced=_put_in_place(fresh, place))


def revoke(
    config: Config, key_id: bytes, reason: "directory_pb2.RevocationReason.ValueType", *, since: int, identity: Path, now: int
) -> KnownNode:
    """End a described key, and return the node as it is described then.

    `since`: Unix milliseconds from which it may have been in other hands, if that is the reason; else 0. Raises `Refused` (KEY_IN_USE:
    the configuration names it still; KEY_ENDED), `NotFound` (IDENTITY_OFFLINE) and as `succeeded`.
    """
    own = read_own(config.store.descriptors)
    signer = _identity(identity)
    if key_id in {signer.key_id, *in_use(config).values()}:
        raise Refused("KEY_IN_USE", "the node signs with this key: replace it first, `exchange key rotate`")
    descriptor = as_configured(own, config)
    with_end(descriptor, key_id, reason, now, since)
    own = succeeded(own, descriptor, signer, now)
    write_own(config.store.descriptors, own)
    return own


def revoke_tls(config: Config, spki: bytes, *, identity: Path, now: int) -> KnownNode:
    """Tell partners to accept a TLS key no longer, a leaf's or an authority's, by its SubjectPublicKeyInfo (DER). Raises as `revoke`."""
    own = read_own(config.store.descriptors)
    descriptor = as_configured(own, config)
    key_id = key_id_of(spki)
    if any(revoked.key_id == key_id for revoked in descriptor.revoked_tls_keys):
        raise Refused("KEY_ENDED", "this TLS key is revoked already")
    descriptor.revoked_tls_keys.add(key_id=key_id)
    own = succeeded(own, descriptor, _identity(identity), now)
    write_own(config.store.descriptors, own)
    return own


def describe(config: Config, *, identity: Path, now: int) -> KnownNode:
    """Write the next descriptor from what the configuration says now; nothing else changes. Raises as `revoke`."""
    own = read_own(config.store.descriptors)
    own = succeeded(own, as_configured(own, config), _identity(identity), now)
    write_own(config.store.descriptors, own)
    return own


def in_use(config: Config) -> Mapping[str, bytes]:
    """The ids (32 bytes) of the keys that the configuration names, by use; an agency's as `statement SLUG`. Absent files are left out."""
    return {name: file_signer(path).key_id for name, path in _places(config) if path.exists()}


def _places(config: Config) -> Iterator[tuple[str, Path]]:
    for use in NODE_USES:
        if uri := getattr(config.keys, use):
            yield use, _path(uri)
    for slug, uri in config.keys.statement.items():
        yield f"{STATEMENT} {slug}", _path(uri)


def _place(config: Config, use: str, agency: str) -> tuple[Path, PartyId]:
    domain = config.node.trust_domain
    uri = config.keys.statement.get(agency, "") if use == STATEMENT else getattr(config.keys, use)
    if not uri:
        named = f"keys.statement.{agency or 'AGENCY'}" if use == STATEMENT else f"keys.{use}"
        raise NotFound("KEY_NOT_CONFIGURED", f"the configuration names no file for this key: {named}")
    return _path(uri), PartyId(trust_domain=domain, path=f"/agency/{agency}") if use == STATEMENT else node_of(domain)


def _path(uri: str) -> Path:
    return Path(uri.removeprefix("file:"))


def _rotate_identity(config: Config, own: KnownNode, place: Path, now: int) -> Rotated:
    announced, fresh = place.with_name("identity-next.key"), place.with_name("identity-next.key.next")
    following = _fresh(fresh)
    if own.descriptor.next_identity_key != following.key_id:
        signer = _identity(announced)
        if signer.key_id != own.descriptor.next_identity_key:
            raise Refused("IDENTITY_NOT_ANNOUNCED", "identity-next.key is not the key that the last descriptor announced: bring that one")
        descriptor = as_configured(own, config)
        if own.find(signer.key_id) is None:
            with_key(descriptor, signer, directory_pb2.KEY_USE_IDENTITY, node_of(own.trust_domain), now)
        descriptor.next_identity_key = following.key_id
        own = succeeded(own, descriptor, signer, now)
        write_own(config.store.descriptors, own)
    signed_by = own.chain[-1].signatures[0].key_id
    replaced = None
    if not place.exists() or file_signer(place).key_id != signed_by:
        replaced = _put_in_place(announced, place)
    fresh.replace(announced)
    return Rotated(own=own, key_id=signed_by, replaced=replaced)


def _identity(path: Path) -> FileSigner:
    try:
        return file_signer(path)
    except FileNotFoundError:
        raise NotFound("IDENTITY_OFFLINE", "the identity key is not here: bring it for this, and name its file with --identity") from None


def _fresh(path: Path) -> FileSigner:
    """The key that is written aside: one that was left there by an interrupted command, or a new one."""
    if not path.exists():
        write_private(path, private_key_pem(ed25519.Ed25519PrivateKey.generate()))
    return file_signer(path)


def _put_in_place(fresh: Path, place: Path) -> Path | None:
    old = None
    if place.exists():
        old = place.with_name(f"{place.stem}-{file_signer(place).key_id.hex()[:8]}{place.suffix}")
        if not old.exists():
            old.hardlink_to(place)
    fresh.replace(place)
    return old
