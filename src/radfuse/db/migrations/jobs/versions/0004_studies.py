"""The queue: which studies a job is about, for whoever looks at a study."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of the studies of jobs."""
    op.create_table(
        "job_study",
        sa.Column("study_instance_uid", sa.Text, primary_key=True),
        sa.Column("job_id", sa.Integer, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_study_job", "job_study", ["job_id"])
