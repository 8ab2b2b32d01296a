"""Journals that contradict what was signed of them: one's own, and a partner's that is shown otherwise elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Unverified
from exchange.journal import journal_origin
from exchange.log import raw_key
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text, sign_checkpoint
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.note import split_note
from exchange.witness import AddCheckpoint
from node.links.witness_link import Answer, FetchedTiles
from node.operations.anchor import check_journal
from node.operations.cosign import add_checkpoint
from node.operations.journal_tiles import journal_note
from node.operations.other_views import compare_view, views
from node.operations.witnesses import sign_journal_checkpoint, take_shown
from node.ports import WitnessPlan
from node.store.directory import alarms_about
from node.store.witnesses import find_witnessed
from node.workers.witnessing import Web, Witnessing
from tests.countries import domain, key
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.witnessing import happens, heartbeat, serving, witnessed_by

pytestmark = pytest.mark.thorough

MINUTE = 60_000
ORIGIN = journal_origin(domain("gb"), 1)
LATE = 5 * MINUTE


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        for one, other in (("gb", "kh"), ("gb", "vn"), ("kh", "vn")):
            made.introduce(one, other)
        yield made


@pytest.fixture
def urls(three: Federation) -> Iterator[Mapping[str, str]]:
    """Everybody's address by country; everybody asks everybody else."""
    with ExitStack() as stack:
        found = {country: stack.enter_context(serving(office)) for country, office in three.offices.items()}
        for country, office in three.offices.items():
            witnessed_by(office, {domain(other): url for other, url in found.items() if other != country})
        yield found


def beat_all(three: Federation) -> None:
    three.clock.pass_(MINUTE)
    for office in three.offices.values():
        heartbeat(office)


def evidence(office: Office, code: str, origin: str = ORIGIN) -> bytes:
    with office.ports.store.read() as tx:
        return alarms_about(tx, origin)[code]


def answers(status: int, body: bytes = b"", shown: bytes | None = None) -> Web:
    """A web in which every witness answers the same."""

    def fetch(_url: str) -> bytes:
        if shown is None:
            raise NotFound("WITNESS_NOTHING")
        return shown

    return Web(submit=lambda _url, _body: Answer(status=status, body=body), fetch=fetch)


def signed(size: int, root: bytes = bytes(32), origin: str = ORIGIN, country: str = "gb") -> bytes:
    signer = key(country, "log")
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=root), raw_key(signer.spki), signer.sign)


@pytest.mark.parametrize(("ahead", "code"), [(True, "JOURNAL_ROLLBACK"), (False, "JOURNAL_FORK")])
def test_a_witness_that_holds_another_journal_signed_by_us_ends_the_signing(three: Federation, ahead: bool, code: str) -> None:  # noqa: FBT001 - a parameter of the test
    gb = three["gb"]
    happens(gb, 5)
    size = len(gb.journal())
    witnessed_by(gb, {domain("kh"): "http://kh.example"})
    theirs = signed(size + 7 if ahead else size)
    web = answers(409, b"%d\n" % (size + 7), theirs) if ahead else answers(422, shown=theirs)
    with refused(Conflict, code):
        heartbeat(gb, web)
    assert gb.alarms() == {code}
    both = evidence(gb, code)
    assert both.endswith(b"\n" + theirs)
    assert both.startswith(journal_note(gb.ports, 1))
    with refused(Conflict, code):
        check_journal(gb.ports)
    with refused(Conflict, code):
        sign_journal_checkpoint(gb.ports)


def test_the_thread_ends_the_node_when_the_journal_contradicts_itself(three: Federation) -> None:
    gb = three["gb"]
    happens(gb, 5)
    witnessed_by(gb, {domain("kh"): "http://kh.example"})
    halted: list[bool] = []
    worker = Witnessing(gb.ports, lambda: halted.append(True), answers(409, b"99\n", signed(99)))
    worker.start()
    worker._thread.join(20)
    worker.stop()
    assert halted == [True]


def test_the_thread_goes_on_after_a_failure(three: Federation) -> None:
    gb = three["gb"]
    gb.ports = replace(gb.ports, witnessing=WitnessPlan(urls={domain("kh"): "http://kh.example"}, every_seconds=0))
    seen: list[str] = []

    def submit(url: str, _body: bytes) -> Answer:
        seen.append(url)
        if len(seen) == 3:
            worker._stopping.set()
        raise RuntimeError("a defect")

    worker = Witnessing(gb.ports, lambda: None, Web(submit=submit))
    worker.start()
    worker._thread.join(20)
    worker.stop()
    assert len(seen) == 3


