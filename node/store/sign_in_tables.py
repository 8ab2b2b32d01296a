"""The tables of signing in to the console: passkeys, codes that enrol one, identities, sessions.

Secrets stand here as SHA-256 digests only. Times are Unix milliseconds; `person` is a SPIFFE ID.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from node.store.tables import metadata

passkeys = Table(
    "passkeys",
    metadata,
    # WebAuthn's credential id, at most 1023 bytes.
    Column("credential", LargeBinary, primary_key=True),
    Column("person", String, nullable=False),
    # COSE_Key.
    Column("public_key", LargeBinary, nullable=False),
    # Of signatures, as the authenticator counts them; 0 for one that does not count.
    Column("sign_count", BigInteger, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Index("passkeys_by_person", "person"),
)

enrolments = Table(
    "enrolments",
    metadata,
    # A newer code takes the place of an older one.
    Column("person", String, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    # One a person; a newer one takes the place of an older one.
    Column("person", String, primary_key=True),
    # With the claim (`node.oidc.naming`): what another issuer says, or another claim, counts for nothing.
    Column("issuer", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    UniqueConstraint("issuer", "subject"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("person", String, nullable=False),
    # By what it began: a code of the journal's SIGN_IN.
    Column("began_by", String, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("sessions_by_person", "person"),
)
