"""The table of drafts: what officers of this node have typed so far and nobody has released or submitted.

Times are Unix milliseconds; persons and agencies are SPIFFE IDs.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from node.store.tables import metadata

drafts = Table(
    "drafts",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("author", String, nullable=False),
    Column("agency", String, nullable=False),
    # Full name; empty as long as none was chosen.
    Column("alert_type", String, nullable=False),
    # Counts the changes: whoever saves says which one they saw.
    Column("version", Integer, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("erase_by", BigInteger, nullable=False),
    # When the traveller lands or the alert would expire, whatever comes first, as far as it is typed; 0 for neither.
    Column("useful_until", BigInteger, nullable=False),
    # Of a draft that was submitted and taken back: the lineage of that submission.
    Column("lineage", LargeBinary(16)),
    # What was typed, encrypted; null once it was destroyed, until that is attested and the row goes.
    Column("sealed", LargeBinary),
)
Index("drafts_by_agency", drafts.c.agency)
Index("drafts_by_limit", drafts.c.erase_by)
Index("drafts_by_lineage", drafts.c.lineage)
