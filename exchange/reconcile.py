"""Two copies of one disclosure log, compared: what one country says it disclosed, and what the other says it received.

Equal sizes and roots mean equal logs (PROTOCOL.md, section 4). Where they differ, the longest prefix that both hold is found by asking for
roots of ever closer sizes: a tree of n entries fixes all of them, so "the first n are equal" holds up to one place and never after it. From
there on the leaf hashes say what differs. The same comparison serves two nodes over the network and two files without one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from exchange.contradiction import contradict, size_of
from exchange.log_file import HeldReceipt, LogCopy

RECEIPT_DUE_MS = 180_000
"""A receipt is overdue so long after the disclosure: 60 s, in which it is an alarm (PROTOCOL.md, section 4), and the clocks' skew."""


class Code(StrEnum):
    """How two copies of a log can differ."""

    NOT_RECEIVED = "NOT_RECEIVED"
    """Disclosed by the sender's copy, and not in the recipient's."""
    NOT_DISCLOSED = "NOT_DISCLOSED"
    """Received by the recipient's copy, and not in the sender's."""
    DIFFERENT_CONTENT = "DIFFERENT_CONTENT"
    """Another entry at one index."""
    OUT_OF_ORDER = "OUT_OF_ORDER"
    """The same entries in another order."""
    RECEIPT_MISSING = "RECEIPT_MISSING"
    """Both hold the entries, and not both, or neither, a receipt for them."""
    RECEIPT_WITHOUT_ENTRY = "RECEIPT_WITHOUT_ENTRY"
    """A copy holds a receipt for entries that it does not hold."""
    RECEIPT_DIFFERS = "RECEIPT_DIFFERS"
    """Two receipts for one entry."""


MEANING: Mapping[str, str] = {
    Code.NOT_RECEIVED: "the sender disclosed this, and the recipient does not hold it",
    Code.NOT_DISCLOSED: "the recipient holds this, and the sender's log does not have it",
    Code.DIFFERENT_CONTENT: "the two copies hold different entries here",
    Code.OUT_OF_ORDER: "the two copies hold the same entries in another order from here on",
    Code.RECEIPT_MISSING: "both hold the entries, and not both of them a receipt",
    Code.RECEIPT_WITHOUT_ENTRY: "a receipt covers entries that the copy beside it does not have",
    Code.RECEIPT_DIFFERS: "the two copies hold different receipts for the same entries",
}
"""Each of them as a sentence for people."""


class Grade(StrEnum):
    """How grave a finding is."""

    CRITICAL = "CRITICAL"
    """Proof is broken: the two records cannot both be true."""
    PRIORITY = "PRIORITY"
    """A duty was missed."""
    OBSERVATION = "OBSERVATION"
    """It may be in transit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The entries from `index` up to `index` + `count` of which one thing is to be said."""

    code: Code
    index: int
    count: int = 1
    sender_leaf: bytes = b""
    """Leaf hash at `index`, 32 bytes; empty if the sender's copy has none."""
    recipient_leaf: bytes = b""
    received_at: int = 0
    """Of a receipt that only one side holds: when it was given, Unix milliseconds."""


def equal_prefix(size: int, equal: Callable[[int], bool]) -> int:
    """The greatest n up to `size` of which `equal(n)` holds, asked about log2(size) times. `equal(0)` is true and is not asked."""
    low, high = 0, size
    if size and equal(size):
        return size
    while high - low > 1:
        middle = (low + high) // 2
        if equal(middle):
            low = middle
        else:
            high = middle
    return low


def compare_tails(start: int, sender: Sequence[bytes], recipient: Sequence[bytes]) -> list[Difference]:
    """What differs in two copies' leaf hashes from `start` on, where they first differ; ascending by index.

    Runs of entries that only one copy has are one difference each. Entries that both have at other indexes, because something before
    them is missing in one copy, are no differences by themselves.
    """
    only_sender, only_recipient = set(sender) - set(recipient), set(recipient) - set(sender)
    codes: list[tuple[int, Code]] = []
    for place in range(max(len(sender), len(recipient))):
        here = place < len(sender) and sender[place] in only_sender
        there = place < len(recipient) and recipient[place] in only_recipient
        if here and there:
            codes.append((place, Code.DIFFERENT_CONTENT))
        elif here or there:
            codes.append((place, Code.NOT_RECEIVED if here else Code.NOT_DISCLOSED))
    if not codes and list(sender) != list(recipient):
        codes.append((0, Code.OUT_OF_ORDER))
    found: list[Difference] = []
    for place, code in codes:
        last = found[-1] if found else None
        if last is not None and code == last.code and code != Code.DIFFERENT_CONTENT and last.index + last.count == start + place:
            found[-1] = _longer(last)
        else:
            found.append(_difference(code, start, place, sender, recipient))
    return found


