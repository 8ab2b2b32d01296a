"""What a machine's rules are made of: transitions, drawn by weight, and the closed list of what they can bring about."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Rule = TypeVar("Rule", bound=Callable[..., None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One kind of thing that can happen."""

    name: str
    weight: int
    """How often it is drawn, beside the others."""
    when: Callable[[Any], bool]
    arguments: Mapping[str, Sequence[Any]]
    function: Callable[..., None]


def transition(*, weight: int = 2, when: Callable[[Any], bool] = lambda _: True, **arguments: Sequence[Any]) -> Callable[[Rule], Rule]:
    """Make a method one of the machine's transitions: drawn as often as its `weight` says, while `when` holds.

    `arguments` are what may be drawn for each of its arguments.
    """

    def decorate(function: Rule) -> Rule:
        made = Transition(name=function.__name__, weight=weight, when=when, arguments=arguments, function=function)
        function.transition = made  # type: ignore[attr-defined]  # read by `transitions_of`
        return function

    return decorate


def outcomes_of(machine: type) -> frozenset[str]:
    """All that can come about in a machine with these mixins."""
    return frozenset().union(*(vars(part).get("OUTCOMES", ()) for part in machine.__mro__))


@functools.cache
def transitions_of(machine: type) -> tuple[Transition, ...]:
    """Every transition of a machine's mixins, by name."""
    found = {name: getattr(machine, name) for part in machine.__mro__ for name in vars(part)}
    return tuple(one.transition for _, one in sorted(found.items()) if hasattr(one, "transition"))


def rules_of(machine: type) -> frozenset[str]:
    """The names of its transitions, as they are counted."""
    return frozenset(f"rule {one.name}" for one in transitions_of(machine))


def rules_in(family: type) -> frozenset[str]:
    """The names of the transitions that one family adds."""
    return frozenset(f"rule {name}" for name, one in vars(family).items() if hasattr(one, "transition"))
