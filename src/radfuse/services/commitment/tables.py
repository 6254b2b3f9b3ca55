"""The tables of storage commitment, beside the queue and apart from every index: results outlive its rebuild.

The migrations in ``radfuse.db`` create these tables; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

transaction_table = Table(
    "commitment_transaction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("ae_title", Text, nullable=False),
    Column("our_ae_title", Text, nullable=False),
    Column("database", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Integer),
    Column("is_duplicate", Boolean, nullable=False),
    Column("created_s", Double, nullable=False),
    Column("answered_s", Double),
    Column("held_until_s", Double, nullable=False),
    Index("ix_commitment_transaction_uid", "uid"),
    sqlite_autoincrement=True,
)

instance_table = Table(
    "commitment_instance",
    metadata,
    Column("transaction_id", Integer, ForeignKey("commitment_transaction.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sop_class_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("reason", Integer),  # 0 committed, else the failure reason; empty: no result yet
    Column("changed_s", Double),
    Column("retrieve_ae_title", Text, nullable=False),
    Index("ix_commitment_instance_uid", "sop_instance_uid"),
    sqlite_with_rowid=False,
)
