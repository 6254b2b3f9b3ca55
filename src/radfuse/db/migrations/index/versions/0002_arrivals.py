"""The index: numbers of instances are never given twice, and every index can be told from any other.

Whoever follows the arrivals remembers the number of the last one it saw: with deletions, plain row
numbers would be given again, and a rebuilt index numbers everything anew.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = (
    "id, series_fk, instance_number, sop_instance_uid, sop_class_fk, transfer_syntax_fk, blob_id, size_bytes, "
    "digest, arrived_s"
)


def _renumber_instances() -> None:
    """SQLite cannot change a table to AUTOINCREMENT: it is made anew. PostgreSQL's sequences never go back."""
    op.drop_index("instance_by_series", "instance")
    op.rename_table("instance", "instance_before")
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("series_fk", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("instance_number", TEXT, nullable=False, server_default=""),
        sa.Column("sop_instance_uid", TEXT, nullable=False, unique=True),
        sa.Column("sop_class_fk", sa.Integer, sa.ForeignKey("uid_word.id"), nullable=False),
        sa.Column("transfer_syntax_fk", sa.Integer, sa.ForeignKey("uid_word.id"), nullable=False),
        sa.Column("blob_id", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("arrived_s", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO instance ({COLUMNS}) SELECT {COLUMNS} FROM instance_before ORDER BY id")  # noqa: S608
    op.drop_table("instance_before")
    op.create_index("instance_by_series", "instance", ["series_fk"])


def upgrade() -> None:
    """Number instances once and for all, give the index its identity, and let objects be marked as leaving."""
    if op.get_bind().dialect.name == "sqlite":
        _renumber_instances()
    op.create_table(
        "leaving_blob",
        sa.Column("blob_id", sa.LargeBinary, primary_key=True),
        comment="objects that will be deleted once another node has them: what comes again is a copy of its own",
    )
    identity = op.create_table(
        "index_identity",
        sa.Column("identity", TEXT, primary_key=True),
        comment="one row, made with the index: a rebuilt index numbers its instances anew",
    )
    op.bulk_insert(identity, [{"identity": secrets.token_hex(16)}])
