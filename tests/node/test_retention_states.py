"""Erasures and holds in any order: what is held is never erased, what is erased is gone for good, and nothing else is touched."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from exchange.errors import ExchangeError
from node.operations import erase, outbox, retention
from node.store import alerts, logs
from node.store.alerts import AlertRow
from tests.countries import DAY, POLICE, agency
from tests.federation import Federation
from tests.rig import Office, draft

ALERTS = 4
NUMBERS = st.integers(0, ALERTS - 1)
WHY = "synthetic reason"


class Keeping(RuleBasedStateMachine):
    """One office with a few alerts, and what must have become of each."""

    @initialize()
    def begin(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.made = Federation(Path(self.place.name), "gb", "kh")
        self.made.connect("gb", "kh")
        for _ in range(ALERTS):
            assert not self.gb.publish(draft(agency("kh", POLICE))).problems
        self.made.pump()
        self.first = self.rows()
        self.roots = self.gb.outbound(self.made["kh"]).frontier
        self.held: set[int] = set()
        self.intended: set[int] = set()
        self.erased: set[int] = set()
        self.past = False

    def teardown(self) -> None:
        self.made.close()
        self.place.cleanup()

    @property
    def gb(self) -> Office:
        return self.made["gb"]

    def rows(self) -> list[AlertRow]:
        with self.gb.ports.store.read() as tx:
            return list(alerts.every(tx))

    def decide(self, operation: object, number: int) -> bool:
        try:
            operation(self.gb.ports, self.gb.person("liaison"), self.first[number].digest.hex(), WHY)  # type: ignore[operator]
        except ExchangeError:
            return False
        return True

    @rule(number=NUMBERS)
    def hold(self, number: int) -> None:
        assert self.decide(retention.hold, number) == (number not in self.erased | self.intended)
        if number not in self.erased | self.intended:
            self.held.add(number)

    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        assert self.decide(retention.release_hold, number) == (number in self.held)
        self.held.discard(number)

    @rule(number=NUMBERS)
    def erase_early(self, number: int) -> None:
        possible = number not in self.held | self.erased | self.intended
        assert self.decide(retention.erase_early, number) == possible
        if possible:
            self.erased |= self.intended | {number}
            self.intended.clear()

    @rule(number=NUMBERS)
    def intend_and_die(self, number: int) -> None:
        begun = erase.intend(self.gb.ports, self.gb.domain, [self.first[number].id])
        assert begun == (number not in self.held | self.erased | self.intended)
        if begun:
            self.intended.add(number)
        self.gb.restart()

    @rule()
    def finish(self) -> None:
        assert erase.finish(self.gb.ports) == len(self.intended)
        self.erased |= self.intended
        self.intended.clear()

    @rule()
    def pass_the_limit(self) -> None:
        self.made.clock.pass_(200 * DAY if not self.past else DAY)
        self.past = True

    @rule()
    def run(self) -> None:
        retention.run_due(self.gb.ports, self.gb.domain)
        self.erased |= self.intended
        self.intended.clear()
        if self.past:
            self.erased |= set(range(ALERTS)) - self.held

    @invariant()
    def nothing_else_is_touched(self) -> None:
        now = self.rows()
        assert {number for number, row in enumerate(now) if row.state == "erased"} == self.erased
        for number, (before, after) in enumerate(zip(self.first, now, strict=True)):
            if number in self.erased:
                assert after.wrapped_key is after.sealed is None
            else:
                assert after == before
                assert outbox.get_alert(self.gb.ports, self.gb.person("liaison"), before.digest.hex()).view
        assert self.gb.outbound(self.made["kh"]).frontier == self.roots
        with self.gb.ports.store.read() as tx:
            sealed = [row.sealed is not None for row in logs.entry_rows(tx, self.gb.outbound(self.made["kh"]).id, 0, ALERTS)]
            indexed = set(tx.exec_driver_sql("SELECT alert_ref FROM subject_index").scalars())
        assert sealed == [number not in self.erased for number in range(ALERTS)]
        assert indexed == {self.first[number].id for number in range(ALERTS)} - {self.first[number].id for number in self.erased}

    @rule()
    def check_the_records(self) -> None:
        assert set(self.gb.fsck()) <= ({"ERASURE_UNDER_WAY"} if self.intended else set())


@pytest.mark.slow
def test_erasures_and_holds_in_any_order() -> None:
    run_state_machine_as_test(
        Keeping,
        settings=settings(
            max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
