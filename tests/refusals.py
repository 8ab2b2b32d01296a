"""How tests expect a refusal: the kind of error and its stable code, both."""

import pytest

from exchange.errors import ExchangeError


def refused(error: type[ExchangeError], code: str) -> pytest.RaisesExc[ExchangeError]:
    """`with refused(Malformed, "TOO_LARGE"): …` holds if the block raises exactly that."""
    return pytest.raises(error, check=lambda raised: type(raised) is error and raised.code == code)
