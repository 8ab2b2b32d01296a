"""Proof on the auditor's own machine: the node's keys from a pinned fingerprint, its signed checkpoint, and entries that are in it.

What the node says is believed only as far as it is signed and hashed; this module never asks the node whether something holds.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.context import ask
from node.cli.errors import VERIFICATION_FAILED, Trouble, sentence
from node.cli.fingerprint import Fingerprint

if TYPE_CHECKING:
    import grpc

    from exchange.directory import KnownNode
    from exchange.tlog.checkpoint import Checkpoint
    from exchange.v1.audit_service_pb2 import GetProofResponse

pin_option = click.option(
    "--pin",
    type=Fingerprint(),
    metavar="FINGERPRINT",
    help="Fingerprint of the node's identity key, got apart from it. Without one the node's own word for its keys is taken.",
)
checkpoint_option = click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A signed checkpoint that you kept, or that a witness gave you; else the node is asked for one.",
)


class Place(click.ParamType[tuple[str, int]]):
    """An entry: its index in the journal, or ORIGIN#INDEX in any log."""

    name = "entry"

    def convert(self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """(origin, index), the origin empty for the newest journal; fails as a usage error."""
        if isinstance(value, tuple):
            return value
        origin, _, index = value.rpartition("#")
        if not re.fullmatch(r"[0-9]{1,19}", index) or int(index) >= 2**63:
            self.fail("write an entry as its index in the journal, or as ORIGIN#INDEX", param, ctx)
        return origin, int(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint, and what is known of its signature."""

    checkpoint: "Checkpoint"
    note: bytes
    verified: bool
    """Signed by a log key of this node. False for a mirror of a partner's log, whose keys its own auditors have."""
    pinned: bool
    """The node's keys lead from the fingerprint that was given."""

    @property
    def said(self) -> str:
        """In words."""
        if not self.verified:
            return "not verified here: the partner's own log"
        return "verified from the pinned key" if self.pinned else "verified by keys that the node itself names; no fingerprint was given"

    def data(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "signature_verified": self.verified,
            "pinned": self.pinned,
            "note": self.note.decode("utf-8", "replace"),
        }


def signed_checkpoint(channel: "grpc.Channel", origin: str, pin: bytes | None, kept: Path | None = None) -> Signed:
    """The checkpoint of a log, its signature verified. Raises `Trouble` (exit code 4) when it does not hold."""
    from exchange.errors import ExchangeError
    from exchange.v1 import audit_service_pb2
    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

    owner = own_node(channel, pin)
    if kept is not None:
        note = kept.read_bytes()
    else:
        note = ask(AuditServiceStub(channel).GetCheckpoint, audit_service_pb2.GetCheckpointRequest(origin=origin)).checkpoint
    try:
        checkpoint, verified = _open(note, owner)
    except ExchangeError as error:
        raise _broken(error.code, "The checkpoint does not hold.", str(error)) from None
    if origin and checkpoint.origin != origin:
        raise _broken("CHECKPOINT_ORIGIN", "The checkpoint does not hold.", "it is of another log than the one that was asked for")
    return Signed(checkpoint=checkpoint, note=note, verified=verified, pinned=pin is not None)


def own_node(channel: "grpc.Channel", pin: bytes | None) -> "KnownNode":
    """This node's keys from its own chain of descriptors. Raises `Trouble` (exit code 4) unless the chain leads from `pin`."""
    from exchange.directory import open_descriptor_chain
    from exchange.errors import ExchangeError
    from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

    answer = ask(DeskServiceStub(channel).GetOwnDescriptor, desk_service_pb2.GetOwnDescriptorRequest())
    try:
        chain = directory_pb2.DescriptorChain.FromString(answer.descriptors)
        statements = [statement_pb2.Statement.FromString(descriptor) for descriptor in chain.descriptors]
        return open_descriptor_chain(statements, pin if pin is not None else answer.identity_fingerprint)
    except ExchangeError as error:
        raise _broken(error.code, "The node's own keys do not lead from that fingerprint.", str(error)) from None


def proved_entry(channel: "grpc.Channel", index: int, signed: Signed) -> "GetProofResponse":
    """The entry at `index`, proved to be in the tree of the checkpoint. Raises `Trouble` (exit code 4) when it is not."""
    from exchange.errors import ExchangeError
    from exchange.tlog.merkle import leaf_hash, verify_inclusion
    from exchange.v1 import audit_service_pb2
    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

    tree = signed.checkpoint
    question = audit_service_pb2.GetProofRequest(origin=tree.origin, index=index, size=tree.size)
    answer = ask(AuditServiceStub(channel).GetProof, question)
    try:
        verify_inclusion(leaf_hash(answer.entry), index, tree.size, answer.hashes, tree.root)
    except ExchangeError as error:
        raise _broken(error.code, f"Entry {index} is not in the tree of the checkpoint.", str(error)) from None
    return answer


def _open(note: bytes, owner: "KnownNode") -> "tuple[Checkpoint, bool]":
    from exchange.log import log_verifiers
    from exchange.tlog.checkpoint import open_checkpoint, parse_checkpoint_text

    origin = note.partition(b"\n")[0].decode("utf-8", "replace")
    if origin.partition("/")[0] == owner.trust_domain:
        return open_checkpoint(note, log_verifiers(origin, owner, None), origin), True
    return parse_checkpoint_text(note.partition(b"\n\n")[0] + b"\n"), False


def _broken(code: str, happened: str, why: str) -> Trouble:
    return Trouble(
        VERIFICATION_FAILED,
        code,
        happened,
        why=sentence(why),
        next_step="Keep what you have, rely on nothing that the node says, and compare with its witnesses and partners.",
    )
