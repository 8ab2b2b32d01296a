"""One page or form of the console: where it is and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from node.console.visits import Visit

Answer = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page or form: `open` to whoever is not signed in; `unasked` if browsers ask by themselves, which is no use of a session.

    `from_here`: a page of this site leads there, and no other does. `returning`: an OpenID Connect issuer sends browsers back there.

    `upload` is the field of its form that may hold a file: other forms take none.
    """

    method: str
    path: str
    answer: Answer
    open: bool = False
    unasked: bool = False
    from_here: bool = False
    returning: bool = False
    upload: str = ""
