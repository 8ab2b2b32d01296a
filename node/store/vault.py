"""Keys in three tiers, so that erasing a key erases all that it sealed. A backup that holds the wrapped key still opens: it expires apart.

The master key (a file outside the database) wraps one key per expiry period (table `key_periods`), which wraps one data
key per alert (beside the alert). Erasing an alert destroys its wrapped data key; erasing a period destroys its row.
"""

import hmac
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete

from exchange.errors import Malformed, NotFound, Refused
from node.store.engine import Store
from node.store.envelope import DAY_MS, KEY_SIZE, SealingKey, period_of
from node.store.insert import insert_rows
from node.store.tables import key_periods

_DATA_KEY: Final = b"data key\0"
_PERIOD: Final = b"period\0"
_MIS_HITS: Final = b"alert-exchange/v1 mis-hits\0"
_SUBJECTS: Final = b"alert-exchange/v1 subject index\0"

_WRAPPED_KEY: Final = "SELECT wrapped_key FROM key_periods WHERE period = ?"


class DataKey(SealingKey):
    """The key of one alert. `wrapped` is what to store beside the alert: 60 bytes, useless without the period's key."""

    __slots__ = ("wrapped",)

    def __init__(self, key: bytes, wrapped: bytes, entropy: Callable[[int], bytes]) -> None:
        super().__init__(key, entropy)
        self.wrapped = wrapped


class Vault:
    """Makes and unwraps the keys of one node. Safe to use from many threads.

    `entropy(n)` returns n fresh random bytes fit for keys.
    """

    def __init__(self, master_key: bytes, entropy: Callable[[int], bytes]) -> None:
        self._master = SealingKey(master_key, entropy)
        self._mis_hits = hmac.digest(master_key, _MIS_HITS, "sha256")
        self._subjects = blake2b(digest_size=8, key=hmac.digest(master_key, _SUBJECTS, "sha256"))
        self._entropy = entropy
        # Filled and emptied only by the one who has the store's writing turn, and filled only from rows that are
        # committed: a period key whose row was rolled back or destroyed would seal what nobody can ever open.
        self._periods: dict[str, SealingKey] = {}

    def new_data_key(self, store: Store, period: str) -> DataKey:
        """A fresh key for one alert, wrapped for its period; made outside any transaction. Raises as `lasting_key`."""
        key = self._entropy(KEY_SIZE)
        return DataKey(key, self.lasting_key(store, period).seal(_DATA_KEY, key), self._entropy)

    def lasting_key(self, store: Store, period: str) -> SealingKey:
        """The key of one period, or of a group of the journal's details; asked for outside any transaction.

        The first of a period waits for the store's writing turn and makes the period's key durable. Raises `StoreFailed`
        as `Store.write` does, and VAULT_TAMPERED (the period's key was altered, or the master key is another).
        """
        while (period_key := self._periods.get(period)) is None:
            with store.write() as connection:
                wrapped = _wrapped_key(connection, period)
                if wrapped is None:
                    insert_rows(connection, key_periods, [{"period": period, "wrapped_key": self._new_period_key(period)}])
                else:
                    self._periods[period] = self._opened(period, wrapped)
        return period_key

    def mis_hit_token(self, first: bytes, document: bytes) -> bytes:
        """What is kept of a travel document that is not the person's of an alert: HMAC-SHA256 of both, 32 bytes.

        `first` is the digest of the alert's first manifest. The key is derived from the master key: who has the database without that
        cannot try documents on it, and one person has another token for each alert.
        """
        return hmac.digest(self._mis_hits, first + document, "sha256")

    def subject_token(self, term: bytes) -> bytes:
        """What the subject index keeps of a term that names a person: 8 bytes of a keyed hash (BLAKE2b, RFC 7693).

        The key is derived from the master key: who has the database without that cannot try names on it.
        """
        state = self._subjects.copy()
        state.update(term)
        return state.digest()

    def unwrap(self, connection: Connection, period: str, wrapped: bytes | None) -> DataKey:
        """The key of an alert that is stored.

        Raises `NotFound` (ERASED) if it or its period's key was destroyed, `StoreFailed` (VAULT_TAMPERED) if either was
        altered, belongs to another period, or the master key is another.
        """
        period_key = self._periods.get(period)
        if period_key is None and (of_period := _wrapped_key(connection, period)):
            period_key = self._opened(period, of_period)
        if wrapped is None or period_key is None:
            raise NotFound("ERASED", "the key of this alert was destroyed: its content cannot be read any more")
        return self.unwrap_under(period_key, wrapped)

    def stored_key(self, connection: Connection, period: str) -> SealingKey | None:
        """The key of a period or group as the store has it now, whatever was remembered of it; None if it was destroyed.

        For whoever checks the store. Raises `StoreFailed` (VAULT_TAMPERED).
        """
        wrapped = _wrapped_key(connection, period)
        return self._opened(period, wrapped) if wrapped is not None else None

    def unwrap_under(self, period_key: SealingKey, wrapped: bytes) -> DataKey:
        """The key of an alert under its period's key. Raises `StoreFailed` (VAULT_TAMPERED)."""
        return DataKey(period_key.open(_DATA_KEY, wrapped), wrapped, self._entropy)

    def destroy_period(self, connection: Connection, period: str, now_ms: int) -> None:
        """Destroy the key of a month that has ended, and with it all that its alerts sealed; `connection` must write.

        Final once the transaction commits; the bytes leave the disk at the next `Store.empty_journal`. Raises `Refused`
        (PERIOD_OPEN) until a day after the month, since alerts may still be on their way into it.
        """
        if period >= period_of(now_ms - DAY_MS, now_ms):
            raise Refused("PERIOD_OPEN", "alerts of this month may still arrive: destroy its key when it is over")
        connection.execute(delete(key_periods).where(key_periods.c.period == period))
        self._periods.pop(period, None)

    def _new_period_key(self, period: str) -> bytes:
        return self._master.seal(_PERIOD + period.encode(), self._entropy(KEY_SIZE))

    def _opened(self, period: str, wrapped: bytes) -> SealingKey:
        return SealingKey(self._master.open(_PERIOD + period.encode(), wrapped), self._entropy)


def _wrapped_key(connection: Connection, period: str) -> bytes | None:
    # Asked for each alert that is read, and much quicker as text than as an expression.
    wrapped: bytes | None = connection.exec_driver_sql(_WRAPPED_KEY, (period,)).scalar_one_or_none()
    return wrapped


def read_master_key(path: Path) -> bytes:
    """Read the master key: 64 hexadecimal digits and at most one line end, in a file of mode 0600.

    Raises `NotFound` (MASTER_KEY_ABSENT), `Refused` (KEY_FILE_MODE: its group or others may read it), `Malformed`
    (KEY_FILE).
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFound("MASTER_KEY_ABSENT", "the master key file of the store is not where the configuration says") from None
    with file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise Refused("KEY_FILE_MODE", "the master key file can be read by others than its owner: chmod 600")
        text = file.read(2 * KEY_SIZE + 2).removesuffix(b"\n")
    if len(text) != 2 * KEY_SIZE or text.strip(b"0123456789abcdefABCDEF"):
        raise Malformed("KEY_FILE", "the master key file does not hold 64 hexadecimal digits")
    return bytes.fromhex(text.decode("ascii"))
