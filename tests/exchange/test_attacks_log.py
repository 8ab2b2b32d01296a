"""Attacks on the disclosure log: the stream, its checkpoints, receipts, signs of life and successions."""

from collections.abc import Sequence

import pytest

from exchange.directory import KnownNode
from exchange.encoding import CAP_BATCH, CAP_BATCH_DELIVERIES, CAP_ENTRY, encode
from exchange.log import Extension, LogName, extend, frontier_of, open_alive, open_log_checkpoint, raw_key, sign_alive
from exchange.signing import Signer, sign_statement, statement_digest
from exchange.succession import (
    check_successor,
    countersign_succession,
    open_succession,
    open_succession_proposal,
    propose_succession,
    successor_entry,
)
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.note import NoteSignature, sign_cosignature
from exchange.v1 import directory_pb2, disclosure_pb2, statement_pb2, succession_pb2
from tests.attacks import MANGLES, Mangle, attack
from tests.builders import batch, checkpoint, log_name, note, world
from tests.countries import (
    DAY,
    KEYS_UNTIL,
    NOW,
    POLICE,
    agency_name,
    changed,
    compromised,
    descriptor,
    domain,
    ed25519_key,
    key,
    known,
    node,
    with_key,
)

MIRROR = world().entries[:2]
SENT = world().batch.deliveries
NAME = log_name()
EMPTY = disclosure_pb2.Delivery(entry=b"")


def send(
    sent: disclosure_pb2.Batch, *, held: Sequence[bytes] = MIRROR, name: LogName = NAME, partner: str = "gb", gb: KnownNode | None = None
) -> Extension:
    """What kh does with a batch of its TLS partner, when its mirror holds those entries."""
    return extend(name, frontier_of(held), sent, gb or node(partner), domain("kh"), NOW)


def signed(entries: Sequence[bytes], claim: Checkpoint | None = None, signer: Signer | None = None) -> bytes:
    """A note by gb's log key, whatever it claims."""
    signer = signer or key("gb", "log")
    return sign_checkpoint(claim or checkpoint(entries), raw_key(signer.spki), signer.sign)


def claiming(note_: bytes) -> disclosure_pb2.Batch:
    """The good batch under another checkpoint."""
    return changed(world().batch, checkpoint=note_)


def test_without_an_attack_the_batch_is_accepted() -> None:
    assert send(world().batch).checkpoint == checkpoint(world().entries)


# Stream, check S1


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    "deliveries",
    [
        [],
        [EMPTY] * (CAP_BATCH_DELIVERIES + 1),
        [disclosure_pb2.Delivery(entry=bytes(CAP_ENTRY + 1))],
        [changed(SENT[0], attached=[statement_pb2.Statement(payload=bytes(CAP_BATCH))])],
    ],
    ids=["empty", "too many", "entry", "bytes"],
)
@attack("stream", "BATCH_CAP")
def test_a_batch_is_empty_or_beyond_the_caps(deliveries: list[disclosure_pb2.Delivery]) -> None:
    send(batch(deliveries, MIRROR))


# Stream, check S2


@pytest.mark.rule("S2")
@attack("stream", "NOT_THE_LOG_OWNER")
def test_a_partner_extends_the_log_of_another() -> None:
    send(world().batch, partner="vn")


@pytest.mark.rule("S2")
@attack("stream", "NOT_THE_LOG_OWNER")
def test_the_log_towards_another_recipient_is_served() -> None:
    elsewhere = log_name("gb", "vn")
    send(batch(SENT, MIRROR, name=elsewhere), name=elsewhere)


# Stream, check S3


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_log_is_truncated() -> None:
    send(claiming(signed(world().entries[:3])))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_log_is_forked() -> None:
    send(batch(SENT, [MIRROR[0], b"another entry"]))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_log_is_rewritten_from_its_beginning() -> None:
    send(batch(SENT, ()))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_log_is_reordered() -> None:
    send(claiming(signed([*MIRROR, SENT[1].entry, SENT[0].entry])))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_log_has_a_gap() -> None:
    send(changed(world().batch, deliveries=SENT[1:]))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_a_batch_is_replayed() -> None:
    send(world().batch, held=world().entries)


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_an_entry_is_slipped_in_that_was_not_signed() -> None:
    send(changed(world().batch, deliveries=[*SENT, SENT[0]]))


@pytest.mark.rule("S3")
@attack("log", "LOG_MISMATCH")
def test_the_right_root_is_claimed_for_another_size() -> None:
    good = checkpoint(world().entries)
    send(claiming(signed((), Checkpoint(origin=good.origin, size=good.size + 1, root=good.root))))


