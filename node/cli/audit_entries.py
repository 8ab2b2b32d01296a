"""Entries of the journal and of disclosure logs, told apart by the name of their log."""

from google.protobuf.message import DecodeError, Message

from exchange.errors import ExchangeError, Malformed
from exchange.journal import open_journal_entry, parse_journal_origin
from exchange.v1.disclosure_pb2 import Entry


def is_journal(origin: str) -> bool:
    """Whether this is the name of a journal; an empty one stands for the newest."""
    try:
        parse_journal_origin(origin)
    except ExchangeError:
        return not origin
    return True


def decoded(origin: str, data: bytes) -> tuple[str, Message]:
    """("event", JournalEntry) or ("disclosure", Entry). Raises `Malformed` as `open_journal_entry`, and ENTRY_MALFORMED."""
    if is_journal(origin):
        return "event", open_journal_entry(data)
    try:
        # Not strictly: an entry out of form may stand in a log, excepted by its recipient.
        return "disclosure", Entry.FromString(data)
    except DecodeError:
        raise Malformed("ENTRY_MALFORMED", "the entry is no protobuf message") from None