def compare_receipts(
    sizes: tuple[int, int], common: int, sender: Sequence[HeldReceipt], recipient: Sequence[HeldReceipt]
) -> list[Difference]:
    """What differs in the receipts that the sender and the recipient hold for one log; ascending by index within each code.

    `sizes` are the entries in the copies of sender and recipient, of which the first `common` are equal.
    """
    found: list[Difference] = []
    for size, held in zip(sizes, (sender, recipient), strict=True):
        beyond = max((receipt.size for receipt in held), default=0)
        if beyond > size:
            found.append(Difference(code=Code.RECEIPT_WITHOUT_ENTRY, index=size, count=beyond - size))
    theirs = {receipt.statement for receipt in recipient}
    ours = {receipt.statement for receipt in sender}
    of_sender = sorted((receipt for receipt in sender if receipt.statement not in theirs), key=_begins)
    of_recipient = sorted((receipt for receipt in recipient if receipt.statement not in ours), key=_begins)
    clashing: set[bytes] = set()
    place = 0
    for receipt in of_sender:
        # Receipts of one copy tile, so one walk through both finds each overlap once.
        while place < len(of_recipient) and of_recipient[place].size <= receipt.previous_size:
            place += 1
        other = of_recipient[place] if place < len(of_recipient) else None
        if other is not None and other.previous_size < receipt.size:
            first, end = max(receipt.previous_size, other.previous_size), min(receipt.size, other.size)
            found.append(Difference(code=Code.RECEIPT_DIFFERS, index=first, count=end - first))
            clashing |= {receipt.statement, other.statement}
    alone = [receipt for receipt in (*of_sender, *of_recipient) if receipt.statement not in clashing and receipt.previous_size < common]
    found += [
        Difference(
            code=Code.RECEIPT_MISSING,
            index=receipt.previous_size,
            count=min(receipt.size, common) - receipt.previous_size,
            received_at=receipt.received_at,
        )
        for receipt in sorted(alone, key=_begins)
    ]
    receipted = max((receipt.size for receipt in (*sender, *recipient)), default=0)
    if receipted < common:
        found.append(Difference(code=Code.RECEIPT_MISSING, index=receipted, count=common - receipted))
    return found


def compare_copies(one: LogCopy, other: LogCopy) -> list[Difference]:
    """What differs between the copies of one log that its sender (`one`) and its recipient (`other`) hold."""
    common = equal_prefix(min(len(one.leaves), len(other.leaves)), lambda size: one.leaves[:size] == other.leaves[:size])
    tails = compare_tails(common, one.leaves[common:], other.leaves[common:])
    sizes = len(one.leaves), len(other.leaves)
    return [*tails, *compare_receipts(sizes, common, one.receipts, other.receipts)]


def contradiction_of(one: LogCopy, other: LogCopy) -> bytes | None:
    """The proof, from two copies of one log, that its owner signed two histories of it; None if it did not, or it cannot be shown."""
    common = equal_prefix(min(len(one.leaves), len(other.leaves)), lambda size: one.leaves[:size] == other.leaves[:size])
    for note in one.notes:
        for against in other.notes:
            sizes = size_of(note), size_of(against)
            if min(sizes) > common:
                larger = one.leaves if sizes[0] > sizes[1] else other.leaves
                return contradict(one.sender, note, against, larger)
    return None


def contradiction_of_note(note: bytes, copy: LogCopy) -> bytes | None:
    """The proof that a signed note of a log and a copy of it are of two histories; None if they are not, or it cannot be shown.

    Raises as reading a note does.
    """
    size = size_of(note)
    for against in copy.notes:
        shown = contradict(copy.sender, note, against, copy.leaves) if size <= size_of(against) else None
        if shown is not None:
            return shown
    return None


def grade(difference: Difference, disclosed_at: int, now: int) -> Grade:
    """How grave a difference is at `now`, about an entry of `disclosed_at` (0 if that is not known); Unix milliseconds."""
    if difference.code not in {Code.NOT_RECEIVED, Code.RECEIPT_MISSING}:
        return Grade.CRITICAL
    since = max(disclosed_at, difference.received_at)
    return Grade.PRIORITY if now - since > RECEIPT_DUE_MS else Grade.OBSERVATION


def _begins(receipt: HeldReceipt) -> int:
    return receipt.previous_size


def _difference(code: Code, start: int, place: int, sender: Sequence[bytes], recipient: Sequence[bytes]) -> Difference:
    return Difference(
        code=code,
        index=start + place,
        sender_leaf=sender[place] if place < len(sender) else b"",
        recipient_leaf=recipient[place] if place < len(recipient) else b"",
    )


def _longer(difference: Difference) -> Difference:
    return Difference(
        code=difference.code,
        index=difference.index,
        count=difference.count + 1,
        sender_leaf=difference.sender_leaf,
        recipient_leaf=difference.recipient_leaf,
    )
