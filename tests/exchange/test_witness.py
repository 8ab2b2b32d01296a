"""What a witness checks, what its client takes, and whether a checkpoint is witnessed enough."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.errors import Conflict, ExchangeError, Malformed, Unverified
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.merkle import EMPTY_ROOT, Frontier, consistency_proof, leaf_hash
from exchange.tlog.note import CosignatureVerifier, NoteSignature, NoteVerifier, sign_cosignature
from exchange.tlog.policy import parse_policy
from exchange.witness import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    check_continues,
    check_one_history,
    check_policy,
    claimed_checkpoint,
    cosign,
    evidence_of,
    open_submitted,
    parse_other_size,
    take_cosignature,
    witness_name,
)

ORIGIN = "gb.alerts.example/journal/1"
LEAVES = [leaf_hash(b"%d" % n) for n in range(9)]
AT = 1_800_000_000


def private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def raw(number: int) -> bytes:
    return private(number).public_key().public_bytes_raw()


def log_key(number: int = 1, origin: str = ORIGIN) -> NoteVerifier:
    return NoteVerifier(name=origin, public_key=raw(number))


def checkpoint(size: int, root: bytes | None = None, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin=origin, size=size, root=root or Frontier.empty().extend(LEAVES[:size]).root())


def note(size: int, root: bytes | None = None, number: int = 1, origin: str = ORIGIN) -> bytes:
    return sign_checkpoint(checkpoint(size, root, origin), raw(number), private(number).sign)


def submit(request: AddCheckpoint, newest: Checkpoint | None) -> Checkpoint:
    taken = open_submitted(request, lambda origin: [log_key()] if origin == ORIGIN else [])
    check_continues(request, taken, newest)
    return taken


def request(old: int, new: int) -> AddCheckpoint:
    proof = consistency_proof(LEAVES, old, new) if old else []
    return AddCheckpoint(old_size=old, proof=tuple(proof), note=note(new))


def code_of(request: AddCheckpoint, newest: Checkpoint | None) -> str:
    with pytest.raises(ExchangeError) as refusal:
        submit(request, newest)
    return refusal.value.code


def test_a_request_is_read_as_it_was_written() -> None:
    wanted = request(3, 7)
    assert AddCheckpoint.parse(wanted.body()) == wanted


@pytest.mark.parametrize("old", range(9))
def test_every_growth_is_taken(old: int) -> None:
    for new in range(max(old, 1), 10):
        assert submit(request(old, new), checkpoint(old) if old else None) == checkpoint(new)


def test_the_same_again_is_a_heartbeat() -> None:
    assert submit(request(5, 5), checkpoint(5)) == checkpoint(5)
    assert submit(request(0, 0), None) == submit(request(0, 0), checkpoint(0)) == checkpoint(0)
    assert checkpoint(0).root == EMPTY_ROOT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5",
        b"old 05\n\n" + note(5),
        b"old -1\n\n" + note(5),
        b"old 9223372036854775808\n\n" + note(5),
        b"old 5\n" + note(5),
        b"old 5\nAAAA\n\n" + note(5),
        b"old 5\n" + b64encode(bytes(32)) + b"\r\n\n" + note(5),
        b"old 1\n" + (b64encode(bytes(32)) + b"\n") * 64 + b"\n" + note(5),
        b"old 5\n\n" + note(5) + b"x" * MAX_REQUEST_BYTES,
        b"old 0\n\nnot a note\n",
        b"old 0\n\n" + note(5).replace(b"\n5\n", b"\n05\n"),
    ],
)
def test_a_request_out_of_form_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        submit(AddCheckpoint.parse(body), None)
    assert refusal.value.code == "ADD_CHECKPOINT_MALFORMED"


def test_63_hashes_are_read() -> None:
    assert len(AddCheckpoint.parse(b"old 1\n" + (b64encode(bytes(32)) + b"\n") * 63 + b"\n" + note(5)).proof) == 63


def test_a_checkpoint_with_extension_lines_is_not_a_journals() -> None:
    text = checkpoint(5).text() + b"more\n"
    with pytest.raises(Malformed) as refusal:
        claimed_checkpoint(text + b"\n" + NoteSignature(name="x", key_id=bytes(4), signature=bytes(64)).line())
    assert refusal.value.code == "ADD_CHECKPOINT_MALFORMED"


def test_another_log_is_unknown() -> None:
    other = AddCheckpoint(old_size=0, proof=(), note=note(5, origin="vn.alerts.example/journal/1"))
    assert code_of(other, None) == "WITNESS_UNKNOWN_ORIGIN"


def test_a_checkpoint_needs_the_logs_signature() -> None:
    assert code_of(AddCheckpoint(old_size=0, proof=(), note=note(5, number=2)), None) == "WITNESS_SIGNATURE"
    altered = note(5).replace(b"\n5\n", b"\n6\n")
    assert code_of(AddCheckpoint(old_size=0, proof=(), note=altered), None) == "WITNESS_SIGNATURE"


def test_an_old_size_above_the_checkpoints_is_refused_before_the_state_is_told() -> None:
    assert code_of(AddCheckpoint(old_size=8, proof=(), note=note(5)), checkpoint(8)) == "ADD_CHECKPOINT_MALFORMED"


@pytest.mark.parametrize(("old", "newest"), [(3, None), (0, 5), (3, 5), (5, 3)])
def test_another_old_size_is_a_conflict(old: int, newest: int | None) -> None:
    assert code_of(request(old, 7), checkpoint(newest) if newest else None) == "WITNESS_OTHER_SIZE"


@pytest.mark.parametrize(
    ("wrong", "newest"),
    [
        (AddCheckpoint(old_size=0, proof=(), note=note(0, bytes(32))), None),
        (AddCheckpoint(old_size=0, proof=(bytes(32),), note=note(5)), None),
        (AddCheckpoint(old_size=0, proof=(bytes(32),), note=note(5)), checkpoint(0)),
        (AddCheckpoint(old_size=5, proof=(), note=note(5, bytes(32))), checkpoint(5)),
        (AddCheckpoint(old_size=5, proof=(bytes(32),), note=note(5)), checkpoint(5)),
        (AddCheckpoint(old_size=5, proof=(), note=note(7)), checkpoint(5)),
        (request(5, 7), checkpoint(5, bytes(32))),
        (AddCheckpoint(old_size=5, proof=request(5, 7).proof[::-1], note=note(7)), checkpoint(5)),
    ],
)
def test_what_does_not_continue_is_refused(wrong: AddCheckpoint, newest: Checkpoint | None) -> None:
    assert code_of(wrong, newest) == "WITNESS_INCONSISTENT"


KH = "kh.alerts.example"
WITNESS = CosignatureVerifier(name=witness_name(KH), public_key=raw(7))


def line(text_of: bytes, at: int = AT, number: int = 7, domain: str = KH) -> bytes:
    if at:
        return cosign(text_of, domain, raw(number), at, private(number).sign).line()
    return sign_cosignature(text_of.partition(b"\n\n")[0] + b"\n", witness_name(domain), raw(number), 0, private(number).sign).line()


def test_a_cosignature_is_taken_from_among_others() -> None:
    taken = take_cosignature(note(5), line(note(5), number=8, domain="x.example") + line(note(5)), [WITNESS])
    assert taken.line() == line(note(5))


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (b"", "NOTE_MALFORMED"),
        (b"no signature\n", "NOTE_MALFORMED"),
        (b"more text\n\n" + line(note(5)), "NOTE_SIGNATURE"),
        (line(note(6)), "NOTE_SIGNATURE"),
        (line(note(5), number=8), "NOTE_UNSIGNED"),
        (line(note(5), at=0), "COSIGNATURE_WITHOUT_TIME"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_refused(response: bytes, code: str) -> None:
    with pytest.raises(ExchangeError) as refusal:
        take_cosignature(note(5), response, [WITNESS])
    assert refusal.value.code == code


def test_a_cosignature_of_a_longer_text_is_refused() -> None:
    text = checkpoint(5).text()
    longer = text + b"\nmore\n"
    signature = sign_cosignature(longer, WITNESS.name, raw(7), AT, private(7).sign)
    with pytest.raises(Malformed) as refusal:
        take_cosignature(note(5), b"more\n\n" + signature.line(), [WITNESS])
    assert refusal.value.code == "NOTE_MALFORMED"


def test_another_size_is_a_number_in_one_line() -> None:
    assert [parse_other_size(body) for body in (b"0\n", b"9223372036854775807\n")] == [0, (1 << 63) - 1]
    for body in (b"", b"5", b"05\n", b"-5\n", b"5\n5\n", b"9223372036854775808\n"):
        with pytest.raises(Malformed) as refusal:
            parse_other_size(body)
        assert refusal.value.code == "WITNESS_ANSWER"


def policy_file(*, log: bool = True, quorum: str = "w") -> bytes:
    listed = f"log {log_key().vkey}\n" if log else ""
    return f"{listed}witness w {WITNESS.vkey}\nquorum {quorum}\n".encode()


COSIGNED = note(5) + line(note(5))


def test_a_checkpoint_that_its_log_signed_and_enough_witnesses_cosigned_is_witnessed() -> None:
    for policy, logs in ((policy_file(), ()), (policy_file(log=False), (log_key(),)), (policy_file(), (log_key(2), log_key()))):
        witnessed = check_policy(parse_policy(policy), COSIGNED, logs)
        assert witnessed.checkpoint == checkpoint(5)
        assert [(item.witness, item.organisation, item.at) for item in witnessed.cosigned] == [(f"{KH}/witness", KH, AT)]
    assert check_policy(parse_policy(policy_file(quorum="none")), note(5)).cosigned == ()


@pytest.mark.parametrize(
    ("policy", "shown", "logs", "code"),
    [
        (policy_file(log=False), COSIGNED, (), "POLICY_LOG"),
        (policy_file(), note(5, number=2) + line(note(5)), (), "POLICY_LOG"),
        (policy_file(), COSIGNED, (log_key(2),), "POLICY_LOG"),
        (policy_file(), note(5), (), "POLICY_QUORUM"),
        (policy_file(), note(5) + line(note(5), number=8), (), "POLICY_QUORUM"),
        (policy_file(), note(5) + line(note(6)), (), "POLICY_COSIGNATURE"),
        (policy_file(), b"no note", (), "CHECKPOINT_MALFORMED"),
    ],
)
def test_a_checkpoint_that_is_not_witnessed_is_refused(policy: bytes, shown: bytes, logs: tuple[NoteVerifier, ...], code: str) -> None:
    with pytest.raises(ExchangeError) as refusal:
        check_policy(parse_policy(policy), shown, logs)
    assert refusal.value.code == code


def test_the_logs_own_witness_does_not_make_a_quorum() -> None:
    own = CosignatureVerifier(name="gb.alerts.example/witness", public_key=raw(9))
    policy = parse_policy(f"log {log_key().vkey}\nwitness own {own.vkey}\nquorum own\n".encode())
    with pytest.raises(Unverified) as refusal:
        check_policy(policy, note(5) + line(note(5), number=9, domain="gb.alerts.example"))
    assert refusal.value.code == "POLICY_QUORUM"


class Leaves:
    """A log's tree, small enough to have leaves only."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        assert level == 0
        return self.leaves[start:end]


