"""The queue: what a person may watch of a job while it runs, as JSON; empty for nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("job", sa.Column("live", sa.Text, nullable=False, server_default=""))
