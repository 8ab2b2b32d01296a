"""How long a flight takes against the alerts in force: `python -m benchmarks.screening [ALERTS] [PASSENGERS]`, by default 100,000 and 300.

Times are CPU seconds of this process. The floor is one intersection of two small sets for each alert whose birth date may be meant, and one
edit distance in C++ for each pair that this leaves: no screening that looks at each of them once goes below it.
"""

import json
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from rapidfuzz.distance import OSA

from node.matching.alignment import keys_of
from node.matching.index import Index
from node.matching.people import Passenger, names_of
from node.matching.proposals import screen
from tests.corpora.screening import GROUPS, alerts, innocent, returning

ROUNDS = 200_000
CHANGES = 2_000


def resident() -> int:
    """Bytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def main(count: int, size: int) -> None:
    sought = list(alerts(count))
    index = Index()
    memory, begun = resident(), time.process_time()
    for one in sought:
        index.add(one.subject)
    built, memory = time.process_time() - begun, resident() - memory
    rng = random.Random(41)  # noqa: S311  the same flight every time
    flight = [replace(innocent(rng, GROUPS[place % len(GROUPS)]), place=place + 1) for place in range(size)]
    flight[0] = returning(rng, sought[0])[1]
    seconds = {}
    for name in ("first", "again"):
        begun = time.process_time()
        proposals = [proposal for passenger in flight for proposal in screen(index, passenger)]
        seconds[name] = time.process_time() - begun
    begun = time.process_time()
    for one in sought[:CHANGES]:
        index.remove(one.subject.reference)
        index.add(one.subject)
    change = (time.process_time() - begun) / CHANGES
    candidates = sum(len(index.candidates(passenger, _keys(passenger))) for passenger in flight)
    looked_at = sum(sum(map(len, index.born_about(passenger.birth)[1])) for passenger in flight if passenger.birth)
    floor = looked_at * _intersection() + candidates * _distance()
    print(
        json.dumps(
            {
                "alerts": count,
                "passengers": size,
                "proposals": len(proposals),
                "screen_seconds": round(seconds["first"], 3),
                "screen_again_seconds": round(seconds["again"], 3),
                "index_seconds": round(built, 2),
                "index_bytes_per_alert": memory // count,
                "replace_one_alert_microseconds": round(change * 1e6),
                "candidates_per_passenger": round(candidates / size, 1),
                "births_looked_at_per_passenger": round(looked_at / size, 1),
                "floor_seconds": round(floor, 4),
                "times_the_floor": round(seconds["first"] / floor, 1),
            },
            indent=2,
        )
    )


def _keys(passenger: Passenger) -> frozenset[str]:
    return frozenset().union(*(keys_of(name.words) for name in names_of(passenger)))


def _distance() -> float:
    begun = time.process_time()
    for _ in range(ROUNDS):
        OSA.distance("nguyen van minh", "nguyen thi hong", score_cutoff=2)
    return (time.process_time() - begun) / ROUNDS


def _intersection() -> float:
    one, other = frozenset({"nn", "pn", "mn", "nnpn", "pnmn"}), frozenset({"nn", "t", "hn", "nnt", "thn"})
    begun = time.process_time()
    for _ in range(ROUNDS):
        len(one & other)
    return (time.process_time() - begun) / ROUNDS


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:3]]
    main(*given, *(100_000, 300)[len(given) :])
