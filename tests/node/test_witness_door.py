"""A node as witness, over HTTP as anybody reaches it: exact statuses and bodies, durable before it is said, bounded."""

import ast
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from exchange.errors import Refused
from exchange.journal import journal_origin
from exchange.log import raw_key
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.merkle import EMPTY_ROOT, Frontier, consistency_proof, leaf_hash
from exchange.witness import MAX_REQUEST_BYTES, AddCheckpoint, cosign
from node import httpd
from node.operations import partners
from node.operations.cosign import add_checkpoint
from node.operations.witnesses import sign_journal_checkpoint
from node.store.witnesses import find_witnessed
from node.witnessing.listener import WitnessListener
from tests import tlog_follower
from tests.countries import domain, key
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.tlog_follower import Follower, Untrue, verify_cosignature, verify_head
from tests.witnessing import Reply, ask, happens, serving

pytestmark = pytest.mark.thorough

ORIGIN = journal_origin(domain("gb"), 1)
LEAVES = [leaf_hash(b"%d" % n) for n in range(20)]


def note(size: int, root: bytes | None = None, country: str = "gb", origin: str = ORIGIN) -> bytes:
    """A checkpoint of that country's journal, of a tree that the test makes up."""
    signer = key(country, "log")
    tree = root or Frontier.empty().extend(LEAVES[:size]).root()
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=tree), raw_key(signer.spki), signer.sign)


def request(old: int, new: int) -> bytes:
    return AddCheckpoint(old_size=old, proof=tuple(consistency_proof(LEAVES, old, new) if old else ()), note=note(new)).body()


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.introduce("gb", "kh")
        made.introduce("vn", "kh")
        yield made


@pytest.fixture
def url(three: Federation) -> Iterator[str]:
    """Cambodia witnesses; the United Kingdom and Viet Nam are its partners."""
    with serving(three["kh"]) as address:
        yield address


def post(url: str, body: bytes) -> Reply:
    return ask(url, "POST", "/add-checkpoint", body)


def test_a_checkpoint_is_cosigned_for_anybody_to_verify(three: Federation, url: str) -> None:
    reply = post(url, request(0, 5))
    assert (reply.status, reply.kind) == (200, "text/plain; charset=utf-8")
    signed_at = verify_cosignature(note(5) + reply.body, f"{domain('kh')}/witness", raw_key(key("kh", "witness").spki))
    assert signed_at == three.clock.now_ms() // 1000
    with three["kh"].ports.store.read() as tx:
        held = find_witnessed(tx, ORIGIN)
    assert held is not None
    assert (held.checkpoint.size, held.note) == (5, note(5) + reply.body)


def test_growth_and_heartbeats_are_cosigned(three: Federation, url: str) -> None:
    for old, new in ((0, 5), (5, 5), (5, 12), (12, 12), (12, 20)):
        three.clock.pass_(60_000)
        assert post(url, request(old, new)).status == 200


def test_a_heartbeat_bears_the_new_time_and_a_repetition_costs_no_commit(three: Federation, url: str) -> None:
    first = post(url, request(0, 5))
    three.clock.pass_(1_000)
    assert post(url, request(5, 5)).body == first.body
    three.clock.pass_(59_000)
    assert post(url, request(5, 5)).body != first.body


