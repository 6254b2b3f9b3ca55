"""Routing: how far arrivals were read, what waits for its rule, what was sent where, what to forget."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of routing."""
    _create_arrivals()
    _create_forgetting()


def _create_arrivals() -> None:
    op.create_table(
        "routing_cursor",
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("index_identity", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("up_to", sa.BigInteger, nullable=False),
        sa.Column("arrived_since_s", sa.BigInteger, nullable=False),
        sa.Column("newest_s", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "routing_study",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("study_instance_uid", sa.Text, primary_key=True),
        sa.Column("first_s", sa.BigInteger, nullable=False),
        sa.Column("changed_s", sa.Double, nullable=False),
        sa.Column("due_s", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_routing_study_due", "routing_study", ["due_s"])
    op.create_table(
        "routing_sent",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("routed_s", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "routing_job",
        sa.Column("job_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("study_instance_uid", sa.Text, nullable=False),
    )
    op.create_index("ix_routing_job_study", "routing_job", ["study_instance_uid"])


def _create_forgetting() -> None:
    op.create_table(
        "routing_forget",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("study_instance_uid", sa.Text, nullable=False),
        sa.Column("jobs", sa.JSON, nullable=False),
        sa.Column("after_s", sa.Double, nullable=False),
        sa.Column("acknowledged_s", sa.Double),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("check_s", sa.Double, nullable=False),
    )
    op.create_index("ix_routing_forget_check", "routing_forget", ["check_s"])
    op.create_table(
        "routing_forget_object",
        sa.Column("forget_id", sa.Integer, sa.ForeignKey("routing_forget.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sop_instance_uid", sa.Text, primary_key=True),
        sa.Column("blob_id", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
