"""One passenger and one alert at a time: which words agree and how, what contradicts, and what each is worth."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.cli.screen import _LARGEST
from node.intake.edtf import read_edtf
from node.matching import births, documents, manifest
from node.matching.alignment import BONES, INITIAL, NEAR, SOUNDING, SPELT, align, in_order
from node.matching.alignment import RULES as NAME_RULES
from node.matching.births import BIRTH_RULES
from node.matching.documents import DOCUMENT_RULES
from node.matching.index import Index
from node.matching.people import Document, Passenger, Subject, aliases_of, names_of
from node.matching.proposals import MORE_RULES, ONE_STRANGER_IN, Proposal, screen
from node.matching.rule_words import RULES
from node.matching.services import Service, crossings
from node.matching.spelling import words_of

FLOWN = date(2027, 3, 1)


def level(one: str, other: str) -> int | None:
    """How two single words agree."""
    (told, *_), (shown, *_) = words_of(one), words_of(other)
    pairs = align(told, shown).pairs
    return pairs[0].level if pairs else None


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Nguyễn", "NGUYEN", SPELT),
        ("Đặng", "DANG", SPELT),
        ("O'Brien", "OBRIEN", SPELT),
        ("0liver", "OLIVER", SPELT),  # a nought read for an O
        ("Müller", "MUELLER", SOUNDING),
        ("Sørensen", "SOERENSEN", SOUNDING),
        ("MacDonald", "MCDONALD", SOUNDING),
        ("Wichai", "VICHAI", SOUNDING),
        ("Phongsakorn", "PONGSAKON", SOUNDING),
        ("Lakshmi", "LAXMI", SOUNDING),
        ("Sok", "SOKH", SOUNDING),
        ("Xu", "HSU", SOUNDING),
        ("Guo", "KUO", SOUNDING),
        ("Ren", "JEN", SOUNDING),
        ("Cai", "TSAI", SOUNDING),
        ("Lv", "LU", SOUNDING),
        ("Yi", "I", SOUNDING),
        ("Choudhury", "CHAUDHARY", BONES),
        ("Vikas", "BIKASH", BONES),
        ("សុខ", "SOK", SOUNDING),
        ("ដារ៉ា", "DARA", SPELT),
        ("ចាន់ថន", "CHANTHON", BONES),
        ("สมชาย", "SOMCHAI", BONES),
        ("กิตติพงษ์", "KITTIPONG", BONES),  # the last letter is silent
        ("राजेश", "RAJESH", SOUNDING),
        ("Featherstone", "FEATHERSTOME", NEAR),
        ("Alexander", "ALEXAND", NEAR),
        ("Robert", "R", INITIAL),
        ("Thuy", "T", INITIAL),  # and not the consonants of a word
        ("Trần", "TAN", NEAR),
        ("Smith", "JONES", None),
        ("Sok", "SUN", None),
    ],
)
def test_two_spellings_of_one_word_agree_as_narrowly_as_they_may(one: str, other: str, agree: int | None) -> None:
    assert level(one, other) == agree


def test_chinese_characters_are_read_in_mandarin_and_cantonese() -> None:
    readings = [" ".join(word.spelt for word in words) for words in words_of("陳大文")]
    assert readings == ["chen da wen", "chan tai man"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Wang Xiao Ming", "WANG XIAOMING"),
        ("Wang Xiaoming", "XIAO MING WANG"),
        ("Nguyen Van Minh", "MINH VAN NGUYEN"),
        ("Nguyen Van Minh", "NGUYEN VANMINH"),
        ("Jean Pierre Dubois", "DUBOIS JEANPIERRE"),
    ],
)
def test_order_and_joins_leave_nothing_over(told: str, shown: str) -> None:
    aligned = align(words_of(told)[0], words_of(shown)[0])
    assert (aligned.told, aligned.shown) == ((), ())


@pytest.mark.parametrize(
    ("told", "shown", "same"),
    [
        ("Nguyen Van Minh", "NGUYEN VAN MINH", True),
        ("Nguyen Van Minh", "VAN MINH NGUYEN", True),
        ("Nguyen Van Minh", "NGUYEN MINH", True),
        ("Nguyen Van Minh", "NGUYEN MINH VAN", False),
        ("Wang Xiao Ming", "XIAOMING WANG", True),
        ("Wang Xiao Ming", "MINGXIAO WANG", True),  # one word agrees and has no order
        ("Li Lei Lei", "LEI LEI LI", True),
        ("Yang Yang Wei", "YANG WEI YANG", True),
        ("Li Lei Li", "LI LI LEI", True),
        ("Smith John", "JOHN SMITH", True),
    ],
)
def test_names_may_be_turned_and_not_shuffled(told: str, shown: str, *, same: bool) -> None:
    (one,), (other,) = words_of(told), words_of(shown)
    assert in_order(align(one, other), one, other) == same


def test_another_order_is_held_against_a_proposal() -> None:
    index = indexed(subject(name="Nguyen Gia Quyen"))
    same, other = (only(screen(index, passenger(name))) for name in ("NGUYEN/GIA QUYEN", "NGUYEN/QUYEN GIA"))
    assert "NAME_ORDER" in rules(other)
    assert other.points == pytest.approx(same.points - 4)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("JOHN MR", ["smith john"]),
        ("JOHNMR", ["smith john", "smith johnmr"]),
        ("ADAMS", ["smith ada", "smith adams"]),  # the end of a name as likely as a title
        ("MR", ["smith"]),
    ],
)
def test_titles_are_no_names(given: str, expected: list[str]) -> None:
    names = names_of(Passenger(place=1, family="SMITH", given=given))
    assert [" ".join(word.spelt for word in name.words) for name in names] == expected


@pytest.mark.parametrize(
    ("told", "shown", "rule"),
    [
        ("1961-04-12", "1961-04-12", "BIRTH_DAY"),
        ("1961-04-12", "1961-12-04", "BIRTH_DAY_AND_MONTH_SWAPPED"),
        ("1961-04-12", "1961-04-13", "BIRTH_ONE_STEP"),
        ("1961-05-31", "1961-06-01", "BIRTH_ONE_STEP"),
        ("1961-04-12", "1961-04-22", "BIRTH_ONE_STEP"),
        ("1959-04-12", "1960-04-12", "BIRTH_ONE_STEP"),
        ("1961-04-12", "1961-04-19", "BIRTH_ONE_SLIP"),
        ("1961-04-12", "1962-05-13", "BIRTH_CONTRADICTS"),
        ("1961-04", "1961-04-12", "BIRTH_MONTH"),
        ("1961", "1961-04-12", "BIRTH_YEAR"),
        ("1961-04-12", "1961", "BIRTH_YEAR"),
        ("1961-04-12", "1961-01-01", "BIRTH_1_JANUARY"),
        ("196X", "1961-04-12", "BIRTH_DECADE"),
        ("19XX", "1961-04-12", "BIRTH_UNKNOWN"),
        ("20XX", "1961-04-12", "BIRTH_CONTRADICTS"),
        ("1961?", "1962-04-12", "BIRTH_AROUND"),
        ("1961~", "1963-04-12", "BIRTH_AROUND"),
        ("1961~", "1964-04-12", "BIRTH_CONTRADICTS"),
        ("1961", "1962-04-12", "BIRTH_CONTRADICTS"),
    ],
)
def test_birth_dates_agree_as_far_as_both_are_known(told: str, shown: str, rule: str) -> None:
    assert births.agreement(read_edtf(told), read_edtf(shown)).rule == rule


def test_a_birth_date_that_one_side_lacks_says_nothing() -> None:
    assert births.agreement(None, read_edtf("1961")).points == 0


@pytest.mark.parametrize(
    ("told", "shown", "rule"),
    [
        ("L898902C3", "L 898902-C3", "DOCUMENT_SAME"),
        ("L898902C3", "L898902C36", "DOCUMENT_SAME"),  # with its check digit
        ("L898902C3", "L8989O2C3", "DOCUMENT_LOOKS_ALIKE"),
        ("L898902C3", "L898903C3", "DOCUMENT_ONE_SLIP"),
        ("L898902C3", "L889902C3", "DOCUMENT_ONE_SLIP"),
        ("L898902C3", "L898903C36", "DOCUMENT_ONE_SLIP_CHECK_DIGIT"),
        ("L898902C3", "L8989O2C36", "DOCUMENT_ONE_SLIP_CHECK_DIGIT"),
        ("L898902C3", "L898903C37", None),
        ("L898902C3", "M898904C3", None),
        ("1234", "1234", None),  # too short to tell anybody from anybody
    ],
)
def test_numbers_of_one_issuer_agree_by_rule(told: str, shown: str, rule: str | None) -> None:
    agreed = documents.agreement(Document(number=told, issuer="GBR"), Document(number=shown, issuer="GBR"))
    assert (agreed.rule if agreed else None) == rule


@pytest.mark.parametrize(("issuer", "number", "rule"), [
    ("FRA", "L898902C3", "DOCUMENT_SAME_NUMBER"), ("", "L8989O2C3", "DOCUMENT_NUMBER_LOOKS_ALIKE"), ("FRA", "L898903C3", None),
])  # fmt: skip
def test_a_number_of_another_issuer_is_worth_less(issuer: str, number: str, rule: str | None) -> None:
    agreed = documents.agreement(Document(number="L898902C3", issuer="GBR"), Document(number=number, issuer=issuer))
    assert (agreed.rule if agreed else None) == rule


def subject(
    reference: int = 1, name: str = "Featherstone Trevor", born: str = "1961-04-12", sex: str = "M", number: str = "", flight: str = ""
) -> Subject:
    family, _, given = name.partition(" ")
    return Subject(
        reference=reference,
        aliases=tuple(aliases_of("primary_name", family, given, "")),
        birth=read_edtf(born) if born else None,
        sex=sex,
        nationalities=frozenset({"GBR"}),
        documents=(Document(number=number, issuer="GBR"),) if number else (),
        services=frozenset({*crossings(flight, [FLOWN]), *crossings(flight, [])}),
    )


def passenger(
    name: str = "FEATHERSTONE/TREVOR", born: str = "1961-04-12", sex: str = "M", number: str = "", country: str = "GBR",
    services: tuple[Service, ...] = (),
) -> Passenger:  # fmt: skip
    family, _, given = name.partition("/")
    return Passenger(
        place=1, family=family, given=given, birth=read_edtf(born) if born else None, sex=sex, nationalities=(country,),
        documents=(Document(number=number, issuer=country),) if number else (), services=services,
    )  # fmt: skip


def indexed(*subjects: Subject, crowd: int = 500) -> Index:
    """These, among others who have nothing to do with them."""
    index = Index()
    names = ("Sok Dara", "Nguyen Van Minh", "Wang Wei", "Kumar Rajesh", "Smith John", "Wongsawat Somchai")
    for number in range(crowd):
        year, month, day = 1950 + number % 50, number % 12 + 1, number % 28 + 1
        index.add(subject(1000 + number, names[number % len(names)], f"{year}-{month:02d}-{day:02d}"))
    for one in subjects:
        index.add(one)
    return index


def only(proposals: list[Proposal]) -> Proposal:
    (proposal,) = proposals
    return proposal


def rules(proposal: Proposal) -> list[str]:
    return [reason.rule for reason in proposal.reasons]


def test_a_proposal_explains_itself_and_its_points_add_up() -> None:
    proposal = only(screen(indexed(subject()), passenger("FETHERSTONE/TREVORMR", country="FRA")))
    assert rules(proposal) == ["NAME_SAME", "NAME_SOUNDS_ALIKE", "NAME_COMPLETE", "SEX", "BIRTH_DAY", "NATIONALITY_DIFFERS"]
    assert proposal.points == pytest.approx(sum(reason.points for reason in proposal.reasons))
    assert proposal.points >= proposal.needed
    assert proposal.one_stranger_in >= ONE_STRANGER_IN
    assert [(reason.told, reason.shown) for reason in proposal.reasons][:2] == [("trevor", "trevor"), ("featherstone", "fetherstone")]


def test_counts_in_an_explanation_only_fall() -> None:
    proposal = only(screen(indexed(subject(name="Nguyen Van Quyen")), passenger("NGUYEN/VAN QUYEN")))
    counts = [reason.count for reason in proposal.reasons if reason.count]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_a_common_name_alone_is_no_reason() -> None:
    index = indexed()
    assert screen(index, passenger("NGUYEN/VAN MINH", "1990-12-31")) == []
    assert screen(index, passenger("NGUYEN/VAN MINH", "")) == []


def test_the_same_name_and_year_are_enough_only_where_the_name_is_rare() -> None:
    assert only(screen(indexed(subject(born="1961")), passenger())).alias.label == "primary_name"
    crowded = indexed(*(subject(number, "Smith John", "1961" if number == 1 else f"19{60 + number % 30}-02-03") for number in range(1, 90)))
    assert [p for p in screen(crowded, passenger("SMITH/JOHN")) if p.subject.reference == 1] == []


def test_a_rare_name_is_enough_where_the_list_has_no_birth_date() -> None:
    proposal = only(screen(indexed(subject()), passenger(born="")))
    assert "BIRTH_UNKNOWN" in rules(proposal)
    assert screen(indexed(subject()), passenger("FEATHERSTONE/", "")) == []


def test_a_date_in_doubt_is_looked_for_in_the_years_around() -> None:
    proposal = only(screen(indexed(subject(born="1962~")), passenger()))
    assert "BIRTH_AROUND" in rules(proposal)
    assert "BIRTH_AROUND" in rules(only(screen(indexed(subject()), passenger(born="1962?"))))


def test_whoever_was_born_when_few_were_needs_no_other_agreement() -> None:
    old, young = (subject(number, born=born) for number, born in ((1, "1921-04-12"), (2, "1975-04-12")))
    index = indexed(old, young)  # and a crowd of 1950 to 1999
    points = [only(screen(index, passenger(born=born))).points for born in ("1921-04-12", "1975-04-12")]
    assert points[0] > points[1] + 1


def test_a_first_of_january_that_many_were_given_is_worth_little() -> None:
    born = "1980-01-01"
    crowd = [subject(number, "Example Thomas", born) for number in range(2, 400)]
    scarce, plenty = indexed(subject(born=born)), indexed(subject(born=born), *crowd)
    with_few, with_many = (screen(index, passenger(born=born)) for index in (scarce, plenty))
    points = [next(reason.points for reason in only(found).reasons if reason.rule == "BIRTH_DAY") for found in (with_few, with_many)]
    assert points[0] > points[1] + 3


def test_a_name_without_other_words_is_shared_by_fewer() -> None:
    longer = [subject(number, f"Wang {word} Ping", f"19{50 + number % 50}-02-03") for number, word in enumerate(("Xiao", "Da") * 20, 2)]
    index = indexed(subject(name="Wang Ping"), *longer)
    complete = next(reason for reason in only(screen(index, passenger("WANG/PING"))).reasons if reason.rule == "NAME_COMPLETE")
    assert (complete.count, complete.points > 2) == (1, True)


def test_an_initial_is_worth_what_the_names_with_it_are() -> None:
    index = indexed(
        subject(name="Nguyen Thi Uyen"), *(subject(number, "Nguyen Thi Hoa", f"19{50 + number}-02-03") for number in range(2, 50))
    )
    rare = only(screen(index, passenger("NGUYEN/THI U")))
    assert [(reason.rule, reason.count) for reason in rare.reasons if reason.rule.startswith("NAME")][-1] == ("NAME_INITIAL", 1)
    assert rare.points > only(screen(index, passenger("NGUYEN/THI H", "1952-02-03"))).points + 3


def test_a_word_that_a_name_has_twice_is_counted_twice() -> None:
    once = [subject(number, f"Li {word} Lei", f"19{50 + number % 50}-02-03") for number, word in enumerate(("Hong", "Da") * 20, 2)]
    counts = [reason.count for reason in only(screen(indexed(subject(name="Li Lei Lei"), *once), passenger("LI/LEI LEI"))).reasons]
    assert counts[:3] == [41, 41, 1]


@pytest.mark.parametrize(
    ("flight", "services", "rule"),
    [
        ("QF123", crossings("QF123", [FLOWN]), "SERVICE"),
        ("QF123", crossings("QF123", [date(2027, 2, 28), FLOWN]), "SERVICE"),  # departs on the day before
        ("QF123", crossings("QF123", []), "SERVICE_NUMBER"),
        ("QF123", crossings("QF123", [date(2027, 3, 2)]), None),
        ("QF124", crossings("QF123", [FLOWN]), None),
        ("", crossings("QF123", [FLOWN]), None),
        ("QF123", (), None),
    ],
)
def test_the_flight_of_an_alert_outweighs_a_wrong_birth_date(flight: str, services: tuple[Service, ...], rule: str | None) -> None:
    index = indexed(subject(flight=flight))
    found = screen(index, passenger(born="1961-05-13", services=services))
    assert ([name for name in rules(only(found)) if name.startswith("SERVICE")] if found else [None]) == [rule]
    assert only(screen(index, passenger(services=services)))  # another flight is held against nobody


def test_a_flight_that_many_alerts_name_is_worth_less_and_none_is_a_name() -> None:
    others = [subject(number, "Sok Dara", f"19{50 + number % 50}-02-03", flight="QF123") for number in range(2, 90)]
    flown = crossings("QF123", [FLOWN])
    few, many = indexed(subject(flight="QF123")), indexed(subject(flight="QF123"), *others)
    rare, common = (
        next(reason for reason in only(screen(index, passenger(services=flown))).reasons if reason.rule == "SERVICE")
        for index in (few, many)
    )
    assert (rare.count, common.count) == (1, 89)
    assert rare.points > common.points + 4
    assert screen(many, passenger("MOUNTJOY/JULIAN", services=flown)) == []


@pytest.mark.parametrize(
    "shown",
    [
        passenger("FEATHERSTONE/TREVOR", "1961-05-13"),  # born on another day
        passenger("FEATHERSTONE/JULIAN"),  # a twin
        passenger("MOUNTJOY/TREVOR"),
        passenger("FEATHERSTONE/"),
        passenger("/"),
    ],
)
def test_what_contradicts_is_not_proposed(shown: Passenger) -> None:
    assert screen(indexed(subject()), shown) == []


def test_another_sex_is_held_against_a_proposal() -> None:
    index = indexed(subject())
    same, other = only(screen(index, passenger())), only(screen(index, passenger(sex="F")))
    assert "SEX_DIFFERS" in rules(other)
    assert other.points < same.points


def test_the_document_of_an_alert_counts_whoever_shows_it() -> None:
    index = indexed(subject(number="L898902C3"))
    proposal = only(screen(index, passenger("SOMEBODY/ELSE ENTIRELY", "1999-09-09", "F", "L898902C3")))
    assert {"DOCUMENT_SAME", "BIRTH_CONTRADICTS", "DOCUMENT_OUTWEIGHS"} <= set(rules(proposal))


def test_a_number_that_merely_looks_alike_needs_something_besides() -> None:
    index = indexed(subject(number="L898902C3"))
    assert screen(index, passenger("SOMEBODY/ELSE", "1999-09-09", "F", "L8989O2C3")) == []
    assert only(screen(index, passenger("FEATHERSTONE/T", "1961-04-12", "M", "L8989O2C3")))


def test_an_alert_that_ends_is_forgotten_to_the_last_posting() -> None:
    index = indexed(crowd=0)
    index.add(subject(1, number="L898902C3"))
    index.add(subject(1, name="Mountjoy Trevor", born="1961?"))  # told anew
    assert screen(index, passenger()) == []
    index.remove(1)
    index.remove(1)
    assert not any(getattr(index, name) for name in vars(index))


def test_the_best_of_several_aliases_is_shown() -> None:
    many = Subject(
        reference=1,
        aliases=(*aliases_of("primary_name", "Chan", "Tai Man", ""), *aliases_of("names[0]", "", "", "陳大文")),
        birth=read_edtf("1970-07-07"),
    )
    assert only(screen(indexed(many), passenger("CHEN/DAWEN", "1970-07-07", "", country="CHN"))).alias.label == "names[0]"


def test_a_native_name_on_the_list_is_compared_too() -> None:
    dara = Subject(reference=1, aliases=tuple(aliases_of("primary_name", "Sok", "Vannareth", "")), birth=read_edtf("1970-07-07"))
    shown = Passenger(place=1, family="", given="", native="សុខ វណ្ណារ៉េត", birth=read_edtf("1970-07-07"))
    assert only(screen(indexed(dara), shown)).subject is dara


def test_every_rule_has_its_words() -> None:
    found = {rule.rule for rule in (*BIRTH_RULES, *DOCUMENT_RULES)} | set(NAME_RULES)
    assert found | set(MORE_RULES) <= RULES.keys()
    assert {rule for rule in RULES if rule.startswith(("BIRTH", "DOCUMENT_"))} - {"DOCUMENT_OUTWEIGHS"} == {
        rule for rule in found if not rule.startswith("NAME")
    }
    assert _LARGEST == manifest.LARGEST


def test_more_agreement_of_birth_is_never_worth_less() -> None:
    steps = [births.agreement(read_edtf("1961-04-12"), read_edtf(shown)).points for shown in ("1961-04-12", "1961-04", "1961", "196X")]
    assert all(more > less for more, less in pairwise(steps))


@settings(deadline=None)
@given(st.dates(date(1920, 1, 1), date(2027, 1, 1)))
def test_slips_of_a_birth_date_go_either_way(day: date) -> None:
    assert all(day in births.steps(other) for other in births.steps(day))
    assert all(day in births.slips(other) for other in births.slips(day))
