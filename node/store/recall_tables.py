"""The tables of what became of alerts after their release: recalls, attestations, who is still to be told, doubts, mis-hits.

Nothing here is content or names a person. Times are Unix milliseconds, digests 32 bytes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from node.store.tables import metadata

recalls = Table(
    "recalls",
    metadata,
    # In the order in which they took effect: of two restrictions the later holds.
    Column("id", Integer, primary_key=True),
    # Digests of the control alert, and of the manifest that it is about.
    Column("control", LargeBinary(32), nullable=False, unique=True),
    Column("referent", LargeBinary(32), nullable=False),
    # withdrawal, restriction, lifting, correction
    Column("kind", String, nullable=False),
    # The short name of its reason; empty for a lifting.
    Column("reason", String, nullable=False),
    # Whoever issued it: an agency or a node.
    Column("originator", String, nullable=False),
    # True for what this country recalled, false for what was recalled from it.
    Column("own", Boolean, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # Of a withdrawal: when an attestation is due. 0 for any other.
    Column("attest_by", BigInteger, nullable=False),
    # Of a correction: one byte for the number of each field that was wrong, and the manifest that replaces it, or empty.
    Column("wrong_fields", LargeBinary, nullable=False),
    Column("replaced_by", LargeBinary, nullable=False),
    Index("recalls_by_referent", "referent"),
)

attestations = Table(
    "attestations",
    metadata,
    # Digests of the attestation, and of the manifest whose purge it attests.
    Column("control", LargeBinary(32), primary_key=True),
    Column("referent", LargeBinary(32), nullable=False),
    # SPIFFE ID of whoever attests, and of the third party on whose behalf, or empty.
    Column("attester", String, nullable=False),
    Column("on_behalf_of", String, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("copies_removed", Integer, nullable=False),
    Column("lists_updated", Boolean, nullable=False),
    # Short names of each PurgeException, joined by commas.
    Column("exceptions", String, nullable=False),
    Index("attestations_by_referent", "referent"),
)

untold = Table(
    "untold",
    metadata,
    # A control alert of ours that a partner (trust domain) is still to be told, because the log towards it is stopped.
    Column("control", LargeBinary(32), primary_key=True),
    Column("partner", String, primary_key=True),
    sqlite_with_rowid=False,
)

unheld = Table(
    "unheld",
    metadata,
    # A manifest that a log between us and a partner names and that is not here: withheld, excepted, or lost with a restored backup.
    Column("digest", LargeBinary(32), primary_key=True),
    # True if our own log names it.
    Column("own", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

doubts = Table(
    "doubts",
    metadata,
    # An entry that says something of a manifest and came, or came back, without what it says. Until its control alert comes after all, the
    # manifest reads as disputed, if whoever logged the entry could recall it.
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # Digests of the control alert, of the manifest that it is about, and of the permit under which it was forwarded, or empty.
    Column("control", LargeBinary(32), nullable=False),
    Column("referent", LargeBinary(32), nullable=False),
    Column("permit", LargeBinary, nullable=False),
    Column("noted_at", BigInteger, nullable=False),
    Index("doubts_by_referent", "referent"),
    sqlite_with_rowid=False,
)

mis_hits = Table(
    "mis_hits",
    metadata,
    # Of whom an officer said that this is not the person of an alert: the first manifest of the alert, and a keyed hash of the document
    # shown. Nothing leads back to the person, and there is nothing else about them.
    Column("first", LargeBinary(32), primary_key=True),
    Column("token", LargeBinary(32), primary_key=True),
    sqlite_with_rowid=False,
)
