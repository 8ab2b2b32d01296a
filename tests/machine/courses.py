"""How a question with a clock must stand at one end: from that office's books alone, as docs/protocol.md and docs/requests.md say.

Values in, values out, without a line of the node. The clock is walked from moment to moment, and each stretch either counts or does not.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.countries import node_id
from tests.machine.books import Books, Entry, Inbound, Kind, Outbound, place_of

SKEW = 120_000
STARTS = 3
"""Attempts to deliver that start a clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked. Times are Unix milliseconds."""

    digest: bytes
    country: str
    agency: str
    asked: tuple[str, ...]
    term: int
    held: str
    """Why its asker holds the clock from the start, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one side said of a question: an answer, a refusal, or that it was read, which may stop the clock (`held`) or start it again."""

    digest: bytes
    about: bytes
    kind: Kind
    agency: str
    held: str = ""
    read_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A word as an office must show it, and the rule that it breaks."""

    deed: str
    party: str
    at: int
    digest: bytes
    breach: str


@dataclass(slots=True, kw_only=True)
class Case:
    """How a question to one agency stands."""

    reached: str
    started: int | None
    by_attempts: bool
    term: int
    """0 if nothing was told, and so no term either."""
    holds: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Asker and asked: since when, and why, it holds the clock."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """When the clock stood still, of those that are over."""
    settled: int | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether something is awaited."""
        return self.reached in {"SENT", "NOT_DELIVERED", "RECEIPTED", "ACKNOWLEDGED"}

    @property
    def state(self) -> str:
        """As a person reads it."""
        return "SUSPENDED" if self.holds and self.reached in {"RECEIPTED", "ACKNOWLEDGED"} else self.reached

    def breach(self, kind: Kind, side: str, *, held: str = "") -> str:
        """Why a word of that side would not count now."""
        ended = {"ANSWERED": "REQUEST_ANSWERED", "REFUSED": "REQUEST_REFUSED", "WITHDRAWN": "REQUEST_WITHDRAWN"}.get(self.reached, "")
        if kind is Kind.READ and not held:
            return "REQUEST_NOT_SUSPENDED" if side == "asker" and side not in self.holds else ""
        return ended

    def clock(self, now: int) -> tuple[str, int]:
        """(state, when it is due or 0 while nobody knows): each stretch since its start in which nobody held it counts."""
        if self.started is None or self.reached in {"WITHDRAWN", "NOT_DELIVERED"}:
            return "UNSPECIFIED", 0
        end = max(self.started, now if self.settled is None else self.settled)
        stood = [*self.spans, *((since, end) for since, _ in self.holds.values())]
        moments = sorted({self.started, end, *(at for span in stood for at in span if self.started < at < end)})
        ran = 0
        for one, other in pairwise(moments):
            if any(since <= one and other <= until for since, until in stood):
                continue
            ran += other - one
            if ran >= self.term:
                return self._run_out(other - (ran - self.term), end)
        due = end + self.term - ran
        if self.settled is not None:
            return "MET", due
        return ("STOPPED", 0) if self.holds else ("RUNNING", due)

    def _run_out(self, due: int, end: int) -> tuple[str, int]:
        if self.settled is None:
            return "OVERDUE", due
        return ("MET_LATE" if end > due else "MET"), due


