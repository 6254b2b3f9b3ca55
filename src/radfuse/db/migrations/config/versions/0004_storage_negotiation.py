"""Configuration: whether a context list goes with the extended negotiation of the storage service."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The workstation's list had it before, edited or not; no other had."""
    column = sa.Column("storage_negotiation", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("context_list", column)
    lists = sa.table("context_list", sa.column("name"), sa.column("storage_negotiation"))
    op.execute(lists.update().where(lists.c.name == "xd").values(storage_negotiation=sa.true()))
