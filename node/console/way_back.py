"""Where somebody was going when they were asked to sign in: their browser keeps it for a while, in a cookie that holds no person.

Who was signed in there before is the only one who is led back: another person at the same screen begins at the first page.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from node.console.challenges import Challenges
from node.console.visits import read_secret, safe_path, write_secret

KEPT_SECONDS: Final = 15 * 60
_PURPOSE: Final = "way back"
_MARK: Final = 32
_LOST: Final = b"!"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysBack:
    """Writes and reads the ways of one console; nothing is kept here."""

    challenges: Challenges

    def write(self, path: str, person: str, *, lost: bool) -> str:
        """A cookie for a page of this site; `person`: who was signed in there before, empty if that is not known. `lost`: a form was."""
        return write_secret(self._mark(person) + (_LOST if lost else b".") + safe_path(path).encode())

    def to(self, cookie: str, person: str) -> str:
        """Where `person` goes who has signed in."""
        kept = read_secret(cookie)
        marked = [hmac.compare_digest(kept[:_MARK], self._mark(one)) for one in (person, "")]
        return safe_path(kept[_MARK + 1 :].decode(errors="replace")) if any(marked) else "/"

    @staticmethod
    def lost(cookie: str) -> bool:
        """Whether it was a form that nobody took."""
        return read_secret(cookie)[_MARK : _MARK + 1] == _LOST

    def _mark(self, person: str) -> bytes:
        return self.challenges.derived(_PURPOSE, person.encode())
