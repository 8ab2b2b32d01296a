"""Every code that a person can meet in the console has words in every language: the codes are read from the source that gives them."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

import exchange
import node
from exchange.errors import ExchangeError
from exchange.v1 import disclosure_pb2, receipt_pb2
from node.console import admin_partner_pages, audit_words, deed_problems, draft_problems, record_problems, screen_pages, trouble_problems
from node.console.languages import load_languages
from node.console.problem_words import code_words, field_words, problem_words, words_of
from node.console.visits import Elsewhere
from node.console.words import texts_in
from node.intake import problems
from node.operations import planning

pytestmark = pytest.mark.thorough

_CODE: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_GIVERS: Final = frozenset(
    {
        *("error", "warning", "turned_away", "raise_alarm", "alarm"),
        *("Obstacle", "PortNotice", "MrzProblem", "_problem", "_wrong", "_about", "_hold", "_fail", "warn", "tell", "denials"),
        *("_not_run", "_dated", "_runs"),
    }
)
"""Besides the exceptions, what makes a problem, a finding or an alarm of a code."""
_STARTS: Final = "the node does not start, and says so on the command line"
NOT_TO_PEOPLE: Final[Mapping[str, str]] = {
    "ADDRESS_IN_USE": _STARTS,
    "CONFIG_INVALID": _STARTS,
    "CONFIG_SYNTAX": _STARTS,
    "CONFIG_UNREADABLE": _STARTS,
    "CONSOLE_ASSETS": "the node runs without its console",
    "CONSOLE_HOST": "the node runs without its console",
    "HELLO_MALFORMED": "a partner’s node is told, which began wrongly",
    "KEY_FILE": _STARTS,
    "KEY_FILE_MODE": _STARTS,
    "MASTER_KEY_ABSENT": _STARTS,
    "NOTICE_MALFORMED": "a notice is made by the node itself, for a worker",
    "POLICY_COUNTRY": _STARTS,
    "STORE_ABSENT": _STARTS,
    "STORE_FOREIGN": _STARTS,
    "STORE_NEWER": _STARTS,
    "STORE_NOT_COPIED": _STARTS,
    "STORE_UNOPENED": _STARTS,
    "STORE_UNSAFE": _STARTS,
    "TIP_PLAN": _STARTS,
    "TLS_MATERIAL": _STARTS,
}
PASSED_ON: Final[Mapping[str, str]] = {
    "exchange.directory": "a code that is given a few lines above",
    "exchange.disclosure": "the code of another check, which is read where that gives it",
    "exchange.tlog.proof": "a code that its callers name",
    "node.intake.edtf": "a code that is given a few lines above",
    "node.intake.mrz": "problems that are made there, each with its code",
    "node.operations.anchor": "the code of the alarm that stands",
    "node.operations.approve": "SUBMISSION_NOT_FOUND or SUBMISSION_REFERENCE",
    "node.operations.disclosure_checks": "the code of the check that failed",
    "node.operations.officers": "a code that its callers name",
    "node.operations.settle": "ALARM_REFERENCE",
    "node.operations.tip_form": "problems that are made there, each with its code",
    "node.operations.tip_line": "problems that the form makes",
    "node.store.errors": "a code of the list that stands there",
}
"""Where an exception gets its code from elsewhere, and from where."""
PAGES: Final[tuple[Mapping[str, str], ...]] = (screen_pages.PROBLEMS, screen_pages.WARNINGS, audit_words.WHY_NOT_RUN)
"""Words of pages that alone meet these codes: passenger lists, and checks that were not run."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module of ours, by name."""
    found = {}
    for package in (exchange, node):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            found[".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


@cache
def reached() -> frozenset[str]:
    """Every module that a page can come to, by what each imports, beginning with the console."""
    found: set[str] = set()
    waiting = [name for name in modules() if name.startswith("node.console.")]
    while waiting:
        name = waiting.pop()
        if name in found or name not in modules() or "_pb2" in name:
            continue
        found.add(name)
        for one in ast.walk(ast.parse(modules()[name].read_text())):
            if isinstance(one, ast.ImportFrom) and one.module:
                waiting += [one.module, *(f"{one.module}.{alias.name}" for alias in one.names)]
    return frozenset(found)


def given(name: str) -> Iterator[tuple[str, str]]:
    """(code, where) of each problem, refusal and alarm that one module makes; an empty code for one that it does not name."""
    module = import_module(name)
    for call in ast.walk(ast.parse(modules()[name].read_text())):
        if not isinstance(call, ast.Call):
            continue
        maker = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
        made = getattr(module, maker, None)
        raised = isinstance(made, type) and issubclass(made, ExchangeError) and not issubclass(made, Elsewhere)
        if not raised and maker not in _GIVERS:
            continue
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        codes = [code for argument in arguments[:3] for code in _named(argument, module)]
        if maker == "_not_run":
            codes.reverse()  # the number of the check comes first
        yield from ((code, f"{name}:{call.lineno}") for code in codes[:1])
        if raised and call.args and not codes:
            yield "", f"{name}:{call.lineno}"


def _named(argument: ast.expr, module: ModuleType) -> list[str]:
    """The codes that an argument may be: written there, or by the name of a constant, of one or the other."""
    if isinstance(argument, ast.IfExp):
        return [*_named(argument.body, module), *_named(argument.orelse, module)]
    value = argument.value if isinstance(argument, ast.Constant) else getattr(module, getattr(argument, "id", ""), None)
    return [value] if isinstance(value, str) and _CODE.fullmatch(value) else []


@cache
def codes() -> Mapping[str, str]:
    """Every code, and one place that gives it."""
    found: dict[str, str] = {}
    for name in sorted(reached()):
        found |= dict(given(name))
    # Alarms are raised by workers too, and stand on pages afterwards.
    for name, path in modules().items():
        if name.startswith("node.") and ".cli" not in name and "raise_alarm(" in path.read_text():
            found |= {code: where for code, where in given(name) if code}
    for enum, prefix in ((disclosure_pb2.WithheldCode, "WITHHELD_CODE_"), (receipt_pb2.ExceptionCode, "EXCEPTION_CODE_")):
        found |= {code.removeprefix(prefix): prefix for code, number in enum.items() if number}
    found |= dict.fromkeys(planning.REFUSALS, "node.operations.planning")
    return found


def test_every_code_has_words_or_a_reason_why_nobody_meets_it() -> None:
    families = tuple(f"{family}_" for family in screen_pages.FAMILIES)
    worded = {code for code in codes() if words_of(code) or code.startswith(families) or any(code in page for page in PAGES)}
    named = {code: where for code, where in codes().items() if code and code not in worded}
    assert set(named) == set(NOT_TO_PEOPLE) & set(codes()), {code: named[code] for code in named if code not in NOT_TO_PEOPLE}
    assert set(NOT_TO_PEOPLE) <= set(codes())
    assert not worded & set(NOT_TO_PEOPLE)


def test_codes_are_named_where_they_are_given() -> None:
    passed = {where.partition(":")[0] for name in reached() for code, where in given(name) if not code}
    assert passed <= set(PASSED_ON), passed - set(PASSED_ON)


def test_the_source_is_read() -> None:
    assert {"ROLE_MISSING", "AGREEMENT_NONE", "FIELD_MISSING", "MRZ_CHECK_NUMBER", "KEY_REVOKED", "LOGS_DIFFER"} <= set(codes())
    assert {"LAPSED", "REQUIRED_MISSING", "DOCUMENT_TAG", "REVIEWER_RELEASED_IT", "CHECK_BEFORE_FAILED"} <= set(codes())
    assert len(codes()) > 500


@pytest.mark.parametrize("language", ["km", "th", "vi"])
def test_the_words_are_of_the_language(language: str) -> None:
    spoken, english = load_languages()[language], load_languages()["en"]
    for code in codes():
        if words_of(code):
            said = code_words(spoken, code)
            assert said
            assert said != code_words(english, code), code
            assert problem_words(spoken, code) == said
            assert problem_words(english, code) in {"", code_words(english, code)}


def test_no_code_stands_in_two_tables() -> None:
    tables = (
        *(trouble_problems.TROUBLES, record_problems.RECORD_PROBLEMS, draft_problems.DRAFT_PROBLEMS),
        *(deed_problems.NOBODY_GETS_IT, deed_problems.NOT_DONE, deed_problems.NOT_AGREED),
    )
    every = [code for table in tables for code in table]
    assert sorted(every) == sorted(set(every))
    assert set(deed_problems.NEXT) <= set(every)


def test_rules_of_the_schema_and_of_sign_in_have_one_sentence_for_those_that_are_not_named() -> None:
    assert words_of("SCHEMA_INT32_LTE") == words_of("SCHEMA")
    assert words_of("OIDC_NONCE") == words_of("OIDC")
    assert not words_of("WHATEVER")
    assert problems.FIELD_MISSING in draft_problems.DRAFT_PROBLEMS
    assert "HEARD" in admin_partner_pages.PROBLEMS


def test_what_is_wrong_is_told_in_plain_words_in_english_too() -> None:
    english = load_languages()["en"]
    for code in (*draft_problems.DRAFT_PROBLEMS, *deed_problems.NOBODY_GETS_IT, "EDTF_SPACE", "EDTF_RANGE"):
        assert problem_words(english, code) == ("" if code.startswith("SUBJECT_") else code_words(english, code)), code
    # The node itself says the bounds of a rule, and which other alert it is.
    assert not problem_words(english, "SCHEMA_INT32_LTE")
    assert not problem_words(english, "NOBODY_KNOWS_THIS")


def test_a_field_is_called_by_its_words() -> None:
    khmer, english = load_languages()["km"], load_languages()["en"]
    labels = texts_in(khmer)
    assert field_words(english, "itinerary[0].arrival") == "Itinerary 1: Arrival"
    assert field_words(khmer, "itinerary[0].arrival") == f"{labels.label('itinerary')} 1: {labels.label('arrival')}"
    assert field_words(english, "primary_name[7e9a]") == f"{texts_in(english).label('primary_name')} [7e9a]"
    assert (
        field_words(english, "primary_name[spiffe://kh.example/agency/x]")
        == f"{texts_in(english).label('primary_name')} [spiffe://kh.example/agency/x]"
    )
    assert field_words(english, "exchange.v1.TravelAlert") == "exchange.v1.TravelAlert"
    assert field_words(khmer, "recipients") == khmer.say("Recipients")
    assert field_words(khmer, "nothing[7e9a]") == "nothing[7e9a]"
    assert "\u202e" not in field_words(khmer, "\u202ereason")
