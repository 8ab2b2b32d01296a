"""Schema 1: the first tables. A released migration never changes; a change of `tables` is a new one."""

import sqlalchemy as sa
from alembic import op

from node.store.migrations.life import make_life_tables
from node.store.migrations.sign_in import make_sign_in_tables
from node.store.migrations.tips import make_tip_tables

revision = "0001"
down_revision = None


def upgrade() -> None:  # noqa: PLR0915  a statement for each table
    """Make the tables."""
    op.create_table(
        "agreements",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "partner", "origin"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("alert_type", sa.String(), nullable=False),
        sa.Column("originator", sa.String(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("arrives_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("erase_by", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alert_id", "originator"),
        sa.UniqueConstraint("request_id"),
    )
    op.create_index("alerts_by_digest", "alerts", ["digest"], unique=True)
    op.create_index("alerts_by_due", "alerts", ["due_at", "erase_by", "period"], sqlite_where=sa.text("due_at > 0"))
    op.create_index(
        "alerts_requests", "alerts", ["id", "own", "originator"], sqlite_where=sa.text("alert_type = 'exchange.v1.InformationRequest'")
    )
    op.create_index("alerts_by_type", "alerts", ["alert_type", "id"], sqlite_where=sa.text("alert_type != 'exchange.v1.TravelAlert'"))
    op.create_table(
        "answers",
        sa.Column("answered", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(length=32), nullable=False),
        sa.Column("outbound", sa.Boolean(), nullable=False),
        sa.Column("mis_hit", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("answered", "answer"),
        sqlite_with_rowid=False,
    )
    op.create_index("answers_by_answer", "answers", ["answer"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("submission", sa.LargeBinary(length=16), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confirm_by", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmation", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("submission", "person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "assessments",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("recipients", sa.String(), nullable=False),
        sa.Column("states", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("assessed_at", sa.BigInteger(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "attestations",
        sa.Column("control", sa.LargeBinary(length=32), nullable=False),
        sa.Column("referent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attester", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("copies_removed", sa.Integer(), nullable=False),
        sa.Column("lists_updated", sa.Boolean(), nullable=False),
        sa.Column("exceptions", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("control"),
    )
    op.create_index("attestations_by_referent", "attestations", ["referent"])
    op.create_table(
        "conflicts",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_id", sa.Integer(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "entries",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("alert_ref", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("log_id", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_by_alert", "entries", ["alert_ref"], unique=False)
    op.create_table(
        "exceptions",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbox",
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("agency", "alert_ref"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("counterparty", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("journal_by_subject", "journal", ["subject"])
    op.create_index("journal_by_origin", "journal", ["origin", "first"])
    op.create_index("journal_anchors", "journal", ["origin", "count"], sqlite_where=sa.text("kind = 17"))
    op.create_table(
        "journal_checkpoints",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "size"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal_details",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("detail_group", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "idx", "detail_group"),
        sqlite_with_rowid=False,
    )
    personal = sa.text("detail_group = 'personal'")
    op.create_index("journal_details_personal", "journal_details", ["generation", "idx"], sqlite_where=personal)
    op.create_table(
        "journals",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "key_periods",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("period"),
    )
    op.create_table(
        "landings",
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("lands_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_ref", "agency"),
        sqlite_with_rowid=False,
    )
    op.create_index("landings_by_time", "landings", ["agency", "lands_at", "alert_ref"], unique=False)
    op.create_table(
        "logs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("outbound", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("last_disclosed_at", sa.BigInteger(), nullable=False),
        sa.Column("control_size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("origin"),
    )
    op.create_table(
        "mis_hits",
        sa.Column("first", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("first", "token"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "level", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partners",
        sa.Column("trust_domain", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trust_domain"),
    )
    op.create_table(
        "recalls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("control", sa.LargeBinary(length=32), nullable=False),
        sa.Column("referent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("originator", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("attest_by", sa.BigInteger(), nullable=False),
        sa.Column("wrong_fields", sa.LargeBinary(), nullable=False),
        sa.Column("replaced_by", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("control"),
    )
    op.create_index("recalls_by_referent", "recalls", ["referent"])
    op.create_table(
        "receipts",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "size"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "roster",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lineage", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("alert_type", sa.String(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("preview", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("submissions_by_lineage", "submissions", ["lineage"])
    op.create_table(
        "successions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("ended_origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "supersessions",
        sa.Column("earlier", sa.LargeBinary(length=32), nullable=False),
        sa.Column("later", sa.LargeBinary(length=32), nullable=False),
        sa.Column("originator", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("earlier", "later"),
        sqlite_with_rowid=False,
    )
    op.create_index("supersessions_by_later", "supersessions", ["later"], unique=False)
    op.create_table(
        "unheld",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "untold",
        sa.Column("control", sa.LargeBinary(length=32), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("control", "partner"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "withheld",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
    )
    op.create_table(
        "witnesses",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subject_index",
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_ref"),
    )
    op.create_table(
        "searches",
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("alert_ref", "generation", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("searches_by_entry", "searches", ["generation", "idx"])
    op.create_table(
        "holds",
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_ref", "agency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_ref", sa.Integer(), nullable=True),
        sa.Column("period", sa.String(), nullable=True),
        sa.Column("intended_at", sa.BigInteger(), nullable=False),
        sa.Column("destroyed_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("erasures_by_alert", "erasures", ["alert_ref"])
    op.create_index("erasures_unfinished", "erasures", ["id"], sqlite_where=sa.text("done_at IS NULL"))
    make_life_tables()
    make_tip_tables()
    make_sign_in_tables()
