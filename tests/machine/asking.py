"""Questions with a clock: asked, answered, refused, stopped and started, withdrawn, and left until they are overdue.

What each end must make of them is in `courses`. Looked at after each healing: every state, every clock (start, due, what it stood still
for, met or overdue) and every word with the rule that it breaks, at both ends, and that both say the same where neither lost anything.
"""

from collections.abc import Mapping
from typing import ClassVar

from exchange.errors import NotFound
from exchange.v1 import agreement_pb2, desk_service_pb2, information_pb2
from node.operations import acknowledge
from node.operations.attempts import note_failed
from tests import asking
from tests.countries import BORDER, DAY, HOUR, NGO, POLICE, agency, changed, clause, domain
from tests.machine.books import Fact, Going, Kind, place_of
from tests.machine.core import LONGEST
from tests.machine.courses import STARTS, Case, Event, Question, Word, case_of
from tests.machine.marks import QUESTION, READ, RESPONSE
from tests.machine.saying import Saying
from tests.machine.transitions import transition
from tests.recalls import codes, recalled, request_id, status

TERMS = {
    8 * HOUR: (information_pb2.URGENCY_URGENT, information_pb2.ACCESS_KIND_DIRECT),
    3 * DAY: (information_pb2.URGENCY_URGENT, information_pb2.ACCESS_KIND_INDIRECT),
    7 * DAY: (information_pb2.URGENCY_NORMAL, information_pb2.ACCESS_KIND_DIRECT),
}
WHY = {"COURT_ORDER_NEEDED": asking.COURT, "PROSECUTOR_CONSENT_NEEDED": asking.PROSECUTOR}
BREACHES = ("REQUEST_ANSWERED", "REQUEST_REFUSED", "REQUEST_WITHDRAWN")
AGAIN = 600_000
"""Attempts to deliver are at least so far apart, in milliseconds."""


