"""The run as a table, and what follows from it: what dominates, and what would have to go for the speed to double."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.floor import BATCH, Floor, as_numbers

SENDER_PARTS = ("prepare", "sequence", "deliver", "settle")
RECIPIENT_PARTS = ("receive",)
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run found. CPU in microseconds per alert, latencies in seconds, memory in bytes."""

    floor: Floor
    verify_cpu: float
    """One Ed25519 verification: the mean of before and after."""
    verify_under_load: float
    """The same while the alerts were flowing: both cores busy, caches shared."""
    settings: Mapping[str, str]
    parts: Mapping[str, float]
    """Measured one by one without load, and brought to the load by what a verification cost then and there."""
    sustained: float
    """Alerts a second, from the first publication to the last receipt."""
    flood: int
    cpu: Mapping[str, float]
    """Of whole processes, while that went on: sender, recipient, load."""
    idle: Sequence[float]
    durable: Sequence[float]
    """Publication to answer, when idle: the entry is durable, nothing has left."""
    open_loops: Mapping[int, Sequence[float]]
    open_durable: Mapping[int, Sequence[float]]
    queued: tuple[int, int]
    memory: tuple[int, int]
    cores: int

    def sides(self) -> dict[str, dict[str, float]]:
        """CPU of each side by part; what its process used beyond the parts is transport: gRPC, TLS, threads."""
        found = {}
        for side, names in (("sender", SENDER_PARTS), ("recipient", RECIPIENT_PARTS)):
            inside = {name: self.parts[name] for name in names}
            found[side] = {**inside, "transport": self.cpu[side] - sum(inside.values())}
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything but the single latencies."""
        return {
            "cores": self.cores,
            "settings": dict(self.settings),
            "floor_us": as_numbers(self.floor),
            "verify_us": round(self.verify_cpu, 1),
            "sustained_per_second": round(self.sustained, 1),
            "alerts": self.flood,
            "cpu_us_per_alert": {name: round(value, 1) for name, value in self.cpu.items()},
            "verify_under_load_us": round(self.verify_under_load, 1),
            "cpu_in_verifications": {name: round(value / self.verify_under_load, 2) for name, value in self.cpu.items()},
            "parts_us_per_alert": {side: {k: round(v, 1) for k, v in found.items()} for side, found in self.sides().items()},
            "idle_ms": _percentiles(self.idle),
            "durable_ms": _percentiles(self.durable),
            "open_loop_ms": {str(rate): _percentiles(found) for rate, found in self.open_loops.items()},
            "open_loop_durable_ms": {str(rate): _percentiles(found) for rate, found in self.open_durable.items()},
            "queued": list(self.queued),
            "memory_mib": [round(value / _MIB, 1) for value in self.memory],
            "memory_growth_mib": round((self.memory[1] - self.memory[0]) / _MIB, 1),
            "conclusions": list(conclusions(self)),
        }


def report(figures: Figures) -> str:
    """The table for people."""
    return "\n".join(_lines(figures))


def conclusions(figures: Figures) -> Iterator[str]:
    """What dominates, and what would halve it: worked out of the figures."""
    sides = figures.sides()
    whole = {side: sum(found.values()) for side, found in sides.items()}
    total = sum(whole.values()) + figures.cpu["load"]
    ceiling = figures.cores * 1e6 / total
    yield (
        f"All processes together use {total:.0f} µs of CPU an alert: {figures.cores} cores could do {ceiling:.0f} a second, "
        f"and {figures.sustained / ceiling:.0%} of that was reached."
    )
    by_part = sorted(((spent, side, part) for side, found in sides.items() for part, spent in found.items()), reverse=True)
    spent, side, part = by_part[0]
    yield f"The dearest single part is {part} at the {side}: {spent:.0f} µs, {spent / total:.0%} of all."
    crypto = (figures.floor.sign_cpu / figures.verify_cpu + 1) * figures.verify_under_load
    yield f"One signature and one verification are {crypto:.0f} µs of it ({crypto / total:.0%}): version 1 needs both for each alert."
    for busy, found in sides.items():
        gone, named = 0.0, []
        for name, cost in sorted(found.items(), key=lambda item: -item[1]):
            if gone >= whole[busy] / 2:
                break
            gone += cost
            named.append(f"{name} ({cost:.0f} µs)")
        yield f"To halve the {busy}'s {whole[busy]:.0f} µs, all of {' and '.join(named)} would have to go."
    wall = {"the durable commit": figures.floor.commit_wall, "the high-water record": figures.floor.high_water_wall}
    waited = {name: cost / BATCH for name, cost in wall.items()}
    said = ", ".join(f"{name} {cost:.0f} µs" for name, cost in waited.items())
    yield f"Waiting for the disk is shared by a batch: per alert {said} of wall time."


def _lines(figures: Figures) -> Iterator[str]:
    ground, verify, loaded = figures.floor, figures.verify_cpu, figures.verify_under_load
    yield "FLOOR, measured in this run, CPU unless said"
    yield _row("Ed25519 sign", ground.sign_cpu)
    yield _row("Ed25519 verify", verify)
    yield _row("  the same while alerts flowed", loaded)
    yield _row(f"durable commit of {BATCH} rows", ground.commit_cpu) + f"{ground.commit_wall:12.1f} µs wall"
    yield f"  {'high-water record':46}{ground.high_water_wall:12.1f} µs wall"
    yield _row(f"gRPC message of {BATCH}, sender", ground.message_sender_cpu) + f"{ground.message_wall:12.1f} µs wall, pipelined"
    yield _row(f"gRPC message of {BATCH}, recipient", ground.message_recipient_cpu)
    yield "DURABILITY, asserted"
    yield "  " + ", ".join(f"{name}={value}" for name, value in figures.settings.items())
    yield f"SUSTAINED, {figures.flood} alerts of 30 fields, 15 opened, publish to receipt, on {figures.cores} cores"
    yield f"  {figures.sustained:.0f} alerts a second"
    yield "CPU per alert, also in verifications under that load (v); parts measured one by one, transport is what remains"
    for side, found in figures.sides().items():
        yield _row(side, figures.cpu[side]) + f"{figures.cpu[side] / loaded:8.2f} v"
        for part, spent in found.items():
            yield _row(f"  {part}", spent) + f"{spent / loaded:8.2f} v"
    yield _row("load generator, apart", figures.cpu["load"]) + f"{figures.cpu['load'] / loaded:8.2f} v"
    yield f"LATENCY, publish to receipt{'p50':>16}{'p99':>11}"
    yield _latency("idle, one alert at a time", figures.idle)
    yield _latency("  of which until durable", figures.durable)
    for rate, seconds in figures.open_loops.items():
        yield _latency(f"open loop, {rate} a second", seconds)
        yield _latency("  of which until durable", figures.open_durable[rate])
    before, after = (value / _MIB for value in figures.memory)
    yield "MEMORY of the sender, partner down"
    yield f"  {before:.1f} MiB at {figures.queued[0]} queued, {after:.1f} MiB at {figures.queued[1]}: {after - before:+.1f} MiB"
    yield "WHAT FOLLOWS"
    yield from (f"  {line}" for line in conclusions(figures))


def _row(name: str, micros: float) -> str:
    return f"  {name:34}{micros:9.1f} µs"


def _latency(name: str, seconds: Sequence[float]) -> str:
    found = _percentiles(seconds)
    return f"  {name:32}{found['p50']:8.1f} ms{found['p99']:8.1f} ms"


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 2), "p99": round(cuts[98] * 1000, 2)}
