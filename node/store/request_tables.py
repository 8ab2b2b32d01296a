"""The table of attempts to deliver that ended without a receipt: statutory clocks start by them (PROTOCOL.md, section 5).

Times are Unix milliseconds. What a request asks, and how it stands, is not here: it follows from logs, receipts and relations.
"""

from sqlalchemy import BigInteger, Column, Integer, Table

from node.store.tables import metadata

attempts = Table(
    "attempts",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    # Every entry of the log below this size that had no receipt was to be delivered then, and was not. Of a mirror: as its owner says.
    Column("size", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
