"""Encryption at rest: what opens, what does not open, and what nobody can open any more."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select, update

from exchange.errors import ExchangeError, Malformed, NotFound, Refused
from node.store import vault as vault_module
from node.store.engine import Store, open_store
from node.store.envelope import DAY_MS, SealingKey, period_of
from node.store.errors import StoreFailed
from node.store.insert import insert_rows
from node.store.tables import key_periods
from node.store.vault import DataKey, Vault, read_master_key

MASTER = bytes(range(32))
PERIOD = "2027-03"
NOW = 1_772_366_400_000  # 2026-03-01T12:00:00Z
IN_APRIL_2027 = 1_806_580_800_000  # 2027-04-01T12:00:00Z


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "node.db")
    yield opened
    opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault(MASTER, os.urandom)


def unwrap(vault: Vault, store: Store, wrapped: bytes | None, period: str = PERIOD) -> DataKey:
    with store.read() as connection:
        return vault.unwrap(connection, period, wrapped)


def destroy(vault: Vault, store: Store, period: str = PERIOD, now: int = IN_APRIL_2027 + DAY_MS) -> None:
    with store.write() as connection:
        vault.destroy_period(connection, period, now)


def stored(store: Store) -> dict[str, bytes]:
    with store.read() as connection:
        return {row.period: row.wrapped_key for row in connection.execute(select(key_periods))}


def flipped(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def test_what_is_sealed_opens_after_a_restart(vault: Vault, store: Store) -> None:
    key = vault.new_data_key(store, PERIOD)
    sealed = key.seal(b"alert\0a", b"what is known")
    assert unwrap(vault, store, key.wrapped).open(b"alert\0a", sealed) == b"what is known"
    assert unwrap(Vault(MASTER, os.urandom), store, key.wrapped).open(b"alert\0a", sealed) == b"what is known"


def test_the_envelope_is_the_one_that_is_described(vault: Vault, store: Store) -> None:
    key = vault.new_data_key(store, PERIOD)
    sealed = key.seal(b"alert\0a", b"what is known")
    of_period = stored(store)[PERIOD]
    period_key = AESGCM(MASTER).decrypt(of_period[:12], of_period[12:], b"period\0" + PERIOD.encode())
    data_key = AESGCM(period_key).decrypt(key.wrapped[:12], key.wrapped[12:], b"data key\0")
    assert AESGCM(data_key).decrypt(sealed[:12], sealed[12:], b"alert\0a") == b"what is known"
    assert (len(of_period), len(key.wrapped), len(sealed)) == (60, 60, 13 + 28)


def test_every_key_and_every_nonce_is_fresh(vault: Vault, store: Store) -> None:
    keys = [vault.new_data_key(store, PERIOD) for _ in range(50)]
    sealed = [key.seal(b"alert\0a", b"same") for key in keys for _ in range(2)]
    assert len({key.wrapped for key in keys}) == 50
    assert len({value[:12] for value in sealed}) == len({value[12:] for value in sealed}) == 100


def test_a_period_has_one_key_and_each_its_own(vault: Vault, store: Store) -> None:
    for period in (PERIOD, "2027-04", PERIOD, "2027-04"):
        vault.new_data_key(store, period)
    first = stored(store)
    Vault(MASTER, os.urandom).new_data_key(store, PERIOD)
    assert stored(store) == first
    assert sorted(first) == [PERIOD, "2027-04"]


@pytest.mark.parametrize("at", [0, 11, 12, 20, -1])
def test_an_altered_value_does_not_open(at: int) -> None:
    key = SealingKey(MASTER, os.urandom)
    sealed = key.seal(b"alert\0a", b"what is known")
    with pytest.raises(StoreFailed) as failure:
        key.open(b"alert\0a", flipped(sealed, at % len(sealed)))
    assert failure.value.code == "VAULT_TAMPERED"


@pytest.mark.parametrize("size", [0, 5, 12, 27, 40])
def test_a_value_that_was_cut_does_not_open(size: int) -> None:
    key = SealingKey(MASTER, os.urandom)
    with pytest.raises(StoreFailed) as failure:
        key.open(b"alert\0a", key.seal(b"alert\0a", b"what is known")[:size])
    assert failure.value.code == "VAULT_TAMPERED"


def test_a_value_moved_to_another_purpose_does_not_open() -> None:
    key = SealingKey(MASTER, os.urandom)
    with pytest.raises(StoreFailed) as failure:
        key.open(b"alert\0b", key.seal(b"alert\0a", b"what is known"))
    assert failure.value.code == "VAULT_TAMPERED"


def test_a_data_key_moved_to_another_period_does_not_open(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    vault.new_data_key(store, "2027-04")
    with pytest.raises(StoreFailed) as failure:
        unwrap(vault, store, wrapped, "2027-04")
    assert failure.value.code == "VAULT_TAMPERED"


def test_a_period_key_moved_to_another_period_does_not_open(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    with store.write() as connection:
        connection.execute(update(key_periods).values(period="2027-04"))
    fresh = Vault(MASTER, os.urandom)
    with pytest.raises(StoreFailed) as failure:
        unwrap(fresh, store, wrapped, "2027-04")
    assert failure.value.code == "VAULT_TAMPERED"
    with pytest.raises(StoreFailed) as failure:
        fresh.new_data_key(store, "2027-04")
    assert failure.value.code == "VAULT_TAMPERED"


def test_another_master_key_opens_and_makes_nothing(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    other = Vault(bytes(32), os.urandom)
    for act in (lambda: unwrap(other, store, wrapped), lambda: other.new_data_key(store, PERIOD)):
        with pytest.raises(StoreFailed, match="master key") as failure:
            act()
        assert failure.value.code == "VAULT_TAMPERED"


def test_what_was_erased_is_named_so(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    with pytest.raises(NotFound) as failure:
        unwrap(vault, store, None)
    assert failure.value.code == "ERASED"
    with pytest.raises(NotFound) as failure:
        unwrap(vault, store, wrapped, "2031-01")
    assert failure.value.code == "ERASED"


def test_a_destroyed_period_opens_nothing_although_its_key_was_in_use(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    destroy(vault, store)
    with pytest.raises(NotFound) as failure:
        unwrap(vault, store, wrapped)
    assert failure.value.code == "ERASED"
    again = vault.new_data_key(store, PERIOD)
    assert unwrap(Vault(MASTER, os.urandom), store, again.wrapped).wrapped == again.wrapped


def test_a_destruction_that_is_rolled_back_destroys_nothing(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped

    def destroy_and_fail() -> None:
        with store.write() as connection:
            vault.destroy_period(connection, PERIOD, IN_APRIL_2027 + DAY_MS)
            raise LookupError

    with pytest.raises(LookupError):
        destroy_and_fail()
    assert unwrap(vault, store, wrapped).wrapped == wrapped
    assert unwrap(vault, store, vault.new_data_key(store, PERIOD).wrapped)


@pytest.mark.parametrize(("period", "now"), [(PERIOD, NOW), (PERIOD, IN_APRIL_2027), ("2027-04", IN_APRIL_2027 + DAY_MS)])
def test_a_month_that_is_not_over_keeps_its_key(vault: Vault, store: Store, period: str, now: int) -> None:
    vault.new_data_key(store, period)
    with pytest.raises(Refused) as failure:
        destroy(vault, store, period, now)
    assert failure.value.code == "PERIOD_OPEN"
    assert list(stored(store)) == [period]


def test_a_period_key_that_was_not_kept_seals_nothing(vault: Vault, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_after(*arguments: object) -> None:
        insert_rows(*arguments)  # type: ignore[arg-type]
        raise StoreFailed("STORE_FULL")

    monkeypatch.setattr(vault_module, "insert_rows", fail_after)
    with pytest.raises(StoreFailed):
        vault.new_data_key(store, PERIOD)
    monkeypatch.undo()
    assert stored(store) == {}
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    assert unwrap(Vault(MASTER, os.urandom), store, wrapped).wrapped == wrapped


def test_many_threads_make_one_period_key(vault: Vault, store: Store) -> None:
    wrapped: list[bytes] = []
    threads = [threading.Thread(target=lambda: wrapped.append(vault.new_data_key(store, PERIOD).wrapped)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    restarted = Vault(MASTER, os.urandom)
    assert [unwrap(restarted, store, value).wrapped for value in wrapped] == wrapped
    assert len(wrapped) == 12


def test_without_its_row_a_period_is_erased_for_a_restarted_node(vault: Vault, store: Store) -> None:
    wrapped = vault.new_data_key(store, PERIOD).wrapped
    with store.write() as connection:
        connection.execute(delete(key_periods))
    with pytest.raises(NotFound):
        unwrap(Vault(MASTER, os.urandom), store, wrapped)


@pytest.mark.parametrize(
    ("not_after", "period"),
    [
        (IN_APRIL_2027, "2027-04"),
        (1_806_537_599_999, "2027-03"),
        (1_806_537_600_000, "2027-04"),
        (1, "1970-01"),
        (0, "2027-03"),
        (2**63 - 1, "9999-12"),
    ],
)
def test_a_period_is_the_month_of_expiry(not_after: int, period: str) -> None:
    assert period_of(not_after, NOW) == period


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(16), os.urandom)


def test_no_key_shows_in_what_is_printed(vault: Vault, store: Store) -> None:
    key = vault.new_data_key(store, PERIOD)
    assert repr(key).startswith("<node.store.vault.DataKey object at")
    assert MASTER.hex() not in repr(vars(vault))
    assert repr(MASTER) not in repr(vars(vault))


@pytest.mark.parametrize("text", [MASTER.hex(), MASTER.hex() + "\n", MASTER.hex().upper()])
def test_a_master_key_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)
    assert read_master_key(path) == MASTER


@pytest.mark.parametrize("text", ["", MASTER.hex()[:-2], MASTER.hex() + "00", MASTER.hex() + "\n\n", "zz" * 32, " " * 64, "é" * 32])
def test_a_file_that_holds_no_master_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(Malformed) as failure:
        read_master_key(path)
    assert failure.value.code == "KEY_FILE"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644])
def test_a_master_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault.key"
    path.write_text(MASTER.hex(), encoding="ascii")
    path.chmod(mode)
    with pytest.raises(Refused) as failure:
        read_master_key(path)
    assert failure.value.code == "KEY_FILE_MODE"


def test_a_master_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError) as failure:
        read_master_key(tmp_path / "vault.key")
    assert failure.value.code == "MASTER_KEY_ABSENT"
