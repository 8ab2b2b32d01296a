"""The suite of attacks is as broad as it claims: attacks are told apart by layer, code and name, and a loop over values counts once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Malformed
from tests.attacks import attack

HERE = Path(__file__).parent


def attacks(source: str) -> Iterator[tuple[str, str, str]]:
    """Layer, code (with its cause) and name of each function that is an `@attack`."""
    for function in ast.parse(source).body:
        if not isinstance(function, ast.FunctionDef) or not function.name.startswith("test_"):
            continue
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "attack":
                layer, *codes = [ast.literal_eval(value) for value in (*decorator.args, *(k.value for k in decorator.keywords))]
                yield layer, "/".join(codes), function.name


ATTACKS = {found for path in HERE.glob("test_attacks_*.py") for found in attacks(path.read_text(encoding="utf-8"))}


def test_there_are_at_least_seventy_different_attacks() -> None:
    assert len(ATTACKS) >= 70


def test_attacks_differ_in_layer_and_code() -> None:
    assert len({layer for layer, _, _ in ATTACKS}) >= 20
    assert len({(layer, code) for layer, code, _ in ATTACKS}) >= 70


def test_each_attack_has_one_name() -> None:
    names = [name for _, _, name in ATTACKS]
    assert len(names) == len(set(names))


def test_only_attacks_are_counted() -> None:
    source = (
        '@attack("log", "LOG_MISMATCH", because="WHY")\ndef test_fork(): ...\n@attack("x", "Y")\ndef no_test(): ...\ndef test_good(): ...\n'
    )
    assert list(attacks(source)) == [("log", "LOG_MISMATCH/WHY", "test_fork")]


@pytest.mark.parametrize(
    ("error", "because"),
    [(None, ""), (Malformed("OTHER"), ""), (Malformed("CODE", "broken: CAUSE"), "OTHER"), (ValueError("CODE"), "")],
    ids=["succeeds", "other code", "other cause", "crashes"],
)
def test_an_attack_that_is_not_refused_for_the_right_reason_fails_its_test(error: Exception | None, because: str) -> None:
    @attack("layer", "CODE", because=because)
    def body() -> None:
        if error:
            raise error

    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        body()
