"""Configuration: the peers of this node."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of peers."""
    op.create_table(
        "peer",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("ae_title", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("may_store", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("may_query", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("may_retrieve", sa.Boolean, nullable=False, server_default=sa.true()),
    )