class Asking(Saying):
    """Rules of questions."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "ask: released",
            "ask: several agencies",
            "ask: its clock stands still from the start",
            "ask: nothing goes there now",
            "reply: answered",
            "reply: refused with a reason",
            "reply: a refusal waits for a log",
            "reply: clock stopped by the agency asked",
            "reply: clock stopped by the asker",
            "reply: clock started again by the agency asked",
            "reply: clock started again by the asker",
            "reply: read",
            *(f"reply: not allowed: {code}" for code in (*BREACHES, "NOT_ASKED", "NOT_OPENED", "REQUEST_NOT_SUSPENDED")),
            *(f"reply: not allowed: {code}" for code in ("REQUEST_SETTLED", "REQUEST_SUSPENDED")),
            "reply: nothing goes there now",
            "acknowledge: an alert",
            "take back: a question",
            "take back: a question that was settled",
            "take back: a question again",
            "attempts: three failed",
            "deadline: a moment before",
            "deadline: the moment itself",
            *(f"question: {state}" for state in ("SENT", "NOT_DELIVERED", "RECEIPTED", "ACKNOWLEDGED", "SUSPENDED")),
            *(f"question: {state}" for state in ("ANSWERED", "REFUSED", "WITHDRAWN")),
            *(f"clock: {state}" for state in ("UNSPECIFIED", "RUNNING", "STOPPED", "OVERDUE", "MET", "MET_LATE")),
            *(f"term: {hours} hours" for hours in (8, 72, 168)),
            "clock: stood still for a while",
            "clock: held by both sides",
            "clock: started by attempts",
            *(f"crossed: {code}" for code in ("REQUEST_ANSWERED", "REQUEST_REFUSED", "REQUEST_WITHDRAWN")),
            "question: both ends say the same",
            "question: one end lost what was said",
        }
    )

    RARE: ClassVar[frozenset[str]] = Saying.RARE | {
        # Each takes a stopped log or a restored backup at the right moment; test_requests_that_waited, test_op_requests.
        "reply: a refusal waits for a log",
        "crossed: REQUEST_ANSWERED",
        "crossed: REQUEST_REFUSED",
    }

    def __init__(self) -> None:
        super().__init__()
        self.questions: dict[bytes, Question] = {}
        self.words: dict[bytes, Word] = {}

    def clauses(self, one: str, other: str) -> list[agreement_pb2.Clause]:
        """Questions, answers and acknowledgements too, between police and border."""
        ways = ((one, other), (other, one))
        kinds = (QUESTION, RESPONSE, READ)
        return [*super().clauses(one, other), *(clause(*way, to, kind) for way in ways for to in (BORDER, POLICE) for kind in kinds)]

    # What is asked

    @transition(weight=5, sender=range(3), choice=range(1, 16), term=sorted(TERMS), held=("", "", "", *WHY))
    def ask(self, *, sender: int, choice: int, term: int, held: str) -> None:
        """A liaison officer asks some agencies abroad; a court may have to agree first."""
        country, now = self.country(sender), self.now()
        parties = [agency(name, one) for name in self.NAMES if name != country for one in (BORDER, POLICE)]
        to = tuple(sorted([party for place, party in enumerate(parties) if choice >> place & 1] or parties[:1]))
        urgency, access = TERMS[term]
        urgent = urgency == information_pb2.URGENCY_URGENT
        content = asking.question(
            urgency=urgency,
            access=access,
            urgency_grounds=[information_pb2.URGENCY_GROUND_CHILD_AT_RISK] if urgent else None,
            authorisation_pending=WHY.get(held),
        )
        wanted = asking.drafted(QUESTION, content, *to, not_after=now + 30 * DAY)
        answer = self.office(country).publish(wanted)
        going = {party: self.books(country).decide(party, QUESTION, now) for party in to}
        if self.refused_with("ask: refused", answer, self.obstacles(country, going)):
            return
        asked = Question(digest=answer.manifest_digest, country=country, agency=agency(country, POLICE), asked=to, term=term, held=held)
        self.questions[asked.digest] = asked
        self.say(country, Kind.QUESTION, asked.agency, answer, going, not_after=wanted.not_after)
        self.happened("ask: released")
        if len(to) > 1:
            self.happened("ask: several agencies")
        if held:
            self.happened("ask: its clock stands still from the start")

    # What is said of it

    def cases(self) -> list[tuple[str, Question, str]]:
        """(country, question, agency asked) of every case that an office knows, oldest first."""
        return [
            (country, question, party)
            for question in self.questions.values()
            for party in question.asked
            for country in self.NAMES
            if self.only in {"", country} and self.case(country, question, party) is not None
        ]

    def case(self, country: str, question: Question, party: str) -> Case | None:
        """How it must stand at one of its two ends."""
        if country not in {question.country, self.country_of(party)}:
            return None
        return case_of(self.books(country), question, party, self.words)

    @transition(
        weight=14,
        when=lambda self: bool(self.questions),
        which=range(7),
        what=("answer", "refuse", "hold", "hold", "go on", "go on", "read", "read"),
        why=tuple(WHY),
        opened=(False, True, True),
        asker=(False, False, False, True),
        fitting=(True, True, False),
    )
    def reply(self, *, which: int, what: str, why: str, opened: bool, asker: bool, fitting: bool) -> None:
        """A desk answers a question, refuses it, has read it, stops its clock or starts it again; or the asker does one of these."""
        ours = [one for one in self.cases() if (one[0] == one[1].country) == asker]
        if fitting:
            ours = [one for one in ours if self._fits(one, what, "asker" if asker else "asked")] or ours
        if not ours:
            return
        country, question, party = ours[-1 - which % min(len(ours), 7)]
        if what in {"hold", "go on"}:
            self._hold(country, question, party, why if what == "hold" else "")
        elif what == "read":
            self._read(country, question, party, opened=opened, asker=asker)
        else:
            self._settle(country, question, party, what, asker=asker)

    def _fits(self, one: tuple[str, Question, str], what: str, side: str) -> bool:
        case = self.case(*one)
        return case is not None and case.open and (what != "go on" or side in case.holds)

    def _settle(self, country: str, question: Question, party: str, what: str, *, asker: bool) -> None:
        books, office, case = self.books(country), self.office(country), self.case(country, question, party)
        assert case is not None
        me, to = (question.agency, party) if asker else (party, question.agency)
        kind = Kind.RESPONSE if what == "answer" else Kind.REFUSAL
        going: dict[str, Going | str] = {to: books.decide(to, RESPONSE, self.now())} if what == "answer" else {}
        act = asking.answered if what == "answer" else asking.turned_down
        answer = act(office, question.digest, self.person(me, liaison=what == "answer"))
        breach = "NOT_ASKED" if asker else case.breach(kind, "asked")
        denied = {one for one in going.values() if isinstance(one, str)}
        expected = {breach} if asker or (breach and not denied) else self.obstacles(country, going)
        if self.refused_with("reply: not allowed", answer, expected):
            return
        self.words[answer.manifest_digest] = Word(digest=answer.manifest_digest, about=question.digest, kind=kind, agency=me)
        if kind is Kind.RESPONSE:
            self.say(country, kind, me, answer, going, not_after=self.now() + 90 * DAY)
            self.happened("reply: answered")
            return
        fact = Fact(digest=answer.manifest_digest, kind=kind, country=country, agency=me, about=question.digest)
        self.oracle.release(country, fact, {question.country: [self.oracle.entry_of(fact, frozenset({to}))]})
        self.happened("reply: refused with a reason")
        if books.out[question.country].stopped:
            self.happened("reply: a refusal waits for a log")

    def _hold(self, country: str, question: Question, party: str, why: str) -> None:
        """Of the asker it is said to every agency whose case is open, or that it is to be started for."""
        asker = country == question.country
        side, me = ("asker", question.agency) if asker else ("asked", party)
        found = {one: self.case(country, question, one) for one in (question.asked if asker else (party,))}
        cases = {one: case for one, case in found.items() if case is not None and case.open}
        concerned = {one: case for one, case in cases.items() if why or side in case.holds} or cases
        answer = asking.suspended(self.office(country), question.digest, WHY.get(why, 0), self.person(me))
        if not cases:
            self.refused_with("reply: not allowed", answer, {"REQUEST_SETTLED"})
            return
        if not why and all(side not in case.holds for case in concerned.values()):
            self.refused_with("reply: not allowed", answer, {"REQUEST_NOT_SUSPENDED"})
            return
        to = tuple(concerned) if asker else (question.agency,)
        going = {one: self.books(country).decide(one, READ, self.now()) for one in to}
        if self.refused_with("reply: not allowed", answer, self.obstacles(country, going)):
            return
        self._said_read(country, question.digest, me, answer, going, held=why, read_at=self.now())
        self.happened(f"reply: clock {'stopped' if why else 'started again'} by the {'asker' if asker else 'agency asked'}")

    def _said_read(
        self,
        country: str,
        about: bytes,
        me: str,
        answer: desk_service_pb2.PublishedAlert,
        going: Mapping[str, Going | str],
        *,
        read_at: int,
        held: str = "",
    ) -> None:
        digest = answer.manifest_digest
        self.words[digest] = Word(digest=digest, about=about, kind=Kind.READ, agency=me, held=held, read_at=read_at)
        self.say(country, Kind.READ, me, answer, going, not_after=self.now() + 90 * DAY)

    def _read(self, country: str, question: Question, party: str, *, opened: bool, asker: bool) -> None:
        case = self.case(country, question, party)
        if asker or case is None:
            return  # whoever asked has nothing to acknowledge
        held = {"REQUEST_SUSPENDED"} if "asked" in case.holds else set[str]()
        if self._acknowledge(country, question.digest, party, held, opened=opened):
            self.happened("reply: read")

    def _acknowledge(self, country: str, digest: bytes, party: str, problem: set[str], *, opened: bool) -> bool:
        """An agency says that it has read an alert, which it may have opened just now, before, or never."""
        books, office, to = self.books(country), self.office(country), self.facts[digest].agency
        if opened:
            self.open(country, digest, party)
        wanted = desk_service_pb2.AcknowledgeAlertRequest(
            request_id=request_id(), alert=digest.hex(), desk=asking.DESK, reason="synthetic reason"
        )
        answer = acknowledge.acknowledge(office.ports, office.person(self.person(party)), wanted, asking.one(office))
        read_at = books.opened.get((digest, party), 0)
        going = {to: books.decide(to, READ, self.now())}
        problem = problem if read_at else {"NOT_OPENED"}
        if self.refused_with("reply: not allowed", answer, problem or self.obstacles(country, going)):
            return False
        self._said_read(country, digest, party, answer, going, read_at=read_at)
        return True

    @transition(weight=3, when=lambda self: bool(self.holdings()), which=range(5), opened=(False, True))
    def acknowledge(self, *, which: int, opened: bool) -> None:
        """A desk says that it has read an alert that is no question."""
        country, digest, party = self.pick(self.holdings(), which)
        if place_of(party)[1] != NGO and self._acknowledge(country, digest, party, set(), opened=opened):
            self.happened("acknowledge: an alert")

    @transition(weight=2, when=lambda self: bool(self.questions), which=range(5))
    def take_back(self, which: int) -> None:
        """The asker withdraws a question, whatever became of it."""
        known = [one for one in self.questions.values() if one.digest in self.books(one.country).own and self.only in {"", one.country}]
        if not known:
            return
        question = self.pick(known, which)
        country, digest = question.country, question.digest
        settled = any((case := self.case(country, question, one)) and case.settled is not None for one in question.asked)
        again = self.books(country).standing(digest, self.facts) == "withdrawn"
        (control,) = recalled(self.office(country), digest).controls
        if again:
            assert codes(control) == {"ALERT_WITHDRAWN"}
            self.happened("take back: a question again")
            return
        assert not codes(control), f"a question is not withdrawn: {sorted(codes(control))}"
        self.control(country, control.manifest_digest, Kind.WITHDRAWAL, digest, self.told(country, digest))
        self.happened("take back: a question that was settled" if settled else "take back: a question")

    # Clocks

    @transition(weight=4, when=lambda self: bool(self.questions), which=range(5))
    def attempts(self, which: int) -> None:
        """A partner is not reached, three times, ten minutes apart; one for whom a question waits, if there is one."""
        logs = {(one, other): self.books(one).out[other] for one, other in self.pairs()}
        waiting = [pair for pair, log in logs.items() if any(entry.kind is Kind.QUESTION for entry in log.entries[log.settled :])]
        one, other = self.pick(waiting or self.pairs(), which)
        log = self.books(one).out[other]
        noted = 0
        for _ in range(3):
            self.clock.pass_(AGAIN)
            note_failed(self.office(one).ports, domain(other))
            waits = len(log.entries) > log.settled and not log.stopped
            if waits and sum(size >= len(log.entries) for _, size in log.attempts) < STARTS:
                log.attempts.append((self.now(), len(log.entries)))
                noted += 1
        if noted == STARTS:
            self.happened("attempts: three failed")

    @transition(weight=4, when=lambda self: bool(self.questions), which=range(9), early=(False, True))
    def deadline(self, *, which: int, early: bool) -> None:
        """Time goes on to the moment at which an answer is due, or to the last one before it."""
        due = [case.clock(self.now())[1] for country, question, party in self.cases() if (case := self.case(country, question, party))]
        later = sorted({at for at in due if self.now() < at - 1 and at < self.began + LONGEST})
        if later:
            self.clock.pass_(later[which % len(later)] - self.now() - early)
            self.happened("deadline: a moment before" if early else "deadline: the moment itself")

    # What must be so

    def open(self, country: str, digest: bytes, party: str) -> desk_service_pb2.GetInboxAlertResponse:
        """The office notes when that was first."""
        self.books(country).opened.setdefault((digest, party), self.now())
        return super().open(country, digest, party)

    def look(self) -> None:
        """Every question, and who has read what."""
        super().look()
        for question in self.questions.values():
            for party in question.asked:
                self.see_question(question, party)
        for country, digest in self.manifests():
            self.see_acknowledged(country, digest)

    def see_question(self, question: Question, party: str) -> None:
        """One case at both ends."""
        ends = [question.country, self.country_of(party)]
        shown = []
        for country, name in zip(ends, ("police", self.person(party)), strict=True):
            expected = self.case(country, question, party)
            try:
                found = [one for one in asking.cases(self.office(country), question.digest, name) if one.asked == party]
            except NotFound:
                found = []
            assert bool(found) == (expected is not None), f"{country}: a question to {party} is known here, or is not"
            if expected is not None:
                self._see_case(country, found[0], expected)
                shown.append(changed(found[0], own=None, opened_at=None))
        if len(shown) < len(ends):
            return
        if shown[0] == shown[1]:
            self.happened("question: both ends say the same")
        else:
            lost = self.restored & set(ends) or any(not self.reach(one, other) for one, other in self.pairs())
            assert lost, f"the two ends of a question to {party} differ: {shown[0]} {shown[1]}"
            self.happened("question: one end lost what was said")

    def _see_case(self, country: str, found: desk_service_pb2.RequestCase, case: Case) -> None:
        """State, clock and words at one end, each explained."""
        clock, due = case.clock(self.now())
        counted = clock != "UNSPECIFIED"
        names = desk_service_pb2.RequestState.Name(found.state), desk_service_pb2.RequestClockState.Name(found.clock)
        said = (names[0].removeprefix("REQUEST_STATE_"), names[1].removeprefix("REQUEST_CLOCK_STATE_"), found.started_at, found.due_at)
        expected = (case.state, clock, (case.started or 0) if counted else 0, due)
        assert said == expected, f"{country}: a question to {found.asked} stands as {said}, expected {expected}: {case}"
        assert found.started_by_attempts == case.by_attempts
        assert not case.term or found.term_hours == case.term // HOUR
        why = {reason for _, reason in case.holds.values()} if clock == "STOPPED" else {""}
        assert found.stopped_because in why, f"{country}: a clock is stopped because of {found.stopped_because}, expected {why}"
        events = [
            Event(
                deed=desk_service_pb2.RequestDeed.Name(one.deed).removeprefix("REQUEST_DEED_"),
                party=one.party,
                at=one.at,
                digest=one.manifest_digest,
                breach=one.breach,
            )
            for one in found.events
        ]
        assert events == case.events, f"{country}: of a question to {found.asked} was said {events}, expected {case.events}"
        self._count(case, clock)

    def _count(self, case: Case, clock: str) -> None:
        self.happened(f"question: {case.state}")
        self.happened(f"clock: {clock}")
        if case.term:
            self.happened(f"term: {case.term // HOUR} hours")
        if any(until > since and until > (case.started or until) for since, until in case.spans):
            self.happened("clock: stood still for a while")
        if len(case.holds) > 1:
            self.happened("clock: held by both sides")
        if case.by_attempts:
            self.happened("clock: started by attempts")
        for one in case.events:
            if one.breach:
                self.happened(f"crossed: {one.breach}")

    def see_acknowledged(self, country: str, digest: bytes) -> None:
        """Who says to have read an alert, and when."""
        books = self.books(country)
        told = books.audience([digest])
        expected = []
        for partner, log in books.inn.items():
            for index in sorted(log.accepted):
                entry = log.entries[index]
                word = self.words.get(entry.digest)
                if word is not None and word.about == digest and word.agency in told and entry.kind is Kind.READ:
                    expected.append((word.agency, word.digest, word.read_at, entry.at))
                    assert partner == self.country_of(word.agency)
        said = status(self.office(country), digest).acknowledgements
        found = [(one.agency, one.manifest_digest, one.read_at, one.acknowledged_at) for one in said if one.manifest_digest]
        assert sorted(found) == sorted(expected), f"{country}: acknowledged by {sorted(found)}, expected {sorted(expected)}"
