"""The tables of passing on: what was asked, decided, permitted and told. Nothing here is content or names a person.

They outlast the alerts that said so: whom a recall must reach is known also after those are erased. Times are Unix milliseconds.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from node.store.tables import metadata

onward_requests = Table(
    "onward_requests",
    metadata,
    # Digests of the OnwardRequest, and of the manifest that it asks about.
    Column("request", LargeBinary(32), primary_key=True),
    Column("manifest", LargeBinary(32), nullable=False),
    # True if we ask, false if we are asked.
    Column("own", Boolean, nullable=False),
    # SPIFFE IDs.
    Column("asker", String, nullable=False),
    Column("third_party", String, nullable=False),
    # One byte for the number of each field.
    Column("fields", LargeBinary, nullable=False),
    Column("purpose", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("judicial", Boolean, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index("onward_requests_by_manifest", "manifest"),
)

onward_decisions = Table(
    "onward_decisions",
    metadata,
    # In the order in which they came: the first decision of a request holds.
    Column("id", Integer, primary_key=True),
    # Digests of the OnwardDecision, and of the request that it decides.
    Column("decision", LargeBinary(32), nullable=False, unique=True),
    Column("request", LargeBinary(32), nullable=False),
    # True if we decided.
    Column("own", Boolean, nullable=False),
    # SPIFFE ID of whoever decided: what anybody but the originator says is no leave.
    Column("decider", String, nullable=False),
    Column("granted", Boolean, nullable=False),
    # Digest of the permit, or empty.
    Column("permit", LargeBinary, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index("onward_decisions_by_request", "request"),
)

permits = Table(
    "permits",
    metadata,
    Column("permit", LargeBinary(32), primary_key=True),
    # The digest of the manifest that it is about, and the statement as it was signed.
    Column("manifest", LargeBinary(32), nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Index("permits_by_manifest", "manifest"),
)

onward_notices = Table(
    "onward_notices",
    metadata,
    # Digests of the OnwardNotice, of the permit that it names, and of the manifest that was passed on.
    Column("notice", LargeBinary(32), primary_key=True),
    Column("permit", LargeBinary, nullable=False),
    Column("manifest", LargeBinary(32), nullable=False),
    # SPIFFE IDs: the agency that passed it on, and the third country's node.
    Column("holder", String, nullable=False),
    Column("third_party", String, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("passed_on_at", BigInteger, nullable=False),
    # True for what we passed on.
    Column("own", Boolean, nullable=False),
    Index("onward_notices_by_manifest", "manifest"),
)
