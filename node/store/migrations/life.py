"""Schema 1, the part for the life of an alert after its release: called by `versions/s0001_first_tables.py`."""

import sqlalchemy as sa
from alembic import op


def make_life_tables() -> None:
    """Make the tables of `request_tables`, `gate_tables`, `notice_tables`, `onward_tables`, `inside_tables`; doubts, drafts and more."""
    op.create_table(
        "attempts",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "doubts",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("control", sa.LargeBinary(length=32), nullable=False),
        sa.Column("referent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("permit", sa.LargeBinary(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("doubts_by_referent", "doubts", ["referent"])
    op.create_table(
        "drafts",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("alert_type", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("useful_until", sa.BigInteger(), nullable=False),
        sa.Column("lineage", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("drafts_by_agency", "drafts", ["agency"])
    op.create_index("drafts_by_limit", "drafts", ["erase_by"])
    op.create_index("drafts_by_lineage", "drafts", ["lineage"])
    op.create_table(
        "looks",
        sa.Column("lineage", sa.LargeBinary(length=16), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("before_at", sa.BigInteger(), nullable=False),
        sa.Column("before_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("lineage", "person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("handovers_by_agency", "handovers", ["agency", "written_at"])
    op.create_index("handovers_by_limit", "handovers", ["erase_by"])
    op.create_table(
        "emergencies",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agreement"),
        sqlite_with_rowid=False,
    )
    op.create_index("emergencies_by_manifest", "emergencies", ["manifest"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("has_term", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=False),
        sa.Column("given_up_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "reference", "due_at", "round", "channel"),
    )
    op.create_index(
        "notices_undelivered",
        "notices",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("delivered_at = 0 AND given_up_at = 0"),
    )
    op.create_table(
        "onward_requests",
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("third_party", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("judicial", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_index("onward_requests_by_manifest", "onward_requests", ["manifest"])
    op.create_table(
        "onward_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("decider", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("permit", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("decision"),
    )
    op.create_index("onward_decisions_by_request", "onward_decisions", ["request"])
    op.create_table(
        "permits",
        sa.Column("permit", sa.LargeBinary(length=32), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("permit"),
    )
    op.create_index("permits_by_manifest", "permits", ["manifest"])
    op.create_table(
        "onward_notices",
        sa.Column("notice", sa.LargeBinary(length=32), nullable=False),
        sa.Column("permit", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("third_party", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("passed_on_at", sa.BigInteger(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("notice"),
    )
    op.create_index("onward_notices_by_manifest", "onward_notices", ["manifest"])
    op.create_table(
        "distributions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("alert_ref", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("desk_fields", sa.LargeBinary(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("rules", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.Integer(), nullable=False),
        sa.Column("ground", sa.Integer(), nullable=False),
        sa.Column("handling", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "agency"),
    )
    op.create_index("distributions_by_alert", "distributions", ["alert_ref", "agency"])
    op.create_index("distributions_by_agency", "distributions", ["agency", "alert_ref"])
    op.create_table(
        "inside_purges",
        sa.Column("alert_ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("copies_removed", sa.Integer(), nullable=False),
        sa.Column("lists_updated", sa.Boolean(), nullable=False),
        sa.Column("exceptions", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("alert_ref", "agency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inside_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("alert_ref", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("desk", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("forwarded", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id"),
    )
    op.create_index("inside_reports_by_alert", "inside_reports", ["alert_ref"])
