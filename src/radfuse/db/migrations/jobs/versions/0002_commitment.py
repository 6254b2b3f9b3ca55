"""Storage commitment: transactions, and the result for every instance."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of transactions and of their instances."""
    op.create_table(
        "commitment_transaction",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("ae_title", sa.Text, nullable=False),
        sa.Column("our_ae_title", sa.Text, nullable=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("is_duplicate", sa.Boolean, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("answered_s", sa.Double),
        sa.Column("held_until_s", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commitment_transaction_uid", "commitment_transaction", ["uid"])
    op.create_table(
        "commitment_instance",
        sa.Column(
            "transaction_id",
            sa.Integer,
            sa.ForeignKey("commitment_transaction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sop_class_uid", sa.Text, nullable=False),
        sa.Column("sop_instance_uid", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Integer),
        sa.Column("changed_s", sa.Double),
        sa.Column("retrieve_ae_title", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_commitment_instance_uid", "commitment_instance", ["sop_instance_uid"])
