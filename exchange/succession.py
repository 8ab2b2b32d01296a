"""The end of a disclosure log and its successor, signed by both nodes (PROTOCOL.md, section 4)."""

from collections.abc import Sequence

from exchange.directory import KnownNode, check_key, check_not_compromised, open_joint_statement
from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import ExchangeError, Malformed, Refused, Unverified
from exchange.log import LogName
from exchange.signing import Signer, Verified, add_signature, open_statement, sign_statement, statement_digest
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.v1 import disclosure_pb2, statement_pb2, succession_pb2
from exchange.values import node_of


def propose_succession(succession: succession_pb2.LogSuccession, signer: Signer) -> statement_pb2.Statement:
    """Sign a succession as the first of both nodes, after checking its form."""
    _check_form(succession)
    return sign_statement("log-succession", encode(succession), [signer])


def open_succession_proposal(statement: statement_pb2.Statement, owner: KnownNode) -> Verified[succession_pb2.LogSuccession]:
    """Open a succession that only the log's owner has signed yet.

    Raises as `open_statement` and `check_key` do; `Malformed` (SUCCESSION_MALFORMED); `Unverified` (SUCCESSION_SIGNERS).
    """
    (key,) = open_statement(statement, "log-succession", owner)
    succession = decode(succession_pb2.LogSuccession, statement.payload, CAP_STATEMENT)
    _check_form(succession)
    if LogName.parse(succession.ended_origin).sender != owner.trust_domain:
        raise Unverified("SUCCESSION_SIGNERS", "only the owner of a log proposes to end it")
    check_key(key, str(node_of(owner.trust_domain)), succession.agreed_at)
    check_not_compromised(key)
    return Verified(value=succession, digest=statement_digest(statement), statement=statement, keys=(key,))


def countersign_succession(statement: statement_pb2.Statement, signer: Signer) -> statement_pb2.Statement:
    """Add the second signature."""
    return add_signature(statement, signer)


def open_succession(statement: statement_pb2.Statement, nodes: Sequence[KnownNode]) -> Verified[succession_pb2.LogSuccession]:
    """Open a succession that both nodes of the log signed.

    Raises as `open_joint_statement` and `check_key` do; `Malformed` (SUCCESSION_MALFORMED); `Unverified` (SUCCESSION_PARTIES).
    """
    signed = open_joint_statement(statement, "log-succession", nodes)
    succession = decode(succession_pb2.LogSuccession, statement.payload, CAP_STATEMENT)
    _check_form(succession)
    name = LogName.parse(succession.ended_origin)
    if {node.trust_domain for node in nodes} != {name.sender, name.recipient}:
        raise Unverified("SUCCESSION_PARTIES", "the log is not between these two nodes")
    for key, owner in signed:
        check_key(key, str(node_of(owner)), succession.agreed_at)
        check_not_compromised(key)
    keys = tuple(key for key, _ in signed)
    return Verified(value=succession, digest=statement_digest(statement), statement=statement, keys=keys)


def successor_entry(succession_digest: bytes) -> disclosure_pb2.Entry:
    """Entry 0 of the successor: the succession's digest and nothing else."""
    return disclosure_pb2.Entry(succession=succession_digest)


def check_successor(delivery: disclosure_pb2.Delivery, log: LogName, index: int, nodes: Sequence[KnownNode]) -> None:
    """Check the delivery of a succession: it is entry 0 of the successor that both nodes signed for, and carries nothing else.

    Raises `Refused` (NOT_AGREED), which is the exception's code.
    """
    try:
        (statement,) = delivery.attached
        succession = open_succession(statement, nodes)
    except (ValueError, ExchangeError) as error:
        raise Refused("NOT_AGREED", "no succession that both nodes signed is attached") from error
    placed = index == 0 and succession.value.successor_origin == log.origin
    names_it = delivery.entry == encode(successor_entry(succession.digest))
    if not placed or not names_it or delivery.openings or delivery.HasField("manifest"):
        raise Refused("NOT_AGREED", "the succession is not the one that this log begins with")


def _check_form(succession: succession_pb2.LogSuccession) -> None:
    ended, successor = LogName.parse(succession.ended_origin), LogName.parse(succession.successor_origin)
    last = parse_checkpoint_text(succession.last_checkpoint)
    wrong = (
        succession.version != 1
        or last.origin != ended.origin
        or (successor.sender, successor.recipient) != (ended.sender, ended.recipient)
        or successor.generation <= ended.generation
        or succession.reason == succession_pb2.SUCCESSION_REASON_UNSPECIFIED
        or len(succession.conflicting_checkpoints) > 8
    )
    if wrong:
        raise Malformed("SUCCESSION_MALFORMED", "the succession breaks a rule of its form")
