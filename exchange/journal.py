"""A node's journal: the form of its entries, and the commitments to what is kept apart (PROTOCOL.md, section 10).

No partner sees a journal; witnesses cosign its checkpoints, and auditors read it. So its form belongs to the treaty: an auditor
must be able to verify, with this package alone, what an office says that it did.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from exchange.directory import KnownNode
from exchange.encoding import CAP_ENTRY, decode, encode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.log import LogName, log_verifiers, raw_key
from exchange.signing import Signer
from exchange.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from exchange.tlog.merkle import Frontier
from exchange.v1 import journal_pb2
from exchange.v1.journal_pb2 import JournalEntry
from exchange.values import TRUST_DOMAIN_PATTERN, PartyId

SALT_SIZE: Final = 32
_DIGEST: Final = 32
_ORIGIN: Final = re.compile(rf"(?P<owner>{TRUST_DOMAIN_PATTERN})/journal/(?P<generation>[1-9][0-9]{{0,8}})")
_TRUST_DOMAIN: Final = re.compile(TRUST_DOMAIN_PATTERN)
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,47}")

CODES: Final[Mapping[int, frozenset[str]]] = {
    journal_pb2.JOURNAL_KIND_COLLECTION: frozenset({"ADOPTED", "DRAFT_SAVED", "HANDED_OVER", "RECEIVED", "TIP_RECEIVED", "TIP_SAVED"}),
    journal_pb2.JOURNAL_KIND_ALTERATION: frozenset(
        {
            "ATTESTED",
            "CORRECTED",
            "DISPUTED",
            "LIFTED",
            "MIS_HIT",
            "RESTRICTED",
            "SUPERSEDED",
            "TAKEN_OVER",
            "TIP_ACTED_UPON",
            "TIP_ANSWERED",
            "TIP_CLOSED",
            "TIP_REFERRED",
            "TIP_SAFEGUARD",
            "TIP_TAKEN",
            "WITHDRAWN",
        }
    ),
    journal_pb2.JOURNAL_KIND_CONSULTATION: frozenset(
        {
            "ALERT",
            "ALERTS",
            "DISTRIBUTIONS",
            "DRAFT",
            "HANDOVER",
            "INBOX",
            "INBOX_ALERT",
            "ONWARD",
            "REACH",
            "REQUEST",
            "REQUESTS",
            "SEARCH",
            "STATUS",
            "SUBMISSION",
            "TIP",
            "TIPS",
            "TIP_CONTACT",
            "TIP_DRAFT",
            "WORK",
        }
    ),
    journal_pb2.JOURNAL_KIND_DISCLOSURE: frozenset({"DISTRIBUTED", "RELEASED", "REPORTED"}),
    journal_pb2.JOURNAL_KIND_COMBINATION: frozenset({"COMPARED", "MERGED", "SCREENED"}),
    journal_pb2.JOURNAL_KIND_ERASURE: frozenset(
        {
            "DONE",
            "DRAFT_DONE",
            "DRAFT_INTENDED",
            "HANDOVER_DONE",
            "HANDOVER_INTENDED",
            "INTENDED",
            "PERIOD_DONE",
            "PERIOD_INTENDED",
            "TIP_CONTACT_DONE",
            "TIP_CONTACT_INTENDED",
            "TIP_DONE",
            "TIP_INTENDED",
        }
    ),
    journal_pb2.JOURNAL_KIND_APPROVAL: frozenset(
        {
            "ASSESSED",
            "ASSESSMENT_WITHDRAWN",
            "DESPITE_DUPLICATE",
            "EMERGENCY_REVIEWED",
            "GIVEN",
            "LAPSED",
            "ONWARD_DENIED",
            "ONWARD_GRANTED",
            "ORAL",
            "SUBMITTED",
            "TAKEN_BACK",
            "VOID",
        }
    ),
    journal_pb2.JOURNAL_KIND_ACCESS: frozenset(
        {"ADDED", "CHANGED", "ENROLMENT", "IDENTITY_LINKED", "IDENTITY_REMOVED", "PASSKEYS_REMOVED", "PASSKEY_ADDED", "REMOVED"}
    ),
    journal_pb2.JOURNAL_KIND_SIGN_IN: frozenset({"CERTIFICATE", "DEMO_CODE", "OIDC", "PASSKEY"}),
    journal_pb2.JOURNAL_KIND_PARTNER: frozenset({"ADDED", "ALARM_SETTLED", "REFRESHED", "RESUMED", "SUSPENDED"}),
    journal_pb2.JOURNAL_KIND_AGREEMENT: frozenset({"ACCEPTED", "EMERGENCY", "EMERGENCY_USED", "OFFERED", "PROPOSED"}),
    journal_pb2.JOURNAL_KIND_KEY: frozenset({"DESCRIPTOR"}),
    journal_pb2.JOURNAL_KIND_EXPORT: frozenset(
        {"CONTENTLESS", "DATA", "DISCLOSURES", "ENTRY_ONLY", "EVENTS", "LOG", "LOGGED_ONLY", "MISTAKES", "SUBJECT_REPORT"}
    ),
    journal_pb2.JOURNAL_KIND_REVIEW: frozenset(
        {
            "AGREEMENT",
            "AGREEMENTS",
            "ALARMS",
            "ASSESSMENTS",
            "CONSISTENCY",
            "DISCLOSURES",
            "DISTRIBUTIONS",
            "ERASURE",
            "EVENT",
            "EVENTS",
            "FINDING_ACTION",
            "FINDING_CRITICAL",
            "FINDING_NONE",
            "FINDING_OBSERVATION",
            "FINDING_PRIORITY",
            "GAPS",
            "LOG",
            "LOGS",
            "OPENED",
            "PARTNER",
            "PARTNERS",
            "PROOF",
            "REASONS",
            "RECONCILIATION",
            "RETENTION",
            "STATISTICS",
            "STATUS",
            "STORE",
            "URGENT",
            "VERIFICATION",
            "WITNESSES",
        }
    ),
    journal_pb2.JOURNAL_KIND_LOG: frozenset({"ENDED", "OPENED", "RECOVERED", "STOPPED", "SUCCESSION_OFFERED", "SUCCESSION_PROPOSED"}),
    journal_pb2.JOURNAL_KIND_ANCHOR: frozenset({"INBOUND", "OUTBOUND"}),
    journal_pb2.JOURNAL_KIND_RECEIPT: frozenset({"TAKEN"}),
    journal_pb2.JOURNAL_KIND_RETENTION: frozenset({"HELD", "RELEASED", "REVIEWED"}),
    journal_pb2.JOURNAL_KIND_SUCCESSION: frozenset({"FOLLOWS"}),
}
"""The codes of each kind. REFUSAL and ALARM are not here: they bear the code of what was refused or went wrong."""

_ANY_CODE: Final = frozenset({journal_pb2.JOURNAL_KIND_REFUSAL, journal_pb2.JOURNAL_KIND_ALARM})
_ROOTED: Final = frozenset({journal_pb2.JOURNAL_KIND_ANCHOR, journal_pb2.JOURNAL_KIND_SUCCESSION})


def journal_origin(trust_domain: str, generation: int) -> str:
    """The name under which a journal's checkpoints are signed."""
    return f"{trust_domain}/journal/{generation}"