def case_of(books: Books, question: Question, asked: str, words: Mapping[bytes, Word]) -> Case | None:
    """What one end must make of a question to one agency; None where it is not known, or never came."""
    here = books.country
    other = place_of(asked)[0] if here == question.country else question.country
    forth, back = _log(books, other, asker=here == question.country), _log(books, other, asker=here != question.country)
    if here == question.country and question.digest not in books.own:
        return None
    told = [(index, one) for index, one in _known(books, forth) if one.digest == question.digest and asked in one.audience]
    if here != question.country and not told:
        return None
    received = min((at for at in (_receipted(forth, index) for index, _ in told) if at), default=None)
    tried = sorted(at for index, one in told for at, size in forth.attempts if size > index and at >= one.at)
    third = tried[STARTS - 1] if len(tried) >= STARTS else None
    started = min((at for at in (received, third) if at is not None), default=None)
    case = Case(
        reached="SENT" if told else "NOT_DELIVERED",
        started=started,
        by_attempts=started is not None and started != received,
        term=question.term if told else 0,
    )
    if question.held and told:
        case.holds["asker"] = (0, question.held)
    asker = _said(books, forth, question, [one for one in words.values() if one.agency == question.agency], reader=asked)
    answers = _said(books, back, question, [one for one in words.values() if one.agency == asked], reader=question.agency)
    moments = [(at, 0, index, digest, word, "asker") for at, index, digest, word in asker]
    moments += [(at, 1, index, digest, word, "asked") for at, index, digest, word in answers]
    if received is not None:
        moments.append((received, 1, -1, b"", None, "asked"))
    for at, _, _, digest, word, side in sorted(moments, key=lambda one: one[:4]):
        party = question.agency if side == "asker" else asked
        _happen(case, at, digest, word, side, party)
    return case


def _happen(case: Case, at: int, digest: bytes, word: Word | None, side: str, party: str) -> None:
    if not digest:
        case.events.append(Event(deed="RECEIPTED", party=node_id(place_of(party)[0]), at=at, digest=b"", breach=""))
        case.reached = "RECEIPTED" if case.reached == "SENT" else case.reached
        return
    if word is None:  # the asker takes it back, at any time
        case.events.append(Event(deed="WITHDRAWN", party=party, at=at, digest=digest, breach=""))
        case.reached = "WITHDRAWN"
        return
    deed = {Kind.RESPONSE: "ANSWERED", Kind.REFUSAL: "REFUSED", Kind.READ: "SUSPENDED" if word.held else "ACKNOWLEDGED"}[word.kind]
    breach = case.breach(word.kind, side, held=word.held)
    case.events.append(Event(deed=deed, party=party, at=at, digest=digest, breach=breach))
    if breach or not case.open:
        return
    if word.kind is not Kind.READ:
        case.reached, case.settled = deed, at
        return
    if side == "asked":
        case.reached = "ACKNOWLEDGED"
    since = word.read_at if at - SKEW <= word.read_at <= at else at
    if word.held:
        case.holds[side] = (case.holds[side][0] if side in case.holds else since, word.held)
    elif side in case.holds:
        begun, _ = case.holds.pop(side)
        case.spans.append((begun, max(begun, since)))


def _log(books: Books, other: str, *, asker: bool) -> Outbound | Inbound:
    """The log of what the asker tells the asked country, or of what that answers."""
    return books.out[other] if asker else books.inn[other]


def _known(books: Books, log: Outbound | Inbound) -> Iterable[tuple[int, Entry]]:
    """The entries of which this office has the content, and the other end too as far as is known."""
    for index, entry in enumerate(log.entries):
        if isinstance(log, Inbound):
            held = index in log.accepted
        else:
            held = entry.digest in books.own and index not in log.lost and index not in log.excepted
        if held:
            yield index, entry


def _receipted(log: Outbound | Inbound, index: int) -> int:
    return next((at for size, at in log.receipts if size > index), 0)


def _said(
    books: Books, log: Outbound | Inbound, question: Question, words: Collection[Word], *, reader: str
) -> list[tuple[int, int, bytes, Word | None]]:
    """(when, index, digest, word) of what one side said; of a withdrawal the word is None. Of several entries the first receipted one."""
    by_digest = {one.digest: one for one in words if one.about == question.digest}
    found: dict[bytes, tuple[int, int, bytes, Word | None]] = {}
    signed: set[bytes] = set()
    for index, entry in _known(books, log):
        taken_back = entry.kind is Kind.WITHDRAWAL and entry.about == question.digest
        if (entry.digest not in by_digest and not taken_back) or reader not in entry.audience:
            continue
        receipted = bool(_receipted(log, index))
        if entry.digest not in found or (receipted and entry.digest not in signed):
            found[entry.digest] = (entry.at, index, entry.digest, by_digest.get(entry.digest))
        if receipted:
            signed.add(entry.digest)
    return list(found.values())
