"""The tables of one node. What may be erased stands sealed (encrypted under the alert's data key); everything else is proof.

Ids are handed out in order, so that inserts stay at the right edge of their index; state that changes lives in narrow rows of its own.
Times are Unix milliseconds, digests 32 bytes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint, text

SCHEMA_NUMBER = 1
"""Rises with every migration: an older program refuses a database of a higher number."""

INFORMATION_REQUEST = "exchange.v1.InformationRequest"
"""The alert type of questions with a clock, which have an index of their own."""
NOT_TRAVEL = text("alert_type != 'exchange.v1.TravelAlert'")
"""All but the many: these have an index of their own by type, for questions that say so in just these words."""

metadata = MetaData()

key_periods = Table(
    "key_periods",
    metadata,
    # The month in which the alerts whose keys it wraps expire, e.g. 2027-03; or a group of the journal's details.
    Column("period", String, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", LargeBinary(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    # True for what this country originated, false for what it received.
    Column("own", Boolean, nullable=False),
    Column("alert_type", String, nullable=False),
    Column("originator", String, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("training", Boolean, nullable=False),
    # When this node recorded it: released or received.
    Column("recorded_at", BigInteger, nullable=False),
    # First arrival at a port, for sorting; 0 if there is none.
    Column("arrives_at", BigInteger, nullable=False),
    # active, disputed, superseded, restricted, withdrawn, erased: see node.operations.standing
    Column("state", String, nullable=False),
    Column("period", String, nullable=False),
    # Null once erased.
    Column("wrapped_key", LargeBinary),
    # The manifest statement and, for our own, every opening. Null once erased.
    Column("sealed", LargeBinary),
    # The caller's idempotency key; null for what was received.
    Column("request_id", LargeBinary(16), unique=True),
    # The limit of its retention, and when its next review or that limit is due; 0 once erased.
    Column("erase_by", BigInteger, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("alert_id", "originator"),
    Index("alerts_by_digest", "digest", unique=True),
    # Holds what is still here and nothing else, and all that is asked of it.
    Index("alerts_by_due", "due_at", "erase_by", "period", sqlite_where=text("due_at > 0")),
    # Questions with a clock, few among many alerts.
    Index("alerts_requests", "id", "own", "originator", sqlite_where=text(f"alert_type = '{INFORMATION_REQUEST}'")),
    Index("alerts_by_type", "alert_type", "id", sqlite_where=NOT_TRAVEL),
)

subject_index = Table(
    "subject_index",
    metadata,
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    # 8 bytes for each name with birth date and each document number, under a key outside the database. Read from end to end for a
    # search: sorted by token it would cost every alert that comes several random pages.
    Column("tokens", LargeBinary, nullable=False),
)

searches = Table(
    "searches",
    metadata,
    # Which searches found an alert, so that the question goes with the last alert that it found.
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    # Where the search stands in the journal.
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Index("searches_by_entry", "generation", "idx"),
    sqlite_with_rowid=False,
)

holds = Table(
    "holds",
    metadata,
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    # SPIFFE ID of the agency that holds it; who decided, and why, stands in the journal's details.
    Column("agency", String, primary_key=True),
    Column("placed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True),
    # Of one alert, or else of the key of a period.
    Column("alert_ref", Integer),
    Column("period", String),
    Column("intended_at", BigInteger, nullable=False),
    # Null until it is destroyed in the database, and until nothing of it is left in the database's journal.
    Column("destroyed_at", BigInteger),
    Column("done_at", BigInteger),
    Index("erasures_by_alert", "alert_ref"),
    Index("erasures_unfinished", "id", sqlite_where=text("done_at IS NULL")),
)

logs = Table(
    "logs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String, nullable=False, unique=True),
    Column("partner", String, nullable=False),
    Column("outbound", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    # open, stopped (an alarm says why), ended (a successor exists)
    Column("state", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    # The right edge of the tree at `size`: 32-byte hashes, joined.
    Column("frontier", LargeBinary, nullable=False),
    Column("last_disclosed_at", BigInteger, nullable=False),
    # One more than the index of the newest control alert.
    Column("control_size", BigInteger, nullable=False),
    # Mirrors only: the owner's signed note at `size`, which a Hello shows. Empty while the mirror is.
    Column("checkpoint", LargeBinary, nullable=False),
    # Mirrors only: newest `alive` whose size the mirror has reached with an equal root.
    Column("confirmed_at", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    # Null for successions and for excepted deliveries.
    Column("alert_ref", Integer),
    # Outbound: the authorisation record. Inbound: the openings. Null once erased.
    Column("sealed", LargeBinary),
    Index("entries_by_alert", "alert_ref"),
    sqlite_with_rowid=False,
)

nodes = Table(
    "nodes",
    metadata,
    # logs.id; 0 for the first journal, -1 for its successor, and so on.
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    # 1 and above: the root of a complete subtree of 256^level leaves. Level 0 is the column `leaf` beside the entries.
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

exceptions = Table(
    "exceptions",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # ExceptionCode, from our receipt or from the partner's.
    Column("code", Integer, nullable=False),
    sqlite_with_rowid=False,
)

withheld = Table(
    "withheld",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Integer, nullable=False),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("previous_size", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # The frontier at `size`; any later root is computed from here.
    Column("frontier", LargeBinary, nullable=False),
    # The sender's signed note at `size`.
    Column("checkpoint", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    Column("agency", String, primary_key=True),
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

landings = Table(
    "landings",
    metadata,
    # When the traveller of an alert first lands, for each agency that was told the journey: what its inbox is sorted by. It goes with the
    # content.
    Column("alert_ref", Integer, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    Column("lands_at", BigInteger, nullable=False),
    Index("landings_by_time", "agency", "lands_at", "alert_ref"),
    sqlite_with_rowid=False,
)

answers = Table(
    "answers",
    metadata,
    # Digest of the manifest that was answered, and of the one that answers.
    Column("answered", LargeBinary(32), primary_key=True),
    Column("answer", LargeBinary(32), primary_key=True),
    Column("outbound", Boolean, nullable=False),
    # Of a report of ours that somebody else came: whoever is meant is still to come.
    Column("mis_hit", Boolean, nullable=False),
    Index("answers_by_answer", "answer"),
    sqlite_with_rowid=False,
)

submissions = Table(
    "submissions",
    metadata,
    # The draft's request id.
    Column("id", LargeBinary(16), primary_key=True),
    # Id of the first of those that stand in one another's place; its own for one that stands in nobody's.
    Column("lineage", LargeBinary(16), nullable=False),
    Column("state", String, nullable=False),
    Column("author", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("alert_type", String, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("preview", LargeBinary(32), nullable=False),
    # Draft and reason, encrypted; null once it was released, voided, taken back or lapsed.
    Column("sealed", LargeBinary),
    Index("submissions_by_lineage", "lineage"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("submission", LargeBinary(16), primary_key=True),
    Column("person", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    # Of an oral one: by when it must be in writing, and when it was; 0 otherwise.
    Column("confirm_by", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    # What the person signed with a passkey, encrypted; null where none was asked for, and once it stands beside what was released.
    Column("confirmation", LargeBinary),
    sqlite_with_rowid=False,
)

supersessions = Table(
    "supersessions",
    metadata,
    Column("earlier", LargeBinary(32), primary_key=True),
    Column("later", LargeBinary(32), primary_key=True),
    Column("originator", String, nullable=False),
    Index("supersessions_by_later", "later"),
    sqlite_with_rowid=False,
)

conflicts = Table(
    "conflicts",
    metadata,
    # The manifest that was not taken into use: evidence only.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("log_id", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("statement", LargeBinary, nullable=False),
)

partners = Table(
    "partners",
    metadata,
    Column("trust_domain", String, primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    # Serialized DescriptorChain.
    Column("chain", LargeBinary, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("added_at", BigInteger, nullable=False),
)

agreements = Table(
    "agreements",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("partner", String, nullable=False),
    # proposed (by us), offered (by the partner), accepted (by both)
    Column("state", String, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # The partner has our countersignature, or has taken our proposal.
    Column("delivered", Boolean, nullable=False),
)

successions = Table(
    "successions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("partner", String, nullable=False),
    Column("ended_origin", String, nullable=False),
    # proposed (by us), offered (by the partner), accepted (by both)
    Column("state", String, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # The partner has it as it stands here.
    Column("delivered", Boolean, nullable=False),
)

assessments = Table(
    "assessments",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("destination", String, nullable=False),
    # SPIFFE IDs of agencies, a line each; empty means all of the destination.
    Column("recipients", String, nullable=False),
    # What it states, of the words that a policy may ask for.
    Column("states", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("assessed_at", BigInteger, nullable=False),
    Column("review_by", BigInteger, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    # Salt and record, encrypted.
    Column("sealed", LargeBinary, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("code", String, nullable=False),
    Column("partner", String, nullable=False),
    Column("origin", String, nullable=False),
    # What contradicts: a signed note, a receipt, a descriptor. Never content.
    Column("evidence", LargeBinary),
    # When an administrator looked into it and set it aside; null while it stands.
    Column("settled_at", BigInteger),
    UniqueConstraint("code", "partner", "origin"),
)

witnessed = Table(
    "witnessed",
    metadata,
    # Of a partner's journal: the newest checkpoint that this node cosigned.
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    # When it was cosigned for the last time.
    Column("at", BigInteger, nullable=False),
    # The text, the log's signature and this node's cosignature.
    Column("note", LargeBinary, nullable=False),
)

journal_checkpoints = Table(
    "journal_checkpoints",
    metadata,
    # Of this node's journal: every checkpoint that was shown to anybody.
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    # The log's signature and the first cosignature of each witness.
    Column("note", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

witnesses = Table(
    "witnesses",
    metadata,
    # Of this node's journal; by the name of the witness's key.
    Column("origin", String, primary_key=True),
    Column("name", String, primary_key=True),
    # The newest size that it cosigned, and when; 0 if it never did.
    Column("size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    # Its newest cosignature: a line of a signed note.
    Column("line", LargeBinary, nullable=False),
    # When it was first asked, and what its last answer was: empty when it cosigned, else a code.
    Column("asked_at", BigInteger, nullable=False),
    Column("code", String, nullable=False),
    sqlite_with_rowid=False,
)

journals = Table(
    "journals",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    # The right edge of the tree at `size`: 32-byte hashes, joined.
    Column("frontier", LargeBinary, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # The entry, and its RFC 6962 leaf hash. What stands beside them repeats the entry, to be searched.
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("code", String, nullable=False),
    Column("party", String, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("counterparty", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("journal_by_subject", "subject"),
    Index("journal_by_origin", "origin", "first"),
    # The anchors of a log by its size (kind 17): for evidence, which asks for the first above a receipt.
    Index("journal_anchors", "origin", "count", sqlite_where=text("kind = 17")),
    sqlite_with_rowid=False,
)

journal_details = Table(
    "journal_details",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # accountability or personal
    Column("detail_group", String, primary_key=True),
    # Salt and record, encrypted under the group's key. The row is deleted when the detail is erased.
    Column("sealed", LargeBinary, nullable=False),
    # Those that have a limit; the others stay as long as the journal.
    Index("journal_details_personal", "generation", "idx", sqlite_where=text("detail_group = 'personal'")),
    sqlite_with_rowid=False,
)

roster = Table(
    "roster",
    metadata,
    # Who could do what here when the node last started, so that a change is journalled. SPIFFE ID.
    Column("person", String, primary_key=True),
    Column("agency", String, nullable=False),
    Column("roles", String, nullable=False),
)
