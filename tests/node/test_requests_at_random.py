"""Whatever two offices do with a question, in whatever order it passes between them, both come to one course and one clock."""

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from exchange.v1 import desk_service_pb2
from node.operations.attempts import note_failed
from tests.asking import COURT, GB, KH, acknowledged, answered, asked, asking_agreement, case, suspended, turned_down
from tests.countries import HOUR
from tests.federation import Federation, Stream, federation
from tests.recalls import recalled
from tests.rig import Office

pytestmark = pytest.mark.slow

STEPS = ("acknowledge", "suspend", "resume", "hold", "let go", "answer", "refuse", "withdraw", "gb to kh", "kh to gb", "attempt")
LIKELY = (*STEPS, "gb to kh", "gb to kh", "gb to kh", "kh to gb", "acknowledge", "suspend", "resume")
fired: Counter[str] = Counter()
"""How often each step did something, over all examples."""
reached: Counter[str] = Counter()
crossed: Counter[str] = Counter()
"""What the two offices said while each could not know of the other's word."""


def arrived(office: Office, digest: bytes) -> bool:
    return any(one.manifest_digest == digest for one in office.received("police"))


def take(two: Federation, step: str, digest: bytes) -> bool:
    """Take one step; false if the own office refused it."""
    gb, kh = two["gb"], two["kh"]
    if step == "withdraw":
        return not recalled(gb, digest).controls[0].problems
    if step in {"hold", "let go"}:
        return not suspended(gb, digest, COURT if step == "hold" else 0, "liaison").problems
    if step in {"gb to kh", "kh to gb"}:
        one, other = (gb, kh) if step == "gb to kh" else (kh, gb)
        Stream(one, other).run()
        return True
    if step == "attempt":
        note_failed(gb.ports, kh.domain)
        return True
    if not arrived(kh, digest):
        return False
    if step == "acknowledge":
        return not acknowledged(kh, digest).problems
    if step in {"suspend", "resume"}:
        return not suspended(kh, digest, COURT if step == "suspend" else 0).problems
    return not (answered(kh, digest) if step == "answer" else turned_down(kh, digest)).problems


def run_one(chance: Random) -> None:
    """One question, and fourteen steps of the two offices; at the end everything is delivered."""
    held = chance.random() < 0.5
    with TemporaryDirectory() as place, federation(Path(place), "gb", "kh") as two:
        two.connect("gb", "kh", asking_agreement())
        digest = asked(two["gb"], authorisation_pending=COURT if held else None)
        for step in chance.choices(LIKELY, k=14):
            two.clock.pass_(chance.randrange(4) * HOUR)
            fired[step] += take(two, step, digest)
        two.pump()
        here = case(two["gb"], digest)
        reached[desk_service_pb2.RequestState.Name(here.state).removeprefix("REQUEST_STATE_")] += 1
        if not arrived(two["kh"], digest):
            assert here.state == desk_service_pb2.REQUEST_STATE_WITHDRAWN, "before it was delivered"
            return
        assert here == case(two["kh"], digest)
        allowed = {GB: {"REQUEST_ANSWERED", "REQUEST_REFUSED"}, KH: {"REQUEST_WITHDRAWN"}}
        breaches = [(event.party, event.breach) for event in here.events if event.breach]
        assert all(breach in allowed[party] for party, breach in breaches)
        crossed.update(breach for _, breach in breaches)


def test_both_ends_agree_after_anything() -> None:
    fired.clear()
    reached.clear()
    crossed.clear()
    for seed in range(40):
        run_one(Random(seed))
    print({step: fired[step] for step in STEPS}, dict(reached), dict(crossed))  # noqa: T201  a run that says what it did
    assert all(fired[step] for step in STEPS), "a step that never did anything shows nothing"
    assert set(reached) >= {"ACKNOWLEDGED", "SUSPENDED", "ANSWERED", "REFUSED", "WITHDRAWN"}
    assert crossed["REQUEST_WITHDRAWN"]
