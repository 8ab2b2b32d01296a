"""The tables of what was passed on inside the country: distributions, confirmed purges, and reports that go by way of a desk.

Nothing here is content but the sealed reports, and nothing names a person. Times are Unix milliseconds.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from node.store.tables import metadata

distributions = Table(
    "distributions",
    metadata,
    Column("id", Integer, primary_key=True),
    # The caller's idempotency key; null where a distribution followed an alert to its successor.
    Column("request_id", LargeBinary(16)),
    Column("alert_ref", Integer, nullable=False),
    # SPIFFE IDs: who distributes, and to whom.
    Column("desk", String, nullable=False),
    Column("agency", String, nullable=False),
    # One byte for the number of each field: those that went, and all that the desk had been told then. The content is not here again.
    Column("fields", LargeBinary, nullable=False),
    Column("desk_fields", LargeBinary, nullable=False),
    # The national clause, and the digest of the file that it stands in.
    Column("clause", String, nullable=False),
    Column("rules", LargeBinary(32), nullable=False),
    Column("purpose", Integer, nullable=False),
    # OnRequestGround, or 0.
    Column("ground", Integer, nullable=False),
    # Serialized Handling, the strictest of all that binds this agency.
    Column("handling", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    # From then on it is not shown to the agency any more.
    Column("erase_by", BigInteger, nullable=False),
    # When the content was erased here; 0 while it is not.
    Column("ended_at", BigInteger, nullable=False),
    # Digest of the manifest from which it followed, or empty.
    Column("follows", LargeBinary, nullable=False),
    UniqueConstraint("request_id", "agency"),
    Index("distributions_by_alert", "alert_ref", "agency"),
    Index("distributions_by_agency", "agency", "alert_ref"),
)

inside_purges = Table(
    "inside_purges",
    metadata,
    # An agency of this country confirms that it purged what was withdrawn; the desk attests for it.
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("copies_removed", Integer, nullable=False),
    Column("lists_updated", Boolean, nullable=False),
    # Short names of each PurgeException, joined by commas.
    Column("exceptions", String, nullable=False),
    sqlite_with_rowid=False,
)

inside_reports = Table(
    "inside_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", LargeBinary(16), nullable=False, unique=True),
    Column("alert_ref", Integer, nullable=False),
    # SPIFFE IDs: who reports, and the desk that is to report on.
    Column("agency", String, nullable=False),
    Column("desk", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    # The HitReport, under the key of the alert that it is about. Null once that is erased.
    Column("sealed", LargeBinary),
    # Digest of the manifest by which the desk reported on, or empty.
    Column("forwarded", LargeBinary, nullable=False),
    Index("inside_reports_by_alert", "alert_ref"),
)
