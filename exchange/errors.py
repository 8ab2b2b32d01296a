"""Errors of the treaty: every refusal has a stable code that a partner, a test and a person can rely on.

A message says what rule was broken, never which value broke it: errors travel into logs, and logs carry no personal data.
"""


class ExchangeError(Exception):
    """Something was refused. `code` is stable and part of the protocol; `args[0]` is for people and never holds a value."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class Malformed(ExchangeError):
    """The bytes are not what the protocol writes: wrong shape, size, order or encoding."""


class Unverified(ExchangeError):
    """The shape is right but the proof does not hold: signature, key, hash, commitment, checkpoint."""


class Refused(ExchangeError):
    """The proof holds but a rule says no: no agreement, no clause, not permitted, expired."""


class Conflict(ExchangeError):
    """Two things that cannot both be true: a fork, an equivocation, two manifests of one alert."""


class NotFound(ExchangeError):
    """What was named does not exist here, or is not for the one who asks."""