@pytest.mark.parametrize(("first", "second"), [(5, 5), (0, 0), (0, 7), (3, 7), (7, 3)])
def test_checkpoints_of_one_tree_are_one_history(first: int, second: int) -> None:
    check_one_history(checkpoint(first), checkpoint(second), Leaves(LEAVES))


@pytest.mark.parametrize(("first", "second"), [(3, 7), (7, 3), (5, 5)])
def test_checkpoints_of_two_trees_prove_a_split(first: int, second: int) -> None:
    other = [leaf_hash(b"other %d" % n) for n in range(9)]
    shown = checkpoint(second, Frontier.empty().extend(other[:second]).root())
    with pytest.raises(Conflict) as refusal:
        check_one_history(checkpoint(first), shown, Leaves(LEAVES if first > second else other))
    assert refusal.value.code == "JOURNAL_SPLIT"


def test_hashes_of_another_tree_prove_nothing() -> None:
    with pytest.raises(Unverified) as refusal:
        check_one_history(checkpoint(3), checkpoint(7), Leaves(LEAVES[1:]))
    assert refusal.value.code == "JOURNAL_UNPROVEN"


def test_both_sides_of_a_contradiction_are_one_text() -> None:
    held, shown = note(5) + line(note(5)), note(5, bytes(32))
    assert evidence_of(held, shown) == held + b"\n" + shown
