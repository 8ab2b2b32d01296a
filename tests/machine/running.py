"""To run a machine under fixed seeds, and to tell what happened in it."""

from collections.abc import Collection, Iterable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.core import Machine
from tests.machine.transitions import outcomes_of, rules_in, rules_of

EXAMPLES, STEPS = 12, 60
"""Runs under one seed, and transitions in each."""


def run(machine: type[Machine], seeds: Iterable[int], *, examples: int = EXAMPLES, steps: int = STEPS, shrink: bool = True) -> None:
    """Run a machine under each seed; what fails is shrunk to the shortest run that fails, and raised. `machine.tally` counts on."""
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    for number in seeds:
        seeded = seed(number)(type(machine.__name__, (machine,), {}))
        chosen = settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seeded, settings=chosen)


def search(machine: type[Machine]) -> None:
    """Run a machine until it fails, and raise that: in vain, so often that a defect which it can find was all but surely found.

    Which run finds it is chance: hypothesis draws also from the constants of whatever modules are loaded. Most need fewer than 30.
    """
    run(machine, [1], examples=400, shrink=False)


def missing(machine: type[Machine], families: Collection[type[Machine]] = (), *, beside: type[Machine] | None = None) -> frozenset[str]:
    """Transitions that were never taken, and outcomes that never came about and should have: all, or those of some families alone.

    Not those of `beside`, which has its own run.
    """
    wanted = rules_of(machine) | outcomes_of(machine)
    if families:
        wanted = frozenset().union(*(rules_in(one) | vars(one).get("OUTCOMES", frozenset()) for one in families))
    known = rules_of(beside) | outcomes_of(beside) if beside else frozenset[str]()
    return (wanted - machine.RARE) - known - machine.tally.keys()


def told(machine: type[Machine]) -> str:
    """How often each transition was taken, and each outcome came about."""
    names = sorted(rules_of(machine) | outcomes_of(machine))
    return "\n".join([machine.__name__, *(f"{machine.tally[name]:6} {name}" for name in names)])
