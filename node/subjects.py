"""What of an alert names a person, in a form that two spellings of one name share: what the subject index is made of.

A *term* is a document number, or a name with a birth date. Names lose case, marks of Latin letters, punctuation and the order of their
words; other scripts keep their marks, which are letters there. Birth dates lose doubt and unknown parts: `1961-XX-12` counts as 1961.
Terms are personal data: they go under a key before they are stored anywhere (`node.store.vault.Vault.subject_token`).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from exchange.errors import Malformed
from exchange.profile import AlertType, alert_type
from exchange.v1 import people_pb2

_NAME: Final = people_pb2.PersonName.DESCRIPTOR.full_name
_BIRTH: Final = people_pb2.Birth.DESCRIPTOR.full_name
_DOCUMENT: Final = people_pb2.TravelDocument.DESCRIPTOR.full_name
_DOCUMENT_TERM: Final = b"document\0"
_TO_THE_DAY: Final = len("1961-04-12")
_LATIN_MARKS: Final = dict.fromkeys(range(0x0300, 0x0370))
_WORDS: Final = bytes(code if chr(code).isalnum() else 32 for code in range(128)).lower() + bytes(128)
_LETTERS: Final = str.maketrans(
    {"đ": "d", "ð": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "\u200b": None, "\u200c": None, "\u200d": None}
)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where one message type tells of one person, by field name; and the messages in it that tell of others."""

    names: tuple[tuple[str, bool], ...]
    births: tuple[str, ...]
    documents: tuple[tuple[str, bool], ...]
    inner: tuple[tuple[str, bool, "_Scope"], ...]

    @property
    def empty(self) -> bool:
        return not (self.names or self.documents or self.inner)


def terms_of(kind: AlertType, alert: Message) -> set[bytes]:
    """The terms of an alert of that type; any of its fields may be missing."""
    found: set[bytes] = set()
    _terms(alert, _of_type(kind.name), found)
    found.discard(b"")
    return found


def document_term(number: str) -> bytes:
    """The term of a travel document's number; empty if there is no letter or digit in it."""
    if not (number.isascii() and number.isalnum()):
        number = "".join(sign for sign in unicodedata.normalize("NFKC", number) if sign.isalnum())
    plain = number.upper()
    return _DOCUMENT_TERM + plain.encode() if plain else b""


def name_term(name: str, born: str) -> bytes:
    """The term of a name with a birth date as `plain_birth` gives it; empty if there is no letter in the name."""
    plain = plain_name(name)
    return _name_term(plain, born) if plain else b""


def names_one_person(term: bytes) -> bool:
    """Whether a term is told of hardly more than one person: a document's number, or a name with a birth date to the day."""
    return is_document(term) or len(term.rpartition(b"\0")[2]) == _TO_THE_DAY


def is_document(term: bytes) -> bool:
    """Whether a term is that of a document."""
    return term.startswith(_DOCUMENT_TERM)


def searched_terms(subject: str, born: str) -> set[bytes]:
    """All terms that an alert about this person may have: `born` (EDTF) makes `subject` a name, without it it is a document number.

    A date also finds alerts that know less of it (the year, the decade, nothing) or more. Raises `Malformed` (SUBJECT).
    """
    if not born:
        terms = {document_term(subject)}
    else:
        known = plain_birth(born)
        terms = {name_term(subject, each) for each in (*_coarser(known), *_finer(known))}
    if b"" in terms:
        raise Malformed("SUBJECT", "give a document number, or a name with --born")
    return terms


def plain_name(name: str) -> str:
    """The words of a name in one form, sorted: `Nguyễn Văn An` and `AN, NGUYEN VAN` give the same."""
    if name.isascii():  # nearly always, and several times as quick
        return b" ".join(sorted(name.encode().translate(_WORDS).split())).decode()
    folded = unicodedata.normalize("NFKD", name).casefold().translate(_LATIN_MARKS).translate(_LETTERS)
    folded = unicodedata.normalize("NFKC", folded)
    plain = "".join(sign if sign.isalnum() or unicodedata.category(sign).startswith("M") else " " for sign in folded)
    return " ".join(sorted(plain.split()))


def plain_birth(born: str) -> str:
    """A birth date (EDTF level 1) without doubt and unknown parts: YYYY-MM-DD, YYYY-MM, YYYY, or a year with X for unknown digits."""
    born = born.rstrip("?~%")
    if "X" not in born:
        return born
    year, *rest = born.split("-")
    known = [year]
    for part in rest:
        if "X" in part:
            break
        known.append(part)
    return "-".join(known)


def _name_term(plain: str, born: str) -> bytes:
    return f"name\0{plain}\0{born}".encode()


def _coarser(born: str) -> Iterator[str]:
    parts = born.split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])
    if "X" not in parts[0]:
        yield f"{parts[0][:3]}X"
    yield f"{parts[0][:2]}XX"
    yield ""


def _finer(born: str) -> Iterator[str]:
    parts = born.split("-")
    if "X" in parts[0]:
        fixed = parts[0].rstrip("X")
        years = [f"{fixed}{rest:0{4 - len(fixed)}d}" for rest in range(10 ** (4 - len(fixed)))]
        yield from (f"{year[:3]}X" for year in years)
    else:
        years = parts[:1]
    months = parts[1:2] or [f"{month:02d}" for month in range(1, 13)]
    if len(parts) < 3:
        for year in years:
            yield year
            for month in months:
                yield f"{year}-{month}"
                yield from (f"{year}-{month}-{day:02d}" for day in range(1, 32) if _exists(year, month, day))


def _exists(year: str, month: str, day: int) -> bool:
    try:
        date(int(year), int(month), day)
    except ValueError:
        return False
    return True


def _terms(message: Any, scope: _Scope, found: set[bytes]) -> None:
    births = {plain_birth(getattr(message, field).date) for field in scope.births}
    if len(births) > 1:
        births.discard("")
    texts: set[str] = set()  # the name of the document is usually there twice, and as it is written once more
    for field, repeated in scope.names:
        for name in getattr(message, field) if repeated else (getattr(message, field),):
            texts.add(f"{name.family} {name.given}")
            texts.add(name.as_written)
    for plain in {plain_name(text) for text in texts}:
        if plain:
            found.update(_name_term(plain, born) for born in births or ("",))
    for field, repeated in scope.documents:
        for document in getattr(message, field) if repeated else (getattr(message, field),):
            found.add(document_term(document.number))
    for field, repeated, inner in scope.inner:
        value = getattr(message, field)
        for one in value if repeated else (value,):
            _terms(one, inner, found)


@cache
def _scope(descriptor: Descriptor) -> _Scope:
    names, births, documents, inner = [], [], [], []
    for field in descriptor.fields:
        if field.message_type is None or field.message_type is descriptor:
            continue
        place = (field.name, field.is_repeated)
        if field.message_type.full_name == _NAME:
            names.append(place)
        elif field.message_type.full_name == _BIRTH:
            births.append(field.name)
        elif field.message_type.full_name == _DOCUMENT:
            documents.append(place)
        elif not (found := _scope(field.message_type)).empty:
            inner.append((*place, found))
    return _Scope(tuple(names), tuple(births), tuple(documents), tuple(inner))


@cache
def _of_type(name: str) -> _Scope:
    return _scope(alert_type(name).message.DESCRIPTOR)
