"""The table of notices: what an office was told by e-mail or webhook, or is still to be told. Nothing of content, and nobody's name."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint, text

from node.store.tables import metadata

notices = Table(
    "notices",
    metadata,
    # Random; the same for every attempt, so that a receiver drops what it has seen.
    Column("id", LargeBinary(16), primary_key=True),
    # What needs somebody, and the beginning of its reference in hex.
    Column("kind", String, nullable=False),
    Column("reference", String, nullable=False),
    # When it is due, or was raised if it has no term, Unix milliseconds; and whether that is a term.
    Column("due_at", BigInteger, nullable=False),
    Column("has_term", Integer, nullable=False),
    # -1 before the term, 0 at the term, 1 and above escalations.
    Column("round", Integer, nullable=False),
    # The way that it leaves: mail, or one of the webhooks.
    Column("channel", String, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    # 0 until then.
    Column("delivered_at", BigInteger, nullable=False),
    Column("given_up_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "reference", "due_at", "round", "channel"),
    Index("notices_undelivered", "next_attempt_at", sqlite_where=text("delivered_at = 0 AND given_up_at = 0")),
)
