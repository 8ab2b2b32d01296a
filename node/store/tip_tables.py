"""The tables of tips: what NGOs told, where it stands, and what followed.

Content stands sealed under a key of its own, and so does, under another, how the reporter can be reached. The rest is proof of what was
done when, and holds nothing of a suspect or a child. Times are Unix milliseconds, 0 for never; digests are 32 bytes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from node.store.tables import metadata

tips = Table(
    "tips",
    metadata,
    Column("id", Integer, primary_key=True),
    # SPIFFE ID of the NGO, and the UUID that it made: the same again is the same tip.
    Column("ngo", String, nullable=False),
    Column("tip_id", LargeBinary(16), nullable=False),
    # As people read it out.
    Column("reference", String, nullable=False, unique=True),
    # A number of TipState; 0 for a draft.
    Column("state", Integer, nullable=False),
    # SPIFFE ID of the agency whose desk has it; empty for a draft.
    Column("agency", String, nullable=False),
    # Why it is there: codes of node.tips.routing, joined by commas.
    Column("because", String, nullable=False),
    Column("danger", Boolean, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("look_by", BigInteger, nullable=False),
    Column("looked_at", BigInteger, nullable=False),
    # SPIFFE ID of the officer who took it, or empty.
    Column("officer", String, nullable=False),
    # TipCloseReason, 0 while it is open.
    Column("close_reason", Integer, nullable=False),
    # Commits to what was submitted, by a salt that is sealed with it; null for a draft.
    Column("digest", LargeBinary(32), unique=True),
    Column("erase_by", BigInteger, nullable=False),
    Column("period", String, nullable=False),
    # Each of the two: a wrapped key, what it sealed, and whether it is held, destroyed (in the tables) or erased (in all files).
    # Empty: there never was one.
    Column("wrapped_key", LargeBinary),
    Column("sealed", LargeBinary),
    Column("content", String, nullable=False),
    Column("contact_key", LargeBinary),
    Column("contact_sealed", LargeBinary),
    Column("contact", String, nullable=False),
    UniqueConstraint("ngo", "tip_id"),
    Index("tips_by_agency", "agency", "state"),
)

tip_releases = Table(
    "tip_releases",
    metadata,
    # What was released under a tip's thread: digests of the tip and of the manifest.
    Column("tip", LargeBinary(32), primary_key=True),
    Column("manifest", LargeBinary(32), primary_key=True),
    Column("released_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

tip_answers = Table(
    "tip_answers",
    metadata,
    # A TipStatus that came: its manifest, the tip that it is about, whose word it is and what it says.
    Column("manifest", LargeBinary(32), primary_key=True),
    Column("tip", LargeBinary(32), nullable=False),
    Column("agency", String, nullable=False),
    Column("state", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("tip_answers_by_tip", "tip"),
    sqlite_with_rowid=False,
)

tip_safeguards = Table(
    "tip_safeguards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tip", LargeBinary(32), nullable=False),
    # TipSafeguard
    Column("code", Integer, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Index("tip_safeguards_by_tip", "tip"),
)
