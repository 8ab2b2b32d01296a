"""How far each log was signed: durable before it is said, never lower, never forgotten."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.errors import Conflict, ExchangeError, Malformed
from exchange.log import raw_key
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.note import NoteVerifier
from node.store.errors import StoreFailed
from node.store.high_water import HighWater, LogKeys, Mark
from tests.countries import key, node

ROOT = Path(__file__).parents[2]
LOG = "gb.example/disclosures/kh.example/1"
OTHER = "gb.example/disclosures/kh.example/2"
A = b"\xaa" * 32
B = b"\xbb" * 32
KEYS = LogKeys.of(node("gb"), key("gb", "log"))


@pytest.fixture
def water(tmp_path: Path) -> HighWater:
    return HighWater(tmp_path, KEYS)


def the_file(directory: Path) -> Path:
    (file,) = directory.glob("*.note")
    return file


def test_a_log_that_was_never_signed_has_no_record(water: HighWater) -> None:
    assert water.get(LOG) is None


def test_a_record_survives_the_process(water: HighWater, tmp_path: Path) -> None:
    water.advance(LOG, 3, A)
    water.advance(OTHER, 0, B)
    water.advance(LOG, 5, B)
    for reader in (water, HighWater(tmp_path, KEYS)):
        assert reader.get(LOG) == Mark(size=5, root=B)
        assert reader.get(OTHER) == Mark(size=0, root=B)


def test_a_record_is_the_signed_checkpoint_itself(water: HighWater, tmp_path: Path) -> None:
    water.advance(LOG, 3, A)
    file = the_file(tmp_path)
    assert file.read_bytes() == water.note(LOG) == HighWater(tmp_path, KEYS).note(LOG) == record(size=3)
    assert water.note(OTHER) is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("size", "root", "code"), [(4, A, "HIGH_WATER_LOWERED"), (0, B, "HIGH_WATER_LOWERED"), (5, B, "HIGH_WATER_FORK")])
def test_a_record_never_goes_down_or_aside(water: HighWater, tmp_path: Path, size: int, root: bytes, code: str, *, restarted: bool) -> None:
    water.advance(LOG, 5, A)
    if restarted:
        water = HighWater(tmp_path, KEYS)
    with pytest.raises(Conflict) as failure:
        water.advance(LOG, size, root)
    assert failure.value.code == code
    assert HighWater(tmp_path, KEYS).get(LOG) == Mark(size=5, root=A)


def test_to_repeat_an_advance_is_harmless_and_writes_nothing(water: HighWater, tmp_path: Path) -> None:
    water.advance(LOG, 5, A)
    before = the_file(tmp_path).stat()
    water.advance(LOG, 5, A)
    assert the_file(tmp_path).stat().st_ino == before.st_ino


@pytest.mark.parametrize(("size", "root"), [(-1, A), (1, A[:31])])
def test_what_is_no_mark_is_not_recorded(water: HighWater, tmp_path: Path, size: int, root: bytes) -> None:
    with pytest.raises(Malformed):
        water.advance(LOG, size, root)
    assert list(tmp_path.iterdir()) == []


def record(*, origin: str = LOG, size: int = 5, root: bytes = A, country: str = "gb", name: str = "log") -> bytes:
    signer = key(country, name)
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=root), raw_key(signer.spki), signer.sign)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        record()[:-1],
        record()[:20],
        bytes(90),
        b"\xff\xfe",
        record(origin=OTHER),
        record(country="kh"),
        record(name="receipt"),
        record().replace(b"\n5\n", b"\n4\n"),
        record().partition(b"\n\n")[0] + b"\n",
        b'{"origin": "gb.example/disclosures/kh.example/1", "size": 5, "root": "' + b"aa" * 32 + b'"}',
    ],
)
def test_a_torn_or_altered_record_stops_signing(water: HighWater, tmp_path: Path, content: bytes) -> None:
    water.advance(LOG, 5, A)
    the_file(tmp_path).write_bytes(content)
    restarted = HighWater(tmp_path, KEYS)
    for act in (lambda: restarted.get(LOG), lambda: restarted.advance(LOG, 6, B)):
        with pytest.raises(StoreFailed) as failure:
            act()
        assert failure.value.code == "HIGH_WATER_UNREADABLE"
    assert the_file(tmp_path).read_bytes() == content


def gone(directory: Path) -> None:
    the_file(directory).unlink()
    directory.rmdir()


def a_directory_instead(directory: Path) -> None:
    file = the_file(directory)
    file.unlink()
    file.mkdir()


def a_loop_instead(directory: Path) -> None:
    file = the_file(directory)
    file.unlink()
    file.symlink_to(file.name)


@pytest.mark.parametrize("accident", [gone, a_directory_instead, a_loop_instead])
def test_a_record_that_cannot_be_reached_is_not_an_absent_one(tmp_path: Path, accident: Callable[[Path], None]) -> None:
    directory = tmp_path / "high-water"
    directory.mkdir()
    HighWater(directory, KEYS).advance(LOG, 5, A)
    accident(directory)
    with pytest.raises(StoreFailed) as failure:
        HighWater(directory, KEYS).get(LOG)
    assert failure.value.code == "HIGH_WATER_UNREADABLE"


def test_what_a_crash_left_aside_is_overwritten(water: HighWater, tmp_path: Path) -> None:
    water.advance(LOG, 5, A)
    the_file(tmp_path).with_suffix(".new").write_bytes(record(size=9) + b"longer than a record is")
    restarted = HighWater(tmp_path, KEYS)
    assert restarted.get(LOG) == Mark(size=5, root=A)
    restarted.advance(LOG, 6, B)
    assert HighWater(tmp_path, KEYS).get(LOG) == Mark(size=6, root=B)


def test_file_and_directory_are_synced_in_that_order(water: HighWater, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    synced: list[tuple[str, list[str]]] = []

    def watch(descriptor: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append((kind, sorted(entry.suffix for entry in tmp_path.iterdir())))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    water.advance(LOG, 5, A)
    assert synced == [("file", [".new"]), ("directory", [".note"])]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_an_advance_that_is_not_durable_is_not_done(
    water: HighWater, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    water.advance(LOG, 5, A)
    calls: list[int] = []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == fails_at:
            raise OSError(5, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreFailed) as failure:
        water.advance(LOG, 6, B)
    assert failure.value.code == "HIGH_WATER_FULL"
    # Failed before its name was given: the old one. Failed after: what is on disk counts, and binds.
    assert water.get(LOG) == (Mark(size=5, root=A) if fails_at == 1 else Mark(size=6, root=B))
    assert water.get(LOG) == HighWater(tmp_path, KEYS).get(LOG)
    monkeypatch.undo()
    water.advance(LOG, 7, A)
    assert HighWater(tmp_path, KEYS).get(LOG) == Mark(size=7, root=A)


LIMITED = """
import resource, sys
from pathlib import Path
from exchange.errors import ExchangeError
from node.store.high_water import HighWater, LogKeys
from tests.countries import key, node

