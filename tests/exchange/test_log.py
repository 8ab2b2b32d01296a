import hashlib
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.directory import KnownNode
from exchange.encoding import CAP_BATCH, CAP_ENTRY
from exchange.errors import Conflict, ExchangeError, Malformed, Refused, Unverified
from exchange.log import LogName, extend, frontier_of, open_alive, open_log_checkpoint, raw_key, sign_alive, sign_log
from exchange.signing import sign_statement
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import EMPTY_ROOT
from exchange.v1 import directory_pb2, disclosure_pb2, statement_pb2
from tests.builders import batch, checkpoint, log_name, note, world
from tests.countries import (
    DAY,
    NOW,
    changed,
    compromised,
    described_key,
    descriptor,
    domain,
    ed25519_key,
    key,
    known,
    node,
    node_id,
    with_key,
)
from tests.refusals import refused

ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"
GB, KH = domain("gb"), domain("kh")
LOG_KEY = key("gb", "log")


def leaf(data: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def extended(sent: disclosure_pb2.Batch, before: int = 2, sender: KnownNode | None = None, **changes: Any) -> Checkpoint:
    """kh's mirror of gb's log, which holds the first entries of the world, after that batch."""
    told: dict[str, Any] = {"name": log_name(), "me": KH, "now": NOW} | changes
    return extend(told["name"], frontier_of(world().entries[:before]), sent, sender or node("gb"), told["me"], told["now"]).checkpoint


# Names


def test_an_origin_names_sender_recipient_and_generation() -> None:
    name = LogName(sender=GB, recipient=KH, generation=1)
    assert name.origin == ORIGIN
    assert LogName.parse(ORIGIN) == name
    assert LogName.parse("gb.alerts.example/disclosures/kh.alerts.example/999999999").generation == 999_999_999


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "gb.alerts.example/disclosures/kh.alerts.example",
        "gb.alerts.example/disclosures/kh.alerts.example/0",
        "gb.alerts.example/disclosures/kh.alerts.example/01",
        "gb.alerts.example/disclosures/kh.alerts.example/1\n",
        "gb.alerts.example/disclosures/kh.alerts.example/1/",
        "gb.alerts.example/disclosures/kh.alerts.example/1000000000",
        "gb.alerts.example/disclosures/kh.alerts.example/١",
        "GB.alerts.example/disclosures/kh.alerts.example/1",
        "gb.alerts.example/journal/1",
        "gb/disclosures/kh/1",
    ],
)
def test_nothing_else_is_an_origin(origin: str) -> None:
    with refused(Malformed, "ORIGIN_MALFORMED"):
        LogName.parse(origin)


# Checkpoints


def test_a_checkpoint_is_a_signed_note_named_after_its_log() -> None:
    root = parent(leaf(b"one"), leaf(b"two"))
    text = b"%b\n2\n%b\n" % (ORIGIN.encode(), b64encode(root))
    raw = LOG_KEY.spki[-32:]
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + raw).digest()[:4]
    signature = LOG_KEY.sign(text)
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, text)
    by_hand = text + f"\n— {ORIGIN} {b64encode(key_id + signature).decode()}\n".encode()
    signed = sign_log(log_name(), frontier_of([b"one", b"two"]), LOG_KEY)
    assert signed == by_hand
    assert open_log_checkpoint(signed, log_name(), node("gb"), NOW) == Checkpoint(origin=ORIGIN, size=2, root=root)
    assert raw_key(LOG_KEY.spki) == raw


def test_an_empty_log_has_the_empty_root() -> None:
    opened = open_log_checkpoint(note([]), log_name(), node("gb"), NOW)
    assert (opened.size, opened.root) == (0, EMPTY_ROOT)


def test_any_log_key_in_force_may_sign() -> None:
    spare = ed25519_key("gb spare log key")
    own = descriptor("gb")
    gb = known(changed(own, keys=[*own.keys, described_key(spare, directory_pb2.KEY_USE_LOG, node_id("gb"))]))
    for signer in (LOG_KEY, spare):
        assert open_log_checkpoint(note([b"one"], signer=signer), log_name(), gb, NOW).size == 1
    retired = known(with_key(own, LOG_KEY, not_after=NOW))
    assert open_log_checkpoint(note([b"one"]), log_name(), retired, NOW - 1).size == 1
    with refused(Unverified, "CHECKPOINT_SIGNATURE"):
        open_log_checkpoint(note([b"one"]), log_name(), retired, NOW)


def test_an_owner_knows_its_own_signature_again_after_the_key_has_ended() -> None:
    own = descriptor("gb")
    retired = known(with_key(own, LOG_KEY, not_after=NOW))
    assert open_log_checkpoint(note([b"one"]), log_name(), retired, None).size == 1
    stolen = known(with_key(own, LOG_KEY, **compromised(NOW - 1)))
    with refused(Unverified, "CHECKPOINT_SIGNATURE"):
        open_log_checkpoint(note([b"one"]), log_name(), stolen, None)


# Batches


