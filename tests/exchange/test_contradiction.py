"""A country that signed two things which cannot both be true: C1 to C4."""

from typing import Any

import pytest

from exchange import contradiction
from exchange.contradiction import CONTRADICTION_LINE, contradict, contradict_receipts, verify_contradiction, write_contradiction
from exchange.errors import Malformed
from exchange.journal import journal_origin, sign_journal
from exchange.log import frontier_of
from exchange.receipt import issue
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import evidence_pb2
from tests.attacks import MANGLES, Mangle, attack
from tests.builders import checkpoint, log_name, note, receipt, world
from tests.countries import HOUR, NOW, changed, compromised, descriptor, domain, key, known, node, pins, with_key
from tests.proofs import rewritten
from tests.refusals import refused

PINS = pins("gb", "kh")
TRUE = world().entries


def leaves(entries: Any) -> list[bytes]:
    return [leaf_hash(entry) for entry in entries]


def of_sizes(old: int, new: int) -> bytes:
    """gb signed its log at `old`, and a rewritten one at `new`."""
    first, second = ([*TRUE, *TRUE][:old], rewritten(1, new))
    shown = contradict(node("gb"), note(first), note(second), leaves(second if new >= old else first))
    assert shown is not None
    return shown


def file(**changes: Any) -> bytes:
    content = evidence_pb2.Contradiction.FromString(of_sizes(4, 7).removeprefix(CONTRADICTION_LINE))
    return write_contradiction(changed(content, **changes))


def receipts(**changes: Any) -> bytes:
    content = evidence_pb2.Contradiction(
        version=1,
        descriptors=node("kh").chain,
        receipt=receipt(TRUE),
        other_receipt=receipt(TRUE, received_at=NOW + 1),
    )
    return write_contradiction(changed(content, **changes))


@pytest.mark.parametrize(("old", "new"), [(4, 4), (2, 8), (3, 8), (4, 7), (8, 5), (7, 6), (5, 2)])
def test_a_log_that_was_rewritten_is_shown_whatever_its_sizes(old: int, new: int) -> None:
    shown = verify_contradiction(of_sizes(old, new), PINS)
    assert (shown.trust_domain, shown.receipts, shown.first.origin) == (domain("gb"), False, log_name().origin)
    assert (shown.first.size, shown.second.size) == (min(old, new), max(old, new))


def test_two_journals_that_were_shown_to_two_witnesses() -> None:
    origin = journal_origin(domain("gb"), 1)
    one, other = (sign_journal(origin, frontier_of(entries), key("gb", "log")) for entries in (TRUE, rewritten(2, 6)))
    shown = contradict(node("gb"), one, other, leaves(rewritten(2, 6)))
    assert shown is not None
    assert verify_contradiction(shown, PINS).first.origin == origin


def test_two_receipts_for_the_same_entries() -> None:
    shown = contradict_receipts(node("kh"), receipt(TRUE), receipt(TRUE, exceptions=[(1, 16)]))
    assert shown is not None
    proved = verify_contradiction(shown, PINS)
    assert (proved.trust_domain, proved.receipts) == (domain("kh"), True)
    assert verify_contradiction(receipts(), PINS).receipts


def test_a_log_that_only_grew_is_no_contradiction() -> None:
    grown = [*TRUE, *TRUE]
    assert contradict(node("gb"), note(TRUE), note(grown), leaves(grown)) is None
    assert contradict(node("gb"), note(TRUE), note(TRUE), leaves(TRUE)) is None
    assert contradict_receipts(node("kh"), receipt(TRUE[:2]), receipt(TRUE, 2)) is None


# C1


@pytest.mark.rule("C1")
@MANGLES
@attack("contradiction", "CONTRADICTION_MALFORMED", because="NOT_CANONICAL")
def test_a_contradiction_is_not_in_its_one_encoding(mangle: Mangle) -> None:
    verify_contradiction(CONTRADICTION_LINE + mangle(file().removeprefix(CONTRADICTION_LINE)), PINS)


@pytest.mark.rule("C1")
@pytest.mark.parametrize(
    "wrong",
    [
        file(version=2),
        file(smaller=b""),
        file(larger=b""),
        file(receipt=receipt(TRUE)),
        receipts(other_receipt=None),
        receipts(hashes=[bytes(32)]),
        receipts(smaller=note(TRUE)),
        receipts(receipt=None, other_receipt=None),
    ],
)
@attack("contradiction", "CONTRADICTION_MALFORMED")
def test_a_contradiction_is_of_no_kind(wrong: bytes) -> None:
    verify_contradiction(wrong, PINS)


@pytest.mark.rule("C1")
def test_a_contradiction_says_what_it_is() -> None:
    with refused(Malformed, "CONTRADICTION_MALFORMED"):
        contradiction.verify_contradiction(file().removeprefix(CONTRADICTION_LINE), PINS)


# C2


@pytest.mark.rule("E2")
@attack("contradiction", "EVIDENCE_NOT_PINNED")
def test_a_country_that_nobody_pinned_contradicts_itself() -> None:
    verify_contradiction(file(), pins("kh"))


# C3


def stolen(country: str, name: str) -> Any:
    later = compromised(NOW + HOUR) | {"revoked_at": NOW + HOUR}
    return known(with_key(descriptor(country), key(country, name), **later)).chain


@pytest.mark.rule("C3")
@pytest.mark.parametrize(
    "wrong",
    [
        file(smaller=note(TRUE, signer=key("kh", "log"))),
        file(larger=b"no note"),
        file(smaller=note(TRUE, log_name("kh", "gb"), key("gb", "log"))),
        file(descriptors=stolen("gb", "log")),
        receipts(receipt=receipt(TRUE, signer=key("gb", "receipt"))),
        receipts(descriptors=stolen("kh", "receipt")),
        receipts(other_receipt=issue(checkpoint(TRUE, log_name("kh", "gb")), 0, NOW, (), key("kh", "receipt"))),
        receipts(other_receipt=issue(Checkpoint(origin="x", size=4, root=bytes(32)), 0, NOW, (), key("kh", "receipt"))),
    ],
)
@attack("contradiction", "CONTRADICTION_UNVERIFIED")
def test_the_country_did_not_sign_it(wrong: bytes) -> None:
    verify_contradiction(wrong, PINS)


# C4


@pytest.mark.rule("C4")
@pytest.mark.parametrize(
    "wrong",
    [
        file(hashes=()),
        file(hashes=[bytes(32)] * 4),
        file(hashes=[b"short"]),
        file(smaller=note(rewritten(1, 4))),
        file(larger=note(TRUE)),
        file(smaller=note(TRUE), larger=note(rewritten()), hashes=[bytes(32)]),
        file(smaller=note(rewritten(1, 7)), larger=note(TRUE)),
        file(smaller=note(()), larger=note(TRUE)),
        file(smaller=note(TRUE, log_name(generation=2)), larger=note(rewritten())),
        receipts(other_receipt=receipt(TRUE)),
        receipts(receipt=receipt(TRUE[:2]), other_receipt=receipt(TRUE, 2)),
        receipts(other_receipt=issue(checkpoint(TRUE, log_name(generation=2)), 0, NOW, (), key("kh", "receipt"))),
    ],
)
@attack("contradiction", "CONTRADICTION_NONE")
def test_the_two_do_not_contradict_each_other(wrong: bytes) -> None:
    verify_contradiction(wrong, PINS)


def test_what_is_no_note_cannot_be_shown() -> None:
    with refused(Malformed, "NOTE_MALFORMED"):
        contradict(node("gb"), b"no note", note(TRUE), leaves(TRUE))