def test_what_a_witness_shows_of_our_journal_is_no_contradiction_if_it_is_ours(three: Federation) -> None:
    gb = three["gb"]
    happens(gb, 5)
    first = sign_journal_checkpoint(gb.ports)
    happens(gb, 300)
    newest = sign_journal_checkpoint(gb.ports)
    take_shown(gb.ports, newest, first)
    take_shown(gb.ports, newest, newest)
    with refused(Unverified, "CHECKPOINT_ORIGIN"):
        take_shown(gb.ports, newest, signed(3, origin=journal_origin(domain("gb"), 2)))
    with refused(Unverified, "CHECKPOINT_SIGNATURE"):
        take_shown(gb.ports, newest, signed(3, country="vn"))
    assert gb.alarms() == set()


def fork(office: Office, events: int) -> tuple[bytes, Frontier]:
    """A second history of an office's journal, signed by its own key, as a thief of the key or a dishonest office makes it."""
    frontier = Frontier.empty().extend(leaf_hash(b"another history %d" % n) for n in range(events))
    return signed(frontier.size, frontier.root(), journal_origin(office.domain, 1), office.country), frontier


def test_a_journal_that_is_shown_otherwise_to_another_witness_is_found(three: Federation, urls: Mapping[str, str]) -> None:
    """The United Kingdom shows Cambodia one journal and Viet Nam another; Cambodia asks Viet Nam what it cosigned."""
    gb, kh, vn = three["gb"], three["kh"], three["vn"]
    happens(gb, 5)
    heartbeat(gb)
    held = witnessed(kh)
    rival, _ = fork(gb, parse_checkpoint_text(split_note(held)[0]).size)
    with vn.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM witnessed")
    assert isinstance(add_checkpoint(vn.ports, AddCheckpoint(old_size=0, proof=(), note=rival).body()), bytes)
    heartbeat(kh)
    assert kh.alarms() == {"JOURNAL_SPLIT"}
    assert evidence(kh, "JOURNAL_SPLIT") == held + b"\n" + witnessed(vn)
    assert kh.journal()[-1][3] == "JOURNAL_SPLIT"


def witnessed(office: Office) -> bytes:
    with office.ports.store.read() as tx:
        row = find_witnessed(tx, ORIGIN)
    assert row is not None
    return row.note


@pytest.mark.parametrize("larger", [True, False])
def test_a_split_at_two_sizes_is_proved_by_the_owners_own_tiles(three: Federation, urls: Mapping[str, str], larger: bool) -> None:  # noqa: FBT001 - a parameter of the test
    gb, kh = three["gb"], three["kh"]
    happens(gb, 300)
    heartbeat(gb)
    size = parse_checkpoint_text(split_note(witnessed(kh))[0]).size
    (view,) = [view for view in views(kh.ports) if not view.by_owner and view.owner == gb.domain]
    if larger:
        rival, tree = fork(gb, size + 50)
        leaves = [leaf_hash(b"another history %d" % n) for n in range(size + 50)]
        assert tree.size == len(leaves)
        reader: object = Leaves(leaves)
    else:
        rival, _ = fork(gb, size - 50)
        reader = FetchedTiles(view.tiles, size)
    with refused(Conflict, "JOURNAL_SPLIT"):
        compare_view(kh.ports, view, rival, lambda _size: reader)  # type: ignore[arg-type, return-value] - both read hashes
    assert kh.alarms() == {"JOURNAL_SPLIT"}