def is_journal_origin(origin: str) -> bool:
    """Whether a log of that name is a journal and no disclosure log."""
    return _ORIGIN.fullmatch(origin) is not None


def parse_journal_origin(origin: str) -> tuple[str, int]:
    """(trust domain, generation) of a journal; raises `Malformed` (ORIGIN_MALFORMED)."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise Malformed("ORIGIN_MALFORMED", "not the origin of a journal")
    return match["owner"], int(match["generation"])


def sign_journal(origin: str, frontier: Frontier, signer: Signer) -> bytes:
    """Sign the checkpoint of a journal at `frontier` by a log key, a C2SP note. Whether it may be signed, the high-water record says."""
    parse_journal_origin(origin)
    return sign_checkpoint(Checkpoint(origin=origin, size=frontier.size, root=frontier.root()), raw_key(signer.spki), signer.sign)


def open_journal_checkpoint(note: bytes, owner: KnownNode, at: int | None) -> Checkpoint:
    """Open a checkpoint of the journal of `owner`, whose log key in force at `at` (Unix milliseconds) must have signed it.

    Without a time, any key that was ever a log key and is not known as compromised will do. Raises `Malformed` (CHECKPOINT_MALFORMED,
    ORIGIN_MALFORMED) and `Unverified` (CHECKPOINT_SIGNATURE, CHECKPOINT_ORIGIN).
    """
    origin = note.partition(b"\n")[0].decode("utf-8", "replace")
    trust_domain, _ = parse_journal_origin(origin)
    if trust_domain != owner.trust_domain:
        raise Unverified("CHECKPOINT_ORIGIN", "the journal is another node's")
    return open_checkpoint(note, log_verifiers(origin, owner, at), origin)


def commit_detail(salt: bytes, record: bytes) -> bytes:
    """The commitment to a detail, 32 bytes: the salt (32 fresh random bytes) keeps short records from being guessed."""
    if len(salt) != SALT_SIZE:
        raise Malformed("SALT_MALFORMED", "a salt is exactly 32 bytes")
    return sha256(b"alert-exchange/v1 journal detail\0" + salt + len(record).to_bytes(4, "big") + record).digest()


def encode_journal_entry(entry: JournalEntry) -> bytes:
    """The bytes of an entry, whose RFC 6962 leaf hash goes into the tree. Raises `Malformed` as `open_journal_entry`."""
    _check_form(entry)
    data = encode(entry)
    if len(data) > CAP_ENTRY:
        raise Malformed("TOO_LARGE", "a journal entry is larger than 4 KiB")
    return data


def open_journal_entry(data: bytes) -> JournalEntry:
    """Read an entry strictly. Raises `Malformed`: as `decode`, and JOURNAL_ENTRY_MALFORMED for what has not the one form."""
    entry = decode(JournalEntry, data, CAP_ENTRY)
    _check_form(entry)
    return entry


def _check_form(entry: JournalEntry) -> None:
    known = CODES.get(entry.kind)
    if entry.code not in known if known is not None else entry.kind not in _ANY_CODE or not _CODE.fullmatch(entry.code):
        raise _malformed("the code is not one of its kind")
    if entry.at <= 0:
        raise _malformed("an event has a time")
    _check_party(entry.party)
    if entry.counterparty and not _TRUST_DOMAIN.fullmatch(entry.counterparty):
        _check_party(entry.counterparty)
    if any(len(value) not in {0, _DIGEST} for value in (entry.subject, entry.root, entry.accountability, entry.personal)):
        raise _malformed("digests, roots and commitments are 32 bytes")
    _check_range(entry)


def _check_party(party: str) -> None:
    try:
        role = PartyId.parse(party).role
    except ExchangeError:
        role = ""
    if role not in {"node", "agency"}:
        raise _malformed("a party is a node or an agency, never a person")


def _check_range(entry: JournalEntry) -> None:
    if entry.origin and not _ORIGIN.fullmatch(entry.origin):
        try:
            LogName.parse(entry.origin)
        except ExchangeError:
            raise _malformed("the origin is not that of a log") from None
    if (entry.index or entry.count) and not entry.origin:
        raise _malformed("a range is one of a log")
    if entry.index and not entry.count:
        raise _malformed("a range is not empty")
    if bool(entry.root) != (entry.kind in _ROOTED) or (entry.root and (entry.index or not entry.origin)):
        raise _malformed("an anchor and a succession name a log, its size and its root; nothing else does")


def _malformed(reason: str) -> Malformed:
    return Malformed("JOURNAL_ENTRY_MALFORMED", reason)