# Stream, check S4


@pytest.mark.rule("S4")
@pytest.mark.parametrize("name", ["witness", "receipt", "agreement", "identity", agency_name("gb", POLICE)])
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_checkpoint_is_signed_by_a_key_of_another_use(name: str) -> None:
    send(claiming(note(world().entries, signer=key("gb", name))))


@pytest.mark.rule("S4")
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_checkpoint_is_signed_by_another_country() -> None:
    send(claiming(note(world().entries, signer=key("vn", "log"))))


@pytest.mark.rule("S4")
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_checkpoint_bears_a_cosignature_only() -> None:
    text, signer = checkpoint(world().entries).text(), key("gb", "log")
    line: NoteSignature = sign_cosignature(text, NAME.origin, raw_key(signer.spki), NOW // 1000, signer.sign)
    send(claiming(text + b"\n" + line.line()))


@pytest.mark.rule("S4")
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_checkpoint_is_altered_after_it_was_signed() -> None:
    send(claiming(note(world().entries[:3]).replace(b"\n3\n", b"\n4\n")))


@pytest.mark.rule("S4")
@pytest.mark.parametrize("spoilt", [b"", b"\n", checkpoint(world().entries).text(), world().batch.checkpoint[:-1]])
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_MALFORMED")
def test_a_checkpoint_is_no_signed_note(spoilt: bytes) -> None:
    send(claiming(spoilt))


@pytest.mark.rule("S4")
@pytest.mark.parametrize("other", [log_name(generation=2), log_name("gb", "vn"), log_name("kh", "gb")], ids=lambda name: name.origin)
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_checkpoint_is_of_another_log(other: LogName) -> None:
    send(claiming(note(world().entries, other)))


@pytest.mark.rule("S4")
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_ORIGIN")
def test_a_key_of_this_log_signs_the_text_of_another() -> None:
    text = checkpoint(world().entries, log_name(generation=2)).text()
    line = note(world().entries).rpartition(b"\n\n")[2]
    name_and_id = NoteSignature(name=NAME.origin, key_id=_key_id(line), signature=key("gb", "log").sign(text))
    send(claiming(text + b"\n" + name_and_id.line()))


def _key_id(line: bytes) -> bytes:
    from base64 import b64decode

    return b64decode(line.split(b" ")[2])[:4]


@pytest.mark.rule("S4")
@pytest.mark.parametrize(
    "words",
    [
        {"not_before": NOW + 1},
        {"not_after": NOW},
        {"revoked_at": NOW, "revocation_reason": directory_pb2.REVOCATION_REASON_SUPERSEDED},
        compromised(NOW - DAY),
    ],
    ids=["early", "expired", "revoked", "stolen"],
)
@attack("checkpoint", "CHECKPOINT_UNVERIFIED", because="CHECKPOINT_SIGNATURE")
def test_a_log_key_is_not_in_force_now(words: dict[str, int]) -> None:
    send(world().batch, gb=known(with_key(descriptor("gb"), key("gb", "log"), **words)))


# Checkpoints in Hello, and signs of life


@attack("checkpoint", "CHECKPOINT_SIGNATURE")
def test_a_mirror_shows_a_checkpoint_that_the_owner_never_signed() -> None:
    open_log_checkpoint(note(world().entries, signer=key("kh", "log")), NAME, node("gb"), NOW)


@attack("alive", "KEY_USE")
def test_a_sign_of_life_is_signed_by_a_key_of_another_use() -> None:
    open_alive(sign_alive(NAME, frontier_of(MIRROR), NOW, key("gb", "receipt")), node("gb"), NOW)


@attack("alive", "KEY_EXPIRED")
def test_a_sign_of_life_by_an_expired_key() -> None:
    open_alive(sign_alive(NAME, frontier_of(MIRROR), NOW, key("gb", "log")), node("gb"), KEYS_UNTIL)


@attack("alive", "NOT_THE_LOG_OWNER")
def test_a_sign_of_life_for_the_log_of_another() -> None:
    open_alive(sign_alive(log_name("vn"), frontier_of(MIRROR), NOW, key("gb", "log")), node("gb"), NOW)


@MANGLES
@attack("alive", "NOT_CANONICAL")
def test_a_sign_of_life_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    alive = encode(disclosure_pb2.Alive(origin=NAME.origin, size=2, root=frontier_of(MIRROR).root(), time=NOW))
    open_alive(sign_statement("alive", mangle(alive), [key("gb", "log")]), node("gb"), NOW)


# Successions

SUCCESSION = succession_pb2.LogSuccession(
    version=1,
    ended_origin=NAME.origin,
    successor_origin=log_name(generation=2).origin,
    last_checkpoint=checkpoint(MIRROR).text(),
    reason=succession_pb2.SUCCESSION_REASON_FORK,
    conflicting_checkpoints=[note(MIRROR), note([b"another"])],
    agreed_at=NOW,
)


def succeed(succession: succession_pb2.LogSuccession, *signers: Signer) -> object:
    statement = sign_statement("log-succession", encode(succession), signers or (key("gb", "agreement"), key("kh", "agreement")))
    return open_succession(statement, [node("gb"), node("kh")])


def test_without_an_attack_the_succession_is_accepted() -> None:
    proposed = propose_succession(SUCCESSION, key("gb", "agreement"))
    assert open_succession(countersign_succession(proposed, key("kh", "agreement")), [node("gb"), node("kh")]).value == SUCCESSION


@attack("succession", "SIGNATURE_COUNT")
def test_a_succession_is_signed_by_one_node() -> None:
    succeed(SUCCESSION, key("gb", "agreement"))


@attack("succession", "SUCCESSION_PARTIES")
def test_a_succession_of_a_log_is_signed_by_others() -> None:
    ended, successor = log_name("gb", "vn"), log_name("gb", "vn", 2)
    last = checkpoint(MIRROR, ended).text()
    succeed(changed(SUCCESSION, ended_origin=ended.origin, successor_origin=successor.origin, last_checkpoint=last))


@attack("succession", "KEY_UNKNOWN")
def test_a_succession_is_signed_by_an_unknown_key() -> None:
    succeed(SUCCESSION, key("gb", "agreement"), ed25519_key("nobody's"))


@pytest.mark.parametrize(
    "changes",
    [
        {"successor_origin": NAME.origin},
        {"successor_origin": log_name("gb", "vn", 2).origin},
        {"last_checkpoint": checkpoint(MIRROR, log_name("kh", "gb")).text()},
        {"reason": 0},
        {"version": 2},
    ],
    ids=["the same", "towards another", "of another log", "no reason", "version"],
)
@attack("succession", "SUCCESSION_MALFORMED")
def test_a_succession_has_no_such_form(changes: dict[str, object]) -> None:
    succeed(changed(SUCCESSION, **changes))


@attack("succession", "SUCCESSION_SIGNERS")
def test_a_recipient_proposes_to_end_the_log_of_its_partner() -> None:
    open_succession_proposal(propose_succession(SUCCESSION, key("kh", "agreement")), node("kh"))


@attack("succession", "KEY_COMPROMISED")
def test_a_stolen_key_proposes_to_end_a_log() -> None:
    stolen = known(with_key(descriptor("gb"), key("gb", "agreement"), **compromised(NOW + 1) | {"revoked_at": NOW + 1}))
    open_succession_proposal(propose_succession(SUCCESSION, key("gb", "agreement")), stolen)


# The first entry of a successor

AGREED = sign_statement("log-succession", encode(SUCCESSION), [key("gb", "agreement"), key("kh", "agreement")])
BEGINNING = disclosure_pb2.Delivery(entry=encode(successor_entry(statement_digest(AGREED))), attached=[AGREED])


def begin(delivered: disclosure_pb2.Delivery, name: LogName | None = None, index: int = 0) -> None:
    check_successor(delivered, name or log_name(generation=2), index, [node("gb"), node("kh")])


def test_without_an_attack_the_successor_begins() -> None:
    begin(BEGINNING)


@attack("successor", "NOT_AGREED")
def test_a_successor_begins_without_its_succession() -> None:
    begin(changed(BEGINNING, attached=()))


@attack("successor", "NOT_AGREED", because="SIGNATURE_COUNT")
def test_a_successor_begins_with_what_one_node_signed() -> None:
    begin(changed(BEGINNING, attached=[propose_succession(SUCCESSION, key("gb", "agreement"))]))


@attack("successor", "NOT_AGREED")
def test_a_successor_is_named_in_the_midst_of_a_log() -> None:
    begin(BEGINNING, index=1)


@attack("successor", "NOT_AGREED")
def test_a_succession_is_for_another_generation() -> None:
    begin(BEGINNING, log_name(generation=3))


@attack("successor", "NOT_AGREED")
def test_a_successor_names_another_succession() -> None:
    begin(changed(BEGINNING, entry=encode(successor_entry(bytes(32)))))


@attack("successor", "NOT_AGREED")
def test_a_successor_begins_with_content() -> None:
    begin(changed(BEGINNING, openings=world().delivery.openings))