def test_an_empty_journal_is_cosigned(url: str) -> None:
    assert post(url, AddCheckpoint(old_size=0, proof=(), note=note(0, EMPTY_ROOT)).body()).status == 200
    assert post(url, AddCheckpoint(old_size=0, proof=(), note=note(0, bytes(32))).body()).status == 422


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        (b"", 400, b"ADD_CHECKPOINT_MALFORMED\n"),
        (b"old 0\n\nno note\n", 400, b"ADD_CHECKPOINT_MALFORMED\n"),
        (AddCheckpoint(old_size=8, proof=(), note=note(5)).body(), 400, b"ADD_CHECKPOINT_MALFORMED\n"),
        (AddCheckpoint(old_size=0, proof=(), note=note(5, origin="th.alerts.example/journal/1")).body(), 404, b"WITNESS_UNKNOWN_ORIGIN\n"),
        (AddCheckpoint(old_size=0, proof=(), note=note(5, origin=f"{domain('gb')}/other")).body(), 404, b"WITNESS_UNKNOWN_ORIGIN\n"),
        (AddCheckpoint(old_size=0, proof=(), note=note(5, country="vn")).body(), 403, b"WITNESS_SIGNATURE\n"),
        (AddCheckpoint(old_size=0, proof=(), note=note(5).replace(b"\n5\n", b"\n6\n")).body(), 403, b"WITNESS_SIGNATURE\n"),
        (AddCheckpoint(old_size=3, proof=(), note=note(5)).body(), 409, b"0\n"),
        (AddCheckpoint(old_size=0, proof=(bytes(32),), note=note(5)).body(), 422, b"WITNESS_INCONSISTENT\n"),
    ],
)
def test_what_is_refused_is_answered_as_the_standard_says(three: Federation, url: str, body: bytes, status: int, answer: bytes) -> None:
    reply = post(url, body)
    assert (reply.status, reply.body) == (status, answer)
    assert reply.kind == ("text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
    with three["kh"].ports.store.read() as tx:
        assert find_witnessed(tx, ORIGIN) is None


def test_another_size_is_told_exactly(url: str) -> None:
    assert post(url, request(0, 12)).status == 200
    for body in (request(0, 12), request(5, 12), request(0, 5)):
        assert post(url, body) == Reply(status=409, kind="text/x.tlog.size", body=b"12\n")


def test_the_same_size_with_another_root_is_a_split_view_and_kept(three: Federation, url: str) -> None:
    reply = post(url, request(0, 5))
    forged = AddCheckpoint(old_size=5, proof=(), note=note(5, bytes(32)))
    assert post(url, forged.body()) == Reply(status=422, kind="text/plain; charset=utf-8", body=b"WITNESS_INCONSISTENT\n")
    kh = three["kh"]
    assert kh.alarms() == {"JOURNAL_SPLIT"}
    with kh.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT evidence FROM alarms").scalar() == note(5) + reply.body + b"\n" + forged.note
    assert kh.journal()[-1][3] == "JOURNAL_SPLIT"
    before = len(kh.journal())
    assert post(url, forged.body()).status == 422
    assert len(kh.journal()) == before, "told once"
    assert post(url, request(5, 12)).status == 200, "the history that was cosigned goes on"
    assert kh.alarms() == {"JOURNAL_SPLIT"}, "what happened stays"


def test_a_split_view_is_seen_though_the_old_size_is_wrong(three: Federation, url: str) -> None:
    post(url, request(0, 5))
    assert post(url, AddCheckpoint(old_size=0, proof=(), note=note(5, bytes(32))).body()).status == 409
    assert three["kh"].alarms() == {"JOURNAL_SPLIT"}


def test_hashes_that_prove_nothing_are_an_alarm_that_goes(three: Federation, url: str) -> None:
    post(url, request(0, 5))
    assert post(url, AddCheckpoint(old_size=5, proof=(bytes(32),), note=note(12)).body()).status == 422
    assert three["kh"].alarms() == {"JOURNAL_UNPROVEN"}
    assert post(url, request(5, 12)).status == 200
    assert three["kh"].alarms() == set()


def test_a_suspended_partner_is_not_witnessed(three: Federation, url: str) -> None:
    kh = three["kh"]
    partners.suspend_partner(kh.ports, kh.person("administrator"), domain("gb"), resume=False)
    assert post(url, request(0, 5)).status == 404
    partners.suspend_partner(kh.ports, kh.person("administrator"), domain("gb"), resume=True)
    assert post(url, request(0, 5)).status == 200


def test_a_successor_is_witnessed_and_an_alarm_and_then_the_old_one_is_not_met_again(three: Federation, url: str) -> None:
    def of(generation: int) -> bytes:
        return AddCheckpoint(old_size=0, proof=(), note=note(5, origin=journal_origin(domain("gb"), generation))).body()

    assert post(url, of(2)).status == 200
    assert three["kh"].alarms() == set()
    assert post(url, of(3)).status == 200
    assert three["kh"].alarms() == {"JOURNAL_SUCCEEDED"}
    assert post(url, of(1)).status == 404
    for generation in range(4, 18):
        assert post(url, of(generation)).status == 200
    assert post(url, of(18)).status == 404, "16 of one partner are enough"


def test_of_two_requests_at_once_one_is_told_the_new_size(three: Federation, url: str) -> None:
    post(url, request(0, 5))
    for old, new in ((5, 9), (9, 14), (14, 20)):
        three.clock.pass_(60_000)
        with ThreadPoolExecutor(2) as pool:
            replies = list(pool.map(lambda size: post(url, request(old, size)), (new, new - 1)))  # noqa: B023 - ended in this round
        assert sorted(reply.status for reply in replies) == [200, 409]
        (told,) = (int(reply.body) for reply in replies if reply.status == 409)
        if told != new:
            assert post(url, request(told, new)).status == 200


def test_a_cosignature_leaves_only_when_the_state_is_durable(three: Federation, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kh = three["kh"]
    post(url, request(0, 5))
    made: list[bytes] = []

    def cosigning(*arguments: object) -> object:
        signature = cosign(*arguments)  # type: ignore[arg-type] - passed on as they came
        made.append(signature.line())
        return signature

    def fails(_connection: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("node.operations.cosign.cosign", cosigning)
    event.listen(kh.ports.store._writer, "commit", fails)
    reply = post(url, request(5, 12))
    event.remove(kh.ports.store._writer, "commit", fails)
    assert reply.status >= 500
    assert len(made) == 1
    assert made[0] not in reply.body
    kh.restart()
    with kh.ports.store.read() as tx:
        held = find_witnessed(tx, ORIGIN)
    assert held is not None
    assert held.checkpoint.size == 5
    assert add_checkpoint(kh.ports, request(5, 12))


def test_what_was_cosigned_is_on_disk_when_it_is_answered(three: Federation, url: str, tmp_path: Path) -> None:
    kh = three["kh"]
    post(url, request(0, 5))
    copy = kh.backup(tmp_path / "copy")
    kh.restore(copy)
    with kh.ports.store.read() as tx:
        held = find_witnessed(tx, ORIGIN)
    assert held is not None
    assert held.checkpoint.size == 5


def test_other_witnesses_can_see_what_was_cosigned(url: str) -> None:
    name = hashlib.sha256(ORIGIN.encode()).hexdigest()
    assert ask(url, "GET", f"/{name}/checkpoint").status == 404
    reply = post(url, request(0, 5))
    shown = ask(url, "GET", f"/{name}/checkpoint")
    assert (shown.status, shown.kind, shown.body) == (200, "text/plain; charset=utf-8", note(5) + reply.body)


def test_lines_of_strangers_are_not_kept(three: Federation, url: str) -> None:
    stranger = "\u2014 stranger.example/x ".encode() + b"AAAAAAAA" * 9 + b"\n"
    assert post(url, AddCheckpoint(old_size=0, proof=(), note=note(5) + stranger).body()).status == 200
    with three["kh"].ports.store.read() as tx:
        held = find_witnessed(tx, ORIGIN)
    assert held is not None
    assert b"stranger" not in held.note


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/add-checkpoint", 405),
        ("POST", "/journal/1/checkpoint", 405),
        ("GET", "/journal/1/checkpoint", 404),
        ("GET", "/journal/0/checkpoint", 404),
        ("GET", "/journal/x/checkpoint", 404),
        ("GET", "/journal/1/tile/0/000", 404),
        ("GET", "/journal/1/tile/0/0", 400),
        ("GET", "/journal/1/tile/entries/000", 400),
        ("GET", "/journal/1/tile/..%2f..%2fetc", 400),
        ("GET", "/" + "0" * 64 + "/checkpoint", 404),
    ],
)
def test_other_requests_are_refused(url: str, method: str, path: str, status: int) -> None:
    assert ask(url, method, path, b"" if method == "POST" else None).status == status


def test_a_request_beyond_the_cap_is_refused_whether_or_not_it_says_so(url: str) -> None:
    assert post(url, b"x" * (MAX_REQUEST_BYTES + 1)).status == 413
    with connected(url) as raw:
        raw.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        raw.sendall(b"9000\r\n" + b"x" * 0x9000 + b"\r\n")
        assert raw.recv(64).startswith(b"HTTP/1.1 413 ")


def connected(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def test_a_slow_body_is_cut_off(three: Federation) -> None:
    with serving(three["kh"], body_seconds=0.3) as url, connected(url) as raw:
        raw.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold")
        assert raw.recv(64).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST /add-checkpoint HTTP/1.1\r\nX: "])
def test_a_slow_head_is_cut_off(three: Federation, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(httpd.BoundedProtocol, "head_seconds", 0.3)
    with serving(three["kh"]) as url, connected(url) as raw:
        raw.sendall(sent)
        begun = time.monotonic()
        assert ends(raw)
        assert time.monotonic() - begun < 10


def test_a_connection_does_not_last_for_ever(three: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpd.BoundedProtocol, "connection_seconds", 0.5)
    with serving(three["kh"]) as url, connected(url) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(64).startswith(b"HTTP/1.1 404 ")
        while not ends(raw):
            pass


def ends(raw: socket.socket) -> bool:
    """Whether the other side has closed or reset."""
    try:
        return raw.recv(4096) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_goes_away_harms_nobody(url: str) -> None:
    for _ in range(5):
        with connected(url) as raw:
            raw.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold")
    assert post(url, request(0, 5)).status == 200


def test_slow_clients_do_not_keep_others_out(three: Federation) -> None:
    with serving(three["kh"]) as url:
        silent = [connected(url) for _ in range(20)]
        try:
            assert post(url, request(0, 5)).status == 200
        finally:
            for one in silent:
                one.close()


def test_an_address_that_is_taken_is_said_so(three: Federation) -> None:
    with serving(three["kh"]) as url, refused(Refused, "ADDRESS_IN_USE"):
        WitnessListener(url.removeprefix("http://"), None).start()


def test_a_stock_client_follows_the_journal_by_tiles(three: Federation) -> None:
    gb = three["gb"]
    follower_key = raw_key(key("gb", "log").spki)
    with serving(gb) as url:
        follower = Follower(f"{url}/journal/1", ORIGIN, follower_key)
        with pytest.raises(Untrue, match="404"):
            follower.update()
        sizes = []
        for grown in (0, 1, 254, 300, 3, 65_300):
            happens(gb, grown)
            sign_journal_checkpoint(gb.ports)
            sizes.append(follower.update().size)
        assert sizes == sorted(sizes)
        assert sizes[-1] > 65_536, "a tile of the third level"
        assert {path.split("/")[1] for path in follower.fetched} == {"0", "1", "2"}
        assert any(".p/" in path for path in follower.fetched)
        head = ask(url, "GET", "/journal/1/checkpoint")
        assert head.kind == "text/plain; charset=utf-8"
        assert verify_head(head.body, ORIGIN, follower_key).size == sizes[-1]
        tile = ask(url, "GET", "/journal/1/tile/0/000")
        assert (tile.kind, len(tile.body)) == ("application/octet-stream", 8192)


def test_nothing_is_shown_that_was_not_signed(three: Federation) -> None:
    gb = three["gb"]
    with serving(gb) as url:
        happens(gb, 3)
        assert ask(url, "GET", "/journal/1/tile/0/000.p/1").status == 404
        note = sign_journal_checkpoint(gb.ports)
        size = verify_head(note, ORIGIN, raw_key(key("gb", "log").spki)).size
        happens(gb, 3)
        assert ask(url, "GET", f"/journal/1/tile/0/000.p/{size}").status == 200
        assert ask(url, "GET", f"/journal/1/tile/0/000.p/{size + 1}").status == 404


def test_the_stock_client_owes_nothing_to_the_product() -> None:
    tree = ast.parse(Path(tlog_follower.__file__).read_text(encoding="utf-8"))
    names = [alias.name for item in ast.walk(tree) if isinstance(item, ast.Import) for alias in item.names]
    names += [str(item.module) for item in ast.walk(tree) if isinstance(item, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} == {"base64", "hashlib", "urllib", "dataclasses", "cryptography"}


def test_the_stock_client_would_find_a_rewritten_journal(three: Federation) -> None:
    gb = three["gb"]
    with serving(gb) as url:
        happens(gb, 3)
        sign_journal_checkpoint(gb.ports)
        follower = Follower(f"{url}/journal/1", ORIGIN, raw_key(key("gb", "log").spki))
        follower.update()
        with gb.ports.store.write() as tx:
            tx.exec_driver_sql("UPDATE journal SET leaf = zeroblob(32) WHERE idx = 1")
        with pytest.raises(Untrue, match="tiles"):
            follower.update()


def test_the_listener_stops_while_clients_are_connected(three: Federation) -> None:
    with serving(three["kh"]) as url:
        raw = connected(url)
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(64)
    raw.close()
    assert "witness-listener" not in {thread.name for thread in threading.enumerate()}
