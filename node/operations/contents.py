"""What stands sealed beside an alert: the manifest statement with openings, and records of who released it and why."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from exchange.v1 import disclosure_pb2, manifest_pb2, statement_pb2
from node.confirmations import Confirmation

SALT = 32

_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """Who released something, why, and what they had been shown. Stays with the sender for its auditors."""

    officer: str
    agency: str
    reason: str
    preview: bytes
    at: int
    """Unix milliseconds, not later than the entry's disclosed_at."""
    approvers: tuple[str, ...] = ()
    """SPIFFE IDs of those who approved it, where the clause asked for that."""
    assessment: bytes = b""
    """Digest of the transfer assessment that it rests on, if the policy asked for one."""
    confirmations: tuple[Confirmation, ...] = ()
    """What the officer and the approvers signed with their passkeys, where they were asked to: in the console."""

    def record(self) -> bytes:
        """The bytes that the entry commits to: JSON with sorted keys."""
        values = {
            "agency": self.agency,
            **({"approvers": list(self.approvers)} if self.approvers else {}),
            **({"assessment": self.assessment.hex()} if self.assessment else {}),
            "at": self.at,
            **({"confirmations": [one.document() for one in self.confirmations]} if self.confirmations else {}),
            "officer": self.officer,
            "preview": self.preview.hex(),
            "reason": self.reason,
            "version": 1,
        }
        return _encoder.encode(values).encode()


def pack_content(statement: statement_pb2.Statement, openings: Iterable[manifest_pb2.Opening]) -> bytes:
    """A manifest statement with openings, ready to be sealed; a Delivery without an entry.

    Only known fields go in: what a partner put beside them was never checked.
    """
    content = disclosure_pb2.Delivery(manifest=statement, openings=openings)
    content.DiscardUnknownFields()
    return content.SerializeToString()


def pack_own(statement: statement_pb2.Statement, opened: bytes) -> bytes:
    """The same of an alert of our own, whose openings `exchange.manifest.seal` has encoded."""
    return disclosure_pb2.Delivery(manifest=statement).SerializeToString() + opened


def unpack_content(content: bytes) -> disclosure_pb2.Delivery:
    """Undo `pack_content` and `pack_own`."""
    return disclosure_pb2.Delivery.FromString(content)


def purpose_of_alert(alert_id: bytes) -> bytes:
    """What the sealed content of an alert is bound to, so that it cannot be moved to another row."""
    return b"alert\0" + alert_id


def purpose_of_entry(alert_id: bytes, origin: str) -> bytes:
    """What a sealed record or the sealed openings of one entry are bound to."""
    return b"entry\0" + alert_id + origin.encode()
