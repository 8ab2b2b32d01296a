"""The subjects of the alerts in force, by birth, document and name. It lives in memory, changes alert by alert, and is written nowhere."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final

from node.intake.edtf import PartialDate
from node.matching import births
from node.matching.alignment import NEAR, SOUNDING, SPELT, Pair, cut, keys_of, near
from node.matching.documents import alike, plain_number, readings
from node.matching.people import Passenger, Subject
from node.matching.services import Service
from node.matching.spelling import Word

_AROUND: Final = 3
_EVENLY: Final = 200
_RARE_KEYS: Final = 3
"""How many of a passenger's rarest keys lead to candidates where the list gives no birth date."""

Postings = defaultdict[object, set[int]]


class Index:
    """Safe for one writer at a time; whoever changes it keeps readers out."""

    def __init__(self) -> None:
        self.subjects: dict[int, Subject] = {}
        self._spelt: Postings = defaultdict(set)
        self._sounding: Postings = defaultdict(set)
        self._bones: Postings = defaultdict(set)
        self._lengths: Postings = defaultdict(set)
        self._sexes: Postings = defaultdict(set)
        self._nationalities: Postings = defaultdict(set)
        self._documents: Postings = defaultdict(set)
        self._services: Postings = defaultdict(set)
        self._days: Postings = defaultdict(set)
        self._years: Postings = defaultdict(set)
        self._coarse: Postings = defaultdict(set)
        self._undated: set[int] = set()
        self._keys: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.subjects)

    def add(self, subject: Subject) -> None:
        """Take in one alert's subject; what was there under its reference gives way."""
        self.remove(subject.reference)
        self.subjects[subject.reference] = subject
        self._keys[subject.reference] = frozenset().union(*(keys_of(alias.words) for alias in subject.aliases))
        for postings, key in self._places(subject):
            postings[key].add(subject.reference)
        if not self._dated(subject):
            self._undated.add(subject.reference)

    def remove(self, reference: int) -> None:
        """Forget one alert; what is not there is no error."""
        subject = self.subjects.pop(reference, None)
        if subject is None:
            return
        del self._keys[reference]
        self._undated.discard(reference)
        for postings, key in self._places(subject):
            held = postings[key]
            held.discard(reference)
            if not held:
                del postings[key]

    def candidates(self, passenger: Passenger, keys: frozenset[str]) -> set[int]:
        """Whoever may be this passenger: born when it may be or sought on this crossing, and named alike; or with a document alike."""
        found = self._with_documents(passenger)
        sure, perhaps = (self._with_rare_keys(keys), []) if passenger.birth is None else self.born_about(passenger.birth)
        found |= sure
        perhaps += [self.of_services((service,)) for service in passenger.services]
        held, shared = self._keys, min(2, len(keys))
        for references in perhaps:
            found.update(reference for reference in references if len(keys & held[reference]) >= shared)
        return found

    def bearing(self, pair: Pair, spellings: Collection[str], *, family: bool) -> set[int]:
        """The subjects that a passenger's words would have found as well as this pair, as a `family` name if it is one on both sides.

        `spellings` are those `near` the word shown.
        """
        found: set[int] | None = None
        for word in pair.told:
            here: set[int] = set()
            for postings, key in self._bearing(pair, word, spellings):
                held = postings.get((key,) if family else key, set())
                here = here | held if here else held
            found = here if found is None else found & here
        return found or set()

    def near(self, word: Word) -> list[str]:
        """The spellings in the index that one or two slips make of a word; reads all of them."""
        shown = word.spelt
        return [spelt for spelt in self._spelt if isinstance(spelt, str) and (near(spelt, shown) or cut(spelt, shown) or cut(shown, spelt))]

    def of_sex(self, sex: str) -> set[int]:
        """The subjects of that sex."""
        return self._sexes.get(sex, set())

    def of_nationalities(self, countries: Iterable[str]) -> set[int]:
        """The subjects with one of these nationalities."""
        return set().union(*(self._nationalities.get(country, set()) for country in countries))

    def of_services(self, services: Iterable[Service]) -> set[int]:
        """The subjects whose alerts name one of these crossings."""
        return set().union(*(self._services.get(service, set()) for service in services))

    def of_length(self, words: int) -> set[int]:
        """The subjects with a name of so many words."""
        return self._lengths.get(words, set())

    def crowd(self, born: PartialDate) -> float:
        """How many times as many subjects are born about then as if births were spread evenly."""
        years = range(born.first_year - _AROUND, born.last_year + _AROUND + 1)
        expected = len(years) / births.YEARS
        about = sum(len(self._years.get(year, ())) for year in years)
        crowd = (about + _EVENLY * expected) / ((len(self.subjects) + _EVENLY) * expected)
        day = births.day_of(born)
        if day is not None and births.is_placeholder(born):
            crowd = max(crowd, len(self._days.get(day, ())) * births.DAYS / (len(self.subjects) + _EVENLY))
        return crowd

    def frequency(self, word: Word) -> int:
        """How many subjects bear a word with this sound."""
        return max(len(self._sounding.get(sound, ())) for sound in word.sounding)

    def _bearing(self, pair: Pair, word: Word, spellings: Collection[str]) -> Iterator[tuple[Postings, object]]:
        if pair.level == SPELT:
            yield self._spelt, word.spelt
        elif pair.level == SOUNDING:
            yield from ((self._sounding, sound) for sound in word.sounding)
        elif pair.level == NEAR and not pair.joined:
            yield from ((self._spelt, spelt) for spelt in spellings)
        else:
            yield from ((self._bones, bones) for bones in word.bones)

    def _places(self, subject: Subject) -> Iterator[tuple[Postings, object]]:
        for word in {word for alias in subject.aliases for word in alias.words}:
            yield from self._heard(word)
        # A family name stands a second time, in a tuple: so is it told from the same word among given names.
        for word in {word for alias in subject.aliases for word in alias.family}:
            yield from ((postings, (key,)) for postings, key in self._heard(word))
        yield from ((self._lengths, length) for length in {len(alias.words) for alias in subject.aliases})
        if subject.sex:
            yield self._sexes, subject.sex
        yield from ((self._nationalities, country) for country in subject.nationalities)
        yield from ((self._services, service) for service in subject.services)
        for number in {plain_number(document.number) for document in subject.documents} - {""}:
            yield self._documents, alike(number)
        if subject.birth is not None and self._dated(subject):
            yield from self._born_in(subject.birth)

    def _heard(self, word: Word) -> Iterator[tuple[Postings, object]]:
        yield self._spelt, word.spelt
        yield from ((self._sounding, sound) for sound in word.sounding)
        yield from ((self._bones, bones) for bones in word.bones)

    def _born_in(self, born: PartialDate) -> Iterator[tuple[Postings, object]]:
        day, reach = births.day_of(born), births.margin(born)
        if day is not None:
            yield self._days, day
            yield self._years, day.year
        if day is None or reach:
            for year in range(born.first_year - reach, born.last_year + reach + 1):
                yield self._coarse, year

    @staticmethod
    def _dated(subject: Subject) -> bool:
        return subject.birth is not None and subject.birth.last_year - subject.birth.first_year <= 9

    def _with_documents(self, passenger: Passenger) -> set[int]:
        found: set[int] = set()
        for document in passenger.documents:
            for number in readings(document.number):
                found |= self._documents.get(alike(number), set())
        return found

    def _with_rare_keys(self, keys: frozenset[str]) -> set[int]:
        held = sorted((self._bones[key] for key in keys if key in self._bones), key=len)[:_RARE_KEYS]
        if len(held) < 2:
            return set(held[0]) if held else set()
        return set().union(*(one & other for place, one in enumerate(held) for other in held[place + 1 :]))

    def born_about(self, born: PartialDate) -> tuple[set[int], list[set[int]]]:
        """The subjects born on the very day, and those who may be meant where their name has something of the passenger's."""
        day = births.day_of(born)
        if day is None or births.is_placeholder(born) or births.margin(born):
            reach = births.margin(born)
            years = range(born.first_year - reach, born.last_year + reach + 1)
            return set(), [self._undated, *(self._years.get(year, set()) | self._coarse.get(year, set()) for year in years)]
        near_days = {*births.slips(day), births.swapped(day), date(day.year, 1, 1)} - {None, day}
        perhaps = [self._days[each] for each in near_days if each in self._days]
        return self._days.get(day, set()), [*perhaps, self._coarse.get(day.year, set()), self._undated]