keys = LogKeys.of(node("gb"), key("gb", "log"))
water = HighWater(Path(sys.argv[1]), keys)
water.advance("log", 1, bytes(32))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
try:
    water.advance("log", 2, bytes(32))
except ExchangeError as failure:
    print(failure.code, HighWater(Path(sys.argv[1]), keys).get("log").size)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
water.advance("log", 3, bytes(32))
print(HighWater(Path(sys.argv[1]), keys).get("log").size)
"""


def test_a_disk_that_takes_no_more_keeps_the_old_record(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert result.stdout == "HIGH_WATER_FULL 1\n3\n", result.stderr


def test_no_error_shows_the_names_of_countries(water: HighWater, tmp_path: Path) -> None:
    water.advance(LOG, 5, A)
    the_file(tmp_path).write_bytes(b"")
    with pytest.raises(ExchangeError) as failure:
        HighWater(tmp_path, KEYS).get(LOG)
    assert "example" not in str(failure.value)


def test_a_record_by_a_log_key_of_before_still_counts(tmp_path: Path) -> None:
    HighWater(tmp_path, KEYS).advance(LOG, 5, A)
    newer = LogKeys(signer=key("kh", "log"), ever=(raw_key(key("kh", "log").spki), *KEYS.ever))
    water = HighWater(tmp_path, newer)
    assert water.get(LOG) == Mark(size=5, root=A)
    water.advance(LOG, 6, B)
    verifier = NoteVerifier(name=LOG, public_key=raw_key(key("kh", "log").spki))
    assert f"— {LOG} ".encode() in (water.note(LOG) or b"")
    assert HighWater(tmp_path, LogKeys(signer=key("kh", "log"), ever=(verifier.public_key,))).get(LOG) == Mark(size=6, root=B)