class Leaves:
    """A tree in memory that answers every level."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        span = 256**level
        return [Frontier.empty().extend(self.leaves[at * span : (at + 1) * span]).root() for at in range(start, end)]


def test_tiles_that_are_not_of_the_tree_prove_nothing_and_are_an_alarm_that_goes(three: Federation, urls: Mapping[str, str]) -> None:
    gb, kh = three["gb"], three["kh"]
    happens(gb, 10)
    heartbeat(gb)
    size = parse_checkpoint_text(split_note(witnessed(kh))[0]).size
    (view,) = [view for view in views(kh.ports) if not view.by_owner and view.owner == gb.domain]
    rival, _ = fork(gb, size + 2)
    with refused(Unverified, "JOURNAL_UNPROVEN"):
        compare_view(kh.ports, view, rival, lambda _size: Leaves([leaf_hash(b"x")] * (size + 2)))
    assert kh.alarms() == {"JOURNAL_UNPROVEN"}
    heartbeat(kh)
    assert kh.alarms() == set()


def test_a_partner_that_shows_less_than_it_had_cosigned_is_an_alarm_that_goes(three: Federation, urls: Mapping[str, str]) -> None:
    gb, kh = three["gb"], three["kh"]
    happens(gb, 10)
    heartbeat(gb)
    early = journal_note(gb.ports, 1)
    happens(gb, 10)
    heartbeat(gb)
    (view,) = [view for view in views(kh.ports) if view.by_owner and view.owner == gb.domain]
    with refused(Conflict, "JOURNAL_SHRUNK"):
        compare_view(kh.ports, view, early, lambda size: FetchedTiles(view.tiles, size))
    assert kh.alarms() == {"JOURNAL_SHRUNK"}
    assert evidence(kh, "JOURNAL_SHRUNK") == witnessed(kh) + b"\n" + early
    heartbeat(kh)
    assert kh.alarms() == set()


def test_a_note_that_the_partner_did_not_sign_is_no_view(three: Federation, urls: Mapping[str, str]) -> None:
    gb, kh = three["gb"], three["kh"]
    heartbeat(gb)
    (view, *_) = views(kh.ports)
    for shown, error, code in (
        (signed(3, country="vn"), Unverified, "CHECKPOINT_SIGNATURE"),
        (signed(3, origin=journal_origin(domain("gb"), 2)), Unverified, "CHECKPOINT_ORIGIN"),
        (b"\xff\n", Malformed, "ORIGIN_MALFORMED"),
    ):
        with refused(error, code):
            compare_view(kh.ports, view, shown, lambda _size: Leaves([]))
    assert kh.alarms() == set()


def test_without_an_address_of_the_owner_only_equal_sizes_are_compared(three: Federation, urls: Mapping[str, str]) -> None:
    kh = three["kh"]
    heartbeat(three["gb"])
    witnessed_by(kh, {domain("vn"): urls["vn"]})
    assert [(view.owner, view.tiles, view.by_owner) for view in views(kh.ports)] == [(domain("gb"), "", False)]
    happens(three["gb"], 2)
    sign_journal_checkpoint(three["gb"].ports)
    heartbeat(kh)
    assert kh.alarms() == set()


def test_a_restored_backup_of_the_journal_signs_nothing(three: Federation, tmp_path: Path) -> None:
    gb = three["gb"]
    happens(gb, 3)
    sign_journal_checkpoint(gb.ports)
    backup = gb.backup(tmp_path / "backup")
    happens(gb, 3)
    newest = sign_journal_checkpoint(gb.ports)
    gb.restore(backup)
    with refused(Conflict, "JOURNAL_ROLLBACK"):
        check_journal(gb.ports)
    with refused(Conflict, "JOURNAL_ROLLBACK"):
        sign_journal_checkpoint(gb.ports)
    assert gb.alarms() == {"JOURNAL_ROLLBACK"}
    assert evidence(gb, "JOURNAL_ROLLBACK") == newest, "the proof of what was signed is kept"


def test_a_lost_high_water_record_of_a_signed_journal_stops_it(three: Federation) -> None:
    gb = three["gb"]
    happens(gb, 3)
    sign_journal_checkpoint(gb.ports)
    gb.close()
    for record in (gb.directory / "high-water").iterdir():
        record.unlink()
    gb.open()
    with refused(Conflict, "HIGH_WATER_MISSING"):
        check_journal(gb.ports)


def test_a_restored_backup_whose_high_water_record_is_lost_too_is_found_by_a_witness(
    three: Federation, urls: Mapping[str, str], tmp_path: Path
) -> None:
    gb = three["gb"]
    happens(gb, 3)
    backup = gb.backup(tmp_path / "backup")
    witnessed_by(gb, {domain("kh"): urls["kh"]})
    happens(gb, 9)
    heartbeat(gb)
    gb.restore(backup)
    gb.close()
    for record in (gb.directory / "high-water").iterdir():
        record.unlink()
    gb.open()
    witnessed_by(gb, {domain("kh"): urls["kh"]})
    with refused(Conflict, "JOURNAL_ROLLBACK"):
        heartbeat(gb)
    assert evidence(gb, "JOURNAL_ROLLBACK").endswith(witnessed(three["kh"]))
