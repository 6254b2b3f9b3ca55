"""Configuration: routing rules."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of rules."""
    op.create_table(
        "rule",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("active_since_s", sa.Float, nullable=False, comment="what arrived before is none of its business"),
    )
