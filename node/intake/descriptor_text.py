"""A descriptor as text that can be pasted into a page or a mail: base64 between two lines. Files hold the bytes themselves, or this."""

import re
from base64 import b64decode, b64encode
from textwrap import wrap
from typing import Final

_BEGIN: Final = "-----BEGIN EXCHANGE DESCRIPTOR-----"
_END: Final = "-----END EXCHANGE DESCRIPTOR-----"
_WITHIN: Final = re.compile(rf"{_BEGIN}([A-Za-z0-9+/=\s]*){_END}")


def write_descriptor(chain: bytes) -> str:
    """The text of a serialized DescriptorChain."""
    return "\n".join((_BEGIN, *wrap(b64encode(chain).decode(), 64), _END, ""))


def read_descriptor(text: str) -> bytes | None:
    """The chain that a text holds, whatever stands around it; None where there is none."""
    found = _WITHIN.search(text)
    try:
        return b64decode("".join(found[1].split()), validate=True) or None if found else None
    except ValueError:
        return None


def descriptor_of(data: bytes) -> bytes:
    """The chain of a file of either kind."""
    return read_descriptor(data.decode("ascii", "ignore")) or data
