"""Whether a passenger may be the subject of an alert: a proposal to an officer, with reasons that a person can check, and never more.

A proposal is made when so much agrees that it would be found of a stranger less than once in `ONE_STRANGER_IN` travellers, counted over
*all* alerts in force. For each alias the question is: how many alerts have these words of a name (and this sex and nationality), and
how often would two strangers' birth dates or documents agree like these? The product is the number of alerts that a stranger of this
name would meet by accident. So a common name needs a birth date to the day, and nobody is stopped for having one.

*Points* are the same in powers of two, so that they add up: each halving of the chance is one point. Names give
log2(alerts / alerts with such a name); what contradicts takes points away. `needed` is log2(alerts) + log2(ONE_STRANGER_IN).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from math import log2
from typing import Final

from node.matching import births, documents
from node.matching.alignment import BONES, INITIAL, JOINED_RULE, NEAR, RULES, Alignment, Pair, align, in_order, keys_of
from node.matching.births import BirthAgreement
from node.matching.documents import DocumentAgreement
from node.matching.index import Index
from node.matching.people import Alias, Passenger, Shown, Subject, names_of
from node.matching.spelling import Word

ONE_STRANGER_IN: Final = 125
MORE_RULES: Final = (
    "NAME_COMPLETE", "NAME_ORDER", "NAME_DIFFERS", "NAME_LACKS", "NAME_HAS_MORE", "SEX", "SEX_DIFFERS", "NATIONALITY",
    "NATIONALITY_DIFFERS", "SERVICE", "SERVICE_NUMBER", "DOCUMENT_OUTWEIGHS",
)  # fmt: skip
"""The rules of a reason besides those of words, births and documents."""

_CONTRADICTING_NAME: Final = 250.0
_MISSING: Final = 2.0
_ADDED: Final = 3.0
_OTHER_ORDER: Final = 16.0
"""Family and given names change places on lists; given names hardly ever do so among themselves."""
_SEX_DIFFERS: Final = 60.0
_NATIONALITY_DIFFERS: Final = 8.0
_BIRTH_DIFFERS: Final = 100.0
_WITH_SAME_DOCUMENT: Final = 50.0
"""What contradicts the very document of an alert counts no more than this in all: it may be in another's hand."""
_COSTS: Final = (0.0, 0.7, 1.5, 3.0, 1.5)
"""Points off for a word that agrees less than to the letter: the same person's papers show it so much more rarely."""
_SHORT_COST: Final = 1.5
"""More off where no more than two consonants agree."""
_INITIAL: Final = 0.1
"""A bound on how many strangers' names begin with a given letter."""
_AS_IF: Final = 5.0
_UNSEEN: Final = 2000
"""A word that no alert has is taken to be borne by one person in so many."""
_OF_ONE_LANGUAGE: Final = 4.0
"""Words of one name are of one language, and so are many on one crossing: a second agreement is so much likelier than among all names."""
_PERHAPS, _RAREST = 0.5, 0.001
"""How many strangers with such a name there may be among as many people as there are alerts, where no other alert has it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reason:
    """One line of an explanation. `told` is what the alert says and `shown` what the list says, empty where one says nothing.

    `count` of a name's line: the alerts that have all words up to here.
    """

    rule: str
    points: float
    told: str = ""
    shown: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Proposal:
    """A passenger who may be the subject of an alert, by one of its aliases; no more than a reason to look."""

    passenger: Passenger
    subject: Subject
    alias: Alias
    reasons: tuple[Reason, ...]
    points: float
    needed: float

    @property
    def one_stranger_in(self) -> int:
        """Of so many strangers with such a name, one would be proposed like this by accident."""
        return max(1, round(2 ** min(60.0, self.points - self.needed) * ONE_STRANGER_IN))


def screen(index: Index, passenger: Passenger, suppressed: Callable[[Subject, Passenger], bool] | None = None) -> list[Proposal]:
    """The proposals for one passenger, each alert once by its best alias, the most points first."""
    if not len(index):
        return []
    shown = names_of(passenger)
    keys = frozenset().union(*(keys_of(name.words) for name in shown)) if shown else frozenset()
    scoring = _Scoring(index, passenger, shown)
    found = []
    for reference in index.candidates(passenger, keys):
        subject = index.subjects[reference]
        best = scoring.best(subject)
        if best is not None and not (suppressed and suppressed(subject, passenger)):
            found.append(best)
    return sorted(found, key=lambda proposal: (-proposal.points, proposal.subject.reference))


class _Scoring:
    """One passenger against many subjects; what was counted once is kept."""

    def __init__(self, index: Index, passenger: Passenger, shown: list[Shown]) -> None:
        self._index = index
        self._passenger = passenger
        self._shown = shown
        self._total = len(index)
        self._needed = log2(self._total) + log2(ONE_STRANGER_IN)
        self._counts: dict[tuple[object, ...], list[int]] = {}
        self._crowd = log2(index.crowd(passenger.birth)) if passenger.birth else 0.0
        self._near: dict[str, list[str]] = {}

    def best(self, subject: Subject) -> Proposal | None:
        """The alias of a subject that agrees best, if it is enough."""
        born = births.agreement(subject.birth, self._passenger.birth)
        document = self._document(subject)
        besides = self._besides(subject, born, document)
        if born.contradicts and not besides:
            return None
        found = None
        against = self._against(subject, born)
        sought = self._needed - sum(reason.points for reason in (*besides, *against))
        for alias in subject.aliases:
            for shown in self._shown:
                aligned = align(alias.words, shown.words)
                if document is None and (not _enough(aligned) or self._names_at_most(aligned) < sought):
                    continue
                proposal = self._judged(subject, alias, shown, aligned, [*besides], document, against)
                if proposal.points >= self._needed and (found is None or proposal.points > found.points):
                    found = proposal
        return found

    def _judged(
        self, subject: Subject, alias: Alias, shown: Shown, aligned: Alignment, besides: list[Reason],
        document: tuple[DocumentAgreement, str, str] | None, against: list[Reason],
    ) -> Proposal:  # fmt: skip
        contradicting = [*_left_over(aligned), *against]
        if not in_order(aligned, alias.words, shown.words):
            told, listed = (" ".join(word.spelt for word in name.words) for name in (alias, shown))
            contradicting.append(Reason(rule="NAME_ORDER", points=-log2(_OTHER_ORDER), told=told, shown=listed))
        lost = sum(reason.points for reason in contradicting)
        if document is not None and document[0].outweighs and lost < -log2(_WITH_SAME_DOCUMENT):
            contradicting.append(Reason(rule="DOCUMENT_OUTWEIGHS", points=-log2(_WITH_SAME_DOCUMENT) - lost))
        every = (*self._name_reasons(subject, alias, shown, aligned), *besides, *contradicting)
        points = sum(reason.points for reason in every)
        return Proposal(passenger=self._passenger, subject=subject, alias=alias, reasons=every, points=points, needed=self._needed)

    def _besides(
        self, subject: Subject, born: BirthAgreement, document: tuple[DocumentAgreement, str, str] | None
    ) -> list[Reason]:  # fmt: skip
        """What agrees besides the name, sex and nationality: birth, crossing, document."""
        found = [] if born.contradicts else [self._birth_reason(subject, born)]
        found += self._crossing(subject)
        if document is not None:
            agreed, number, read = document
            found.append(Reason(rule=agreed.rule, points=agreed.points, told=number, shown=read))
        return found

    def _crossing(self, subject: Subject) -> Iterator[Reason]:
        """The flight or sailing that the alert names; how many alerts name it is counted."""
        shared = subject.services.intersection(self._passenger.services)
        if shared:
            count = len(self._index.of_services(shared))
            points = -log2(min(1.0, count / self._total * _OF_ONE_LANGUAGE))
            said = " ".join(sorted(f"{one.number} {one.day or ''}".strip() for one in shared))
            dated = any(one.day for one in shared)
            yield Reason(rule="SERVICE" if dated else "SERVICE_NUMBER", points=points, told=said, shown=said, count=count)

    def _against(self, subject: Subject, born: BirthAgreement) -> list[Reason]:
        """What contradicts besides the name."""
        passenger, found = self._passenger, []
        if born.contradicts:
            found.append(self._birth_reason(subject, born))
        if subject.sex and passenger.sex and subject.sex != passenger.sex:
            found.append(Reason(rule="SEX_DIFFERS", points=-log2(_SEX_DIFFERS), told=subject.sex, shown=passenger.sex))
        if subject.nationalities and passenger.nationalities and subject.nationalities.isdisjoint(passenger.nationalities):
            told, shown = " ".join(sorted(subject.nationalities)), " ".join(passenger.nationalities)
            found.append(Reason(rule="NATIONALITY_DIFFERS", points=-log2(_NATIONALITY_DIFFERS), told=told, shown=shown))
        return found

    def _birth_reason(self, subject: Subject, born: BirthAgreement) -> Reason:
        told, shown = (date.text if date else "" for date in (subject.birth, self._passenger.birth))
        return Reason(rule=born.rule, points=self._birth_points(born), told=told, shown=shown)

    def _birth_points(self, born: BirthAgreement) -> float:
        """More for who was born when few were: the chance is that of strangers of this age, by what the index holds."""
        if born.contradicts:
            return -log2(_BIRTH_DIFFERS)
        return born.points - self._crowd if born.chance < 1 else 0.0

    def _names_at_most(self, aligned: Alignment) -> float:
        """A bound on what the names can give, without counting who bears them."""
        chance, lost = 1.0, 0.0
        for place, pair in enumerate(aligned.pairs):
            chance *= self._share(pair, place)
            lost += _cost(pair)
        lost += min(len(aligned.told), len(aligned.shown)) * log2(_CONTRADICTING_NAME)
        return log2(self._total / _unmet(chance * self._total)) - lost

    def _share(self, pair: Pair, place: int) -> float:
        """How many strangers bear these words, if words went together by chance."""
        if pair.level == INITIAL:
            return _INITIAL
        often = max(self._index.frequency(word) for word in pair.told)
        return min(1.0, (often + 1) / (self._total + _UNSEEN) * (_OF_ONE_LANGUAGE if place else 1.0))

    def _document(self, subject: Subject) -> tuple[DocumentAgreement, str, str] | None:
        agreed = (
            (found, told.number, shown.number)
            for told in subject.documents
            for shown in self._passenger.documents
            if (found := documents.agreement(told, shown))
        )
        return min(agreed, key=lambda item: item[0].chance, default=None)

    def _name_reasons(self, subject: Subject, alias: Alias, name: Shown, aligned: Alignment) -> Iterator[Reason]:
        """A line for each pair, and for the sex and nationality that agree: how many alerts are left after each."""
        pairs = list(aligned.pairs)
        families = [alias.family.issuperset(pair.told) and name.family.issuperset(pair.shown) for pair in pairs]
        sex = subject.sex if subject.sex == self._passenger.sex else ""
        countries = tuple(sorted(subject.nationalities.intersection(self._passenger.nationalities)))
        length = 0 if aligned.told or aligned.shown or any(pair.level == INITIAL for pair in pairs) else len(alias.words)
        counts = self._counted(list(zip(pairs, families, strict=True)), length, sex, countries)
        before = float(self._total)
        named = [(_rule(pair), " ".join(word.spelt for word in pair.told), " ".join(word.spelt for word in pair.shown)) for pair in pairs]
        named += [("NAME_COMPLETE", "", "")] * bool(length)
        named += [("SEX", sex, sex)] * bool(sex) + [("NATIONALITY", " ".join(countries), " ".join(countries))] * bool(countries)
        chance = 1.0
        for place, ((rule, told, shown), count) in enumerate(zip(named, counts, strict=True)):
            cost = 0.0
            if place < len(pairs):
                chance *= self._share(pairs[place], place)
                cost = _cost(pairs[place])
            # The alert itself is one of those counted, and says nothing of how many strangers have such a name.
            expected = max(count - 1.0, _unmet(chance * self._total))
            if place >= len(pairs):
                # Whoever is left may share a sex or a country by chance alone, however few they are: as if some more had been counted.
                often = self._part(rule, length, countries, sex)
                expected = max(expected, before * (count - 1.0 + _AS_IF * often) / (before + _AS_IF))
            after = min(before, expected)
            yield Reason(rule=rule, points=log2(before / after) - cost, told=told, shown=shown, count=count)
            before = after

    def _part(self, rule: str, length: int, countries: tuple[str, ...], sex: str) -> float:
        if rule == "NAME_COMPLETE":
            held = self._index.of_length(length)
        else:
            held = self._index.of_sex(sex) if rule == "SEX" else self._index.of_nationalities(countries)
        return len(held) / self._total

    def _counted(self, pairs: list[tuple[Pair, bool]], length: int, sex: str, countries: tuple[str, ...]) -> list[int]:
        key = (*pairs, length, sex, countries)
        if key not in self._counts:
            self._counts[key] = list(self._count(pairs, length, sex, countries))
        return self._counts[key]

    def _count(self, pairs: list[tuple[Pair, bool]], length: int, sex: str, countries: tuple[str, ...]) -> Iterator[int]:
        held: set[int] | None = None
        sounds: Counter[str] = Counter()
        words = {word for pair, _ in pairs if pair.level < INITIAL for word in pair.told}
        for pair, family in pairs:
            if pair.level == INITIAL:
                held = self._with_initial(held or set(), pair.told[0].spelt[0], words)
            else:
                here = self._index.bearing(pair, self._spellings(pair), family=family)
                held = here if held is None else held & here
                for word in pair.told:
                    sounds.update(word.sounding)
                    if sounds[word.sounding[0]] > 1:
                        held = self._with_again(held, word.sounding[0], sounds[word.sounding[0]])
            yield len(held)
        if length:
            here = self._index.of_length(length)
            held = here if held is None else held & here
            yield len(held)
        if sex:
            here = self._index.of_sex(sex)
            held = here if held is None else held & here
            yield len(held)
        if countries:
            here = self._index.of_nationalities(countries)
            yield len(here if held is None else held & here)

    def _with_again(self, held: set[int], sound: str, times: int) -> set[int]:
        """Those who have so many words of this sound in one name."""
        subjects = self._index.subjects
        return {
            reference
            for reference in held
            if any(sum(sound in word.sounding for word in alias.words) >= times for alias in subjects[reference].aliases)
        }

    def _with_initial(self, held: set[int], letter: str, others: set[Word]) -> set[int]:
        """Those who bear another word besides that begins with this letter."""
        subjects = self._index.subjects
        return {
            reference
            for reference in held
            if any(word.spelt[0] == letter and word not in others for alias in subjects[reference].aliases for word in alias.words)
        }

    def _spellings(self, pair: Pair) -> Collection[str]:
        if pair.level != NEAR or pair.joined:
            return ()
        word = pair.shown[0]
        if word.spelt not in self._near:
            self._near[word.spelt] = self._index.near(word)
        return self._near[word.spelt]


def _unmet(expected: float) -> float:
    """How many strangers have a name that no other alert has, if so many were expected: some half of one, or as few as that."""
    return max(1 / (1 / _PERHAPS + 1 / expected), _RAREST)


def _enough(aligned: Alignment) -> bool:
    """Two words must agree, or all of a name that has no more; and no more may contradict than agrees."""
    agreeing = sum(max(len(pair.told), len(pair.shown)) for pair in aligned.pairs)
    if agreeing < 2 and (aligned.told or aligned.shown or not agreeing):
        return False
    return min(len(aligned.told), len(aligned.shown)) < agreeing


def _cost(pair: Pair) -> float:
    short = pair.level == BONES and len(pair.told[0].bones[0]) <= 2
    return _COSTS[pair.level] + (_SHORT_COST if short else 0.0)


def _rule(pair: Pair) -> str:
    return JOINED_RULE if pair.joined else RULES[pair.level]


def _left_over(aligned: Alignment) -> Iterator[Reason]:
    against = min(len(aligned.told), len(aligned.shown))
    for told, shown in zip(aligned.told, aligned.shown, strict=False):
        yield Reason(rule="NAME_DIFFERS", points=-log2(_CONTRADICTING_NAME), told=told.spelt, shown=shown.spelt)
    yield from (Reason(rule="NAME_LACKS", points=-log2(_MISSING), told=word.spelt) for word in aligned.told[against:])
    yield from (Reason(rule="NAME_HAS_MORE", points=-log2(_ADDED), shown=word.spelt) for word in aligned.shown[against:])
