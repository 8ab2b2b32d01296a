"""How fast two real nodes are on this machine, beside the floor measured in the same run. See docs/performance.md.

    python -m benchmarks.throughput [--quick | --full] [--json] [--only-open]

Two nodes and the load generator are three processes; the nodes speak mutual TLS, everything is durable as in operation.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.tls13 import pin_tls13

pin_tls13()  # before anything imports gRPC

from benchmarks import floor, parts  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from benchmarks.pair import Pair, Running, cpu_seconds, make_pair, resident_bytes, running  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from benchmarks.report import Figures, report  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from tests.system.nodes import copied  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to do."""

    floor_rounds: int
    parts: int
    warm: int
    flood: int
    idle: int
    open_seconds: float
    rates: tuple[int, ...]
    queued: tuple[int, int]
    """Alerts queued for a partner that is down, at which memory is compared."""


SIZES = {
    "quick": Size(floor_rounds=100, parts=128, warm=64, flood=320, idle=5, open_seconds=1, rates=(50,), queued=(64, 320)),
    "normal": Size(
        floor_rounds=200, parts=3200, warm=2000, flood=20_000, idle=300, open_seconds=10, rates=(100, 500, 1000), queued=(10_000, 100_000)
    ),
    "full": Size(
        floor_rounds=400,
        parts=6400,
        warm=2000,
        flood=60_000,
        idle=1000,
        open_seconds=30,
        rates=(100, 250, 500, 1000, 1250),
        queued=(10_000, 1_000_000),
    ),
}


def measure(size: Size, place: Path) -> Figures:
    """The whole run."""
    pair = make_pair(place)
    say("the floor")
    settings = floor.settings(place)
    ground = floor.measure(pair, place, size.floor_rounds)
    say("CPU by part")
    for_parts = place / "parts"
    for_parts.mkdir()
    by_part = parts.measure(Pair(sender=copied(pair.sender, for_parts), recipient=copied(pair.recipient, for_parts)), size.parts)
    for_memory = place / "memory"
    for_memory.mkdir()
    alone = Pair(sender=copied(pair.sender, for_memory), recipient=copied(pair.recipient, for_memory))
    with running(pair) as nodes:
        say("warming up")
        _load(pair, "flood", size.warm)
        say("idle")
        idle = _load(pair, "idle", size.idle)
        open_loops = {}
        for rate in size.rates:
            say(f"open loop, {rate} a second")
            open_loops[rate] = _load(pair, "open", int(rate * size.open_seconds), rate)
        say("sustained")
        flood = _flood(pair, nodes, size.flood)
    say("memory, the partner down")
    memory = _memory(alone, size.queued)
    return Figures(
        floor=ground,
        verify_cpu=statistics.mean((ground.verify_cpu, floor.measure_signatures(size.floor_rounds)[1])),
        verify_under_load=flood["verify_us"],
        settings=settings,
        parts={part: spent * flood["verify_us"] for part, spent in by_part.in_verifications().items()},
        sustained=size.flood / flood["seconds"],
        flood=size.flood,
        cpu={name: flood[name] / size.flood * 1e6 for name in ("sender", "recipient", "load")},
        idle=idle["latencies"],
        durable=idle["durable"],
        open_loops={rate: found["latencies"] for rate, found in open_loops.items()},
        open_durable={rate: found["durable"] for rate, found in open_loops.items()},
        queued=size.queued,
        memory=memory,
        cores=len(os.sched_getaffinity(0)),
    )


def measure_open(size: Size, place: Path) -> Iterator[str]:
    """The open loop alone, a line for each rate."""
    pair = make_pair(place)
    with running(pair) as nodes:
        _load(pair, "flood", size.warm)
        for rate in size.rates:
            count = int(rate * size.open_seconds)
            before = [cpu_seconds(process.pid) for process in (nodes.sender, nodes.recipient)]
            found = _load(pair, "open", count, rate)
            sender, recipient = (
                (cpu_seconds(process.pid) - was) / count * 1e6 for process, was in zip((nodes.sender, nodes.recipient), before, strict=True)
            )
            cuts = statistics.quantiles(found["latencies"], n=100, method="inclusive")
            yield (
                f"{rate} a second: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms; "
                f"CPU an alert {sender:.0f} µs at the sender, {recipient:.0f} µs at the recipient"
            )


def say(what: str) -> None:
    """Progress, on standard error."""
    print(f"… {what}", file=sys.stderr, flush=True)


def _load(pair: Pair, kind: str, count: int, rate: float = 0) -> dict[str, Any]:
    words = [str(pair.sender.directory), pair.agency, kind, str(count), str(rate), os.urandom(8).hex()]
    done = subprocess.run([sys.executable, "-m", "benchmarks.load", *words], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _flood(pair: Pair, nodes: Running, count: int) -> dict[str, float]:
    before = [cpu_seconds(process.pid) for process in (nodes.sender, nodes.recipient)]
    found = _load(pair, "flood", count)
    sender, recipient = (cpu_seconds(process.pid) - was for process, was in zip((nodes.sender, nodes.recipient), before, strict=True))
    return {
        "seconds": found["seconds"],
        "sender": sender,
        "recipient": recipient,
        "load": found["cpu_seconds"],
        "verify_us": found["verify_us"],
    }


def _memory(pair: Pair, queued: tuple[int, int]) -> tuple[int, int]:
    first, last = queued
    with running(pair, recipient=False) as nodes:
        _load(pair, "queue", first)
        before = resident_bytes(nodes.sender.pid)
        _load(pair, "queue", last - first)
        return before, resident_bytes(nodes.sender.pid)


def main(words: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Throughput and latency of two nodes on this machine.")
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", dest="size", action="store_const", const="quick", help="a few seconds, to see that it works")
    how_much.add_argument("--full", dest="size", action="store_const", const="full", help="longer, with a million queued alerts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only-open", action="store_true", help="the open loop alone, a line for each rate")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as place:
        if options.only_open:
            for line in measure_open(SIZES[options.size or "normal"], Path(place)):
                print(line, flush=True)
            return
        figures = measure(SIZES[options.size or "normal"], Path(place))
    print(json.dumps(figures.as_json(), indent=1) if options.json else report(figures))


if __name__ == "__main__":
    main()