def test_a_good_batch_extends_the_mirror() -> None:
    good = world()
    mirror = frontier_of(good.entries[:2])
    after = extend(good.log, mirror, good.batch, node("gb"), KH, NOW)
    a, b, c, d = (leaf(entry) for entry in good.entries)
    root = parent(parent(a, b), parent(c, d))
    assert after.checkpoint == Checkpoint(origin=ORIGIN, size=4, root=root) == checkpoint(good.entries)
    assert after.leaves == (c, d)
    assert (after.frontier.size, after.frontier.root()) == (4, root)


def test_a_log_may_begin_with_a_batch() -> None:
    good = world()
    assert extended(batch(good.batch.deliveries), before=0).size == 2


def large(entries: int, size: int, extra: int = 0) -> disclosure_pb2.Batch:
    deliveries = [disclosure_pb2.Delivery(entry=bytes([place]) * size) for place in range(entries)]
    if extra:
        deliveries[0].openings.add(fragment=bytes(extra))
    return batch(deliveries, world().entries[:2])


@pytest.mark.parametrize(
    "good",
    [large(64, 1), large(1, CAP_ENTRY), large(1, 1, CAP_BATCH - 300)],
    ids=["64 deliveries", "a large entry", "512 KiB"],
)
def test_a_batch_may_be_as_large_as_the_caps(good: disclosure_pb2.Batch) -> None:
    assert extended(good).size == 2 + len(good.deliveries)


@pytest.mark.parametrize(
    "wrong",
    [batch([], world().entries[:2]), large(65, 1), large(1, CAP_ENTRY + 1), large(1, 1, CAP_BATCH)],
    ids=["empty", "65 deliveries", "an entry too large", "over 512 KiB"],
)
def test_and_no_larger(wrong: disclosure_pb2.Batch) -> None:
    with refused(Malformed, "BATCH_CAP"):
        extended(wrong)


@pytest.mark.parametrize("changes", [{"me": domain("vn")}, {"name": log_name("gb", "vn")}, {"name": log_name("kh", "gb"), "me": GB}])
def test_a_log_leads_from_the_partner_to_me(changes: dict[str, Any]) -> None:
    with refused(Unverified, "NOT_THE_LOG_OWNER"):
        extended(world().batch, **changes)


def test_the_checkpoint_is_signed_by_the_owners_log_key() -> None:
    sent = world().batch
    for signer in (key("gb", "receipt"), key("kh", "log")):
        with refused(Unverified, "CHECKPOINT_UNVERIFIED"):
            extended(changed(sent, checkpoint=note(world().entries, signer=signer)))
    with refused(Unverified, "CHECKPOINT_UNVERIFIED"):
        extended(changed(sent, checkpoint=b""))
    with refused(Unverified, "CHECKPOINT_UNVERIFIED"):
        extended(sent, sender=known(with_key(descriptor("gb"), LOG_KEY, **compromised(NOW))))
    with refused(Unverified, "CHECKPOINT_UNVERIFIED"):
        extended(sent, name=log_name(generation=2))


@pytest.mark.parametrize("held", [0, 1, 3])
def test_the_batch_continues_where_the_mirror_stands(held: int) -> None:
    with refused(Conflict, "LOG_MISMATCH"):
        extended(world().batch, before=held)


def test_a_checkpoint_that_the_batch_does_not_reach_is_a_mismatch() -> None:
    short = changed(world().batch, deliveries=list(world().batch.deliveries)[:1])
    with refused(Conflict, "LOG_MISMATCH"):
        extended(short)


# Alive


def test_an_alive_tells_where_the_log_stands() -> None:
    frontier = frontier_of(world().entries)
    alive = open_alive(sign_alive(log_name(), frontier, NOW, LOG_KEY), node("gb"), NOW)
    assert alive.value == disclosure_pb2.Alive(origin=ORIGIN, size=4, root=frontier.root(), time=NOW)


@pytest.mark.parametrize(
    ("statement", "error", "code"),
    [
        (sign_alive(log_name(), frontier_of([]), NOW, key("gb", "receipt")), Unverified, "KEY_USE"),
        (sign_alive(log_name(), frontier_of([]), NOW, key("kh", "log")), Unverified, "KEY_UNKNOWN"),
        (sign_alive(log_name("kh", "gb"), frontier_of([]), NOW, LOG_KEY), Refused, "NOT_THE_LOG_OWNER"),
        (sign_statement("alive", b"\x0a\x01x", [LOG_KEY]), Malformed, "ORIGIN_MALFORMED"),
        (sign_statement("alive", b"\x0a", [LOG_KEY]), Malformed, "NOT_PROTOBUF"),
    ],
)
def test_an_alive_is_the_owners(statement: statement_pb2.Statement, error: type[ExchangeError], code: str) -> None:
    with refused(error, code):
        open_alive(statement, node("gb"), NOW)


def test_a_stolen_log_key_says_nothing_any_more() -> None:
    gb = known(with_key(descriptor("gb"), LOG_KEY, **compromised(NOW - DAY)))
    with refused(Unverified, "KEY_REVOKED"):
        open_alive(sign_alive(log_name(), frontier_of([]), NOW - 2 * DAY, LOG_KEY), gb, NOW)
