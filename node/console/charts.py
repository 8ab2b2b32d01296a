"""Drawings of an auditor's numbers: where each bar and each band stands. Pages draw them as SVG beside a table of the same numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from node.operations.tallies import DAY_MS

WIDTH: Final = 480
HEIGHT: Final = 200
_FOOT: Final = 24
"""Below the bars, for the first and the last day."""
_BARS_AT_MOST: Final = 62
_WEEK_DAYS: Final = 7
_GAP: Final = 8
_BAND_WIDTH: Final = 130
"""Of the names at either side of a flow."""
_LEAST: Final = 2
_LINE: Final = 20
"""A name needs as much room as one line, however little its country sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day or week, or several: out below, in above it."""

    at: int
    """Its first day, as `node.operations.tallies.day_of` says it."""
    sent: int
    received: int
    x: float
    width: float
    y_sent: float
    h_sent: float
    y_received: float
    h_received: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Bars from left to right, each of so many days."""

    bars: Sequence[Bar]
    days: int
    highest: int
    base: float = HEIGHT - _FOOT

    @property
    def told(self) -> Sequence[Bar]:
        """The bars that are not empty: the rows of the table."""
        return [bar for bar in self.bars if bar.sent or bar.received]


def timeline(by_day: Mapping[tuple[int, bool], int]) -> Timeline:
    """A bar a day, a week from 63 days on, and whole numbers of weeks where that were too many."""
    if not by_day:
        return Timeline(bars=(), days=1, highest=0)
    first, last = min(at for at, _ in by_day), max(at for at, _ in by_day)
    span = (last - first) // DAY_MS + 1
    days = 1
    if span > _BARS_AT_MOST:
        days = _WEEK_DAYS * -(-span // (_WEEK_DAYS * _BARS_AT_MOST))
        first -= datetime.fromtimestamp(first / 1000, UTC).weekday() * DAY_MS  # weeks begin on Monday
    step = days * DAY_MS
    count = (last - first) // step + 1
    sent, received = [0] * count, [0] * count
    for (at, outbound), number in by_day.items():
        (sent if outbound else received)[(at - first) // step] += number
    highest = max(map(sum, zip(sent, received, strict=True)))
    room, unit = WIDTH / count, (HEIGHT - _FOOT) / highest
    bars = []
    for place, (out, came) in enumerate(zip(sent, received, strict=True)):
        y = HEIGHT - _FOOT - out * unit
        bars.append(
            Bar(
                at=first + place * step,
                sent=out,
                received=came,
                x=round(place * room + room * 0.1, 1),
                width=round(room * 0.8, 1),
                y_sent=round(y, 1),
                h_sent=round(out * unit, 1),
                y_received=round(y - came * unit, 1),
                h_received=round(came * unit, 1),
            )
        )
    return Timeline(bars=bars, days=days, highest=highest)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A country at the left (it sent) or at the right (it was told)."""

    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What went one way: a band from left to right, as wide as its number."""

    sender: str
    recipient: str
    count: int
    path: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Bands between two columns of countries."""

    senders: Sequence[End]
    recipients: Sequence[End]
    bands: Sequence[Band]
    height: float
    left: float = _BAND_WIDTH
    right: float = WIDTH - _BAND_WIDTH


def flow(by_way: Mapping[tuple[str, str], int]) -> Flow:
    """The largest first, at either side. Bands that would be too thin to see are drawn as thin as can be seen."""
    total = sum(by_way.values())
    if not total:
        return Flow(senders=(), recipients=(), bands=(), height=0)
    width = {way: max(number / total * HEIGHT, _LEAST) for way, number in by_way.items()}
    ways = sorted(by_way, key=lambda way: (-by_way[way], way))
    senders, left = _column(dict.fromkeys(sender for sender, _ in ways), lambda name: [width[way] for way in ways if way[0] == name])
    recipients, right = _column(dict.fromkeys(to for _, to in ways), lambda name: [width[way] for way in ways if way[1] == name])
    bands = []
    x0, x1, middle = _BAND_WIDTH + 4, WIDTH - _BAND_WIDTH - 4, WIDTH / 2
    for way in ways:
        y0, y1 = left[way[0]] + width[way] / 2, right[way[1]] + width[way] / 2
        left[way[0]] += width[way]
        right[way[1]] += width[way]
        path = f"M{x0} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {x1} {y1:.1f}"
        bands.append(Band(sender=way[0], recipient=way[1], count=by_way[way], path=path, width=round(width[way], 1)))
    height = max(end.y + end.height for end in (*senders, *recipients))
    return Flow(senders=senders, recipients=recipients, bands=bands, height=round(height + _GAP, 1))


def _column(names: Iterable[str], widths: Callable[[str], list[float]]) -> tuple[list[End], dict[str, float]]:
    ends, tops, y = [], {}, float(_GAP)
    for name in names:
        height = max(sum(widths(name)), float(_LINE))
        ends.append(End(name=name, y=round(y, 1), height=round(height, 1)))
        tops[name] = y
        y += height + _GAP
    return ends, tops
