"""Schema 1, the part for tips: called by `versions/s0001_first_tables.py`."""

import sqlalchemy as sa
from alembic import op


def make_tip_tables() -> None:
    """Make the tables of `node.store.tip_tables`."""
    op.create_table(
        "tips",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ngo", sa.String(), nullable=False),
        sa.Column("tip_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("danger", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("saved_at", "submitted_at", "look_by", "looked_at")),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("close_reason", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("contact_key", sa.LargeBinary(), nullable=True),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ngo", "tip_id"),
        sa.UniqueConstraint("reference"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("tips_by_agency", "tips", ["agency", "state"])
    op.create_table(
        "tip_releases",
        sa.Column("tip", sa.LargeBinary(length=32), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tip", "manifest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tip_answers",
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tip", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("manifest"),
        sqlite_with_rowid=False,
    )
    op.create_index("tip_answers_by_tip", "tip_answers", ["tip"])
    op.create_table(
        "tip_safeguards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tip", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tip_safeguards_by_tip", "tip_safeguards", ["tip"])
