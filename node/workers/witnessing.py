"""Each minute: anchor the logs, sign the journal, have its witnesses cosign it, and see what others show of partners' journals.

The network lies between operations. Whatever one witness answers, the others are asked, each in a thread of its own; only a journal that
contradicts what this node itself signed ends the node, for an office that cannot journal stops.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

from exchange.errors import Conflict, ExchangeError, NotFound
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.note import split_note
from exchange.tlog.tree import HashReader
from exchange.witness import parse_other_size
from node.links import witness_link
from node.links.witness_link import Answer, FetchedTiles
from node.operations.other_views import View, compare_view, note_silence, views
from node.operations.witnesses import (
    Witness,
    asked_witnesses,
    judge_quorum,
    request_for,
    sign_journal_checkpoint,
    take_answer,
    take_refusal,
    take_shown,
)
from node.ports import Ports
from node.telemetry.logging import logger

_AT_ONCE = 8
_OWN = frozenset({"JOURNAL_ROLLBACK", "JOURNAL_FORK", "HIGH_WATER_MISSING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How witnesses and partners' journals are reached."""

    submit: Callable[[str, bytes], Answer] = witness_link.submit
    fetch: Callable[[str], bytes] = witness_link.fetch
    tiles: Callable[[str, int], HashReader] = FetchedTiles


class Witnessing:
    """A thread that beats once in `ports.witnessing.every_seconds`; `halt` is called when the journal contradicts itself."""

    def __init__(self, ports: Ports, halt: Callable[[], None], web: Web | None = None) -> None:
        self._ports = ports
        self._halt = halt
        self._web = web or Web()
        self._enough_at = ports.clock.now_ms()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witnessing")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way, which takes no longer than one exchange may."""
        self._stopping.set()
        self._thread.join()

    def beat(self) -> None:
        """One heartbeat, whole."""
        note = sign_journal_checkpoint(self._ports)
        self._each(lambda witness: self._ask(witness, note), asked_witnesses(self._ports))
        self._enough_at = judge_quorum(self._ports, self._enough_at)
        note_silence(self._ports)
        self._each(self._look, views(self._ports))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.beat()
            except ExchangeError as refused:
                logger().error("journal not witnessed", code=refused.code)
                if refused.code in _OWN:
                    self._halt()
                    return
            except Exception as error:  # noqa: BLE001 - a defect here must not leave the node without its heartbeat
                logger().error("witnessing failed", error=type(error).__name__)
            self._stopping.wait(self._ports.witnessing.every_seconds)

    def _each(self, act: Callable[..., None], of: Iterable[Witness | View]) -> None:
        # Whoever is slow holds up nobody else; a contradiction in the own journal is raised after all have been asked.
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="witness") as pool:
            # While the node is stopping, whoever has not been asked yet is left for the next time.
            for done in [pool.submit(act, each) for each in of if not self._stopping.is_set()]:
                done.result()

    def _ask(self, witness: Witness, note: bytes) -> None:
        try:
            answer = self._submit(witness, note)
            if answer.status == 200:
                take_answer(self._ports, note, witness, answer.body)
                return
            code = f"WITNESS_{answer.status}"
            if answer.status in {409, 422}:
                self._compare_own(witness, note)
        except ExchangeError as refused:
            if isinstance(refused, Conflict) and refused.code in _OWN:
                raise
            code = refused.code
        logger().info("journal not cosigned", party=witness.name, code=code)
        take_refusal(self._ports, note, witness, code)

    def _submit(self, witness: Witness, note: bytes) -> Answer:
        answer = self._web.submit(witness.url, request_for(self._ports, note, witness).body())
        if answer.status == 409:
            told = parse_other_size(answer.body)
            if told <= parse_checkpoint_text(split_note(note)[0]).size:
                return self._web.submit(witness.url, request_for(self._ports, note, witness, told).body())
        return answer

    def _compare_own(self, witness: Witness, note: bytes) -> None:
        """A witness that knows another journal than this node must show it, signed: else it is only a witness that errs."""
        origin = parse_checkpoint_text(split_note(note)[0]).origin
        shown = self._web.fetch(f"{witness.url}/{sha256(origin.encode()).hexdigest()}/checkpoint")
        take_shown(self._ports, note, shown)

    def _look(self, view: View) -> None:
        try:
            shown = self._web.fetch(view.url)
            compare_view(self._ports, view, shown, lambda size: self._tiles(view, size))
        except ExchangeError as refused:
            logger().info("journal not compared", partner=view.owner, code=refused.code)

    def _tiles(self, view: View, size: int) -> HashReader:
        if not view.tiles:
            raise NotFound("WITNESS_NOTHING", "no address is configured for the tiles of that partner's journal")
        return self._web.tiles(view.tiles, size)
