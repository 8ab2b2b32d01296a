"""Outbound HTTP to witnesses and to partners' journals (C2SP tlog-witness, tlog-tiles): bounded in time and size, without redirections.

Addresses come from this node's own configuration, never from a partner. What comes back is verified by whoever asked.
"""

import http.client
import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from exchange.errors import ExchangeError, NotFound
from exchange.tlog.tiles import Tile, split_tile
from exchange.tlog.tree import TILE_WIDTH
from exchange.witness import MAX_RESPONSE_BYTES

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 8.0
"""For one whole exchange, however slowly the other side drips."""


class WitnessUnreachable(ExchangeError):
    """Nobody answered there in time, or not in HTTP. Code WITNESS_UNREACHABLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an HTTP server answered: its status, and its body of at most 32 KiB."""

    status: int
    body: bytes


def submit(url: str, body: bytes, *, total_seconds: float = TOTAL_SECONDS) -> Answer:
    """POST a request to `<url>/add-checkpoint`. Raises `WitnessUnreachable`."""
    return _exchange("POST", f"{url}/add-checkpoint", body, total_seconds)


def fetch(url: str, *, total_seconds: float = TOTAL_SECONDS) -> bytes:
    """GET what is at `url`. Raises `WitnessUnreachable`; `NotFound` (WITNESS_NOTHING) for any answer but 200."""
    answer = _exchange("GET", url, None, total_seconds)
    if answer.status != http.client.OK:
        raise NotFound("WITNESS_NOTHING", "there is nothing at that address")
    return answer.body


class FetchedTiles:
    """A log's tree of `size` leaves, read from the tiles below `url` (C2SP tlog-tiles); `exchange.tlog.tree.HashReader`.

    Nothing in it is true before a root computed from it has been compared with a signed one.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._size = size
        self._tiles: dict[Tile, list[bytes]] = {}

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes from `start` up to, and not with, `end`, all inside one tile. Raises as `fetch`, and `Malformed` (TILE_MALFORMED)."""
        index = start // TILE_WIDTH
        width = min(TILE_WIDTH, (self._size >> 8 * level) - index * TILE_WIDTH)
        tile = Tile(level=level, index=index, width=width)
        if tile not in self._tiles:
            self._tiles[tile] = split_tile(tile, fetch(f"{self._url}/{tile.path}"))
        return self._tiles[tile][start - index * TILE_WIDTH : end - index * TILE_WIDTH]


def _exchange(method: str, url: str, body: bytes | None, total_seconds: float) -> Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    unreachable = WitnessUnreachable("WITNESS_UNREACHABLE", "no answer from there in time")
    late = threading.Event()
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)) as connection:
            connection.connect()
            # A timeout of the socket is one of each step: whoever sends a byte now and then would hold on for ever.
            limit = threading.Timer(total_seconds, _cut, [connection.sock, late])
            limit.daemon = True
            limit.start()
            try:
                connection.request(method, parts.path or "/", body=body, headers={"Connection": "close"})
                response = connection.getresponse()
                content = response.read(MAX_RESPONSE_BYTES + 1)
            finally:
                limit.cancel()
    except (OSError, http.client.HTTPException, ValueError):
        raise unreachable from None
    if late.is_set():
        raise unreachable
    if len(content) > MAX_RESPONSE_BYTES:
        raise WitnessUnreachable("WITNESS_UNREACHABLE", "the answer is larger than any answer of this protocol")
    return Answer(status=response.status, body=content)


def _cut(connected: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
