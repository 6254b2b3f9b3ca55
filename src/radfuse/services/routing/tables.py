"""The tables of routing, beside the queue: a study's jobs and the record of them change in one transaction.

The migrations in ``radfuse.db`` create these tables; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

cursor_table = Table(
    "routing_cursor",
    metadata,
    Column("database", Text, primary_key=True),
    Column("index_identity", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    # Up to this number, only what arrived since then counts: those were there before we began to follow.
    Column("up_to", BigInteger, nullable=False),
    Column("arrived_since_s", BigInteger, nullable=False),
    Column("newest_s", BigInteger, nullable=False),
)
"""How far the arrivals of each database were read."""

study_table = Table(
    "routing_study",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("database", Text, primary_key=True),
    Column("study_instance_uid", Text, primary_key=True),
    Column("first_s", BigInteger, nullable=False),
    Column("changed_s", Double, nullable=False),
    Column("due_s", Double, nullable=False),
    Index("ix_routing_study_due", "due_s"),
    sqlite_with_rowid=False,
)
"""Studies of which something arrived, at ``first_s`` or later, that a rule has not looked at yet."""

sent_table = Table(
    "routing_sent",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("routed_s", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The ledger: a digest of rule, peer and object for everything that was ever given to a send job."""

job_table = Table(
    "routing_job",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    Column("database", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Index("ix_routing_job_study", "study_instance_uid"),
)
"""The jobs that rules have queued and that are not known to be done."""

forget_table = Table(
    "routing_forget",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("database", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("jobs", JSON, nullable=False),
    Column("after_s", Double, nullable=False),
    Column("acknowledged_s", Double),
    Column("created_s", Double, nullable=False),
    Column("check_s", Double, nullable=False),
    Index("ix_routing_forget_check", "check_s"),
)
"""What is to be forgotten once its jobs are done."""

forget_object_table = Table(
    "routing_forget_object",
    metadata,
    Column("forget_id", Integer, ForeignKey("routing_forget.id", ondelete="CASCADE"), primary_key=True),
    Column("sop_instance_uid", Text, primary_key=True),
    Column("blob_id", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
