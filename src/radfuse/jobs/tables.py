"""The tables of the queue. DBOS keeps its own beside them, in the same database.

The migrations in ``radfuse.db`` create these tables; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData()


job_table = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    # The start that counts, from 1 and never used twice: whoever runs an earlier one may no longer change the job.
    Column("attempt", Integer, nullable=False),
    # Attempts that failed for now since the user's last start.
    Column("tries", Integer, nullable=False),
    Column("retry_count", Integer, nullable=False),
    Column("retry_delay_s", Double, nullable=False),
    Column("created_s", Double, nullable=False),
    Column("started_s", Double),
    Column("finished_s", Double),
    # When to hand the attempt over to DBOS; NULL when that was done or is not wanted.
    Column("next_attempt_s", Double),
    Column("worker", Text, nullable=False),  # who runs it
    Column("message", Text, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("warned", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("live", Text, nullable=False, server_default=""),  # JSON: what can be watched while it runs
    Index("ix_job_state", "state", "id"),
    Index("ix_job_next_attempt", "next_attempt_s"),
    # Ids of forgotten jobs must not come back: DBOS may still know them.
    sqlite_autoincrement=True,
)

item_table = Table(
    "job_item",
    metadata,
    Column("job_id", Integer, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Integer),
    Column("comment", Text, nullable=False),
    Column("changed_s", Double, nullable=False),
    sqlite_with_rowid=False,
)

study_table = Table(
    "job_study",
    metadata,
    Column("study_instance_uid", Text, primary_key=True),
    Column("job_id", Integer, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_job_study_job", "job_id"),
    sqlite_with_rowid=False,
)
