"""The tables of what stands beside a release: the one use of an agreement for an emergency, and who looked at it afterwards."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table

from node.store.tables import metadata

emergencies = Table(
    "emergencies",
    metadata,
    # Digest of the agreement, which is for one alert.
    Column("agreement", LargeBinary(32), primary_key=True),
    # Trust domain.
    Column("partner", String, nullable=False),
    # True for what this country told, false for what it was told.
    Column("own", Boolean, nullable=False),
    Column("manifest", LargeBinary(32), nullable=False),
    # Where it stands in the log.
    Column("origin", String, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    # SPIFFE IDs; the officer is empty for what this country was told.
    Column("officer", String, nullable=False),
    Column("agency", String, nullable=False),
    # Until when a second officer reviews it; 0 for what this country was told. Then who did and when, empty and 0 before.
    Column("review_by", BigInteger, nullable=False),
    Column("reviewed_by", String, nullable=False),
    Column("reviewed_at", BigInteger, nullable=False),
    Index("emergencies_by_manifest", "manifest"),
    sqlite_with_rowid=False,
)
